//! The parser: recursive descent over bytes of the expression, one level of precedence per function.

use super::known::unknown_word;
use super::matcher::Matcher;
use super::{Expression, FiltersetError, FiltersetReason, Span, Subject, Term, nearest};

/// Nesting of parentheses and negations. Far more than a person writes, far less than the stack holds.
const DEEPEST: usize = 128;

/// What a bare word means, by subject.
#[derive(Clone, Copy)]
pub(super) enum Bare {
    Contains,
    Glob,
    Equal,
}

pub(super) const SETS: [(&str, Subject, Bare); 12] = [
    ("test", Subject::Test, Bare::Contains),
    ("package", Subject::Package, Bare::Glob),
    ("binary", Subject::Binary, Bare::Glob),
    ("binary_id", Subject::BinaryId, Bare::Glob),
    ("kind", Subject::Kind, Bare::Equal),
    ("needs", Subject::Needs, Bare::Glob),
    ("mocks", Subject::Mocks, Bare::Glob),
    ("real", Subject::Real, Bare::Glob),
    ("profiles", Subject::Profile, Bare::Glob),
    ("profile", Subject::Profile, Bare::Glob),
    ("severity", Subject::Severity, Bare::Equal),
    ("verdict", Subject::Verdict, Bare::Equal),
];

const ELSEWHERE: [&str; 5] = ["deps", "rdeps", "platform", "default", "group"];

type Parsed<T> = Result<T, FiltersetError>;

/// Returns what the text says.
pub(super) fn parse(text: &str) -> Parsed<Expression> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    let expression = parser.any_of()?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.no_operator());
    }
    Ok(expression)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn any_of(&mut self) -> Parsed<Expression> {
        let mut parts = vec![self.all_of()?];
        while self.operator(&["|", "+"], "or") {
            parts.push(self.all_of()?);
        }
        Ok(one_or(parts, Expression::Or))
    }

    fn all_of(&mut self) -> Parsed<Expression> {
        let mut parts = vec![self.unary()?];
        loop {
            if self.operator(&["&"], "and") {
                parts.push(self.unary()?);
            } else if self.operator(&["-"], "") {
                parts.push(Expression::Not(Box::new(self.unary()?)));
            } else {
                return Ok(one_or(parts, Expression::And));
            }
        }
    }

    fn unary(&mut self) -> Parsed<Expression> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error(self.rest_span(), FiltersetReason::TooDeep(DEEPEST)));
        }
        self.skip_space();
        let expression = if self.operator(&["!"], "not") {
            Expression::Not(Box::new(self.unary()?))
        } else if self.take('(') {
            let inner = self.any_of()?;
            self.skip_space();
            if !self.take(')') {
                return Err(if self.rest().is_empty() {
                    self.expected(')')
                } else {
                    self.no_operator()
                });
            }
            inner
        } else {
            self.set()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    /// `test(...)` and its like.
    fn set(&mut self) -> Parsed<Expression> {
        let start = self.at;
        let name = self.word();
        let span = Span {
            start,
            end: self.at,
        };
        if name.is_empty() {
            return Err(self.error(self.rest_span(), FiltersetReason::ExpectedExpression));
        }
        let subject = SETS.iter().find(|(known, ..)| *known == name);
        if subject.is_none() && !matches!(name, "all" | "none" | "quarantined") {
            return Err(self.error(span, unknown(name)));
        }
        self.skip_space();
        if !self.take('(') {
            return Err(self.expected('('));
        }
        self.skip_space();
        let Some((_, subject, bare)) = subject else {
            if !self.take(')') {
                let argument = self.rest_span();
                let name = name.to_owned();
                return Err(self.error(argument, FiltersetReason::UnexpectedArgument { name }));
            }
            return Ok(match name {
                "all" => Expression::All,
                "quarantined" => Expression::Quarantined(span),
                _ => Expression::None,
            });
        };
        let start = self.at;
        let matcher = self.matcher(*bare)?;
        let span = Span {
            start,
            end: self.at,
        };
        if let Some(reason) = unknown_word(*subject, &matcher) {
            return Err(self.error(span, reason));
        }
        self.skip_space();
        if self.rest().starts_with(',') {
            return Err(self.error(self.here(), FiltersetReason::UnexpectedComma));
        }
        if !self.take(')') {
            return Err(self.expected(')'));
        }
        Ok(Expression::Term(Term {
            subject: *subject,
            matcher,
            span,
        }))
    }

    fn matcher(&mut self, bare: Bare) -> Parsed<Matcher> {
        if self.take('/') {
            return self.regex();
        }
        let bare = if self.take('=') {
            Bare::Equal
        } else if self.take('~') {
            Bare::Contains
        } else if self.take('#') {
            Bare::Glob
        } else {
            bare
        };
        let start = self.at;
        let text = self.string()?;
        let span = Span {
            start,
            end: self.at,
        };
        if text.is_empty() {
            return Err(self.error(self.here(), FiltersetReason::EmptyMatcher));
        }
        match bare {
            Bare::Equal => Ok(Matcher::Equal(text)),
            Bare::Contains => Ok(Matcher::Contains(text)),
            Bare::Glob => Matcher::glob(text)
                .map_err(|reason| self.error(span, FiltersetReason::InvalidGlob(reason))),
        }
    }

    /// A regular expression whose first `/` is taken; `\/` stands for a slash in it, other escapes are its own.
    fn regex(&mut self) -> Parsed<Matcher> {
        let start = self.at;
        let mut pattern = String::new();
        loop {
            let Some(character) = self.next() else {
                return Err(self.expected('/'));
            };
            match character {
                '/' => break,
                '\\' if self.take('/') => pattern.push('/'),
                '\\' => {
                    pattern.push('\\');
                    pattern.extend(self.next());
                }
                plain => pattern.push(plain),
            }
        }
        let span = Span {
            start,
            end: self.at - 1,
        };
        Matcher::regex(&pattern)
            .map_err(|reason| self.error(span, FiltersetReason::InvalidRegex(reason)))
    }

    /// Everything up to a `)` or `,` that is not escaped, blanks at the end included.
    fn string(&mut self) -> Parsed<String> {
        let mut string = String::new();
        while !self.rest().starts_with([')', ',']) {
            let start = self.at;
            match self.next() {
                Some('\\') => string.push(self.escape(start)?),
                Some(plain) => string.push(plain),
                None => break,
            }
        }
        Ok(string)
    }

    fn escape(&mut self, start: usize) -> Parsed<char> {
        let character = match self.next() {
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some(plain @ ('\\' | '/' | ')' | ',')) => Some(plain),
            Some('u') => self.code_point(),
            _ => None,
        };
        character.ok_or_else(|| {
            let span = Span {
                start,
                end: self.at,
            };
            self.error(span, FiltersetReason::InvalidEscape)
        })
    }

    /// The `{1F600}` of an escape.
    fn code_point(&mut self) -> Option<char> {
        let (digits, rest) = self.rest().strip_prefix('{')?.split_once('}')?;
        let plain =
            (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| plain)?;
        self.at = self.text.len() - rest.len();
        char::from_u32(number)
    }

    /// Takes one of the signs, or the word where it stands alone.
    fn operator(&mut self, signs: &[&str], word: &str) -> bool {
        self.skip_space();
        let rest = self.rest();
        let sign = signs.iter().find(|sign| rest.starts_with(**sign));
        let spelled = rest.strip_prefix(word).is_some_and(|after| {
            !word.is_empty() && after.starts_with(|next: char| next.is_whitespace() || next == '(')
        });
        match sign {
            // `&&` and `||` are other people's operators; the error for them names ours.
            Some(sign) if *sign != "!" && rest[sign.len()..].starts_with(*sign) => false,
            Some(sign) => {
                self.at += sign.len();
                true
            }
            None if spelled => {
                self.at += word.len();
                true
            }
            None => false,
        }
    }

    fn no_operator(&mut self) -> FiltersetError {
        let start = self.at;
        let rest = self.rest();
        let sign = rest
            .bytes()
            .take_while(u8::is_ascii_punctuation)
            .count()
            .min(2);
        let word = self.word().to_lowercase();
        let end = self.at.max(start + sign);
        let nearest = match (&rest[..sign], word.as_str()) {
            ("&&", _) | (_, "and") => Some("and"),
            ("||", _) | (_, "or") => Some("or"),
            _ => None,
        };
        let span = if end > start {
            Span { start, end }
        } else {
            self.here()
        };
        let nearest = nearest.map(str::to_owned);
        self.error(span, FiltersetReason::ExpectedOperator { nearest })
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|character: char| !(character.is_alphanumeric() || matches!(character, '_')))
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn next(&mut self) -> Option<char> {
        let character = self.rest().chars().next()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn take(&mut self, character: char) -> bool {
        let taken = self.rest().starts_with(character);
        if taken {
            self.at += character.len_utf8();
        }
        taken
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// The next character, or the end.
    fn here(&self) -> Span {
        let width = self.rest().chars().next().map_or(0, char::len_utf8);
        Span {
            start: self.at,
            end: self.at + width,
        }
    }

    /// What is left up to a blank or parenthesis, but at least one character.
    fn rest_span(&self) -> Span {
        let rest = self.rest();
        let end = rest.find([' ', '(', ')', '\n', '\t']).unwrap_or(rest.len());
        Span {
            start: self.at,
            end: (self.at + end).max(self.here().end),
        }
    }

    fn expected(&self, character: char) -> FiltersetError {
        self.error(self.here(), FiltersetReason::Expected(character))
    }

    fn error(&self, span: Span, reason: FiltersetReason) -> FiltersetError {
        FiltersetError::new(self.text, span, reason)
    }
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            many(parts)
        }
    }
}

fn unknown(name: &str) -> FiltersetReason {
    let name = name.to_owned();
    if ELSEWHERE.contains(&name.as_str()) {
        return FiltersetReason::NotSupported { name };
    }
    let known = SETS
        .iter()
        .map(|(known, ..)| *known)
        .chain(["all", "none", "quarantined", "not"]);
    let nearest = nearest(&name, known);
    FiltersetReason::UnknownSet { name, nearest }
}
