//! Tests that misbehave. What each has to come to is stated by the tests that run them.

use std::io::Write;
use std::process::Command;
use std::time::Duration;

unsafe extern "C" {
    fn fork() -> i32;
    fn setsid() -> i32;
    fn kill(pid: i32, signal: i32) -> i32;
    fn getppid() -> i32;
    fn _exit(status: i32) -> !;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn sigprocmask(how: i32, set: *const u8, old: *mut u8) -> i32;
    fn setpgid(pid: i32, group: i32) -> i32;
    fn clock() -> std::ffi::c_long;
}

fn sleep_long() {
    std::thread::sleep(Duration::from_secs(600));
}

/// Leaves a process in a session of its own that holds the standard output open, and waits until it runs.
fn daemonise() {
    let ready = std::env::temp_dir().join(format!("daemon-{}", std::process::id()));
    unsafe {
        let child = fork();
        if child == 0 {
            setsid();
            if fork() == 0 {
                drop(std::fs::write(&ready, "up"));
                sleep_long();
            }
            _exit(0);
        }
        waitpid(child, std::ptr::null_mut(), 0);
    }
    while !ready.exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn passes() {}

#[test]
fn passes_too() {}

#[test]
fn fails() {
    assert_eq!(1 + 1, 3, "sums are off by {}", 1);
}

#[test]
fn returns_an_error() -> Result<(), std::num::ParseIntError> {
    "x".parse::<i32>().map(drop)
}

#[test]
#[ignore = "needs what is not there"]
fn is_ignored() {}

#[test]
#[should_panic(expected = "as it should")]
fn panics_as_it_should() {
    panic!("as it should");
}

#[test]
fn hangs() {
    sleep_long();
}

#[test]
fn hangs_and_leaves_a_daemon() {
    daemonise();
    sleep_long();
}

#[test]
fn passes_and_leaves_a_daemon() {
    daemonise();
}

#[test]
fn fails_and_leaves_many_processes() {
    for _ in 0..20 {
        daemonise();
    }
    panic!("they are up");
}

#[test]
fn passes_and_leaves_a_child_in_its_group() {
    let child = Command::new("sleep").arg("600").spawn().unwrap();
    std::mem::forget(child);
}

#[test]
fn kills_its_child_without_waiting() {
    let mut child = Command::new("sleep").arg("600").spawn().unwrap();
    child.kill().unwrap();
}

#[test]
fn leaves_processes_that_keep_forking() {
    unsafe {
        for _ in 0..4 {
            if fork() == 0 {
                setsid();
                // Each generation ends as soon as the next is there, so no process is ever old.
                for _ in 0..100_000 {
                    match fork() {
                        0 => continue,
                        _ => _exit(0),
                    }
                }
                _exit(0);
            }
        }
    }
    std::thread::sleep(Duration::from_millis(20));
}

#[test]
fn sees_its_daemon_disappear() {
    let pidfile = std::env::temp_dir().join("pidfile");
    unsafe {
        let child = fork();
        if child == 0 {
            setsid();
            if fork() == 0 {
                drop(std::fs::write(&pidfile, std::process::id().to_string()));
                std::thread::sleep(Duration::from_millis(30));
                _exit(0);
            }
            _exit(0);
        }
        waitpid(child, std::ptr::null_mut(), 0);
    }
    let pid = loop {
        match std::fs::read_to_string(&pidfile).ok().and_then(|text| text.parse::<i32>().ok()) {
            Some(pid) => break pid,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    // An orphan that nobody reaps would be there for ever.
    while unsafe { kill(pid, 0) } == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn prints_300_megabytes() {
    let block = [b'x'; 1 << 20];
    let mut stdout = std::io::stdout().lock();
    for _ in 0..300 {
        stdout.write_all(&block).unwrap();
    }
    stdout.write_all(b"\n").unwrap();
}

#[test]
fn prints_300_megabytes_and_fails() {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(b"the beginning\n").unwrap();
    let block = [b'x'; 1 << 20];
    for _ in 0..300 {
        stdout.write_all(&block).unwrap();
    }
    stdout.write_all(b"\nthe end\n").unwrap();
    panic!("enough");
}

#[test]
fn prints_invalid_utf8_and_fails() {
    std::io::stdout().write_all(b"\xff\xfe\x00\x1b[31m out\n").unwrap();
    std::io::stderr().write_all(b"\xc3\x28 err\n").unwrap();
    panic!("bytes");
}

#[test]
fn kills_its_group() {
    unsafe { kill(0, 9) };
}

#[test]
fn kills_its_parent() {
    let parent = unsafe { getppid() };
    daemonise();
    unsafe { kill(parent, 9) };
    sleep_long();
}

#[test]
fn terminates_its_group_softly() {
    unsafe { kill(0, 15) };
    sleep_long();
}

#[test]
fn joins_another_group_and_hangs() {
    unsafe { setpgid(0, getppid()) };
    sleep_long();
}

#[test]
fn aborts() {
    std::process::abort();
}

#[test]
fn exits_early() {
    std::process::exit(0);
}

#[test]
fn exits_early_and_lies() {
    println!("this is not the test result: ok. 1 passed; 0 failed; 0 ignored");
    std::process::exit(0);
}

#[test]
fn stops_itself() {
    unsafe { kill(std::process::id() as i32, 19) };
}

#[test]
fn replaces_its_binary() {
    let own = std::env::current_exe().unwrap();
    let copy = own.with_extension("new");
    std::fs::copy("/bin/sh", &copy).unwrap();
    std::fs::rename(&copy, &own).unwrap();
}

/// Writes what the process sees to the file named by REPORT.
#[test]
fn reports_what_it_sees() {
    let mut mask = [0_u8; 128];
    unsafe { sigprocmask(0, std::ptr::null(), mask.as_mut_ptr()) };
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap();
    let mut descriptors: Vec<String> = descriptors
        .filter_map(|entry| {
            let entry = entry.unwrap();
            let target = std::fs::read_link(entry.path()).ok()?;
            let kind: String = target.to_string_lossy().chars().take_while(|c| *c != ':').collect();
            Some(format!("{}={kind}", entry.file_name().to_string_lossy()))
        })
        .filter(|line| !line.contains("/proc/"))
        .collect();
    descriptors.sort();
    // Of this thread: the main one blocks every signal while it starts another.
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let signals: Vec<&str> = status
        .lines()
        .filter(|line| line.starts_with("SigBlk") || line.starts_with("SigIgn"))
        .collect();
    let report = format!(
        "descriptors {}\nblocked {}\n{}\ndirectory {}\ntmpdir {}\nrunner {}\n",
        descriptors.join(" "),
        mask.iter().any(|byte| *byte != 0),
        signals.join(" "),
        std::env::current_dir().unwrap().display(),
        std::env::temp_dir().display(),
        std::env::args().collect::<Vec<_>>()[1..].join(" "),
    );
    std::fs::write(std::env::var("REPORT").unwrap(), report).unwrap();
}

/// Prints the secret it was given, and fails with it.
#[test]
fn tells_its_secret() {
    let secret = std::env::var("PASSWORD").unwrap();
    println!("password: {secret}");
    panic!("the password is {secret}");
}

/// Appends its name to the file named by ORDER.
fn append(name: &str) {
    let path = std::env::var("ORDER").unwrap();
    let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
    file.write_all(format!("{name}\n").as_bytes()).unwrap();
}

macro_rules! ordered {
    ($($name:ident)*) => { $(#[test] fn $name() { append(stringify!($name)); })* };
}

ordered!(ordered_a ordered_b ordered_c ordered_d ordered_e ordered_f ordered_g ordered_h);

#[test]
fn writes_a_file_of_2_megabytes() {
    let path = std::env::temp_dir().join("large");
    std::fs::write(path, vec![b'x'; 2 << 20]).unwrap();
}

#[test]
fn reads_its_input_to_the_end() {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut std::io::stdin(), &mut text).unwrap();
    assert_eq!(text, "");
}

#[test]
fn is_kept_out_of_what_it_may_not_read() {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write("locked", "secret").unwrap();
    std::fs::set_permissions("locked", std::fs::Permissions::from_mode(0o000)).unwrap();
    let read = std::fs::read("locked");
    let kept = std::env::var_os("KEEP").is_some();
    if !kept {
        std::fs::remove_file("locked").unwrap();
    }
    assert!(read.is_err(), "it was read all the same");
}

#[test]
fn tells_the_name_of_its_user() {
    panic!("USER={:?} LOGNAME={:?}", std::env::var("USER"), std::env::var("LOGNAME"));
}

#[test]
fn opens_its_output_again() {
    for name in ["/dev/stdout", "/dev/stderr"] {
        std::fs::File::options().write(true).open(name).unwrap();
    }
}

/// Reads the clock again and again for WORK_MS, and appends to ORDER for how much of it the clock jumped by more than
/// 25 ms, and how much processor time it had, in microseconds.
#[test]
fn notes_how_long_it_stood_still() {
    let work = std::env::var("WORK_MS").unwrap().parse().unwrap();
    let before = unsafe { clock() };
    let began = std::time::Instant::now();
    let (mut last, mut still) = (began, Duration::ZERO);
    while last - began < Duration::from_millis(work) {
        let now = std::time::Instant::now();
        if now - last > Duration::from_millis(25) {
            still += now - last;
        }
        last = now;
    }
    let had = unsafe { clock() } - before;
    append(&format!("{} {had} {}", still.as_micros(), (last - began).as_micros()));
}

#[test]
fn touches_64_megabytes() {
    let bytes = std::hint::black_box(vec![1_u8; 64 << 20]);
    assert_eq!(bytes[bytes.len() - 1], 1);
}
