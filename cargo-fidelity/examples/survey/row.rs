//! What a row of the survey is: a crate, and which failures of its suite are known to come from the environment alone.

use crate::package::Package;

/// The presets that are surveyed, each against the environment as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    Realistic,
    Hostile,
}

impl Preset {
    pub const ALL: [Self; 2] = [Self::Realistic, Self::Hostile];

    pub fn name(self) -> &'static str {
        match self {
            Self::Realistic => "realistic",
            Self::Hostile => "hostile",
        }
    }
}

/// How surely a preset finds a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finds {
    /// It does not set what exposes it.
    No,
    /// It depends on chance, or on the machine.
    Perhaps,
    /// It would be an error of the tool not to.
    Yes,
}

/// What a failure is a defect of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    Test,
    Product,
}

/// A failure with one cause that happens in some environments only, confirmed by hand.
#[derive(Debug)]
pub struct Finding {
    /// The tests that fail, as the report names them: binary and test. A `*` at the end stands for any ending.
    pub tests: &'static [&'static str],
    /// What exposes it, as little as suffices.
    pub exposed_by: &'static str,
    /// Why the tests fail, in a clause.
    pub cause: &'static str,
    pub defect: Defect,
    pub realistic: Finds,
    pub hostile: Finds,
}

impl Finding {
    pub fn finds(&self, preset: Preset) -> Finds {
        match preset {
            Preset::Realistic => self.realistic,
            Preset::Hostile => self.hostile,
        }
    }

    pub fn is_about(&self, test: &str) -> bool {
        self.tests.iter().any(|name| match name.strip_suffix('*') {
            Some(start) => test.starts_with(start),
            None => test == *name,
        })
    }
}

/// A crate in the survey.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub version: &'static str,
    /// What kind of program it is.
    pub kind: &'static str,
    /// Arguments of the run, beside those of all rows.
    pub arguments: &'static [&'static str],
    /// Variables without which it does not build.
    pub variables: &'static [(&'static str, &'static str)],
    /// A dependency whose locked version does not compile with today's compiler, to be updated.
    pub outdated: Option<&'static str>,
    /// What is known; none for a suite that is stable as far as anybody knows.
    pub findings: &'static [Finding],
    /// What a reader should know, such as why tests were left out.
    pub note: &'static str,
}

impl Row {
    /// What most rows have.
    pub const PLAIN: Self = Self {
        name: "",
        version: "",
        kind: "",
        arguments: &[],
        variables: &[],
        outdated: None,
        findings: &[],
        note: "",
    };

    pub fn package(&self) -> Package {
        Package {
            name: self.name,
            version: self.version,
            outdated: self.outdated,
        }
    }
}
