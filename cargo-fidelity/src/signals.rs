//! Ctrl-C and its kin: the first stops cleanly, a second one ends the tool at once. The guardians clean up either way.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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
    pub fn install() -> io::Result<Self> {
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

    /// Returns a descriptor that becomes readable with the first signal.
    #[cfg(unix)]
    pub fn wake(&self) -> std::os::fd::BorrowedFd<'_> {
        use std::os::fd::AsFd;
        self.wake.as_fd()
    }
}
