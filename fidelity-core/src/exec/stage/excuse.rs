//! Why a stage cannot be had: the step that failed, and what on this machine is likely to be behind it.
//!
//! Must not know: knobs.

use std::io;
use std::path::Path;

use super::NoStage;
use super::holder::{Failed, Means};
use super::plan::Part;

/// Returns what is to be said of `failures`, the last of which counts.
pub(super) fn of(failures: &[Failed]) -> NoStage {
    let signs = Signs::here();
    let mut words: Vec<String> = failures.iter().map(in_words).collect();
    if words.is_empty() {
        words.push("it was not tried".to_owned());
    }
    let mut reason = words.join("; ");
    if let Some(cause) = failures.last().and_then(|failed| cause(failed, &signs)) {
        reason = format!("{reason} ({cause})");
    }
    NoStage {
        // What failed with the tool's own privileges is what is asked for; a user namespace is only a way to it.
        part: failures.last().map_or(Part::Whole, |failed| failed.part),
        reason,
    }
}

fn in_words(failed: &Failed) -> String {
    let how = match (failed.means, failed.part) {
        (Means::UserNamespace, Part::Whole) | (Means::Own, _) => "",
        (Means::UserNamespace, _) => " in a user namespace",
    };
    let error = io::Error::from_raw_os_error(failed.errno);
    format!("could not {}{how}: {error}", failed.step)
}

/// What on a machine keeps namespaces from being made.
struct Signs {
    /// AppArmor takes the privileges away that a user namespace gives.
    app_armor: bool,
    /// The administrator has switched user namespaces off.
    switched_off: Option<&'static str>,
    /// The tool runs in a container.
    container: bool,
    /// A filter decides about its system calls.
    filtered: bool,
}

impl Signs {
    fn here() -> Self {
        let says = |path: &str, text: &str| {
            std::fs::read_to_string(path).is_ok_and(|content| content.trim() == text)
        };
        let switches = [
            (
                "/proc/sys/user/max_user_namespaces",
                "user.max_user_namespaces",
            ),
            (
                "/proc/sys/kernel/unprivileged_userns_clone",
                "kernel.unprivileged_userns_clone",
            ),
        ];
        let marks = ["/.dockerenv", "/run/.containerenv"];
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self {
            app_armor: says(
                "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
                "1",
            ),
            switched_off: switches
                .into_iter()
                .find(|(path, _)| says(path, "0"))
                .map(|(_, name)| name),
            container: std::env::var_os("container").is_some()
                || marks.into_iter().any(|mark| Path::new(mark).exists()),
            filtered: status.lines().any(|line| line == "Seccomp:\t2"),
        }
    }
}

/// Returns the likely cause, and what to do about it.
fn cause(failed: &Failed, signs: &Signs) -> Option<String> {
    let forbidden = [libc::EPERM, libc::EACCES].contains(&failed.errno);
    let in_user_namespace = failed.means == Means::UserNamespace;
    if let Some(name) = signs.switched_off
        && in_user_namespace
        && (forbidden || failed.errno == libc::ENOSPC)
    {
        return Some(format!("{name} is 0: run as root, or set it"));
    }
    match failed.errno {
        libc::ENOSPC | libc::EUSERS => Some("a limit below /proc/sys/user is reached".to_owned()),
        libc::EINVAL | libc::ENOSYS | libc::ENODEV | libc::ENOENT => {
            Some("this kernel seems to be built without it".to_owned())
        }
        libc::EROFS if signs.container => Some(
            "this container mounts /proc/sys read-only: run it with more privileges".to_owned(),
        ),
        _ if !forbidden => None,
        _ if in_user_namespace && signs.app_armor => Some(
            "AppArmor restricts user namespaces here: run as root, or set \
             kernel.apparmor_restrict_unprivileged_userns to 0"
                .to_owned(),
        ),
        _ if failed.part == Part::Pids => Some(
            "where parts of /proc are covered, as in most containers, no other can be mounted"
                .to_owned(),
        ),
        _ if signs.container || signs.filtered => Some(
            "a container or a seccomp filter around the tool may forbid it: run it with \
             CAP_SYS_ADMIN, or without that filter"
                .to_owned(),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Signs = Signs {
        app_armor: false,
        switched_off: None,
        container: false,
        filtered: false,
    };

    fn failed(part: Part, errno: i32, means: Means) -> Failed {
        Failed {
            part,
            step: "make a network namespace".to_owned(),
            errno,
            means,
        }
    }

    #[test]
    fn every_attempt_is_named_and_the_last_one_counts() {
        let failures = [
            failed(Part::Network, libc::EPERM, Means::Own),
            failed(Part::Whole, libc::EPERM, Means::UserNamespace),
        ];
        let excuse = of(&failures);
        assert_eq!(excuse.part, Part::Whole);
        assert!(excuse.reason.starts_with(
            "could not make a network namespace: Operation not permitted (os error 1); could not"
        ));
        assert!(!of(&[]).reason.is_empty());
    }

    #[test]
    fn the_cause_is_named_only_where_there_is_a_sign_of_it() {
        let user = |errno| failed(Part::Network, errno, Means::UserNamespace);
        let said = |failed: &Failed, signs: &Signs| cause(failed, signs).unwrap_or_default();
        assert_eq!(said(&user(libc::EPERM), &NONE), "");
        let armored = Signs {
            app_armor: true,
            ..NONE
        };
        assert!(said(&user(libc::EPERM), &armored).contains("AppArmor"));
        // Root is not restricted by it.
        let own = failed(Part::Network, libc::EPERM, Means::Own);
        assert_eq!(said(&own, &armored), "");
        let off = Signs {
            switched_off: Some("user.max_user_namespaces"),
            ..NONE
        };
        assert!(said(&user(libc::ENOSPC), &off).starts_with("user.max_user_namespaces is 0"));
        assert!(said(&user(libc::EINVAL), &NONE).contains("kernel"));
        let container = Signs {
            container: true,
            ..NONE
        };
        let filtered = Signs {
            filtered: true,
            ..NONE
        };
        assert!(said(&own, &container).contains("container"));
        assert!(said(&own, &filtered).contains("seccomp"));
        let pids = failed(Part::Pids, libc::EPERM, Means::UserNamespace);
        assert!(said(&pids, &container).contains("/proc are covered"));
    }
}
