//! What a canary finds out about the clock: what it says, in a child as well, and whether waits end.
//!
//! Must not know: by how much the clock was to be shifted.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{ARGUMENT, attempts};

/// How long each wait is to be.
const WAIT: Duration = Duration::from_millis(100);
/// A wait that ends before this did not wait.
const EARLIEST: Duration = Duration::from_millis(50);
/// A wait that has not ended by then hangs.
const LATEST: Duration = Duration::from_secs(2);

/// The clock as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClockSeen {
    /// What it says, in seconds after 1970.
    pub(crate) now_s: i64,
    /// What it says in a process that this one started.
    pub(crate) child_now_s: Option<i64>,
    /// How a file is dated that was just made.
    pub(crate) file_s: Option<i64>,
    /// What became of waits.
    pub(crate) waits: Vec<WaitSeen>,
}

/// A wait of 100 ms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WaitSeen {
    /// By what.
    pub(crate) name: String,
    /// Whether it ended, and not too early.
    pub(crate) in_time: bool,
}

/// Looks at the clock, and waits in every way.
pub(super) fn look() -> ClockSeen {
    let waits: [(&str, fn()); 5] = [
        ("mpsc::recv_timeout", receive),
        ("Condvar::wait_timeout", condition),
        ("thread::park_timeout", || thread::park_timeout(WAIT)),
        ("poll", || attempts::poll(100)),
        ("epoll_wait", || attempts::epoll(100)),
    ];
    ClockSeen {
        now_s: now_s(),
        child_now_s: child_now_s(),
        file_s: file_s(),
        waits: waits
            .into_iter()
            .map(|(name, wait)| WaitSeen {
                name: name.to_owned(),
                // A wait may end early by chance, but hardly twice.
                in_time: ends_in_time(wait) || ends_in_time(wait),
            })
            .collect(),
    }
}

/// Returns what the clock says, in seconds after 1970.
pub(super) fn now_s() -> i64 {
    seconds(SystemTime::now())
}

fn seconds(time: SystemTime) -> i64 {
    let signed = |length: Duration| i64::try_from(length.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => signed(after),
        Err(before) => -signed(before.duration()),
    }
}

fn child_now_s() -> Option<i64> {
    let executable = std::env::current_exe().ok()?;
    let output = Command::new(executable).args([ARGUMENT, "now"]).output();
    String::from_utf8(output.ok()?.stdout).ok()?.parse().ok()
}

fn file_s() -> Option<i64> {
    let path = std::env::temp_dir().join(format!("canary-{}", std::process::id()));
    std::fs::write(&path, b"").ok()?;
    let modified = std::fs::metadata(&path).and_then(|metadata| metadata.modified());
    drop(std::fs::remove_file(&path));
    modified.ok().map(seconds)
}

/// Runs `wait` in a thread that is left alone if it hangs.
fn ends_in_time(wait: fn()) -> bool {
    let done = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&done);
    let began = Instant::now();
    thread::spawn(move || {
        wait();
        told.store(true, Ordering::SeqCst);
    });
    while !done.load(Ordering::SeqCst) {
        if began.elapsed() > LATEST {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
    began.elapsed() >= EARLIEST
}

fn receive() {
    let (sender, receiver) = mpsc::channel::<()>();
    let _silence = receiver.recv_timeout(WAIT);
    drop(sender);
}

fn condition() {
    let mutex = Mutex::new(());
    if let Ok(guard) = mutex.lock() {
        drop(Condvar::new().wait_timeout(guard, WAIT));
    }
}
