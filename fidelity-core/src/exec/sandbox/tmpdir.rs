//! `tmpdir`: the shape of the path in TMPDIR: `plain`, `space`, `unicode`, `long` or `symlink`; or how much fits into the
//! directory, which is then held in memory. Every pass has a fresh temporary directory, in both arms.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{CanaryReport, Family, KnobId, KnobValue, Part, Place, Sandbox, Scene, number, text};
use crate::exec::stage::Room;

pub(super) const NAME: &str = "tmpdir";
/// A directory name of 50 bytes; four of them make a path too long for a socket, but not for a file.
const LONG: &str = "a-directory-with-a-name-longer-than-most-tests-try";
/// The longest path of a socket, its terminator included, is 104 to 108 bytes.
const SOCKET_PATH: usize = 108;

/// Gives the pass a temporary directory with nothing special about it.
pub(super) fn plain(sandbox: &mut Sandbox, scene: &Scene<'_>) {
    let path = scene.pass_directory.join("tmp");
    use_directory(sandbox, path.clone(), path);
}

/// Makes `TMPDIR` be `name`; `path` is the directory behind it.
fn use_directory(sandbox: &mut Sandbox, path: PathBuf, name: PathBuf) {
    sandbox.places.push(Place::Directory { path, mode: 0o700 });
    sandbox.set("TMPDIR", name);
}

pub(super) struct Tmpdir;

impl Family for Tmpdir {
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
        let base = scene.pass_directory;
        if let KnobValue::Table(limits) = value {
            let path = base.join("tmp");
            sandbox.stage.room = Some(room(path.clone(), limits)?);
            use_directory(sandbox, path.clone(), path);
            return Ok(());
        }
        let path = match text(value)? {
            "plain" => base.join("tmp"),
            "space" => base.join("tmp with a space"),
            "unicode" => base.join("tmp žlutý 目录 ünï"),
            "long" => [LONG; 4]
                .iter()
                .fold(base.to_owned(), |path, part| path.join(part)),
            "symlink" => {
                let (path, name) = (base.join("volume"), base.join("tmp"));
                use_directory(sandbox, path.clone(), name.clone());
                sandbox.places.push(Place::Link {
                    path: name,
                    to: path,
                });
                return Ok(());
            }
            other => {
                return Err(format!(
                    "`{other}` is none of `plain`, `space`, `unicode`, `long`, `symlink`"
                ));
            }
        };
        use_directory(sandbox, path.clone(), path);
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let directory = &seen.tmpdir;
        if let Some(error) = &directory.write_error {
            return Err(format!("no file can be made there: {error}"));
        }
        let path = directory.path.as_deref().unwrap_or_default();
        if let KnobValue::Table(_) = value {
            return observe_room(seen);
        }
        let arrived = match text(value)? {
            "plain" => !directory.is_link,
            "space" => path.contains(' '),
            "unicode" => !path.is_ascii(),
            "long" => path.len() >= SOCKET_PATH,
            _ => directory.is_link,
        };
        let words = match (&directory.socket_error, directory.is_link) {
            (Some(error), _) => format!("{} bytes long; a socket in it fails: {error}", path.len()),
            (None, true) => "a symbolic link to a directory".to_owned(),
            (None, false) => format!("a path of {} bytes that works", path.len()),
        };
        if arrived { Ok(words) } else { Err(words) }
    }

    fn harsher(&self, value: &KnobValue, _production: &KnobValue) -> bool {
        *value != KnobValue::Text("plain".to_owned())
    }

    fn asks(&self, _knob: &KnobId, value: &KnobValue) -> Option<String> {
        let KnobValue::Table(limits) = value else {
            return None;
        };
        let limit = |name: &str| limits.get(name).and_then(|value| number(value).ok());
        let (size, files) = (limit("size"), limit("files"));
        let word = |limit: Option<u64>| limit.map_or_else(|| "-".to_owned(), |n| n.to_string());
        Some(format!("room={},{}", word(size), word(files)))
    }

    fn parts(&self, _knob: &KnobId, value: &KnobValue) -> &'static [Part] {
        match value {
            KnobValue::Table(_) => &[Part::Mounts, Part::Room],
            _ => &[],
        }
    }

    fn instead(&self, _knob: &KnobId, value: &KnobValue) -> Option<&'static str> {
        match value {
            KnobValue::Table(limits) if limits.contains_key("size") => {
                Some("`file-size` limits each file without a namespace")
            }
            _ => None,
        }
    }
}

/// Returns the directory at `path` with `limits`.
fn room(path: PathBuf, limits: &BTreeMap<String, KnobValue>) -> Result<Room, String> {
    let limit = |name: &str| limits.get(name).map(number).transpose();
    let (size, files) = (limit("size")?, limit("files")?);
    if size == Some(0) || files == Some(0) || size.is_none() && files.is_none() {
        return Err("a limited directory needs a `size` or a number of `files`".to_owned());
    }
    Ok(Room {
        path,
        owner: None,
        size,
        files,
    })
}

/// Judges by what the canary saw whether the directory has the limits it was asked about.
fn observe_room(seen: &CanaryReport) -> Result<String, String> {
    let Some(room) = &seen.inside.room else {
        return Err("the canary could not look at the temporary directory".to_owned());
    };
    let kinds = [("size", &room.bytes), ("files", &room.files)];
    let mut words = Vec::new();
    for (name, limit) in kinds {
        let Some(limit) = limit else { continue };
        let said = format!("{name}: {}", limit.words);
        if !limit.reached {
            return Err(said);
        }
        words.push(said);
    }
    Ok(words.join("; "))
}
