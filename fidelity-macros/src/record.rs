//! The record of an annotation: bytes in a section of the test binary, which nobody has to run to read.
//!
//! ```text
//! record := F1 'F' 'I' 'D'  version:u8 = 1  length:u32  field*        (length of the fields; numbers little-endian)
//! field  := tag:u8  length:u32  bytes
//! ```
//!
//! | tag | holds | tag | holds |
//! |---|---|---|---|
//! | `p` | module path | `K` | kind |
//! | `n` | name of the function or module | `M` | a mock, once for each |
//! | `s` | `fn` or `mod` | `R` | something real, once for each |
//! | `f` | source file | `T` | tolerance, decimal |
//! | `l` | line, u32 | `t` | time limit, milliseconds, decimal |
//! | `i` | whether the user ignores the test, u8 | `c` | trials, decimal |
//! | `P` | a fidelity profile, once for each | `S` | severity |
//! | `N` | a need, once for each | `u` `o` `r` | quarantine: until, owner, reason |
//!
//! The reader is `fidelity-core/src/suite/annotation/record.rs`. Texts are UTF-8. A new field is a new tag, which old
//! readers skip; a change of meaning is a new version, which they refuse.
//!
//! Every token has the span `mixed_site`: its edition is that of this crate, in which `link_section` is no unsafe
//! attribute, and its lints are those of a foreign macro, so that `forbid(unsafe_code)` holds for what people wrote.

use proc_macro2::{Literal, Span, TokenStream};
use quote::quote_spanned;

use crate::arguments::Arguments;
use crate::attribute::Attribute;

const MAGIC: [u8; 4] = *b"\xF1FID";
const VERSION: u8 = 1;

/// What a record is about.
pub struct Subject<'a> {
    /// The function's or module's own name.
    pub name: &'a str,
    /// `fn` or `mod`.
    pub scope: &'static str,
    /// Its attributes: conditions of the item, and `#[ignore]`.
    pub attributes: &'a [Attribute],
}

/// Returns an item that puts the record into the test binary, and into no other.
pub fn tokens(subject: &Subject<'_>, arguments: &Arguments) -> TokenStream {
    let mut said = Vec::new();
    field(&mut said, b'n', subject.name);
    field(&mut said, b's', subject.scope);
    write(&mut said, arguments);
    let cfgs = conditions(subject.attributes);
    let ignored = ignored(subject.attributes);
    let (said_length, said) = (said.len(), Literal::byte_string(&said));
    let magic = Literal::byte_string(&MAGIC);
    quote_spanned! {mixed()=>
        #[cfg(test)]
        #(#cfgs)*
        const _: () = {
            const PATH: &[u8] = ::core::module_path!().as_bytes();
            const FILE: &[u8] = ::core::file!().as_bytes();
            const FIELDS: usize = 5 + PATH.len() + 5 + FILE.len() + 9 + 6 + #said_length;
            #[repr(C)]
            struct Record(
                [u8; 4], u8, [u8; 4],
                u8, [u8; 4], [u8; PATH.len()],
                u8, [u8; 4], [u8; FILE.len()],
                u8, [u8; 4], [u8; 4],
                u8, [u8; 4], u8,
                [u8; #said_length],
            );
            const fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
                let mut array = [0; N];
                let mut at = 0;
                while at < N {
                    array[at] = bytes[at];
                    at += 1;
                }
                array
            }
            const fn length(bytes: usize) -> [u8; 4] {
                (bytes as u32).to_le_bytes()
            }
            #[used]
            #[cfg_attr(target_vendor = "apple", link_section = "__DATA,__fidelity")]
            #[cfg_attr(target_os = "windows", link_section = ".fidmeta")]
            #[cfg_attr(not(any(target_vendor = "apple", target_os = "windows")), link_section = "fidelity_meta")]
            static RECORD: Record = Record(
                *#magic, #VERSION, length(FIELDS),
                b'p', length(PATH.len()), array(PATH),
                b'f', length(FILE.len()), array(FILE),
                b'l', length(4), ::core::line!().to_le_bytes(),
                b'i', length(1), #ignored as u8,
                *#said,
            );
        };
    }
}

/// Returns the `#[cfg]`s of the item: where it is left out, so is its record.
fn conditions(attributes: &[Attribute]) -> Vec<TokenStream> {
    let cfgs = attributes
        .iter()
        .filter(|attribute| attribute.name == "cfg");
    cfgs.map(|attribute| {
        let arguments = &attribute.arguments;
        let cfg = quote_spanned!(mixed()=> cfg #arguments);
        match attribute.condition() {
            Some(condition) => quote_spanned!(mixed()=> #[cfg_attr(#condition, #cfg)]),
            None => quote_spanned!(mixed()=> #[#cfg]),
        }
    })
    .collect()
}

/// Returns an expression that says whether the user ignores the test.
fn ignored(attributes: &[Attribute]) -> TokenStream {
    let mut conditions = Vec::new();
    for ignore in attributes
        .iter()
        .filter(|attribute| attribute.is_users_ignore())
    {
        match ignore.condition() {
            Some(condition) => conditions.push(condition),
            None => return quote_spanned!(mixed()=> true),
        }
    }
    quote_spanned!(mixed()=> ::core::cfg!(any(#(#conditions),*)))
}

fn write(said: &mut Vec<u8>, arguments: &Arguments) {
    let lists = [
        (b'P', &arguments.profiles),
        (b'N', &arguments.needs),
        (b'M', &arguments.mocks),
        (b'R', &arguments.real),
    ];
    for (tag, values) in lists {
        values.iter().for_each(|value| field(said, tag, value));
    }
    let texts = [
        (b'K', arguments.kind.clone()),
        (b'T', arguments.tolerance.clone()),
        (b't', arguments.timeout.map(|ms| ms.to_string())),
        (b'c', arguments.trials.map(|trials| trials.to_string())),
        (b'S', arguments.severity.clone()),
    ];
    for (tag, value) in texts {
        if let Some(value) = value {
            field(said, tag, &value);
        }
    }
    if let Some(quarantine) = &arguments.quarantine {
        field(said, b'u', &quarantine.until);
        field(said, b'o', &quarantine.owner);
        field(said, b'r', &quarantine.reason);
    }
}

fn field(said: &mut Vec<u8>, tag: u8, value: &str) {
    // No literal of a source file is as long as a u32.
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
    said.push(tag);
    said.extend(length.to_le_bytes());
    said.extend(value.as_bytes());
}

/// The span of everything that is made here.
pub fn mixed() -> Span {
    Span::mixed_site()
}
