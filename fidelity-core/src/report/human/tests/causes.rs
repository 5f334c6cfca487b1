//! Causes beside findings, by snapshots.

use super::wide;
use crate::domain::{Attribution, AttributionEnd, Cause, Side, StoredAttribution, VerdictKind};
use crate::report::human::render;
use crate::report::planted::{Planted, plant};
use crate::report::{Report, Style};

/// Experiments on a test of `report` that found this cause, seen on both sides.
fn found(report: &Report, test: &str, wording: &str) -> StoredAttribution {
    let test = report.tests.iter().find(|one| one.id().test == test);
    let side = |config: &str, failures| Side {
        config: config.to_owned(),
        trials: 4,
        failures,
    };
    StoredAttribution {
        test: test.unwrap().finding.test,
        question: "knobs".to_owned(),
        attribution: Attribution {
            end: AttributionEnd::Found,
            wording: format!("because {wording}"),
            cause: Some(Cause {
                knobs: Vec::new(),
                either: false,
                confidence: 0.98,
                sufficient: vec![side("low + it", 4)],
                necessary: vec![side("high - it", 0)],
                kind: None,
                commit: None,
                wording: wording.to_owned(),
            }),
            suspects: Vec::new(),
            trials: 12,
            builds: 0,
            not_ruled_out: Vec::new(),
            second: None,
        },
    }
}

/// Nine hidden defects, the causes of some of which are known.
fn causes() -> Report {
    let hidden = |number: u32| {
        let name = format!("module::case_{number}");
        let rates = ((0, 9), (9 - number, 9));
        plant(
            ("shop", &name),
            (VerdictKind::HiddenDefect, "always"),
            rates.0,
            rates.1,
        )
        .e(1_240.0, 0.01, 20.0)
        .says(&format!("case {number} failed"))
    };
    let clustered = |number: u32| hidden(number).in_cluster("one signature");
    let planted = Planted::new().usual_knobs().tests([
        hidden(0),
        clustered(1),
        clustered(2),
        hidden(3),
        hidden(4),
        hidden(5),
        hidden(6),
        hidden(7),
        hidden(8),
    ]);
    let report = planted.report();
    let attributions = [
        found(&report, "module::case_0", "umask = 077"),
        // Of a cluster one is attributed, not the one that speaks for it.
        found(&report, "module::case_2", "tz = Pacific/Apia"),
        found(
            &report,
            "module::case_6",
            "open-files = 256: fails below 300",
        ),
        found(
            &report,
            "module::case_7",
            "cpus = 1 and env.A_VARIABLE_WITH_A_LONG_NAME = a-long-value together",
        ),
    ];
    report.with_attributions(&attributions)
}

#[test]
fn causes_are_told_of_findings_that_are_only_named() {
    insta::assert_snapshot!(render(&causes(), &wide()));
}

#[test]
fn causes_stand_on_lines_that_have_room_for_them() {
    let page = render(
        &causes(),
        &Style {
            quiet: true,
            ..Style::default()
        },
    );
    assert!(
        page.lines().all(|line| line.chars().count() <= 80),
        "{page}"
    );
    insta::assert_snapshot!(page);
}
