//! Markup that is recognised in one pass, beside the same reports in a dress in which it is not.

use super::real::folder;
use super::*;
use crate::ingest::inputs::{self, Input};

/// Returns a report in which every tag has a prefix that is not ASCII, and so is left to quick-xml.
fn dressed(report: &str) -> String {
    let mut dressed = String::new();
    let mut rest = report;
    while let Some(at) = rest.find('<') {
        let markup = &rest[at..];
        let length = match markup.strip_prefix("<![CDATA[") {
            Some(inside) => markup.len() - inside.len() + inside.find("]]>").unwrap_or(0),
            None => 1 + usize::from(markup.starts_with("</")),
        };
        let (before, after) = rest.split_at(at + length);
        dressed.push_str(before);
        if after.starts_with(|c: char| c.is_ascii_alphabetic()) {
            dressed.push_str("\u{fc}:");
        }
        rest = after;
    }
    dressed + rest
}

/// Holds that both ways of reading a report see the same.
fn compare(report: &str) {
    let (cases, summary) = read_str(report);
    let (slowly, slow) = read_str(&dressed(report));
    assert_eq!(cases, slowly, "{report}");
    let kinds = |summary: &Summary| {
        let problems = summary.problems.iter();
        problems
            .map(|problem| (problem.kind, problem.line, problem.more))
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(&summary), kinds(&slow), "{report}");
    assert_eq!(
        (summary.suites, summary.elements, summary.name),
        (slow.suites, slow.elements, slow.name),
        "{report}"
    );
}

#[test]
fn both_ways_of_reading_a_tag_see_the_same() {
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
        "name='a' x-y='1' x_y='2' x:y='3' x.y='4'",
        "a1='' a2='' a3='' a4='' a5='' a6='' a7='' a8='' a9='' a10='' a11='' a12='' name='n'",
        "name='a' b",
        "name='a' b=c",
        "='a'",
        "name='a>b' /",
        "name='a' / ",
        "name='a'//",
        "\u{c}name='a'",
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
            format!(
                "<testsuites {inside}><testsuite><testcase name='a'/></testsuite></testsuites>"
            ),
            format!("<testsuite {inside}><testcase name='a'/></testsuite>"),
            format!(
                "<testsuite><testcase name='a'>\n<failure {inside}> x </failure></testcase></testsuite>"
            ),
            format!(
                "<testsuite><testcase name='a'><flakyError {inside}>x<system-out {inside}>y</system-out></flakyError></testcase></testsuite>"
            ),
            format!(
                "<testsuite><properties><property {inside}/></properties><testcase name='a'/></testsuite>"
            ),
        ] {
            compare(&around);
        }
    }
}

#[test]
fn both_ways_of_reading_an_end_see_the_same() {
    for ends in [
        "</failure></testcase></testsuite>",
        "</failure ></testcase\n></testsuite>",
        "</failure></failure></testsuite>",
        "</failure></testcase></testsuite></testsuite>",
        "</failur></testcase></testsuite>",
        "</failures></testcase></testsuite>",
        "</failure></testcase></testsuite>x",
        "</failure></testcase></testsuite> \n",
        "</failure></testcase",
        "</></testcase></testsuite>",
    ] {
        compare(&format!("<testsuite>\n<testcase name='a'><failure>x{ends}"));
    }
}

/// References and CDATA sections are left to quick-xml where nothing of them is recognised: in an unusual spelling.
#[test]
fn both_ways_of_reading_a_text_see_the_same() {
    let of = |text: &str| {
        let report = format!(
            "<testsuite>{text}<testcase name='a'>{text}<failure>{text}</failure><system-out>{text}</system-out></testcase></testsuite>"
        );
        compare(&report);
        read_str(&report).0
    };
    for (text, spelled) in [
        ("", ""),
        ("a &lt; b", "a &#00000000000000000000000000000060; b"),
        ("&amp;", "&#00000000000000000000000000000038;"),
        (
            "<![CDATA[a<b&c]]]>",
            "a&#00000000000000000000000000000060;b&#38;c]",
        ),
        ("a<![CDATA[]]>b", "a<!-- x -->b"),
        ("\n\n  a\n b \n\t", "\n\n  a<?x?>\n b \n\t"),
    ] {
        assert_eq!(of(text), of(spelled), "{text}");
    }
    for text in [
        "& a", "a &b c;", "&;", "&lt", "a && b", "&x;&y;", "&#27;", "]]>", ">",
    ] {
        of(text);
    }
}

#[test]
fn both_ways_of_reading_a_real_report_see_the_same() {
    let Some(folder) = folder() else { return };
    let (files, _) = inputs::find(&[folder.display().to_string()]);
    for file in files {
        if let Input::File(path) = file
            && let Ok(text) = std::fs::read_to_string(path)
        {
            compare(&text);
        }
    }
}
