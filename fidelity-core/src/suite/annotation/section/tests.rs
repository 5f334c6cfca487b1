//! Binaries of three systems, built by hand, and files that only pretend to be some.

use object::write::{Object, StandardSection};
use object::{Architecture, BinaryFormat, Endianness as ByteOrder, SectionKind};

use super::*;

const SAID: &[u8] = b"what the macro wrote";

fn kept(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("binary");
    std::fs::write(&path, bytes).unwrap();
    (directory, path)
}

fn read_bytes(bytes: &[u8]) -> Result<Option<Vec<u8>>, SectionError> {
    let (_directory, path) = kept(bytes);
    read(&path)
}

fn object(format: BinaryFormat, architecture: Architecture, endian: ByteOrder) -> Vec<u8> {
    let mut object = Object::new(format, architecture, endian);
    object.section_id(StandardSection::Text);
    let (segment, name) = match format {
        BinaryFormat::MachO => ("__DATA", MACHO_SECTION),
        _ => ("", ELF_SECTION),
    };
    let section = object.add_section(
        segment.as_bytes().to_vec(),
        name.as_bytes().to_vec(),
        SectionKind::ReadOnlyData,
    );
    object.append_section_data(section, SAID, 1);
    object.write().unwrap()
}

/// A PE image with one section; the linker pads it with zeros.
fn image(is_64: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = object::write::pe::Writer::new(is_64, 0x1000, 0x200, &mut bytes);
    writer.reserve_dos_header_and_stub();
    writer.reserve_nt_headers(16);
    writer.reserve_section_headers(1);
    let range = writer.reserve_section(
        *b".fidmeta",
        pe::IMAGE_SCN_CNT_INITIALIZED_DATA | pe::IMAGE_SCN_MEM_READ,
        u32::try_from(SAID.len()).unwrap(),
        u32::try_from(SAID.len()).unwrap(),
    );
    writer.write_dos_header_and_stub().unwrap();
    writer.write_nt_headers(object::write::pe::NtHeaders {
        machine: pe::IMAGE_FILE_MACHINE_AMD64,
        time_date_stamp: 0,
        characteristics: pe::IMAGE_FILE_EXECUTABLE_IMAGE,
        major_linker_version: 14,
        minor_linker_version: 0,
        address_of_entry_point: 0x1000,
        image_base: 0x0040_0000,
        major_operating_system_version: 6,
        minor_operating_system_version: 0,
        major_image_version: 0,
        minor_image_version: 0,
        major_subsystem_version: 6,
        minor_subsystem_version: 0,
        subsystem: pe::IMAGE_SUBSYSTEM_WINDOWS_CUI,
        dll_characteristics: pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT,
        size_of_stack_reserve: 0x100_000,
        size_of_stack_commit: 0x1000,
        size_of_heap_reserve: 0x100_000,
        size_of_heap_commit: 0x1000,
    });
    writer.write_section_headers();
    writer.write_section(range.file_offset, SAID);
    bytes
}

#[test]
fn sections_of_three_systems_are_found() {
    let cases = [
        (
            "elf 64",
            object(BinaryFormat::Elf, Architecture::X86_64, ByteOrder::Little),
        ),
        (
            "elf 32",
            object(BinaryFormat::Elf, Architecture::I386, ByteOrder::Little),
        ),
        (
            "elf big-endian",
            object(BinaryFormat::Elf, Architecture::S390x, ByteOrder::Big),
        ),
        (
            "mach-o 64",
            object(
                BinaryFormat::MachO,
                Architecture::Aarch64,
                ByteOrder::Little,
            ),
        ),
        (
            "mach-o 32",
            object(BinaryFormat::MachO, Architecture::I386, ByteOrder::Little),
        ),
        ("pe 64", image(true)),
        ("pe 32", image(false)),
    ];
    for (name, bytes) in cases {
        let found = read_bytes(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = found.unwrap_or_else(|| panic!("{name}: no section"));
        assert!(found.starts_with(SAID), "{name}: {found:?}");
        let padding = &found[SAID.len()..];
        assert!(padding.iter().all(|byte| *byte == 0), "{name}: {found:?}");
    }
}

#[test]
fn a_binary_without_annotations_has_none() {
    let mut plain = Object::new(BinaryFormat::Elf, Architecture::X86_64, ByteOrder::Little);
    plain.section_id(StandardSection::Text);
    assert!(read_bytes(&plain.write().unwrap()).unwrap().is_none());
    let own = std::env::current_exe().unwrap();
    assert!(
        read(&own).unwrap().is_none(),
        "this very test binary has none"
    );
}

#[test]
fn what_is_no_binary_is_told_and_what_is_cut_off_as_well() {
    assert!(matches!(
        read(Path::new("/no/such/file")),
        Err(SectionError::Open(_))
    ));
    for bytes in [&b""[..], b"#!/bin/sh\nexit 0\n", &[0; 4096]] {
        assert!(
            matches!(read_bytes(bytes), Err(SectionError::Format(_))),
            "{bytes:?}"
        );
    }
}

#[test]
fn cutting_or_changing_any_byte_of_a_binary_gives_an_answer() {
    for whole in [
        object(BinaryFormat::Elf, Architecture::X86_64, ByteOrder::Little),
        object(
            BinaryFormat::MachO,
            Architecture::Aarch64,
            ByteOrder::Little,
        ),
        image(true),
    ] {
        let (_directory, path) = kept(&whole);
        for at in 0..whole.len().min(1024) {
            std::fs::write(&path, &whole[..at]).unwrap();
            let _ = read(&path);
            let mut changed = whole.clone();
            changed[at] ^= 0xff;
            std::fs::write(&path, &changed).unwrap();
            let _ = read(&path);
        }
    }
}

#[test]
fn a_section_that_claims_more_than_anything_real_is_refused_unread() {
    let mut bytes = object(BinaryFormat::Elf, Architecture::X86_64, ByteOrder::Little);
    // The section's header is the one whose size is that of what it holds.
    let size = (SAID.len() as u64).to_le_bytes();
    let at = memchr::memmem::rfind(&bytes, &size).unwrap();
    let claimed = READ_AT_MOST + 1;
    bytes[at..at + 8].copy_from_slice(&claimed.to_le_bytes());
    let (_directory, path) = kept(&bytes);
    assert!(
        matches!(read(&path), Err(SectionError::Format(_))),
        "it is not there"
    );
    // A hole takes no room on disk, and would take it in memory.
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(claimed * 2).unwrap();
    assert!(matches!(read(&path), Err(SectionError::TooMuch)));
}
