//! Suites of one task, written where a test can change them.

use super::{Bench, sha256};

/// Writes a suite with one task over these items, one JSON object a line, and gives its folder. `task` stands in the task's own table and
/// has its other tables after it; `before` stands before the task.
#[track_caller]
pub fn suite_of(bench: &Bench, items: &str, before: &str, name: &str, task: &str) -> String {
    bench.write("suite/data.jsonl", items);
    let manifest = format!(
        r#"schema = 1
name = "tiny"
version = "0.1.0"
title = "Tiny"
licence = "CC0-1.0"
min-host = ">=0.1.0"
{before}
[[tasks]]
name = "{name}"
title = "{name}"
{task}
[tasks.data]
file = "data.jsonl"
sha256 = "{}"
licence = "CC0-1.0"
source = "Made for this test."
[tasks.fields]
target = "answer"
"#,
        sha256(items.as_bytes())
    );
    bench.write("suite/suite.toml", manifest).parent().unwrap().to_str().unwrap().to_owned()
}
