//! A scorer without a host: samples as lines of JSON in, verdicts as lines of JSON out. The scripts that compare scorers with
//! their references run it as an example of each rules crate:
//!
//! ```text
//! fn main() -> std::process::ExitCode {
//!     bench_scoring::native::main(&[bench_scoring::native::entry::<rules_text::Gsm8k>()])
//! }
//! ```
//!
//! A line is an object of `scorer` (a name; may be left out where there is but one), `config`, and `sample` or `graded`. A sample
//! has the fields of the interface's record in snake case, of which only `target` is needed; `target` and `metadata` are JSON
//! themselves. `graded` is a list of objects of `id`, `epoch`, `value` (null for unscored), `extracted`, `sub_scores`, `cluster`
//! and `group`, and is answered with the estimates. With `--time N`, everything is graded N times more, and the seconds for one
//! round, without reading and writing, go to standard error.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::time::Instant;

use bench_sdk::scorer::{Estimate, GradeTask, Graded, Likelihood, Reason, Sample, Verdict};
use bench_sdk::types::{FinishReason, Message, Metric, Problem, Role, ToolCall};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::hosted::{Hosted, HostedTask, Scorer};

/// A scorer by name.
#[derive(Clone, Copy)]
pub struct Entry {
    name: &'static str,
    open: fn(&str) -> Result<Box<dyn Run>, Problem>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Entry").field(&self.name).finish()
    }
}

/// The entry of a scorer.
pub fn entry<S: Scorer>() -> Entry {
    Entry { name: S::ABOUT.name, open: |config| Ok(Box::new(Hosted::<S>::open(config)?)) }
}

trait Run {
    fn score(&self, samples: Vec<Sample>) -> Vec<Verdict>;
    fn aggregate(&self, graded: Vec<Graded>) -> Vec<Estimate>;
}

impl<S: Scorer> Run for HostedTask<S> {
    fn score(&self, samples: Vec<Sample>) -> Vec<Verdict> {
        GradeTask::score(self, samples)
    }

    fn aggregate(&self, graded: Vec<Graded>) -> Vec<Estimate> {
        GradeTask::aggregate(self, graded)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    scorer: Option<String>,
    #[serde(default)]
    config: Map<String, Value>,
    sample: Option<SampleLine>,
    graded: Option<Vec<GradedLine>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SampleLine {
    id: String,
    epoch: u32,
    prompt: Vec<MessageLine>,
    target: Value,
    answer: Option<String>,
    reasoning: Option<String>,
    tool_calls: Vec<ToolCallLine>,
    finish: Option<String>,
    likelihoods: Vec<LikelihoodLine>,
    metadata: Map<String, Value>,
}

impl Default for SampleLine {
    fn default() -> Self {
        Self {
            id: String::new(),
            epoch: 0,
            prompt: Vec::new(),
            target: Value::Null,
            answer: None,
            reasoning: None,
            tool_calls: Vec::new(),
            finish: None,
            likelihoods: Vec::new(),
            metadata: Map::new(),
        }
    }
}

#[derive(Deserialize)]
struct MessageLine {
    role: String,
    content: String,
}

#[derive(Deserialize)]
struct ToolCallLine {
    #[serde(default)]
    id: String,
    name: String,
    arguments: String,
}

#[derive(Deserialize)]
struct LikelihoodLine {
    text: String,
    logprob: f64,
    #[serde(default)]
    tokens: u32,
    greedy: Option<bool>,
    unconditional: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GradedLine {
    id: String,
    #[serde(default)]
    epoch: u32,
    value: Option<f64>,
    extracted: Option<String>,
    #[serde(default)]
    sub_scores: Map<String, Value>,
    cluster: Option<String>,
    group: Option<String>,
}

impl SampleLine {
    fn sample(self, line: usize) -> Sample {
        let message = |message: MessageLine| Message {
            role: match message.role.as_str() {
                "system" => Role::System,
                "assistant" => Role::Assistant,
                "tool" => Role::Tool,
                _ => Role::User,
            },
            content: message.content,
            tool_calls: Vec::new(),
            tool_call_id: None,
        };
        let call = |call: ToolCallLine| ToolCall { id: call.id, name: call.name, arguments: call.arguments };
        let finish = |reason: String| match reason.as_str() {
            "stop" => FinishReason::Stop,
            "length" => FinishReason::Length,
            "tool-calls" | "tool_calls" => FinishReason::ToolCalls,
            "content-filter" | "content_filter" => FinishReason::ContentFilter,
            _ => FinishReason::Other(reason),
        };
        let likelihood = |likelihood: LikelihoodLine| Likelihood {
            text: likelihood.text,
            logprob: likelihood.logprob,
            tokens: likelihood.tokens,
            greedy: likelihood.greedy,
            unconditional: likelihood.unconditional,
        };
        Sample {
            id: if self.id.is_empty() { line.to_string() } else { self.id },
            epoch: self.epoch,
            prompt: self.prompt.into_iter().map(message).collect(),
            target: self.target.to_string(),
            answer: self.answer,
            reasoning: self.reasoning,
            tool_calls: self.tool_calls.into_iter().map(call).collect(),
            finish: self.finish.map(finish),
            likelihoods: self.likelihoods.into_iter().map(likelihood).collect(),
            metadata: Value::Object(self.metadata).to_string(),
        }
    }
}

impl GradedLine {
    fn graded(self) -> Graded {
        let metric = |(name, value): (String, Value)| Metric {
            name,
            value: value.as_f64().unwrap_or(f64::NAN),
            unit: String::new(),
            higher_is_better: None,
        };
        Graded {
            verdict: Verdict {
                id: self.id,
                epoch: self.epoch,
                value: self.value.unwrap_or(f64::NAN),
                reason: Reason::Other("recorded".into()),
                extracted: self.extracted,
                explanation: None,
                sub_scores: self.sub_scores.into_iter().map(metric).collect(),
            },
            cluster: self.cluster,
            group: self.group,
        }
    }
}

/// The name of a reason, as the interface spells it.
pub fn reason_name(reason: &Reason) -> String {
    match reason {
        Reason::Correct => "correct".into(),
        Reason::PartlyCorrect => "partly-correct".into(),
        Reason::Wrong => "wrong".into(),
        Reason::InvalidFormat => "invalid-format".into(),
        Reason::Refused => "refused".into(),
        Reason::NoResponse => "no-response".into(),
        Reason::Truncated => "truncated".into(),
        Reason::TimedOut => "timed-out".into(),
        Reason::OutOfResources => "out-of-resources".into(),
        Reason::Forbidden => "forbidden".into(),
        Reason::Tampered => "tampered".into(),
        Reason::GraderFailed(problem) => format!("grader-failed: {}: {}", problem.code, problem.message),
        Reason::Other(name) => name.clone(),
    }
}

fn verdict_json(verdict: &Verdict) -> Value {
    let sub_scores: Map<String, Value> =
        verdict.sub_scores.iter().map(|metric| (metric.name.clone(), json!(metric.value))).collect();
    json!({
        "id": verdict.id,
        "epoch": verdict.epoch,
        "value": verdict.value,
        "reason": reason_name(&verdict.reason),
        "extracted": verdict.extracted,
        "explanation": verdict.explanation,
        "sub_scores": sub_scores,
    })
}

fn estimate_json(estimate: &Estimate) -> Value {
    json!({
        "metric": estimate.metric.name,
        "value": estimate.metric.value,
        "group": estimate.group,
        "standard_error": estimate.standard_error,
        "low": estimate.low,
        "high": estimate.high,
        "level": estimate.level,
        "method": estimate.method,
        "scored": estimate.scored,
        "unscored": estimate.unscored,
    })
}

enum Work {
    Sample(Box<Sample>),
    Graded(Vec<Graded>),
}

/// Consecutive lines for one scorer and configuration.
struct Job {
    key: (String, String),
    run: Box<dyn Run>,
    work: Vec<Work>,
}

fn read(entries: &[Entry], input: impl BufRead) -> Result<Vec<Job>, String> {
    let mut jobs: Vec<Job> = Vec::new();
    for (number, line) in input.lines().enumerate() {
        let at = |error: String| format!("line {}: {error}", number + 1);
        let line: Line = serde_json::from_str(&line.map_err(|error| at(error.to_string()))?)
            .map_err(|error| at(error.to_string()))?;
        let only = entries.first().filter(|_| entries.len() == 1).map(|entry| entry.name.to_owned());
        let name = line.scorer.or(only).ok_or_else(|| at("names no scorer".into()))?;
        let config = Value::Object(line.config).to_string();
        let key = (name, config);
        if jobs.last().is_none_or(|job| job.key != key) {
            let entry = entries.iter().find(|entry| entry.name == key.0);
            let entry = entry.ok_or_else(|| at(format!("there is no scorer `{}` here", key.0)))?;
            let run = (entry.open)(&key.1).map_err(|problem| at(problem.message))?;
            jobs.push(Job { key, run, work: Vec::new() });
        }
        let work = match (line.sample, line.graded) {
            (Some(sample), None) => Work::Sample(Box::new(sample.sample(number + 1))),
            (None, Some(graded)) => Work::Graded(graded.into_iter().map(GradedLine::graded).collect()),
            _ => return Err(at("neither a sample nor graded ones".into())),
        };
        if let Some(job) = jobs.last_mut() {
            job.work.push(work);
        }
    }
    Ok(jobs)
}

/// The answers to lines, for tests that replay what a reference said.
///
/// # Errors
/// What is wrong with which line.
pub fn answer(entries: &[Entry], input: impl BufRead) -> Result<Vec<Value>, String> {
    read(entries, input).map(|jobs| answers(&jobs))
}

fn answers(jobs: &[Job]) -> Vec<Value> {
    let mut answers = Vec::new();
    for job in jobs {
        for work in &job.work {
            answers.push(match work {
                Work::Sample(sample) => {
                    job.run.score(vec![sample.as_ref().clone()]).first().map_or(Value::Null, verdict_json)
                }
                Work::Graded(graded) => job.run.aggregate(graded.clone()).iter().map(estimate_json).collect(),
            });
        }
    }
    answers
}

/// Seconds for one round over all samples, the fastest of `rounds`.
fn time(jobs: &[Job], rounds: u32) -> f64 {
    let samples = |job: &Job| -> Vec<Sample> {
        let sample = |work: &Work| match work {
            Work::Sample(sample) => Some(sample.as_ref().clone()),
            Work::Graded(_) => None,
        };
        job.work.iter().filter_map(sample).collect()
    };
    let mut best = f64::INFINITY;
    for _ in 0..rounds {
        let batches: Vec<Vec<Sample>> = jobs.iter().map(samples).collect();
        let begin = Instant::now();
        for (job, batch) in jobs.iter().zip(batches) {
            std::hint::black_box(job.run.score(batch));
        }
        best = best.min(begin.elapsed().as_secs_f64());
    }
    best
}

/// Reads standard input to its end and answers on standard output; what is wrong goes to standard error.
pub fn main(entries: &[Entry]) -> ExitCode {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--time").skip(1);
    let rounds = arguments.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(0);
    let done = read(entries, std::io::stdin().lock()).and_then(|jobs| {
        let mut output = std::io::BufWriter::new(std::io::stdout().lock());
        for answer in answers(&jobs) {
            writeln!(output, "{answer}").map_err(|error| error.to_string())?;
        }
        output.flush().map_err(|error| error.to_string())?;
        if rounds > 0 {
            let seconds = json!({ "seconds": time(&jobs, rounds) });
            writeln!(std::io::stderr(), "{seconds}").map_err(|error| error.to_string())?;
        }
        Ok(())
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell that telling failed.
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
