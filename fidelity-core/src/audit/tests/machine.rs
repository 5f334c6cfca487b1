//! What the machine, and what runs the tests, have to do with what is different and worth trying.

use super::*;

/// Returns what is proposed to vary of scarce CPU time, where production has so many CPUs and this machine so many.
fn family_of_cpus(fact: KnobValue, here: KnobValue) -> Vec<String> {
    let mut all = gathered(vec![past(&["tz"], 10, 0)]);
    let cpus = KnobId::from("cpus");
    all.production = [(cpus.clone(), fact)].into();
    all.here = [(cpus, here)].into();
    for profile in &mut all.profiles {
        profile.knobs.clear();
    }
    let invest = weigh(&all).invest.into_iter().map(|it| it.what);
    invest.filter(|what| what.starts_with("vary `c")).collect()
}

#[test]
fn what_the_machine_has_is_told_from_what_an_arm_imposes() {
    let count = KnobValue::Count;
    let case = |settings: [Option<KnobSetting>; 2], here: Option<KnobValue>| {
        let knob = KnobId::from("open-files");
        let mut all = gathered(Vec::new());
        all.production = [(knob.clone(), count(1024))].into();
        all.here = here
            .map(|value| (knob.clone(), value))
            .into_iter()
            .collect();
        for (arm, setting) in settings.into_iter().enumerate() {
            all.profiles[arm].knobs = setting.into_iter().map(|it| (knob.clone(), it)).collect();
        }
        let audit = weigh(&all);
        let found = audit.differences.first();
        let found = found.map(|it| (it.standing, it.reason.split(';').next().unwrap().to_owned()));
        (found, audit.had_here, audit.invest)
    };
    let (found, had, invest) = case([None, None], Some(count(1024)));
    assert_eq!(found, None, "nobody differs from production here");
    assert_eq!(had, [(KnobId::from("open-files"), "1024".to_owned())]);
    assert!(
        invest.iter().all(|it| !it.what.contains("open-files")),
        "{invest:?}"
    );
    let unlike = count(8);
    assert_eq!(family_of_cpus(count(2), count(2)), ["vary `cpu-load`"]);
    assert_eq!(family_of_cpus(count(2), unlike), Vec::<String>::new());
    let (found, had, _) = case([None, None], Some(count(u64::MAX)));
    let other = "`high` leaves it to the machine, which sets no limit".to_owned();
    assert_eq!(
        (found, had.len()),
        (Some((Standing::OnlyInProduction, other)), 0)
    );
    let (found, ..) = case([None, None], None);
    let unknown = "`high` leaves it to the machine".to_owned();
    assert_eq!(found, Some((Standing::OnlyInProduction, unknown)));
    let kinder = Some(KnobSetting::Fixed(count(4096)));
    let (found, ..) = case([None, kinder.clone()], Some(count(1024)));
    assert_eq!(found.map(|it| it.0), Some(Standing::OnlyInBaseline));
    let (found, ..) = case([kinder, None], Some(count(1024)));
    assert_eq!(
        found.map(|it| it.0),
        Some(Standing::Tried),
        "the target has it by itself"
    );
}

#[test]
fn what_an_arm_imposes_and_the_machine_has_anyway_is_no_difference_here() {
    let mut all = gathered(Vec::new());
    all.here = [(KnobId::from("cpus"), KnobValue::Count(2))].into();
    let two = KnobSetting::Fixed(KnobValue::Count(2));
    all.profiles[1].knobs.insert(KnobId::from("cpus"), two);
    let audit = weigh(&all);
    let mut rows = audit.differences.iter();
    let cpus = rows.find(|it| it.knob.0 == "cpus").unwrap();
    assert_eq!(cpus.standing, Standing::SameHere);
    assert!(
        cpus.reason.starts_with("no difference on this machine"),
        "{}",
        cpus.reason
    );
}

#[test]
fn what_the_runner_decides_is_not_proposed_and_tests_nobody_knows_weigh_the_usual() {
    let mut all = gathered(vec![past(&["tz"], 10, 0)]);
    all.tests.clear();
    all.production.clear();
    for profile in &mut all.profiles {
        profile.knobs.clear();
    }
    let first = |all: &Gathered| {
        weigh(all)
            .invest
            .iter()
            .map(|it| it.what.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        first(&all),
        ["vary `cpus`", "vary `order`", "vary `network`"]
    );
    all.runner = RunnerKind::Command;
    assert_eq!(
        first(&all),
        ["vary `cpus`", "vary `network`", "vary `open-files`"]
    );
    let knob = KnobId::from("umask");
    all.production = [(knob, KnobValue::Mode(0o022))].into();
    assert!((weigh(&all).differences[0].severity - 3.0).abs() < 1e-9);
}
