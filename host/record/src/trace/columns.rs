//! The rows of a trace as columns in memory, the form in which Parquet takes and gives them.

use std::sync::Arc;

use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::Type;

/// The schema of the file. `?` columns of the layout are optional here.
pub(super) const SCHEMA: &str = "message bench_trace {
    required int32 request (INTEGER(32,false));
    optional int32 read (INTEGER(32,false));
    required int64 at_ns;
    optional int32 end (INTEGER(32,false));
    optional byte_array bytes;
    optional int64 intended_ns;
    optional int64 connected_ns;
    optional int64 first_byte_written_ns;
    optional int64 last_byte_written_ns;
    optional int64 head_ns;
    optional int64 ended_ns;
    optional int32 status;
    optional byte_array headers (STRING);
    optional byte_array outcome (STRING);
}";

pub(super) fn schema() -> Result<Arc<Type>, ParquetError> {
    parse_message_type(SCHEMA).map(Arc::new)
}

/// Columns of one row group; every vector has one entry per row.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) request: Vec<Option<i32>>,
    pub(super) read: Vec<Option<i32>>,
    pub(super) at_ns: Vec<Option<i64>>,
    pub(super) end: Vec<Option<i32>>,
    pub(super) bytes: Vec<Option<ByteArray>>,
    pub(super) intended_ns: Vec<Option<i64>>,
    pub(super) connected_ns: Vec<Option<i64>>,
    pub(super) first_byte_written_ns: Vec<Option<i64>>,
    pub(super) last_byte_written_ns: Vec<Option<i64>>,
    pub(super) head_ns: Vec<Option<i64>>,
    pub(super) ended_ns: Vec<Option<i64>>,
    pub(super) status: Vec<Option<i32>>,
    pub(super) headers: Vec<Option<ByteArray>>,
    pub(super) outcome: Vec<Option<ByteArray>>,
}

/// One column, by its type.
pub(super) enum Column<'a> {
    Int32(&'a mut Vec<Option<i32>>),
    Int64(&'a mut Vec<Option<i64>>),
    Bytes(&'a mut Vec<Option<ByteArray>>),
}

impl Columns {
    pub(super) fn rows(&self) -> usize {
        self.request.len()
    }

    /// The columns in the order of the schema.
    pub(super) fn in_order(&mut self) -> [Column<'_>; 14] {
        [
            Column::Int32(&mut self.request),
            Column::Int32(&mut self.read),
            Column::Int64(&mut self.at_ns),
            Column::Int32(&mut self.end),
            Column::Bytes(&mut self.bytes),
            Column::Int64(&mut self.intended_ns),
            Column::Int64(&mut self.connected_ns),
            Column::Int64(&mut self.first_byte_written_ns),
            Column::Int64(&mut self.last_byte_written_ns),
            Column::Int64(&mut self.head_ns),
            Column::Int64(&mut self.ended_ns),
            Column::Int32(&mut self.status),
            Column::Bytes(&mut self.headers),
            Column::Bytes(&mut self.outcome),
        ]
    }
}
