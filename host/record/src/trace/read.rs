//! Reading a trace. The file may come from anywhere: sizes are bounded before anything is decoded, and whatever is wrong with
//! it is an error.

use std::fs::File;
use std::path::Path;

use bench_files::open_regular;
use bench_json::{Budget, memory};
use bench_unpack::parquet::{PageLimits, catch_decoder_panic, check_footer, check_pages};
use bytes::BytesMut;
use parquet::column::reader::{ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;

use super::columns::{Column, Columns, schema};
use super::{LAYOUT, TraceHead, TraceRead, TraceRequest};
use crate::RecordError;

/// How much of a trace is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceLimits {
    /// Largest file, in bytes.
    pub file_bytes: u64,
    /// Largest content once unpacked, and most memory that the requests take, in bytes.
    pub content_bytes: u64,
    /// Most rows. They bound memory too, because rows without content pack to almost nothing.
    pub rows: u64,
}

/// Rows whose columns are in memory together.
const BATCH: usize = 1 << 13;

/// Columns of the layout.
const COLUMNS: u64 = 14;

impl Default for TraceLimits {
    /// A file of 1 GiB, content of 192 MiB or what the user allows, 4 million rows.
    fn default() -> Self {
        Self { file_bytes: 1 << 30, content_bytes: memory(), rows: 4_000_000 }
    }
}

/// Reads the trace at `path`: its requests in the order of their ordinals.
///
/// # Errors
///
/// [`RecordError::Io`], [`RecordError::Files`], [`RecordError::TooLarge`], or [`RecordError::BadTrace`] for everything that is
/// wrong with the content.
pub fn read_trace(path: &Path, limits: TraceLimits) -> Result<Vec<TraceRequest>, RecordError> {
    let file = open_regular(path)?;
    let size = file.metadata().map_err(RecordError::io("read", path))?.len();
    if size > limits.file_bytes {
        return Err(RecordError::TooLarge { path: path.to_owned(), limit: limits.file_bytes });
    }
    let found = catch_decoder_panic(|| requests(file, limits)).unwrap_or_else(|refusal| Err(refusal.to_string()));
    found.map_err(|reason| RecordError::BadTrace { path: path.to_owned(), reason })
}

fn requests(file: File, limits: TraceLimits) -> Result<Vec<TraceRequest>, String> {
    let text = |error: ParquetError| error.to_string();
    check_footer(&file).map_err(|error| error.to_string())?;
    let reader = SerializedFileReader::new(file.try_clone().map_err(|error| error.to_string())?).map_err(text)?;
    check(reader.metadata(), limits)?;
    let pages = PageLimits {
        // Nulls are values too, and a dictionary has no more values than its column.
        values: limits.rows.saturating_mul(2 * COLUMNS),
        bytes: limits.content_bytes,
        resident: limits.content_bytes,
    };
    check_pages(&file, reader.metadata(), &pages).map_err(|error| error.to_string())?;
    let mut assembly = Assembly { done: Vec::new(), current: None, budget: Budget::new(limits.content_bytes) };
    for index in 0..reader.metadata().num_row_groups() {
        let group = reader.get_row_group(index).map_err(text)?;
        let rows = usize::try_from(group.metadata().num_rows()).map_err(|_| "a negative number of rows")?;
        let mut readers = Readers::new(group.as_ref()).map_err(text)?;
        let mut done = 0;
        while done < rows {
            let columns = readers.read((rows - done).min(BATCH)).map_err(text)?;
            for row in 0..columns.rows() {
                assembly.row(&columns, row)?;
            }
            done += columns.rows();
        }
    }
    assembly.finish()
}

/// Holds the file against the layout and the limits, from its metadata alone.
fn check(metadata: &ParquetMetaData, limits: TraceLimits) -> Result<(), String> {
    let file = metadata.file_metadata();
    let layout = file.key_value_metadata().into_iter().flatten().find(|entry| entry.key == "bench.trace.layout");
    match layout.and_then(|entry| entry.value.as_deref()) {
        Some(LAYOUT) => {}
        Some(other) => return Err(format!("its layout is {other:?}, but only {LAYOUT:?} is known")),
        None => return Err("it names no layout".to_owned()),
    }
    let expected = schema().map_err(|error| error.to_string())?;
    let found = file.schema();
    if found.get_fields() != expected.get_fields() {
        return Err("its columns are not those of the layout".to_owned());
    }
    let (mut rows, mut content) = (0_u64, 0_u64);
    for group in metadata.row_groups() {
        let add = |sum: u64, more: i64| u64::try_from(more).ok().and_then(|more| sum.checked_add(more));
        rows = add(rows, group.num_rows()).ok_or("a nonsensical number of rows")?;
        for column in group.columns() {
            content = add(content, column.uncompressed_size()).ok_or("a nonsensical size")?;
        }
    }
    if rows > limits.rows {
        return Err(format!("it has {rows} rows, more than the {} that are read", limits.rows));
    }
    if content > limits.content_bytes {
        return Err(format!("its content has {content} bytes, more than the {} that are read", limits.content_bytes));
    }
    Ok(())
}

/// The readers of a row group's columns, in the order of the schema.
struct Readers {
    columns: Vec<AnyReader>,
}

/// The reader of one column, and whether it may have nulls.
enum AnyReader {
    Int32(ColumnReaderImpl<Int32Type>, bool),
    Int64(ColumnReaderImpl<Int64Type>, bool),
    Bytes(ColumnReaderImpl<ByteArrayType>, bool),
}

impl Readers {
    fn new(group: &dyn RowGroupReader) -> Result<Self, ParquetError> {
        let mut columns = Vec::new();
        for (index, column) in Columns::default().in_order().into_iter().enumerate() {
            let reader = group.get_column_reader(index)?;
            let optional = group.metadata().column(index).column_descr().max_def_level() > 0;
            columns.push(match column {
                Column::Int32(_) => AnyReader::Int32(get_typed_column_reader(reader), optional),
                Column::Int64(_) => AnyReader::Int64(get_typed_column_reader(reader), optional),
                Column::Bytes(_) => AnyReader::Bytes(get_typed_column_reader(reader), optional),
            });
        }
        Ok(Self { columns })
    }

    /// The next rows of all columns.
    fn read(&mut self, rows: usize) -> Result<Columns, ParquetError> {
        let mut columns = Columns::default();
        for (index, (column, reader)) in columns.in_order().into_iter().zip(&mut self.columns).enumerate() {
            match (column, reader) {
                (Column::Int32(values), AnyReader::Int32(reader, optional)) => {
                    *values = read_column(reader, *optional, index, rows)?;
                }
                (Column::Int64(values), AnyReader::Int64(reader, optional)) => {
                    *values = read_column(reader, *optional, index, rows)?;
                }
                (Column::Bytes(values), AnyReader::Bytes(reader, optional)) => {
                    *values = read_column(reader, *optional, index, rows)?;
                }
                _ => return Err(ParquetError::General(format!("column {index} is of another type"))),
            }
        }
        Ok(columns)
    }
}

/// The next values of a column, `None` for null.
fn read_column<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    optional: bool,
    index: usize,
    rows: usize,
) -> Result<Vec<Option<T::T>>, ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    let mut read = 0;
    while read < rows {
        let (records, _, _) = reader.read_records(rows - read, optional.then_some(&mut levels), None, &mut values)?;
        if records == 0 {
            return Err(ParquetError::General(format!("column {index} ends {} rows too early", rows - read)));
        }
        read += records;
    }
    let mut values = values.into_iter();
    let column: Vec<Option<T::T>> = if optional {
        levels.iter().map(|level| if *level > 0 { values.next() } else { None }).collect()
    } else {
        values.map(Some).collect()
    };
    if column.len() == rows {
        Ok(column)
    } else {
        Err(ParquetError::General(format!("column {index} has {} of {rows} rows", column.len())))
    }
}

/// Puts rows together to requests.
struct Assembly {
    done: Vec<TraceRequest>,
    current: Option<(TraceRequest, BytesMut)>,
    /// Memory that the requests may still take. A dictionary has bytes once that any number of rows refer to.
    budget: Budget,
}

/// Bytes that a request and a read take. The room of a list doubles.
const REQUEST: u64 = 2 * size_of::<TraceRequest>() as u64;
const READ: u64 = 2 * size_of::<TraceRead>() as u64;

/// Bytes that the headers of an answer take for each byte of their JSON, at most.
const HEADER_BYTES: u64 = 8;

impl Assembly {
    fn row(&mut self, columns: &Columns, row: usize) -> Result<(), String> {
        let ordinal = u32_at(&columns.request, row).ok_or("a row belongs to no request")?;
        let at_ns = time(&columns.at_ns, row)?.ok_or("a row has no time")?;
        let Some(read) = u32_at(&columns.read, row) else {
            self.close();
            if self.done.last().is_some_and(|last| last.ordinal >= ordinal) {
                return Err(format!("request {ordinal} is out of order"));
            }
            let texts =
                [&columns.headers, &columns.outcome].map(|column| bytes_at(column, row).map_or(0, ByteArray::len));
            let texts = texts.iter().sum::<usize>() as u64;
            self.budget.spend(REQUEST + HEADER_BYTES * texts).map_err(|error| error.to_string())?;
            self.current = Some((request(columns, row, ordinal, at_ns)?, BytesMut::new()));
            return Ok(());
        };
        let (request, body) = self
            .current
            .as_mut()
            .filter(|(request, _)| request.ordinal == ordinal)
            .ok_or_else(|| format!("a read of request {ordinal} stands outside of it"))?;
        if read as usize != request.reads.len() {
            return Err(format!("request {ordinal} has read {read} where {} should be", request.reads.len()));
        }
        let bytes = bytes_at(&columns.bytes, row).ok_or("a read has no bytes")?;
        let end = u32_at(&columns.end, row).ok_or("a read has no end")?;
        self.budget.spend(READ + 2 * bytes.len() as u64).map_err(|error| error.to_string())?;
        body.extend_from_slice(bytes.data());
        if end as usize != body.len() {
            return Err(format!("read {read} of request {ordinal} does not end where its bytes do"));
        }
        request.reads.push(TraceRead { end, at_ns });
        Ok(())
    }

    fn close(&mut self) {
        if let Some((request, body)) = self.current.take() {
            self.done.push(TraceRequest { body: body.freeze(), ..request });
        }
    }

    fn finish(mut self) -> Result<Vec<TraceRequest>, String> {
        self.close();
        Ok(self.done)
    }
}

fn request(columns: &Columns, row: usize, ordinal: u32, started_ns: u64) -> Result<TraceRequest, String> {
    let string = |column: &[Option<ByteArray>]| -> Result<Option<String>, String> {
        let Some(bytes) = bytes_at(column, row) else { return Ok(None) };
        String::from_utf8(bytes.data().to_vec()).map(Some).map_err(|_| "a text is not UTF-8".to_owned())
    };
    let status = columns.status.get(row).copied().flatten();
    let head = match (status, time(&columns.head_ns, row)?) {
        (Some(status), Some(at_ns)) => {
            let headers = string(&columns.headers)?.unwrap_or_else(|| "[]".to_owned());
            let headers =
                serde_json::from_str(&headers).map_err(|error| format!("headers are not readable: {error}"))?;
            let status = u16::try_from(status).map_err(|_| format!("{status} is not a status"))?;
            Some(TraceHead { status, at_ns, headers })
        }
        _ => None,
    };
    Ok(TraceRequest {
        ordinal,
        intended_ns: time(&columns.intended_ns, row)?.ok_or("a request has no intended time")?,
        started_ns,
        connected_ns: time(&columns.connected_ns, row)?,
        first_byte_written_ns: time(&columns.first_byte_written_ns, row)?,
        last_byte_written_ns: time(&columns.last_byte_written_ns, row)?,
        ended_ns: time(&columns.ended_ns, row)?.ok_or("a request has no end")?,
        head,
        outcome: string(&columns.outcome)?,
        ..TraceRequest::default()
    })
}

fn u32_at(column: &[Option<i32>], row: usize) -> Option<u32> {
    column.get(row).copied().flatten().map(i32::cast_unsigned)
}

fn bytes_at(column: &[Option<ByteArray>], row: usize) -> Option<&ByteArray> {
    column.get(row).and_then(Option::as_ref)
}

fn time(column: &[Option<i64>], row: usize) -> Result<Option<u64>, String> {
    let stamp = column.get(row).copied().flatten();
    stamp.map(|ns| u64::try_from(ns).map_err(|_| "a time is negative".to_owned())).transpose()
}
