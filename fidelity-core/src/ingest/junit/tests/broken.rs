//! Reports that are not what they should be: what is said, and that nothing else happens.

use super::*;

#[test]
fn a_file_that_ends_in_the_middle_is_no_result() {
    let whole = "<testsuites><testsuite name='s'><testcase name='a'/><testcase name='b'><failure>x</failure></testcase></testsuite></testsuites>";
    for end in 1..whole.len() {
        let (_, summary) = read_str(&whole[..end]);
        let broken = summary
            .broken()
            .unwrap_or_else(|| panic!("{}", &whole[..end]));
        assert_eq!(broken.kind, ProblemKind::Truncated, "{}", &whole[..end]);
    }
    assert_eq!(
        problems("<testsuite>\n <testcase name='a'/>\n <testcase name='b'><failure>x"),
        [
            "truncated r.xml:3:31: the file ends before `</failure>`: 1 trial before that are not used"
        ]
    );
    assert_eq!(
        problems("<testsuite>\n <testcase name='a"),
        ["truncated r.xml:2:2: the file ends within a tag that begins here"]
    );
}
