//! Finding the section in a test binary: headers and that section are read, and nothing else of the file.
//!
//! # Guarantee
//! A file of any content gives bytes, nothing, or an error; at most [`READ_AT_MOST`] bytes of it are held.

use std::cell::Cell;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

use object::read::elf::{FileHeader, SectionHeader};
use object::read::macho::{MachHeader, Section, Segment};
use object::read::pe::ImageNtHeaders;
use object::{Endianness, FileKind, ReadCache, ReadRef, elf, macho, pe};

/// The section of ELF files.
pub const ELF_SECTION: &str = "fidelity_meta";
/// The section of Mach-O files, in the segment `__DATA`.
pub const MACHO_SECTION: &str = "__fidelity";
/// The section of PE files, whose names have eight letters.
pub const PE_SECTION: &str = ".fidmeta";
/// Headers, names and annotations of one binary. A hundred thousand annotated tests need less.
pub const READ_AT_MOST: u64 = 48 * 1024 * 1024;

/// Why annotations of a binary could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SectionError {
    /// The file cannot be opened.
    #[error("could not open the file")]
    Open(#[source] std::io::Error),
    /// The file is no executable of a known kind, or a damaged one.
    #[error("{0}")]
    Format(String),
    /// The headers or the annotations are larger than anything real.
    #[error("more than {READ_AT_MOST} bytes of headers and annotations")]
    TooMuch,
}

/// Returns the bytes of the section; none where a binary has no annotations.
///
/// # Errors
/// Every variant of [`SectionError`].
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, SectionError> {
    let file = File::open(path).map_err(SectionError::Open)?;
    let cache = ReadCache::new(file);
    let left = Cell::new(Some(READ_AT_MOST));
    let data = Bounded {
        file: &cache,
        left: &left,
    };
    let found = find(data).map(|section| section.map(<[u8]>::to_vec));
    if left.get().is_none() {
        return Err(SectionError::TooMuch);
    }
    found.map_err(|Damage(what)| SectionError::Format(what))
}

fn find(data: Bounded<'_>) -> Result<Option<&[u8]>, Damage> {
    match FileKind::parse(data)? {
        FileKind::Elf32 => in_elf::<elf::FileHeader32<Endianness>>(data),
        FileKind::Elf64 => in_elf::<elf::FileHeader64<Endianness>>(data),
        FileKind::MachO32 => in_macho::<macho::MachHeader32<Endianness>>(data),
        FileKind::MachO64 => in_macho::<macho::MachHeader64<Endianness>>(data),
        FileKind::Pe32 => in_pe::<pe::ImageNtHeaders32>(data),
        FileKind::Pe64 => in_pe::<pe::ImageNtHeaders64>(data),
        // Scripts that stand in for a binary, WebAssembly: they have no annotations that we know of.
        _ => Ok(None),
    }
}

fn in_elf<'data, Header: FileHeader<Endian = Endianness>>(
    data: Bounded<'data>,
) -> Result<Option<&'data [u8]>, Damage> {
    let header = Header::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let section = sections.section_by_name(endian, ELF_SECTION.as_bytes());
    Ok(section
        .map(|(_, section)| section.data(endian, data))
        .transpose()?)
}

fn in_macho<'data, Header: MachHeader<Endian = Endianness>>(
    data: Bounded<'data>,
) -> Result<Option<&'data [u8]>, Damage> {
    let header = Header::parse(data, 0)?;
    let endian = header.endian()?;
    let mut commands = header.load_commands(endian, data, 0)?;
    while let Some(command) = commands.next()? {
        let Some((segment, sections)) = Header::Segment::from_command(command)? else {
            continue;
        };
        for section in segment.sections(endian, sections)? {
            if section.name() == MACHO_SECTION.as_bytes() {
                return Ok(Some(section.data(
                    endian,
                    data,
                    section.offset(endian).into(),
                )?));
            }
        }
    }
    Ok(None)
}

fn in_pe<'data, Headers: ImageNtHeaders>(
    data: Bounded<'data>,
) -> Result<Option<&'data [u8]>, Damage> {
    let dos = pe::ImageDosHeader::parse(data)?;
    let mut offset = u64::from(dos.nt_headers_offset());
    let (headers, _) = Headers::parse(data, &mut offset)?;
    let sections = headers.sections(data, offset)?;
    let section = sections
        .iter()
        .find(|section| section.raw_name() == PE_SECTION.as_bytes());
    Ok(section.map(|section| section.pe_data(data)).transpose()?)
}

/// What is wrong with a file, for people.
struct Damage(String);

impl From<object::read::Error> for Damage {
    fn from(error: object::read::Error) -> Self {
        Self(error.to_string().to_lowercase())
    }
}

/// A file of which only so much may be read.
#[derive(Clone, Copy)]
struct Bounded<'data> {
    file: &'data ReadCache<File>,
    /// None once somebody asked for too much.
    left: &'data Cell<Option<u64>>,
}

impl Bounded<'_> {
    fn spend(&self, size: u64) -> Result<(), ()> {
        let left = self.left.get().and_then(|left| left.checked_sub(size));
        self.left.set(left);
        left.map(|_| ()).ok_or(())
    }
}

impl<'data> ReadRef<'data> for Bounded<'data> {
    fn len(self) -> Result<u64, ()> {
        self.file.len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'data [u8], ()> {
        // A lie about what is not there is the file's mistake, not too much of it.
        if self.len()? < offset.checked_add(size).ok_or(())? {
            return Err(());
        }
        self.spend(size)?;
        self.file.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'data [u8], ()> {
        let text = self.file.read_bytes_at_until(range, delimiter)?;
        self.spend(text.len() as u64)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
