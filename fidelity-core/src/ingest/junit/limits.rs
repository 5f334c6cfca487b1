//! How much of a report is kept, and how much is read at all.

/// Bounds of the reader. Sizes are in bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Decoded bytes of a file; beyond them it is refused. Compressed files can hold any number.
    pub file: u64,
    /// Elements within each other.
    pub depth: usize,
    /// A tag without the values of its attributes, a DOCTYPE, and what is looked at in one piece.
    pub tag: usize,
    /// A name of a test, class, suite or file, and a value of a property. Longer ones are cut, and stay apart by a hash.
    pub name: usize,
    /// Kept of the beginning of a text: an output, a message or a failure's text.
    pub head: usize,
    /// Kept of the end of a text.
    pub tail: usize,
    /// Trials of one `<testcase>`.
    pub attempts: usize,
    /// Trials of one `<testcase>` whose texts are kept, and failures of one trial; the texts of others are counted as omitted.
    pub texts: usize,
    /// Bytes of the properties of a case and the suites around it; others are left out.
    pub properties: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file: 16 << 30,
            depth: 500,
            tag: 1 << 20,
            name: 4096,
            head: 64 * 1024,
            tail: 64 * 1024,
            attempts: 10_000,
            texts: 16,
            properties: 1 << 20,
        }
    }
}
