//! Newline-delimited JSON: one document per line, blank lines between them allowed.

use crate::lines::{Ending, FrameError, Lines};

/// Frames a stream incrementally. After an error it must not be used again.
#[derive(Debug)]
pub struct NdJson(Lines);

impl Default for NdJson {
    fn default() -> Self {
        Self(Lines::new(Ending::LineFeed))
    }
}

impl NdJson {
    /// Takes the next bytes; see [`Lines::push`]. `each` gets every document without the white space around it, and the
    /// index of the read that holds the line's last byte.
    pub fn push<E: From<FrameError>>(
        &mut self,
        bytes: &[u8],
        ends: &[u32],
        mut each: impl FnMut(&[u8], u32) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0.push(bytes, ends, |line, read| match line.bytes().trim_ascii() {
            [] => Ok(()),
            document => each(document, read),
        })
    }

    /// The body has ended: hands over a last line without an ending.
    pub fn finish<E: From<FrameError>>(&mut self, mut each: impl FnMut(&[u8], u32) -> Result<(), E>) -> Result<(), E> {
        self.0.finish(|line, read| match line.bytes().trim_ascii() {
            [] => Ok(()),
            document => each(document, read),
        })
    }
}
