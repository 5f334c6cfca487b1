//! `process`: whether each test has a process of its own, `per-test`, or all tests of a binary share one, `shared`.

use serde::{Deserialize, Serialize};

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, text};

/// How test binaries take to running several tests in one process; learnt from the binaries themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Several {
    /// Tests at a time.
    pub(crate) threads: usize,
    /// Binaries that were asked for two of their tests at once.
    pub(crate) asked: usize,
    /// Those that did not select just these, with what they did.
    pub(crate) refusals: Vec<String>,
    /// Binaries whose tests run in a process each, because their harness is not libtest.
    pub(crate) others: Vec<String>,
    /// Binaries whose tests need several processes, because their names do not fit into the arguments of one.
    pub(crate) split: Vec<String>,
    /// Where libtest shuffles: how many binaries were asked for it, and those that did not say so.
    pub(crate) shuffles: Option<(usize, Vec<String>)>,
}

pub(super) struct Process;

impl Family for Process {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "process"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        sandbox.shared = match text(value)? {
            "shared" => true,
            "per-test" => false,
            other => return Err(format!("`{other}` is neither `per-test` nor `shared`")),
        };
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let Some(several) = &seen.several else {
            return match text(value)? {
                "per-test" => Ok("one process per test".to_owned()),
                _ => Err("no test binary was asked to run several tests".to_owned()),
            };
        };
        if let Some(refusal) = several.refusals.first() {
            return Err(format!(
                "{refusal}; leave `process` out, or leave out that binary"
            ));
        }
        if several.asked == 0 {
            return Err("no test binary has the harness of the standard library".to_owned());
        }
        let mut words = format!(
            "one process per test binary, {} threads: {} selected 2 tests at once",
            several.threads,
            match several.asked {
                1 => "1 binary".to_owned(),
                asked => format!("each of {asked} binaries"),
            }
        );
        if !several.others.is_empty() {
            words += &format!(
                "; one process per test in {}, which have a harness of their own",
                several.others.join(", ")
            );
        }
        for split in &several.split {
            words += &format!("; {split}");
        }
        Ok(words)
    }

    fn needs_binaries(&self, value: &KnobValue) -> bool {
        text(value).is_ok_and(|process| process == "shared")
    }

    fn harsher(&self, value: &KnobValue, _production: &KnobValue) -> bool {
        text(value).is_ok_and(|process| process == "shared")
    }
}
