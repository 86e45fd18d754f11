//! JSON by columns, as data frames write it, turned into rows.

use bench_json::{Budget, Costs, OverBudget, text_cost};
use serde_json::{Map, Value};

/// A way to write a table as one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// `{"column": {"0": value, "1": value}}`
    Numbered,
    /// `{"column": [value, value]}`
    Lists,
    /// `{"columns": ["column"], "data": [[value], [value]]}`
    Split,
    /// `{"0": {"column": value}, "1": {"column": value}}`
    Index,
}

/// How an object writes a table, if it does.
pub(super) fn layout(object: &Map<String, Value>) -> Option<Layout> {
    if let (Some(Value::Array(names)), Some(Value::Array(data))) = (object.get("columns"), object.get("data")) {
        let fits = |row: &Value| row.as_array().is_some_and(|row| row.len() == names.len());
        return (names.iter().all(Value::is_string) && !data.is_empty() && data.iter().all(fits))
            .then_some(Layout::Split);
    }
    let are_lists = object.len() > 1 && object.values().all(Value::is_array);
    if are_lists {
        let length = |value: &Value| value.as_array().map_or(0, Vec::len);
        let lengths: Vec<usize> = object.values().map(length).collect();
        // Objects in a list are rows already.
        let are_cells = !object.values().filter_map(Value::as_array).any(|list| list.iter().any(Value::is_object));
        let is_one_length = lengths.iter().all(|length| Some(length) == lengths.first() && *length > 0);
        return (are_cells && is_one_length).then_some(Layout::Lists);
    }
    let first = object.values().next()?.as_object().filter(|first| !first.is_empty())?;
    if !object.values().all(Value::is_object) {
        return None;
    }
    let is_numbered = first.keys().enumerate().all(|(place, key)| *key == place.to_string());
    let has_keys_of_first = |value: &Value| value.as_object().is_some_and(|column| column.keys().eq(first.keys()));
    if is_numbered {
        return object.values().all(has_keys_of_first).then_some(Layout::Numbered);
    }
    object.keys().enumerate().all(|(place, key)| *key == place.to_string()).then_some(Layout::Index)
}

/// The rows of a table.
///
/// # Errors
/// [`OverBudget`] when the names of the columns, which each row has, take more than may be.
pub(super) fn rows(object: Map<String, Value>, layout: Layout, budget: &Budget) -> Result<Vec<Value>, OverBudget> {
    let (names, columns): (Vec<String>, Vec<Vec<Value>>) = match layout {
        Layout::Index => return Ok(object.into_iter().map(|(_, row)| row).collect()),
        Layout::Split => return split(object, budget),
        Layout::Lists | Layout::Numbered => object
            .into_iter()
            .map(|(name, column)| {
                let cells = match column {
                    Value::Array(cells) => cells,
                    Value::Object(cells) => cells.into_iter().map(|(_, cell)| cell).collect(),
                    _ => Vec::new(),
                };
                (name, cells)
            })
            .unzip(),
    };
    let count = columns.first().map_or(0, Vec::len);
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    (0..count).map(|_| row(&names, columns.iter_mut().filter_map(Iterator::next), budget)).collect()
}

fn split(mut object: Map<String, Value>, budget: &Budget) -> Result<Vec<Value>, OverBudget> {
    let mut list = |name: &str| match object.remove(name) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    let names: Vec<String> = list("columns").iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
    let cells = |data: Value| match data {
        Value::Array(cells) => cells,
        _ => Vec::new(),
    };
    list("data").into_iter().map(|data| row(&names, cells(data).into_iter(), budget)).collect()
}

fn row(names: &[String], cells: impl Iterator<Item = Value>, budget: &Budget) -> Result<Value, OverBudget> {
    let costs = Costs::VALUES;
    let entry = |(place, name): (usize, &String)| costs.of_entry(place as u64) + text_cost(name.len());
    budget.spend(costs.object + names.iter().enumerate().map(entry).sum::<u64>())?;
    Ok(Value::Object(names.iter().cloned().zip(cells).collect()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Option<(Layout, Vec<Value>)> {
        let Value::Object(object) = value else { return None };
        let layout = layout(&object)?;
        Some((layout, rows(object, layout, &Budget::default()).unwrap()))
    }

    #[test]
    fn tables_by_columns_are_rows() {
        let wanted = vec![json!({"q": "a", "t": 1}), json!({"q": "b", "t": null})];
        for (layout, value) in [
            (Layout::Numbered, json!({"q": {"0": "a", "1": "b"}, "t": {"0": 1, "1": null}})),
            (Layout::Lists, json!({"q": ["a", "b"], "t": [1, null]})),
            (Layout::Split, json!({"columns": ["q", "t"], "index": [0, 1], "data": [["a", 1], ["b", null]]})),
            (Layout::Index, json!({"0": {"q": "a", "t": 1}, "1": {"q": "b", "t": null}})),
        ] {
            assert_eq!(read(value), Some((layout, wanted.clone())));
        }
    }

    #[test]
    fn other_objects_are_no_tables() {
        for value in [
            json!({}),
            json!({"q": "a", "t": 1}),
            json!({"q": ["a", "b"], "t": [1]}),
            json!({"data": [{"q": "a"}], "test": [{"q": "b"}]}),
            json!({"q": {"0": "a", "1": "b"}, "t": {"0": 1}}),
            json!({"config": {"a": 1}, "more": {"b": 2}}),
            json!({"choices": ["a", "b"]}),
            json!({"columns": ["q", "t"], "data": [["a"]]}),
        ] {
            assert_eq!(read(value.clone()), None, "{value}");
        }
    }

    #[test]
    fn names_of_columns_are_spent_for_each_row() {
        let Value::Object(object) = json!({"x".repeat(1000): vec![0; 1000], "y": vec![0; 1000]}) else { panic!() };
        assert!(rows(object, Layout::Lists, &Budget::new(1 << 19)).is_err());
    }
}
