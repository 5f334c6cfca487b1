//! The projects that are built: each in a directory of its own below a temporary one.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Done, cargo, timed};

/// What stands above each test.
pub const ANNOTATION: &str = "#[fidelity_macros::fidelity(kind = \"e2e\", needs(\"service.db\"), severity = \"high\", timeout = \"5s\")]";

/// What the macros depend on.
const DEPENDENCIES: &str = "proc-macro2 = \"1.0.80\"\nquote = \"1.0.35\"\nsyn = { version = \"2.0.60\", default-features = false, features = [\"parsing\", \"proc-macro\"] }\n";

fn package(name: &str, dependencies: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{dependencies}"
    )
}

/// A dependency on the macros where they are.
fn macros() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fidelity-macros");
    format!("fidelity-macros = {{ path = {path:?} }}\n")
}

fn project(top: &Path, name: &str, manifest: &str, source: &str) -> Done<PathBuf> {
    let directory = top.join(name);
    fs::create_dir_all(directory.join("src"))?;
    fs::write(directory.join("Cargo.toml"), manifest)?;
    fs::write(directory.join("src/lib.rs"), source)?;
    Ok(directory)
}

/// A crate with what the macros depend on.
pub fn floor(top: &Path) -> Done<PathBuf> {
    project(top, "floor", &package("floor", DEPENDENCIES), "")
}

/// A crate with the macros.
pub fn user(top: &Path) -> Done<PathBuf> {
    let dependencies = macros() + DEPENDENCIES;
    project(top, "user", &package("user", &dependencies), "")
}

/// A crate of tests with `attribute` above each.
pub fn tests(top: &Path, name: &str, attribute: &str, count: usize) -> Done<PathBuf> {
    let same = project(
        top,
        "same",
        "[package]\nname = \"same\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n[lib]\nproc-macro = true\n",
        "use proc_macro::TokenStream;\n#[proc_macro_attribute]\npub fn same(_: TokenStream, item: TokenStream) -> TokenStream {\n    item\n}\n",
    )?;
    let same = format!("same = {{ path = {same:?} }}\n");
    let manifest = package(name, &(macros() + &same));
    project(top, name, &manifest, &source(attribute, count)?)
}

fn source(attribute: &str, count: usize) -> Done<String> {
    let mut source = String::from(
        "//! Adds.\n#![forbid(unsafe_code)]\n\n/// Adds.\npub fn sum(one: u32, other: u32) -> u32 {\n    one + other\n}\n\n#[cfg(test)]\nmod tests {\n    use super::sum;\n",
    );
    for number in 0..count {
        write!(
            source,
            "\n    {attribute}\n    #[test]\n    fn sums_are_right_number_{number}() {{\n        assert_eq!(sum({number}, 1), {});\n    }}\n",
            number + 1
        )?;
    }
    Ok(source + "}\n")
}

/// A test binary of so many megabytes, with annotations.
pub fn large(top: &Path, count: usize, megabytes: usize) -> Done<PathBuf> {
    let directory = tests(top, "large", ANNOTATION, count)?;
    let ballast: Vec<u8> = (0..megabytes << 20).map(|at| (at % 251) as u8).collect();
    fs::write(directory.join("src/ballast"), ballast)?;
    let mut source = source(ANNOTATION, count)?;
    source += "#[used]\nstatic BALLAST: &[u8] = include_bytes!(\"ballast\");\n";
    fs::write(directory.join("src/lib.rs"), source)?;
    timed(&mut cargo(
        &directory,
        &["test", "-q", "--offline", "--no-run"],
    ))?;
    for entry in fs::read_dir(directory.join("target/debug/deps"))? {
        let path = entry?.path();
        if path.extension().is_none() && (megabytes << 20) as u64 <= fs::metadata(&path)?.len() {
            return Ok(path);
        }
    }
    Err("the large binary was not built".into())
}

/// A project whose one test binary lists `count` annotated tests, which a store has verdicts on. To compile as many would
/// take minutes: the records are those of the macros, written here.
pub fn listed(top: &Path, tool: &Path, name: &str, count: usize) -> Done<PathBuf> {
    let manifest = package(name, "") + "\n[[test]]\nname = \"suite\"\nharness = false\n";
    let directory = project(top, name, &manifest, "")?;
    let (mut records, mut list) = (String::new(), String::new());
    let mut junit = String::from("<testsuites>");
    for number in 0..count {
        let kind = ["unit", "integration", "e2e"][number % 3];
        write!(
            records,
            "\u{1}FIDELITY2\u{1f}ntest_{number}\u{1f}sfn\u{1f}Nservice.db\u{1f}K{kind}\u{1f}l{number}\u{1f}ifalse\u{1f}psuite\u{1f}ftests/suite.rs\u{1e}{}",
            "\0".repeat(350)
        )?;
        writeln!(list, "test_{number}: test")?;
        write!(
            junit,
            "<testsuite name=\"{name}::suite\"><testcase classname=\"{name}::suite\" name=\"test_{number}\" time=\"0.1\"/></testsuite>"
        )?;
    }
    junit += "</testsuites>";
    fs::create_dir_all(directory.join("tests"))?;
    fs::write(directory.join("tests/records"), &records)?;
    fs::write(directory.join("tests/list"), list)?;
    fs::write(
        directory.join("tests/suite.rs"),
        format!(
            "#[used]\n#[unsafe(link_section = \"fidelity_meta\")]\nstatic RECORDS: [u8; {}] = *include_bytes!(\"records\");\n\
             fn main() {{\n    if !std::env::args().any(|word| word == \"--ignored\") {{\n        print!(\"{{}}\", include_str!(\"list\"));\n    }}\n}}\n",
            records.len()
        ),
    )?;
    fs::write(directory.join("junit.xml"), junit)?;
    for profile in ["low", "high"] {
        let words = [
            "fidelity",
            "ingest",
            "--fidelity-profile",
            profile,
            "--block",
            "one",
            "junit.xml",
        ];
        let mut ingest = Command::new(tool);
        timed(ingest.args(words).current_dir(&directory))?;
    }
    Ok(directory)
}
