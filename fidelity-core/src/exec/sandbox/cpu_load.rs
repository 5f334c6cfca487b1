//! `cpu-load`: threads that keep CPUs busy beside the tests, in several shapes.
//!
//! Which shape matters differs between suites: some fail only where every CPU is busy, some only where one is and
//! another is free.

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, number, part, text};
use crate::exec::load::{LoadShape, Spread};

pub(super) struct CpuLoad;

/// A process that gets less than this share of a CPU, in percent, is not alone on it.
const ALONE: u32 = 90;

impl Family for CpuLoad {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "cpu-load"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        scene: &Scene<'_>,
    ) -> Result<(), String> {
        if !cfg!(target_os = "linux") {
            return Err(
                "not supported here: whether load is there is seen on Linux only".to_owned(),
            );
        }
        let shape = shape(value)?;
        match (shape.spread, scene.cpus) {
            (Spread::All | Spread::One, 0) => {
                return Err(
                    "this system does not let a thread choose its CPU; use on = \"anywhere\""
                        .to_owned(),
                );
            }
            (Spread::One, 1) => {
                return Err("only 1 CPU is available here, so that none would be left free; use on = \"all\"".to_owned());
            }
            _ => {}
        }
        sandbox.load = Some(shape);
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let Some(load) = seen.load else {
            return Err(
                "load was started and took no time of the CPUs; other programs may need them"
                    .to_owned(),
            );
        };
        let words = format!(
            "load took {}% of a CPU of {}% asked for, a process beside it got {}% of the busiest",
            load.taken, load.asked, load.share_left
        );
        // What does not work all the time may rest just when it is looked at.
        if shape(value)?.share == 100 && load.share_left >= ALONE {
            return Err(format!("{words}: nobody is in its way"));
        }
        Ok(words)
    }

    fn harsher(&self, value: &KnobValue, production: &KnobValue) -> bool {
        let demand = |value: &KnobValue| shape(value).map(|shape| (shape.threads, shape.share));
        matches!((demand(value), demand(production)), (Ok(value), Ok(production)) if value > production)
    }
}

/// Reads the table of the knob.
fn shape(value: &KnobValue) -> Result<LoadShape, String> {
    let threads = match part(value, "threads") {
        Ok(threads) => Some(usize::try_from(number(threads)?).unwrap_or(usize::MAX)),
        Err(_) => None,
    };
    let spread = match text(part(value, "on")?)? {
        "all" => Spread::All,
        "one" => Spread::One,
        "anywhere" => Spread::Anywhere,
        other => {
            return Err(format!(
                "`{other}` is no place for load; write all, one or anywhere"
            ));
        }
    };
    let share = number(part(value, "share")?)?;
    if !(1..=100).contains(&share) {
        return Err(format!(
            "a thread cannot take {share}% of a CPU; ask for 1% to 100%"
        ));
    }
    const MOST_THREADS: usize = 4096;
    if threads.is_some_and(|threads| threads == 0 || threads > MOST_THREADS) {
        return Err(format!("load has 1 to {MOST_THREADS} threads"));
    }
    Ok(LoadShape {
        threads,
        spread,
        share: u32::try_from(share).unwrap_or(100),
        burst_ms: number(part(value, "burst")?)?.max(1),
    })
}
