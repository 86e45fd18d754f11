//! The benchmark of the connections themselves.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::process::output;
use crate::Error;

/// Longest time for building and running it.
const LIMIT: Duration = Duration::from_secs(1800);

/// A line of what it prints.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Rates {
    pub scenario: String,
    pub bare_per_second: f64,
    pub client_per_second: f64,
    pub rate_ratio: f64,
    pub bare_cpu_us: f64,
    pub client_cpu_us: f64,
    pub cpu_ratio: f64,
}

/// Runs it. It pins itself.
pub fn measure(workspace: &Path) -> Result<Vec<Rates>, Error> {
    let mut command = Command::new(super::cargo());
    command.current_dir(workspace).args([
        "bench",
        "--locked",
        "-p",
        "bench-wire",
        "--bench",
        "capacity",
        "--",
        "--json",
    ]);
    parse(&output(command, LIMIT)?)
}

fn parse(text: &str) -> Result<Vec<Rates>, Error> {
    let lines = text.lines().filter(|line| line.starts_with('{'));
    let rates: Result<Vec<Rates>, _> = lines.map(serde_json::from_str).collect();
    match rates {
        Ok(rates) if rates.is_empty() => Err(Error::Child {
            command: "cargo bench --bench capacity".to_owned(),
            problem: "printed no figures".to_owned(),
        }),
        rates => rates.map_err(|error| Error::Manifest("what the capacity benchmark printed".to_owned(), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn lines_of_json_are_read_and_others_skipped() {
        let line = r#"{"scenario":"requests","bare_per_second":10,"client_per_second":5,"rate_ratio":0.5,"bare_cpu_us":1,"client_cpu_us":2,"cpu_ratio":2}"#;
        let rates = parse(&format!("Running benches\n{line}\n")).unwrap_or_default();
        assert_eq!(rates.iter().map(|rates| rates.rate_ratio).collect::<Vec<_>>(), [0.5]);
        assert!(parse("").is_err() && parse("{\"scenario\":1}\n").is_err());
    }
}
