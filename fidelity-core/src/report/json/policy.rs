//! The thresholds of a run, for programs.

use serde::Serialize;

use super::seconds;
use crate::domain::{OnForeignLoad, Policy};

#[derive(Serialize)]
pub(super) struct WirePolicy {
    fdr: f64,
    screen: WireScreen,
    tolerance: f64,
    max_passes: u32,
    futile_after: u32,
    company_after: u32,
    mass_failure: f64,
    reuse: bool,
    max_time_s: Option<f64>,
    max_trials: Option<u64>,
    confidence: f64,
    timeout_s: f64,
    foreign_load: WireForeignLoad,
    fail_on: Vec<String>,
}

#[derive(Serialize)]
struct WireForeignLoad {
    at_most: f64,
    then: &'static str,
}

#[derive(Serialize)]
struct WireScreen {
    baseline: u32,
    target: u32,
    suspicious: u32,
}

impl From<&Policy> for WirePolicy {
    fn from(policy: &Policy) -> Self {
        Self {
            fdr: policy.fdr,
            screen: WireScreen {
                baseline: policy.screen.baseline,
                target: policy.screen.target,
                suspicious: policy.screen.suspicious,
            },
            tolerance: policy.tolerance,
            max_passes: policy.max_passes,
            futile_after: policy.futile_after,
            company_after: policy.company_after,
            mass_failure: policy.mass_failure,
            reuse: policy.reuse,
            max_time_s: policy.max_time_ms.map(seconds),
            max_trials: policy.max_trials,
            confidence: policy.confidence,
            timeout_s: seconds(policy.timeout_ms),
            foreign_load: WireForeignLoad {
                at_most: policy.foreign_load.at_most,
                then: match policy.foreign_load.then {
                    OnForeignLoad::Warn => "warn",
                    OnForeignLoad::Repeat => "repeat",
                },
            },
            fail_on: policy.fail_on.iter().map(ToString::to_string).collect(),
        }
    }
}
