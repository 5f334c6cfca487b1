//! `order`: the order in which tests start, `sorted` (by name) or `shuffle` (drawn by seed in each pass).
//!
//! Where the tests of a binary share a process, `shuffle` is about binaries. `shuffle-in-process` has libtest shuffle the
//! tests as well, for which it has to believe that it is a nightly: every test then sees the variable RUSTC_BOOTSTRAP.

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, text};

/// The value with which libtest shuffles, too.
const WITHIN: &str = "shuffle-in-process";

pub(super) struct Order;

impl Family for Order {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "order"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        (sandbox.shuffle, sandbox.shuffle_within) = match text(value)? {
            "sorted" => (false, false),
            "shuffle" => (true, false),
            WITHIN => (true, true),
            other => {
                return Err(format!(
                    "`{other}` is none of `sorted`, `shuffle` and `{WITHIN}`"
                ));
            }
        };
        if sandbox.shuffle_within {
            sandbox.set("RUSTC_BOOTSTRAP", "1");
        }
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let order: Vec<String> = seen.started.iter().map(ToString::to_string).collect();
        let mut words = format!(
            "{} processes started in the order {}",
            order.len(),
            order.join(" ")
        );
        if text(value)? == WITHIN
            && let Some((asked, silent)) = seen
                .several
                .as_ref()
                .and_then(|several| several.shuffles.as_ref())
        {
            if let Some(silent) = silent.first() {
                return Err(format!("{silent}; use `order = \"shuffle\"`"));
            }
            words += &format!(
                "; {asked} of {asked} test binaries say that they shuffle; tests see RUSTC_BOOTSTRAP=1"
            );
        }
        if seen.started.is_sorted() == (text(value)? == "sorted") {
            Ok(words)
        } else {
            Err(words)
        }
    }

    fn needs_binaries(&self, value: &KnobValue) -> bool {
        text(value).is_ok_and(|order| order == WITHIN)
    }

    fn harsher(&self, value: &KnobValue, _production: &KnobValue) -> bool {
        text(value).is_ok_and(|order| order != "sorted")
    }
}
