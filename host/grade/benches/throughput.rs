//! Samples per second and core of a scorer component, against the same rules compiled natively: rounds of the two in turns, and
//! the median of their ratios, so that whatever else the machine does hits both.
//!
//! Times are of whole calls: copying samples into the sandbox and lifting verdicts out are part of the cost. The native scorer is
//! given copies of its own as well, since it takes samples by value like the component.
//!
//! `--component=FILE` measures another build of `exact-match` than the one in the registry.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bench_grade::{GradeOptions, Grader, Verify};
use bench_plugin::{Host, HostOptions, Limits, scorer_types, types};
use bench_scoring::bench_sdk::scorer::GradeTask as _;
use bench_scoring::{Hosted, bench_sdk};
use rules_text::ExactMatch;

/// Samples of a round.
const SAMPLES: usize = 20_000;

/// Samples per call.
const CALLS: [usize; 5] = [1, 8, 64, 512, 4096];

const CONFIG: &str = "{}";

fn main() -> Result<(), Box<dyn Error>> {
    let host = Host::new(HostOptions { cache: None });
    let plugin = host.load(&std::fs::read(component())?, Limits::DEFAULT)?;
    row(["exact-match", "per call", "samples/s", "native", "ratio"]);
    for (shape, prompt, answer) in [("short answers", 200, 12), ("long answers", 1_500, 600)] {
        let (samples, native) = samples(prompt, answer);
        let task = Hosted::<ExactMatch>::open(CONFIG).map_err(|problem| problem.message)?;
        for call in CALLS {
            let mut scorer = plugin.scorer()?;
            let opened = scorer.open(CONFIG)?;
            compare(
                (shape, &call.to_string()),
                || {
                    samples
                        .chunks(call)
                        .try_fold(0, |done, call| Ok(done + scorer.score(&opened, call)?.verdicts.len()))
                },
                || native.chunks(call).map(|call| task.score(call.to_vec()).len()).sum(),
            )?;
        }
        let options = GradeOptions { workers: Some(1), verify: Verify::No, ..GradeOptions::default() };
        let grader = Grader::new(&plugin, CONFIG, options)?;
        compare(
            (shape, "graded"),
            || Ok(grader.grade(&samples)?.verdicts.len()),
            || native.chunks(64).map(|call| task.score(call.to_vec()).len()).sum(),
        )?;
    }
    Ok(())
}

/// Runs both in turns and prints a row.
fn compare(
    (shape, what): (&str, &str),
    mut inside: impl FnMut() -> Result<usize, Box<dyn Error>>,
    mut outside: impl FnMut() -> usize,
) -> Result<(), Box<dyn Error>> {
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 15 } else { 1 };
    let (mut sandboxed, mut native, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    // The first round warms caches and the guest's memory.
    for round in 0..=rounds {
        let start = Instant::now();
        let graded = std::hint::black_box(inside()?);
        let middle = Instant::now();
        let counted = std::hint::black_box(outside());
        let end = Instant::now();
        if graded != SAMPLES || counted != SAMPLES {
            return Err(format!("{graded} verdicts inside, {counted} outside").into());
        }
        if round > 0 {
            let (inside, outside) = ((middle - start).as_secs_f64(), (end - middle).as_secs_f64());
            sandboxed.push(SAMPLES as f64 / inside);
            native.push(SAMPLES as f64 / outside);
            ratios.push(outside / inside);
        }
    }
    let (sandboxed, native) = (format!("{:.0}", median(sandboxed)), format!("{:.0}", median(native)));
    row([shape, what, &sandboxed, &native, &format!("{:.2}", median(ratios))]);
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
fn row([shape, call, sandboxed, native, ratio]: [&str; 5]) {
    println!("{shape:<16}{call:>10}{sandboxed:>14}{native:>14}{ratio:>8}");
}

fn component() -> PathBuf {
    let given = std::env::args().find_map(|argument| argument.strip_prefix("--component=").map(PathBuf::from));
    let registry = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registry/targets/scorer/exact-match/0.1.0.wasm");
    given.unwrap_or(registry)
}

/// The same samples as the host and as the guest knows them; every third answer is right.
fn samples(prompt: usize, answer: usize) -> (Vec<scorer_types::Sample>, Vec<bench_scoring::Sample>) {
    let text = |length: usize, seed: usize| -> String {
        (0..length).map(|at| char::from(b"etaoin shrdlu cmfwyp"[(at * 7 + seed * 13 + at / 11) % 20])).collect()
    };
    let fields = |number: usize| {
        let right = text(answer, number);
        let said = if number.is_multiple_of(3) { right.clone() } else { text(answer, number + 1) };
        (format!("item-{number:06}"), text(prompt, number), format!("\"{right}\""), said)
    };
    let host = |number: usize| {
        let (id, content, target, answer) = fields(number);
        let role = types::Role::User;
        scorer_types::Sample {
            id,
            epoch: 0,
            prompt: vec![types::Message { role, content, tool_calls: Vec::new(), tool_call_id: None }],
            target,
            answer: Some(answer),
            reasoning: None,
            tool_calls: Vec::new(),
            finish: Some(types::FinishReason::Stop),
            likelihoods: Vec::new(),
            metadata: "{}".to_owned(),
        }
    };
    let guest = |number: usize| {
        let (id, content, target, answer) = fields(number);
        let role = bench_sdk::types::Role::User;
        bench_scoring::Sample {
            id,
            epoch: 0,
            prompt: vec![bench_scoring::Message { role, content, tool_calls: Vec::new(), tool_call_id: None }],
            target,
            answer: Some(answer),
            reasoning: None,
            tool_calls: Vec::new(),
            finish: Some(bench_scoring::FinishReason::Stop),
            likelihoods: Vec::new(),
            metadata: "{}".to_owned(),
        }
    };
    ((0..SAMPLES).map(host).collect(), (0..SAMPLES).map(guest).collect())
}
