//! A long history, made in memory and written as one pack, as a clone has it.

use std::fs;
use std::path::Path;

use git2::{Buf, Oid, Repository, Signature, Time};

/// Globs of input files that each configuration names.
pub const GLOBS: u32 = 20;

/// Makes the repository, and returns how many merges its line of first parents has.
pub fn repository(path: &Path, commits: u32) -> Result<u32, Box<dyn std::error::Error>> {
    let repository = Repository::init(path)?;
    let odb = repository.odb()?;
    let pack = odb.add_new_mempack_backend(1_000)?;
    let mut maker = Maker {
        repository: &repository,
        folders: (0..GLOBS)
            .map(|_| {
                repository
                    .blob(b"first")
                    .and_then(|blob| file(&repository, blob))
            })
            .collect::<Result<_, _>>()?,
        made: 0,
    };
    let mut merges = 0;
    let mut tip = maker.commit(&[], 0)?;
    for number in 1..commits {
        tip = if number % 10 == 0 {
            merges += 1;
            let side = maker.commit(&[tip], number)?;
            let tree = repository.find_commit(side)?.tree_id();
            maker.commit_tree(&[tip, side], tree)?
        } else {
            maker.commit(&[tip], number)?
        };
    }
    let mut buffer = Buf::new();
    pack.dump(&repository, &mut buffer)?;
    let folder = repository.path().join("objects/pack");
    fs::create_dir_all(&folder)?;
    let mut index = git2::Indexer::new(Some(&odb), &folder, 0o644, true)?;
    std::io::Write::write_all(&mut index, &buffer)?;
    index.commit()?;
    pack.reset()?;
    repository.reference("refs/heads/main", tip, true, "made")?;
    repository.set_head("refs/heads/main")?;
    let repository = Repository::open(path)?;
    repository.checkout_head(Some(git2::build::CheckoutBuilder::new().force()))?;
    Ok(merges)
}

struct Maker<'r> {
    repository: &'r Repository,
    /// The folder of each glob.
    folders: Vec<Oid>,
    made: u32,
}

/// Returns a folder with one file.
fn file(repository: &Repository, blob: Oid) -> Result<Oid, git2::Error> {
    let mut folder = repository.treebuilder(None)?;
    folder.insert("1.sql", blob, 0o100_644)?;
    folder.write()
}

impl Maker<'_> {
    /// Makes a commit with a configuration of its own; every fifth changes input files too.
    fn commit(&mut self, parents: &[Oid], number: u32) -> Result<Oid, git2::Error> {
        if number.is_multiple_of(5) {
            let blob = self.repository.blob(number.to_string().as_bytes())?;
            let folder = file(self.repository, blob)?;
            if let Some(changed) = self.folders.get_mut((number / 5 % GLOBS) as usize) {
                *changed = folder;
            }
        }
        let mut root = self.repository.treebuilder(None)?;
        let toml = self.repository.blob(toml(number).as_bytes())?;
        root.insert("fidelity.toml", toml, 0o100_644)?;
        let code = self.repository.blob(format!("// {number}\n").as_bytes())?;
        root.insert("lib.rs", code, 0o100_644)?;
        for (position, folder) in self.folders.iter().enumerate() {
            root.insert(format!("inputs-{position}"), *folder, 0o040_000)?;
        }
        let tree = root.write()?;
        self.commit_tree(parents, tree)
    }

    fn commit_tree(&mut self, parents: &[Oid], tree: Oid) -> Result<Oid, git2::Error> {
        self.made += 1;
        let when = Time::new(1_500_000_000 + i64::from(self.made) * 60, 0);
        let person = Signature::new("A Developer", "dev@example.com", &when)?;
        let parents: Vec<_> = parents
            .iter()
            .map(|parent| self.repository.find_commit(*parent))
            .collect::<Result<_, _>>()?;
        let parents: Vec<_> = parents.iter().collect();
        let tree = self.repository.find_tree(tree)?;
        let subject = format!("Change number {}", self.made);
        self.repository
            .commit(None, &person, &person, &subject, &tree, &parents)
    }
}

/// A configuration as projects have it; every third commit changes a value and the others only text.
fn toml(number: u32) -> String {
    let globs: Vec<String> = (0..GLOBS)
        .map(|glob| format!("\"inputs-{glob}/**\""))
        .collect();
    format!(
        "# Configuration number {number}\n\
         baseline = \"low\"\n\
         [policy]\n\
         timeout = \"30s\"\n\
         [profile.low]\n\
         tz = \"UTC\"\n\
         [profile.middle]\n\
         inherits = \"preset:realistic\"\n\
         cpus = 2\n\
         [profile.high]\n\
         inherits = \"middle\"\n\
         inputs = [{}]\n\
         env.APP_MODE = \"production\"\n\
         env.APP_LIMIT = \"{}\"\n\
         open-files = {}\n",
        globs.join(", "),
        number / 3,
        64 + number % 7 / 6,
    )
}
