//! How much of an answer is not its body. A server can send such bytes without end, and a bound on the body does not count them.

/// Bytes that all chunk extensions of an answer may have together, leading white space included. Servers send none.
pub const MAX_EXTENSIONS: u64 = 16 << 10;

/// Bytes of chunk sizes and line ends that an answer may have for each byte of its body, beyond [`FRAMING_ALLOWANCE`]. A chunk of one byte
/// takes five; some servers pad the size of a chunk to eight digits, which makes it twelve.
pub const FRAMING_RATIO: u64 = 16;

/// Bytes of chunk sizes and line ends that every answer may have.
pub const FRAMING_ALLOWANCE: u64 = 64 << 10;

/// Which bytes of an answer are too many. None of them is part of the body, so no bound on the body ends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// The heads: the final one and the interim ones before it.
    Head,
    /// The chunk extensions.
    Extensions,
    /// The trailer lines after the last chunk.
    Trailers,
    /// Chunk sizes and line ends, against the body that they frame.
    Framing,
}

/// Bytes of an answer after its head, by what they are for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Chunk sizes and line ends.
    pub(super) framing: u64,
    pub(super) extensions: u64,
    pub(super) trailers: usize,
    pub(super) body: u64,
}

impl Counts {
    /// What is too much. `max_trailers` bounds the trailers in bytes.
    pub(super) const fn excess(&self, max_trailers: usize) -> Option<Excess> {
        let framing = self.body.saturating_mul(FRAMING_RATIO).saturating_add(FRAMING_ALLOWANCE);
        if self.extensions > MAX_EXTENSIONS {
            Some(Excess::Extensions)
        } else if self.trailers > max_trailers {
            Some(Excess::Trailers)
        } else if self.framing > framing {
            Some(Excess::Framing)
        } else {
            None
        }
    }
}
