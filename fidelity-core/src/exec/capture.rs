//! The captured output of a process: its head and its tail, the middle counted and dropped.
//!
//! Must not know: where the bytes come from.
//! Invariant: at most one head and two tails of bytes are held, however much a process prints.

/// Bytes kept of the beginning.
pub(crate) const HEAD: usize = 64 * 1024;
/// Bytes kept of the end.
pub(crate) const TAIL: usize = 64 * 1024;

/// One captured stream.
pub(crate) struct Capture {
    head: Vec<u8>,
    tail: Vec<u8>,
    dropped: u64,
    /// Bytes kept of beginning and end.
    kept: (usize, usize),
}

impl Default for Capture {
    fn default() -> Self {
        Self::of(HEAD, TAIL)
    }
}

impl Capture {
    /// Returns a capture that keeps `head` bytes of the beginning and `tail` bytes of the end.
    pub(crate) fn of(head: usize, tail: usize) -> Self {
        Self {
            head: Vec::new(),
            tail: Vec::new(),
            dropped: 0,
            kept: (head, tail),
        }
    }

    /// Appends what was read.
    pub(crate) fn extend(&mut self, mut bytes: &[u8]) {
        let room = self.kept.0 - self.head.len();
        if room > 0 {
            let (first, rest) = bytes.split_at(room.min(bytes.len()));
            self.head.extend_from_slice(first);
            bytes = rest;
        }
        self.tail.extend_from_slice(bytes);
        // Trimming at twice the size moves each byte at most once.
        if self.tail.len() >= 2 * self.kept.1 {
            self.trim();
        }
    }

    fn trim(&mut self) {
        let surplus = self.tail.len().saturating_sub(self.kept.1);
        self.tail.drain(..surplus);
        self.dropped += surplus as u64;
    }

    /// Returns the last bytes of the stream, at least one tail where there are so many.
    #[cfg(any(unix, test))]
    pub(crate) fn end(&self) -> &[u8] {
        if self.tail.is_empty() {
            &self.head
        } else {
            &self.tail
        }
    }

    /// Returns whether nothing was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_empty() && self.tail.is_empty() && self.dropped == 0
    }

    /// Returns head and tail, and how many bytes between them were dropped.
    pub(crate) fn finish(mut self) -> (Vec<u8>, u64) {
        let mut bytes = Vec::new();
        let dropped = self.move_to(&mut bytes);
        (bytes, dropped)
    }

    /// Makes `bytes` head and tail, starts anew with the memory it had, and returns how many bytes were dropped.
    pub(crate) fn move_to(&mut self, bytes: &mut Vec<u8>) -> u64 {
        if self.is_empty() {
            bytes.clear();
            return 0;
        }
        self.trim();
        std::mem::swap(bytes, &mut self.head);
        bytes.append(&mut self.tail);
        self.head.clear();
        std::mem::take(&mut self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(total: usize, step: usize) -> Capture {
        let bytes: Vec<u8> = (0..total).map(|position| (position % 251) as u8).collect();
        let mut capture = Capture::default();
        for chunk in bytes.chunks(step) {
            capture.extend(chunk);
        }
        capture
    }

    #[test]
    fn what_fits_is_kept_whole() {
        for total in [0, 1, HEAD, HEAD + 1, HEAD + TAIL] {
            let (bytes, dropped) = fed(total, 1000).finish();
            assert_eq!((bytes.len(), dropped), (total, 0), "{total}");
            assert!(
                bytes
                    .iter()
                    .enumerate()
                    .all(|(at, &byte)| byte == (at % 251) as u8)
            );
        }
    }

    #[test]
    fn of_long_output_head_and_tail_are_kept_and_the_rest_is_counted() {
        for (total, step) in [
            (HEAD + TAIL + 1, 7),
            (5_000_000, 65_536),
            (400_000, 400_000),
        ] {
            let (bytes, dropped) = fed(total, step).finish();
            assert_eq!(bytes.len(), HEAD + TAIL);
            assert_eq!(dropped, (total - HEAD - TAIL) as u64);
            assert_eq!(bytes[HEAD - 1], ((HEAD - 1) % 251) as u8);
            assert_eq!(bytes[HEAD], ((total - TAIL) % 251) as u8);
            assert_eq!(bytes[HEAD + TAIL - 1], ((total - 1) % 251) as u8);
        }
    }

    #[test]
    fn the_end_of_the_stream_can_be_read_while_it_grows() {
        assert_eq!(fed(10, 3).end().len(), 10);
        let capture = fed(1_000_000, 999);
        assert_eq!(capture.end().last(), Some(&((999_999 % 251) as u8)));
        assert!(capture.end().len() >= TAIL);
    }
}
