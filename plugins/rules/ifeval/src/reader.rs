//! Reading the packed data of this crate; `data/build.py` writes it.

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

/// More than any of the data files unpacks to.
const MOST_BYTES: usize = 4 << 20;

/// The data is not what this crate was built to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damaged;

/// Unpacks a data file.
pub(crate) fn unpacked(packed: &[u8]) -> Result<Vec<u8>, Damaged> {
    decompress_to_vec_zlib_with_limit(packed, MOST_BYTES).map_err(|_| Damaged)
}

/// What was not read yet.
pub(crate) struct Reader<'d>(pub(crate) &'d [u8]);

impl<'d> Reader<'d> {
    /// The next bytes.
    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'d [u8], Damaged> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(Damaged)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// A number in groups of seven bits, the lowest first.
    pub(crate) fn number(&mut self) -> Result<u32, Damaged> {
        let mut number = 0_u32;
        for shift in (0..32).step_by(7) {
            let byte = *self.bytes(1)?.first().ok_or(Damaged)?;
            number |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }

    /// A number that counts what is in memory.
    pub(crate) fn count(&mut self) -> Result<usize, Damaged> {
        usize::try_from(self.number()?).map_err(|_| Damaged)
    }

    /// A text up to the end of its line.
    pub(crate) fn line(&mut self) -> Result<&'d str, Damaged> {
        let end = self.0.iter().position(|&byte| byte == b'\n').ok_or(Damaged)?;
        let line = self.bytes(end)?;
        self.bytes(1)?;
        std::str::from_utf8(line).map_err(|_| Damaged)
    }
}
