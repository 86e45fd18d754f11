//! Reading from a file that may lie about its own lengths.

use std::io::Read;

/// Why a header could not be understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The file ends, or may not be read, inside the header.
    #[error("the header ends early")]
    Truncated,
    /// It is another kind of file.
    #[error("this is not a {0} file")]
    OtherKind(&'static str),
    /// A version that this host does not know.
    #[error("version {0} of the format is not known")]
    Version(u32),
    /// A number is larger than any real model needs.
    #[error("{what} is {value}, more than the {limit} that a header may have")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// What the file says.
        value: u64,
        /// What is allowed.
        limit: u64,
    },
    /// Something in the header makes no sense.
    #[error("the header is malformed: {0}")]
    Malformed(&'static str),
}

impl HeaderError {
    /// Stable name of the kind of error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Truncated => "header-truncated",
            Self::OtherKind(_) => "header-other-kind",
            Self::Version(_) => "header-version-unknown",
            Self::TooLarge { .. } => "header-too-large",
            Self::Malformed(_) => "header-malformed",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some("Check that the file was downloaded completely and that the engine can load it.".to_owned())
    }
}

/// Fails when a number is above its limit.
pub(super) fn at_most(what: &'static str, value: u64, limit: u64) -> Result<u64, HeaderError> {
    if value <= limit { Ok(value) } else { Err(HeaderError::TooLarge { what, value, limit }) }
}

/// Little-endian numbers from a reader, with a budget of bytes for the whole header.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Bounded<R> {
    pub(super) const fn new(inner: R, budget: u64) -> Self {
        Self { inner, left: budget }
    }

    fn spend(&mut self, bytes: u64) -> Result<(), HeaderError> {
        self.left = self.left.checked_sub(bytes).ok_or(HeaderError::Truncated)?;
        Ok(())
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], HeaderError> {
        self.spend(N as u64)?;
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes).map_err(|_| HeaderError::Truncated)?;
        Ok(bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, HeaderError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, HeaderError> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bytes of a length that the caller has checked. Memory grows with what is really there.
    pub(super) fn bytes(&mut self, length: u64) -> Result<Vec<u8>, HeaderError> {
        self.spend(length)?;
        let mut bytes = Vec::new();
        let count = self.inner.by_ref().take(length).read_to_end(&mut bytes).map_err(|_| HeaderError::Truncated)?;
        if count as u64 == length { Ok(bytes) } else { Err(HeaderError::Truncated) }
    }

    pub(super) fn skip(&mut self, length: u64) -> Result<(), HeaderError> {
        self.spend(length)?;
        let skipped = std::io::copy(&mut self.inner.by_ref().take(length), &mut std::io::sink());
        if skipped.is_ok_and(|count| count == length) { Ok(()) } else { Err(HeaderError::Truncated) }
    }
}
