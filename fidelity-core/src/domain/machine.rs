//! The machine a pass ran on: what other programs took of it meanwhile.

use serde::{Deserialize, Serialize};

/// What programs other than ours took of the CPUs we may use, on average while a pass was made.
///
/// Ours are the tool, the tests with everything they started, and the load of an arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineLoad {
    /// In hundredths of a CPU: 130 is one CPU and a third of another.
    pub foreign: u32,
    /// How many CPUs we may use.
    pub cpus: u32,
}

impl MachineLoad {
    /// Returns how many CPUs others took on average.
    pub fn foreign_cpus(self) -> f64 {
        f64::from(self.foreign) / 100.0
    }

    /// Returns whether others took more than the share `at_most` of the CPUs; 0.5 is half of them.
    pub fn exceeds(self, at_most: f64) -> bool {
        self.foreign_cpus() > at_most * f64::from(self.cpus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_one_of_all_cpus() {
        let load = |foreign| MachineLoad { foreign, cpus: 4 };
        assert!(!load(200).exceeds(0.5));
        assert!(load(201).exceeds(0.5));
        assert!(!load(400).exceeds(1.0));
        assert!(!load(0).exceeds(f64::NAN));
    }
}
