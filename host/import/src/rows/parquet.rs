//! Rows of a Parquet file, as data sets on the hub have them.
//!
//! A few bytes of such a file can stand for any number of values. So the footer, the headers of all pages and the lengths of all
//! texts are looked at before a row is made: a row is in memory whole, however long its lists are.

use bench_json::{Budget, Costs, text_cost};
use bench_unpack::parquet::{PageLimits, Refusal, catch_decoder_panic, check_footer, check_pages};
use bytes::Bytes;
use parquet::basic::Type as Physical;
use parquet::column::reader::{ColumnReader, get_typed_column_reader};
use parquet::data_type::ByteArrayType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::record::{Field, Row as ParquetRow};
use serde_json::{Map, Number, Value};

use super::{ROW, Row};
use crate::error::ImportError;

/// Deepest nesting of lists and groups.
const DEEPEST: usize = 32;

/// Bytes that the decoder takes for a value of a row, at most: the value itself, its levels and its column's name.
const DECODED: u64 = 192;

/// Records of a column that are decoded at once while texts are measured.
const BATCH: usize = 1024;

pub(super) fn rows(name: &str, bytes: Vec<u8>, budget: &Budget) -> Result<Vec<Row>, ImportError> {
    catch_decoder_panic(|| read(name, Bytes::from(bytes), budget))
        .unwrap_or_else(|refusal| Err(ImportError::unreadable(name, refusal)))
}

fn read(name: &str, bytes: Bytes, budget: &Budget) -> Result<Vec<Row>, ImportError> {
    let broken = |error: ParquetError| ImportError::unreadable(name, error);
    let refused = |refusal: Refusal| ImportError::unreadable(name, refusal);
    check_footer(&bytes).map_err(refused)?;
    let reader = SerializedFileReader::new(bytes.clone()).map_err(broken)?;
    let left = budget.left();
    let limits = PageLimits { values: left / DECODED, bytes: left.saturating_mul(2), resident: left / 2 };
    check_pages(&bytes, reader.metadata(), &limits).map_err(refused)?;
    let count: i64 =
        reader.metadata().row_groups().iter().map(|group| group.num_rows().max(0)).fold(0, i64::saturating_add);
    if count > bench_suite::MOST_ITEMS as i64 {
        return Err(ImportError::unreadable(name, format!("it has more than {} rows", bench_suite::MOST_ITEMS)));
    }
    check_texts(name, &reader, left)?;
    let mut rows = Vec::new();
    for (place, row) in reader.get_row_iter(None).map_err(broken)?.enumerate() {
        let place = format!("row {}", place + 1);
        let over = || ImportError::memory(format!("{name}, {place}"));
        budget.spend(ROW).map_err(over())?;
        let fields = fields(&row.map_err(broken)?, budget, 0).map_err(|fault| match fault {
            Fault::Column(reason) => ImportError::Row { name: name.to_owned(), place: place.clone(), reason },
            Fault::Memory(error) => over()(error),
        })?;
        rows.push(Row { place, fields, inexact: None });
    }
    Ok(rows)
}

/// Adds up the lengths of all texts. A dictionary has a text once for any number of rows, and a row has it as often as it
/// refers to it.
fn check_texts(name: &str, reader: &SerializedFileReader<Bytes>, most: u64) -> Result<(), ImportError> {
    let mut sum = 0_u64;
    for index in 0..reader.num_row_groups() {
        let group = reader.get_row_group(index).map_err(|error| ImportError::unreadable(name, error))?;
        for (column, chunk) in group.metadata().columns().iter().enumerate() {
            if chunk.column_type() != Physical::BYTE_ARRAY {
                continue;
            }
            let path = chunk.column_path().string();
            let wrong = |reason: String| ImportError::unreadable(name, format!("the column `{path:.100}`: {reason}"));
            add_texts(group.as_ref(), column, most, &mut sum).map_err(wrong)?;
        }
    }
    Ok(())
}

fn add_texts(group: &dyn RowGroupReader, column: usize, most: u64, sum: &mut u64) -> Result<(), String> {
    let text = |error: ParquetError| error.to_string();
    let reader = group.get_column_reader(column).map_err(text)?;
    if !matches!(reader, ColumnReader::ByteArrayColumnReader(_)) {
        return Err("its values are not those that its footer says".to_owned());
    }
    let mut reader = get_typed_column_reader::<ByteArrayType>(reader);
    let description = group.metadata().column(column).column_descr_ptr();
    let (has_nulls, has_lists) = (description.max_def_level() > 0, description.max_rep_level() > 0);
    loop {
        let (mut values, mut nulls, mut lists) = (Vec::new(), Vec::new(), Vec::new());
        let (records, ..) = reader
            .read_records(BATCH, has_nulls.then_some(&mut nulls), has_lists.then_some(&mut lists), &mut values)
            .map_err(text)?;
        // Texts of one dictionary share their bytes, so none of them is copied here.
        *sum = values.iter().map(|value| text_cost(value.len())).fold(*sum, u64::saturating_add);
        if *sum > most {
            return Err(format!("the texts up to it take more than {most} bytes of memory"));
        }
        if records == 0 {
            return Ok(());
        }
    }
}

/// Why a row is not taken over.
enum Fault {
    Column(String),
    Memory(bench_json::OverBudget),
}

fn spend(budget: &Budget, bytes: u64) -> Result<(), Fault> {
    budget.spend(bytes).map_err(Fault::Memory)
}

fn fields(row: &ParquetRow, budget: &Budget, depth: usize) -> Result<Map<String, Value>, Fault> {
    let mut fields = Map::new();
    for ((column, field), index) in row.get_column_iter().zip(0..) {
        spend(budget, Costs::VALUES.of_entry(index) + text_cost(column.len()))?;
        fields.insert(column.clone(), value(column, field, budget, depth)?);
    }
    Ok(fields)
}

fn value(column: &str, field: &Field, budget: &Budget, depth: usize) -> Result<Value, Fault> {
    if depth > DEEPEST {
        return Err(Fault::Column(format!("the column `{column}` is nested more than {DEEPEST} deep")));
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
            spend(budget, text_cost(text.len()))?;
            Value::String(text.clone())
        }
        Field::Group(group) => Value::Object(fields(group, budget, depth + 1)?),
        Field::ListInternal(list) => {
            let elements = list.elements();
            spend(budget, elements.len() as u64 * size_of::<Value>() as u64 + 32)?;
            let values = elements.iter().map(|field| value(column, field, budget, depth + 1));
            let mut made = Vec::with_capacity(elements.len());
            for value in values {
                made.push(value?);
            }
            Value::Array(made)
        }
        Field::MapInternal(map) => {
            let mut pairs = Map::new();
            for ((key, field), index) in map.entries().iter().zip(0..) {
                let Field::Str(key) = key else {
                    let reason = format!("the column `{column}` is a map whose keys are no texts");
                    return Err(Fault::Column(reason));
                };
                spend(budget, Costs::VALUES.of_entry(index) + text_cost(key.len()))?;
                pairs.insert(key.clone(), value(column, field, budget, depth + 1)?);
            }
            Value::Object(pairs)
        }
        other => {
            let reason = format!("the column `{column}` holds {other:.80}, which JSON has no value for");
            return Err(Fault::Column(reason));
        }
    })
}
