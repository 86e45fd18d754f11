//! The benchmarks that measure a part by itself. They start and pin their own engines, and print a line of JSON for each
//! scenario.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::process::output;
use crate::Error;

/// Longest time for building and running one.
const LIMIT: Duration = Duration::from_secs(1800);

/// What the connections take, beside a bare loop that reads the same sockets.
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

/// What a token costs in processor time, from the wire to its event. Microseconds for one are seconds for a million.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Overall {
    pub scenario: String,
    /// While the window was open.
    pub wire_us: f64,
    /// Reading back what was kept.
    pub back_us: f64,
    pub sandbox_us: f64,
    pub native_us: f64,
    /// Of decoding alone.
    pub decode_ratio: f64,
    /// The wire, reading back and decoding in the sandbox.
    pub seconds_per_million: f64,
    /// The same with the native decoder.
    pub native_seconds_per_million: f64,
    pub overall_ratio: f64,
}

/// What the connections take.
pub fn capacity(workspace: &Path) -> Result<Vec<Rates>, Error> {
    run(workspace, "bench-wire", "capacity")
}

/// What a token costs with decoding.
pub fn overall(workspace: &Path) -> Result<Vec<Overall>, Error> {
    run(workspace, "bench-run", "overall")
}

fn run<T: DeserializeOwned>(workspace: &Path, package: &str, bench: &str) -> Result<Vec<T>, Error> {
    let mut command = Command::new(super::cargo());
    command.current_dir(workspace).args(["bench", "--locked", "-p", package, "--bench", bench, "--", "--json"]);
    parse(&output(command, LIMIT)?.text, bench)
}

fn parse<T: DeserializeOwned>(text: &str, bench: &str) -> Result<Vec<T>, Error> {
    let lines = text.lines().filter(|line| line.starts_with('{'));
    let found: Result<Vec<T>, _> = lines.map(serde_json::from_str).collect();
    match found {
        Ok(found) if found.is_empty() => Err(Error::Child {
            command: format!("cargo bench --bench {bench}"),
            problem: "printed no figures".to_owned(),
        }),
        found => found.map_err(|error| Error::Manifest(format!("what the benchmark `{bench}` printed"), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Rates, parse};

    #[test]
    fn lines_of_json_are_read_and_others_skipped() {
        let line = r#"{"scenario":"requests","bare_per_second":10,"client_per_second":5,"rate_ratio":0.5,"bare_cpu_us":1,"client_cpu_us":2,"cpu_ratio":2}"#;
        let rates: Vec<Rates> = parse(&format!("Running benches\n{line}\n"), "capacity").unwrap_or_default();
        assert_eq!(rates.iter().map(|rates| rates.rate_ratio).collect::<Vec<_>>(), [0.5]);
        assert!(parse::<Rates>("", "capacity").is_err() && parse::<Rates>("{\"scenario\":1}\n", "capacity").is_err());
    }
}
