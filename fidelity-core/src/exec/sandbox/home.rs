//! `home`: what HOME leads to: `missing`, `empty` or `read-only`. Cargo and rustup are told first where their own homes
//! are, so that tests that call them still can.
//!
//! Permissions make a home read-only for an ordinary user. Root is stopped by a mount, where it may make one.

use super::{CanaryReport, Family, KnobId, KnobValue, Part, Place, Sandbox, Scene, text};

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
            "read-only" => {
                sandbox.places.push(directory(&home, 0o555));
                if scene.privileged && (scene.mounts)().is_ok() {
                    sandbox.stage.read_only = Some(home.clone());
                }
            }
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
                None => Err(format!(
                    "a file could be made in HOME all the same: permissions do not stop root, and \
                     a mount is not to be had: {}; run as an ordinary user",
                    seen.inside
                        .no_mounts
                        .as_deref()
                        .unwrap_or("it was not tried")
                )),
            },
        }
    }

    fn harsher(&self, _value: &KnobValue, _production: &KnobValue) -> bool {
        true
    }

    fn parts(&self, _knob: &KnobId, value: &KnobValue) -> &'static [Part] {
        // What is wrong with mounts as such was found out before, and then none is asked for.
        match text(value) {
            Ok("read-only") => &[Part::ReadOnly],
            _ => &[],
        }
    }
}
