//! Concludes from recorded opinions: lines of `{"config": …, "opinions": [text or null, …]}` in, `{"value": …, "extracted": …}` out.
//! See `tests/references/inspect_scorers.py`.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use bench_scoring::{Grade, Opinion, Sample, Scorer};
use rules_judge::{ModelGraded, ModelGradedConfig};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    config: ModelGradedConfig,
    opinions: Vec<Option<String>>,
}

fn concluded(line: &str) -> Result<Grade, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let scorer = ModelGraded::new(line.config).map_err(|problem| problem.message)?;
    let opinions: Vec<Opinion> = line.opinions.into_iter().map(|answer| Opinion { answer, finish: None }).collect();
    let sample = Sample {
        id: String::new(),
        epoch: 0,
        prompt: Vec::new(),
        target: "\"\"".to_owned(),
        answer: None,
        reasoning: None,
        tool_calls: Vec::new(),
        finish: None,
        likelihoods: Vec::new(),
        metadata: String::new(),
    };
    Ok(scorer.conclude(&sample, &opinions))
}

fn run() -> Result<(), String> {
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let grade = concluded(&line.map_err(|error| error.to_string())?)?;
        let line = json!({ "value": grade.value, "extracted": grade.extracted });
        writeln!(output, "{line}").map_err(|error| error.to_string())?;
    }
    output.flush().map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell that telling failed.
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
