//! Failure signatures, each kept once however many trials show it.

use std::collections::BTreeMap;

use crate::domain::Failure;

/// The number of a signature within a [`Signatures`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignatureId(u32);

/// A failure signature with the first message seen with it.
#[derive(Clone, Debug)]
pub struct Signature {
    /// Normalised panic location and message skeleton.
    pub text: String,
    /// One line for people.
    pub message: String,
}

/// Every signature seen so far.
#[derive(Clone, Debug, Default)]
pub struct Signatures {
    known: Vec<Signature>,
    numbers: BTreeMap<String, SignatureId>,
}

impl Signatures {
    /// Returns the number of a failure's signature, a new one if it was never seen.
    pub fn number(&mut self, failure: &Failure) -> SignatureId {
        if let Some(number) = self.numbers.get(&failure.signature) {
            return *number;
        }
        let number = SignatureId(u32::try_from(self.known.len()).unwrap_or(u32::MAX));
        self.numbers.insert(failure.signature.clone(), number);
        self.known.push(Signature {
            text: failure.signature.clone(),
            message: failure.message.clone(),
        });
        number
    }

    /// Returns the signature with this number.
    pub fn get(&self, number: SignatureId) -> Option<&Signature> {
        self.known.get(number.0 as usize)
    }
}
