//! An annotation for programs: the part of the JSON formats that reports and lists share. Keys without a value are left out,
//! but for the arms.

use serde::Serialize;

use crate::domain::{Annotation, Arm, Terms};

use super::model::QuarantineReport;

/// What is said of a test.
#[derive(Serialize)]
pub(super) struct WireAnnotation<'a> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    profiles: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    needs: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    mocks: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    real: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    tolerance: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trials: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    severity_place: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    quarantine: Option<WireQuarantine<'a>>,
    place: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_run_in_baseline: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_run_in_target: Option<&'a str>,
}

#[derive(Serialize)]
struct WireQuarantine<'a> {
    until: &'a str,
    owner: &'a str,
    reason: &'a str,
    expired: bool,
}

impl<'a> WireAnnotation<'a> {
    /// Returns what is said in a run.
    pub(super) fn of(
        terms: Option<&'a Terms>,
        quarantine: Option<&'a QuarantineReport>,
    ) -> Option<Self> {
        let terms = terms?;
        Some(Self {
            not_run_in_baseline: terms.absent_from(Arm::Baseline),
            not_run_in_target: terms.absent_from(Arm::Target),
            ..Self::said(
                &terms.annotation,
                quarantine.is_some_and(|over| over.expired),
            )
        })
    }

    /// Returns what is said, whether or not a run is made of it.
    pub(super) fn said(annotation: &'a Annotation, expired: bool) -> Self {
        let quarantine = annotation.quarantine.as_ref();
        Self {
            profiles: &annotation.profiles,
            needs: &annotation.needs,
            kind: annotation.kind.map(|kind| kind.as_str()),
            mocks: &annotation.mocks,
            real: &annotation.real,
            tolerance: annotation.tolerance,
            timeout_s: annotation.timeout_ms.map(|ms| ms as f64 / 1000.0),
            trials: annotation.trials,
            severity: annotation.severity.map(|severity| severity.as_str()),
            severity_place: &annotation.severity_place,
            quarantine: quarantine.map(|quarantine| WireQuarantine {
                until: &quarantine.until,
                owner: &quarantine.owner,
                reason: &quarantine.reason,
                expired,
            }),
            place: &annotation.place,
            not_run_in_baseline: None,
            not_run_in_target: None,
        }
    }
}
