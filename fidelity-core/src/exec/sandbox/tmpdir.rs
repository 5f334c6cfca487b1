//! `tmpdir`: the shape of the path in TMPDIR: `plain`, `space`, `unicode`, `long` or `symlink`. Every pass has a fresh temporary
//! directory, in both arms.

use std::path::PathBuf;

use super::{CanaryReport, Family, KnobId, KnobValue, Place, Sandbox, Scene, text};

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
        text(value).is_ok_and(|shape| shape != "plain")
    }
}
