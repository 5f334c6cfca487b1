//! Wrong use is a compile error where it stands, with a hint. The expected texts are those of the toolchain that `.ci/run`
//! uses; after a change on purpose: `TRYBUILD=overwrite cargo test -p fidelity-macros --test compile_errors`.

#[test]
fn every_mistake_is_told_where_it_stands_and_what_to_write_instead() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
