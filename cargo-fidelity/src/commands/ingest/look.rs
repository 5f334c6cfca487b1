//! The first look at files: what they hold, whether it can be used, and what people should know of it.

use fidelity_core::domain::Problem;
use fidelity_core::ingest::intake::{Intake, Source};
use fidelity_core::ingest::junit::Limits;
use fidelity_core::ingest::rows::Reading;

use super::{Session, Tally, told};
use crate::error::{CliError, ErrorKind};

/// What is kept of a text of a failure, at its beginning and at its end.
const TEXT: usize = 8 << 10;

/// Files that were looked at, and what a run should remember of that.
pub struct Looked {
    /// What was found.
    pub intake: Intake,
    /// What the run should remember.
    pub problems: Vec<Problem>,
}

impl Session<'_> {
    /// Looks at files, and says what is wrong with them; none where there are none.
    pub(super) fn look(
        &self,
        files: Vec<Source>,
        tally: &mut Tally,
    ) -> Result<Option<Looked>, CliError> {
        if files.is_empty() {
            return Ok(None);
        }
        let arm = self.arm()?;
        let reading = Reading {
            arm,
            block: self.block()?,
            profiles: Some([
                self.settings.baseline.name.clone(),
                self.settings.target.name.clone(),
            ]),
            rules: self.rules()?,
            limits: Limits {
                head: TEXT,
                tail: TEXT,
                ..Limits::default()
            },
            failures: true,
            remarks: true,
        };
        let intake = Intake::scan(files, reading);
        let mut problems = told::files(self.arguments, &intake, tally);
        if let Some(file) = intake
            .files
            .iter()
            .find(|file| file.needs_arm && file.cases > 0)
        {
            let message = format!("{} does not say which environment it is from", file.name);
            return Err(CliError::new(ErrorKind::Usage, message).hint(self.arms_hint()));
        }
        self.check_blocks(&intake)?;
        problems.extend(self.doubt());
        problems.extend(told::in_vain(self.arguments, &intake));
        Ok(Some(Looked { intake, problems }))
    }
}
