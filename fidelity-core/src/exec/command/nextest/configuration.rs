//! What the user's configuration of cargo-nextest says that matters here, and the one that stands behind it. Pure.
//!
//! A test must not run for ever: what has no time limit by the user's configuration gets that of a trial. What the user says
//! of limits holds, because ours is looked at last.

use std::collections::{BTreeMap, BTreeSet};

use super::matcher;
use crate::config::units::duration_ms;
use crate::domain::{Problem, TestId};

/// Tests in one expression: cargo-nextest goes down one level for each.
const TOGETHER: usize = 500;

/// What the user's configuration says that matters here.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Said {
    /// Where it writes JUnit, in the directory of the profile in the store.
    pub(super) junit: Vec<String>,
    /// Where it keeps what it writes, from the root of the workspace.
    pub(super) store: Option<String>,
    /// Whether it says how many tests run at a time.
    pub(super) threads: bool,
    /// When a test is slow by the profile, where that never ends one.
    slow: Option<toml::Table>,
    /// How many overrides say when a test is slow.
    slow_overrides: usize,
    /// How many of these never end one.
    endless_overrides: usize,
}

impl Said {
    /// Returns what the configuration `written` says of `profile`. What cargo-nextest refuses, it refuses itself.
    pub(super) fn of(written: &str, profile: &str) -> Self {
        let table: toml::Table = written.parse().unwrap_or_default();
        let profiles = table.get("profile").and_then(toml::Value::as_table);
        // A profile inherits what it does not say, from the default or by name: all that is said may hold.
        let junit = profiles.into_iter().flatten().filter_map(|(_, of)| {
            let path = of.get("junit")?.get("path")?.as_str()?;
            Some(format!("{profile}/{path}"))
        });
        let chain = profiles.map_or_else(Vec::new, |profiles| chain(profiles, profile));
        let slow = chain.iter().find_map(|of| of.get("slow-timeout"));
        let overrides = chain
            .iter()
            .filter_map(|of| of.get("overrides")?.as_array())
            .flatten()
            .filter_map(|one| one.get("slow-timeout"));
        let (mut slow_overrides, mut endless_overrides) = (0, 0);
        for slow in overrides {
            slow_overrides += 1;
            endless_overrides += usize::from(endless(slow).is_some());
        }
        Self {
            junit: junit.collect(),
            store: (|| Some(table.get("store")?.get("dir")?.as_str()?.to_owned()))(),
            threads: chain.iter().any(|of| of.get("test-threads").is_some()),
            slow: slow.and_then(endless),
            slow_overrides,
            endless_overrides,
        }
    }

    /// Returns the configuration that stands behind the user's, with JUnit written to `report`.
    ///
    /// `limit_ms` ends a test where nothing else does, and `own` are limits of single tests. What the user calls slow is no
    /// shorter than that before a test is ended: a limit below it would be none of theirs.
    pub(super) fn behind(&self, report: &str, limit_ms: u64, own: &Limits) -> String {
        let mut text = format!(
            "[profile.default]\nslow-timeout = {}\n\n[profile.default.junit]\npath = {}\n",
            ending(limit_ms),
            toml::Value::from(report),
        );
        let mut say = |filter: &str, slow: &str| {
            let filter = toml::Value::from(filter);
            text.push_str(&format!(
                "\n[[profile.default.overrides]]\nfilter = {filter}\nslow-timeout = {slow}\n"
            ));
        };
        let mut by_limit: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for (test, limit_ms) in own {
            by_limit.entry(*limit_ms).or_default().push(matcher(test));
        }
        for (limit_ms, tests) in by_limit {
            for some in tests.chunks(TOGETHER) {
                say(&some.join(" | "), &ending(limit_ms));
            }
        }
        if let Some(slow) = &self.slow {
            // An override of ours comes before a profile of theirs.
            say("all()", &with_an_end(slow, limit_ms));
        }
        text
    }

    /// Returns what is to be said of time limits that do not hold; `any_own` where single tests have one.
    pub(super) fn problems(&self, any_own: bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut say = |kind: &str, message: String| {
            let kind = kind.to_owned();
            problems.push(Problem { kind, message });
        };
        let overrides = |number: usize| match number {
            1 => "an override".to_owned(),
            number => format!("{number} overrides"),
        };
        if 0 < self.endless_overrides {
            say(
                "no-time-limit",
                format!(
                    ".config/nextest.toml: `slow-timeout` without `terminate-after` in {}: only the time limit of the \
                     whole pass ends a test that hangs there",
                    overrides(self.endless_overrides)
                ),
            );
        }
        if any_own && 0 < self.slow_overrides {
            say(
                "timeout-overridden",
                format!(
                    ".config/nextest.toml: `slow-timeout` in {} comes before the `timeout` that an annotation gives a test",
                    overrides(self.slow_overrides)
                ),
            );
        }
        problems
    }
}

/// The time limits of single tests in milliseconds.
pub(super) type Limits = BTreeMap<TestId, u64>;

/// Returns the profiles whose settings hold for `profile`, the first to say something first.
fn chain<'a>(profiles: &'a toml::Table, profile: &str) -> Vec<&'a toml::Value> {
    let mut chain = Vec::new();
    let mut seen = BTreeSet::new();
    let mut name = Some(profile);
    while let Some(of) = name.filter(|name| seen.insert((*name).to_owned())) {
        let of = profiles.get(of);
        chain.extend(of);
        name = of.and_then(|of| of.get("inherits")?.as_str());
    }
    if !seen.contains("default") {
        chain.extend(profiles.get("default"));
    }
    chain
}

/// Returns a `slow-timeout` that never ends a test, as a table; none for one that does.
fn endless(slow: &toml::Value) -> Option<toml::Table> {
    match slow {
        toml::Value::Table(table) if table.contains_key("terminate-after") => None,
        toml::Value::Table(table) => Some(table.clone()),
        period => Some(
            [("period".to_owned(), period.clone())]
                .into_iter()
                .collect(),
        ),
    }
}

/// Returns a `slow-timeout` that ends a test after this time.
fn ending(limit_ms: u64) -> String {
    format!("{{ period = \"{limit_ms}ms\", terminate-after = 1 }}")
}

/// Returns the endless `slow` with an end, after its period or `limit_ms`, whichever is longer.
fn with_an_end(slow: &toml::Table, limit_ms: u64) -> String {
    let mut slow = slow.clone();
    let period = slow.get("period").and_then(toml::Value::as_str);
    let period_ms = period.map(|text| duration_ms(&text.replace(' ', "")));
    // A period in words that are not known here holds as it is.
    if !matches!(period_ms, Some(Ok(ms)) if limit_ms <= ms) && !matches!(period_ms, Some(Err(_))) {
        slow.insert("period".to_owned(), format!("{limit_ms}ms").into());
    }
    slow.insert("terminate-after".to_owned(), 1.into());
    toml::Value::Table(slow).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(written: &str) -> Said {
        Said::of(written, "default")
    }

    #[test]
    fn what_the_user_configured_is_known_where_it_matters() {
        let said = Said::of(
            "[store]\ndir = \"out\"\n[profile.ci]\nretries = 2\n[profile.ci.junit]\npath = \"j.xml\"\n\
             [profile.default]\ntest-threads = 1\n",
            "ci",
        );
        assert_eq!(said.junit, ["ci/j.xml"]);
        assert_eq!(said.store.as_deref(), Some("out"));
        assert!(said.threads);
        assert_eq!(Said::of("", "default"), Said::default());
        assert_eq!(Said::of("no toml", "default"), Said::default());
    }

    #[test]
    fn a_slow_timeout_that_ends_no_test_gets_an_end_which_is_not_before_it() {
        let of_all = |written: &str| {
            let text = said(written).behind("j.xml", 60_000, &Limits::new());
            let table: toml::Table = text.parse().unwrap();
            let overrides = table["profile"]["default"].get("overrides");
            overrides.map(|all| all[0]["slow-timeout"].to_string())
        };
        let slow = |value: &str| of_all(&format!("[profile.default]\nslow-timeout = {value}"));
        let ends_at =
            |period: &str| Some(format!("{{ period = \"{period}\", terminate-after = 1 }}"));
        assert_eq!(slow("\"60s\""), ends_at("60s"));
        assert_eq!(slow("\"1s\""), ends_at("60000ms"));
        assert_eq!(slow("{ period = \"2m 30s\" }"), ends_at("2m 30s"));
        assert_eq!(slow("\"90 seconds\""), ends_at("90 seconds"));
        assert_eq!(
            slow("{ period = \"1s\", grace-period = \"3s\" }").unwrap(),
            "{ grace-period = \"3s\", period = \"60000ms\", terminate-after = 1 }"
        );
        assert_eq!(slow("{ period = \"1s\", terminate-after = 2 }"), None);
        assert_eq!(of_all(""), None);
    }

    #[test]
    fn the_profile_that_says_it_first_is_the_one_that_holds() {
        let written = "[profile.default]\nslow-timeout = { period = \"1s\", terminate-after = 1 }\n\
                       [profile.long]\nslow-timeout = \"5m\"\n\
                       [profile.ci]\ninherits = \"long\"\n[profile.round]\ninherits = \"round\"\n";
        let is_endless = |profile: &str| Said::of(written, profile).slow.is_some();
        assert!(is_endless("long") && is_endless("ci"));
        assert!(!is_endless("default") && !is_endless("other") && !is_endless("round"));
    }

    #[test]
    fn limits_of_single_tests_stand_before_that_of_all() {
        let own = Limits::from([
            (TestId::new("a", "m::one"), 300),
            (TestId::new("a", "two \"2\""), 300),
            (TestId::new("b", "three"), 5_000),
        ]);
        let text =
            said("[profile.default]\nslow-timeout = \"60s\"").behind("/tmp/j.xml", 30_000, &own);
        insta::assert_snapshot!(text, @r#"
        [profile.default]
        slow-timeout = { period = "30000ms", terminate-after = 1 }

        [profile.default.junit]
        path = "/tmp/j.xml"

        [[profile.default.overrides]]
        filter = '(binary_id(=a) & test(=m::one)) | (binary_id(=a) & test(=two\u{20}\u{22}2\u{22}))'
        slow-timeout = { period = "300ms", terminate-after = 1 }

        [[profile.default.overrides]]
        filter = "(binary_id(=b) & test(=three))"
        slow-timeout = { period = "5000ms", terminate-after = 1 }

        [[profile.default.overrides]]
        filter = "all()"
        slow-timeout = { period = "60s", terminate-after = 1 }
        "#);
        let many: Limits = (0..1_200)
            .map(|n| (TestId::new("a", format!("t{n}")), 9))
            .collect();
        let text = said("").behind("j.xml", 1, &many);
        assert_eq!(text.matches("overrides").count(), 3);
        assert_eq!(text.matches("test(=").count(), 1_200);
    }

    #[test]
    fn limits_that_do_not_hold_are_said() {
        let said = said(
            "[[profile.default.overrides]]\nfilter = \"test(a)\"\nslow-timeout = \"1s\"\n\
             [[profile.default.overrides]]\nfilter = \"test(b)\"\nslow-timeout = { period = \"1s\", terminate-after = 3 }\n\
             [[profile.default.overrides]]\nfilter = \"test(c)\"\nretries = 3\n",
        );
        let messages = |any_own: bool| {
            let problems = said.problems(any_own).into_iter();
            problems.map(|it| it.message).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(messages(true), @r"
        .config/nextest.toml: `slow-timeout` without `terminate-after` in an override: only the time limit of the whole pass ends a test that hangs there
        .config/nextest.toml: `slow-timeout` in 2 overrides comes before the `timeout` that an annotation gives a test
        ");
        assert_eq!(messages(false).lines().count(), 1);
        assert!(Said::default().problems(true).is_empty());
    }
}
