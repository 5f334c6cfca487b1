//! Reading files: absent, unreadable, too large, of no encoding.

use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

fn workspace() -> TempDir {
    TempDir::new().unwrap()
}

/// Returns the message of a file that cannot be loaded, the directory left out.
fn message(root: &TempDir, explicit: Option<&Path>) -> String {
    let errors = load(root.path(), explicit).unwrap_err();
    assert_eq!(errors.errors().len(), 1);
    errors
        .render(true)
        .replace(&root.path().display().to_string(), "DIR")
}

#[test]
fn an_absent_file_is_none_unless_it_was_asked_for() {
    let root = workspace();
    assert_eq!(load(root.path(), None).unwrap(), None);
    insta::assert_snapshot!(message(&root, Some(&root.path().join("other.toml"))));
}

#[test]
fn a_file_is_found_at_the_root_and_elsewhere_if_asked_for() {
    let root = workspace();
    fs::write(root.path().join(FILE_NAME), "a").unwrap();
    let other = root.path().join("other.toml");
    fs::write(&other, "b").unwrap();
    let found = load(root.path(), None).unwrap().unwrap();
    assert_eq!((found.text(), found.name()), ("a", FILE_NAME));
    assert_eq!(found.path(), Some(root.path().join(FILE_NAME).as_path()));
    assert_eq!(
        load(root.path(), Some(&other)).unwrap().unwrap().text(),
        "b"
    );
}

#[test]
fn a_directory_or_a_socket_is_no_file() {
    let root = workspace();
    fs::create_dir(root.path().join(FILE_NAME)).unwrap();
    insta::assert_snapshot!(message(&root, None));
    fs::remove_dir(root.path().join(FILE_NAME)).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join(FILE_NAME)).unwrap();
    insta::assert_snapshot!(message(&root, None));
}

#[test]
fn a_link_that_leads_nowhere_is_told() {
    let root = workspace();
    symlink("nowhere", root.path().join(FILE_NAME)).unwrap();
    insta::assert_snapshot!(message(&root, None));
}

#[test]
fn a_link_to_itself_is_told() {
    let root = workspace();
    symlink(FILE_NAME, root.path().join(FILE_NAME)).unwrap();
    assert!(message(&root, None).contains("could not read the configuration"));
}

#[test]
fn a_file_of_ten_megabytes_is_refused_and_so_is_one_without_an_end() {
    let root = workspace();
    fs::write(root.path().join(FILE_NAME), "#".repeat(10 << 20)).unwrap();
    insta::assert_snapshot!(message(&root, None));
    assert!(message(&root, Some(Path::new("/dev/zero"))).contains("larger than 1 MiB"));
}

#[test]
fn a_byte_that_is_no_utf_8_is_pointed_at() {
    let root = workspace();
    fs::write(
        root.path().join(FILE_NAME),
        b"[profile.high]\ntz = \"\xff\xfeUTC\"\n",
    )
    .unwrap();
    insta::assert_snapshot!(message(&root, None));
}

#[test]
fn a_byte_order_mark_and_carriage_returns_do_no_harm() {
    let settings = settings("\u{feff}target = \"low\"\r\n[policy]\r\nfdr = 0.5\r\n");
    assert_eq!(
        (settings.target.name.as_str(), settings.policy.fdr),
        ("low", 0.5)
    );
}
