//! Attributes as tokens: what of them matters here, also inside `cfg_attr`. No body is ever looked into.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::quote;

/// What the reason of an `#[ignore]` of ours begins with.
pub const OURS: &str = "fidelity: ";

/// One attribute, those inside a `cfg_attr` each for themselves.
#[derive(Clone)]
pub struct Attribute {
    /// The last part of its path: `test` of `tokio::test`.
    pub name: String,
    /// What follows the path.
    pub arguments: TokenStream,
    /// Where its path stands.
    pub span: Span,
    /// The predicates of the `cfg_attr`s around it.
    pub conditions: Vec<TokenStream>,
}

impl Attribute {
    /// Returns whether the attribute makes a test of a function. No list can be complete: names that end in `test` are
    /// tests by convention (`tokio::test`, `rstest`, `wasm_bindgen_test`, `gtest` ...), and a few others are known.
    pub fn makes_a_test(&self) -> bool {
        self.name.ends_with("test")
            || matches!(
                self.name.as_str(),
                "test_case" | "test_matrix" | "quickcheck" | "bench" | "apply" | "parameterized"
            )
    }

    /// Returns whether it is an `#[ignore]` that somebody wrote.
    pub fn is_users_ignore(&self) -> bool {
        let ours = || {
            let mut texts = self
                .arguments
                .clone()
                .into_iter()
                .filter_map(|token| match token {
                    TokenTree::Literal(literal) => Some(literal.to_string()),
                    _ => None,
                });
            texts.any(|text| text.starts_with(&format!("\"{OURS}")))
        };
        self.name == "ignore" && !ours()
    }

    /// Returns the whole predicate under which the attribute is there; none if it always is.
    pub fn condition(&self) -> Option<TokenStream> {
        let conditions = &self.conditions;
        (!conditions.is_empty()).then(|| quote!(all(#(#conditions),*)))
    }
}

/// The attributes at the start of `tokens`, and how many tokens they take. Groups without delimiters, which macros make,
/// are looked through.
pub fn leading(tokens: &[TokenTree]) -> (Vec<Attribute>, usize) {
    let mut found = Vec::new();
    let mut at = 0;
    while let [TokenTree::Punct(hash), TokenTree::Group(group), ..] = &tokens[at..] {
        if hash.as_char() != '#' || group.delimiter() != Delimiter::Bracket {
            break;
        }
        read(group.stream(), &[], &mut found);
        at += 2;
    }
    (found, at)
}

/// Reads what stands in the brackets of an attribute.
fn read(tokens: TokenStream, conditions: &[TokenStream], found: &mut Vec<Attribute>) {
    let mut path: Option<(String, Span)> = None;
    let mut arguments = TokenStream::new();
    let mut tokens = flat(tokens).into_iter();
    for token in tokens.by_ref() {
        match token {
            TokenTree::Ident(ident) => path = Some((ident.to_string(), ident.span())),
            TokenTree::Punct(ref punct) if punct.as_char() == ':' => {}
            TokenTree::Group(ref group) if matches!(&path, Some((name, _)) if name == "unsafe") => {
                return read(group.stream(), conditions, found);
            }
            other => {
                arguments.extend([other]);
                break;
            }
        }
    }
    arguments.extend(tokens);
    let Some((name, span)) = path else { return };
    if name == "cfg_attr" {
        if let Some(TokenTree::Group(group)) = arguments.into_iter().next() {
            read_conditional(group.stream(), conditions, found);
        }
        return;
    }
    let conditions = conditions.to_vec();
    found.push(Attribute {
        name,
        arguments,
        span,
        conditions,
    });
}

/// Reads the `unix, ignore, should_panic` of a `cfg_attr`.
fn read_conditional(tokens: TokenStream, outer: &[TokenStream], found: &mut Vec<Attribute>) {
    let mut parts = vec![TokenStream::new()];
    for token in tokens {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == ',' => parts.push(TokenStream::new()),
            _ => {
                if let Some(last) = parts.last_mut() {
                    last.extend([token]);
                }
            }
        }
    }
    let mut parts = parts.into_iter();
    let mut conditions = outer.to_vec();
    conditions.extend(parts.next());
    for part in parts {
        read(part, &conditions, found);
    }
}

/// Returns the tokens with those of groups without delimiters in their place.
pub fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    let mut all = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                all.extend(flat(group.stream()));
            }
            other => all.push(other),
        }
    }
    all
}
