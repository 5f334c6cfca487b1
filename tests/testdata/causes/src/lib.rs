//! Nothing: the tests are what matters.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::time::Duration;

    const VARIABLES: [&str; 5] = ["ALPHA", "BETA", "GAMMA", "DELTA", "EPSILON"];

    fn set(name: &str) -> bool {
        std::env::var_os(name).is_some()
    }

    /// Adds a line to the log, and waits there as long as this trial is to be held.
    fn trial(name: &str) {
        let Some(log) = std::env::var_os("TRIAL_LOG") else {
            return;
        };
        let number = VARIABLES.iter().filter(|name| set(name)).count();
        let mixed = 0 < number && number < VARIABLES.len();
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        file.write_all(format!("{name}{}\n", if mixed { " mixed" } else { "" }).as_bytes())
            .unwrap();
        let lines = fs::read_to_string(&log).unwrap();
        let before = lines
            .lines()
            .filter(|line| line.ends_with(" mixed"))
            .count();
        let hold = std::env::var_os("HOLD").unwrap_or_default();
        while mixed
            && fs::read_to_string(&hold)
                .is_ok_and(|number| number.trim().parse::<usize>().unwrap() < before)
        {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn single() {
        trial("single");
        assert!(!set("ALPHA"));
    }

    #[test]
    fn both() {
        trial("both");
        assert!(!(set("BETA") && set("GAMMA")));
    }

    #[test]
    fn either() {
        trial("either");
        assert!(!(set("BETA") || set("DELTA")));
    }

    #[test]
    fn in_the_south() {
        trial("in_the_south");
        assert_ne!(std::env::var("REGION").as_deref(), Ok("south"));
    }

    #[test]
    fn needs_a_hundred_files() {
        trial("needs_a_hundred_files");
        let limits = fs::read_to_string("/proc/self/limits").unwrap();
        let line = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max open files"))
            .unwrap();
        let soft: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
        assert!(100 <= soft);
    }

    fn refuses(variable: &str) {
        assert!(!set(variable), "refused");
    }

    #[test]
    fn unlike_a() {
        trial("unlike_a");
        refuses("DELTA");
    }

    #[test]
    fn unlike_b() {
        trial("unlike_b");
        refuses("ALPHA");
    }

    fn expects_no_epsilon() {
        assert!(!set("EPSILON"));
    }

    #[test]
    fn twin_a() {
        trial("twin_a");
        expects_no_epsilon();
    }

    #[test]
    fn twin_b() {
        trial("twin_b");
        expects_no_epsilon();
    }

    #[test]
    fn four_together() {
        trial("four_together");
        assert!(!VARIABLES[..4].iter().all(|name| set(name)));
    }

    #[test]
    fn flaky() {
        trial("flaky");
        let log = std::env::var_os("TRIAL_LOG").unwrap_or_default();
        let lines = fs::read_to_string(log).unwrap_or_default();
        assert!(
            lines
                .lines()
                .filter(|line| line.starts_with("flaky"))
                .count()
                % 2
                == 0
        );
    }
}
