//! One sample: what was asked, what was answered, and what a scorer made of it.
//!
//! A line has all that a scorer is given, so that anyone who has the file can grade it again without the model, the engine or
//! the data set. Three digests say what was asked: two runs whose digests are equal asked the same, whatever their files are
//! called. Digests are SHA-256 over canonical JSON (RFC 8785), in lower-case hexadecimal.

use bench_text::clean_name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::digest_of;

/// Version of a line's schema. Raised only when a reader of the version before would misread a line.
pub const SCHEMA_VERSION: u32 = 1;

/// One line of a sample log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SampleRecord {
    /// Version of the schema.
    pub schema: u32,
    /// Name of the task that the sample belongs to.
    pub task: String,
    /// The item's identifier, unique in its task and never empty.
    pub id: String,
    /// Which repeat of the item this is, from 0.
    #[serde(default)]
    pub epoch: u32,
    /// The item as the task's data has it. A scorer sees the fields of an object as the sample's metadata.
    pub document: Value,
    /// Digest of `document`.
    pub document_sha256: String,
    /// What the model was asked to continue. A prompt that is raw text is one message of the user's.
    pub prompt: Vec<MessageRecord>,
    /// Digest of `prompt`.
    pub prompt_sha256: String,
    /// The reference, as the task's data has it; null where there is none.
    pub target: Value,
    /// Digest of `target`.
    pub target_sha256: String,
    /// Samples of one cluster are not independent of each other, such as questions about one text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Where values are reported by group as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What became of the request.
    #[serde(default)]
    pub status: Status,
    /// The visible answer; absent when the model gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// What came on a reasoning channel of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// The calls of tools that the model asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCallRecord>,
    /// Why the backend stopped: `stop`, `length`, `tool-calls`, `content-filter`, or the backend's own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<String>,
    /// How likely given continuations were, where the task asks about these instead of for an answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub likelihoods: Vec<LikelihoodRecord>,
    /// Token counts as the backend reported them.
    #[serde(default)]
    pub usage: UsageRecord,
    /// Times of the attempt that is recorded.
    #[serde(default)]
    pub timing: TimingRecord,
    /// Requests that were sent for this sample, those that failed included; 0 where the log does not say.
    #[serde(default)]
    pub attempts: u32,
    /// What all attempts cost by the price list, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Seed that the backend was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The model, as it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The tool that asked, where it was another one than this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What a scorer said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<VerdictRecord>,
}

/// Which sample a line is about: its task, item and repeat.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The task.
    pub task: String,
    /// The item.
    pub id: String,
    /// The repeat.
    pub epoch: u32,
}

/// One message of a prompt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageRecord {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// Its text.
    pub content: String,
    /// The calls that an assistant's message makes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCallRecord>,
    /// The call that a tool's message answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
}

/// A call of a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolCallRecord {
    /// Its identifier; may be empty.
    #[serde(default)]
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments as the model wrote them, which need not be JSON.
    pub arguments: String,
}

/// How likely the model found a continuation of the prompt. Natural logarithms; null for one that is not finite.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LikelihoodRecord {
    /// The continuation.
    pub text: String,
    /// Sum over the continuation's tokens.
    pub logprob: Option<f64>,
    /// How many these are; 0 where the log does not say.
    #[serde(default)]
    pub tokens: u32,
    /// Whether each token was the most likely one at its place; absent where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greedy: Option<bool>,
    /// The same sum without the prompt before it, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconditional: Option<f64>,
}

/// What became of the request of a sample.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Status {
    /// It was answered, be it with nothing.
    #[default]
    Answered,
    /// It failed for a reason that counts against the model, such as an answer that never ended. It is graded as no answer.
    Failed {
        /// Stable identifier of the reason.
        code: String,
        /// What happened.
        message: String,
    },
    /// It failed for a reason that says nothing about the model, such as an engine that was gone. It is not graded.
    Unscored {
        /// Stable identifier of the reason.
        code: String,
        /// What happened.
        message: String,
    },
}

/// Token counts of a request, as the backend reported them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UsageRecord {
    /// All tokens of the prompt, cached ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<u64>,
    /// Those of the prompt's tokens that came from a prefix cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<u64>,
    /// Tokens produced, reasoning included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion: Option<u64>,
    /// Those of the produced tokens that are reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<u64>,
}

/// Times of a request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimingRecord {
    /// From the request to the first token, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<f64>,
    /// From the request to the end of the answer, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e2e_ms: Option<f64>,
    /// When it was sent, as RFC 3339 writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
}

/// The tool that a sample comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// Its name, such as `lm-eval` or `inspect`.
    pub tool: String,
    /// Its version, where the log has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What a scorer said about a sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictRecord {
    /// Who said it.
    pub scorer: ScorerRecord,
    /// The value; null where the sample is unscored.
    pub value: Option<f64>,
    /// Why: `correct`, `partly-correct`, `wrong`, `invalid-format`, `refused`, `no-response`, `truncated`, `timed-out`,
    /// `out-of-resources`, `forbidden`, `tampered`, `grader-failed`, or `other:` and a word of the scorer's.
    pub reason: Reason,
    /// What kept the scorer from grading, where the reason is `grader-failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemRecord>,
    /// What the scorer took to be the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extracted: Option<String>,
    /// Why, in a sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// Values of further metrics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_scores: Vec<SubScore>,
    /// Units of work: an even share of what its call took, equal on every machine. Null where no component graded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
}

/// Who graded.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ScorerRecord {
    /// Name, such as `exact-match`. A scorer of another tool is called as there.
    pub name: String,
    /// Version; empty where the log does not say.
    #[serde(default)]
    pub version: String,
    /// Digest of the component; absent for a scorer of another tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Digest of the configuration's canonical JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_sha256: Option<String>,
}

/// A failure with its way out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProblemRecord {
    /// Stable identifier.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The value of a further metric of a sample.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubScore {
    /// Which metric.
    pub name: String,
    /// The value; null where it is not a number.
    pub value: Option<f64>,
    /// Unit as written after a number.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Absent where more is neither better nor worse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub higher_is_better: Option<bool>,
}

/// Why a verdict is what it is. Written as a word; a word that this version does not know is kept as [`Reason::Other`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Reason {
    /// The answer is right.
    Correct,
    /// Some of it is.
    PartlyCorrect,
    /// The answer is not right.
    Wrong,
    /// There is an answer, and it is not of the form that was asked for.
    InvalidFormat,
    /// The model declined to answer.
    Refused,
    /// The model said nothing.
    NoResponse,
    /// The answer was cut at its length limit before it was complete.
    Truncated,
    /// Model-written code ran into a limit of time.
    TimedOut,
    /// Model-written code ran into a limit of memory, recursion or output.
    OutOfResources,
    /// Model-written code asked for something that it is not given.
    Forbidden,
    /// Model-written code tried to influence how it is graded.
    Tampered,
    /// The sample could not be graded.
    GraderFailed,
    /// A reason of the scorer's own.
    Other(String),
}

/// The reasons that have a word, with it.
const REASONS: [(Reason, &str); 12] = [
    (Reason::Correct, "correct"),
    (Reason::PartlyCorrect, "partly-correct"),
    (Reason::Wrong, "wrong"),
    (Reason::InvalidFormat, "invalid-format"),
    (Reason::Refused, "refused"),
    (Reason::NoResponse, "no-response"),
    (Reason::Truncated, "truncated"),
    (Reason::TimedOut, "timed-out"),
    (Reason::OutOfResources, "out-of-resources"),
    (Reason::Forbidden, "forbidden"),
    (Reason::Tampered, "tampered"),
    (Reason::GraderFailed, "grader-failed"),
];

impl From<String> for Reason {
    fn from(word: String) -> Self {
        match REASONS.iter().find(|(_, known)| *known == word) {
            Some((reason, _)) => reason.clone(),
            None => Self::Other(word.strip_prefix("other:").map(str::to_owned).unwrap_or(word)),
        }
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.to_string()
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Other(word) => write!(f, "other:{word}"),
            known => f.write_str(REASONS.iter().find(|(reason, _)| reason == known).map_or("", |(_, word)| word)),
        }
    }
}

impl MessageRecord {
    /// A message of plain text.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self { role: role.into(), content: content.into(), tool_calls: Vec::new(), tool_call_id: None }
    }
}

impl SampleRecord {
    /// A sample that has been asked about, with its digests; everything else is as if nothing were known.
    pub fn new(
        task: impl Into<String>,
        id: impl Into<String>,
        epoch: u32,
        document: Value,
        prompt: Vec<MessageRecord>,
        target: Value,
    ) -> Self {
        Self {
            schema: SCHEMA_VERSION,
            task: task.into(),
            id: id.into(),
            epoch,
            document_sha256: digest_of(&document),
            document,
            prompt_sha256: digest_of(&prompt),
            prompt,
            target_sha256: digest_of(&target),
            target,
            cluster: None,
            group: None,
            status: Status::Answered,
            answer: None,
            reasoning: None,
            tool_calls: Vec::new(),
            finish: None,
            likelihoods: Vec::new(),
            usage: UsageRecord::default(),
            timing: TimingRecord::default(),
            attempts: 0,
            cost_usd: None,
            seed: None,
            model: None,
            origin: None,
            verdict: None,
        }
    }

    /// States the digests anew, after the document, the prompt or the target were changed.
    pub fn seal(&mut self) {
        self.document_sha256 = digest_of(&self.document);
        self.prompt_sha256 = digest_of(&self.prompt);
        self.target_sha256 = digest_of(&self.target);
    }

    /// Which sample this is.
    pub fn key(&self) -> Key {
        Key { task: self.task.clone(), id: self.id.clone(), epoch: self.epoch }
    }

    /// The fields of the item, as a scorer sees them: those of the document, or none where it is no object.
    pub fn metadata(&self) -> Map<String, Value> {
        match &self.document {
            Value::Object(fields) => fields.clone(),
            _ => Map::new(),
        }
    }

    /// Which of the three digests is not that of what it names: `document`, `prompt` or `target`.
    pub fn wrong_digest(&self) -> Option<&'static str> {
        let digests = [
            ("document", digest_of(&self.document), &self.document_sha256),
            ("prompt", digest_of(&self.prompt), &self.prompt_sha256),
            ("target", digest_of(&self.target), &self.target_sha256),
        ];
        digests.into_iter().find(|(_, found, stated)| found != *stated).map(|(name, ..)| name)
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", clean_name(&self.task), clean_name(&self.id))?;
        if self.epoch > 0 { write!(f, " (repeat {})", self.epoch) } else { Ok(()) }
    }
}

/// The JSON schema of a line, as committed in `schema/sample-v1.json`.
pub fn schema_json() -> String {
    let mut schema = schemars::schema_for!(SampleRecord);
    schema.insert("$id".to_owned(), "urn:bench:schema:sample:v1".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
