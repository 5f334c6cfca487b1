//! Settings out of what was written: file, command line, presets and defaults come together here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::domain::{
    Arm, FidelityProfile, KnobId, KnobSetting, KnobValue, Policy, Problem, RunnerSettings,
};

use super::catalogue;
use super::diagnostics::{ConfigErrors, Findings};
use super::document::{Document, Profiles, Written, WrittenProfile};
use super::inherit::Known;
use super::model;
use super::overrides::Overrides;
use super::presets::{self, Presets};
use super::printable::printable;
use super::source::Source;
use super::test_rules::TestRule;

/// What a run is asked for: the question, before anything of the suite is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The baseline arm, by its effective values.
    pub baseline: FidelityProfile,
    /// The target arm, by its effective values.
    pub target: FidelityProfile,
    /// The thresholds.
    pub policy: Policy,
    /// What is known of production.
    pub production: BTreeMap<KnobId, KnobValue>,
    /// How tests are run.
    pub runner: RunnerSettings,
    /// The file, where there is one.
    pub source: Option<PathBuf>,
    /// The knobs that the user asked for, in either arm: no preset says them.
    pub asked: BTreeSet<KnobId>,
    /// The names of all fidelity profiles, those of the file and the built-in ones.
    pub profile_names: BTreeSet<String>,
    /// What is said of tests, in the order of the file.
    pub tests: Vec<TestRule>,
    /// By arm, globs of the files whose content is a knob too, relative to the workspace.
    pub inputs: [Vec<String>; 2],
    /// By arm, the services that run beside the suite: `service.db`.
    pub provides: [Vec<String>; 2],
    /// What people should know: `profiles-equal`, `beyond-production`.
    pub notes: Vec<Problem>,
}

impl Settings {
    /// Returns the fidelity profile of an arm.
    pub fn profile(&self, arm: Arm) -> &FidelityProfile {
        match arm {
            Arm::Baseline => &self.baseline,
            Arm::Target => &self.target,
        }
    }

    /// Returns whether some value of `setting` is harsher than production; false where that is not known.
    pub fn beyond_production(&self, knob: &KnobId, setting: &KnobSetting) -> bool {
        catalogue::beyond_production(&self.production, knob, setting)
    }
}

/// Returns the settings that the file `source` (none for the built-in fidelity profiles) and the command line ask for.
///
/// # Errors
/// Everything that is wrong with either, as far as it can be told at once.
pub fn resolve(source: Option<&Source>, overrides: &Overrides) -> Result<Settings, ConfigErrors> {
    let mut findings = Findings::default();
    let mut document = Document {
        profiles: Presets::built_in(),
        ..Document::default()
    };
    let root = source.map(|source| model::parse(source, &mut findings));
    // Without the tree of a file every name is unknown: its syntax errors come first, and alone.
    let readable = !matches!(root, Some(None));
    if let Some(Some(root)) = root {
        document.read(&root, Profiles::Define, &mut findings);
    }
    if readable {
        overrides.apply(&mut document, &mut findings);
    }
    let known = Known {
        document: &document,
        presets: Presets::of_this_tool(),
    };
    if readable {
        known.check(&mut findings);
    }
    let [baseline, target] = Arm::BOTH.map(|arm| {
        let name = arm_name(&document, arm);
        let effective = known.effective(&name);
        let effective = if readable {
            findings.keep(effective)
        } else {
            None
        };
        effective.unwrap_or_else(|| nothing(name.value))
    });
    let own = Arm::BOTH.map(|arm| known.own_knobs(&arm_name(&document, arm)));
    let [inputs, provides] = [
        |level: &WrittenProfile| level.inputs.clone(),
        |level: &WrittenProfile| level.provides.clone(),
    ]
    .map(|list| Arm::BOTH.map(|arm| known.closest(&arm_name(&document, arm), list)));
    let runner = if readable {
        document.runner.settings(&mut findings)
    } else {
        RunnerSettings::default()
    };
    let path = source.and_then(Source::path).map(Path::to_owned);
    let facts = document.production.into_iter();
    let mut settings = Settings {
        baseline,
        target,
        profile_names: document.profiles.keys().cloned().collect(),
        policy: document.policy,
        production: facts.map(|(knob, fact)| (knob, fact.value)).collect(),
        runner,
        source: path,
        inputs,
        provides,
        tests: document.tests,
        asked: own.into_iter().flatten().collect(),
        notes: Vec::new(),
    };
    settings.notes = notes(&settings);
    findings.into_result(settings)
}

fn nothing(name: String) -> FidelityProfile {
    FidelityProfile {
        name,
        knobs: BTreeMap::new(),
    }
}

/// Returns the name of an arm's fidelity profile: as written, or the usual one.
fn arm_name(document: &Document, arm: Arm) -> Written<String> {
    let (written, usual) = match arm {
        Arm::Baseline => (&document.baseline, presets::BASELINE),
        Arm::Target => (&document.target, presets::TARGET),
    };
    written.clone().unwrap_or_else(|| {
        let source = Source::built_in("the defaults", usual);
        Written {
            value: usual.to_owned(),
            span: source.span(0..usual.len()),
        }
    })
}

fn notes(settings: &Settings) -> Vec<Problem> {
    let mut notes = Vec::new();
    if settings.baseline.has_same_values(&settings.target) {
        notes.push(Problem {
            kind: "profiles-equal".to_owned(),
            message: format!(
                "the fidelity profiles `{}` and `{}` have the same values: no test can be found to differ between them",
                settings.baseline.name, settings.target.name
            ),
        });
    }
    for (knob, setting) in &settings.target.knobs {
        if !settings.beyond_production(knob, setting) {
            continue;
        }
        if let Some(fact) = settings.production.get(knob) {
            let (knob, setting, fact) = (printable(&knob.0), setting.to_string(), fact.to_string());
            notes.push(Problem {
                kind: "beyond-production".to_owned(),
                message: format!(
                    "`{knob}` is {} in the target, but {} in production: what fails because of it may never fail there",
                    printable(&setting),
                    printable(&fact)
                ),
            });
        }
    }
    notes
}
