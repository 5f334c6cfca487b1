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
    assert!(!MARK.load(SeqCst));
}
