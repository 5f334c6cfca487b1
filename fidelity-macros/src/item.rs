//! What the annotation stands on: a test function or an inline module, told by the tokens before its body.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};

use crate::attribute::{self, Attribute};

/// The annotated item.
pub struct Item {
    /// What stands above it and below the annotation.
    pub attributes: Vec<Attribute>,
    /// Function or module.
    pub shape: Shape,
    /// Its own name.
    pub name: String,
}

/// What kind of item it is.
pub enum Shape {
    /// Whatever its body.
    Function,
    /// With its body.
    Module(Group),
}

/// Reads an item.
///
/// # Errors
/// Where it is neither a function nor an inline module.
pub fn read(tokens: TokenStream) -> syn::Result<Item> {
    let tokens = attribute::flat(tokens);
    let (attributes, used) = attribute::leading(&tokens);
    let rest = &tokens[used..];
    let start = rest.first().map_or_else(Span::call_site, TokenTree::span);
    let refuse = |span: Span, message: &str| Err(syn::Error::new(span, message));
    let Some((keyword, after)) = head(rest) else {
        return refuse(
            start,
            "this is neither a function nor a module\nhelp: `#[fidelity]` stands on a test function or an inline module",
        );
    };
    let [TokenTree::Ident(name), after @ ..] = after else {
        return refuse(start, "expected a name");
    };
    let shape = match after {
        _ if keyword == "fn" => Shape::Function,
        [TokenTree::Group(body), ..] if body.delimiter() == Delimiter::Brace => {
            Shape::Module(body.clone())
        }
        _ => {
            return refuse(
                name.span(),
                "this module is in a file of its own, where an attribute cannot reach\nhelp: annotate its tests, or an inline module in that file",
            );
        }
    };
    Ok(Item {
        attributes,
        shape,
        name: name.to_string(),
    })
}

/// Returns the `fn` or `mod` of an item, if what stands before it may stand there, and what follows.
fn head(tokens: &[TokenTree]) -> Option<(&'static str, &[TokenTree])> {
    for (position, token) in tokens.iter().enumerate() {
        let after = &tokens[position + 1..];
        match token {
            TokenTree::Ident(ident) if *ident == "fn" => return Some(("fn", after)),
            TokenTree::Ident(ident) if *ident == "mod" => return Some(("mod", after)),
            TokenTree::Ident(ident) => {
                let word = ident.to_string();
                let qualifies = [
                    "pub", "crate", "const", "async", "unsafe", "safe", "extern", "default",
                ];
                if !qualifies.contains(&word.as_str()) {
                    return None;
                }
            }
            // `pub(crate)`, `extern "C"`
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {}
            TokenTree::Literal(_) => {}
            _ => return None,
        }
    }
    None
}
