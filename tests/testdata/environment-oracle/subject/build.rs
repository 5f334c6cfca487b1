//! Builds a shared library that only cargo's library path leads to, and sets variables.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let status = Command::new(std::env::var_os("RUSTC").unwrap())
        .args(["--crate-type", "cdylib", "--crate-name", "answer", "native/answer.rs", "--out-dir"])
        .arg(&out)
        .status()
        .unwrap();
    assert!(status.success());
    std::fs::write(out.join("made.txt"), "made by the build script").unwrap();
    println!("cargo::rustc-link-search=native={}", out.display());
    println!("cargo::rustc-link-lib=dylib=answer");
    println!("cargo::rustc-env=FROM_BUILD_SCRIPT=set by the build script");
    println!("cargo::rerun-if-changed=native");
    println!("cargo::rerun-if-changed=build.rs");
}
