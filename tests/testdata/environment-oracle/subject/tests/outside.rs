#[path = "../../report.rs"]
mod report;

#[test]
fn reports() {
    // The binary finds its shared library by the library path it inherits.
    let told = std::process::Command::new(env!("CARGO_BIN_EXE_told")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&told.stdout), "42\n");
    assert!(std::fs::read("tests/outside.rs").is_ok(), "the directory is the package's");
    report::write();
}
