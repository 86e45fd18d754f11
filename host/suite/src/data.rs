//! The items of a task: one JSON object a line, checked one by one, so that what is wrong is named with its line before anything
//! is asked.

use std::collections::BTreeSet;

use bench_json::{Budget, JsonError, OverBudget, cost_of};
use bench_text::{clean_name, clean_sentence};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::task::{DatesEntry, FieldNames};

/// Most items of a data set.
pub const MOST_ITEMS: usize = 1_000_000;

/// Longest identifier of an item, in bytes.
const LONGEST_ID: usize = 256;

/// An item of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Unique in its task.
    pub id: String,
    /// All its fields.
    pub document: Map<String, Value>,
    /// The reference; null where the task has none.
    pub target: Value,
    /// Items of one cluster are not independent of each other.
    pub cluster: Option<String>,
    /// Where values are reported by group as well.
    pub group: Option<String>,
}

/// The items of a file that a task asks about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Items {
    /// In the file's order.
    pub items: Vec<Item>,
    /// Those of another split, or from outside the window of dates.
    pub left_out: usize,
}

/// What is wrong with an item.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ItemError {
    /// A line that is no JSON object.
    #[error("line {line} is no JSON object: {reason}", reason = clean_sentence(.reason))]
    NotAnObject {
        /// Counted from 1.
        line: usize,
        /// The parser's words.
        reason: String,
    },
    /// The items up to a line take more memory than the items of a suite may.
    #[error("line {line}: {error}")]
    Memory {
        /// Counted from 1.
        line: usize,
        /// How much they may take.
        error: OverBudget,
    },
    /// An item without an identifier.
    #[error(
        "line {line} has no field `{field}` with a text or a whole number to tell the item by",
        field = clean_name(.field),
    )]
    NoId {
        /// Counted from 1.
        line: usize,
        /// The field that should hold it.
        field: String,
    },
    /// Two items with one identifier.
    #[error("line {line} has the identifier {id:?} of an item before it", id = clean_name(.id))]
    DuplicateId {
        /// Counted from 1.
        line: usize,
        /// The identifier.
        id: String,
    },
    /// A field that the task says every item has.
    #[error(
        "the item {id:?} on line {line} has no field `{field}`",
        id = clean_name(.id),
        field = clean_name(.field),
    )]
    NoField {
        /// Counted from 1.
        line: usize,
        /// The item.
        id: String,
        /// The field.
        field: String,
    },
    /// A field of another type than its use needs.
    #[error(
        "the field `{field}` of the item {id:?} on line {line} is not {wanted}",
        field = clean_name(.field),
        id = clean_name(.id),
    )]
    FieldType {
        /// Counted from 1.
        line: usize,
        /// The item.
        id: String,
        /// The field.
        field: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// No item at all.
    #[error("there is no item{}", if *.left_out > 0 { " of this split and from these dates" } else { "" })]
    Empty {
        /// Items that the split or the dates left out.
        left_out: usize,
    },
    /// More items than a data set may have.
    #[error("there are more than {MOST_ITEMS} items")]
    TooMany,
}

impl ItemError {
    /// A stable identifier in kebab case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAnObject { .. } => "item-not-an-object",
            Self::Memory { error, .. } => error.code(),
            Self::NoId { .. } => "item-without-id",
            Self::DuplicateId { .. } => "item-duplicate-id",
            Self::NoField { .. } => "item-without-field",
            Self::FieldType { .. } => "item-field-type",
            Self::Empty { .. } => "data-empty",
            Self::TooMany => "data-too-large",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotAnObject { .. } => "write one JSON object a line, in UTF-8",
            Self::Memory { error, .. } => error.hint(),
            Self::NoId { .. } | Self::NoField { .. } => "give every item the field, or name another one under `fields`",
            Self::DuplicateId { .. } => "give every item an identifier of its own: results are kept under it",
            Self::FieldType { .. } => "correct the item, or name another field under `fields`",
            Self::Empty { left_out: 0 } => "put items into the file",
            Self::Empty { .. } => "name another split, or widen the window of dates",
            Self::TooMany => "split the data into several tasks",
        };
        Some(hint.to_owned())
    }
}

/// Bytes that an item takes beside its values, at most: itself, its texts, and its identifier among those that were seen.
const ITEM: u64 = 2 * size_of::<Item>() as u64 + 3 * LONGEST_ID as u64;

/// Reads the items of a file. Their memory stays spent.
///
/// # Errors
/// The first thing that is wrong.
pub fn read(
    budget: &Budget,
    text: &str,
    fields: &FieldNames,
    split: Option<&str>,
    dates: Option<&DatesEntry>,
) -> Result<Items, ItemError> {
    let mut found = Items::default();
    let mut seen = BTreeSet::new();
    for (place, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let reader = Reader { line: place + 1, fields };
        let over = |error| ItemError::Memory { line: place + 1, error };
        budget.spend(ITEM).map_err(over)?;
        let document = bench_json::object(line, budget).map_err(|error| match error {
            JsonError::OverBudget(error) => over(error),
            JsonError::Syntax(error) => ItemError::NotAnObject { line: place + 1, reason: error.to_string() },
        })?;
        let id = reader.id(&document)?;
        if !seen.insert(id.clone()) {
            return Err(ItemError::DuplicateId { line: place + 1, id });
        }
        if seen.len() > MOST_ITEMS {
            return Err(ItemError::TooMany);
        }
        if reader.is_wanted(&document, &id, split, dates)? {
            // The target stands in the document and beside it.
            budget.spend(document.get(&fields.target).map_or(0, cost_of)).map_err(over)?;
            found.items.push(reader.item(document, id)?);
        } else {
            found.left_out += 1;
        }
    }
    if found.items.is_empty() { Err(ItemError::Empty { left_out: found.left_out }) } else { Ok(found) }
}

/// Reads one line.
struct Reader<'f> {
    line: usize,
    fields: &'f FieldNames,
}

impl Reader<'_> {
    fn id(&self, document: &Map<String, Value>) -> Result<String, ItemError> {
        let id = match document.get(&self.fields.id) {
            Some(Value::String(id)) => Some(id.clone()),
            Some(Value::Number(id)) if id.is_u64() || id.is_i64() => Some(id.to_string()),
            _ => None,
        };
        let usable = |id: &String| !id.trim().is_empty() && id.len() <= LONGEST_ID && !id.chars().any(char::is_control);
        id.filter(usable).ok_or_else(|| ItemError::NoId { line: self.line, field: self.fields.id.clone() })
    }

    fn text<'d>(&self, document: &'d Map<String, Value>, id: &str, field: &str) -> Result<&'d str, ItemError> {
        let value = self.field(document, id, field)?;
        value.as_str().ok_or_else(|| self.wrong(id, field, "a text"))
    }

    fn field<'d>(&self, document: &'d Map<String, Value>, id: &str, field: &str) -> Result<&'d Value, ItemError> {
        let missing = || ItemError::NoField { line: self.line, id: id.to_owned(), field: field.to_owned() };
        document.get(field).ok_or_else(missing)
    }

    fn wrong(&self, id: &str, field: &str, wanted: &'static str) -> ItemError {
        ItemError::FieldType { line: self.line, id: id.to_owned(), field: field.to_owned(), wanted }
    }

    fn is_wanted(
        &self,
        document: &Map<String, Value>,
        id: &str,
        split: Option<&str>,
        dates: Option<&DatesEntry>,
    ) -> Result<bool, ItemError> {
        if let Some(split) = split
            && self.text(document, id, &self.fields.split)? != split
        {
            return Ok(false);
        }
        let Some(dates) = dates else { return Ok(true) };
        let field = self.fields.date.as_deref().unwrap_or("date");
        let date = self.text(document, id, field)?;
        // A moment of the day does not move the day.
        let day = date.get(..10).filter(|day| is_date(day));
        let day = day.ok_or_else(|| self.wrong(id, field, "a date such as 2026-01-31"))?;
        let late = dates.from.as_deref().is_none_or(|from| day >= from);
        Ok(late && dates.to.as_deref().is_none_or(|to| day <= to))
    }

    fn item(&self, document: Map<String, Value>, id: String) -> Result<Item, ItemError> {
        let fields = self.fields;
        let target = match fields.target.as_str() {
            "" => Value::Null,
            field => self.field(&document, &id, field)?.clone(),
        };
        let mark = |field: &Option<String>| -> Result<Option<String>, ItemError> {
            let Some(field) = field else { return Ok(None) };
            match self.field(&document, &id, field)? {
                Value::String(text) => Ok(Some(text.clone())),
                Value::Number(number) => Ok(Some(number.to_string())),
                Value::Bool(value) => Ok(Some(value.to_string())),
                _ => Err(self.wrong(&id, field, "a text or a number")),
            }
        };
        let (cluster, group) = (mark(&fields.cluster)?, mark(&fields.group)?);
        if let Some(field) = &fields.choices {
            let choices = self.field(&document, &id, field)?.as_array();
            let sound = choices.is_some_and(|list| list.len() >= 2 && list.iter().all(Value::is_string));
            if !sound {
                return Err(self.wrong(&id, field, "a list of two texts or more"));
            }
        }
        if let Some(field) = &fields.tools
            && !self.field(&document, &id, field)?.is_array()
        {
            return Err(self.wrong(&id, field, "a list of tools"));
        }
        if let Some(field) = &fields.turns {
            let turns = self.field(&document, &id, field)?.as_array();
            if !turns.is_some_and(|list| list.iter().all(Value::is_string)) {
                return Err(self.wrong(&id, field, "a list of texts"));
            }
        }
        Ok(Item { id, document, target, cluster, group })
    }
}

/// Whether a text is a day as ISO 8601 writes it. Such texts sort as the days do.
pub fn is_date(text: &str) -> bool {
    let digits = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<u32>().ok());
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    shape
        && digits(5..7).is_some_and(|month| (1..=12).contains(&month))
        && digits(8..10).is_some_and(|day| (1..=31).contains(&day))
}
