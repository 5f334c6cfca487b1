//! Tests that behave as their names say.

#[cfg(test)]
mod tests {
    use std::io::Write;

    /// Adds the name to the log and returns whether the target's variable is set.
    fn planted(name: &str) -> bool {
        if let Some(log) = std::env::var_os("TRIAL_LOG") {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
            writeln!(file, "{name}").unwrap();
        }
        if std::env::var_os("TRIAL_NOISE").is_some() && name.starts_with("fails") {
            make_noise();
        }
        std::env::var_os("PLANTED").is_some()
    }

    /// Prints so much that storing it fills the log of the store, differently each time.
    fn make_noise() {
        let process = u64::from(std::process::id());
        let lines: String = (0..2_000_u64).map(|line| format!("{line:040} {:020}\n", process * line)).collect();
        std::io::stdout().write_all(lines.as_bytes()).unwrap();
        std::io::stderr().write_all(lines.as_bytes()).unwrap();
    }

    #[test]
    fn fails_in_the_target() {
        assert!(!planted("fails_in_the_target"), "the target is harsher");
    }

    #[test]
    fn fails_in_the_baseline() {
        assert!(planted("fails_in_the_baseline"), "the baseline lacks something");
    }

    #[test]
    fn fails_everywhere() {
        planted("fails_everywhere");
        panic!("broken");
    }

    #[test]
    fn passes_a() {
        planted("passes_a");
    }

    #[test]
    fn passes_b() {
        planted("passes_b");
    }

    #[test]
    fn passes_c() {
        planted("passes_c");
    }

    #[test]
    fn passes_d() {
        planted("passes_d");
    }

    #[test]
    fn passes_e() {
        planted("passes_e");
    }

    #[test]
    fn passes_f() {
        planted("passes_f");
    }
}
