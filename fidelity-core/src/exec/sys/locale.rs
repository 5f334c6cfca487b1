//! What the C library makes of the time zone and the locale of the environment.

use std::ffi::{CStr, CString};

/// Returns the offset from UTC in seconds and the zone's abbreviation, as the C library sees `seconds` after 1970.
pub(crate) fn local_time(seconds: i64) -> (i64, String) {
    // SAFETY: both structures are valid, and `tm_zone` points to a string of the C library that lives until the
    // time zone is set again, which this process does not.
    unsafe {
        let time = seconds as libc::time_t;
        let mut parts: libc::tm = std::mem::zeroed();
        if libc::localtime_r(&raw const time, &raw mut parts).is_null() {
            return (0, String::new());
        }
        let zone = if parts.tm_zone.is_null() {
            String::new()
        } else {
            CStr::from_ptr(parts.tm_zone).to_string_lossy().into_owned()
        };
        (i128::from(parts.tm_gmtoff) as i64, zone)
    }
}

/// Switches to the locale the environment names and returns what the C library calls it; none if it has no such one.
pub(crate) fn adopt_locale() -> Option<String> {
    let empty = CString::default();
    // SAFETY: the argument is a valid string, and the result is read before anything can change it.
    unsafe {
        let name = libc::setlocale(libc::LC_ALL, empty.as_ptr());
        if name.is_null() {
            return None;
        }
        Some(CStr::from_ptr(name).to_string_lossy().into_owned())
    }
}
