//! The content of input files at a commit: one digest for each glob.
//!
//! A digest is made of those of the folders below, and kept by the folder's id: what did not change is never read again.

use std::collections::BTreeMap;

use git2::{ObjectType, Oid, Repository, Tree, TreeEntry};

use super::glob::{Glob, Progress};

/// What a glob matches: how many files, and a digest of their names and contents; none where it matches nothing.
pub(super) type Digest = Option<(u32, [u8; 32])>;

/// Digests of globs, kept by folder.
#[derive(Default)]
pub(super) struct Inputs {
    globs: BTreeMap<String, Known>,
}

struct Known {
    glob: Glob,
    start: Progress,
    /// The only name at the top that can lead to a match, where there is only one.
    only: Option<String>,
    /// What that name was when it was last looked at, and the digest of it.
    last: Option<(Oid, Digest)>,
    /// By folder and how far its path has matched.
    folders: BTreeMap<(Oid, Progress), Digest>,
}

impl Inputs {
    /// Returns for each glob the digest of what it matches below the folder `tree`.
    ///
    /// # Errors
    /// A folder is not in the repository.
    pub(super) fn digests(
        &mut self,
        repository: &Repository,
        tree: Oid,
        globs: &[String],
    ) -> Result<Vec<Digest>, git2::Error> {
        let top = repository.find_tree(tree)?;
        let mut digests = Vec::with_capacity(globs.len());
        for glob in globs {
            if !self.globs.contains_key(glob) {
                self.globs.insert(glob.clone(), Known::new(glob));
            }
            digests.push(match self.globs.get_mut(glob) {
                Some(known) => known.below(repository, &top)?,
                None => None,
            });
        }
        Ok(digests)
    }
}

impl Known {
    fn new(glob: &str) -> Self {
        let glob = Glob::new(glob);
        let start = glob.start();
        Self {
            only: glob.only(&start).map(str::to_owned),
            glob,
            start,
            last: None,
            folders: BTreeMap::new(),
        }
    }

    /// Returns the digest of what is matched below the top of a tree. That is another one at each commit, while most of what is in it
    /// stays what it was.
    fn below(&mut self, repository: &Repository, top: &Tree<'_>) -> Result<Digest, git2::Error> {
        let start = self.start.clone();
        let Some(only) = &self.only else {
            return self.folder(repository, top.id(), start);
        };
        let Some(entry) = top.get_name(only) else {
            return Ok(None);
        };
        if let Some((last, digest)) = self.last
            && last == entry.id()
        {
            return Ok(digest);
        }
        let mut made = Made::default();
        self.take(repository, &entry, &start, &mut made)?;
        let digest = made.digest();
        self.last = Some((entry.id(), digest));
        Ok(digest)
    }

    fn folder(
        &mut self,
        repository: &Repository,
        tree: Oid,
        progress: Progress,
    ) -> Result<Digest, git2::Error> {
        let key = (tree, progress);
        if let Some(known) = self.folders.get(&key) {
            return Ok(*known);
        }
        let mut made = Made::default();
        let folder = repository.find_tree(tree)?;
        if let Some(name) = self.glob.only(&key.1) {
            // By its name, rather than by looking at every other one.
            if let Some(entry) = folder.get_name(name) {
                self.take(repository, &entry, &key.1, &mut made)?;
            }
        } else {
            for entry in &folder {
                self.take(repository, &entry, &key.1, &mut made)?;
            }
        }
        let digest = made.digest();
        self.folders.insert(key, digest);
        Ok(digest)
    }

    /// Takes an entry of a folder into the folder's digest, if the glob matches it or something below.
    fn take(
        &mut self,
        repository: &Repository,
        entry: &TreeEntry<'_>,
        progress: &Progress,
        made: &mut Made,
    ) -> Result<(), git2::Error> {
        let name = entry.name_bytes();
        let content = match entry.kind() {
            Some(ObjectType::Tree) => {
                let progress = self.glob.enter(progress, name);
                if progress.is_empty() {
                    return Ok(());
                }
                self.folder(repository, entry.id(), progress)?
            }
            _ if self.glob.is_match(progress, name) => {
                let mut id = [0; 32];
                id.iter_mut()
                    .zip(entry.id().as_bytes())
                    .for_each(|(to, from)| *to = *from);
                Some((1, id))
            }
            _ => None,
        };
        if let Some((below, content)) = content {
            made.hasher.update(&(name.len() as u64).to_le_bytes());
            made.hasher.update(name);
            made.hasher.update(&content);
            made.files = made.files.saturating_add(below);
        }
        Ok(())
    }
}

/// The digest of a folder as it is made.
#[derive(Default)]
struct Made {
    hasher: blake3::Hasher,
    files: u32,
}

impl Made {
    fn digest(&self) -> Digest {
        (0 < self.files).then(|| (self.files, *self.hasher.finalize().as_bytes()))
    }
}
