//! A test that fails beside another one in the same process.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

static MARK: AtomicBool = AtomicBool::new(false);

#[test]
fn a_leaves_a_mark() {
    MARK.store(true, SeqCst);
}

#[test]
fn b_passes() {}

#[test]
fn z_expects_no_mark() {
    // Threads start in any order: the other test gets its time to leave the mark.
    for _ in 0..100 {
        assert!(!MARK.load(SeqCst));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
