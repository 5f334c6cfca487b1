//! The stage of the tests: the hostile test binary, a suite made of it, and a runner for it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use fidelity_core::domain::{
    Arm, BinaryId, Environment, KnobId, KnobValue, ListedTest, Observation, PassEnd, PassSpec,
    Phase, Scope, TestId, TestIndex,
};
use fidelity_core::exec::direct::{DirectRunner, RunnerOptions};
use fidelity_core::exec::{ExecError, Runner};
use fidelity_core::suite::{Suite, SuiteTest, TestBinary};

/// The variable that tells a process of ours where the compiled hostile test binary is.
pub const HOSTILE: &str = "FIDELITY_TEST_HOSTILE";

/// Returns the hostile test binary, compiled where its source is newer.
pub fn hostile() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os(HOSTILE) {
        Some(binary) => binary.into(),
        None => compile(),
    })
}

fn compile() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/testdata/hostile/hostile.rs");
    compiled(&source, "hostile", &["--test"])
}

/// Returns the test binary made of `source` with `options`, compiled where that is newer, and kept as `name`.
pub fn compiled(source: &Path, name: &str, options: &[&str]) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let kept = directory.join(name);
    let changed = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified());
    if changed(&kept).is_ok_and(|kept| kept > changed(source).unwrap()) {
        return kept;
    }
    let binary = directory.join(format!("{name}-{}", std::process::id()));
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let status = Command::new(rustc)
        .args(options)
        .args(["--edition", "2024", "-o"])
        .arg(&binary)
        .arg(source)
        .status()
        .unwrap();
    assert!(status.success());
    std::fs::rename(&binary, &kept).unwrap();
    kept
}

/// Returns the executable that becomes guardian and canary.
pub fn helper() -> PathBuf {
    std::env::var_os("FIDELITY_TEST_HELPER").map_or_else(
        || env!("CARGO_BIN_EXE_cargo-fidelity").into(),
        PathBuf::from,
    )
}

/// A suite of one binary, and where its runs live.
pub struct Stage {
    pub suite: Suite,
    pub listed: Vec<ListedTest>,
    pub parent: tempfile::TempDir,
    pub timeout_ms: u64,
    pub slots: usize,
}

impl Stage {
    /// A stage with `tests` of the hostile binary.
    pub fn new(tests: &[&str]) -> Self {
        Self::with_binary(hostile(), tests)
    }

    pub fn with_binary(binary: &Path, tests: &[&str]) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let mut environment: Vec<(OsString, OsString)> = std::env::vars_os()
            .filter(|(name, _)| ["PATH", "HOME"].iter().any(|kept| name == kept))
            .collect();
        environment.push(("BASE".into(), "1".into()));
        let mut names = tests.to_vec();
        names.sort_unstable();
        let ids: Vec<TestId> = names
            .iter()
            .map(|name| TestId::new("hostile", *name))
            .collect();
        let others = ["passes_too"].map(|name| TestId::new("hostile", name));
        let others: Vec<TestId> = others
            .into_iter()
            .filter(|other| !ids.contains(other))
            .collect();
        let suite = Suite {
            binaries: vec![TestBinary {
                id: BinaryId("hostile".into()),
                package: "hostile".into(),
                kind: "test".into(),
                path: binary.to_owned(),
                directory: parent.path().to_owned(),
                environment,
                runner: Vec::new(),
                target: "hostile".into(),
                lists: true,
                says_result: true,
                own_harness: false,
            }],
            // One more, so that the binary is never run as a whole, with everything in it that hangs or kills.
            tests: ids
                .iter()
                .chain(&others)
                .map(|id| SuiteTest {
                    id: id.clone(),
                    binary: 0,
                    ignored: false,
                    held_back: false,
                    annotation: None,
                })
                .collect(),
            problems: Vec::new(),
        };
        let listed = ids.into_iter().map(|id| ListedTest {
            id,
            selected: true,
            suspicious: false,
            terms: None,
        });
        Self {
            suite,
            listed: listed.collect(),
            parent,
            timeout_ms: 20_000,
            slots: 2,
        }
    }

    /// Sets a variable of the environment cargo would give.
    pub fn set(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.suite.binaries[0]
            .environment
            .push((name.into(), value.into()));
        self
    }

    pub fn timeout_ms(mut self, timeout_ms: u64) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }

    pub fn slots(mut self, slots: usize) -> Self {
        self.slots = slots;
        self
    }

    pub fn runner(&self) -> DirectRunner {
        self.runner_with(|_| {})
    }

    pub fn runner_with(&self, change: impl FnOnce(&mut RunnerOptions)) -> DirectRunner {
        let mut options = RunnerOptions {
            helper: helper(),
            slots: self.slots,
            timeout_ms: self.timeout_ms,
            arguments: Vec::new(),
            wake: None,
            parent: Some(self.parent.path().to_owned()),
        };
        change(&mut options);
        DirectRunner::new(&self.suite, &self.listed, options).unwrap()
    }

    /// Returns a pass over every test.
    pub fn spec(&self, number: u32) -> PassSpec {
        PassSpec {
            number,
            phase: Phase::Screen,
            arm: Arm::Target,
            target_probability: 1.0,
            scope: Scope::Suite,
            tests: (0..self.listed.len() as u32).map(TestIndex).collect(),
            arm_pass: 0,
            order_seed: 5,
            timeout_factor: 1,
        }
    }

    /// Runs one pass. Returns what was seen, by name, and how the pass ended.
    pub fn pass(
        &self,
        runner: &mut DirectRunner,
        number: u32,
        environment: &Environment,
    ) -> Result<(BTreeMap<String, Observation>, PassEnd), ExecError> {
        let spec = self.spec(number);
        let mut seen = BTreeMap::new();
        let end = runner.run_pass(&spec, &spec.tests, environment, &mut |batch| {
            for observation in batch {
                let name = self.listed[observation.test.get()].id.test.clone();
                assert!(seen.insert(name, observation).is_none(), "seen twice");
            }
            ControlFlow::Continue(())
        })?;
        Ok((seen, end))
    }

    /// Runs one pass as things are.
    pub fn run(&self) -> BTreeMap<String, Observation> {
        let mut runner = self.runner();
        let (seen, end) = self.pass(&mut runner, 1, &Environment::default()).unwrap();
        assert_eq!(end, PassEnd::Completed);
        drop(runner);
        self.assert_nothing_is_left();
        seen
    }

    /// Fails unless the run directory is gone.
    pub fn assert_nothing_is_left(&self) {
        let left = run_directories(self.parent.path());
        assert!(left.is_empty(), "{left:?}");
    }
}

/// Returns the run directories under `parent`.
pub fn run_directories(parent: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(parent)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .contains("fidelity-")
        })
        .collect()
}

/// Returns whether nobody uses the run directories under `parent`: a process that dies loses its arguments before its locks.
pub fn nobody_is_in(parent: &Path) -> bool {
    run_directories(parent).iter().all(|directory| {
        let lock = std::fs::File::open(directory.join("cargo-fidelity.lock"));
        lock.is_ok_and(|lock| lock.try_lock().is_ok())
    })
}

/// Returns an environment of these knobs.
pub fn environment(knobs: &[(&str, KnobValue)]) -> Environment {
    Environment(
        knobs
            .iter()
            .map(|(knob, value)| (KnobId::from(*knob), value.clone()))
            .collect(),
    )
}

/// Returns the processes whose environment holds `token`.
pub fn processes_with(token: &str) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").unwrap();
    entries
        .filter_map(|entry| {
            let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
            let found = environment
                .windows(token.len())
                .any(|window| window == token.as_bytes());
            found.then_some(pid)
        })
        .collect()
}

/// Waits until `condition` holds; fails after `limit`.
pub fn wait_until(limit: Duration, what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < limit, "{what} took longer than {limit:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
