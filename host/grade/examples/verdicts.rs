//! Grades samples and writes the verdicts in a form in which every bit of them can be compared with another runtime's;
//! `tests/references/other_runtime.py` does so.
//!
//! Usage: `verdicts SCORER.wasm CONFIG < samples.jsonl > verdicts.jsonl`. A line in is a sample with the interface's field names in
//! snake case. A line out is a list: id, epoch, the value's bits in hexadecimal (`nan` for what is not a number), the reason and
//! what it carries, extracted answer, explanation, sub-scores with their bits, and fuel.
//!
//! With `--time` after the configuration it writes how long one core and all of them take instead, in seconds: medians of five times,
//! without reading, compiling and the second pass. `tests/references/lm_eval.py` sets that beside what the reference takes.

use std::error::Error;
use std::io::{BufRead as _, Write as _};
use std::time::Instant;

use bench_grade::{GradeOptions, Grader, Verify};
use bench_plugin::scorer_types::{Reason, Sample, Verdict};
use bench_plugin::{Host, HostOptions, Limits};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(component), Some(config)) = (arguments.next(), arguments.next()) else {
        return Err("usage: verdicts SCORER.wasm CONFIG [--time] < samples.jsonl > verdicts.jsonl".into());
    };
    let timed = arguments.next().is_some_and(|argument| argument == "--time");
    let host = Host::new(HostOptions { cache: None });
    let plugin = host.load(&std::fs::read(component)?, Limits::DEFAULT)?;
    let mut samples: Vec<Sample> = Vec::new();
    for line in std::io::stdin().lock().lines() {
        samples.push(serde_json::from_str(&line?)?);
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let grader = |options| Grader::new(&plugin, &config, options);
    if timed {
        for workers in [Some(1), None] {
            let grader = grader(GradeOptions { verify: Verify::No, workers, ..GradeOptions::default() })?;
            writeln!(out, "{}", median_seconds(&grader, &samples)?)?;
        }
        out.flush()?;
        return Ok(());
    }
    let grader = grader(GradeOptions { verify: Verify::All, ..GradeOptions::default() })?;
    let grades = grader.grade(&samples)?;
    for (verdict, fuel) in grades.verdicts.iter().zip(&grades.fuel) {
        writeln!(out, "{}", line(verdict, *fuel))?;
    }
    out.flush()?;
    Ok(())
}

fn median_seconds(grader: &Grader<'_>, samples: &[Sample]) -> Result<f64, Box<dyn Error>> {
    const TIMES: usize = 5;
    let mut seconds = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let begun = Instant::now();
        let graded = grader.grade(samples)?.verdicts.len();
        seconds.push(begun.elapsed().as_secs_f64());
        assert_eq!(graded, samples.len(), "every sample has a verdict");
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[TIMES / 2])
}

fn line(verdict: &Verdict, fuel: u64) -> Value {
    let sub_scores: Vec<Value> = verdict
        .sub_scores
        .iter()
        .map(|score| json!([score.name, bits(score.value), score.unit, score.higher_is_better]))
        .collect();
    json!([
        verdict.id,
        verdict.epoch,
        bits(verdict.value),
        reason(&verdict.reason),
        verdict.extracted,
        verdict.explanation,
        sub_scores,
        fuel,
    ])
}

fn bits(value: f64) -> String {
    if value.is_nan() { "nan".to_owned() } else { format!("{:016x}", value.to_bits()) }
}

fn reason(reason: &Reason) -> Value {
    match reason {
        Reason::GraderFailed(problem) => json!([reason.word(), [problem.code, problem.message, problem.hint]]),
        Reason::Other(word) => json!(["other", word]),
        known => json!([known.word(), null]),
    }
}
