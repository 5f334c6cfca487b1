//! Ctrl-C and its kin: the first stops cleanly, a second one ends the tool at once. The guardians clean up either way.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use fidelity_core::exec::ExecError;
use fidelity_core::exec::direct::RunnerOptions;

/// The signals that end a run.
#[cfg(unix)]
const ENDING: [i32; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// Tells whether, and lets others wait until, the user wants to stop.
#[derive(Debug)]
pub struct Signals {
    stop: Arc<AtomicBool>,
    #[cfg(unix)]
    wake: std::os::unix::net::UnixStream,
}

impl Signals {
    /// Takes over the signals that end a run.
    pub fn install() -> Result<Self, ExecError> {
        Self::registered().map_err(unwatched)
    }

    fn registered() -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        {
            let (wake, alarm) = std::os::unix::net::UnixStream::pair()?;
            for signal in ENDING {
                // The order counts: a second signal finds the flag up and ends the process.
                let interrupted = i32::from(crate::exit_code::ExitCode::Interrupted.code());
                signal_hook::flag::register_conditional_shutdown(
                    signal,
                    interrupted,
                    Arc::clone(&stop),
                )?;
                signal_hook::flag::register(signal, Arc::clone(&stop))?;
                signal_hook::low_level::pipe::register(signal, alarm.try_clone()?)?;
            }
            Ok(Self { stop, wake })
        }
        #[cfg(not(unix))]
        {
            signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&stop))?;
            Ok(Self { stop })
        }
    }

    /// Returns the flag that goes up with the first signal.
    pub fn flag(&self) -> &AtomicBool {
        &self.stop
    }

    /// Returns how this executable runs `slots` trials at a time, until the first signal.
    pub fn runner_options(
        &self,
        slots: usize,
        timeout_ms: u64,
    ) -> Result<RunnerOptions, ExecError> {
        Ok(RunnerOptions {
            helper: RunnerOptions::this_executable(),
            slots,
            timeout_ms,
            arguments: Vec::new(),
            // Becomes readable with the first signal.
            #[cfg(unix)]
            wake: Some(self.wake.try_clone().map_err(unwatched)?.into()),
            parent: None,
        })
    }
}

/// Returns the error of a process that has no descriptor left to be told of signals.
fn unwatched(source: io::Error) -> ExecError {
    ExecError::System {
        action: "watch for signals".to_owned(),
        source,
    }
}
