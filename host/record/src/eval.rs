//! Eval tasks in a record: what was asked, who graded, and what came out. The samples themselves are in a log beside the record.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Note, Problem};

/// What the samples of a task are logged under, in one of its formats where it has several: `TASK` or `TASK@FORMAT`.
#[must_use]
pub fn log_name(task: &str, format: Option<&str>) -> String {
    format.map_or_else(|| task.to_owned(), |format| format!("{task}@{format}"))
}

/// One eval task of a run, in one of its formats where it has several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EvalRecord {
    /// Name of the task.
    pub task: String,
    /// Name for people.
    pub title: String,
    /// The format, where the task compares several.
    pub format: Option<String>,
    /// What became of it.
    pub status: EvalStatus,
    /// Why it is partial, failed or cancelled.
    pub problem: Option<Problem>,
    /// What it asked about.
    pub dataset: DatasetRecord,
    /// Who graded.
    pub scorer: ScorerIdentity,
    /// The model that gave its opinion, where the scorer needs one.
    pub judge: Option<OtherModel>,
    /// The model that played the user, where one did.
    pub user: Option<OtherModel>,
    /// How often each item was to be asked.
    pub repeats: u32,
    /// The scores, the headline first.
    pub estimates: Vec<EstimateRecord>,
    /// Verdicts by their reason. Samples without an answer count under `unscored:` and what kept them from it.
    pub reasons: BTreeMap<String, u64>,
    /// Samples by what became of them.
    pub samples: SampleCounts,
    /// Tokens of all samples, as the backend counted them.
    pub tokens: TokenTotals,
    /// What they cost by the price list, in US dollars; absent without a price.
    pub cost_usd: Option<f64>,
    /// Time spent asking, in seconds, over all parts of a run that was resumed.
    pub seconds: f64,
    /// Time to the first token.
    pub ttft_ms: Option<Spread>,
    /// Time to the end of the answer.
    pub e2e_ms: Option<Spread>,
    /// Requests that were sent again, by cause.
    pub retries: BTreeMap<String, u64>,
    /// Most requests at once.
    pub concurrency: u32,
    /// How that number was lowered and raised as the backend asked for it.
    pub backoff: Vec<BackoffStep>,
    /// How much the format matters, on the first format of several.
    pub sensitivity: Option<Sensitivity>,
    /// The log of the samples.
    pub log: Option<LogFile>,
    /// Units of work that grading took, the same on every machine.
    pub fuel: Option<u64>,
    /// Anything else to know.
    pub notes: Vec<Note>,
}

/// What became of an eval task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EvalStatus {
    /// Every sample was asked and graded, or is known to be unscored.
    Completed,
    /// A limit of cost or time came first, or more than a tenth of the samples have no verdict: the scores are those of some
    /// samples only.
    Partial,
    /// It could not be run or graded, or no sample has a verdict.
    Failed,
    /// Stopped by the user; resuming goes on where it stopped.
    Cancelled,
}

/// What a task asked about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct DatasetRecord {
    /// SHA-256 of the data file.
    pub sha256: String,
    /// SPDX expression.
    pub licence: String,
    /// Items of the split and the dates that were asked for.
    pub items: u64,
    /// Items of those that were to be asked.
    pub asked: u64,
    /// Items that the split or the dates leave out.
    pub left_out: u64,
}

/// Who graded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ScorerIdentity {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// SHA-256 of the component.
    pub sha256: String,
    /// Whose rules it follows; empty for rules of its own.
    pub reference: String,
    /// Its configuration.
    pub config: serde_json::Value,
}

/// A model beside the one under test.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct OtherModel {
    /// The identifier that requests carried.
    pub model: String,
    /// The address, without credentials.
    pub endpoint: String,
    /// Requests that it was sent.
    pub requests: u64,
}

/// A metric over many samples.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct EstimateRecord {
    /// Name in kebab case.
    pub name: String,
    /// The value; null where no sample counts.
    pub value: Option<f64>,
    /// Unit.
    pub unit: String,
    /// Absent where more is neither better nor worse.
    pub higher_is_better: Option<bool>,
    /// The group that it is of; absent for all samples.
    pub group: Option<String>,
    /// Standard error over items.
    pub standard_error: Option<f64>,
    /// Lower limit of the interval.
    pub low: Option<f64>,
    /// Upper limit.
    pub high: Option<f64>,
    /// How sure the interval is.
    pub level: Option<f64>,
    /// How it was made: `wilson`, `t`, `clustered`, `bootstrap`.
    pub method: Option<String>,
    /// Items that count.
    pub scored: u32,
    /// Items that could not be graded.
    pub unscored: u32,
}

/// Samples by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SampleCounts {
    /// Items times repeats.
    pub planned: u64,
    /// Those with an answer, be it an empty one.
    pub answered: u64,
    /// Those whose failure counts against the model.
    pub failed: u64,
    /// Those whose failure says nothing about the model.
    pub unscored: u64,
    /// Those that were never asked, or not to the end.
    pub remaining: u64,
    /// Those that an earlier part of the run had asked.
    pub resumed: u64,
}

/// Sums of token counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TokenTotals {
    /// Of the prompts, cached ones included.
    pub prompt: u64,
    /// From a prefix cache.
    pub cached: u64,
    /// Produced, reasoning included.
    pub completion: u64,
    /// Reasoning.
    pub reasoning: u64,
}

/// How a quantity is distributed over samples.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// Samples.
    pub samples: u64,
    /// Mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 95th percentile; null with too few samples.
    pub p95: Option<f64>,
}

/// A change of how many requests there may be at once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct BackoffStep {
    /// Milliseconds since asking began.
    pub at_ms: u64,
    /// Most requests at once before.
    pub from: u32,
    /// And after.
    pub to: u32,
    /// How long nothing was sent, in milliseconds.
    pub pause_ms: u64,
    /// Why: `rate-limited`, `overloaded` or `recovered`.
    pub cause: String,
}

/// How much the format matters.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Sensitivity {
    /// The headline value of each format.
    pub values: BTreeMap<String, f64>,
    /// The largest difference between two formats.
    pub max_delta: f64,
    /// The standard deviation over formats (n − 1).
    pub standard_deviation: f64,
}

/// The log of a task's samples.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct LogFile {
    /// Path relative to the record's directory.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// What was asked for on the command line. A run that is resumed goes by what it began with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct EvalOptions {
    /// Tasks to run; empty for all.
    #[serde(default)]
    pub tasks: Vec<String>,
    /// Workloads are left out.
    #[serde(default)]
    pub only_evals: bool,
    /// Tasks are left out.
    #[serde(default)]
    pub no_evals: bool,
    /// Most items of each task.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Repeats of each item.
    #[serde(default)]
    pub repeats: Option<u32>,
    /// Most requests at once.
    #[serde(default)]
    pub concurrency: Option<u32>,
    /// Most US dollars for all tasks.
    #[serde(default)]
    pub max_cost: Option<f64>,
    /// Most seconds for all tasks.
    #[serde(default)]
    pub max_seconds: Option<f64>,
    /// Prompts may be answered from the backend's prefix cache. What such a cache holds depends on what was asked before, and some
    /// backends compute slightly different numbers for it; so an answer can then differ between two runs that ask the same.
    #[serde(default)]
    pub reuse_prefixes: bool,
}
