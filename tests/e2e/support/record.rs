//! Looking into records as anybody could who has the file: as JSON, without the program's own types.

use std::sync::LazyLock;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

static SCHEMA: LazyLock<(Schemas, SchemaIndex)> = LazyLock::new(|| {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../record/schema/run-v1.json");
    let mut schemas = Schemas::new();
    let index = Compiler::new().compile(file, &mut schemas).unwrap_or_else(|error| panic!("{file}: {error}"));
    (schemas, index)
});

/// Checks a record against the committed schema, with a validator that the program does not use.
#[track_caller]
pub fn check_schema(record: &Value) {
    let (schemas, index) = &*SCHEMA;
    if let Err(error) = schemas.validate(record, *index) {
        panic!("the record does not fit its schema: {error:#}");
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("`{key}` is no list in {value}"))
}

/// The workload with a label.
#[track_caller]
pub fn workload<'a>(record: &'a Value, label: &str) -> &'a Value {
    let found = list(record, "workloads").iter().find(|workload| workload["label"] == label);
    found.unwrap_or_else(|| panic!("the record has no workload {label}"))
}

/// The phases of a workload.
#[track_caller]
pub fn phases<'a>(record: &'a Value, label: &str) -> &'a Vec<Value> {
    list(workload(record, label), "phases")
}

/// The phase with an id.
#[track_caller]
pub fn phase<'a>(record: &'a Value, label: &str, id: &str) -> &'a Value {
    let found = phases(record, label).iter().find(|phase| phase["id"] == id);
    found.unwrap_or_else(|| panic!("{label} has no phase {id}"))
}

/// Every request of a record, warm-up included, in the order of the run.
pub fn requests(record: &Value) -> impl Iterator<Item = &Value> {
    list(record, "workloads")
        .iter()
        .flat_map(|workload| list(workload, "phases"))
        .flat_map(|phase| list(phase, "requests"))
}

/// The only measured request of a workload's only phase.
#[track_caller]
pub fn measured<'a>(record: &'a Value, label: &str) -> &'a Value {
    let phases = phases(record, label);
    assert_eq!(phases.len(), 1, "{label} has several phases");
    let mut measured = list(&phases[0], "requests").iter().filter(|request| request["warmup"] == false);
    let first = measured.next().unwrap_or_else(|| panic!("{label} measured nothing"));
    assert!(measured.next().is_none(), "{label} measured several requests");
    first
}

/// The measured requests of a workload's only phase.
#[track_caller]
pub fn sent<'a>(record: &'a Value, label: &str) -> Vec<&'a Value> {
    let phases = phases(record, label);
    assert_eq!(phases.len(), 1, "{label} has several phases");
    list(&phases[0], "requests").iter().filter(|request| request["warmup"] == false).collect()
}

/// The code of a problem, or an empty text.
pub fn problem_code(value: &Value) -> &str {
    value["problem"]["code"].as_str().unwrap_or_default()
}
