//! The guardian: a small process of one thread that starts the trials of one slot and cleans up after them.
//!
//! The tool starts its own executable again as a guardian, which lives in a session of its own (a Ctrl-C in the
//! terminal does not reach it), adopts the orphans of its trials, and hears from the tool over a socket. When that
//! socket breaks, because the tool ended in whatever way, or when it is asked to end, it kills what runs and removes
//! the run directory if it is the last to use it.
//! Must not know: tests, arms, verdicts. Invariant: one trial at a time, so every descendant belongs to it.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use self::protocol::{Answer, Ended, Ending, FrameReader, Order, Start, Template};
use self::string_list::StringList;
use super::run_directory::RunDirectory;
use super::sandbox::{self, Confinement, Mapped, NotMapped};
use super::seccomp::Instruction;
use super::{seccomp, stage, sys};

mod channels;
mod child;
mod launch;
mod litter;
mod pauses;
pub(crate) mod protocol;
mod string_list;
mod sweep;
mod trial;

pub(crate) use pauses::Pauses;
pub(crate) use sweep::{descendants_of, fell};

/// The first argument that makes the executable a guardian.
pub const ARGUMENT: &str = "__guardian";

/// How long a killed tool may take from closing its sockets to giving up its locks.
const PATIENCE: Duration = Duration::from_secs(1);

/// The whole life of a guardian. The program calls this before anything else if its first argument is [`ARGUMENT`].
///
/// Arguments after it: the run directory, the slot number and, to work on a [stage], how to enter that. The standard
/// input is the socket to the tool.
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(2);
    let run_directory = arguments.next().map(PathBuf::from);
    let slot = arguments
        .next()
        .and_then(|slot| slot.to_str()?.parse().ok())
        .unwrap_or(0);
    // A guardian that could not set itself up says so where it still can; the tool sees the broken socket otherwise.
    let Ok(mut stream) = sys::duplicate_stdin().map(UnixStream::from) else {
        return ExitCode::FAILURE;
    };
    let entry = arguments.next().zip(arguments.next());
    let entry = entry.map(|(pid, names)| (pid.to_string_lossy().into_owned(), names));
    let entered = entry.as_ref().map_or(Ok(()), |(pid, names)| {
        stage::enter(pid, &names.to_string_lossy())
    });
    match entered.and_then(|()| Guardian::new(slot, run_directory)) {
        Ok(mut guardian) if entry.is_some() => {
            guardian.serve(&mut stream);
            guardian.leave_stage();
            ExitCode::SUCCESS
        }
        Ok(mut guardian) => {
            guardian.serve(&mut stream);
            // A guardian that was asked to end by a signal leaves the directory to the tool.
            let patience = if sys::asked_to_end() {
                Duration::ZERO
            } else {
                PATIENCE
            };
            guardian.leave(patience);
            ExitCode::SUCCESS
        }
        Err(error) => {
            drop(protocol::send(
                &mut stream,
                &Answer::Unable(error.to_string()),
                b"",
            ));
            ExitCode::FAILURE
        }
    }
}

/// How to start processes of one binary under one environment.
struct Recipe {
    arguments: StringList,
    /// How many of the arguments belong to the recipe.
    fixed: usize,
    variables: StringList,
    directory: CString,
    confinement: Confinement,
    filter: Vec<Instruction>,
    cpus: Vec<usize>,
    /// Open for new members; the error number where one cannot be opened.
    groups: Result<Vec<File>, i32>,
    says_result: bool,
}

/// Takes part in the run directory at `path`, which the first guardian makes.
fn enter(path: &Path) -> std::io::Result<RunDirectory> {
    match RunDirectory::join(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => RunDirectory::create(path)
            .map_err(|error| {
                let text = format!("could not make the directory {}: {error}", path.display());
                std::io::Error::new(error.kind(), text)
            }),
        joined => joined,
    }
}

/// The mount namespace in which owners are mapped.
struct Mounts {
    /// What was asked for.
    mapped: Mapped,
    /// The namespace, or the step that failed and the system's error number.
    namespace: Result<OwnedFd, (String, i32)>,
}

struct Guardian {
    slot: usize,
    allowed_cpus: Vec<usize>,
    signals: OwnedFd,
    recipes: BTreeMap<u32, Recipe>,
    mounts: Option<Mounts>,
    run_directory: Option<RunDirectory>,
}

impl Guardian {
    fn new(slot: usize, run_directory: Option<PathBuf>) -> std::io::Result<Self> {
        let signals = sys::hear_signals()?;
        sys::new_session()?;
        #[cfg(target_os = "linux")]
        sys::adopt_orphans()?;
        let null = File::open("/dev/null")?;
        sys::redirect(null.as_fd(), 0)?;
        Ok(Self {
            slot,
            allowed_cpus: sys::allowed_cpus(),
            signals,
            recipes: BTreeMap::new(),
            mounts: None,
            run_directory: run_directory.map(|path| enter(&path)).transpose()?,
        })
    }

    /// Follows the tool's orders until the socket breaks or a signal asks for the end.
    fn serve(&mut self, stream: &mut UnixStream) {
        let mut frames = FrameReader::default();
        if protocol::send(stream, &Answer::Ready, b"").is_err() {
            return;
        }
        loop {
            if !frames.has_frame() {
                match sys::wait_readable(&[self.signals.as_fd(), stream.as_fd()], None) {
                    Ok(ready) if !ready[1] => {
                        drain(self.signals.as_fd());
                        sweep::reap_ended(0);
                        if sys::asked_to_end() {
                            return;
                        }
                        continue;
                    }
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
            let Ok(Some((order, bytes))) = frames.receive::<Order>(stream) else {
                return;
            };
            if !self.follow(order, &bytes, stream, &mut frames) || sys::asked_to_end() {
                return;
            }
        }
    }

    /// Follows one order. Returns whether the tool is still there.
    fn follow(
        &mut self,
        order: Order,
        bytes: &[u8],
        stream: &mut UnixStream,
        frames: &mut FrameReader,
    ) -> bool {
        match order {
            Order::Template(template) => {
                let id = template.id;
                // A string with a NUL byte cannot get here, because NUL is what separates them.
                if let Some(recipe) = self.recipe(*template, bytes) {
                    self.recipes.insert(id, recipe);
                }
                true
            }
            Order::Forget => {
                self.recipes.clear();
                // What the next ones map may have been made anew.
                self.mounts = None;
                true
            }
            // What it was meant for has ended meanwhile.
            Order::Cancel => true,
            Order::Start(start) => {
                let (ended, output) = self.run(&start, bytes, stream, frames);
                protocol::send(stream, &Answer::Ended(ended), &output).is_ok()
            }
        }
    }

    fn run(
        &mut self,
        start: &Start,
        bytes: &[u8],
        stream: &mut UnixStream,
        frames: &mut FrameReader,
    ) -> (Ended, Vec<u8>) {
        let Some(recipe) = self.recipes.get_mut(&start.template) else {
            return not_started("find its template", 0);
        };
        let mut more = protocol::split(bytes);
        let names = match &start.together {
            Some(together) => more.split_off(together.arguments.min(more.len())),
            None => Vec::new(),
        };
        if recipe.arguments.replace_from(recipe.fixed, more).is_err() {
            return not_started("pass its arguments", libc::EINVAL);
        }
        let mounts = match &recipe.confinement.mapped {
            None => None,
            Some(mapped) => match mounts(&mut self.mounts, mapped) {
                Ok(mounts) => Some(mounts),
                Err((step, errno)) => return not_started(step, *errno),
            },
        };
        if let Err(errno) = recipe.groups {
            return not_started(child::JOIN, errno);
        }
        let mut tool = trial::ToolLink { stream, frames };
        let order = trial::StartOrder {
            start,
            names,
            mounts,
        };
        trial::run(recipe, &order, self.signals.as_fd(), &mut tool)
    }

    fn recipe(&self, template: Template, bytes: &[u8]) -> Option<Recipe> {
        let mut strings = protocol::split(bytes);
        let directory = CString::new(strings.pop()?).ok()?;
        let variables = strings.split_off(template.arguments.min(strings.len()));
        Some(Recipe {
            fixed: strings.len(),
            arguments: StringList::new(strings).ok()?,
            variables: StringList::new(variables).ok()?,
            directory,
            cpus: template.confinement.window(&self.allowed_cpus, self.slot),
            filter: seccomp::program(&template.confinement.refusals),
            groups: open(&template.confinement.groups),
            confinement: template.confinement,
            says_result: template.says_result,
        })
    }

    /// Kills whatever is left. The run directory cannot be removed from a stage: its keeper does that.
    fn leave_stage(self) {
        sweep::everything(self.signals.as_fd());
    }

    /// Kills whatever is left and gives up the run directory, waiting so long for a dying tool to do the same.
    fn leave(self, patience: Duration) {
        sweep::everything(self.signals.as_fd());
        if let Some(run_directory) = self.run_directory {
            run_directory.leave(patience);
        }
    }
}

/// Returns the mount namespace for `mapped`, which is made if `known` is another.
fn mounts<'a>(
    known: &'a mut Option<Mounts>,
    mapped: &Mapped,
) -> Result<BorrowedFd<'a>, &'a (String, i32)> {
    let kept = known.take().filter(|known| known.mapped == *mapped);
    let mounts = known.insert(kept.unwrap_or_else(|| {
        Mounts {
            mapped: mapped.clone(),
            namespace: sandbox::namespace(&mapped.trees, mapped.owner)
                .map_err(|NotMapped { step, error }| (step, error.raw_os_error().unwrap_or(0))),
        }
    }));
    mounts.namespace.as_ref().map(AsFd::as_fd)
}

/// Opens control groups for new members.
fn open(groups: &[PathBuf]) -> Result<Vec<File>, i32> {
    let open = |group: &PathBuf| File::options().write(true).open(group);
    let opened: std::io::Result<_> = groups.iter().map(open).collect();
    opened.map_err(|error| error.raw_os_error().unwrap_or(0))
}

/// The answer for a process that never ran.
fn not_started(step: &str, errno: i32) -> (Ended, Vec<u8>) {
    let ended = Ended {
        ending: Ending::NotStarted {
            step: step.to_owned(),
            errno,
        },
        duration_us: 0,
        used_us: sys::family_time_us(),
        leaked: 0,
        result: None,
        stdout: (0, 0),
        stderr: (0, 0),
        lines: None,
    };
    (ended, Vec::new())
}

/// Reads away what is in the pipe of signals.
fn drain(signals: BorrowedFd<'_>) {
    let Ok(copy) = signals.try_clone_to_owned() else {
        return;
    };
    let mut pipe = std::io::PipeReader::from(copy);
    let mut bytes = [0_u8; 64];
    while matches!(pipe.read(&mut bytes), Ok(length) if length == bytes.len()) {}
}
