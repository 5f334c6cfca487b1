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
    assert_eq!(
        problems("<testsuite><system-out><![CDATA[x"),
        ["truncated r.xml:1:24: the file ends within a CDATA section that begins here"]
    );
}

#[test]
fn what_is_no_junit_is_refused_by_name() {
    for (text, expected) in [
        ("", "empty-file r.xml: the file is empty"),
        (" \n ", "empty-file r.xml: the file is empty"),
        ("<!-- x -->", "empty-file r.xml: the file is empty"),
        (
            "{\"a\": 1}",
            "not-xml r.xml:1:1: this is no XML: it starts with `{\"a\": 1}`",
        ),
        (
            "PK\u{3}\u{4}\u{1b}[31m",
            "not-xml r.xml:1:1: this is no XML: it starts with `PK\\u{3}\\u{4}\\u{1b}[31m`",
        ),
        (
            "<test-run id='2'><test-suite/></test-run>",
            "not-junit r.xml:1:1: this is an NUnit 3 report: its root is <test-run>, that of JUnit <testsuites> or <testsuite>",
        ),
        (
            "<?xml version='1.0'?>\n<result><suites/></result>",
            "not-junit r.xml:2:1: this is a result of Jenkins's own: its root is <result>, that of JUnit <testsuites> or <testsuite>",
        ),
        (
            "<project xmlns='http://maven.apache.org/POM/4.0.0'/>",
            "not-junit r.xml:1:1: this is a build file of Maven or Ant: its root is <project>, that of JUnit <testsuites> or <testsuite>",
        ),
        (
            "<\u{e4}/>",
            "not-junit r.xml:1:1: this is no JUnit report: its root is <\u{e4}>, that of JUnit <testsuites> or <testsuite>",
        ),
        (
            "<!DOCTYPE html><html><p>502</html>",
            "not-junit r.xml:1:16: this is an HTML page: its root is <html>, that of JUnit <testsuites> or <testsuite>",
        ),
    ] {
        let (cases, summary) = read_str(text);
        assert!(cases.is_empty());
        assert_eq!(shown(&summary)[0], expected, "{text}");
        assert!(summary.broken().is_some());
    }
}

#[test]
fn a_file_whose_elements_cannot_be_told_apart_is_refused() {
    for (text, expected) in [
        (
            "<testsuite><testcase name='a'></testsuite>",
            "malformed r.xml:1:31: `</testsuite>` stands where `</testcase>` is expected",
        ),
        (
            "<testsuite>\n<testcase name='a'><failure>a List<String> b</failure></testcase></testsuite>",
            "malformed r.xml:2:45: `</failure>` stands where `</String>` is expected",
        ),
        (
            "<testsuite><testcase name='a<b'/></testsuite>",
            "malformed r.xml:1:12: in `<testcase>` a value contains `<`, as it does where a closing quote is missing",
        ),
        (
            "<testsuite><testcase name=a/></testsuite>",
            "malformed r.xml:1:12: in `<testcase>` a value stands in no quotes",
        ),
        (
            "<testsuite><testcase name='a' name='b'/></testsuite>",
            "malformed r.xml:1:12: attribute `name` is given twice",
        ),
        (
            "<testsuite>1 < 2</testsuite>",
            "malformed r.xml:1:14: `<` begins no tag",
        ),
        (
            "<testsuite/></testsuite>",
            "malformed r.xml:1:13: `</testsuite>` closes nothing",
        ),
        (
            "<testsuite/><testsuite/>",
            "malformed r.xml:1:13: `<testsuite>` follows the end of the report",
        ),
        (
            "<testsuite/>\nDone in 3 s",
            "malformed r.xml:2:1: `Done in 3 s` follows the end of the report",
        ),
    ] {
        assert_eq!(problems(text), [expected], "{text}");
    }
}

#[test]
fn nothing_is_expanded_or_fetched() {
    let bomb = "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol1 \"&lol;&lol;\">]>
        <testsuite name='&lol1;'><testcase name='a&lol1;'><failure>&lol1;&amp;</failure></testcase></testsuite>";
    let (cases, summary) = read_str(bomb);
    assert_eq!(cases[0].name, "a&lol1;");
    assert_eq!(cases[0].trial.failures[0].text.text, "&lol1;&");
    assert_eq!(
        shown(&summary),
        [
            "doctype-skipped r.xml:1:1: it has a DOCTYPE, which is skipped: nothing it declares is used or fetched",
            "unknown-reference r.xml:2:9: a reference to an entity stands for nothing here: kept as it is written (and 2 more)"
        ]
    );
    let outside = "<?xml version='1.0'?><!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>
        <testsuite><testcase name='a'><system-out>&x;</system-out></testcase></testsuite>";
    let (cases, _) = read_str(outside);
    assert_eq!(cases[0].trial.output.stdout, b"&x;");
}

#[test]
fn characters_that_xml_forbids_are_kept_and_said() {
    let (cases, summary) = read_str(
        "<testsuite><testcase name='a\0\u{1b}'><system-out>\0 & \u{1b}[31m</system-out></testcase></testsuite>",
    );
    assert_eq!(cases[0].name, "a\0\u{1b}");
    assert_eq!(cases[0].trial.output.stdout, b"\0 & \x1b[31m");
    assert_eq!(
        shown(&summary),
        [
            "forbidden-character r.xml:1:12: `a\\u{0}\\u{1b}` holds a character that XML does not allow: kept as it is",
            "unknown-reference r.xml:1:47: a reference to an entity stands for nothing here: kept as it is written"
        ]
    );
    let (cases, summary) = read_bytes(
        b"<testsuite><testcase name='gr\xfc\xdfe'/><testcase name='\xc3\xbc'/></testsuite>",
    );
    assert_eq!(
        (cases[0].name.as_str(), cases[1].name.as_str()),
        ("gr\u{fc}\u{df}e", "\u{fc}")
    );
    assert_eq!(
        shown(&summary),
        [
            "foreign-bytes r.xml: it holds bytes that do not exist in its encoding: read as windows-1252"
        ]
    );
}

#[test]
fn times_that_are_none_are_left_out_and_said_once() {
    let (cases, summary) = read_str(
        "<testsuite><testcase name='a' time='-7951.4'/><testcase name='b' time='1967986371'/>
         <testcase name='c' time=''/><testcase name='d' time='NaN'/><testcase name='e' time='2,503.1'/></testsuite>",
    );
    let seconds: Vec<_> = cases
        .iter()
        .map(|case| case.trial.duration.map(|duration| duration.as_secs()))
        .collect();
    assert_eq!(seconds, [None, None, None, None, Some(2503)]);
    assert_eq!(
        shown(&summary),
        ["time r.xml:1:12: time `-7951.4` is negative: left out (and 2 more)"]
    );
}

#[test]
fn cases_that_contradict_themselves_failed_and_unnamed_ones_are_said() {
    let (cases, summary) = read_str(
        "<testsuite><testcase name='a'><skipped/><failure/></testcase>
         <testcase name='b' status='disabled'><failure/></testcase><testcase name='c' status='failed'><skipped/></testcase>
         <testcase classname='C'/><testcase name=''/></testsuite>",
    );
    assert!(
        cases[..3]
            .iter()
            .all(|case| case.trial.outcome.is_failure())
    );
    assert_eq!(cases.len(), 5);
    assert_eq!(
        shown(&summary),
        [
            "no-name r.xml:3:10: a case without a name (and 1 more)",
            "contradiction r.xml:1:51: `a`: it failed and was skipped: taken as failed (and 2 more)"
        ]
    );
}

/// Reads with limits of our own.
fn limited(text: &str, limits: &Limits) -> (Vec<Case>, Summary) {
    let mut cases = Vec::new();
    let reader = BufReader::with_capacity(100, text.as_bytes());
    let summary = read(reader, "r.xml", limits, &mut |case| {
        cases.push(case.clone());
    });
    (cases, summary)
}

#[test]
fn depth_and_size_are_limited() {
    let deep = |depth: usize| {
        let opened = "<testsuite>".repeat(depth);
        format!(
            "{opened}<testcase name='a'/>{}",
            "</testsuite>".repeat(depth)
        )
    };
    assert_eq!(outcomes(&deep(499)), ["a passed"]);
    assert_eq!(
        problems(&deep(10_000)),
        ["too-large r.xml:1:5501: more than 500 elements within each other"]
    );
    let small = Limits {
        file: 10_000,
        tag: 1000,
        ..Limits::default()
    };
    let long = format!("<testsuite><!--{}--></testsuite>", "x".repeat(20_000));
    let (_, summary) = limited(&long, &small);
    assert_eq!(summary.broken().unwrap().kind, ProblemKind::TooLarge);
    let names = format!(
        "<testsuite><testcase {}/></testsuite>",
        "x='1' ".repeat(300_000)
    );
    assert_eq!(
        problems(&names),
        ["too-large r.xml:1:12: a tag is too long to be one"]
    );
    let name = format!("<testsuite><{}/></testsuite>", "x".repeat(3_000_000));
    assert_eq!(
        problems(&name),
        ["too-large r.xml:1:12: a tag is too long to be one"]
    );
}

#[test]
fn long_texts_lose_their_middle_wherever_they_stand() {
    let text = format!("BEGIN{}END", "0123456789".repeat(300_000));
    let omitted = (text.len() - 128 * 1024) as u64;
    for (before, after) in [
        ("<system-out>", "</system-out>"),
        ("<system-out><![CDATA[", "]]></system-out>"),
    ] {
        let (cases, summary) = read_str(&format!(
            "<testsuite><testcase name='a'>{before}{text}{after}</testcase><!--{text}--><?x {text}?><testcase name='b'/></testsuite>"
        ));
        assert_eq!(summary.problems, []);
        assert_eq!(cases.len(), 2);
        let output = &cases[0].trial.output;
        assert!(output.stdout.starts_with(b"BEGIN0123") && output.stdout.ends_with(b"789END"));
        assert_eq!(
            (output.stdout.len(), output.stdout_omitted),
            (128 * 1024, omitted)
        );
    }
    let (cases, summary) = read_str(&format!(
        "<testsuite>\n<testcase name='a'><failure message='{text}' type='T'>{text}</failure></testcase>\n<testcase/></testsuite>"
    ));
    let failure = &cases[0].trial.failures[0];
    assert_eq!(failure.text.omitted, omitted);
    assert_eq!(failure.class.as_deref(), Some("T"));
    assert!(failure.message.as_ref().unwrap().text.starts_with("BEGIN"));
    assert_eq!(cases[1].at, 3);
    assert_eq!(
        shown(&summary),
        [
            "no-name r.xml:3:1: a case without a name",
            "cut r.xml:2:20: 2868936 bytes of a tag's values are left out",
        ]
    );
}

#[test]
fn names_of_a_megabyte_are_cut_and_stay_apart() {
    for length in [10_000, 3_000_000] {
        let name = "n".repeat(length);
        let (cases, summary) = read_str(&format!(
            "<testsuite><testcase name='{name}a'/><testcase name='{name}b'/><testcase name='{name}a'/></testsuite>"
        ));
        assert!(has(&summary, ProblemKind::Cut));
        assert!(cases.iter().all(|case| case.name.len() < 5000));
        assert_ne!(cases[0].name, cases[1].name);
        assert_eq!(cases[0].name, cases[2].name);
    }
}

#[test]
fn more_retries_failures_and_properties_than_allowed_are_counted() {
    let limits = Limits {
        attempts: 5,
        texts: 2,
        properties: 10,
        ..Limits::default()
    };
    let retries = "<rerunFailure message='m'>t<system-out>o</system-out></rerunFailure>".repeat(7);
    let failures = "<failure message='f'/>".repeat(6);
    let (cases, summary) = limited(
        &format!(
            "<testsuite><properties><property name='12345' value='67890'/><property name='1' value=''/></properties>
             <testcase name='a'>{failures}{retries}</testcase></testsuite>"
        ),
        &limits,
    );
    assert_eq!(cases.len(), 5);
    assert_eq!(
        (cases[0].trial.failures.len(), cases[0].trial.more_failures),
        (2, 4)
    );
    assert_eq!(cases[2].trial.output.stdout, b"o");
    assert_eq!(
        (
            cases[3].trial.output.stdout.len(),
            cases[3].trial.output.stdout_omitted
        ),
        (0, 1)
    );
    assert_eq!(cases[3].trial.failures[0].text.omitted, 1);
    assert_eq!(cases[0].suite.properties.len(), 1);
    assert_eq!(
        shown(&summary),
        [
            "too-many-attempts r.xml:2:641: `a` was repeated 3 times more than is read",
            "too-many-properties r.xml:1:62: property `1` and others are too many: left out"
        ]
    );
}

#[test]
fn a_source_that_fails_in_the_middle_is_unreadable() {
    struct Failing(u32);
    impl std::io::Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => Err(std::io::ErrorKind::Interrupted.into()),
                2 => {
                    let text = b"<testsuite>";
                    into[..text.len()].copy_from_slice(text);
                    Ok(text.len())
                }
                _ => Err(std::io::Error::other("the disk is gone")),
            }
        }
    }
    let summary = read(
        BufReader::new(Failing(0)),
        "r.xml",
        &Limits::default(),
        &mut |_| (),
    );
    assert_eq!(
        shown(&summary),
        ["unreadable r.xml:1:12: it cannot be read: the disk is gone"]
    );
}
