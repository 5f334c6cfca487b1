//! `order`: the order in which tests start, `sorted` (by name) or `shuffle` (drawn by seed in each pass).

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, text};

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
        sandbox.shuffle = match text(value)? {
            "shuffle" => true,
            "sorted" => false,
            other => return Err(format!("`{other}` is neither `sorted` nor `shuffle`")),
        };
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let order: Vec<String> = seen.started.iter().map(ToString::to_string).collect();
        let words = format!(
            "{} processes started in the order {}",
            order.len(),
            order.join(" ")
        );
        if seen.started.is_sorted() == (text(value)? == "sorted") {
            Ok(words)
        } else {
            Err(words)
        }
    }

    fn harsher(&self, value: &KnobValue, _production: &KnobValue) -> bool {
        text(value).is_ok_and(|order| order == "shuffle")
    }
}
