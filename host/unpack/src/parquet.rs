//! Parquet files: what their footer and the headers of their pages claim.
//!
//! The decoder reserves as much memory as a page claims to unpack to, as many values as a page claims to have, and a structure for
//! each element that the footer claims. A run length stands for any number of values. [`check_footer`] comes before the decoder is
//! made, and [`check_pages`] before it reads a page.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use ::parquet::basic::Compression;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use ::parquet::file::reader::ChunkReader;
use bench_text::clean_sentence;

use crate::thrift::{Cursor, Elements, INTEGER, LIST, STOP, STRUCT};

/// Snappy's densest element copies 64 bytes for 3; a little is added for short pages.
const MOST_BYTES_PER_BYTE: u64 = 22;
const SLACK: u64 = 64;

/// Largest footer, in bytes.
const LARGEST_FOOTER: u64 = 16 << 20;

/// Bytes that the decoder takes for a structure and for another element of the footer, at most.
const STRUCTURE: u64 = 768;
const ELEMENT: u64 = 40;

/// Bytes that the decoder may take for the footer.
const FOOTER_MEMORY: u64 = 128 << 20;

/// Most columns and groups of columns.
const MOST_COLUMNS: usize = 4096;

/// Deepest nesting of columns. The decoder goes through them by recursion.
const DEEPEST_COLUMN: usize = 32;

/// Largest header of a page, in bytes. It may carry the smallest and the largest value of the page.
const LARGEST_HEADER: u64 = 1 << 20;

thread_local! {
    /// This thread runs the decoder, whose panics are errors.
    static DECODES: Cell<bool> = const { Cell::new(false) };
}

/// Runs the decoder, which is not ours and panics on some damaged files. A panic is an error and prints nothing.
///
/// `decode` must hand nothing out but its result.
///
/// # Errors
/// [`Refusal::Damaged`] when the decoder panicked.
pub fn catch_decoder_panic<T>(decode: impl FnOnce() -> T) -> Result<T, Refusal> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = take_hook();
        set_hook(Box::new(move |panic| {
            if !DECODES.get() {
                loud(panic);
            }
        }));
    });
    let outer = DECODES.replace(true);
    let result = catch_unwind(AssertUnwindSafe(decode));
    DECODES.set(outer);
    result.map_err(|_| Refusal::damaged("the Parquet decoder gave up on it"))
}

/// Limits of a file's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimits {
    /// Most values of all columns, those of lists and nulls included.
    pub values: u64,
    /// Most bytes of all pages, unpacked.
    pub bytes: u64,
    /// Most bytes of the pages that are in memory together: the largest page and the dictionary of each column of a row group.
    pub resident: u64,
}

/// Why a file is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The footer or a header is damaged or makes claims that cannot be true.
    #[error("{text}", text = clean_sentence(.0))]
    Damaged(String),
    /// It has more than may be.
    #[error("{text}", text = clean_sentence(.0))]
    TooLarge(String),
}

impl Refusal {
    /// A stable identifier in kebab case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Damaged(_) => "parquet-damaged",
            Self::TooLarge(_) => "parquet-too-large",
        }
    }

    /// What to do next.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Damaged(_) => "write the file again",
            Self::TooLarge(_) => "split the file into several files",
        }
    }

    fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged(reason.into())
    }
}

/// Checks what the footer claims, before a decoder reads it.
///
/// # Errors
/// [`Refusal::Damaged`] and [`Refusal::TooLarge`].
pub fn check_footer(file: &impl ChunkReader) -> Result<(), Refusal> {
    let broken = |error: ParquetError| Refusal::damaged(error.to_string());
    let size = file.len();
    let tail = size.checked_sub(8).ok_or_else(|| Refusal::damaged("it is too short for a Parquet file"))?;
    let end = file.get_bytes(tail, 8).map_err(broken)?;
    let (length, mark) = end.split_at(4);
    if mark != b"PAR1" {
        return Err(Refusal::damaged("it does not end as a Parquet file does"));
    }
    let length = u64::from(u32::from_le_bytes(length.try_into().unwrap_or_default()));
    if length > LARGEST_FOOTER {
        return Err(Refusal::TooLarge(format!("its footer has more than {LARGEST_FOOTER} bytes")));
    }
    let start = tail.checked_sub(length).ok_or_else(|| Refusal::damaged("its footer begins before the file"))?;
    let footer = file.get_bytes(start, usize::try_from(length).unwrap_or_default()).map_err(broken)?;
    let mut cursor = Cursor { bytes: &footer };
    let damaged = || Refusal::damaged("its footer is damaged");
    let mut elements = Elements::default();
    let mut field = 0;
    loop {
        match (cursor.field(&mut field).ok_or_else(damaged)?, field) {
            (STOP, _) => break,
            (LIST, 2) => check_schema(&mut cursor, &mut elements)?,
            (kind, _) => cursor.skip(kind, &mut elements).ok_or_else(damaged)?,
        }
    }
    let memory = elements.structs.saturating_mul(STRUCTURE).saturating_add(elements.others.saturating_mul(ELEMENT));
    if memory > FOOTER_MEMORY {
        return Err(Refusal::TooLarge("its footer has too many row groups and columns".to_owned()));
    }
    Ok(())
}

/// Goes through the columns, which stand in a list with the number of their children.
fn check_schema(cursor: &mut Cursor<'_>, elements: &mut Elements) -> Result<(), Refusal> {
    let damaged = || Refusal::damaged("its schema is damaged");
    let (kind, count) = cursor.list().filter(|(kind, _)| *kind == STRUCT).ok_or_else(damaged)?;
    elements.add(kind, count);
    if count > MOST_COLUMNS as u64 {
        return Err(Refusal::TooLarge(format!("it has more than {MOST_COLUMNS} columns")));
    }
    // How many children are still to come of each group that is open.
    let mut open: Vec<i64> = Vec::new();
    for _ in 0..count {
        let mut children = 0;
        let mut field = 0;
        loop {
            match (cursor.field(&mut field).ok_or_else(damaged)?, field) {
                (STOP, _) => break,
                (INTEGER, 5) => children = cursor.integer().ok_or_else(damaged)?,
                (kind, _) => cursor.skip(kind, elements).ok_or_else(damaged)?,
            }
        }
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        if children > 0 {
            open.push(children);
        }
        if open.len() > DEEPEST_COLUMN {
            return Err(Refusal::TooLarge(format!("its columns are nested more than {DEEPEST_COLUMN} deep")));
        }
        while open.last().is_some_and(|left| *left <= 0) {
            open.pop();
        }
    }
    Ok(())
}

/// Checks every page of every column.
///
/// # Errors
/// [`Refusal::Damaged`] and [`Refusal::TooLarge`], with the column.
pub fn check_pages(file: &impl ChunkReader, metadata: &ParquetMetaData, limits: &PageLimits) -> Result<(), Refusal> {
    let mut sums = Sums::default();
    for group in metadata.row_groups() {
        let mut resident = 0_u64;
        for column in group.columns() {
            let name = column.column_path().string();
            let within = |refusal| match refusal {
                Refusal::Damaged(reason) => Refusal::Damaged(format!("the column `{name:.100}`: {reason}")),
                Refusal::TooLarge(reason) => Refusal::TooLarge(format!("the column `{name:.100}`: {reason}")),
            };
            let largest = check_column(file, column, limits, &mut sums).map_err(within)?;
            resident = resident.saturating_add(largest);
            if resident > limits.resident {
                let reason = format!("its pages take more than {} bytes in memory together", limits.resident);
                return Err(within(Refusal::TooLarge(reason)));
            }
        }
    }
    Ok(())
}

/// What the pages so far have.
#[derive(Debug, Default)]
struct Sums {
    values: u64,
    bytes: u64,
}

/// Checks the pages of a column, and gives the bytes of it that are in memory together.
fn check_column(
    file: &impl ChunkReader,
    column: &ColumnChunkMetaData,
    limits: &PageLimits,
    sums: &mut Sums,
) -> Result<u64, Refusal> {
    if !matches!(column.compression(), Compression::UNCOMPRESSED | Compression::SNAPPY) {
        return Err(Refusal::damaged(format!("it is packed with {}, and only Snappy is known", column.compression())));
    }
    let claimed = u64::try_from(column.num_values()).map_err(|_| Refusal::damaged("a negative number of values"))?;
    let (start, length) = column.byte_range();
    let end = start.checked_add(length).filter(|end| *end <= file.len());
    let end = end.ok_or_else(|| Refusal::damaged("it lies outside of the file"))?;
    let (mut at, mut values, mut dictionary, mut largest) = (start, 0_u64, 0_u64, 0_u64);
    while at < end {
        let window = usize::try_from((end - at).min(LARGEST_HEADER)).unwrap_or_default();
        // Most headers are short; a longer look is taken only where one is not.
        let mut read = None;
        for look in [window.min(256), window] {
            let bytes = file.get_bytes(at, look).map_err(|error| Refusal::damaged(error.to_string()))?;
            let mut cursor = Cursor { bytes: &bytes };
            if let Some(page) = page_header(&mut cursor) {
                read = Some((page, (look - cursor.bytes.len()) as u64));
                break;
            }
        }
        let (page, header) = read.ok_or_else(|| Refusal::damaged("a page header is damaged"))?;
        at = at.saturating_add(header).saturating_add(page.packed);
        if at > end {
            return Err(Refusal::damaged("a page is longer than its column"));
        }
        if page.unpacked > page.packed * MOST_BYTES_PER_BYTE + SLACK {
            return Err(Refusal::damaged(format!(
                "a page of {} bytes claims to unpack to {}",
                page.packed, page.unpacked
            )));
        }
        sums.bytes = sums.bytes.saturating_add(page.unpacked);
        if sums.bytes > limits.bytes {
            return Err(Refusal::TooLarge(format!("the pages up to it unpack to more than {} bytes", limits.bytes)));
        }
        let counted = if page.is_dictionary {
            if page.values > page.unpacked {
                let claim = format!("a dictionary of {} bytes claims to have {} values", page.unpacked, page.values);
                return Err(Refusal::damaged(claim));
            }
            dictionary = dictionary.saturating_add(page.unpacked).saturating_add(page.values * ELEMENT);
            page.values
        } else {
            largest = largest.max(page.packed + page.unpacked);
            values = values.saturating_add(page.values);
            if values > claimed {
                let claim = format!("its pages have {values} values or more, and its footer says {claimed}");
                return Err(Refusal::damaged(claim));
            }
            page.values
        };
        sums.values = sums.values.saturating_add(counted);
        if sums.values > limits.values {
            return Err(Refusal::TooLarge(format!("the columns up to it have more than {} values", limits.values)));
        }
    }
    Ok(largest.saturating_add(dictionary))
}

/// What a page claims, without its header.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    packed: u64,
    unpacked: u64,
    values: u64,
    is_dictionary: bool,
}

fn page_header(cursor: &mut Cursor<'_>) -> Option<Page> {
    let (mut packed, mut unpacked, mut values, mut is_dictionary) = (None, None, 0_u64, false);
    let mut field = 0_i64;
    let mut elements = Elements::default();
    loop {
        match (cursor.field(&mut field)?, field) {
            (STOP, _) => break,
            (INTEGER, 2) => unpacked = u64::try_from(cursor.integer()?).ok(),
            (INTEGER, 3) => packed = u64::try_from(cursor.integer()?).ok(),
            // The headers of a data page, of a dictionary, and of a data page of the second kind.
            (STRUCT, 5 | 7 | 8) => {
                is_dictionary |= field == 7;
                values = values.max(most_values(cursor, &mut elements, field == 8)?);
            }
            (kind, _) => cursor.skip(kind, &mut elements)?,
        }
    }
    Some(Page { packed: packed?, unpacked: unpacked?, values, is_dictionary })
}

/// The number of values, or of rows where that is larger and the header has it.
fn most_values(cursor: &mut Cursor<'_>, elements: &mut Elements, has_rows: bool) -> Option<u64> {
    let mut most = 0;
    let mut field = 0;
    loop {
        match (cursor.field(&mut field)?, field) {
            (STOP, _) => return Some(most),
            (INTEGER, number) if number == 1 || (number == 3 && has_rows) => {
                let number = cursor.integer()?;
                most = most.max(u64::try_from(number).ok()?);
            }
            (kind, _) => cursor.skip(kind, elements)?,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(bytes: &[u8]) -> Option<(Page, usize)> {
        let mut cursor = Cursor { bytes };
        let page = page_header(&mut cursor)?;
        Some((page, cursor.bytes.len()))
    }

    #[test]
    fn a_header_is_read_to_its_end() {
        // Type 0; 1,000 bytes unpacked; 300 packed; a data page of 20 values; then the page.
        let bytes = [0x15, 0, 0x15, 0xd0, 0x0f, 0x15, 0xd8, 0x04, 0x2c, 0x15, 40, 0x19, 0x25, 2, 4, 0x11, 0, 0, 0xaa];
        let page = Page { packed: 300, unpacked: 1000, values: 20, is_dictionary: false };
        assert_eq!(header(&bytes), Some((page, 1)));
    }

    #[test]
    fn damaged_headers_have_no_size() {
        let endless = [0x1c; 64];
        for bytes in [&[][..], &[0x15], &[0x15, 0, 0], &[0x15, 0, 0x15, 1, 0x15, 1, 0], &[0x18, 0xff, 0x7f], &endless] {
            assert_eq!(header(bytes), None);
        }
        let list_of_nothing_for_ever = [0x19, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert_eq!(header(&list_of_nothing_for_ever), None);
    }

    #[test]
    fn footers_with_claims_that_cannot_be_are_refused() {
        let file = |footer: &[u8]| {
            let mut file = footer.to_vec();
            file.extend_from_slice(&u32::try_from(footer.len()).unwrap().to_le_bytes());
            file.extend_from_slice(b"PAR1");
            bytes::Bytes::from(file)
        };
        // Columns, each the only child of the one before.
        let nested = [vec![0x29, 0xfc, 200, 1], [0x55, 2, 0].repeat(200), vec![0]].concat();
        // Two million row groups of which nothing is said.
        let groups = [vec![0x49, 0xfc, 0x80, 0x89, 0x7a], vec![0; 2_000_001]].concat();
        let columns = [vec![0x29, 0xfc, 0x88, 0x27], vec![0; 5001]].concat();
        for (footer, code) in [
            (nested, "parquet-too-large"),
            (groups, "parquet-too-large"),
            (columns, "parquet-too-large"),
            (vec![0x49, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f, 0], "parquet-damaged"),
            (vec![0x18, 0xff, 0xff, 0xff, 0xff, 0x0f, 0], "parquet-damaged"),
            (vec![], "parquet-damaged"),
        ] {
            assert_eq!(check_footer(&file(&footer)).unwrap_err().code(), code, "{footer:.20?}");
        }
        assert_eq!(check_footer(&bytes::Bytes::from_static(b"PAR1")).unwrap_err().code(), "parquet-damaged");
        let long = bytes::Bytes::from_static(b"PAR1\xff\xff\xff\x7fPAR1");
        assert_eq!(check_footer(&long).unwrap_err().code(), "parquet-too-large");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_header_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = header(&bytes);
        }
    }
}
