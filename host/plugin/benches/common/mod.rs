//! What both benchmarks need: the repository's files, medians, and a table.
#![allow(dead_code, clippy::allow_attributes, reason = "each benchmark uses its own part")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What a benchmark answers.
pub type Outcome = Result<(), Box<dyn Error>>;

/// A component of the bundle.
pub struct Component {
    /// `driver` or `workload`.
    pub kind: String,
    /// Such as `llama-cpp`.
    pub name: String,
    /// The component.
    pub bytes: Vec<u8>,
    /// Its digest, in hex.
    pub sha256: String,
}

/// A path below the workspace.
pub fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The components that `bundle.json` lists, of the workspace's registry or of the one that `--registry=FOLDER` names, so that
/// two builds of the guests can be compared.
pub fn bundle() -> Result<Vec<Component>, Box<dyn Error>> {
    let other = std::env::args().find_map(|argument| argument.strip_prefix("--registry=").map(PathBuf::from));
    let registry = other.unwrap_or_else(|| workspace("registry"));
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(registry.join("bundle.json"))?)?;
    let entries = manifest["components"].as_array().ok_or("the bundle lists no components")?;
    let component = |entry: &serde_json::Value| {
        let text = |key: &str| entry[key].as_str().map(str::to_owned).ok_or(format!("an entry has no `{key}`"));
        let bytes = std::fs::read(registry.join(text("path")?))?;
        Ok(Component { kind: text("kind")?, name: text("name")?, sha256: text("sha256")?, bytes })
    };
    entries.iter().map(component).collect()
}

/// How often to measure: once where the benchmark is only tried out, as `cargo test --benches` does.
pub fn rounds(wanted: usize) -> usize {
    if std::env::args().any(|argument| argument == "--bench") { wanted } else { 1 }
}

/// The middle of the values; of an even number of them the upper middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The least of the values: what the work takes where nothing else runs on the machine.
pub fn best(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The value and how long it took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = work();
    (value, start.elapsed())
}

/// Nanoseconds as a number to do arithmetic with.
pub fn nanos(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

/// Milliseconds as a number to do arithmetic with.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Prints a line of a table: the first cell to the left, the others to the right.
pub fn row(cells: &[&str]) {
    let line: String = cells
        .iter()
        .enumerate()
        .map(|(column, cell)| if column == 0 { format!("{cell:<36}") } else { format!("{cell:>14}") })
        .collect();
    println!("{}", line.trim_end());
}
