//! Strings in the form in which a program is given its arguments and its environment.

use std::ffi::{CString, NulError};

/// Strings as `execve` wants them: pointers into owned C strings, ended by a null pointer.
pub(crate) struct StringList {
    strings: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

impl StringList {
    /// Takes over `strings`. Fails on a string that holds a NUL byte.
    pub(crate) fn new(strings: Vec<Vec<u8>>) -> Result<Self, NulError> {
        let strings = strings
            .into_iter()
            .map(CString::new)
            .collect::<Result<Vec<_>, _>>()?;
        let mut list = Self {
            pointers: Vec::with_capacity(strings.len() + 1),
            strings,
        };
        list.point();
        Ok(list)
    }

    /// Cuts the list back to its first `length` strings and appends `more`.
    pub(crate) fn replace_from(
        &mut self,
        length: usize,
        more: Vec<Vec<u8>>,
    ) -> Result<(), NulError> {
        self.strings.truncate(length);
        for string in more {
            self.strings.push(CString::new(string)?);
        }
        self.point();
        Ok(())
    }

    fn point(&mut self) {
        self.pointers.clear();
        self.pointers
            .extend(self.strings.iter().map(|string| string.as_ptr()));
        self.pointers.push(std::ptr::null());
    }

    /// Returns the pointers; they are valid as long as the list is, and ended by a null pointer.
    pub(super) fn as_pointers(&self) -> &[*const libc::c_char] {
        &self.pointers
    }
}
