//! The eval tasks of a `suite.toml`.
//!
//! ```toml
//! [[tasks]]
//! name = "arithmetic"              # kebab case, unique; `--task arithmetic`
//! title = "Sums in words"
//! kind = "generate"                # or "loglikelihood", "conversation"
//! repeats = 3                      # how often each item is asked [default: see `TaskEntry::repeats`]
//! split = "test"                   # only items whose field `split` says so
//! dates = { from = "2026-01-01" }  # only items from these days: what a model cannot have been trained on
//! quick = { limit = 8, repeats = 1 }
//! data = { file = "data/arithmetic.jsonl", sha256 = "…", licence = "CC0-1.0", source = "…" }
//! fields = { id = "id", target = "answer", group = "level" }
//! [tasks.template]
//! system = "You calculate."
//! user = "How much is {a} and {b}?"
//! few-shot = 2
//! [tasks.generation]
//! max-tokens = 64
//! temperature = 0.0
//! [tasks.scorer]
//! plugin = "exact-match"
//! version = "^0.1"
//! config = { ignore-case = true }
//! ```

use std::collections::BTreeSet;

use semver::VersionReq;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::data::is_date;
use crate::manifest::{identifier, line, require};
use crate::{Digest, SuiteError, path};

/// An eval task of a suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TaskEntry {
    /// Name in kebab case, unique in the suite.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// What it asks, in a sentence.
    pub summary: Option<String>,
    /// SPDX expression, where it is not that of the data.
    pub licence: Option<String>,
    /// How it asks.
    #[serde(default)]
    pub kind: TaskKind,
    /// What it asks about.
    pub data: DataEntry,
    /// Which fields of an item are what.
    #[serde(default)]
    pub fields: FieldNames,
    /// How an item becomes a prompt.
    pub template: TemplateEntry,
    /// How an answer is generated.
    #[serde(default)]
    pub generation: GenerationEntry,
    /// Who grades.
    pub scorer: ScorerEntry,
    /// How often each item is asked. Where nobody says, data sets with fewer than [`SMALL`] items are asked
    /// [`SMALL_REPEATS`] times, since their scores vary most, and others once; at temperature 0 once.
    pub repeats: Option<u32>,
    /// Most items, taken from the beginning of the data.
    pub limit: Option<u32>,
    /// What is different in a quick run.
    #[serde(default)]
    pub quick: QuickEntry,
    /// Only items from these days.
    pub dates: Option<DatesEntry>,
    /// Only items whose split is this one.
    pub split: Option<String>,
    /// How a conversation goes on.
    pub conversation: Option<ConversationEntry>,
    /// A text to find something in, cut to lengths in the backend's own tokens.
    pub needle: Option<NeedleEntry>,
    /// The same items in several formats, to see how much the format matters.
    #[serde(default)]
    pub formats: Vec<FormatEntry>,
}

/// Data sets with fewer items are asked several times by default.
pub const SMALL: usize = 100;

/// How often the items of a small data set are asked.
pub const SMALL_REPEATS: u32 = 3;

/// Most repeats of an item.
pub const MOST_REPEATS: u32 = 1000;

/// How a task asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskKind {
    /// For one answer.
    #[default]
    Generate,
    /// How likely the model finds each of the item's choices.
    Loglikelihood,
    /// In several turns.
    Conversation,
}

/// A data file of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DataEntry {
    /// Path relative to the suite's folder.
    pub file: String,
    /// Digest of the file.
    pub sha256: Digest,
    /// SPDX expression.
    pub licence: String,
    /// Where it is from.
    pub source: String,
    /// Its format.
    #[serde(default)]
    pub format: DataFormat,
}

/// The format of a data file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataFormat {
    /// One JSON object a line.
    #[default]
    Jsonl,
}

/// Which fields of an item are what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct FieldNames {
    /// What tells items apart: a text or a whole number.
    pub id: String,
    /// The reference; empty where there is none.
    pub target: String,
    /// Items with one value are not independent of each other.
    pub cluster: Option<String>,
    /// Where values are reported by group as well.
    pub group: Option<String>,
    /// The day that the item is from.
    pub date: Option<String>,
    /// The split that it belongs to.
    pub split: String,
    /// The choices to compare.
    pub choices: Option<String>,
    /// The tools on offer.
    pub tools: Option<String>,
    /// What the user says after the first turn of a conversation.
    pub turns: Option<String>,
}

impl Default for FieldNames {
    fn default() -> Self {
        Self {
            id: "id".to_owned(),
            target: "target".to_owned(),
            cluster: None,
            group: None,
            date: None,
            split: "split".to_owned(),
            choices: None,
            tools: None,
            turns: None,
        }
    }
}

/// How an item becomes a prompt. Texts are templates, see [`crate::Template`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TemplateEntry {
    /// The system message.
    pub system: Option<String>,
    /// The user's message, or the whole of a raw prompt.
    pub user: String,
    /// How the answer begins: a last message of the assistant's for the model to continue.
    pub assistant_prefix: Option<String>,
    /// Examples before the question.
    #[serde(default)]
    pub few_shot: u32,
    /// Where the examples are from, if not from the data itself.
    pub few_shot_file: Option<ExamplesEntry>,
    /// The answer of an example [default: its target].
    pub few_shot_answer: Option<String>,
    /// Which examples.
    #[serde(default)]
    pub few_shot_pick: Pick,
    /// Fixes the choice of examples.
    #[serde(default)]
    pub seed: u64,
    /// The prompt is raw text, and the backend applies no chat template. Examples and question follow one another.
    #[serde(default)]
    pub raw: bool,
    /// What stands between the examples of a raw prompt.
    #[serde(default = "blank_line")]
    pub separator: String,
    /// What stands before a continuation whose likelihood is asked for.
    #[serde(default = "space")]
    pub delimiter: String,
}

fn blank_line() -> String {
    "\n\n".to_owned()
}

fn space() -> String {
    " ".to_owned()
}

/// A file of examples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExamplesEntry {
    /// Path relative to the suite's folder.
    pub file: String,
    /// Digest of the file.
    pub sha256: Digest,
}

/// Which examples stand before a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pick {
    /// The first ones, the same for every item. An item is never its own example.
    #[default]
    First,
    /// Others for every item, drawn from the seed and the item's identifier.
    Random,
}

/// How an answer is generated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct GenerationEntry {
    /// Most tokens of an answer.
    pub max_tokens: u32,
    /// 0 for the likeliest token each time.
    pub temperature: f64,
    /// Share of the probability to draw from.
    pub top_p: Option<f64>,
    /// Number of tokens to draw from.
    pub top_k: Option<u32>,
    /// Pass a seed on, another one for each item and repeat.
    pub seed: bool,
    /// Texts that end an answer.
    pub stop: Vec<String>,
    /// What to do with reasoning that comes as part of the answer.
    pub reasoning: Reasoning,
    /// Alternatives to report per token, where log-probabilities are wanted.
    pub logprobs: Option<u32>,
}

impl Default for GenerationEntry {
    fn default() -> Self {
        Self {
            max_tokens: 512,
            temperature: 0.0,
            top_p: None,
            top_k: None,
            seed: true,
            stop: Vec::new(),
            reasoning: Reasoning::Split,
            logprobs: None,
        }
    }
}

/// What to do with reasoning that comes as part of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reasoning {
    /// What stands in `<think>` at the answer's beginning is taken out of it.
    #[default]
    Split,
    /// It is part of the answer.
    Keep,
}

/// Who grades.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScorerEntry {
    /// Name of the plugin.
    pub plugin: String,
    /// Versions of the plugin that the task was made for.
    pub version: VersionReq,
    /// Its configuration.
    #[serde(default)]
    pub config: Map<String, Value>,
}

/// What is different in a quick run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct QuickEntry {
    /// Most items.
    pub limit: u32,
    /// How often each is asked.
    pub repeats: u32,
}

impl Default for QuickEntry {
    fn default() -> Self {
        Self { limit: 8, repeats: 1 }
    }
}

/// A window of days, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DatesEntry {
    /// The first day, as ISO 8601 writes it.
    pub from: Option<String>,
    /// The last day.
    pub to: Option<String>,
}

/// How a conversation goes on after the first answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConversationEntry {
    /// What the user says, turn by turn; templates.
    #[serde(default)]
    pub turns: Vec<String>,
    /// A model that plays the user, after these turns.
    pub user: Option<UserEntry>,
    /// Grade everything that the model said, with a blank line between the turns, and not only its last answer.
    #[serde(default)]
    pub grade_all: bool,
}

/// A model that plays the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UserEntry {
    /// Who the user is and what they want; a template.
    pub instructions: String,
    /// Most turns that it takes.
    #[serde(default = "some_turns")]
    pub most_turns: u32,
    /// What it says when it has what it wanted. What stands before that is still said.
    #[serde(default = "done")]
    pub stop: String,
    /// Most tokens of a turn.
    #[serde(default = "some_tokens")]
    pub max_tokens: u32,
    /// 0 for the likeliest token each time.
    #[serde(default)]
    pub temperature: f64,
}

fn some_turns() -> u32 {
    8
}

fn done() -> String {
    "[DONE]".to_owned()
}

fn some_tokens() -> u32 {
    256
}

/// A text to find something in. Each item is asked once for each length and depth; the template's `{haystack}` is the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NeedleEntry {
    /// The text to hide it in.
    pub corpus: String,
    /// What is hidden; a template.
    pub text: String,
    /// Lengths of the whole prompt, in the backend's own tokens.
    pub lengths: Vec<u64>,
    /// Where it is hidden: 0 for the beginning, 1 for the end.
    pub depths: Vec<f64>,
}

/// One of several formats in which the same items are asked. What it does not name is the task's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FormatEntry {
    /// Name in kebab case, unique in the task.
    pub name: String,
    /// The system message.
    pub system: Option<String>,
    /// The user's message.
    pub user: Option<String>,
    /// How the answer begins.
    pub assistant_prefix: Option<String>,
    /// Offer the item's tools through the backend's own interface.
    #[serde(default = "yes")]
    pub tools: bool,
    /// Configuration of the scorer on top of the task's.
    #[serde(default)]
    pub config: Map<String, Value>,
}

fn yes() -> bool {
    true
}

/// Most formats, lengths, depths, turns and stop texts of a task.
const MOST: usize = 64;

/// Longest template, in bytes.
const LONGEST_TEXT: usize = 256 * 1024;

impl TaskEntry {
    /// The repeats of a full or a quick run over so many items.
    pub fn effective_repeats(&self, items: usize, in_quick_run: bool) -> u32 {
        if in_quick_run {
            return self.quick.repeats;
        }
        let varies = items < SMALL && self.kind != TaskKind::Loglikelihood && self.generation.temperature > 0.0;
        self.repeats.unwrap_or(if varies { SMALL_REPEATS } else { 1 })
    }

    /// The most items of a full or a quick run.
    pub fn effective_limit(&self, in_quick_run: bool) -> Option<u32> {
        let quick = in_quick_run.then_some(self.quick.limit);
        match (self.limit, quick) {
            (Some(limit), Some(quick)) => Some(limit.min(quick)),
            (limit, quick) => limit.or(quick),
        }
    }

    /// Every text of the task that is a template, with its key.
    fn texts(&self) -> Vec<(String, &String)> {
        let template = &self.template;
        let mut texts = vec![
            ("template.user".to_owned(), Some(&template.user)),
            ("template.system".to_owned(), template.system.as_ref()),
            ("template.assistant-prefix".to_owned(), template.assistant_prefix.as_ref()),
            ("template.few-shot-answer".to_owned(), template.few_shot_answer.as_ref()),
            ("needle.text".to_owned(), self.needle.as_ref().map(|needle| &needle.text)),
        ];
        for format in &self.formats {
            for text in [&format.system, &format.user, &format.assistant_prefix] {
                texts.push((format!("formats.{}", format.name), text.as_ref()));
            }
        }
        if let Some(talk) = &self.conversation {
            texts.extend(talk.turns.iter().map(|turn| ("conversation.turns".to_owned(), Some(turn))));
            let user = talk.user.as_ref().map(|user| &user.instructions);
            texts.push(("conversation.user.instructions".to_owned(), user));
        }
        texts.into_iter().filter_map(|(key, text)| Some((key, text?))).collect()
    }

    pub(crate) fn check(&self) -> Result<(), SuiteError> {
        identifier("tasks.name", &self.name)?;
        let key = |key: &str| format!("tasks.{}.{key}", self.name);
        line(&key("title"), &self.title)?;
        for (what, text) in [("summary", &self.summary), ("licence", &self.licence)] {
            text.as_ref().map_or(Ok(()), |text| line(&key(what), text))?;
        }
        path::check(&self.data.file)?;
        line(&key("data.licence"), &self.data.licence)?;
        line(&key("data.source"), &self.data.source)?;
        identifier(&key("scorer.plugin"), &self.scorer.plugin)?;
        for (what, text) in self.texts() {
            require(text.len() <= LONGEST_TEXT, &key(&what), || format!("more than {LONGEST_TEXT} bytes"))?;
        }
        self.check_template(&key)?;
        self.check_generation(&key)?;
        self.check_repeats(&key)?;
        self.check_kind(&key)?;
        self.check_needle(&key)?;
        self.check_formats(&key)
    }

    fn check_template(&self, key: &impl Fn(&str) -> String) -> Result<(), SuiteError> {
        let template = &self.template;
        require(template.few_shot <= 100, &key("template.few-shot"), || {
            format!("{}, more than 100", template.few_shot)
        })?;
        if let Some(file) = &template.few_shot_file {
            path::check(&file.file)?;
        }
        let raw_only = template.system.is_none() && template.assistant_prefix.is_none() && self.fields.tools.is_none();
        require(!template.raw || raw_only, &key("template.raw"), || {
            "a raw prompt has neither a system message nor an assistant prefix nor tools".to_owned()
        })
    }

    fn check_generation(&self, key: &impl Fn(&str) -> String) -> Result<(), SuiteError> {
        let generation = &self.generation;
        let tokens = generation.max_tokens;
        require((1..=1_000_000).contains(&tokens), &key("generation.max-tokens"), || {
            format!("{tokens}, not 1 to 1000000")
        })?;
        require((0.0..=100.0).contains(&generation.temperature), &key("generation.temperature"), || {
            format!("{}, not 0 to 100", generation.temperature)
        })?;
        require(generation.top_p.is_none_or(|p| p > 0.0 && p <= 1.0), &key("generation.top-p"), || {
            "not above 0 and at most 1".to_owned()
        })?;
        let stops = generation.stop.len() <= MOST && generation.stop.iter().all(|text| !text.is_empty());
        require(stops, &key("generation.stop"), || format!("more than {MOST} texts, or an empty one"))
    }

    fn check_repeats(&self, key: &impl Fn(&str) -> String) -> Result<(), SuiteError> {
        let repeats = [self.repeats.unwrap_or(1), self.quick.repeats];
        let sound = repeats.iter().all(|repeats| (1..=MOST_REPEATS).contains(repeats));
        require(sound, &key("repeats"), || format!("not 1 to {MOST_REPEATS}"))?;
        let limits = [self.limit.unwrap_or(1), self.quick.limit];
        require(!limits.contains(&0), &key("limit"), || "0 items are none".to_owned())?;
        let Some(dates) = &self.dates else { return Ok(()) };
        for date in [&dates.from, &dates.to].into_iter().flatten() {
            require(is_date(date), &key("dates"), || format!("{date:?} is no date such as 2026-01-31"))?;
        }
        let ordered = match (&dates.from, &dates.to) {
            (Some(from), Some(to)) => from <= to,
            (None, None) => false,
            _ => true,
        };
        require(ordered, &key("dates"), || "neither end, or the last day before the first".to_owned())
    }

    fn check_kind(&self, key: &impl Fn(&str) -> String) -> Result<(), SuiteError> {
        let likelihood = self.kind == TaskKind::Loglikelihood;
        require(!likelihood || self.fields.choices.is_some(), &key("fields.choices"), || {
            "a task of kind loglikelihood compares choices, and no field is named that holds them".to_owned()
        })?;
        require(!likelihood || self.template.raw, &key("template.raw"), || {
            "likelihoods are those of raw text: set it to true".to_owned()
        })?;
        let talks = self.kind == TaskKind::Conversation;
        require(self.conversation.is_none() || talks, &key("conversation"), || {
            "only a task of kind conversation has turns".to_owned()
        })?;
        require(!talks || !self.template.raw, &key("template.raw"), || "a conversation has messages".to_owned())?;
        let goes_on = self.fields.turns.is_some()
            || self.conversation.as_ref().is_some_and(|talk| !talk.turns.is_empty() || talk.user.is_some());
        require(!talks || goes_on, &key("conversation"), || {
            "neither turns nor a user nor a field with turns: the conversation would end after its first answer"
                .to_owned()
        })?;
        let Some(talk) = &self.conversation else { return Ok(()) };
        let turns = talk.turns.len() <= MOST
            && talk.user.as_ref().is_none_or(|user| (1..=MOST as u32).contains(&user.most_turns));
        require(turns, &key("conversation.turns"), || format!("more than {MOST}, or none"))?;
        let user = talk.user.as_ref();
        require(user.is_none_or(|user| !user.stop.is_empty() && user.max_tokens > 0), &key("conversation.user"), || {
            "an empty stop text, or no tokens".to_owned()
        })
    }

    fn check_needle(&self, key: &impl Fn(&str) -> String) -> Result<(), SuiteError> {
        let Some(needle) = &self.needle else { return Ok(()) };
        let plain = self.kind == TaskKind::Generate && self.template.few_shot == 0 && self.formats.is_empty();
        require(plain, &key("needle"), || "such a task generates, without examples and formats".to_owned())?;
        let lengths = (1..=MOST).contains(&needle.lengths.len())
            && needle.lengths.iter().all(|length| (64..=100_000_000).contains(length));
        require(lengths, &key("needle.lengths"), || format!("not 1 to {MOST} lengths from 64 to 100000000"))?;
        let depths =
            (1..=MOST).contains(&needle.depths.len()) && needle.depths.iter().all(|depth| (0.0..=1.0).contains(depth));
        require(depths, &key("needle.depths"), || format!("not 1 to {MOST} depths from 0 to 1"))?;
        require(self.template.user.contains("{haystack}"), &key("template.user"), || {
            "it has no {haystack} for the text".to_owned()
        })
    }

    fn check_formats(&self, key: &impl Fn(&str) -> String) -> Result<(), SuiteError> {
        require(self.formats.len() <= MOST && self.formats.len() != 1, &key("formats"), || {
            format!("one, or more than {MOST}: formats are there to be compared")
        })?;
        let mut names = BTreeSet::new();
        for format in &self.formats {
            identifier(&key("formats.name"), &format.name)?;
            require(names.insert(&format.name), &key("formats.name"), || format!("`{}` is there twice", format.name))?;
        }
        Ok(())
    }
}
