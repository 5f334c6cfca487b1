//! What the machine takes from the attributes of each element.

use std::sync::Arc;

use super::attributes::{Odd, Raw, Tag, append, cap, cut_name, each};
use super::machine::Machine;
use super::numbers::seconds;
use super::problem::{Fault, ProblemKind};
use super::{Capped, CaseFailure, FailureKind, Suite};
use crate::config::printable::shown;

/// Before the names of setup scripts in suites of cargo-nextest.
const SETUP_SCRIPT: &str = "@setup-script:";
/// Between name and number in stress suites of cargo-nextest.
const STRESS: &str = "@stress-";

/// What the tag of a failure says.
#[derive(Default)]
struct Said<'a> {
    failure: CaseFailure,
    time: Option<Raw<'a>>,
    timestamp: Option<Raw<'a>>,
}

impl Machine<'_> {
    /// Appends a value as XML means it.
    #[inline]
    fn value(&mut self, raw: Raw<'_>, into: &mut String) {
        let Odd {
            forbidden,
            reference,
        } = append(raw, into);
        if forbidden || reference {
            self.note_odd(forbidden, reference, into);
        }
    }

    fn note_odd(&mut self, forbidden: bool, reference: bool, value: &str) {
        if forbidden {
            self.notes.note(ProblemKind::ForbiddenCharacter, || {
                format!(
                    "`{}` holds a character that XML does not allow: kept as it is",
                    shown(value)
                )
            });
        }
        if reference {
            self.unknown_reference();
        }
    }

    /// Appends the value of a name, cut if it is too long.
    #[inline]
    pub(super) fn name(&mut self, raw: Raw<'_>, into: &mut String) {
        self.value(raw, into);
        let length = into.len();
        if cut_name(into, self.limits.name) {
            self.cut(|| {
                format!(
                    "`{}` is a name of {length} bytes: cut, with a hash of the whole",
                    shown(into)
                )
            });
        }
    }

    /// Notes that something was cut.
    pub(super) fn cut(&mut self, message: impl FnOnce() -> String) {
        self.notes.note(ProblemKind::Cut, message);
    }

    /// Returns the value of a name.
    pub(super) fn named(&mut self, raw: Raw<'_>) -> String {
        let mut name = String::with_capacity(raw.text.len());
        self.name(raw, &mut name);
        name
    }

    /// Returns a message, its middle left out if it is too long.
    fn message(&mut self, raw: Raw<'_>) -> Capped {
        // No value is longer than it is written.
        if raw.text.len() <= self.limits.head + self.limits.tail {
            let mut text = String::with_capacity(raw.text.len());
            self.value(raw, &mut text);
            return Capped { text, omitted: 0 };
        }
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        self.value(raw, &mut text);
        let capped = cap(&text, self.limits);
        self.scratch = text;
        capped
    }

    /// Returns a duration, where the value gives one.
    pub(super) fn duration(&mut self, raw: Raw<'_>) -> Option<std::time::Duration> {
        if raw.is_empty() {
            return None;
        }
        match seconds(raw.text) {
            Ok(duration) => Some(duration),
            Err(reason) => {
                self.notes.note(ProblemKind::Time, || {
                    format!("time `{}` {reason}: left out", shown(raw.text))
                });
                None
            }
        }
    }

    pub(super) fn start_suites(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let mut name = None;
        let mut suite = (**self.suite()).clone();
        each(tag, |attribute, raw| {
            match attribute {
                "name" => name = Some(self.named(raw)),
                "timestamp" => suite.timestamp = Some(self.named(raw)),
                "hostname" => suite.hostname = Some(self.named(raw)),
                _ => return false,
            }
            true
        })?;
        if self.suites.len() == 1 {
            self.summary.name = self.summary.name.take().or(name);
            let timestamp = suite.timestamp.clone();
            self.summary.timestamp = self.summary.timestamp.take().or(timestamp);
            self.suites[0] = Arc::new(suite);
        }
        Ok(())
    }

    pub(super) fn start_suite(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let around = self.suite();
        let mut path = Vec::with_capacity(around.path.len() + 1);
        path.extend_from_slice(&around.path);
        let mut suite = Suite {
            path,
            stress: around.stress,
            setup_script: around.setup_script,
            timestamp: around.timestamp.clone(),
            hostname: around.hostname.clone(),
            ..Suite::default()
        };
        let mut name = std::mem::take(&mut self.scratch);
        name.clear();
        each(tag, |attribute, raw| {
            match attribute {
                "name" => {
                    name.clear();
                    self.name(raw, &mut name);
                }
                "timestamp" => suite.timestamp = Some(self.named(raw)),
                "hostname" => suite.hostname = Some(self.named(raw)),
                "package" => suite.package = Some(self.named(raw)),
                "file" | "filepath" => suite.file = Some(self.named(raw)),
                _ => return false,
            }
            true
        })?;
        if let Some((before, number)) = name.rsplit_once(STRESS)
            && let Ok(number) = number.parse()
        {
            suite.stress = Some(number);
            name.truncate(before.len());
        }
        suite.setup_script |= name.starts_with(SETUP_SCRIPT);
        suite.path.push(name.as_str().into());
        self.scratch = name;
        self.summary.suites += 1;
        self.suites.push(Arc::new(suite));
        Ok(())
    }

    pub(super) fn end_suite(&mut self) {
        if let Some(suite) = self.suites.pop() {
            self.properties -= size(&suite.properties);
        }
    }

    /// The innermost suite that is open.
    pub(super) fn suite(&self) -> &Arc<Suite> {
        &self.suites[self.suites.len() - 1]
    }

    pub(super) fn end_case(&mut self) {
        self.properties -= size(&self.draft.case.properties);
        if self.draft.case.suite.setup_script {
            self.end_script();
            return;
        }
        let (trials, surplus, contradiction) = self.draft.end(self.sink);
        self.summary.trials += trials;
        if surplus > 0 {
            let name = &self.draft.case.name;
            self.notes.note(ProblemKind::Attempts, || {
                format!(
                    "`{}` was repeated {surplus} times more than is read",
                    shown(name)
                )
            });
        }
        if let Some(contradiction) = contradiction {
            let name = &self.draft.case.name;
            self.notes.note(ProblemKind::Contradiction, || {
                format!("`{}`: {contradiction}", shown(name))
            });
        }
        if let Some(word) = self.draft.unknown_word() {
            let name = &self.draft.case.name;
            self.notes.note(ProblemKind::UnknownStatus, || {
                format!(
                    "`{}`: what a status of `{}` means is not known: taken as passed",
                    shown(name),
                    shown(word)
                )
            });
        }
    }

    /// Ends the case of a setup script, which is no test.
    fn end_script(&mut self) {
        self.summary.scripts += 1;
        let mut failed = false;
        self.draft
            .end(&mut |case| failed = case.trial.outcome.is_failure());
        if failed {
            let name = &self.draft.case.name;
            self.notes.note(ProblemKind::SetupScript, || {
                format!("setup script `{}` failed: that is no test", shown(name))
            });
        }
    }

    pub(super) fn start_failure(&mut self, tag: &Tag<'_>, kind: FailureKind) -> Result<(), Fault> {
        let said = self.failure(tag)?;
        if let Some(failure) = self.draft.begin_failure(kind) {
            *failure = CaseFailure {
                kind,
                ..said.failure
            };
        }
        Ok(())
    }

    pub(super) fn start_retry(
        &mut self,
        tag: &Tag<'_>,
        kind: FailureKind,
        flaky: bool,
    ) -> Result<(), Fault> {
        let said = self.failure(tag)?;
        let duration = said.time.and_then(|raw| self.duration(raw));
        let timestamp = said.timestamp.map(|raw| self.named(raw));
        if let Some(trial) = self.draft.begin_retry(kind, flaky) {
            trial.failures = vec![CaseFailure {
                kind,
                ..said.failure
            }];
            trial.duration = duration;
            trial.timestamp = timestamp;
        }
        Ok(())
    }

    /// Takes the attributes of a failure.
    fn failure<'a>(&mut self, tag: &Tag<'a>) -> Result<Said<'a>, Fault> {
        let mut said = Said::default();
        let mut file = None;
        let mut line = None;
        each(tag, |attribute, raw| {
            match attribute {
                "type" => said.failure.class = Some(self.named(raw)),
                "message" => said.failure.message = Some(self.message(raw)),
                "file" => file = Some(self.named(raw)),
                "line" => line = raw.text.trim().parse().ok(),
                "time" => said.time = Some(raw),
                "timestamp" => said.timestamp = Some(raw),
                _ => return false,
            }
            true
        })?;
        said.failure.place = file.map(|file| (file, line));
        Ok(said)
    }

    pub(super) fn start_skipped(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        self.draft.seen.skipped = true;
        each(tag, |attribute, raw| {
            let known = attribute == "message";
            if known {
                let message = self.named(raw);
                self.draft.case.trial.skipped_because = Some(message);
            }
            known
        })
    }

    pub(super) fn property(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let mut pair = (String::new(), String::new());
        each(tag, |attribute, raw| {
            match attribute {
                "name" => pair.0 = self.named(raw),
                "value" => pair.1 = self.named(raw),
                _ => return false,
            }
            true
        })?;
        let bytes = pair.0.len() + pair.1.len();
        if self.properties + bytes > self.limits.properties {
            self.notes.note(ProblemKind::Properties, || {
                format!(
                    "property `{}` and others are too many: left out",
                    shown(&pair.0)
                )
            });
            return Ok(());
        }
        self.properties += bytes;
        if self.in_case() {
            self.draft.case.properties.push(pair);
        } else {
            let last = self.suites.len() - 1;
            Arc::make_mut(&mut self.suites[last]).properties.push(pair);
        }
        Ok(())
    }
}

/// Returns the bytes of properties.
fn size(properties: &[(String, String)]) -> usize {
    properties
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum()
}
