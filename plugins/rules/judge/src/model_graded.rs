//! `model-graded`: a judge, or several of them, say whether an answer meets a criterion or agrees with an expert's answer.

use bench_scoring::bench_sdk::types::{CacheMode, Prompt, Role, Sampling};
use bench_scoring::{
    About, FinishReason, Generation, Grade, Message, MetricAbout, Opinion, Problem, Sample, Scorer, metadata, problem,
    target_texts,
};
use serde::Deserialize;

use crate::grades::{Reading, Vote, worth};
use crate::template::{Template, neutral};

/// What the judge is asked where the task has no template of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Whether the answer meets the criterion.
    #[default]
    Qa,
    /// Whether the answer has the facts of an expert's answer.
    Fact,
}

/// How several judges become one grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Majority {
    /// More than half of them say so; a judge without a grade counts as one that does not.
    #[default]
    Strict,
    /// The most common grade, the first of them where several are.
    Mode,
}

/// Configuration of [`ModelGraded`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ModelGradedConfig {
    /// What the judge is asked where there is no `template`.
    pub preset: Preset,
    /// Text with `{question}`, `{answer}`, `{criterion}`, `{instructions}` and the item's fields.
    pub template: Option<String>,
    /// How the judge is told to grade.
    pub instructions: Option<String>,
    /// A regular expression of Python's whose first group is the grade.
    pub grade_pattern: Option<String>,
    /// Show the judge the conversation rather than its last question.
    pub include_history: bool,
    /// Offer the grade P, which is worth a half.
    pub partial_credit: bool,
    /// How many judges are asked.
    pub judges: u32,
    /// How several judges become one grade.
    pub majority: Majority,
    /// Most tokens of an opinion.
    pub max_tokens: u32,
    /// Of the judge.
    pub temperature: Option<f64>,
    /// Of the first judge; each further one has the next.
    pub seed: Option<u64>,
}

impl Default for ModelGradedConfig {
    fn default() -> Self {
        Self {
            preset: Preset::Qa,
            template: None,
            instructions: None,
            grade_pattern: None,
            include_history: false,
            partial_credit: false,
            judges: 1,
            majority: Majority::Strict,
            max_tokens: 2048,
            temperature: Some(0.0),
            seed: Some(0),
        }
    }
}

const MOST_JUDGES: u32 = 99;

const QA: &str = "\
Below are a task, a submission to it, and the criterion that the submission is judged by.

[BEGIN DATA]
***
[Task]: {question}
***
[Submission]: {answer}
***
[Criterion]: {criterion}
***
[END DATA]

Decide whether the submission meets the criterion.

{instructions}
";

const FACT: &str = "\
Below are a question, an expert's answer, and a submitted answer.

[BEGIN DATA]
************
[Question]: {question}
************
[Expert]: {criterion}
************
[Submission]: {answer}
************
[END DATA]

Decide whether the submission says what the expert says. Only facts count; style, grammar and punctuation do not.

{instructions}
";

fn instructions(partial_credit: bool) -> String {
    let (letters, partial) = if partial_credit { ("C, P or I", " P if it is partly correct,") } else { ("C or I", "") };
    format!(
        "Think it through step by step first, without naming a grade. Then end with a line of the form `GRADE: X`, without the \
         quotes, where X is one letter of {letters}: C if the submission is correct,{partial} I if it is incorrect."
    )
}

/// A judge says whether the answer is right.
#[derive(Debug)]
pub struct ModelGraded {
    config: ModelGradedConfig,
    template: Template,
    instructions: String,
    reading: Reading,
}

impl ModelGraded {
    fn question(&self, sample: &Sample) -> String {
        if !self.config.include_history {
            let last = sample.prompt.iter().rfind(|message| message.role == Role::User);
            return last.map(|message| message.content.clone()).unwrap_or_default();
        }
        let mut messages = sample.prompt.iter().filter(|message| message.role != Role::System);
        let first = messages.next().map(|message| message.content.clone());
        let parts: Vec<String> =
            first.into_iter().chain(messages.map(|message| said(message, &sample.prompt))).collect();
        parts.join("\n\n")
    }

    fn failed(&self, code: &str, message: String) -> Grade {
        Grade::failed(problem(code, message, "read the judge's answers, and tell it more clearly how to write a grade"))
    }

    fn decide(&self, opinions: &[Opinion]) -> Result<Vote, Grade> {
        let mut votes: Vec<(Vote, usize)> = Vec::new();
        for opinion in opinions {
            let text = opinion.answer.as_deref().unwrap_or_default();
            let vote = self.reading.vote(text).map_err(|error| self.failed("pattern-too-hard", error.to_string()))?;
            let Some(vote) = vote else { continue };
            match votes.iter_mut().find(|(known, _)| *known == vote) {
                Some((_, count)) => *count += 1,
                None => votes.push((vote, 1)),
            }
        }
        // The first of the most common, as a counter in Python has it.
        let most = votes.iter().map(|(_, count)| *count).max();
        let winner = votes.iter().find(|(_, count)| Some(*count) == most);
        match (winner, self.config.majority) {
            (None, _) => Err(self.failed("no-grade", self.no_grade(opinions))),
            (Some((vote, count)), Majority::Strict) if count * 2 <= opinions.len() => {
                let message = format!("{count} of {} judges say `{vote}`, which is no majority", opinions.len());
                Err(self.failed("no-majority", message))
            }
            (Some((vote, _)), _) => Ok(vote.clone()),
        }
    }

    fn no_grade(&self, opinions: &[Opinion]) -> String {
        let cut = opinions.iter().any(|opinion| opinion.finish == Some(FinishReason::Length));
        let hint = if cut { ", and one was cut at its limit of tokens" } else { "" };
        format!("none of {} judges gave a grade{hint}", opinions.len())
    }
}

/// A message of a conversation as the judge reads it.
fn said(message: &Message, all: &[Message]) -> String {
    let content = &message.content;
    match message.role {
        Role::Assistant => {
            let calls = message.tool_calls.iter().map(|call| format!("{}({})", call.name, call.arguments));
            let parts: Vec<String> =
                Some(content.clone()).filter(|text| !text.is_empty()).into_iter().chain(calls).collect();
            format!("Assistant: {}", parts.join("\n\n"))
        }
        Role::Tool => {
            let calls = all.iter().flat_map(|message| &message.tool_calls);
            let called = calls.into_iter().find(|call| Some(&call.id) == message.tool_call_id.as_ref());
            format!("Tool ({}): {content}", called.map_or("", |call| call.name.as_str()))
        }
        Role::User | Role::System => format!("User: {content}"),
    }
}

impl Scorer for ModelGraded {
    const ABOUT: About = About {
        name: "model-graded",
        version: env!("CARGO_PKG_VERSION"),
        summary: "A model judges the answer.",
        reference: "inspect_ai 0.3.285",
        config: r#"{
            "preset": { "enum": ["qa", "fact"], "default": "qa",
                "description": "Whether the answer is judged by a criterion or against an expert's answer." },
            "template": { "type": "string",
                "description": "Text with {question}, {answer}, {criterion}, {instructions} and the item's fields." },
            "instructions": { "type": "string", "description": "How the judge is told to grade." },
            "grade-pattern": { "type": "string",
                "description": "A regular expression of Python's whose first group is the grade." },
            "include-history": { "type": "boolean", "default": false,
                "description": "Show the judge the conversation rather than its last question." },
            "partial-credit": { "type": "boolean", "default": false, "description": "Offer the grade P, worth a half." },
            "judges": { "type": "integer", "minimum": 1, "maximum": 99, "default": 1 },
            "majority": { "enum": ["strict", "mode"], "default": "strict",
                "description": "Whether more than half of the judges have to agree, or the most common grade counts." },
            "max-tokens": { "type": "integer", "minimum": 1, "default": 2048 },
            "temperature": { "type": ["number", "null"], "default": 0 },
            "seed": { "type": ["integer", "null"], "default": 0, "description": "Each further judge has the next." }
        }"#,
        metrics: &[
            MetricAbout {
                name: "accuracy",
                summary: "Mean worth of the grades.",
                unit: "ratio",
                higher_is_better: Some(true),
            },
            MetricAbout {
                name: "agreement",
                summary: "Share of the judges that gave the grade that counts.",
                unit: "ratio",
                higher_is_better: Some(true),
            },
        ],
        unbounded: false,
        needs_judge: true,
        needs_likelihoods: false,
    };
    type Config = ModelGradedConfig;

    fn new(config: ModelGradedConfig) -> Result<Self, Problem> {
        let bad = |message: String| problem("bad-config", message, "");
        if !(1..=MOST_JUDGES).contains(&config.judges) || config.max_tokens == 0 {
            return Err(bad(format!("`judges` is from 1 to {MOST_JUDGES}, and `max-tokens` at least 1")));
        }
        let preset = match config.preset {
            Preset::Qa => QA,
            Preset::Fact => FACT,
        };
        let template = Template::new(config.template.as_deref().unwrap_or(preset))
            .map_err(|message| bad(format!("`template`: {message}")))?;
        if !template.has("answer") {
            return Err(bad("`template` has no {answer}, so that there is nothing to judge".into()));
        }
        let reading = match (&config.grade_pattern, &config.instructions) {
            (Some(pattern), _) => Reading::own(pattern),
            (None, None) => Reading::offered(config.partial_credit),
            (None, Some(_)) => Reading::letters(),
        };
        let reading = reading.map_err(|error| bad(format!("`grade-pattern`: {error}")))?;
        let instructions = config.instructions.clone().unwrap_or_else(|| instructions(config.partial_credit));
        Ok(Self { config, template, instructions, reading })
    }

    /// Without opinions there is no verdict.
    fn grade(&self, sample: &Sample) -> Grade {
        self.failed("no-opinion", format!("sample `{}` was not put to a judge", sample.id))
    }

    fn questions(&self, sample: &Sample) -> Result<Vec<Generation>, Problem> {
        let criterion = target_texts(sample)?.concat();
        let fields = metadata(sample)?;
        let fixed = [
            ("question", neutral(&self.question(sample))),
            ("answer", neutral(sample.answer.as_deref().unwrap_or_default())),
            ("criterion", neutral(&criterion)),
            ("instructions", self.instructions.clone()),
        ];
        let fixed: Vec<(&str, &str)> = fixed.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let text = self.template.filled(&fixed, &fields).map_err(|name| {
            let known: Vec<&String> = fields.keys().collect();
            let message = format!("the template asks for {{{name}}}, and sample `{}` has no such field", sample.id);
            problem("unknown-field", message, &format!("besides the four of every template there are {known:?}"))
        })?;
        let ask = |judge: u32| Generation {
            prompt: Prompt::Messages(vec![Message {
                role: Role::User,
                content: text.clone(),
                tool_calls: Vec::new(),
                tool_call_id: None,
            }]),
            tools: Vec::new(),
            max_tokens: self.config.max_tokens,
            force_length: false,
            stop: Vec::new(),
            sampling: Sampling {
                temperature: self.config.temperature,
                top_p: None,
                top_k: None,
                seed: self.config.seed.map(|seed| seed.wrapping_add(u64::from(judge))),
            },
            cache: CacheMode::Warm,
            salt: None,
            logprobs: None,
        };
        Ok((0..self.config.judges).map(ask).collect())
    }

    fn conclude(&self, _sample: &Sample, opinions: &[Opinion]) -> Grade {
        let vote = match self.decide(opinions) {
            Ok(vote) => vote,
            Err(grade) => return grade,
        };
        let value = worth(&vote);
        if !(0.0..=1.0).contains(&value) {
            return self.failed("grade-out-of-range", format!("the judge's grade `{vote}` is not between 0 and 1"));
        }
        let agreeing = opinions.iter().filter(|opinion| {
            let text = opinion.answer.as_deref().unwrap_or_default();
            self.reading.vote(text).is_ok_and(|own| own.as_ref() == Some(&vote))
        });
        let agreeing = agreeing.count() as f64 / opinions.len() as f64;
        let first = opinions.iter().find_map(|opinion| opinion.answer.as_deref()).unwrap_or_default();
        Grade::of(value).extracted(vote).explained(first).with("agreement", agreeing)
    }
}
