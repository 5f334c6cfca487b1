//! The build: cargo's own, with cargo's own messages before the user's eyes, and the list of what came out of it.
//!
//! Knows nothing of tests or environments.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use cargo_metadata::{Artifact, Message, TargetKind};

use super::child::{by_interrupt, kill_with_descendants};
use super::{CargoOptions, SuiteError, Workspace};
use crate::domain::BinaryId;

/// How often the user's interrupt is looked for while cargo builds.
const INTERRUPT_POLL: Duration = Duration::from_millis(50);

/// How long cargo, which the terminal interrupts with us, may take to end before it is killed; and how long its pipe may
/// stay open without it.
const GRACE: Duration = Duration::from_secs(1);

/// A test executable that cargo built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Built {
    pub id: BinaryId,
    pub package: String,
    pub manifest: PathBuf,
    pub kind: String,
    pub target: String,
    pub path: PathBuf,
}

/// Builds what `cargo test` would build, and returns its test executables sorted by id.
pub(super) fn build(
    options: &CargoOptions,
    workspace: &Workspace,
    interrupted: &AtomicBool,
) -> Result<Vec<Built>, SuiteError> {
    let mut cargo = options.cargo();
    cargo
        .args([
            "test",
            "--no-run",
            "--message-format",
            "json-render-diagnostics",
        ])
        .args(options.talk_arguments())
        .args(options.build_arguments())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(messages(options)?);
    let mut child = spawn(&mut cargo)?;
    let (sender, artifacts) = channel();
    let stdout = child.stdout.take();
    std::thread::spawn(move || {
        // A line that is no message, or no UTF-8, is some wrapper's chatter; an error of the pipe is its end.
        for message in stdout
            .into_iter()
            .flat_map(|pipe| Message::parse_stream(BufReader::new(pipe)))
        {
            match message {
                Ok(Message::CompilerArtifact(artifact)) if artifact.profile.test => {
                    if sender.send(artifact).is_err() {
                        break;
                    }
                }
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {}
                Err(_) => break,
            }
        }
    });
    let mut built = Vec::new();
    let mut watch = Watch::new(interrupted);
    loop {
        match artifacts.recv_timeout(INTERRUPT_POLL) {
            Ok(artifact) => built.extend(executable(artifact, workspace)),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if watch.is_over(&mut child)? => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    let status = child
        .wait()
        .map_err(|source| SuiteError::io("wait for cargo", source))?;
    check(status, interrupted)?;
    built.sort_by(|a, b| (&a.id, &a.path).cmp(&(&b.id, &b.path)));
    built.dedup();
    Ok(built)
}

/// Returns where cargo's messages go.
fn messages(options: &CargoOptions) -> Result<Stdio, SuiteError> {
    let Some(path) = &options.messages else {
        return Ok(Stdio::inherit());
    };
    let file = File::create(path)
        .map_err(|source| SuiteError::io(format!("write {}", path.display()), source))?;
    Ok(file.into())
}

/// Starts cargo.
fn spawn(cargo: &mut Command) -> Result<Child, SuiteError> {
    cargo.spawn().map_err(|source| SuiteError::CargoMissing {
        program: cargo.get_program().to_string_lossy().into_owned(),
        source,
    })
}

fn check(status: ExitStatus, interrupted: &AtomicBool) -> Result<(), SuiteError> {
    if interrupted.load(Ordering::Relaxed) || by_interrupt(status) {
        return Err(SuiteError::Interrupted);
    }
    if status.success() {
        Ok(())
    } else {
        Err(SuiteError::BuildFailed { status })
    }
}

/// Watches for ends that the pipe does not show: the user's interrupt, and a cargo that is gone while something it
/// started (a compiler cache's server) holds its pipe.
struct Watch<'a> {
    interrupted: &'a AtomicBool,
    since: Option<Instant>,
}

impl<'a> Watch<'a> {
    fn new(interrupted: &'a AtomicBool) -> Self {
        Self {
            interrupted,
            since: None,
        }
    }

    /// Returns whether cargo has ended a while ago.
    fn is_over(&mut self, child: &mut Child) -> Result<bool, SuiteError> {
        let ended = child
            .try_wait()
            .map_err(|source| SuiteError::io("wait for cargo", source))?;
        if ended.is_none() && !self.interrupted.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let overdue = self.since.get_or_insert_with(Instant::now).elapsed() > GRACE;
        if overdue && ended.is_none() {
            kill_with_descendants(child).map_err(|source| SuiteError::io("stop cargo", source))?;
        }
        Ok(overdue)
    }
}

fn executable(artifact: Artifact, workspace: &Workspace) -> Option<Built> {
    let path = artifact.executable?.into_std_path_buf();
    let package = package_name(&artifact.package_id.repr, workspace);
    let kind = kind(&artifact.target.kind);
    let target = artifact.target.name;
    Some(Built {
        id: binary_id(&package, &kind, &target),
        package,
        manifest: artifact.manifest_path.into(),
        kind,
        target,
        path,
    })
}

/// Returns the name behind a package id: the workspace knows its members; of others the id's own text is asked, which
/// is `url#name@version`, or `url/name#version`.
fn package_name(id: &str, workspace: &Workspace) -> String {
    if let Some(package) = workspace
        .packages
        .iter()
        .find(|package| package.id.repr == id)
    {
        return package.name.to_string();
    }
    let (url, fragment) = id.split_once('#').unwrap_or((id, ""));
    match fragment.split_once('@') {
        Some((name, _)) => name.to_owned(),
        None => url.rsplit('/').next().unwrap_or(url).to_owned(),
    }
}

/// Returns the kind of a target as nextest names it: whatever can be linked is a `lib`.
fn kind(kinds: &[TargetKind]) -> String {
    match kinds.first() {
        Some(TargetKind::Bin) => "bin".to_owned(),
        Some(TargetKind::Test) => "test".to_owned(),
        Some(TargetKind::Example) => "example".to_owned(),
        Some(TargetKind::Bench) => "bench".to_owned(),
        Some(TargetKind::ProcMacro) => "proc-macro".to_owned(),
        Some(TargetKind::Unknown(kind)) => kind.clone(),
        _ => "lib".to_owned(),
    }
}

/// Returns the name of a binary, as cargo-nextest forms it.
fn binary_id(package: &str, kind: &str, target: &str) -> BinaryId {
    BinaryId(match kind {
        "lib" | "proc-macro" => package.to_owned(),
        "test" => format!("{package}::{target}"),
        _ => format!("{package}::{kind}/{target}"),
    })
}
