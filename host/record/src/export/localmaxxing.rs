//! The eval submission of the LocalMaxxing leaderboard: `POST /api/evals/runs`, as its client documents it.
//!
//! A record holds no prompt and no output, so the predictions come from the log of the samples. What the record does not know is
//! null and noted, never guessed: the leaderboard wants the upstream repository of the model, and a server may call it anything.
//! `runConfig` says how this program ran; a suite of the leaderboard's own wants that of its suite document instead.

use std::collections::BTreeMap;

use bench_machine::Fingerprint;
use bench_machine::attribution::Attribution;
use serde_json::{Value, json};

use crate::{EvalRecord, EvalStatus, Note, RunRecord};

/// What the leaderboard is given for a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prediction {
    /// The question.
    pub input: String,
    /// What the model answered.
    pub output: String,
    /// The reference.
    pub gold: String,
    /// Whether it counts as right.
    pub correct: bool,
}

/// The submission for a run, with what stands in its way. `predictions` are those of each task, by the name that its log has.
pub fn localmaxxing(run: &RunRecord, predictions: &BTreeMap<String, Vec<Prediction>>) -> (Value, Vec<Note>) {
    let mut notes: Vec<Note> = run.publishable.reasons.clone();
    let mut results = serde_json::Map::new();
    for eval in &run.evals {
        let name = eval.format.as_ref().map_or_else(|| eval.task.clone(), |format| format!("{}@{format}", eval.task));
        if eval.status != EvalStatus::Completed {
            notes.push(Note::new("task-incomplete", format!("the task {name} was not run to its end")));
        }
        let Some(score) = score(eval) else {
            notes.push(Note::new("task-without-score", format!("the task {name} has no score and is left out")));
            continue;
        };
        let samples = predictions.get(&name).map(Vec::as_slice).unwrap_or_default();
        let predictions: Vec<Value> = samples
            .iter()
            .map(|sample| {
                json!({
                    "input": sample.input, "output": sample.output, "gold": sample.gold, "correct": sample.correct
                })
            })
            .collect();
        results.insert(name, json!({ "score": score, "predictions": predictions }));
    }
    let model = repository(&run.model.id);
    if model.is_none() {
        let message = format!("`{}` is no repository of a model: hfId has to be filled in", run.model.id);
        notes.push(Note::new("no-repository", message));
    }
    let local = matches!(run.endpoint.attribution, Some(Attribution::LocalMachine));
    let hardware = run.machine.as_ref().filter(|_| local).map(hardware);
    if hardware.is_none() {
        let message = "the server's machine is not known: hardware has to be filled in";
        notes.push(Note::new("no-hardware", message));
    }
    let submission = json!({
        "suiteSlug": run.suite.name,
        "hfId": model,
        "hardware": hardware,
        "engine": {
            "engine": run.backend.as_ref().map(|backend| &backend.name),
            "backend": Value::Null,
            "quantization": run.model.quantization,
        },
        "runConfig": {
            "tool": format!("bench {}", run.host.version),
            "suiteVersion": run.suite.version,
            "suiteDigest": run.suite.digest,
            "seed": run.suite.seed.to_string(),
            "quick": run.suite.quick,
        },
        "results": results,
    });
    (submission, notes)
}

/// The headline over all samples.
fn score(eval: &EvalRecord) -> Option<f64> {
    eval.estimates.iter().find(|estimate| estimate.group.is_none())?.value
}

/// The name of a repository that may be the model's own: `owner/name`, and not one of converted files.
fn repository(id: &str) -> Option<&str> {
    let (owner, name) = id.split_once('/')?;
    let plain = |part: &str| {
        !part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter))
    };
    (plain(owner) && plain(name) && !name.to_lowercase().ends_with("gguf")).then_some(id)
}

/// The machine, in the class that the leaderboard puts it in: with accelerators of their own memory, with one that shares the main
/// memory, or without any.
fn hardware(machine: &Fingerprint) -> Value {
    let cpu = machine.cpu.value().and_then(|cpu| cpu.model.clone());
    let memory = machine.memory.value().map(|memory| gibibytes(memory.total_bytes));
    let os = machine.os.distribution.clone().unwrap_or_else(|| machine.os.family.clone());
    let discrete = [&machine.gpus.nvidia, &machine.gpus.amd].into_iter().filter_map(|found| found.value());
    let devices: Vec<_> = discrete.flat_map(|stack| &stack.devices).collect();
    if let Some(first) = devices.first() {
        let own: Option<Vec<u64>> = devices.iter().map(|device| device.memory_total_bytes).collect();
        return json!({
            "hwClass": "DISCRETE_GPU",
            "gpuName": first.name,
            "gpuCount": devices.len(),
            "vramGb": own.map(|own| gibibytes(own.into_iter().sum())),
            "cpuName": cpu,
            "ramGb": memory,
            "os": os,
        });
    }
    let apple = machine.gpus.apple.value().and_then(|stack| stack.devices.first());
    match apple {
        Some(chip) => json!({
            "hwClass": "UNIFIED", "chipVendor": "Apple", "chipVariant": chip.name, "unifiedMemoryGb": memory, "os": os
        }),
        None => json!({ "hwClass": "CPU_ONLY", "cpuName": cpu, "ramGb": memory, "os": os }),
    }
}

/// Whole gibibytes, which is what memory is sold in.
fn gibibytes(bytes: u64) -> u64 {
    (bytes + (1 << 29)) >> 30
}
