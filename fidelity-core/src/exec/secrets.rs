//! Values that come from the environment by reference: resolved as late as possible, and masked wherever they show.
//!
//! Must not know: knobs, processes. Invariant: nothing here prints or stores a resolved value.

/// What stands for a resolved value.
const MASK: &[u8] = b"***";
/// Shorter values are not masked: they hide nothing, and masking them would eat the output.
const SHORTEST: usize = 3;

/// Replaces every `{env:NAME}` in `text` by what `variable` returns for it. The second list holds those values.
///
/// Other braces are left alone.
///
/// # Errors
/// The reason, for people, where a variable is not set.
pub(crate) fn resolve(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(String, Vec<String>), String> {
    let mut resolved = String::new();
    let mut secrets = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{env:") {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        let value = variable(name)
            .ok_or_else(|| format!("the environment variable {name} it refers to is not set"))?;
        resolved.push_str(before);
        resolved.push_str(&value);
        secrets.push(value);
        rest = after;
    }
    resolved.push_str(rest);
    Ok((resolved, secrets))
}

/// Masks secrets in bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mask {
    /// Longest first, so that a secret within another does not spoil it.
    secrets: Vec<Vec<u8>>,
}

impl Mask {
    pub(crate) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut secrets: Vec<Vec<u8>> = secrets
            .into_iter()
            .map(String::into_bytes)
            .filter(|secret| secret.len() >= SHORTEST)
            .collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self { secrets }
    }

    /// Returns `bytes` with every secret masked. `cut` is where bytes were left out: a secret may be halved there.
    pub(crate) fn apply(&self, bytes: Vec<u8>, cut: Option<usize>) -> Vec<u8> {
        if self.secrets.is_empty() {
            return bytes;
        }
        match cut {
            Some(cut) if cut <= bytes.len() => {
                let (head, tail) = bytes.split_at(cut);
                let mut masked = self.without_end(self.whole(head));
                masked.extend_from_slice(&self.without_beginning(self.whole(tail)));
                masked
            }
            _ => self.whole(&bytes),
        }
    }

    /// Masks every whole secret.
    fn whole(&self, bytes: &[u8]) -> Vec<u8> {
        let mut masked = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some((&first, others)) = rest.split_first() {
            match self.secrets.iter().find(|secret| rest.starts_with(secret)) {
                Some(secret) => {
                    masked.extend_from_slice(MASK);
                    rest = &rest[secret.len()..];
                }
                None => {
                    masked.push(first);
                    rest = others;
                }
            }
        }
        masked
    }

    /// Masks the beginning of a secret at the end of `bytes`.
    fn without_end(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let longest = self.secrets.iter().filter_map(|secret| {
            (1..secret.len())
                .rev()
                .find(|&length| bytes.ends_with(&secret[..length]))
        });
        if let Some(length) = longest.max() {
            bytes.truncate(bytes.len() - length);
            bytes.extend_from_slice(MASK);
        }
        bytes
    }

    /// Masks the end of a secret at the beginning of `bytes`.
    fn without_beginning(&self, bytes: Vec<u8>) -> Vec<u8> {
        let longest = self.secrets.iter().filter_map(|secret| {
            (1..secret.len()).find_map(|start| {
                bytes
                    .starts_with(&secret[start..])
                    .then_some(secret.len() - start)
            })
        });
        match longest.max() {
            Some(length) => [MASK, &bytes[length..]].concat(),
            None => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str) -> Option<String> {
        (name == "TOKEN").then(|| "s3cret".to_owned())
    }

    #[test]
    fn references_are_replaced_and_reported() {
        let (text, secrets) = resolve("a {env:TOKEN}:{port} {env:TOKEN", &variable).unwrap();
        assert_eq!(text, "a s3cret:{port} {env:TOKEN");
        assert_eq!(secrets, ["s3cret"]);
        let error = resolve("{env:NOPE}", &variable).unwrap_err();
        assert!(error.contains("NOPE"));
    }

    #[test]
    fn every_occurrence_is_masked_the_longest_secret_first() {
        let mask = Mask::new(["abc".to_owned(), "abcdef".to_owned(), "x".to_owned()]);
        let masked = mask.apply(b"abcdef, abc, x\xff".to_vec(), None);
        assert_eq!(masked, b"***, ***, x\xff");
    }

    #[test]
    fn a_secret_halved_by_the_cut_is_masked_on_both_sides() {
        let mask = Mask::new(["hunter2".to_owned()]);
        let masked = mask.apply(b"pw=huntter2 rest".to_vec(), Some(7));
        assert_eq!(masked, b"pw=****** rest");
        let masked = mask.apply(b"plain text".to_vec(), Some(5));
        assert_eq!(masked, b"plain text");
    }
}
