//! Writing a trace.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bench_files::{StagedFile, create_private_folder, stage_private};
use parquet::basic::{Compression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::ColumnPath;
use sha2::{Digest as _, Sha256};

use super::columns::{Column, Columns, schema};
use super::{LAYOUT, TraceRequest};
use crate::canonical::hex;
use crate::{RecordError, RunId, TraceFile};

/// A row group is closed once it holds this many rows, or between two requests once it holds this many bytes.
const ROWS_PER_GROUP: usize = 1 << 16;
const BYTES_PER_GROUP: usize = 4 << 20;

/// Writes a trace request by request. The file appears under its name only when it is finished.
pub struct TraceWriter {
    path: PathBuf,
    file: SerializedFileWriter<Hashing>,
    pending: Columns,
    pending_bytes: usize,
    rows: u64,
}

/// Hashes what passes through.
struct Hashing {
    file: StagedFile,
    hash: Sha256,
    bytes: u64,
}

impl Write for Hashing {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.hash.update(buffer.get(..written).unwrap_or(buffer));
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl TraceWriter {
    /// Begins the trace of `run` that is to be at `path`.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`] when its directory cannot be made or written to.
    pub fn create(path: impl Into<PathBuf>, run: &RunId) -> Result<Self, RecordError> {
        let path = path.into();
        if let Some(folder) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            create_private_folder(folder)?;
        }
        let file = stage_private(&path)?;
        let metadata = vec![
            KeyValue::new("bench.trace.layout".to_owned(), LAYOUT.to_owned()),
            KeyValue::new("bench.run.id".to_owned(), run.to_string()),
        ];
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_column_encoding(ColumnPath::from("at_ns"), Encoding::DELTA_BINARY_PACKED)
            .set_key_value_metadata(Some(metadata))
            .build();
        let target = Hashing { file, hash: Sha256::new(), bytes: 0 };
        let begun = schema().and_then(|schema| SerializedFileWriter::new(target, schema, Arc::new(properties)));
        let file = begun.map_err(|error| failed(&path, error))?;
        Ok(Self { path, file, pending: Columns::default(), pending_bytes: 0, rows: 0 })
    }

    /// Adds a request. Ordinals must ascend.
    ///
    /// # Errors
    ///
    /// [`RecordError::BadTrace`] when its reads do not add up to its body or a time is too large, [`RecordError::Io`].
    pub fn push(&mut self, request: &TraceRequest) -> Result<(), RecordError> {
        let wrong = |reason: &str| RecordError::BadTrace {
            path: self.path.clone(),
            reason: format!("request {}: {reason}", request.ordinal),
        };
        let ends = request.reads.iter().map(|read| read.end as usize);
        let last = ends.clone().next_back().unwrap_or(0);
        if last != request.body.len() || !ends.is_sorted() {
            return Err(wrong("the reads do not add up to the body"));
        }
        let time = |ns: u64| i64::try_from(ns).map_err(|_| wrong("a time is too large"));
        let maybe = |ns: Option<u64>| ns.map(time).transpose();
        let headers = request.head.as_ref().map(|head| serde_json::to_string(&head.headers).unwrap_or_default());
        let started = time(request.started_ns)?;
        let stamps = [
            Some(time(request.intended_ns)?),
            maybe(request.connected_ns)?,
            maybe(request.first_byte_written_ns)?,
            maybe(request.last_byte_written_ns)?,
            maybe(request.head.as_ref().map(|head| head.at_ns))?,
            Some(time(request.ended_ns)?),
        ];
        let mut reads = Vec::with_capacity(request.reads.len());
        for read in &request.reads {
            reads.push((read.end, time(read.at_ns)?));
        }

        let ordinal = request.ordinal.cast_signed();
        let mut columns = &mut self.pending;
        columns.request.push(Some(ordinal));
        columns.at_ns.push(Some(started));
        let [intended, connected, first, written, head, ended] = stamps;
        columns.intended_ns.push(intended);
        columns.connected_ns.push(connected);
        columns.first_byte_written_ns.push(first);
        columns.last_byte_written_ns.push(written);
        columns.head_ns.push(head);
        columns.ended_ns.push(ended);
        columns.status.push(request.head.as_ref().map(|head| i32::from(head.status)));
        columns.headers.push(headers.map(|text| ByteArray::from(text.into_bytes())));
        columns.outcome.push(request.outcome.as_deref().map(|code| ByteArray::from(code.as_bytes().to_vec())));
        columns.read.push(None);
        columns.end.push(None);
        columns.bytes.push(None);
        let mut from = 0;
        for (index, (end, at)) in (0_u32..).zip(reads) {
            columns.request.push(Some(ordinal));
            columns.read.push(Some(index.cast_signed()));
            columns.at_ns.push(Some(at));
            columns.end.push(Some(end.cast_signed()));
            columns.bytes.push(Some(ByteArray::from(request.body.slice(from..end as usize))));
            from = end as usize;
            for column in [
                &mut columns.intended_ns,
                &mut columns.connected_ns,
                &mut columns.first_byte_written_ns,
                &mut columns.last_byte_written_ns,
                &mut columns.head_ns,
                &mut columns.ended_ns,
            ] {
                column.push(None);
            }
            columns.status.push(None);
            columns.headers.push(None);
            columns.outcome.push(None);
            if columns.rows() >= ROWS_PER_GROUP {
                // A server can send a byte at a time, and rows take far more memory than that.
                self.close_group()?;
                columns = &mut self.pending;
            }
        }
        self.pending_bytes += request.body.len();
        if self.pending.rows() >= ROWS_PER_GROUP || self.pending_bytes >= BYTES_PER_GROUP {
            self.close_group()?;
        }
        Ok(())
    }

    /// Finishes the file and gives it its name.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`].
    pub fn finish(mut self) -> Result<TraceFile, RecordError> {
        self.close_group()?;
        let target = self.file.into_inner().map_err(|error| failed(&self.path, error))?;
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        target.file.persist_synced()?;
        Ok(TraceFile { file: name, sha256: hex(&target.hash.finalize()), bytes: target.bytes, rows: self.rows })
    }

    fn close_group(&mut self) -> Result<(), RecordError> {
        let mut columns = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        if columns.rows() == 0 {
            return Ok(());
        }
        self.rows += columns.rows() as u64;
        write_group(&mut self.file, &mut columns).map_err(|error| failed(&self.path, error))
    }
}

fn failed(path: &Path, error: ParquetError) -> RecordError {
    RecordError::io("write", path)(io::Error::other(error))
}

fn write_group(file: &mut SerializedFileWriter<Hashing>, columns: &mut Columns) -> Result<(), ParquetError> {
    let mut group = file.next_row_group()?;
    let mut remaining = columns.in_order().into_iter();
    while let Some(mut writer) = group.next_column()? {
        match remaining.next() {
            Some(Column::Int32(values)) => write_column::<Int32Type>(&mut writer, values)?,
            Some(Column::Int64(values)) => write_column::<Int64Type>(&mut writer, values)?,
            Some(Column::Bytes(values)) => write_column::<ByteArrayType>(&mut writer, values)?,
            None => return Err(ParquetError::General("the schema has more columns than the layout".to_owned())),
        }
        writer.close()?;
    }
    group.close()?;
    Ok(())
}

fn write_column<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    values: &[Option<T::T>],
) -> Result<(), ParquetError>
where
    T::T: Clone,
{
    // Required columns take the levels too, and ignore them.
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let present: Vec<T::T> = values.iter().flatten().cloned().collect();
    writer.typed::<T>().write_batch(&present, Some(&levels), None)?;
    Ok(())
}
