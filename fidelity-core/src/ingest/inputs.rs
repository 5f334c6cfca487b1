//! The files of reports: finding them, and reading several at a time.
//!
//! An input is a file, a directory, a pattern, or `-` for the standard input. Files that are gzip are unpacked, whatever they are called.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use rayon::prelude::*;

use super::junit::{self, Case, Limits, Problem, ProblemKind, Summary};

/// A report to read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// The standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl Input {
    /// Returns what problems call it.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "<stdin>".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

/// Returns the reports that arguments of a command line name, and what of them could not be found.
///
/// A directory stands for every `.xml` and `.xml.gz` file below it, a pattern (`*`, `?`, `[...]`, `**`) for the files it matches, sorted
/// by name. A file that is there is that file, whatever characters its name has. Nothing is named twice: the first place counts.
pub fn find(arguments: &[String]) -> (Vec<Input>, Vec<Problem>) {
    let mut inputs = Vec::new();
    let mut problems = Vec::new();
    for argument in arguments {
        let mut missing = |message: String| {
            problems.push(Problem {
                kind: ProblemKind::Unreadable,
                source: argument.clone(),
                line: 0,
                column: 0,
                message,
                more: 0,
            });
        };
        if argument == "-" {
            inputs.push(Input::Stdin);
            continue;
        }
        let path = Path::new(argument);
        if path.is_dir() {
            let mut files = Vec::new();
            walk(path, &mut files, &mut missing);
            if files.is_empty() {
                missing("no .xml file is below this directory".to_owned());
            }
            inputs.extend(files.into_iter().map(Input::File));
        } else if path.exists() || !argument.contains(['*', '?', '[']) {
            inputs.push(Input::File(path.to_owned()));
        } else {
            match matching(argument) {
                Ok(files) if files.is_empty() => missing("no file matches this pattern".to_owned()),
                Ok(files) => inputs.extend(files.into_iter().map(Input::File)),
                Err(message) => missing(message),
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    inputs.retain(|input| seen.insert(input.clone()));
    (inputs, problems)
}

/// Collects the reports below a directory, sorted by name.
fn walk(directory: &Path, files: &mut Vec<PathBuf>, missing: &mut impl FnMut(String)) {
    let entries = match directory.read_dir() {
        Ok(entries) => entries,
        Err(error) => return missing(format!("{}: {error}", directory.display())),
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        // Links to directories may go round in circles.
        if path.is_dir() && !path.is_symlink() {
            walk(&path, files, missing);
        } else if is_report(&path) && path.is_file() {
            files.push(path);
        }
    }
}

fn is_report(path: &Path) -> bool {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase());
    name.is_some_and(|name| name.ends_with(".xml") || name.ends_with(".xml.gz"))
}

/// Returns the files that match a pattern, sorted.
fn matching(pattern: &str) -> Result<Vec<PathBuf>, String> {
    let paths = glob::glob(pattern).map_err(|error| format!("this is no pattern: {error}"))?;
    let mut files: Vec<PathBuf> = paths.flatten().filter(|path| !path.is_dir()).collect();
    files.sort();
    Ok(files)
}

/// Reads one report as [`junit::read`] does; gives its cases to `sink` as they come.
///
/// The cases of a file that breaks have been given to `sink` when the summary says so: see [`Summary::broken`].
pub fn read(input: &Input, limits: &Limits, sink: &mut dyn FnMut(&Case)) -> Summary {
    let name = input.name();
    match open(input).and_then(unpacked) {
        Ok(reader) => junit::read(reader, &name, limits, sink),
        Err(error) => Summary {
            problems: vec![Problem {
                kind: ProblemKind::Unreadable,
                source: name.clone(),
                line: 0,
                column: 0,
                message: format!("it cannot be read: {error}"),
                more: 0,
            }],
            source: name,
            ..Summary::default()
        },
    }
}

/// Reads several reports at a time, in as many threads as rayon's pool has, and returns what became of each in their order.
///
/// `take` folds the cases of one report into a value of its own, which starts as the default. Of a report that broke the value is
/// dropped: none of its cases count.
pub fn read_all<T: Default + Send>(
    inputs: &[Input],
    limits: &Limits,
    take: impl Fn(&mut T, &Case) + Sync,
) -> Vec<(Summary, T)> {
    inputs
        .par_iter()
        .map(|input| {
            let mut taken = T::default();
            let summary = read(input, limits, &mut |case| take(&mut taken, case));
            if summary.broken().is_some() {
                taken = T::default();
            }
            (summary, taken)
        })
        .collect()
}

const BUFFER: usize = 64 * 1024;

fn open(input: &Input) -> io::Result<Box<dyn BufRead>> {
    Ok(match input {
        Input::Stdin => Box::new(BufReader::with_capacity(BUFFER, io::stdin())),
        Input::File(path) if path.is_dir() => {
            return Err(io::Error::other("it is a directory"));
        }
        Input::File(path) => Box::new(BufReader::with_capacity(BUFFER, File::open(path)?)),
    })
}

/// Unpacks what is gzip.
fn unpacked(mut reader: Box<dyn BufRead>) -> io::Result<Box<dyn BufRead>> {
    let mut start = [0; 2];
    let mut read = 0;
    while read < start.len() {
        match reader.read(&mut start[read..])? {
            0 => break,
            bytes => read += bytes,
        }
    }
    let whole = io::Cursor::new(start[..read].to_vec()).chain(reader);
    Ok(if start == [0x1F, 0x8B] {
        Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(whole)))
    } else {
        Box::new(whole)
    })
}
