//! Hangs where it is told to.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=BUILD_HOLD");
    let Some(hold) = std::env::var_os("BUILD_HOLD") else { return };
    std::fs::write(&hold, "").unwrap();
    while std::fs::exists(&hold).unwrap() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
