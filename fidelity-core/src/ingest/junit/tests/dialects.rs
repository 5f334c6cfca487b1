//! Reports that are well-formed, as different tools write them.

use std::time::Duration;

use super::*;
use crate::domain::Outcome;

#[test]
fn a_bare_suite_and_suites_within_suites_are_read() {
    let (cases, summary) = read_str(
        "<testsuites name='all' timestamp='2026-01-02T03:04:05'>
           <testsuite name='a' hostname='h'>
             <testsuite name='b' timestamp='2026-01-02T03:04:06Z'><testcase name='x'/></testsuite>
             <testcase name='y' classname='C' file='f.py' line='7' time='0.5'></testcase>
           </testsuite>
           <testcase name='z'/>
         </testsuites>",
    );
    assert_eq!(summary.problems, []);
    assert_eq!(
        (summary.suites, summary.elements, summary.trials),
        (2, 3, 3)
    );
    assert_eq!(summary.name.as_deref(), Some("all"));
    let [x, y, z] = cases.as_slice() else {
        panic!("{cases:?}")
    };
    assert_eq!(x.suite.path, ["a".into(), "b".into()]);
    assert_eq!(x.suite.timestamp.as_deref(), Some("2026-01-02T03:04:06Z"));
    assert_eq!(x.suite.hostname.as_deref(), Some("h"));
    assert_eq!(x.at, 3);
    assert_eq!(y.suite.timestamp.as_deref(), Some("2026-01-02T03:04:05"));
    assert_eq!(
        (y.classname.as_deref(), y.file.as_deref(), y.line),
        (Some("C"), Some("f.py"), Some(7))
    );
    assert_eq!(y.trial.duration, Some(Duration::from_millis(500)));
    assert!(z.suite.path.is_empty());
    assert_eq!(
        outcomes("<testsuite><testcase name='x'/></testsuite>"),
        ["x passed"]
    );
}

#[test]
fn namespaces_marks_and_comments_make_no_difference() {
    assert_eq!(
        outcomes(
            "\u{feff}<?xml version='1.0'?><!-- <testcase/> --><?pi x?>
             <j:testsuites xmlns:j='urn:junit' xmlns:x='urn:x'><j:testsuite x:name='no' name='s'>
             <j:testcase name='a' x:status='failed'><j:failure/></j:testcase></j:testsuite></j:testsuites>\n"
        ),
        ["a failed"]
    );
    assert_eq!(
        outcomes("<testsuite xmlns='urn:junit'><testcase name='a'/></testsuite>"),
        ["a passed"]
    );
}

#[test]
fn cases_in_unknown_elements_count_and_those_in_output_do_not() {
    assert_eq!(
        outcomes(
            "<testsuite><group><testcase name='a'/></group>
             <system-out><testcase name='b'/></system-out>
             <testcase name='c'><x><failure/></x><properties><failure/></properties></testcase></testsuite>"
        ),
        ["a passed", "c passed"]
    );
}

#[test]
fn surefire_and_nextest_retries_are_trials_in_the_order_of_time() {
    let (cases, summary) = read_str(
        "<testsuite name='s'>
           <testcase name='flaky' time='3'>
             <flakyFailure message='one' time='1' type='T'>text<system-out>o1</system-out></flakyFailure>
             <flakyError type='E'><stackTrace>deep</stackTrace><system-err>e2</system-err></flakyError>
             <system-out>last</system-out>
           </testcase>
           <testcase name='failing' time='1'>
             <failure message='first'/>
             <rerunFailure message='second' time='2' timestamp='t'/>
             <rerunError message='third'/>
           </testcase>
           <testcase name='odd'><rerunFailure/></testcase>
         </testsuite>",
    );
    assert_eq!(summary.problems, []);
    assert_eq!((summary.elements, summary.trials), (3, 8));
    let seen: Vec<String> = cases
        .iter()
        .map(|case| {
            let failure = case.trial.failures.first().cloned().unwrap_or_default();
            format!(
                "{} {}/{} {} {:?} `{}` `{}` `{}` `{}`",
                case.name,
                case.attempt,
                case.attempts,
                case.trial.outcome,
                case.trial.duration.map(|duration| duration.as_secs()),
                failure.message.unwrap_or_default().text,
                failure.text.text,
                String::from_utf8_lossy(&case.trial.output.stdout),
                String::from_utf8_lossy(&case.trial.output.stderr),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            "flaky 0/3 failed Some(1) `one` `text` `o1` ``",
            "flaky 1/3 failed None `` `deep` `` `e2`",
            "flaky 2/3 passed Some(3) `` `` `last` ``",
            "failing 0/3 failed Some(1) `first` `` `` ``",
            "failing 1/3 failed Some(2) `second` `` `` ``",
            "failing 2/3 failed None `third` `` `` ``",
            "odd 0/2 failed None `` `` `` ``",
            "odd 1/2 passed None `` `` `` ``",
        ]
    );
}

#[test]
fn nextest_says_in_words_what_ended_a_trial() {
    assert_eq!(
        outcomes(
            "<testsuite name='crate::bin/x'>
               <testcase name='slow'><failure type='test timeout'/></testcase>
               <testcase name='abort'><failure type='test abort' message='process aborted with signal 6 (SIGABRT)'/></testcase>
               <testcase name='abort2'><failure type='test abort (leaked handles)'>process aborted with signal 11</failure></testcase>
               <testcase name='windows'><failure type='test abort' message='process aborted with code 0xc0000005'/></testcase>
               <testcase name='exit'><failure type='test failure with exit code 101'/></testcase>
               <testcase name='gone'><error type='execution failure'/></testcase>
               <testcase name='flaky-fail'><failure type='flaky failure' message='test passed on attempt 2/3 but is configured to fail when flaky'/>
                 <flakyFailure type='test timeout'/></testcase>
             </testsuite>"
        ),
        [
            "slow timed-out",
            "abort crashed (signal 6)",
            "abort2 crashed (signal 11)",
            "windows failed",
            "exit failed",
            "gone failed",
            "flaky-fail timed-out",
            "flaky-fail passed",
        ]
    );
}

#[test]
fn stress_suites_are_numbered_and_setup_scripts_are_no_tests() {
    let (cases, summary) = read_str(
        "<testsuites><testsuite name='a::b@stress-0'><testcase name='x'/></testsuite>
         <testsuite name='a::b@stress-12'><testcase name='x'/></testsuite>
         <testsuite name='a::b@stress-x'><testcase name='x'/></testsuite>
         <testsuite name='@setup-script:db'><testcase name='db'><failure/></testcase></testsuite></testsuites>",
    );
    let suites: Vec<_> = cases
        .iter()
        .map(|case| (case.suite.name(), case.suite.stress))
        .collect();
    assert_eq!(
        suites,
        [
            ("a::b", Some(0)),
            ("a::b", Some(12)),
            ("a::b@stress-x", None)
        ]
    );
    assert_eq!(
        (summary.elements, summary.scripts, summary.trials),
        (4, 1, 3)
    );
    assert_eq!(
        shown(&summary),
        ["setup-script-failed r.xml:4:75: setup script `db` failed: that is no test"]
    );
}

#[test]
fn skipping_has_many_names() {
    assert_eq!(
        outcomes(
            "<testsuite><testcase name='a'><skipped message='m'/></testcase><testcase name='b'><skipped/></testcase>
             <testcase name='c' status='disabled'/><testcase name='d' status='notrun'/>
             <testcase name='e' status='run' result='suppressed'/><testcase name='f' status='run' result='completed'/>
             <testcase name='g' status='failed'/><testcase name='h' status='passed'/>
             <testcase name='i' result='TimedOut'/></testsuite>"
        ),
        ["a skipped", "b skipped", "c skipped", "d skipped", "e skipped", "f passed", "g failed", "h passed", "i failed"]
    );
    let (cases, _) =
        read_str("<testsuite><testcase name='a'><skipped message='no db'/></testcase></testsuite>");
    assert_eq!(cases[0].trial.skipped_because.as_deref(), Some("no db"));
}

#[test]
fn a_word_that_nobody_knows_is_remarked_upon_where_nothing_says_more() {
    let xml = "<testsuite><testcase name='a' status='passed'/><testcase name='b' result='Completed '/>\
               <testcase name='c' status='42'><failure/></testcase><testcase name='d' status='new'><skipped/></testcase>\
               <testcase name='e' status=''/><testcase name='f' status='run' result='blocked'/>\
               <testcase name='g' status='inconclusive'/></testsuite>";
    let (cases, summary) = read_str(xml);
    let passed = |name: &str| {
        let case = cases.iter().find(|case| case.name == name).unwrap();
        case.trial.outcome == Outcome::Passed
    };
    assert!(["a", "b", "e", "f", "g"].into_iter().all(passed));
    let said = "`f`: what a status of `blocked` means is not known: taken as passed (and 1 more)";
    let [problem] = &shown(&summary)[..] else {
        panic!("{:?}", shown(&summary));
    };
    assert!(problem.ends_with(said), "{problem}");
    assert!(has(&summary, ProblemKind::UnknownStatus) && summary.broken().is_none());
}

#[test]
fn several_failures_of_a_case_are_one_trial() {
    let (cases, summary) = read_str(
        "<testsuite><testcase name='a'><failure message='1' type='A' file='f.c' line='3'>x</failure>
         <error message='2'><![CDATA[<y> & ]]>z&lt;&#33;</error><failure/></testcase></testsuite>",
    );
    assert_eq!((summary.trials, cases.len()), (1, 1));
    let failures = &cases[0].trial.failures;
    assert_eq!(failures.len(), 3);
    assert_eq!(failures[0].place, Some(("f.c".to_owned(), Some(3))));
    assert_eq!(failures[0].class.as_deref(), Some("A"));
    assert_eq!(failures[1].kind, FailureKind::Error);
    assert_eq!(failures[1].text.text, "<y> & z<!");
}

#[test]
fn properties_and_output_are_kept() {
    let (cases, _) = read_str(
        "<testsuite><properties><property name='os' value='l&amp;x'/></properties>
         <testcase name='a'><properties><property name='k' value='v'/></properties>
         <system-out>one\n</system-out><system-out>two</system-out><system-err>&#27;[1m</system-err></testcase>
         <properties><property name='late' value='1'/></properties><testcase name='b'/></testsuite>",
    );
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(cases[0].suite.properties, [pair("os", "l&x")]);
    assert_eq!(cases[0].properties, [pair("k", "v")]);
    assert_eq!(cases[0].trial.output.stdout, b"one\ntwo");
    assert_eq!(cases[0].trial.output.stderr, b"\x1b[1m");
    assert_eq!(
        cases[1].suite.properties,
        [pair("os", "l&x"), pair("late", "1")]
    );
    assert!(cases[1].properties.is_empty() && cases[1].trial.output.stdout.is_empty());
}

#[test]
fn other_encodings_give_the_same_report() {
    let text = "<testsuite name='\u{e4}'><testcase name='\u{fc}\u{df}'/></testsuite>";
    let latin: Vec<u8> = format!("<?xml version='1.0' encoding='iso-8859-1'?>{text}")
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let wide: Vec<u8> = format!("\u{feff}<?xml version='1.0' encoding='utf-16'?>{text}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for bytes in [latin, wide] {
        let (cases, summary) = read_bytes(&bytes);
        assert_eq!(summary.problems, []);
        assert_eq!(
            (cases[0].suite.name(), cases[0].name.as_str()),
            ("\u{e4}", "\u{fc}\u{df}")
        );
    }
}
