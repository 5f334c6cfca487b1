//! What another user has to reach: test binaries, their directories, the directory of the pass. Where permissions are in
//! the way, or a checkout belongs to somebody else, its owner is mapped where the system lets us; what is left is said
//! with the directory that is in the way.
//!
//! Must not know: how owners are mapped. Invariant: permissions of nothing but the run's own directory are changed.

use std::collections::BTreeSet;
use std::ffi::{CString, OsStr};
use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::exec::sandbox::{Identity, Owner, Place, Tree};
use crate::exec::sys::account::name_of;
use crate::suite::TestBinary;

/// To enter a directory.
const ENTER: u32 = 0o1;
/// To use a directory or a program: to read it, and to enter or execute it.
const USE: u32 = 0o5;

/// What a user can reach of the paths a pass needs.
pub(super) struct Reach<'a> {
    pub(super) identity: &'a Identity,
    /// Trees whose owner is mapped to the user, sorted.
    pub(super) trees: BTreeSet<Tree>,
}

impl Reach<'_> {
    /// Returns what keeps the user from using `path`; none where nothing does, or nothing is there.
    ///
    /// Goes by owners and permission bits, of which access lists may make exceptions.
    pub(super) fn obstacle(&self, path: &Path) -> Option<Obstacle> {
        let real = path.canonicalize().ok();
        [Some(path), real.as_deref()]
            .into_iter()
            .flatten()
            .find_map(|path| self.obstacle_along(path))
    }

    fn obstacle_along(&self, path: &Path) -> Option<Obstacle> {
        let mut ancestors: Vec<&Path> = path.ancestors().collect();
        ancestors.reverse();
        ancestors.into_iter().find_map(|part| {
            let metadata = fs::metadata(part).ok()?;
            let wanted = if part == path { USE } else { ENTER };
            let denied = !self.allows(part, &metadata, wanted);
            denied.then(|| Obstacle::new(part, &metadata))
        })
    }

    /// Returns whether the user has the permissions `wanted` of what is at `path`.
    fn allows(&self, path: &Path, metadata: &Metadata, wanted: u32) -> bool {
        let (user, group) = self.seen(path, metadata);
        let shift = if user == self.identity.owner.user {
            6
        } else if group == self.identity.owner.group || self.identity.groups.contains(&group) {
            3
        } else {
            0
        };
        metadata.mode() >> shift & wanted == wanted
    }

    /// Returns who owns what is at `path` in the eyes of the user.
    fn seen(&self, path: &Path, metadata: &Metadata) -> (u32, u32) {
        let (user, group) = (metadata.uid(), metadata.gid());
        let Some(tree) = self.tree_around(path) else {
            return (user, group);
        };
        let seen = self.identity.owner;
        (
            exchanged(user, tree.owner.user, seen.user),
            exchanged(group, tree.owner.group, seen.group),
        )
    }

    /// Returns the innermost mapped tree that `path` is in.
    fn tree_around(&self, path: &Path) -> Option<&Tree> {
        let around = self
            .trees
            .iter()
            .filter(|tree| path.starts_with(root(tree)));
        around.max_by_key(|tree| tree.path.as_bytes().len())
    }

    /// Adds the trees that have to be mapped so that the user can use `path`.
    pub(super) fn open(&mut self, path: &Path) {
        // One obstacle may hide another: each is a directory further down.
        for _ in 0..64 {
            let Some(obstacle) = self.obstacle(path) else {
                return;
            };
            let directory = match (fs::metadata(&obstacle.path), obstacle.path.parent()) {
                (Ok(metadata), Some(parent)) if !metadata.is_dir() => parent.to_owned(),
                _ => obstacle.path,
            };
            if !self.map(&directory) {
                return;
            }
        }
    }

    /// Makes the directory at `path`, and what is in it, the user's own. Returns whether that was not so before.
    pub(super) fn own(&mut self, path: &Path) -> bool {
        let owned = fs::metadata(path).is_ok_and(|metadata| {
            metadata.is_dir() && self.seen(path, &metadata).0 != self.identity.owner.user
        });
        owned && self.map(path)
    }

    /// Maps the owner of the directory at `path`. Returns whether that is new; the root of everything is left alone.
    fn map(&mut self, path: &Path) -> bool {
        let (Ok(real), Ok(metadata)) = (path.canonicalize(), fs::metadata(path)) else {
            return false;
        };
        let owner = Owner {
            user: metadata.uid(),
            group: metadata.gid(),
        };
        let Ok(bytes) = CString::new(real.as_os_str().as_bytes()) else {
            return false;
        };
        real.parent().is_some() && self.trees.insert(Tree { path: bytes, owner })
    }

    /// Gives the directory of a pass, and what of `places` may be written to, to the user; lets them pass the others.
    ///
    /// # Errors
    /// What stopped it.
    pub(super) fn hand_over(&self, pass_directory: &Path, places: &[Place]) -> io::Result<()> {
        let run_directory = pass_directory.parent().unwrap_or(pass_directory);
        // Others may pass it, to directories whose names they know.
        fs::set_permissions(run_directory, Permissions::from_mode(0o711))?;
        fs::set_permissions(pass_directory, Permissions::from_mode(0o755))?;
        self.give(pass_directory)?;
        for place in places {
            let Place::Directory { path, mode } = place else {
                continue;
            };
            let between = path.ancestors().skip(1);
            for part in between
                .take_while(|part| *part != pass_directory && part.starts_with(pass_directory))
            {
                let is_place = places
                    .iter()
                    .any(|other| matches!(other, Place::Directory { path, .. } if path == part));
                if !is_place {
                    fs::set_permissions(part, Permissions::from_mode(0o755))?;
                }
            }
            // What nobody may write to is the system's.
            if mode & 0o200 != 0 {
                self.give(path)?;
            }
        }
        Ok(())
    }

    /// Makes `path` the user's, also where its owner is mapped.
    fn give(&self, path: &Path) -> io::Result<()> {
        let real = path.canonicalize()?;
        let owner = self
            .tree_around(&real)
            .map_or(self.identity.owner, |tree| tree.owner);
        std::os::unix::fs::chown(path, Some(owner.user), Some(owner.group))
    }
}

/// Returns where a tree is.
pub(super) fn root(tree: &Tree) -> &Path {
    Path::new(OsStr::from_bytes(tree.path.as_bytes()))
}

/// Returns what `id` looks like where `a` and `b` are exchanged.
fn exchanged(id: u32, a: u32, b: u32) -> u32 {
    match id {
        _ if id == a => b,
        _ if id == b => a,
        other => other,
    }
}

/// What keeps a user out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Obstacle {
    path: PathBuf,
    is_directory: bool,
    mode: u32,
    owner: u32,
}

impl Obstacle {
    fn new(path: &Path, metadata: &Metadata) -> Self {
        Self {
            path: path.to_owned(),
            is_directory: metadata.is_dir(),
            mode: metadata.mode() & 0o7777,
            owner: metadata.uid(),
        }
    }

    /// Says it in words, with what to do about it.
    pub(super) fn reason(&self, user: &str) -> String {
        let (verb, bits) = match self.is_directory {
            true => ("enter", "o+x"),
            false => ("execute", "o+rx"),
        };
        let path = self.path.display();
        let owner = name_of(self.owner).unwrap_or_else(|| self.owner.to_string());
        format!(
            "{user} cannot {verb} {path} (mode {:03o}, owner {owner}): `chmod {bits} {path}`, or build \
             elsewhere with --target-dir",
            self.mode
        )
    }
}

/// Returns what a test of `binaries` needs: first what it cannot do without, then what it may want.
pub(super) fn needs(binaries: &[TestBinary]) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
    let needed = binaries
        .iter()
        .flat_map(|binary| [binary.path.clone(), binary.directory.clone()]);
    let mut wanted = BTreeSet::new();
    // One is enough: the toolchain is that of all.
    if let Some(binary) = binaries.first() {
        let variable = |name: &str| {
            let found = binary.environment.iter().find(|(other, _)| other == name);
            found.map(|(_, value)| PathBuf::from(value))
        };
        let home = variable("HOME");
        let below_home = |name: &str| home.as_ref().map(|home| home.join(name));
        wanted.extend(variable("CARGO"));
        wanted.extend(variable("CARGO_HOME").or_else(|| below_home(".cargo")));
        wanted.extend(variable("RUSTUP_HOME").or_else(|| below_home(".rustup")));
        wanted.extend(home);
        for name in ["LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"] {
            wanted.extend(variable(name).iter().flat_map(std::env::split_paths));
        }
    }
    wanted.retain(|path| path.is_absolute());
    (needed.collect(), wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody who owns nothing here.
    fn stranger() -> Identity {
        Identity {
            name: "stranger".to_owned(),
            owner: Owner {
                user: 3_999_999_999,
                group: 3_999_999_998,
            },
            groups: vec![3_999_999_998],
        }
    }

    fn directory(parent: &Path, name: &str, mode: u32) -> PathBuf {
        let path = parent.join(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn the_first_directory_in_the_way_is_named_with_what_to_do() {
        let top = tempfile::tempdir().unwrap();
        fs::set_permissions(top.path(), Permissions::from_mode(0o711)).unwrap();
        let locked = directory(top.path(), "locked", 0o700);
        let inner = directory(&locked, "inner", 0o700);
        let identity = stranger();
        let reach = Reach {
            identity: &identity,
            trees: BTreeSet::new(),
        };
        let obstacle = reach.obstacle(&inner).unwrap();
        let reason = obstacle.reason("stranger");
        let owner = name_of(fs::metadata(&locked).unwrap().uid()).unwrap();
        let start = format!(
            "stranger cannot enter {} (mode 700, owner {owner}): `chmod o+x",
            locked.display()
        );
        assert!(reason.starts_with(&start), "{reason}");
        fs::set_permissions(&locked, Permissions::from_mode(0o711)).unwrap();
        assert_eq!(reach.obstacle(&inner).unwrap().path, inner);
        fs::set_permissions(&inner, Permissions::from_mode(0o755)).unwrap();
        assert_eq!(reach.obstacle(&inner), None);
        assert_eq!(reach.obstacle(&inner.join("nothing")), None);
    }

    #[test]
    fn the_way_through_a_link_counts_as_well_as_where_it_leads() {
        let top = tempfile::tempdir().unwrap();
        fs::set_permissions(top.path(), Permissions::from_mode(0o711)).unwrap();
        let open = directory(top.path(), "open", 0o755);
        let locked = directory(top.path(), "locked", 0o700);
        let link = locked.join("link");
        std::os::unix::fs::symlink(&open, &link).unwrap();
        let identity = stranger();
        let reach = Reach {
            identity: &identity,
            trees: BTreeSet::new(),
        };
        assert_eq!(reach.obstacle(&link).unwrap().path, locked);
        assert_eq!(reach.obstacle(&open), None);
    }

    #[test]
    fn what_is_mapped_is_no_obstacle_and_is_owned() {
        let top = tempfile::tempdir().unwrap();
        fs::set_permissions(top.path(), Permissions::from_mode(0o700)).unwrap();
        let inner = directory(top.path(), "inner", 0o700);
        let program = inner.join("program");
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o700)).unwrap();
        let identity = stranger();
        let mut reach = Reach {
            identity: &identity,
            trees: BTreeSet::new(),
        };
        reach.open(&program);
        assert_eq!(reach.obstacle(&program), None);
        let roots: Vec<&Path> = reach.trees.iter().map(root).collect();
        assert_eq!(roots, [top.path().canonicalize().unwrap()]);
        // It is in a tree that is mapped already.
        assert!(!reach.own(&inner));
        assert!(!reach.own(&program), "no directory");
    }
}
