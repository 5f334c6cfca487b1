//! Tests that leave something behind for those after them in the same process, which run in the order of their names.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

static COUNTER: AtomicU32 = AtomicU32::new(0);

#[test]
fn a_enters_a_directory() {
    std::env::set_current_dir(std::env::temp_dir()).unwrap();
}

#[test]
fn b_reads_a_file_of_its_package() {
    std::fs::read_to_string("Cargo.toml").unwrap();
}

#[test]
fn c_sets_a_variable() {
    unsafe { std::env::set_var("COMPANY", "left behind") };
}

#[test]
fn d_expects_no_variable() {
    assert_eq!(std::env::var_os("COMPANY"), None);
}

#[test]
fn e_counts_from_zero() {
    assert_eq!(COUNTER.fetch_add(1, SeqCst), 0);
}

#[test]
fn f_counts_from_zero() {
    assert_eq!(COUNTER.fetch_add(1, SeqCst), 0);
}

#[test]
fn g_counts_from_zero() {
    assert_eq!(COUNTER.fetch_add(1, SeqCst), 0);
}

#[test]
fn h_passes() {}
