//! `open-files`, `file-size`, `memory`: resource limits, soft and hard.
//!
//! `memory` limits the address space, which is coarser than resident memory: arenas and stacks count.
//! A write past `file-size` fails with EFBIG; the signal that comes with it is ignored, or every failure would look
//! like a crash.

use serde::{Deserialize, Serialize};

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, number, smaller};

/// A resource that can be limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Resource {
    OpenFiles,
    FileSize,
    Memory,
    Stack,
}

impl Resource {
    pub(crate) const ALL: [Self; 4] = [Self::OpenFiles, Self::FileSize, Self::Memory, Self::Stack];

    /// Returns the number the system knows the resource by.
    pub(crate) fn number(self) -> i32 {
        let number = match self {
            Self::OpenFiles => libc::RLIMIT_NOFILE,
            Self::FileSize => libc::RLIMIT_FSIZE,
            Self::Memory => libc::RLIMIT_AS,
            Self::Stack => libc::RLIMIT_STACK,
        };
        // The C library's headers do not agree on the type; the numbers are small.
        i32::try_from(number).unwrap_or(-1)
    }

    /// Returns the step of limiting it, as an infinitive.
    pub(crate) fn step(self) -> &'static str {
        match self {
            Self::OpenFiles => "limit its open files",
            Self::FileSize => "limit the size of its files",
            Self::Memory => "limit its memory",
            Self::Stack => "limit its stack",
        }
    }

    fn of(knob: &KnobId) -> Option<Self> {
        match knob.0.as_str() {
            "open-files" => Some(Self::OpenFiles),
            "file-size" => Some(Self::FileSize),
            "memory" => Some(Self::Memory),
            _ => None,
        }
    }
}

/// A limit to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limit {
    pub(crate) resource: Resource,
    pub(crate) value: u64,
}

pub(super) struct Limits;

impl Family for Limits {
    fn owns(&self, knob: &KnobId) -> bool {
        Resource::of(knob).is_some()
    }

    fn prepare(
        &self,
        knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        let resource = Resource::of(knob).ok_or("no such limit")?;
        sandbox.confinement.limits.push(Limit {
            resource,
            value: number(value)?,
        });
        sandbox.confinement.ignore_file_size_signal |= resource == Resource::FileSize;
        Ok(())
    }

    fn observe(
        &self,
        knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let resource = Resource::of(knob).ok_or("no such limit")?;
        let wanted = number(value)?;
        match seen.limits.get(&resource) {
            Some(&limit) if limit != wanted => {
                Err(format!("a process started with it has a limit of {limit}"))
            }
            None => Err("the limit could not be read".to_owned()),
            Some(_) if resource == Resource::OpenFiles => {
                let opened = seen.files_opened;
                match &seen.open_error {
                    None => Ok(format!("limit {wanted}, not reached with {opened} files")),
                    Some(error) => Ok(format!("limit {wanted}: after {opened} files, {error}")),
                }
            }
            Some(_) => Ok(format!("limit {value}")),
        }
    }

    fn harsher(&self, value: &KnobValue, production: &KnobValue) -> bool {
        smaller(value, production)
    }
}
