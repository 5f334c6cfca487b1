//! What files and arguments come to. The messages are in [`errors`], hostile input in [`mutations`].

use std::collections::BTreeSet;
use std::path::Path;

use crate::domain::{
    Arm, Condition, FidelityProfile, ForeignLoad, KnobId, KnobSetting, KnobValue, OnForeignLoad,
    Policy, RunnerKind, Screen, Select, VerdictKind,
};

use super::*;

mod errors;
mod files;
mod mutations;
mod schema_check;

/// A file that uses every key of this version.
const FULL: &str = include_str!("tests/full.toml");

fn file(text: &str) -> Source {
    Source::file("/ws/fidelity.toml", "fidelity.toml", text)
}

fn set(arguments: &[&str]) -> Overrides {
    Overrides {
        set: arguments
            .iter()
            .map(|argument| (*argument).to_owned())
            .collect(),
        ..Overrides::default()
    }
}

#[track_caller]
fn settings_with(text: &str, overrides: &Overrides) -> Settings {
    resolve(Some(&file(text)), overrides).unwrap_or_else(|errors| panic!("{}", errors.render(true)))
}

#[track_caller]
fn settings(text: &str) -> Settings {
    settings_with(text, &Overrides::default())
}

#[track_caller]
fn built_in(overrides: &Overrides) -> Settings {
    resolve(None, overrides).unwrap_or_else(|errors| panic!("{}", errors.render(true)))
}

/// Returns a profile as lines of TOML.
fn lines(profile: &FidelityProfile) -> Vec<String> {
    let line = |(knob, setting): (&KnobId, &KnobSetting)| {
        format!("{knob} = {}", catalogue::to_toml(setting))
    };
    profile.knobs.iter().map(line).collect()
}

#[test]
fn without_a_file_the_built_in_profiles_hold() {
    let settings = built_in(&Overrides::default());
    assert_eq!(settings.baseline.name, "low");
    assert_eq!(lines(&settings.baseline), Vec::<String>::new());
    assert_eq!(settings.target.name, "high");
    let target = [
        "cpus = 2",
        "open-files = 1024",
        "order = \"shuffle\"",
        "tmpdir = \"space\"",
        "tz = { one-of = [\"America/St_Johns\", \"Pacific/Apia\"] }",
        "umask = \"027\"",
    ];
    assert_eq!(lines(&settings.target), target);
    assert_eq!(settings.policy, Policy::default());
    assert_eq!((settings.source, settings.notes), (None, Vec::new()));
}

#[test]
fn a_file_with_every_key_comes_to_what_it_says() {
    let settings = settings(FULL);
    let policy = Policy {
        fdr: 0.1,
        screen: Screen {
            baseline: 2,
            target: 7,
            suspicious: 12,
        },
        tolerance: 0.0,
        max_passes: 300,
        futile_after: 50,
        company_after: 0,
        mass_failure: 1.0,
        reuse: false,
        max_time_ms: Some(5_400_000),
        max_trials: Some(10_000),
        confidence: 0.99,
        timeout_ms: 2_500,
        foreign_load: ForeignLoad {
            at_most: 0.25,
            then: OnForeignLoad::Repeat,
        },
        fail_on: vec![
            Condition::Verdict(VerdictKind::HiddenDefect),
            Condition::Verdict(VerdictKind::Flaky),
        ],
    };
    assert_eq!(settings.policy, policy);
    assert_eq!(
        settings.source.as_deref(),
        Some(Path::new("/ws/fidelity.toml"))
    );
    insta::assert_snapshot!("every_key", lines(&settings.target).join("\n"));
    let facts: Vec<String> = settings
        .production
        .iter()
        .map(|(knob, fact)| format!("{knob}={fact}"))
        .collect();
    assert_eq!(
        facts.join(" "),
        "cpus=2 env.APP_MODE=production memory=1GiB open-files=1024 tz=UTC umask=022"
    );
    let kinds: Vec<&str> = settings
        .notes
        .iter()
        .map(|note| note.kind.as_str())
        .collect();
    assert_eq!(kinds, ["beyond-production"; 4], "{:?}", settings.notes);
}

#[test]
fn the_written_file_says_what_holds_without_it() {
    let text = init::text();
    let written = settings(&text);
    // Who has it in a file asked for it.
    let asked: Vec<&KnobId> = written.asked.iter().collect();
    assert_eq!(asked, written.target.knobs.keys().collect::<Vec<_>>());
    let written = Settings {
        source: None,
        asked: BTreeSet::new(),
        ..written
    };
    assert_eq!(written, built_in(&Overrides::default()));
    insta::assert_snapshot!("init", text);
}

#[test]
fn every_line_that_is_commented_out_in_the_written_file_is_valid() {
    let (mut tried, mut table) = (0, "");
    let written = init::text();
    let (alone, rule) = written.split_once("# [[tests]]").unwrap();
    // What a rule needs, it needs together.
    let rule = settings(&format!("[[tests]]{}", rule.replace("\n# ", "\n")));
    assert_eq!(rule.tests.len(), 1);
    for line in alone.lines() {
        if line.starts_with('[') {
            table = line;
        }
        let Some(line) = line.strip_prefix("# ") else {
            continue;
        };
        let Some((key, _)) = line.split_once(" = ") else {
            continue;
        };
        // What a command needs, it needs together.
        if key.contains(' ') || table == "[runner]" {
            continue;
        }
        let settings = settings(&format!("{table}\n{line}"));
        let facts = if table == "[production]" { 1 } else { 0 };
        assert_eq!(settings.production.len(), facts, "{line}");
        assert_eq!(
            settings.target.knobs.len(),
            if facts == 1 { 6 } else { 1 },
            "{line}"
        );
        tried += 1;
    }
    assert!(12 <= tried, "{tried}");
}

#[test]
fn what_is_commented_out_of_the_runner_is_valid_together() {
    let written = init::text();
    let runner = written.split("[runner]").nth(1).unwrap();
    let lines = runner.lines().skip(2).take_while(|line| !line.is_empty());
    let lines: Vec<&str> = lines.filter_map(|line| line.strip_prefix("# ")).collect();
    let (profile, others): (Vec<&str>, Vec<&str>) = lines
        .into_iter()
        .partition(|line| line.starts_with("profile"));
    let of_command = settings(&format!("[runner]\n{}", others.join("\n"))).runner;
    assert_eq!(of_command.kind, RunnerKind::Command);
    let text = format!("[runner]\nkind = \"nextest\"\n{}", profile[0]);
    assert_eq!(settings(&text).runner.profile.as_deref(), Some("ci"));
}

#[test]
fn a_file_without_profiles_leaves_the_built_in_ones() {
    let settings = settings("[policy]\nfdr = \"1%\"\n");
    assert_eq!(settings.target, built_in(&Overrides::default()).target);
    assert_eq!(
        settings.policy,
        Policy {
            fdr: 0.01,
            ..Policy::default()
        }
    );
}

#[test]
fn a_profile_starts_empty_unless_it_inherits() {
    let own = settings("[profile.high]\ncpus = 1\n");
    assert_eq!(lines(&own.target), ["cpus = 1"]);
    let inherited = settings("[profile.high]\ninherits = \"preset:realistic\"\ncpus = 1\n");
    assert_eq!(inherited.target.knobs.len(), 6);
    assert_eq!(lines(&inherited.target)[0], "cpus = 1");
}

#[test]
fn the_closest_level_wins_over_all_it_inherits() {
    let text = r#"
        target = "c"
        [profile.c]
        inherits = "b"
        nice = 3
        [profile.b]
        inherits = "a"
        nice = 2
        cpus = 2
        [profile.a]
        nice = 1
        cpus = 1
        threads = 1
    "#;
    assert_eq!(
        lines(&settings(text).target),
        ["cpus = 2", "nice = 3", "threads = 1"]
    );
}

#[test]
fn a_closer_variable_replaces_the_inherited_knob_that_sets_it() {
    let text = r#"
        [profile.high]
        inherits = "preset:realistic"
        env.TZ = ""
        env.TMPDIR = { unset = true }
    "#;
    let target = settings(text).target;
    assert!(!target.knobs.contains_key(&KnobId::from("tz")));
    assert!(!target.knobs.contains_key(&KnobId::from("tmpdir")));
    let text = "[profile.low]\nenv.TZ = \"\"\n[profile.high]\ninherits = \"low\"\ntz = \"UTC\"\n";
    assert_eq!(lines(&settings(text).target), ["tz = \"UTC\""]);
}

#[test]
fn an_argument_replaces_what_the_built_in_target_inherits() {
    let target = built_in(&set(&["high.env.TZ=UTC", "high.cpus=1"])).target;
    assert_eq!(target.knobs.len(), 6);
    assert!(!target.knobs.contains_key(&KnobId::from("tz")));
    let realistic = built_in(&set(&["high.inherits=low"])).target;
    assert_eq!(lines(&realistic), Vec::<String>::new());
}

#[test]
fn every_preset_can_be_an_arm_and_be_inherited() {
    for preset in preset_names() {
        let reference = format!("preset:{preset}");
        let overrides = Overrides {
            target: Some(reference.clone()),
            ..Overrides::default()
        };
        let direct = built_in(&overrides).target;
        assert_eq!(direct.name, reference);
        let inherited = settings(&format!("[profile.high]\ninherits = \"{reference}\"")).target;
        assert!(direct.has_same_values(&inherited) && !direct.knobs.is_empty());
    }
}

#[test]
fn the_order_of_a_one_of_is_of_no_effect_and_one_value_is_fixed() {
    let one = settings("[profile.high]\ncpus = { one-of = [4, 1, 2] }");
    let other = settings("[profile.high.cpus]\none-of = [1, 2, 4]");
    assert!(one.target.has_same_values(&other.target));
    assert_eq!(
        one.target.draw(crate::domain::Seed(3), Arm::Target, 5),
        other.target.draw(crate::domain::Seed(3), Arm::Target, 5)
    );
    assert_eq!(
        lines(&settings("[profile.high]\ncpus = { one-of = [4] }").target),
        ["cpus = 4"]
    );
}

#[test]
fn variables_take_any_text_references_and_absence() {
    let text = r#"
        [profile.high.env]
        EMPTY = ""
        JSON = '{"a": 1}'
        LINES = "a\nb"
        URL = "postgres://{env:DB_USER}@localhost/{env:DB}"
        CI = { one-of = ["true", { unset = true }] }
        "a.b" = "dots"
    "#;
    let target = settings(text).target;
    let value = |name: &str| target.knobs[&KnobId(format!("env.{name}"))].clone();
    let fixed = |text: &str| KnobSetting::Fixed(KnobValue::Text(text.to_owned()));
    assert_eq!(value("EMPTY"), fixed(""));
    assert_eq!(value("JSON"), fixed("{\"a\": 1}"));
    assert_eq!(value("LINES"), fixed("a\nb"));
    assert_eq!(
        value("URL"),
        fixed("postgres://{env:DB_USER}@localhost/{env:DB}")
    );
    assert_eq!(
        value("CI"),
        KnobSetting::OneOf(vec![KnobValue::Unset, KnobValue::Text("true".to_owned())])
    );
    assert_eq!(value("a.b"), fixed("dots"));
}

#[test]
fn time_zones_and_locales_come_in_all_their_forms() {
    for tz in [
        "UTC",
        "America/Argentina/Buenos_Aires",
        "Etc/GMT+12",
        "<+0330>-3:30",
        "EST5EDT,M3.2.0,M11.1.0",
        ":Asia/Tokyo",
        "{env:ZONE}",
    ] {
        assert_eq!(
            lines(&settings(&format!("[profile.high]\ntz = \"{tz}\"")).target),
            [format!("tz = \"{tz}\"")]
        );
    }
    for locale in [
        "C",
        "POSIX",
        "C.UTF-8",
        "tr_TR.UTF-8",
        "de_DE.iso885915@euro",
    ] {
        settings(&format!("[profile.high]\nlocale = \"{locale}\""));
    }
}

#[test]
fn no_limit_is_written_none() {
    let policy =
        settings("[policy]\nmax-time = \"none\"\nmax-trials = \"none\"\nfail-on = []").policy;
    assert_eq!(
        (policy.max_time_ms, policy.max_trials, policy.fail_on),
        (None, None, Vec::new())
    );
}

#[test]
fn arguments_win_over_the_file_and_later_ones_over_earlier_ones() {
    let overrides = Overrides {
        baseline: Some("preset:realistic".to_owned()),
        policy: vec![
            ("max-time".to_owned(), "5m".to_owned()),
            ("fail-on".to_owned(), "flaky,broken".to_owned()),
            ("fdr".to_owned(), "1%".to_owned()),
            ("reuse".to_owned(), "false".to_owned()),
        ],
        ..set(&[
            "high.cpus=4",
            "high.cpus=8",
            "high.tz={ one-of = [\"UTC\", \"Asia/Tokyo\"] }",
            "high.env.PORT=8080",
            "high.env.A.B={env:X}",
            "high.env.CI={ unset = true }",
            "high.memory=4GiB",
            "high.umask=002",
            "production.cpus=16",
            "policy.timeout=9s",
            "policy.screen.target=6",
            "policy.max-time=1h",
        ])
    };
    let settings = settings_with("[policy]\ntimeout = \"1s\"\nfdr = 0.2\n", &overrides);
    assert_eq!(settings.baseline.name, "preset:realistic");
    let expected = [
        "cpus = 8",
        "env.A.B = \"{env:X}\"",
        "env.CI = { unset = true }",
        "env.PORT = \"8080\"",
        "memory = \"4GiB\"",
        "open-files = 1024",
        "order = \"shuffle\"",
        "tmpdir = \"space\"",
        "tz = { one-of = [\"Asia/Tokyo\", \"UTC\"] }",
        "umask = \"002\"",
    ];
    assert_eq!(lines(&settings.target), expected);
    let policy = Policy {
        fdr: 0.01,
        timeout_ms: 9_000,
        max_time_ms: Some(300_000),
        screen: Screen {
            baseline: 1,
            target: 6,
            suspicious: 10,
        },
        reuse: false,
        fail_on: vec![
            Condition::Verdict(VerdictKind::Flaky),
            Condition::Verdict(VerdictKind::Broken),
        ],
        ..Policy::default()
    };
    assert_eq!(settings.policy, policy);
    assert_eq!(
        settings.production[&KnobId::from("cpus")],
        KnobValue::Count(16)
    );
}

#[test]
fn an_argument_for_a_parent_reaches_what_inherits_it() {
    let overrides = set(&["low.nice=5"]);
    let settings = settings_with("[profile.high]\ninherits = \"low\"\ncpus = 1", &overrides);
    assert_eq!(lines(&settings.target), ["cpus = 1", "nice = 5"]);
    assert_eq!(lines(&settings.baseline), ["nice = 5"]);
}

#[test]
fn every_policy_key_can_be_given_as_it_is_written_out() {
    for key in policy_keys::POLICY_KEYS {
        let full = settings(FULL).policy;
        let value = policy_keys::to_toml(key, &full);
        assert_eq!(
            policy_keys::to_toml(
                key,
                &settings(&format!("[policy]\n{} = {value}", key.name)).policy
            ),
            value
        );
        assert_ne!(
            value,
            policy_keys::to_toml(key, &Policy::default()),
            "{}",
            key.name
        );
    }
}

#[test]
fn every_example_of_the_catalogue_is_a_setting_and_written_back_as_it_was_read() {
    for knob in catalogue::KNOBS {
        let name = knob.example_id();
        let needs = match knob.name {
            "order" => "process = \"shared\"\n",
            _ => "",
        };
        let read = |value: &str| {
            let settings = settings(&format!("[profile.high]\n{needs}{name} = {value}"));
            settings.target.knobs[&name].clone()
        };
        let setting = read(knob.example);
        let written = catalogue::to_toml(&setting);
        assert_eq!(read(&written), setting, "{name} = {written}");
        // Tables come back with their defaults.
        if knob.kind.fields().is_empty() {
            assert_eq!(written, knob.example);
        }
    }
}

#[test]
fn defaults_of_a_table_are_filled_in_so_that_equal_loads_are_equal() {
    let load = |value: &str| {
        let settings = settings(&format!("[profile.high]\ncpu-load = {value}"));
        settings.target.knobs[&KnobId::from("cpu-load")].to_string()
    };
    assert_eq!(load("{}"), "{burst 100ms, on all, share 100%}");
    assert_eq!(load("{ share = \"100%\", on = \"all\" }"), load("{}"));
    assert_eq!(
        load("{ threads = 3, on = \"anywhere\", burst = \"2s\" }"),
        "{burst 2s, on anywhere, share 100%, threads 3}"
    );
}

#[test]
fn of_two_knobs_that_contradict_each_other_the_closer_one_holds() {
    let parent =
        "[profile.low]\ntty = true\nnetwork = \"none\"\n[profile.high]\ninherits = \"low\"\n";
    let target = |own: &str| lines(&settings(&format!("{parent}{own}")).target);
    assert_eq!(
        target("stdin = \"pipe\""),
        ["network = \"none\"", "stdin = \"pipe\""]
    );
    assert_eq!(
        target("ephemeral-ports = 4"),
        ["ephemeral-ports = 4", "tty = true"]
    );
    assert_eq!(
        target("tty = false\nstdin = \"pipe\""),
        ["network = \"none\"", "stdin = \"pipe\"", "tty = false"]
    );
}

#[test]
fn equal_profiles_are_remarked_upon() {
    let settings = settings("target = \"low\"");
    assert_eq!(settings.notes[0].kind, "profiles-equal");
}

#[test]
fn runners_are_named_or_follow_from_what_is_given() {
    let kind = |text: &str| settings(&format!("[runner]\n{text}")).runner.kind;
    assert_eq!(kind(""), RunnerKind::Auto);
    for named in [RunnerKind::Auto, RunnerKind::Direct, RunnerKind::Nextest] {
        assert_eq!(kind(&format!("kind = \"{}\"", named.word())), named);
    }
    let command = "command = [\"a\"]\njunit = [\"b\"]";
    assert_eq!(kind(command), RunnerKind::Command);
    assert_eq!(
        kind(&format!("kind = \"auto\"\n{command}")),
        RunnerKind::Command
    );
    assert_eq!(kind("profile = \"ci\""), RunnerKind::Auto);
}

#[test]
fn everything_of_a_runner_can_be_said() {
    let runner = settings(FULL).runner;
    assert_eq!(runner.command, ["npm", "test", "--", "{select}"]);
    assert_eq!(runner.junit, ["{dir}/*.xml", "reports/**/*.xml"]);
    assert_eq!(runner.directory.as_deref(), Some("web"));
    let (arguments, join) = (vec!["-t".to_owned(), "{tests}".to_owned()], "|".to_owned());
    assert_eq!(runner.select, Some(Select::Arguments { arguments, join }));
    assert_eq!(runner.check, ["node", "--version"]);
    assert_eq!(runner.inputs, ["src/**"]);
    assert_eq!(runner.timeout_ms, Some(600_000));
}

#[test]
fn what_the_user_asked_for_is_told_from_what_a_preset_says() {
    let asked = |text: &str, set: &[&str]| {
        let overrides = Overrides {
            set: set.iter().map(ToString::to_string).collect(),
            ..Overrides::default()
        };
        let asked = settings_with(text, &overrides).asked;
        asked.into_iter().map(|knob| knob.0).collect::<Vec<_>>()
    };
    assert_eq!(asked("", &[]), [""; 0]);
    assert_eq!(asked("", &["high.user=nobody"]), ["user"]);
    let file = "[profile.base]\ninherits = \"preset:hostile\"\ncpus = 1\n\
        [profile.high]\ninherits = \"base\"\nenv.A = \"x\"\n[profile.low]\nnice = 1\n[profile.other]\ntz = \"UTC\"";
    assert_eq!(asked(file, &[]), ["cpus", "env.A", "nice"]);
}
