//! The record of an annotation: bytes in a section of the test binary, which nobody has to run to read.
//!
//! ```text
//! record := 01 "FIDELITY" version (1F field)* 1E 00*      version := "2"
//! field  := tag value                                     tag := one letter
//! ```
//!
//! | tag | holds | tag | holds |
//! |---|---|---|---|
//! | `p` | module path | `K` | kind |
//! | `n` | name of the function or module | `M` | a mock, once for each |
//! | `s` | `fn` or `mod` | `R` | something real, once for each |
//! | `f` | source file | `T` | tolerance, decimal |
//! | `l` | line, decimal | `t` | time limit, milliseconds, decimal |
//! | `i` | whether the user ignores the test: `true`, `false` | `c` | trials, decimal |
//! | `P` | a fidelity profile, once for each | `S` | severity |
//! | `N` | a need, once for each | `u` `o` `r` | quarantine: until, owner, reason |
//!
//! The reader is `fidelity-core/src/suite/annotation/record.rs`. All of it is UTF-8, and no value holds a control character. A
//! new field is a new tag, which old readers skip; a change of meaning is a new version, which they refuse.
//!
//! What an annotation costs is paid by every build of its crate, so that the compiler is left with as little as can be. The
//! record is one `concat!`, which needs no evaluation; it is followed by zeros, so that its length is a literal: the length of a
//! text that only the compiler knows is a constant of its own, which costs five times as much as the rest. There is room for
//! so much of path and file; a longer file is cut off, which the reader knows. And what is added to a crate is made from one text,
//! not token by token. The tokens have the span of this macro: their edition is that of this crate, in which `link_section` is
//! no unsafe attribute, and their lints are those of a foreign macro, so that `forbid(unsafe_code)` holds for what people wrote.
//! The one unsafe expression among them takes the first bytes of a literal that is longer.

use proc_macro2::{Span, TokenStream};

use crate::arguments::Arguments;
use crate::attribute::Attribute;

/// Bytes for module path and file.
const ROOM: usize = 384;

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
///
/// # Errors
/// Where a condition of the item cannot be repeated.
pub fn tokens(subject: &Subject<'_>, arguments: &Arguments) -> syn::Result<TokenStream> {
    let mut said = String::new();
    field(&mut said, 'n', subject.name);
    field(&mut said, 's', subject.scope);
    write(&mut said, arguments);
    let cfgs = conditions(subject.attributes);
    let ignored = ignored(subject.attributes);
    // What stands before the zeros is longer than what is said, so that so many bytes are always there.
    let size = said.len() + ROOM;
    let said = said.escape_default();
    let zeros = "\\0".repeat(ROOM);
    let text = format!(
        r#"
        #[cfg(test)]
        {cfgs}
        const _: () = {{
            #[used]
            #[cfg_attr(target_vendor = "apple", link_section = "__DATA,__fidelity")]
            #[cfg_attr(target_os = "windows", link_section = ".fidmeta")]
            #[cfg_attr(not(any(target_vendor = "apple", target_os = "windows")), link_section = "fidelity_meta")]
            static RECORD: [u8; {size}] = unsafe {{
                *::core::concat!(
                    "\u{{1}}FIDELITY2{said}\u{{1f}}l", ::core::line!(), "\u{{1f}}i", {ignored},
                    "\u{{1f}}p", ::core::module_path!(), "\u{{1f}}f", ::core::file!(), "\u{{1e}}{zeros}",
                ).as_ptr().cast()
            }};
        }};
        "#
    );
    // All of it but the conditions is ours, and these were tokens before.
    text.parse()
        .map_err(|error| syn::Error::new(Span::call_site(), error))
}

/// Returns the `#[cfg]`s of the item: where it is left out, so is its record.
fn conditions(attributes: &[Attribute]) -> String {
    let cfgs = attributes
        .iter()
        .filter(|attribute| attribute.name == "cfg");
    cfgs.map(|attribute| {
        let arguments = &attribute.arguments;
        match attribute.condition() {
            Some(condition) => format!("#[cfg_attr({condition}, cfg {arguments})]"),
            None => format!("#[cfg {arguments}]"),
        }
    })
    .collect()
}

/// Returns an expression that says whether the user ignores the test.
fn ignored(attributes: &[Attribute]) -> String {
    let mut conditions = Vec::new();
    for ignore in attributes
        .iter()
        .filter(|attribute| attribute.is_users_ignore())
    {
        match ignore.condition() {
            Some(condition) => conditions.push(condition.to_string()),
            None => return "true".to_owned(),
        }
    }
    match conditions.is_empty() {
        true => "false".to_owned(),
        false => format!("::core::cfg!(any({}))", conditions.join(", ")),
    }
}

fn write(said: &mut String, arguments: &Arguments) {
    let lists = [
        ('P', &arguments.profiles),
        ('N', &arguments.needs),
        ('M', &arguments.mocks),
        ('R', &arguments.real),
    ];
    for (tag, values) in lists {
        values.iter().for_each(|value| field(said, tag, value));
    }
    let texts = [
        ('K', arguments.kind.clone()),
        ('T', arguments.tolerance.clone()),
        ('t', arguments.timeout.map(|ms| ms.to_string())),
        ('c', arguments.trials.map(|trials| trials.to_string())),
        ('S', arguments.severity.clone()),
    ];
    for (tag, value) in texts {
        if let Some(value) = value {
            field(said, tag, &value);
        }
    }
    if let Some(quarantine) = &arguments.quarantine {
        field(said, 'u', &quarantine.until);
        field(said, 'o', &quarantine.owner);
        field(said, 'r', &quarantine.reason);
    }
}

fn field(said: &mut String, tag: char, value: &str) {
    said.push('\u{1f}');
    said.push(tag);
    said.push_str(value);
}

/// The span of everything that is made here.
pub fn mixed() -> Span {
    Span::mixed_site()
}
