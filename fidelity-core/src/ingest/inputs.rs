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

/// Returns arguments of a command line with the paths that patterns (`*`, `?`, `[...]`, `**`) match in their place, sorted by name, and
/// what of them could not be found. A path that is there is that path, whatever characters its name has.
pub fn expand(arguments: &[String]) -> (Vec<String>, Vec<Problem>) {
    let mut expanded = Vec::new();
    let mut problems = Vec::new();
    for argument in arguments {
        let is_pattern = argument.contains(['*', '?', '[']) && !Path::new(argument).exists();
        if argument == "-" || !is_pattern {
            expanded.push(argument.clone());
            continue;
        }
        match matching(argument) {
            Ok(paths) if paths.is_empty() => {
                problems.push(missing(argument, "no file matches this pattern".to_owned()));
            }
            Ok(paths) => expanded.extend(paths),
            Err(message) => problems.push(missing(argument, message)),
        }
    }
    (expanded, problems)
}

fn missing(argument: &str, message: String) -> Problem {
    Problem {
        kind: ProblemKind::Unreadable,
        source: argument.to_owned(),
        line: 0,
        column: 0,
        message,
        more: 0,
    }
}

/// Returns the reports that arguments of a command line name, and what of them could not be found.
///
/// A directory stands for every `.xml` and `.xml.gz` file below it, a pattern for the files and directories it [matches](expand).
/// Nothing is named twice: the first place counts.
pub fn find(arguments: &[String]) -> (Vec<Input>, Vec<Problem>) {
    let mut inputs = Vec::new();
    let (expanded, mut problems) = expand(arguments);
    for argument in &expanded {
        let mut missing = |message: String| problems.push(missing(argument, message));
        let path = Path::new(argument);
        if argument == "-" {
            inputs.push(Input::Stdin);
        } else if path.is_dir() {
            let mut files = Vec::new();
            walk(path, &mut files, &mut missing);
            if files.is_empty() {
                missing("no .xml file is below this directory".to_owned());
            }
            inputs.extend(files.into_iter().map(Input::File));
        } else {
            inputs.push(Input::File(path.to_owned()));
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

/// Returns the paths that match a pattern, sorted; names that are no Unicode cannot be given as arguments.
fn matching(pattern: &str) -> Result<Vec<String>, String> {
    let paths = glob::glob(pattern).map_err(|error| format!("this is no pattern: {error}"))?;
    let paths = paths.flatten().map(PathBuf::into_os_string);
    let mut paths: Vec<String> = paths.filter_map(|path| path.into_string().ok()).collect();
    paths.sort();
    Ok(paths)
}

/// Opens a file for reading, unpacked if it is gzip.
///
/// # Errors
/// Where it cannot be opened, or is a directory.
pub fn reader(input: &Input) -> io::Result<Box<dyn BufRead>> {
    open(input).and_then(unpacked)
}

/// Reads one report as [`junit::read`] does; gives its cases to `sink` as they come.
///
/// The cases of a file that breaks have been given to `sink` when the summary says so: see [`Summary::broken`].
pub fn read(input: &Input, limits: &Limits, sink: &mut dyn FnMut(&Case)) -> Summary {
    let name = input.name();
    match reader(input) {
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

const BUFFER: usize = 32 * 1024;

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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    const ONE: &str = "<testsuite name='s'><testcase name='a'/></testsuite>";

    /// Returns a directory of reports and its path.
    fn reports() -> (tempfile::TempDir, String) {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(ONE.as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        write("b/two.xml", ONE.as_bytes());
        write("a.xml.gz", &packed);
        write("b/[odd] name.xml", ONE.as_bytes());
        write("c/gzip-without-saying.XML", &packed);
        write("d/torn.xml.gz", &packed[..packed.len() - 12]);
        write("notes.txt", b"no report");
        let path = directory.path().display().to_string();
        (directory, path)
    }

    fn names(inputs: &[Input], root: &str) -> Vec<String> {
        let root = format!("{root}/");
        inputs
            .iter()
            .map(|input| input.name().replacen(&root, "", 1))
            .collect()
    }

    #[test]
    fn directories_patterns_and_files_are_found_in_order_and_once() {
        let (_directory, root) = reports();
        let of = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments
                .iter()
                .map(|argument| argument.replace("ROOT", &root))
                .collect();
            let (inputs, problems) = find(&arguments);
            let problems: Vec<String> = problems
                .iter()
                .map(|problem| problem.to_string().replace(&root, "ROOT"))
                .collect();
            (names(&inputs, &root), problems)
        };
        let all = [
            "a.xml.gz",
            "b/[odd] name.xml",
            "b/two.xml",
            "c/gzip-without-saying.XML",
            "d/torn.xml.gz",
        ];
        let none: [String; 0] = [];
        assert_eq!(
            of(&["ROOT"]),
            (all.map(String::from).to_vec(), none.to_vec())
        );
        let (found, said) = of(&["ROOT/b/*.xml", "-", "ROOT/b/two.xml", "-"]);
        assert_eq!(found, ["b/[odd] name.xml", "b/two.xml", "<stdin>"]);
        assert_eq!(said, none);
        assert_eq!(of(&["ROOT/b/[odd] name.xml"]).0, ["b/[odd] name.xml"]);
        let (found, said) = of(&["ROOT/x*.xml", "ROOT/missing.xml", "ROOT/[.xml"]);
        assert_eq!(found, ["missing.xml"], "reading it says what is wrong");
        assert_eq!(said[0], "ROOT/x*.xml: no file matches this pattern");
        assert!(
            said[1].starts_with("ROOT/[.xml: this is no pattern: "),
            "{}",
            said[1]
        );
    }

    #[test]
    fn a_batch_is_read_in_its_order_and_goes_on_after_what_cannot_be_read() {
        let (_directory, root) = reports();
        let (mut inputs, _) = find(std::slice::from_ref(&root));
        inputs.push(Input::File(format!("{root}/missing.xml").into()));
        inputs.push(Input::File(format!("{root}/notes.txt").into()));
        inputs.push(Input::File(root.clone().into()));
        let read = read_all(
            &inputs,
            &Limits::default(),
            |names: &mut Vec<String>, case| {
                names.push(case.name.clone());
            },
        );
        let seen: Vec<String> = read
            .iter()
            .map(|(summary, names)| match summary.broken() {
                Some(problem) => format!("{} {}", problem.kind, names.len()),
                None => names.concat(),
            })
            .collect();
        assert_eq!(
            seen,
            [
                "a",
                "a",
                "a",
                "a",
                "unreadable 0",
                "unreadable 0",
                "not-xml 0",
                "unreadable 0"
            ]
        );
        let sources: Vec<&str> = read
            .iter()
            .map(|(summary, _)| summary.source.as_str())
            .collect();
        let expected: Vec<String> = inputs.iter().map(Input::name).collect();
        assert_eq!(sources, expected);
    }

    #[test]
    fn cases_of_a_report_that_breaks_are_not_given_away() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("torn.xml");
        fs::write(&path, &ONE[..ONE.len() - 3]).unwrap();
        let count = |cases: &mut u64, _: &Case| *cases += 1;
        let read = read_all(&[Input::File(path)], &Limits::default(), count);
        assert_eq!((read[0].0.trials, read[0].1), (1, 0));
    }
}
