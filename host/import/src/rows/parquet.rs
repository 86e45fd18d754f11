//! Rows of a Parquet file, as data sets on the hub have them.
//!
//! A few bytes of such a file can stand for any number of values, so what comes out is counted, and what its footer claims is looked
//! at before anything is unpacked.

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{Field, Row as ParquetRow};
use serde_json::{Map, Number, Value};

use super::Row;
use crate::error::ImportError;
use crate::tree::LARGEST_FILE;

/// Deepest nesting of lists and groups.
const DEEPEST: usize = 32;

pub(super) fn rows(name: &str, bytes: Vec<u8>) -> Result<Vec<Row>, ImportError> {
    let broken = |error: parquet::errors::ParquetError| ImportError::unreadable(name, error);
    let too_large = || ImportError::TooLarge { name: name.to_owned(), limit: LARGEST_FILE };
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).map_err(broken)?;
    let claimed = reader.metadata().row_groups().iter().map(|group| group.total_byte_size().max(0).cast_unsigned());
    if claimed.fold(0_u64, u64::saturating_add) > LARGEST_FILE {
        return Err(too_large());
    }
    let mut rows = Vec::new();
    let mut room = LARGEST_FILE;
    for (place, row) in reader.get_row_iter(None).map_err(broken)?.enumerate() {
        let place = format!("row {}", place + 1);
        let fields = fields(&row.map_err(broken)?, &mut room, 0);
        if room == 0 || rows.len() >= bench_suite::MOST_ITEMS {
            return Err(too_large());
        }
        let fields =
            fields.map_err(|reason| ImportError::Row { name: name.to_owned(), place: place.clone(), reason })?;
        rows.push(Row { place, fields, inexact: None });
    }
    Ok(rows)
}

fn fields(row: &ParquetRow, room: &mut u64, depth: usize) -> Result<Map<String, Value>, String> {
    let columns = row.get_column_iter();
    columns.map(|(column, field)| Ok((column.clone(), value(column, field, room, depth)?))).collect()
}

fn value(column: &str, field: &Field, room: &mut u64, depth: usize) -> Result<Value, String> {
    if depth > DEEPEST {
        return Err(format!("the column `{column}` is nested more than {DEEPEST} deep"));
    }
    *room = room.saturating_sub(16);
    if *room == 0 {
        return Ok(Value::Null);
    }
    Ok(match field {
        Field::Null => Value::Null,
        Field::Bool(value) => Value::Bool(*value),
        Field::Byte(value) => Value::from(*value),
        Field::Short(value) => Value::from(*value),
        Field::Int(value) => Value::from(*value),
        Field::Long(value) => Value::from(*value),
        Field::UByte(value) => Value::from(*value),
        Field::UShort(value) => Value::from(*value),
        Field::UInt(value) => Value::from(*value),
        Field::ULong(value) => Value::from(*value),
        Field::Float(value) => Number::from_f64(f64::from(*value)).map_or(Value::Null, Value::Number),
        Field::Double(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
        Field::Str(text) => {
            *room = room.saturating_sub(text.len() as u64);
            Value::String(text.clone())
        }
        Field::Group(group) => Value::Object(fields(group, room, depth + 1)?),
        Field::ListInternal(list) => {
            let values = list.elements().iter().map(|field| value(column, field, room, depth + 1));
            Value::Array(values.collect::<Result<_, _>>()?)
        }
        Field::MapInternal(map) => {
            let pairs = map.entries().iter().map(|(key, field)| match key {
                Field::Str(key) => Ok((key.clone(), value(column, field, room, depth + 1)?)),
                _ => Err(format!("the column `{column}` is a map whose keys are no texts")),
            });
            Value::Object(pairs.collect::<Result<_, _>>()?)
        }
        other => return Err(format!("the column `{column}` holds {other}, which JSON has no value for")),
    })
}
