//! Tests that linger where they are told to.

#[cfg(test)]
mod tests {
    use std::io::Write;

    /// Adds the name to the log, and lingers where it is told to.
    fn trial(name: &str) {
        if let Some(log) = std::env::var_os("TRIAL_LOG") {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
            writeln!(file, "{name}").unwrap();
        }
        if std::env::var_os("HOLD").is_some_and(|hold| std::fs::exists(hold).unwrap()) {
            let daemon = "setsid sleep 1000 & exit 0";
            std::process::Command::new("sh").args(["-c", daemon]).status().unwrap();
            loop {
                std::thread::park();
            }
        }
    }

    #[test]
    fn fails_in_the_target() {
        trial("fails_in_the_target");
        assert!(std::env::var_os("PLANTED").is_none(), "the target is harsher");
    }

    #[test]
    fn fails_everywhere() {
        trial("fails_everywhere");
        panic!("broken");
    }

    #[test]
    fn passes_a() {
        trial("passes_a");
    }

    #[test]
    fn passes_b() {
        trial("passes_b");
    }
}
