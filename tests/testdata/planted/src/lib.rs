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
        std::env::var_os("PLANTED").is_some()
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
