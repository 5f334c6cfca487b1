//! `home`: what HOME leads to: `missing`, `empty` or `read-only`. Cargo and rustup are told first where their own homes
//! are, so that tests that call them still can.

use super::{CanaryReport, Family, KnobId, KnobValue, Place, Sandbox, Scene, text};

pub(super) struct Home;

impl Family for Home {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "home"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        scene: &Scene<'_>,
    ) -> Result<(), String> {
        let parent = scene.pass_directory.join("users");
        let home = parent.join("user");
        let directory = |path: &std::path::Path, mode| Place::Directory {
            path: path.to_owned(),
            mode,
        };
        match text(value)? {
            // A home that is missing cannot be made either: the directory above it belongs to the system.
            "missing" => sandbox.places.push(directory(&parent, 0o555)),
            "empty" => sandbox.places.push(directory(&home, 0o700)),
            "read-only" => sandbox.places.push(directory(&home, 0o555)),
            other => {
                return Err(format!(
                    "`{other}` is none of `missing`, `empty`, `read-only`"
                ));
            }
        }
        sandbox.pin_tool_homes = true;
        sandbox.set("HOME", home);
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let home = &seen.home;
        match text(value)? {
            "missing" if !home.exists => Ok("HOME does not exist".to_owned()),
            "missing" => Err("HOME exists".to_owned()),
            "empty" if home.exists && home.entries == Some(0) && home.write_error.is_none() => {
                Ok("HOME is empty and can be written to".to_owned())
            }
            "empty" => Err("HOME is not an empty directory that can be written to".to_owned()),
            _ => match &home.write_error {
                Some(error) if home.exists => Ok(format!("writing to HOME fails: {error}")),
                Some(_) => Err("HOME does not exist".to_owned()),
                None => Err(
                    "a file could be made in HOME all the same: permissions do not stop root; \
                     run as an ordinary user"
                        .to_owned(),
                ),
            },
        }
    }

    fn harsher(&self, _value: &KnobValue, _production: &KnobValue) -> bool {
        true
    }
}
