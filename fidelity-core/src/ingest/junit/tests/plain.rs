//! Tags of cases that are recognised in one pass, beside the same reports in a dress in which they are not.

use super::*;

/// Returns a report in which every case has a prefix, and so is left to quick-xml.
fn prefixed(report: &str) -> String {
    report
        .replace("<testcase", "<j:testcase")
        .replace("</testcase", "</j:testcase")
}

#[test]
fn both_ways_of_reading_a_case_see_the_same() {
    for inside in [
        "name='a'",
        "name='a'/",
        "name=\"a'b\" classname='c\"d' time='1.5' timestamp='t' file='f' line='3' status='skipped' result='x'",
        " name='a'\n\tclassname='b' /",
        "name = 'a'",
        "name='a'classname='b'",
        "name='&lt;&#65;&x;\n' time='-1'",
        "name='a<b'",
        "name='a' name='b'",
        "name='a' x-y='1' x_y='2' x:y='3'",
        "a1='' a2='' a3='' a4='' a5='' a6='' a7='' a8='' name='n'",
        "name='a' b",
        "name='a' b=c",
        "='a'",
        "name='a>b' /",
        "name='a' / ",
        "name='a'//",
        "",
        "name='",
        "name='\0'",
    ] {
        for around in [
            format!(
                "<testsuite>\n  <testcase {inside}></testcase>\n <testcase name='z'/></testsuite>"
            ),
            format!("<testsuite><testcase {inside}><failure/></testcase ></testsuite>"),
            format!(
                "<testsuite><testcase name='o'><testcase {inside}></testcase></testcase></testsuite>"
            ),
            format!("<testcase {inside}></testcase>"),
        ] {
            let (cases, summary) = read_str(&around);
            let (slowly, slow) = read_str(&prefixed(&around));
            assert_eq!(cases, slowly, "{around}");
            let kinds = |summary: &Summary| {
                let problems = summary.problems.iter();
                problems
                    .map(|problem| (problem.kind, problem.line, problem.more))
                    .collect::<Vec<_>>()
            };
            assert_eq!(kinds(&summary), kinds(&slow), "{around}");
        }
    }
}
