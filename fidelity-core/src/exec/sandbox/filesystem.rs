//! `filesystem`: that nothing can be written but temporary and device files.

use super::{CanaryReport, Family, KnobId, KnobValue, Part, Sandbox, Scene, text};

pub(super) struct Filesystem;

impl Family for Filesystem {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "filesystem"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        scene: &Scene<'_>,
    ) -> Result<(), String> {
        match text(value)? {
            "read-only" => {
                let mut writable = vec![scene.pass_directory.to_owned()];
                writable.extend_from_slice(scene.writable);
                sandbox.stage.read_only_but = Some(writable);
                Ok(())
            }
            other => Err(format!("`{other}` is not `read-only`")),
        }
    }

    fn observe(
        &self,
        _knob: &KnobId,
        _value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        if let Some(error) = &seen.tmpdir.write_error {
            return Err(format!(
                "no file can be made in the temporary directory either: {error}"
            ));
        }
        let Some(places) = &seen.inside.places else {
            return Err("the canary could not look at the file system".to_owned());
        };
        let open: Vec<&str> = places
            .iter()
            .filter(|(_, read_only)| !**read_only)
            .map(|(place, _)| place.as_str())
            .collect();
        if open.is_empty() {
            let places: Vec<&str> = places.keys().map(String::as_str).collect();
            Ok(format!(
                "no file can be made in {}; the temporary directory can be written to",
                places.join(", ")
            ))
        } else {
            Err(format!("{} is not read-only", open.join(", ")))
        }
    }

    fn harsher(&self, _value: &KnobValue, _production: &KnobValue) -> bool {
        true
    }

    fn asks(&self, _knob: &KnobId, _value: &KnobValue) -> Option<String> {
        Some("places".to_owned())
    }

    fn parts(&self, _knob: &KnobId, _value: &KnobValue) -> &'static [Part] {
        &[Part::Mounts, Part::Filesystem]
    }

    fn instead(&self, _knob: &KnobId, _value: &KnobValue) -> Option<&'static str> {
        Some("`home = \"read-only\"` needs no namespace for an ordinary user")
    }
}
