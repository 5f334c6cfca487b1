//! The messages, as people see them.

use super::*;

/// A title and a file that is wrong.
pub(super) type Case = (&'static str, &'static str);

/// Returns the message of each titled file, one after the other.
fn messages(cases: &[(&str, &str)]) -> String {
    let shown = cases.iter().map(|(title, text)| {
        let message = match resolve(Some(&file(text)), &Overrides::default()) {
            Err(errors) => errors.render(true),
            Ok(_) => "NO ERROR".to_owned(),
        };
        assert_ne!(message, "NO ERROR", "{title}");
        format!("## {title}\n{message}\n")
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// Returns the message for each titled `--set` argument, or option.
fn argument_messages(cases: &[(&str, Overrides)]) -> String {
    let shown = cases.iter().map(|(title, overrides)| {
        let message = match resolve(None, overrides) {
            Err(errors) => errors.render(true),
            Ok(_) => "NO ERROR".to_owned(),
        };
        assert_ne!(message, "NO ERROR", "{title}");
        format!("## {title}\n{message}\n")
    });
    shown.collect::<Vec<_>>().join("\n")
}

pub(super) const SYNTAX: &[Case] = &[
    (
        "a text without an end",
        "[policy]\nmax-time = \"15m\nfdr = 0.05\n",
    ),
    ("no value", "baseline =\n"),
    ("a key twice", "[profile.high]\ncpus = 1\ncpus = 2\n"),
    ("a table twice", "[policy]\n\n[policy]\n"),
    ("octal", "[profile.high]\numask = 077\n"),
    (
        "two mistakes",
        "baseline = low\n\n[profile.high]\ntz = UTC\n",
    ),
    ("carriage returns", "[policy]\r\nfdr = 5..0\r\n"),
];

#[test]
fn syntax_errors_show_the_line() {
    insta::assert_snapshot!(messages(SYNTAX));
}

pub(super) const UNKNOWN: &[Case] = &[
    ("root", "base-line = \"low\"\n"),
    ("a key of the policy at the root", "timeout = \"60s\"\n"),
    ("a knob at the root", "cpus = 1\n"),
    ("a profile at the root", "[high]\ncpus = 1\n"),
    ("policy", "[policy]\nmax-tme = \"15m\"\n"),
    ("policy, nothing near", "[policy]\ncolour = true\n"),
    ("screen", "[policy]\nscreen = { targets = 5 }\n"),
    ("knob", "[profile.high]\nopen_files = 256\n"),
    (
        "knob by another name",
        "[profile.high]\ntimezone = \"UTC\"\n",
    ),
    ("knob, nothing near", "[profile.high]\nxylophone = 1\n"),
    (
        "a variable without env",
        "[profile.high]\nAPP_MODE = \"production\"\n",
    ),
    (
        "a key of the policy in a profile",
        "[profile.high]\ntimeout = \"1s\"\n",
    ),
    (
        "beside one-of",
        "[profile.high]\ncpus = { one-of = [1, 2], weights = [1, 2] }\n",
    ),
    ("in a value", "[profile.high]\ncpus = { oneof = [1, 2] }\n"),
    ("in a variable", "[profile.high]\nenv.CI.unset-it = true\n"),
    (
        "a key of a knob",
        "[profile.high]\ncpu-load = { thread = 2 }\n",
    ),
    ("a system call", "[profile.high]\nerrno.conect = \"EIO\"\n"),
    ("runner", "[runner]\nkinds = \"auto\"\n"),
];

#[test]
fn unknown_keys_come_with_the_nearest_one() {
    insta::assert_snapshot!(messages(UNKNOWN));
}

pub(super) const LATER: &[Case] = &[
    (
        "service",
        "[profile.high.service.db]\ncommand = [\"postgres\"]\n",
    ),
    ("condition", "[policy]\nfail-on = [\"new-hidden-defect\"]\n"),
];

#[test]
fn what_later_versions_may_know_is_said_to_be_missing() {
    insta::assert_snapshot!(messages(LATER));
}

pub(super) const RUNNERS: &[Case] = &[
    (
        "a command in one text",
        "[runner]\ncommand = \"npm test\"\n",
    ),
    (
        "a command of nothing",
        "[runner]\ncommand = []\njunit = [\"a.xml\"]\n",
    ),
    (
        "a number in a command",
        "[runner]\ncommand = [\"sleep\", 5]\njunit = [\"a.xml\"]\n",
    ),
    (
        "no command",
        "[runner]\nkind = \"command\"\njunit = [\"a.xml\"]\n",
    ),
    ("no reports", "[runner]\ncommand = [\"npm\", \"test\"]\n"),
    ("reports of nothing", "[runner]\njunit = [\"a.xml\"]\n"),
    (
        "a command for another runner",
        "[runner]\nkind = \"direct\"\ncommand = [\"npm\", \"test\"]\n",
    ),
    (
        "a profile for another runner",
        "[runner]\nprofile = \"ci\"\ncommand = [\"a\"]\njunit = [\"a.xml\"]\n",
    ),
    (
        "a tool that is not known",
        "[runner]\ncommand = [\"a\"]\njunit = [\"a.xml\"]\nselect = \"mocha\"\n",
    ),
    (
        "a rule that is none",
        "[runner]\ncommand = [\"a\"]\njunit = [\"a.xml\"]\nkeep-names = [\"paths\", \"seed\"]\n",
    ),
    (
        "selecting nothing",
        "[runner]\ncommand = [\"a\"]\njunit = [\"a.xml\"]\nselect = [\"-k\", \"{name}\"]\n",
    ),
    (
        "a place for nothing",
        "[runner]\ncommand = [\"a\", \"{select}\"]\njunit = [\"a.xml\"]\n",
    ),
    (
        "a key of select",
        "[runner]\ncommand = [\"a\"]\njunit = [\"a.xml\"]\nselect = { args = [\"{test}\"] }\n",
    ),
    ("a time limit", "[runner]\ntimeout = 30\n"),
    ("no time", "[runner]\ntimeout = \"5ms\"\n"),
];

#[test]
fn a_runner_that_cannot_run_is_told_what_is_missing() {
    insta::assert_snapshot!(messages(RUNNERS));
}

pub(super) const TYPES: &[Case] = &[
    ("a number as text", "[profile.high]\ncpus = \"2\"\n"),
    ("a text as number", "[profile.high]\ntz = 5\n"),
    ("a fraction", "[profile.high]\ncpus = 1.5\n"),
    ("a variable as number", "[profile.high]\nenv.PORT = 8080\n"),
    ("a variable as flag", "[profile.high]\nenv.CI = true\n"),
    ("a size without a unit", "[profile.high]\nmemory = 1024\n"),
    ("a duration without a unit", "[policy]\nmax-time = 15\n"),
    ("a mode as number", "[profile.high]\numask = 27\n"),
    (
        "a list instead of one-of",
        "[profile.high]\ncpus = [1, 2]\n",
    ),
    (
        "one-of without a list",
        "[profile.high]\ncpus = { one-of = 1 }\n",
    ),
    ("a table that is none", "profile = \"high\"\n"),
    ("an array of tables", "[[profile.high]]\ncpus = 1\n"),
    ("a profile that is none", "profile.high = 3\n"),
    ("a date", "[profile.high]\ntz = 1979-05-27\n"),
    ("a length of time", "[profile.high]\ntimer-slack = 50\n"),
    ("a share", "[profile.high]\ncpu-quota = 50\n"),
    ("a flag", "[profile.high]\ntty = \"yes\"\n"),
    (
        "a knob that is a table",
        "[profile.high]\npauses = \"40ms\"\n",
    ),
    ("a load", "[profile.high]\ncpu-load = 2\n"),
    ("reuse", "[policy]\nreuse = \"yes\"\n"),
    ("screen", "[policy]\nscreen = 5\n"),
    ("fail-on", "[policy]\nfail-on = \"broken\"\n"),
    ("a condition", "[policy]\nfail-on = [1]\n"),
    ("baseline", "baseline = 1\n"),
];

#[test]
fn values_of_another_type_are_told_what_was_expected() {
    insta::assert_snapshot!(messages(TYPES));
}

pub(super) const RANGES: &[Case] = &[
    ("too few", "[profile.high]\ncpus = 0\n"),
    ("negative", "[profile.high]\nnice = -5\n"),
    (
        "huge",
        "[profile.high]\nopen-files = 999999999999999999999999999999999999999999\n",
    ),
    ("too small", "[profile.high]\nmemory = \"1MiB\"\n"),
    ("a percentage as a share", "[policy]\nfdr = 5\n"),
    ("a share of nothing", "[policy]\nmass-failure = 0\n"),
    ("not a number", "[policy]\ntolerance = nan\n"),
    ("no time", "[policy]\ntimeout = \"0s\"\n"),
    ("no passes", "[policy]\nscreen = { baseline = 0 }\n"),
    ("no trials", "[policy]\nmax-trials = 0\n"),
    ("a word", "[profile.high]\nhome = \"mising\"\n"),
    ("a word like no other", "[profile.high]\ntmpdir = \"xyz\"\n"),
    (
        "unset that is not true",
        "[profile.high]\nenv.CI = { unset = false }\n",
    ),
    ("a verdict", "[policy]\nfail-on = [\"hidden-defects\"]\n"),
    ("good news", "[policy]\nfail-on = [\"stable\"]\n"),
    ("a runner", "[runner]\nkind = \"docker\"\n"),
    ("no values", "[profile.high]\ntz = { one-of = [] }\n"),
    (
        "an error",
        "[profile.high]\nerrno.connect = \"ECONREFUSED\"\n",
    ),
    (
        "a share of a load",
        "[profile.high]\ncpu-load = { share = \"200%\" }\n",
    ),
    (
        "pauses without an end",
        "[profile.high]\npauses = { every = \"40ms\", for = \"40ms\" }\n",
    ),
    ("an offset", "[profile.high]\nclock = \"+100000d\"\n"),
    ("a slack", "[profile.high]\ntimer-slack = \"1h\"\n"),
];

#[test]
fn values_out_of_range_are_told_the_range() {
    insta::assert_snapshot!(messages(RANGES));
}

pub(super) const MALFORMED: &[Case] = &[
    ("duration", "[policy]\nmax-time = \"15 minutes\"\n"),
    ("duration in no order", "[policy]\ntimeout = \"5s1m\"\n"),
    (
        "duration too long",
        "[policy]\ntimeout = \"99999999999999999999s\"\n",
    ),
    ("size", "[profile.high]\nstack = \"1mb\"\n"),
    ("share", "[policy]\nfdr = \"five percent\"\n"),
    ("umask", "[profile.high]\numask = \"27\"\n"),
    ("umask in decimals", "[profile.high]\numask = \"089\"\n"),
    ("time zone", "[profile.high]\ntz = \"St. John's\"\n"),
    ("an empty time zone", "[profile.high]\ntz = \"\"\n"),
    (
        "a time zone unset",
        "[profile.high]\ntz = { unset = true }\n",
    ),
    ("locale", "[profile.high]\nlocale = \"tr_TR UTF-8\"\n"),
    ("NUL", "[profile.high]\nenv.A = \"a\\u0000b\"\n"),
    ("no name", "[profile.high]\nenv.\"\" = \"a\"\n"),
    ("= in a name", "[profile.high]\nenv.\"A=B\" = \"a\"\n"),
    (
        "a reference that is not closed",
        "[profile.high]\nenv.A = \"x{env:HOME\"\n",
    ),
    (
        "a reference to no name",
        "[profile.high]\nenv.A = \"{env:}\"\n",
    ),
    ("the name of a profile", "[profile.\"my profile\"]\n"),
    ("a reserved name", "[profile.policy]\n"),
    (
        "half a pause",
        "[profile.high]\npauses = { for = \"1s\" }\n",
    ),
    ("no size", "[profile.high]\ntmpdir = {}\n"),
    (
        "an offset without a sign",
        "[profile.high]\nclock = \"400d\"\n",
    ),
    ("half a percent", "[profile.high]\ncpu-quota = \"0.5%\"\n"),
    ("a user", "[profile.high]\nuser = \"no body\"\n"),
    (
        "one-of in one-of",
        "[profile.high]\ntz = { one-of = [\"UTC\", { one-of = [\"UTC\"] }] }\n",
    ),
];

#[test]
fn malformed_texts_are_told_what_was_meant() {
    insta::assert_snapshot!(messages(MALFORMED));
}

pub(super) const MISFITS: &[Case] = &[
    ("unknown target", "target = \"hihg\"\n"),
    ("unknown, nothing near", "baseline = \"zzzzzzzz\"\n"),
    ("a preset without its prefix", "target = \"hostile\"\n"),
    (
        "an unknown preset",
        "[profile.high]\ninherits = \"preset:hostle\"\n",
    ),
    (
        "inherits what is not there",
        "[profile.ci]\ninherits = \"lwo\"\n",
    ),
    ("inherits itself", "[profile.high]\ninherits = \"high\"\n"),
    (
        "a circle",
        "[profile.a]\ninherits = \"b\"\n[profile.b]\ninherits = \"c\"\n[profile.c]\ninherits = \"a\"\n",
    ),
    (
        "a value twice",
        "[profile.high]\nmemory = { one-of = [\"1GiB\", \"2GiB\", \"1024MiB\"] }\n",
    ),
    (
        "a condition twice",
        "[policy]\nfail-on = [\"broken\", \"broken\"]\n",
    ),
    (
        "two knobs for a variable",
        "[profile.high]\ntz = \"UTC\"\nenv.TZ = \"UTC\"\n",
    ),
    (
        "two standard inputs",
        "[profile.high]\ntty = true\nstdin = \"closed\"\n",
    ),
    (
        "ports without a network",
        "[profile.high]\nnetwork = \"none\"\nephemeral-ports = 16\n",
    ),
    (
        "an order within no process",
        "[profile.high]\norder = \"shuffle-in-process\"\n",
    ),
    (
        "a fact that is several",
        "[production]\ntz = { one-of = [\"UTC\"] }\n",
    ),
    ("a fact that is none", "[production]\norder = \"sorted\"\n"),
];

#[test]
fn profiles_that_do_not_fit_together_are_told_why() {
    insta::assert_snapshot!(messages(MISFITS));
}

#[test]
fn several_mistakes_are_reported_at_once_in_the_order_of_the_file() {
    let text =
        "target = \"hgih\"\n[policy]\nfdr = 2\ntimeout = 60\n[profile.high]\ncpsu = 1\nnice = 20\n";
    insta::assert_snapshot!(messages(&[("five mistakes", text)]));
}

#[test]
fn arguments_are_shown_with_a_caret_too() {
    let option = |key: &str, text: &str| Overrides {
        policy: vec![(key.to_owned(), text.to_owned())],
        ..Overrides::default()
    };
    let target = |name: &str| Overrides {
        target: Some(name.to_owned()),
        ..Overrides::default()
    };
    insta::assert_snapshot!(argument_messages(&[
        ("no value", set(&["high.tz"])),
        ("no key", set(&["=5"])),
        ("an empty part", set(&["high..tz=UTC"])),
        ("an unknown knob", set(&["high.tzz=UTC"])),
        ("an unknown profile", set(&["hihg.tz=UTC"])),
        ("a preset", set(&["preset:hostile.locale=C"])),
        ("an unknown root key", set(&["taget=low"])),
        ("a word for a number", set(&["high.cpus=two"])),
        ("no size", set(&["high.memory=2"])),
        ("broken TOML", set(&["high.tz={ one-of = [\"UTC\" }"])),
        (
            "a value within TOML",
            set(&["high.tz={ one-of = [\"UTC\", 5] }"])
        ),
        (
            "two arguments",
            set(&["high.nice=99", "policy.fdr=7%", "policy.fdr=700%"])
        ),
        ("an option", option("max-time", "5 min")),
        ("conditions", option("fail-on", "broken,flakey")),
        ("no option of a policy", option("max-tim", "5m")),
        ("a target", target("preset:hostil")),
        ("a variable twice", set(&["high.tz=UTC", "high.env.TZ=UTC"])),
    ]));
}

#[test]
fn an_argument_that_does_not_fit_the_file_shows_both() {
    let text = "target = \"ci\"\n[profile.ci]\nlocale = \"C\"\n";
    let errors = resolve(Some(&file(text)), &set(&["ci.env.LANG=C"])).unwrap_err();
    insta::assert_snapshot!(errors.render(true));
}

#[test]
fn long_files_and_lines_are_cut_around_the_mistake() {
    let padding = "# padding\n".repeat(5_000);
    let long = format!("{padding}[profile.high]\ncpsu = 1\n{padding}");
    let wide = format!(
        "[profile.high]\nenv.A = \"{}\"\ncpus = \"{}\"\n",
        "a".repeat(3_000),
        "9".repeat(100_000)
    );
    let far = format!(
        "[profile.high]\nenv = {{ A = \"{}\", B = 5 }}\n",
        "a".repeat(9_000)
    );
    let cases = [
        ("a long file", &*long),
        ("a wide line", &*wide),
        ("far out", &*far),
    ];
    insta::assert_snapshot!(messages(&cases));
}

#[test]
fn nothing_in_a_file_steers_the_terminal() {
    let hostile: String = ('\u{1}'..='\u{a0}')
        .chain("\u{202e}\u{2066}\u{feff}\u{200f}".chars())
        .collect();
    let hostile = hostile.replace(['\n', '\r', '"', '\\', '\''], "");
    let texts = [
        format!("x = '{hostile}'\n"),
        format!("[profile.'{hostile}']\ninherits = '{hostile}'\n"),
        format!("{hostile} = 1\n"),
        "\"\\u001b[31m\\u009b31m\\u202e\" = 1\n[profile.high]\nenv.\"A\\u001b[2J=\" = \"\\u0000\"\nhome = \"\\u001b]0;x\\u0007\"\n".to_owned(),
        "target = \"\\u001b[31mred\"\n[policy]\nfail-on = [\"\\u001b[2J\"]\nmax-time = \"\\u001b\"\n".to_owned(),
    ];
    for text in &texts {
        let source = Source::file("/w/f.toml", "f\u{1b}[31m\u{9b}.toml", text.clone());
        let errors = resolve(
            Some(&source),
            &set(&["high.\u{1b}[2J=\u{9b}", "high.env.\u{202e}A\u{1}=x"]),
        )
        .unwrap_err();
        let shown = errors.render(true) + &errors.to_string();
        let steering = shown.chars().find(|c| {
            (c.is_control() && *c != '\n') || "\u{202e}\u{2066}\u{feff}\u{200f}".contains(*c)
        });
        assert_eq!(steering, None, "{shown:?}");
        // With colours there are escape sequences, but only those that set colours.
        for sequence in errors.render(false).split('\u{1b}').skip(1) {
            let colour = sequence.starts_with('[')
                && sequence.find('m').is_some_and(|end| {
                    sequence[1..end]
                        .bytes()
                        .all(|b| b.is_ascii_digit() || b == b';')
                });
            assert!(colour, "{sequence:?}");
            assert!(!sequence.contains('\u{9b}') && !sequence.starts_with("[2J"));
        }
    }
}
