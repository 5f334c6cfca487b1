//! Users as the system knows them.

use std::ffi::{CStr, CString};

/// A user of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// The name; none for a number that has no entry.
    pub(crate) name: Option<String>,
    /// The number.
    pub(crate) user: u32,
    /// The primary group.
    pub(crate) group: u32,
    /// Every group, the primary one included.
    pub(crate) groups: Vec<u32>,
}

/// What a look-up asks for.
enum Key<'a> {
    Name(&'a CStr),
    Number(u32),
}

/// Returns the account called `name`, which may be a number: that of a user, whether there is an entry or not.
pub(crate) fn account(name: &str) -> Option<Account> {
    let text = CString::new(name).ok()?;
    if let Some(found) = look_up(Key::Name(&text)) {
        return Some(found);
    }
    let user: u32 = name.parse().ok().filter(|user| *user != u32::MAX)?;
    look_up(Key::Number(user)).or(Some(Account {
        name: None,
        user,
        group: user,
        groups: vec![user],
    }))
}

/// Returns the name of user `number`; none if it has no entry.
pub(crate) fn name_of(number: u32) -> Option<String> {
    look_up(Key::Number(number))?.name
}

fn look_up(key: Key<'_>) -> Option<Account> {
    /// More than any entry holds.
    const MOST: usize = 1 << 20;
    let mut size = 1024;
    loop {
        let mut buffer: Vec<libc::c_char> = vec![0; size];
        // SAFETY: an all-zero entry is valid; its strings are written into the buffer, whose size is given, and are read
        // while it lives.
        unsafe {
            let mut entry: libc::passwd = std::mem::zeroed();
            let mut found = std::ptr::null_mut();
            let place = buffer.as_mut_ptr();
            let result = match key {
                Key::Name(name) => {
                    libc::getpwnam_r(name.as_ptr(), &raw mut entry, place, size, &raw mut found)
                }
                Key::Number(number) => {
                    libc::getpwuid_r(number, &raw mut entry, place, size, &raw mut found)
                }
            };
            if result == libc::ERANGE && size < MOST {
                size *= 4;
                continue;
            }
            if result != 0 || found.is_null() || entry.pw_name.is_null() {
                return None;
            }
            let name = CStr::from_ptr(entry.pw_name);
            return Some(Account {
                name: name.to_str().ok().map(str::to_owned),
                user: entry.pw_uid,
                group: entry.pw_gid,
                groups: groups_of(name, entry.pw_gid),
            });
        }
    }
}

/// Returns the groups of user `name`, `primary` included.
fn groups_of(name: &CStr, primary: u32) -> Vec<u32> {
    /// More groups than a process can have.
    const MOST: usize = 1 << 16;
    let mut groups: Vec<u32> = vec![0; 64];
    loop {
        let mut count = libc::c_int::try_from(groups.len()).unwrap_or(libc::c_int::MAX);
        // SAFETY: the list has room for `count` numbers, all of a group's size.
        let result = unsafe {
            libc::getgrouplist(
                name.as_ptr(),
                primary as _,
                groups.as_mut_ptr().cast(),
                &raw mut count,
            )
        };
        let count = usize::try_from(count).unwrap_or(0);
        if result >= 0 {
            groups.truncate(count);
            return groups;
        }
        if groups.len() >= MOST {
            return vec![primary];
        }
        groups.resize(count.max(groups.len() * 2).min(MOST), 0);
    }
}

/// Returns the groups of this process.
pub(crate) fn own_groups() -> Vec<u32> {
    // SAFETY: a size of 0 asks for the count; afterwards the list has room for as many.
    unsafe {
        let count = libc::getgroups(0, std::ptr::null_mut());
        let mut groups = vec![0; usize::try_from(count).unwrap_or(0)];
        let read = libc::getgroups(count.max(0), groups.as_mut_ptr());
        groups.truncate(usize::try_from(read).unwrap_or(0));
        groups
    }
}

/// Returns the real and the effective user of this process.
pub(crate) fn own_users() -> (u32, u32) {
    // SAFETY: no arguments, never fail.
    unsafe { (libc::getuid(), libc::geteuid()) }
}

/// Returns the real and the effective group of this process.
pub(crate) fn own_primary_groups() -> (u32, u32) {
    // SAFETY: no arguments, never fail.
    unsafe { (libc::getgid(), libc::getegid()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_name_and_by_number() {
        let root = account("root").unwrap();
        assert_eq!((root.user, root.name.as_deref()), (0, Some("root")));
        assert!(root.groups.contains(&root.group));
        assert_eq!(account("0"), Some(root));
        assert_eq!(name_of(0).as_deref(), Some("root"));
    }

    #[test]
    fn a_number_without_an_entry_is_a_user_without_a_name() {
        let nobody_knows = account("3999999999").unwrap();
        assert_eq!(nobody_knows.name, None);
        assert_eq!(nobody_knows.groups, [3_999_999_999]);
        assert_eq!(account("no-such-user"), None);
        assert_eq!(account("-1"), None);
        // The number that means "leave it as it is" to the system calls.
        assert_eq!(account("4294967295"), None);
        assert_eq!(account("a\0b"), None);
    }
}
