//! What becomes of an annotated item: itself, unchanged but for an `#[ignore]` where it means nothing outside a fidelity
//! profile, and a record beside it.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned, ToTokens};

use crate::arguments::Arguments;
use crate::attribute::{self, Attribute, OURS};
use crate::item::{self, Item, Shape};
use crate::record::{self, mixed, Subject};

/// Returns the item with its record.
///
/// # Errors
/// Every mistake there is, each where it stands.
pub fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let read = item::read(item.clone());
    let arguments: syn::Result<Arguments> = syn::parse2(arguments);
    let (arguments, read) = match (arguments, read) {
        (Ok(arguments), Ok(read)) => (arguments, read),
        (Err(mut error), Err(other)) => {
            error.combine(other);
            return Err(error);
        }
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    if let Some(second) = read
        .attributes
        .iter()
        .find(|attribute| attribute.name == "fidelity")
    {
        return Err(syn::Error::new(
            second.span,
            "this is annotated twice\nhelp: put all arguments into one `#[fidelity(...)]`",
        ));
    }
    match &read.shape {
        Shape::Function => function(&arguments, &read, item),
        Shape::Module(body) => module(&arguments, &read, body, item),
    }
}

fn function(arguments: &Arguments, read: &Item, item: TokenStream) -> syn::Result<TokenStream> {
    if !read.attributes.iter().any(Attribute::makes_a_test) {
        let message = format!(
            "`{}` is no test, or its test attribute stands above `#[fidelity]`, where it is not seen\nhelp: write `#[fidelity(...)]` above `#[test]`",
            read.name
        );
        return Err(syn::Error::new(Span::call_site(), message));
    }
    let record = record::tokens(
        &Subject {
            name: &read.name,
            scope: "fn",
            attributes: &read.attributes,
        },
        arguments,
    )?;
    let ignore = ignore(&arguments.profiles, &read.attributes);
    Ok(quote!(#ignore #item #record))
}

fn module(
    arguments: &Arguments,
    read: &Item,
    body: &Group,
    item: TokenStream,
) -> syn::Result<TokenStream> {
    let record = record::tokens(
        &Subject {
            name: &read.name,
            scope: "mod",
            attributes: &read.attributes,
        },
        arguments,
    )?;
    if arguments.profiles.is_empty() {
        return Ok(quote!(#item #record));
    }
    let mut inside = with_ignores(body.stream(), &arguments.profiles)?;
    let mut changed = TokenStream::new();
    let tokens = attribute::flat(item);
    // The body is the last brace of an inline module.
    let last = tokens.len().saturating_sub(1);
    for (position, token) in tokens.into_iter().enumerate() {
        match token {
            TokenTree::Group(old) if position == last && old.delimiter() == Delimiter::Brace => {
                let mut group = Group::new(Delimiter::Brace, std::mem::take(&mut inside));
                group.set_span(old.span());
                changed.extend([TokenTree::Group(group)]);
            }
            other => changed.extend([other]),
        }
    }
    Ok(quote!(#changed #record))
}

/// Returns the items of a module with an `#[ignore]` on each test that has no say of its own.
fn with_ignores(items: TokenStream, profiles: &[String]) -> syn::Result<TokenStream> {
    let tokens = attribute::flat(items);
    let mut changed = TokenStream::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let (attributes, used) = attribute::leading(&tokens[at..]);
        if used > 0 {
            if attributes.iter().any(Attribute::makes_a_test) {
                changed.extend(beside_a_test(&tokens[at + used..], &attributes, profiles)?);
            }
            changed.extend(tokens[at..at + used].iter().cloned());
            at += used;
            continue;
        }
        match (token, tokens.get(at + 1), tokens.get(at + 2)) {
            // A module in the module.
            (
                TokenTree::Ident(word),
                Some(name @ TokenTree::Ident(_)),
                Some(TokenTree::Group(body)),
            ) if *word == "mod" && body.delimiter() == Delimiter::Brace => {
                let mut group =
                    Group::new(Delimiter::Brace, with_ignores(body.stream(), profiles)?);
                group.set_span(body.span());
                changed.extend([token.clone(), name.clone(), TokenTree::Group(group)]);
                at += 3;
            }
            // A macro that is given tests.
            (
                TokenTree::Ident(word),
                Some(TokenTree::Punct(mark)),
                Some(TokenTree::Group(given)),
            ) if mark.as_char() == '!' && *word != "macro_rules" && holds_tests(given.stream()) => {
                return Err(syn::Error::new(
                    word.span(),
                    format!(
                        "tests in `{word}!` cannot be kept from running outside the fidelity profile\nhelp: annotate them inside of it, or move it out of this module"
                    ),
                ));
            }
            _ => {
                changed.extend([token.clone()]);
                at += 1;
            }
        }
    }
    Ok(changed)
}

/// Returns what has to stand before a test of an annotated module: an `#[ignore]`, unless it brings its own, and then a
/// record that says so.
fn beside_a_test(
    item: &[TokenTree],
    attributes: &[Attribute],
    profiles: &[String],
) -> syn::Result<TokenStream> {
    if attributes
        .iter()
        .any(|attribute| attribute.name == "fidelity" && names_profiles(attribute))
    {
        return Ok(TokenStream::new());
    }
    let ignore = ignore(profiles, attributes);
    let annotated = attributes
        .iter()
        .any(|attribute| attribute.name == "fidelity");
    if annotated || !attributes.iter().any(Attribute::is_users_ignore) {
        return Ok(ignore);
    }
    let mut item: TokenStream = item.iter().cloned().collect();
    item = quote!(#[test] #item);
    let Ok(Item { name, .. }) = item::read(first_item(item)) else {
        return Ok(ignore);
    };
    let record = record::tokens(
        &Subject {
            name: &name,
            scope: "fn",
            attributes,
        },
        &Arguments::default(),
    )?;
    Ok(quote!(#record #ignore))
}

/// Returns the tokens up to the first braces.
fn first_item(tokens: TokenStream) -> TokenStream {
    let mut done = false;
    tokens
        .into_iter()
        .take_while(|token| {
            let more = !done;
            done =
                matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
            more
        })
        .collect()
}

fn names_profiles(annotation: &Attribute) -> bool {
    let mut groups = annotation.arguments.clone().into_iter();
    matches!(groups.next(), Some(TokenTree::Group(group))
        if group.stream().into_iter().any(|token| matches!(token, TokenTree::Ident(name) if name == "profiles")))
}

/// Returns whether tokens hold the attribute of a test somewhere.
fn holds_tests(tokens: TokenStream) -> bool {
    let tokens = attribute::flat(tokens);
    (0..tokens.len()).any(|at| {
        let (attributes, used) = attribute::leading(&tokens[at..]);
        (used > 0 && attributes.iter().any(Attribute::makes_a_test))
            || matches!(&tokens[at], TokenTree::Group(group) if holds_tests(group.stream()))
    })
}

/// Returns the `#[ignore]` of a test that means nothing outside some profiles, where the user has none.
fn ignore(profiles: &[String], attributes: &[Attribute]) -> TokenStream {
    if profiles.is_empty() {
        return TokenStream::new();
    }
    let named: Vec<String> = profiles
        .iter()
        .map(|profile| format!("`{profile}`"))
        .collect();
    let plural = if profiles.len() == 1 {
        "profile"
    } else {
        "profiles"
    };
    let reason = format!(
        "{OURS}meant for the fidelity {plural} {}, where cargo fidelity runs it",
        named.join(" and ")
    );
    let mut conditions = Vec::new();
    for own in attributes
        .iter()
        .filter(|attribute| attribute.is_users_ignore())
    {
        match own.condition() {
            Some(condition) => conditions.push(condition),
            None => return TokenStream::new(),
        }
    }
    if conditions.is_empty() {
        quote_spanned!(mixed()=> #[ignore = #reason])
    } else {
        quote_spanned!(mixed()=> #[cfg_attr(not(any(#(#conditions),*)), ignore = #reason)])
    }
}

/// Returns the item as it was, after the errors: what else is wrong with a crate should still be told.
pub fn beside_errors(error: &syn::Error, item: TokenStream) -> TokenStream {
    let mut tokens = error.to_compile_error();
    item.to_tokens(&mut tokens);
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(arguments: TokenStream, item: TokenStream) -> String {
        expand(arguments, item).map_or_else(|error| error.to_string(), |tokens| tokens.to_string())
    }

    #[test]
    fn a_test_attribute_above_the_annotation_is_gone_when_it_looks_and_that_is_told() {
        for arguments in [quote!(profiles("high")), quote!(kind = "unit")] {
            let said = said(
                arguments,
                quote!(
                    #[should_panic]
                    fn checks() {}
                ),
            );
            assert!(
                said.contains("`checks` is no test, or its test attribute stands above"),
                "{said}"
            );
        }
    }

    #[test]
    fn an_ignore_of_the_users_own_is_left_alone_and_ours_says_why() {
        let profiles = || quote!(profiles("high", "staging"));
        let plain = said(
            profiles(),
            quote!(
                #[test]
                fn checks() {}
            ),
        );
        assert!(
            plain.starts_with(
                "# [ignore = \"fidelity: meant for the fidelity profiles `high` and `staging`, "
            ),
            "{plain}"
        );
        let own = said(
            profiles(),
            quote!(
                #[test]
                #[ignore = "slow"]
                fn checks() {}
            ),
        );
        assert_eq!(own.matches("ignore").count(), 1, "{own}");
        let sometimes = said(
            profiles(),
            quote!(
                #[test]
                #[cfg_attr(miri, ignore)]
                fn checks() {}
            ),
        );
        assert!(
            sometimes.starts_with("# [cfg_attr (not (any (all (miri))) , ignore = "),
            "{sometimes}"
        );
    }

    #[test]
    fn only_a_profile_has_tests_ignored_under_plain_cargo_test() {
        let said = said(
            quote!(kind = "unit", trials = 5),
            quote!(
                #[tokio::test]
                async fn checks() {}
            ),
        );
        assert!(!said.contains("ignore ="), "{said}");
    }

    #[test]
    fn a_module_has_each_of_its_tests_ignored_but_for_those_with_profiles_of_their_own() {
        let said = said(
            quote!(profiles("high")),
            quote! {
                mod outer {
                    const LIMIT: [u8; { 3 }] = [0; 3];
                    #[test]
                    fn first() {}
                    mod inner {
                        #[fidelity(kind = "e2e")]
                        #[rstest]
                        fn second() {}
                    }
                    #[fidelity(profiles("low"))]
                    #[test]
                    fn third() {}
                    #[derive(Debug)]
                    struct NoTest;
                }
            },
        );
        assert_eq!(said.matches("# [ignore = ").count(), 2, "{said}");
    }

    #[test]
    fn conditions_of_the_item_are_conditions_of_its_record() {
        let said = said(
            quote!(kind = "unit"),
            quote!(
                #[cfg(unix)]
                #[test]
                fn checks() {}
            ),
        );
        assert!(
            said.contains("# [cfg (test)] # [cfg (unix)] const _"),
            "{said}"
        );
    }
}
