//! One request in a record.

use bench_metrics::{Channel, Event, Located, Outcome, RequestMetrics, Sample};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Problem;

/// One measured request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestRecord {
    /// Number of the request in the run, counted from 0; the trace uses it.
    pub ordinal: u32,
    /// The session that it belongs to, counted from 0 over all repeats of the phase.
    pub session: u32,
    /// The repeat that the session belongs to, counted from 0.
    pub repeat: u32,
    /// Its place in the session, counted from 0.
    pub turn: u32,
    /// The workload's name for the turn.
    pub turn_id: String,
    /// It only warmed the backend up and is in no summary.
    pub warmup: bool,
    /// What became of it.
    pub status: RequestStatus,
    /// Status of the HTTP answer, where there was one.
    pub http_status: Option<u16>,
    /// How many times it was sent again; its times count from the first.
    pub resent: u32,
    /// Its numbers. A failed request has them too where enough arrived.
    pub metrics: Option<RequestMetrics>,
    /// Why it failed or was not sent.
    pub problem: Option<Problem>,
    /// How long it occupied the client, in milliseconds; absent when it was not sent.
    pub wall_ms: Option<f64>,
    /// Events that the driver saw in the answer.
    pub events: EventCounts,
    /// How the prompt was brought to its length; absent when nobody asked for one.
    pub prompt_fit: Option<PromptFit>,
    /// SHA-256 of the prompt in canonical JSON, in hexadecimal.
    pub prompt_sha256: Option<String>,
    /// SHA-256 of the request's body as sent, in hexadecimal.
    pub request_sha256: Option<String>,
    /// Wishes that the driver carried out.
    pub honoured: Honoured,
    /// When it happened; absent when it was not sent.
    #[serde(default)]
    pub times: Option<RequestTimes>,
    /// The stage of the load that it belongs to, as a place in the phase's `stages`.
    #[serde(default)]
    pub stage: Option<u32>,
    /// The model that it asked for, where the load mixes several.
    #[serde(default)]
    pub model: Option<String>,
}

/// When a request happened, in nanoseconds since the origin of the run's trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RequestTimes {
    /// When it should have started: by the schedule, or when its place became free.
    pub intended_ns: u64,
    /// When it started.
    pub started_ns: u64,
    /// When its first byte was written.
    pub first_byte_written_ns: Option<u64>,
    /// When the first fragment of any channel was there.
    pub first_token_ns: Option<u64>,
    /// When the answer had ended, or the request had failed.
    pub ended_ns: u64,
}

/// A request as the metrics take it.
pub(crate) fn sample(request: &RequestRecord) -> Sample<'_> {
    let code = request.problem.as_ref().map_or("unknown", |problem| problem.code.as_str());
    let outcome = match (request.status, &request.metrics) {
        (RequestStatus::Completed, Some(metrics)) => Outcome::Completed(metrics),
        (RequestStatus::NotSent, _) => Outcome::NotSent { code },
        _ => Outcome::Failed { code, wall_ms: request.wall_ms },
    };
    Sample { repeat: request.repeat, turn: request.turn, resent: request.resent, outcome }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RequestStatus {
    /// Answered in full.
    Completed,
    /// Sent, and not answered in full, or answered with contradictions.
    Failed,
    /// Never sent.
    NotSent,
}

/// Wishes of a request that its driver carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Honoured {
    /// The answer's length is forced.
    pub forced_length: bool,
    /// The backend's own switch against caching is set.
    pub cache_off: bool,
    /// The seed is passed on.
    pub seeded: bool,
}

/// How a prompt was brought to its length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PromptFit {
    /// How well.
    pub kind: FitKind,
    /// Tokens asked for.
    pub requested: u32,
    /// Tokens that it has by the tokenizer that fitted it, where there was one.
    pub actual: Option<u64>,
}

/// How well a prompt's length is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FitKind {
    /// Counted by the backend's tokenizer to the token.
    Exact,
    /// Guessed from the number of words; the backend has no tokenizer to ask.
    Nominal,
}

/// How many events of each kind the driver saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "each field is the event of its name")]
pub struct EventCounts {
    pub start: u32,
    pub text: u32,
    pub reasoning: u32,
    pub tool_call: u32,
    pub token_ids: u32,
    pub usage: u32,
    pub server_timing: u32,
    pub finish: u32,
    pub error: u32,
    pub other: u32,
}

impl EventCounts {
    /// Counts `events`.
    pub fn of(events: &[Located]) -> Self {
        let mut counts = Self::default();
        for located in events {
            let count = match located.event {
                Event::Start => &mut counts.start,
                Event::Fragment { channel: Channel::Text, .. } => &mut counts.text,
                Event::Fragment { channel: Channel::Reasoning, .. } => &mut counts.reasoning,
                Event::Fragment { channel: Channel::ToolCall, .. } => &mut counts.tool_call,
                Event::TokenIds(_) => &mut counts.token_ids,
                Event::Usage(_) => &mut counts.usage,
                Event::ServerTiming(_) => &mut counts.server_timing,
                Event::Finish(_) => &mut counts.finish,
                Event::Error => &mut counts.error,
                Event::Other => &mut counts.other,
            };
            *count = count.saturating_add(1);
        }
        counts
    }
}
