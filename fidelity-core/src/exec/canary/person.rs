//! Who the canary is, and what it is kept from.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::Person;
use crate::exec::sys::account;

pub(super) fn look() -> Person {
    Person {
        users: account::own_users(),
        groups: account::own_primary_groups(),
        supplementary: account::own_groups(),
        executable_error: executable_error(),
        kept_out: kept_out(&std::env::temp_dir()),
        mapped: fs::read_to_string("/proc/self/mountinfo")
            .map(|mounts| mapped(&mounts))
            .unwrap_or_default(),
    }
}

/// By its path: the kernel's own link to it leads there whatever the directories above it allow.
fn executable_error() -> Option<String> {
    let path = std::env::current_exe().ok()?;
    let error = File::open(&path).err()?;
    Some(format!("{}: {error}", path.display()))
}

fn kept_out(directory: &Path) -> Option<bool> {
    let path = directory.join(format!("canary-{}-locked", std::process::id()));
    let made = File::options()
        .write(true)
        .create_new(true)
        .mode(0o000)
        .open(&path);
    made.ok()?;
    let kept_out = File::open(&path).is_err();
    drop(fs::remove_file(&path));
    Some(kept_out)
}

/// Returns the mount points of a list of mounts at which owners are mapped.
fn mapped(mounts: &str) -> Vec<String> {
    let points = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(4);
        let (point, options) = (fields.next()?, fields.next()?);
        let is_mapped = options.split(',').any(|option| option == "idmapped");
        is_mapped.then(|| point.replace("\\040", " "))
    });
    points.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_mounts_are_told_by_their_own_options() {
        let mounts = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
            63 22 254:0 /root /root rw,relatime,idmapped - ext4 /dev/vda rw\n\
            64 22 254:0 /a\\040b /a\\040b rw,idmapped master:1 - ext4 /dev/vda rw\n\
            65 22 0:5 / /c rw - fuse idmapped rw\n\
            cut";
        assert_eq!(mapped(mounts), ["/root", "/a b"]);
    }
}
