//! What stands between the parentheses of `#[fidelity(...)]`: read, checked, and every mistake told where it stands.
//!
//! Knows texts and spans; not what the annotation stands on, nor what is made of it.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, Lit, LitStr, Token};

use crate::nearest::nearest;
use crate::values;
use crate::wording::{example, one_of, quoted};

/// Every argument, in the order of the documentation.
const NAMES: [&str; 10] = [
    "profiles",
    "needs",
    "kind",
    "mocks",
    "real",
    "tolerance",
    "timeout",
    "trials",
    "severity",
    "quarantine",
];
/// What `kind` may be.
const KINDS: [&str; 3] = ["unit", "integration", "e2e"];
/// What `severity` may be.
const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];
/// What `quarantine` takes.
const QUARANTINE: [&str; 3] = ["until", "owner", "reason"];

/// The arguments of one annotation, each at most once, as they go into a binary.
#[derive(Debug, Default)]
pub struct Arguments {
    /// Fidelity profiles outside of which the test means nothing.
    pub profiles: Vec<String>,
    /// Knobs and services.
    pub needs: Vec<String>,
    /// One of [`KINDS`].
    pub kind: Option<String>,
    /// What is replaced.
    pub mocks: Vec<String>,
    /// What is not.
    pub real: Vec<String>,
    /// A decimal number in [0, 1).
    pub tolerance: Option<String>,
    /// Milliseconds.
    pub timeout: Option<u64>,
    /// At most so many in an arm.
    pub trials: Option<u32>,
    /// One of [`SEVERITIES`].
    pub severity: Option<String>,
    /// With everything it takes.
    pub quarantine: Option<Quarantine>,
}

/// Until when a failing test does no harm, and who answers for it.
#[derive(Debug)]
pub struct Quarantine {
    /// The last day, `YYYY-MM-DD`.
    pub until: String,
    /// Who answers for it.
    pub owner: String,
    /// Why, for people.
    pub reason: String,
}

/// One argument as it was written.
struct Argument {
    name: Ident,
    value: Value,
}

/// What follows the name of an argument.
enum Value {
    /// `= 5`
    Literal(Lit),
    /// `("a", "b")`
    Texts(Vec<LitStr>, Span),
    /// `(until = "...", owner = "...")`
    Named(Vec<(Ident, Lit)>, Span),
    /// Nothing.
    None,
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.parse()?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::Literal(literal(input, &name)?)
        } else if input.peek(syn::token::Paren) {
            let inside;
            let span = syn::parenthesized!(inside in input).span.join();
            if inside.peek(Ident) && inside.peek2(Token![=]) {
                let named = Punctuated::<Named, Token![,]>::parse_terminated(&inside)?;
                Value::Named(
                    named.into_iter().map(|named| (named.0, named.1)).collect(),
                    span,
                )
            } else {
                Value::Texts(texts(&inside, &name)?, span)
            }
        } else {
            Value::None
        };
        Ok(Self { name, value })
    }
}

/// `until = "2027-01-31"`
struct Named(Ident, Lit);

impl Parse for Named {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.parse()?;
        input.parse::<Token![=]>()?;
        let value = literal(input, &name)?;
        Ok(Self(name, value))
    }
}

/// A literal, or an error that shows how the argument is written.
fn literal(input: ParseStream<'_>, name: &Ident) -> syn::Result<Lit> {
    input.parse().map_err(|error| {
        let shown = example(&name.to_string());
        syn::Error::new(
            error.span(),
            format!("expected a literal\nhelp: write `{shown}`"),
        )
    })
}

fn texts(inside: ParseStream<'_>, name: &Ident) -> syn::Result<Vec<LitStr>> {
    Punctuated::<LitStr, Token![,]>::parse_terminated(inside)
        .map(|texts| texts.into_iter().collect())
        .map_err(|error| {
            let shown = example(&name.to_string());
            syn::Error::new(
                error.span(),
                format!("expected a text in quotes\nhelp: write `{shown}`"),
            )
        })
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            let help = example("");
            let message = format!("the annotation says nothing\nhelp: write `#[fidelity({help})]`");
            return Err(syn::Error::new(Span::call_site(), message));
        }
        let written = Punctuated::<Argument, Token![,]>::parse_terminated(input)?;
        let mut reader = Reader::default();
        for argument in written {
            reader.take(argument);
        }
        reader.finish()
    }
}

/// Takes arguments one by one, and keeps every mistake.
#[derive(Default)]
struct Reader {
    arguments: Arguments,
    seen: Vec<String>,
    /// Lists with their spans, to be compared with each other.
    mocks: Vec<LitStr>,
    real: Vec<LitStr>,
    errors: Option<syn::Error>,
}

impl Reader {
    fn fail(&mut self, span: Span, message: impl std::fmt::Display) {
        let error = syn::Error::new(span, message);
        match &mut self.errors {
            Some(errors) => errors.combine(error),
            None => self.errors = Some(error),
        }
    }

    fn take(&mut self, Argument { name, value }: Argument) {
        let word = name.to_string();
        if !NAMES.contains(&word.as_str()) {
            let help = match nearest(&word, &NAMES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {}", quoted(&NAMES)),
            };
            return self.fail(
                name.span(),
                format!("unknown argument `{word}`\nhelp: {help}"),
            );
        }
        if self.seen.contains(&word) {
            let message = format!("`{word}` is given twice\nhelp: keep one, with everything in it");
            return self.fail(name.span(), message);
        }
        self.seen.push(word.clone());
        match (word.as_str(), value) {
            ("profiles" | "needs" | "mocks" | "real", Value::Texts(texts, span)) => {
                self.list(&word, texts, span);
            }
            ("quarantine", Value::Named(named, span)) => self.quarantine(named, span),
            ("quarantine", Value::Texts(texts, span)) if texts.is_empty() => {
                self.quarantine(Vec::new(), span);
            }
            ("kind" | "tolerance" | "timeout" | "trials" | "severity", Value::Literal(literal)) => {
                self.scalar(&word, &literal);
            }
            (_, Value::Literal(literal)) => self.misshapen(&word, literal.span()),
            (_, Value::Texts(_, span) | Value::Named(_, span)) => self.misshapen(&word, span),
            (_, Value::None) => self.misshapen(&word, name.span()),
        }
    }

    fn misshapen(&mut self, name: &str, span: Span) {
        let message = format!(
            "`{name}` is not written like this\nhelp: write `{}`",
            example(name)
        );
        self.fail(span, message);
    }

    fn list(&mut self, name: &str, texts: Vec<LitStr>, span: Span) {
        if texts.is_empty() {
            let message = format!(
                "`{name}` names nothing\nhelp: write `{}`, or leave it out",
                example(name)
            );
            return self.fail(span, message);
        }
        let mut values: Vec<String> = Vec::new();
        for text in &texts {
            let value = text.value();
            match values::name(&value) {
                Err(why) => self.fail(
                    text.span(),
                    format!("{why}\nhelp: write `{}`", example(name)),
                ),
                Ok(()) if values.contains(&value) => {
                    self.fail(
                        text.span(),
                        format!("`{value}` is named twice\nhelp: keep one"),
                    );
                }
                Ok(()) => values.push(value),
            }
        }
        match name {
            "profiles" => self.arguments.profiles = values,
            "needs" => self.arguments.needs = values,
            "mocks" => {
                self.arguments.mocks = values;
                self.mocks = texts;
            }
            _ => {
                self.arguments.real = values;
                self.real = texts;
            }
        }
    }

    fn scalar(&mut self, name: &str, literal: &Lit) {
        let span = literal.span();
        let read = match (name, literal) {
            ("kind", Lit::Str(text)) => {
                one_of(name, &text.value(), &KINDS).map(|kind| self.arguments.kind = Some(kind))
            }
            ("severity", Lit::Str(text)) => one_of(name, &text.value(), &SEVERITIES)
                .map(|severity| self.arguments.severity = Some(severity)),
            ("timeout", Lit::Str(text)) => {
                values::duration_ms(&text.value()).map(|ms| self.arguments.timeout = Some(ms))
            }
            ("timeout", Lit::Int(number)) => {
                let digits = number.base10_digits();
                Err(format!("a time needs a unit\nhelp: write `timeout = \"{digits}s\"` or `\"{digits}ms\"`"))
            }
            ("tolerance", Lit::Float(number)) if number.suffix().is_empty() => {
                values::rate(number.base10_digits())
                    .map(|rate| self.arguments.tolerance = Some(rate))
            }
            ("tolerance", Lit::Int(number)) if number.suffix().is_empty() => {
                values::rate(number.base10_digits())
                    .map(|rate| self.arguments.tolerance = Some(rate))
            }
            ("trials", Lit::Int(number)) if number.suffix().is_empty() => {
                values::count(number.base10_digits())
                    .map(|trials| self.arguments.trials = Some(trials))
            }
            _ => return self.misshapen(name, span),
        };
        if let Err(why) = read {
            self.fail(span, why);
        }
    }

    fn quarantine(&mut self, named: Vec<(Ident, Lit)>, span: Span) {
        let mut values: [Option<String>; 3] = [None, None, None];
        let mut wrong = false;
        for (name, literal) in named {
            if let Err(error) = quarantined(&mut values, &name, &literal) {
                wrong = true;
                self.fail(error.span(), error);
            }
        }
        match values {
            [Some(until), Some(owner), Some(reason)] => {
                self.arguments.quarantine = Some(Quarantine {
                    until,
                    owner,
                    reason,
                });
            }
            _ if wrong => {}
            values => {
                let missing: Vec<&str> = QUARANTINE
                    .into_iter()
                    .zip(&values)
                    .filter(|(_, value)| value.is_none())
                    .map(|(name, _)| name)
                    .collect();
                let message = format!(
                    "`quarantine` lacks {}: it has an end, somebody who answers for it, and a reason\nhelp: write `{}`",
                    quoted(&missing),
                    example("quarantine")
                );
                self.fail(span, message);
            }
        }
    }

    fn finish(mut self) -> syn::Result<Arguments> {
        let mocks: Vec<String> = self.mocks.iter().map(LitStr::value).collect();
        for text in std::mem::take(&mut self.real) {
            let value = text.value();
            if mocks.contains(&value) {
                let message = format!(
                    "`{value}` is both mocked and real\nhelp: name it in `mocks` or in `real`"
                );
                self.fail(text.span(), message);
            }
        }
        match self.errors {
            Some(errors) => Err(errors),
            None => Ok(self.arguments),
        }
    }
}

/// Takes one of the values of a quarantine.
fn quarantined(values: &mut [Option<String>; 3], name: &Ident, literal: &Lit) -> syn::Result<()> {
    let word = name.to_string();
    let Some(position) = QUARANTINE.iter().position(|known| *known == word) else {
        let near = nearest(&word, &QUARANTINE).map(|near| format!("did you mean `{near}`?"));
        let help = near.unwrap_or_else(|| format!("it takes {}", quoted(&QUARANTINE)));
        let message = format!("unknown argument `{word}` of `quarantine`\nhelp: {help}");
        return Err(syn::Error::new(name.span(), message));
    };
    if values[position].is_some() {
        let message = format!("`{word}` is given twice\nhelp: keep one");
        return Err(syn::Error::new(name.span(), message));
    }
    let help = example(&word);
    let Lit::Str(text) = literal else {
        let message = format!("expected a text in quotes\nhelp: write `{help}`");
        return Err(syn::Error::new(literal.span(), message));
    };
    let value = text.value();
    let checked = if word == "until" {
        values::date(&value)
    } else {
        values::words(&value)
    };
    values[position] = Some(value);
    checked.map_err(|why| syn::Error::new(text.span(), format!("{why}\nhelp: write `{help}`")))
}
