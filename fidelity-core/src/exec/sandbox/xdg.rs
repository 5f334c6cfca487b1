//! `xdg`: where the XDG base directories are: `own` makes each of them a new, empty directory of the pass.

use super::{CanaryReport, Family, KnobId, KnobValue, Place, Sandbox, Scene, text};

pub(super) const NAME: &str = "xdg";

/// The variables, the directory each leads to, and its permissions.
const DIRECTORIES: [(&str, &str, u32); 5] = [
    ("XDG_CONFIG_HOME", "config", 0o700),
    ("XDG_DATA_HOME", "data", 0o700),
    ("XDG_CACHE_HOME", "cache", 0o700),
    ("XDG_STATE_HOME", "state", 0o700),
    // What other users can enter is no runtime directory.
    ("XDG_RUNTIME_DIR", "runtime", 0o700),
];

/// Returns the names of the variables.
pub(crate) fn variables() -> impl Iterator<Item = &'static str> {
    DIRECTORIES.iter().map(|(variable, ..)| *variable)
}

pub(super) struct Xdg;

impl Family for Xdg {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == NAME
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        scene: &Scene<'_>,
    ) -> Result<(), String> {
        match text(value)? {
            "own" => {}
            other => return Err(format!("`{other}` is not `own`")),
        }
        for (variable, directory, mode) in DIRECTORIES {
            let path = scene.pass_directory.join("xdg").join(directory);
            sandbox.set(variable, path.clone());
            sandbox.places.push(Place::Directory { path, mode });
        }
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        _value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        for variable in variables() {
            let Some(directory) = seen.xdg.get(variable) else {
                return Err(format!("{variable} was not looked at"));
            };
            if let Some(error) = &directory.write_error {
                return Err(format!("no file can be made in {variable}: {error}"));
            }
            if directory.entries != Some(0) {
                return Err(format!("{variable} does not lead to an empty directory"));
            }
        }
        Ok("five empty directories that can be written to".to_owned())
    }

    fn harsher(&self, _value: &KnobValue, _production: &KnobValue) -> bool {
        true
    }
}
