//! One test aborts if another ran in the same process.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

static SET: AtomicBool = AtomicBool::new(false);
static WAITING: AtomicU32 = AtomicU32::new(0);

/// Waits for a condition that needs company, and not for ever.
fn wait_for(condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() && began.elapsed() < Duration::from_millis(400) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_sets() {
    SET.store(true, SeqCst);
}

/// Is there until the process ends.
#[test]
fn b_is_in_flight() {
    WAITING.fetch_add(1, SeqCst);
    wait_for(|| false);
}

#[test]
fn c_aborts_if_set() {
    WAITING.fetch_add(1, SeqCst);
    wait_for(|| WAITING.load(SeqCst) == 2);
    if SET.load(SeqCst) {
        std::process::abort();
    }
}

#[test]
fn d_passes() {}

#[test]
fn e_passes() {}
