//! One Parquet file: a row for each sample, every column optional.

use std::sync::Arc;

use ::parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::types::Type;

use super::columns::{COLUMNS, Cell, Kind};
use crate::error::SamplesError;
use crate::record::SampleRecord;

/// Rows that are in memory as columns together.
const ROWS_PER_GROUP: usize = 1 << 14;

/// The file's bytes.
pub(super) fn bytes(records: &[SampleRecord]) -> Result<Vec<u8>, SamplesError> {
    let unwritable = |error: ParquetError| SamplesError::Unwritable { form: "parquet", reason: error.to_string() };
    file(records).map_err(unwritable)
}

fn file(records: &[SampleRecord]) -> Result<Vec<u8>, ParquetError> {
    let metadata = vec![KeyValue::new("bench.samples.schema".to_owned(), crate::record::SCHEMA_VERSION.to_string())];
    let properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_key_value_metadata(Some(metadata)).build();
    let mut file = SerializedFileWriter::new(Vec::new(), Arc::new(schema()?), Arc::new(properties))?;
    for rows in records.chunks(ROWS_PER_GROUP) {
        let mut group = file.next_row_group()?;
        write_group(&mut group, rows)?;
        group.close()?;
    }
    file.into_inner()
}

fn schema() -> Result<Type, ParquetError> {
    let field = |name: &str, kind: Kind| {
        let physical = match kind {
            Kind::Text => Physical::BYTE_ARRAY,
            Kind::Integer => Physical::INT64,
            Kind::Number => Physical::DOUBLE,
        };
        let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
        let builder = if kind == Kind::Text { builder.with_logical_type(Some(LogicalType::String)) } else { builder };
        builder.build().map(Arc::new)
    };
    let fields = COLUMNS.iter().map(|column| field(column.name, column.kind)).collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("bench_samples").with_fields(fields).build()
}

fn write_group(group: &mut SerializedRowGroupWriter<'_, Vec<u8>>, rows: &[SampleRecord]) -> Result<(), ParquetError> {
    let mut columns = COLUMNS.iter();
    while let (Some(mut writer), Some(column)) = (group.next_column()?, columns.next()) {
        let cells: Vec<Cell> = rows.iter().map(column.of).collect();
        let levels: Vec<i16> = cells.iter().map(|cell| i16::from(is_known(cell))).collect();
        match column.kind {
            Kind::Text => {
                let values: Vec<ByteArray> = cells.into_iter().filter_map(bytes_of).collect();
                writer.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
            }
            Kind::Integer => {
                let integer = |cell: Cell| if let Cell::Integer(number) = cell { number } else { None };
                let values: Vec<i64> = cells.into_iter().filter_map(integer).collect();
                writer.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
            }
            Kind::Number => {
                let number = |cell: Cell| if let Cell::Number(number) = cell { number } else { None };
                let values: Vec<f64> = cells.into_iter().filter_map(number).collect();
                writer.typed::<DoubleType>().write_batch(&values, Some(&levels), None)?;
            }
        }
        writer.close()?;
    }
    Ok(())
}

fn is_known(cell: &Cell) -> bool {
    matches!(cell, Cell::Text(Some(_)) | Cell::Integer(Some(_)) | Cell::Number(Some(_)))
}

fn bytes_of(cell: Cell) -> Option<ByteArray> {
    match cell {
        Cell::Text(text) => text.map(|text| ByteArray::from(text.into_bytes())),
        _ => None,
    }
}
