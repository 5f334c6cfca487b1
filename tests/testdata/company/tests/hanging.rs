//! One test never ends, and prints all the time.

use std::io::Write;
use std::time::Duration;

#[test]
fn a_passes() {}

#[test]
fn b_hangs() {
    loop {
        drop(std::io::stdout().write_all(b"test other ... ok\n"));
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn c_passes() {}

#[test]
fn d_passes() {}
