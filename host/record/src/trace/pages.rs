//! Sizes of the pages of a Parquet file, checked before any page is unpacked.
//!
//! The decoder reserves and clears as much memory as a page's header claims to unpack to, which is up to 2 GiB for a page of
//! a few bytes. The claims are therefore held against what Snappy can do at most and against the reader's limit first. Only
//! the three leading fields of a header matter; the rest is skipped (Thrift compact protocol).

use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::ChunkReader;

/// Snappy's densest element copies 64 bytes for 3; a little is added for short pages.
const MOST_BYTES_PER_BYTE: u64 = 22;
const SLACK: u64 = 64;

/// Deepest nesting in a page header. The format has three levels.
const DEPTH: u32 = 8;

/// Checks every page of every column.
pub(super) fn check(file: &impl ChunkReader, metadata: &ParquetMetaData, most_bytes: u64) -> Result<(), String> {
    let text = |error: ParquetError| error.to_string();
    let mut total = 0_u64;
    for column in metadata.row_groups().iter().flat_map(|group| group.columns()) {
        let (start, length) = column.byte_range();
        let end = start.checked_add(length).filter(|end| *end <= file.len());
        let length = end.and_then(|_| usize::try_from(length).ok()).ok_or("a column lies outside of the file")?;
        let chunk = file.get_bytes(start, length).map_err(text)?;
        let mut rest: &[u8] = &chunk;
        while !rest.is_empty() {
            let mut cursor = Cursor { bytes: rest };
            let page = cursor.page_header().ok_or("a page header is damaged")?;
            if page.unpacked > page.packed * MOST_BYTES_PER_BYTE + SLACK {
                return Err(format!("a page of {} bytes claims to unpack to {}", page.packed, page.unpacked));
            }
            total = total.saturating_add(page.unpacked);
            if total > most_bytes {
                return Err(format!("its pages unpack to more than the {most_bytes} bytes that are read"));
            }
            let packed = usize::try_from(page.packed).map_err(|_| "a page is too large")?;
            rest = cursor.bytes.get(packed..).ok_or("a page is longer than its column")?;
        }
    }
    Ok(())
}

/// Sizes of a page without its header.
struct Page {
    packed: u64,
    unpacked: u64,
}

struct Cursor<'a> {
    bytes: &'a [u8],
}

impl Cursor<'_> {
    fn page_header(&mut self) -> Option<Page> {
        let (mut packed, mut unpacked) = (None, None);
        let mut field = 0_i64;
        loop {
            let kind = self.field(&mut field)?;
            match (field, kind) {
                (_, 0) => break,
                (2, 5) => unpacked = u64::try_from(self.integer()?).ok(),
                (3, 5) => packed = u64::try_from(self.integer()?).ok(),
                (_, kind) => self.skip(kind, DEPTH)?,
            }
        }
        Some(Page { packed: packed?, unpacked: unpacked? })
    }

    /// The type of the next field, 0 at the end of the structure. `field` is the number of the last one and becomes this one's.
    fn field(&mut self, field: &mut i64) -> Option<u8> {
        let byte = self.byte()?;
        let (step, kind) = (byte >> 4, byte & 15);
        if kind != 0 {
            *field = if step == 0 { self.integer()? } else { field.checked_add(i64::from(step))? };
        }
        Some(kind)
    }

    fn skip(&mut self, kind: u8, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            // A boolean field is its type.
            1 | 2 => {}
            3 => self.take(1)?,
            4..=6 => {
                self.varint()?;
            }
            7 => self.take(8)?,
            8 => {
                let length = self.varint()?;
                self.take(usize::try_from(length).ok()?)?;
            }
            9 | 10 => {
                let byte = self.byte()?;
                let count = if byte >> 4 == 15 { self.varint()? } else { u64::from(byte >> 4) };
                for _ in 0..count {
                    // Booleans take a byte each in a list.
                    self.skip(if matches!(byte & 15, 1 | 2) { 3 } else { byte & 15 }, depth)?;
                }
            }
            12 => {
                let mut field = 0;
                loop {
                    match self.field(&mut field)? {
                        0 => break,
                        kind => self.skip(kind, depth)?,
                    }
                }
            }
            // Maps do not occur in page headers.
            _ => return None,
        }
        Some(())
    }

    fn integer(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(value);
            }
        }
        None
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn take(&mut self, count: usize) -> Option<()> {
        self.bytes = self.bytes.get(count..)?;
        Some(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_to_its_end() {
        // Type 0; 1,000 bytes unpacked; 300 packed; a nested structure of a list and a boolean; then the page.
        let header = [0x15, 0, 0x15, 0xd0, 0x0f, 0x15, 0xd8, 0x04, 0x2c, 0x19, 0x25, 2, 4, 0x11, 0, 0, 0xaa];
        let mut cursor = Cursor { bytes: &header };
        let page = cursor.page_header().unwrap();
        assert_eq!((page.unpacked, page.packed), (1000, 300));
        assert_eq!(cursor.bytes, [0xaa]);
    }

    #[test]
    fn damaged_headers_have_no_size() {
        let endless = [0x1c; 64];
        for header in [&[][..], &[0x15], &[0x15, 0, 0], &[0x15, 0, 0x15, 1, 0x15, 1, 0], &[0x18, 0xff, 0x7f], &endless]
        {
            assert!(Cursor { bytes: header }.page_header().is_none());
        }
        let list_of_nothing_for_ever = [0x19, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert!(Cursor { bytes: &list_of_nothing_for_ever }.page_header().is_none());
    }
}
