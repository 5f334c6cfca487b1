//! What the command line says of all files: the arm, the block, the rules for names.

use fidelity_core::config;
use fidelity_core::domain::{Arm, BlockId, Problem};
use fidelity_core::ingest::intake::Intake;
use fidelity_core::ingest::naming::{Rule, Rules};

use super::Session;
use crate::commands::output::warn;
use crate::error::{CliError, ErrorKind};

impl Session<'_> {
    /// Returns the arm that the command line names.
    pub(super) fn arm(&self) -> Result<Option<Arm>, CliError> {
        let Some(name) = &self.arguments.fidelity_profile else {
            return Ok(None);
        };
        let of = |arm| self.settings.profile(arm).name.as_str();
        let (baseline, target) = (of(Arm::Baseline), of(Arm::Target));
        if baseline == target {
            let message = format!("baseline and target are both `{baseline}`");
            return Err(CliError::new(ErrorKind::Usage, message)
                .hint("name two fidelity profiles: --baseline-profile, --target-profile"));
        }
        match name {
            name if name == baseline => Ok(Some(Arm::Baseline)),
            name if name == target => Ok(Some(Arm::Target)),
            name => {
                let message = format!("no arm is called `{name}`");
                let near = config::nearest_word(name, &[baseline, target]);
                let hint = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => self.arms_hint(),
                };
                Err(CliError::new(ErrorKind::Usage, message).hint(hint))
            }
        }
    }

    pub(super) fn arms_hint(&self) -> String {
        format!(
            "pass --fidelity-profile {} (the baseline) or {} (the target); --baseline-profile and --target-profile compare \
             others",
            self.settings.baseline.name, self.settings.target.name
        )
    }

    pub(super) fn block(&self) -> Result<BlockId, CliError> {
        for (option, text) in [
            ("--commit", &self.arguments.commit),
            ("--block", &self.arguments.block),
        ] {
            if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
                let message = format!("{option} is empty");
                return Err(CliError::new(ErrorKind::Usage, message)
                    .hint("leave it out, or check the variable it comes from"));
            }
        }
        Ok(BlockId {
            commit: self.place.commit(self.arguments.commit.as_deref()),
            name: self.arguments.block.clone(),
        })
    }

    /// Says where a name of a commit may be a slip, and returns what the run should remember of it.
    pub(super) fn doubt(&self) -> Option<Problem> {
        let message = self.place.doubt(self.arguments.commit.as_deref())?;
        warn(&message);
        let kind = "ingest-unknown-commit".to_owned();
        Some(Problem { kind, message })
    }

    pub(super) fn rules(&self) -> Result<Rules, CliError> {
        let mut rules = Rules::default();
        for word in &self.arguments.keep_names {
            let Some(rule) = Rule::named(word) else {
                let words: Vec<&str> = Rule::ALL.iter().map(|rule| rule.word()).collect();
                let message = format!("no rule for names is called `{word}`");
                return Err(CliError::new(ErrorKind::Usage, message)
                    .hint(format!("the rules are {}", words.join(", "))));
            };
            rules = rules.without(rule);
        }
        Ok(rules)
    }

    /// Refuses results of which nobody said where they belong.
    pub(super) fn check_blocks(&self, intake: &Intake) -> Result<(), CliError> {
        let lost = intake
            .parts
            .iter()
            .find(|part| part.key.block == BlockId::default());
        let Some(part) = lost else { return Ok(()) };
        let message = format!(
            "no commit is known for {}, and no block",
            intake.files[part.file].name
        );
        Err(CliError::new(ErrorKind::Usage, message).hint(
            "pass --commit REV or --block ID: passes of both arms that belong together have the same",
        ))
    }
}
