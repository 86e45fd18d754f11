//! What a row becomes: its text, its choices and its reference, and the examples before it.

use serde_json::{Map, Value};

use super::config::{Config, Yaml};
use super::items::LARGEST_PROMPT;
use crate::error::ImportError;
use crate::jinja::Templates;
use crate::literal;
use crate::random::Random;
use bench_samples::python;

/// The seed of lm-eval's examples, where nobody names another one.
const SEED: u32 = 1234;

/// A row of a data set.
pub(super) type Doc = Map<String, Value>;

/// Turns rows into texts by one set of `doc_to_…` keys: those of the task, or those of its examples.
pub(super) struct Words<'c> {
    templates: &'c Templates,
    text: &'c Yaml,
    target: Option<&'c Yaml>,
    choice: Option<&'c Yaml>,
    prefix: Option<String>,
    /// Answers that are digits count as places only where the task itself has choices.
    has_choices: bool,
    pub target_delimiter: String,
    pub few_shot_delimiter: String,
}

impl<'c> Words<'c> {
    /// Those of the task.
    pub fn of_task(config: &'c Config, templates: &'c Templates) -> Result<Self, ImportError> {
        Self::new(config, templates, |key| config.yaml(key), |key| config.text(key))
    }

    /// Those of its examples.
    pub fn of_examples(config: &'c Config, templates: &'c Templates) -> Result<Self, ImportError> {
        let own = |key: &str| {
            config.yaml("fewshot_config").and_then(|given| given.get(key)).filter(|value| **value != Yaml::Null)
        };
        Self::new(
            config,
            templates,
            |key| own(key).or_else(|| config.yaml(key)),
            |key| Ok(config.few_shot(key)?.or(config.text(key)?)),
        )
    }

    fn new(
        config: &'c Config,
        templates: &'c Templates,
        yaml: impl Fn(&str) -> Option<&'c Yaml>,
        text: impl Fn(&str) -> Result<Option<String>, ImportError>,
    ) -> Result<Self, ImportError> {
        let given = |key: &str| yaml(key).filter(|value| **value != Yaml::Null);
        let missing = || ImportError::refused(format!("{}: doc_to_text", config.name), "it is missing");
        Ok(Self {
            templates,
            text: given("doc_to_text").ok_or_else(missing)?,
            target: given("doc_to_target"),
            choice: given("doc_to_choice"),
            prefix: text("gen_prefix")?,
            has_choices: config.yaml("doc_to_choice").is_some_and(|value| *value != Yaml::Null),
            target_delimiter: text("target_delimiter")?.unwrap_or_else(|| " ".to_owned()),
            few_shot_delimiter: text("fewshot_delimiter")?.unwrap_or_else(|| "\n\n".to_owned()),
        })
    }

    fn wrong(key: &str, reason: impl Into<String>) -> ImportError {
        ImportError::Template { key: key.to_owned(), item: None, reason: reason.into() }
    }

    fn rendered(&self, key: &str, template: &str, doc: &Doc) -> Result<String, ImportError> {
        self.templates.render(template, doc).map_err(|reason| Self::wrong(key, reason))
    }

    /// The question.
    pub fn text(&self, doc: &Doc) -> Result<String, ImportError> {
        let key = "doc_to_text";
        match self.text {
            Yaml::Text(name) if doc.contains_key(name) => match doc.get(name) {
                Some(Value::String(text)) => Ok(text.clone()),
                _ => Err(Self::wrong(key, format!("the field `{name}` is no text"))),
            },
            Yaml::Text(template) => {
                let text = self.rendered(key, template, doc)?;
                if self.has_choices && is_digits(&text) {
                    let reason = "it gives the place of a choice; tasks whose choices are prompts are not known here";
                    return Err(Self::wrong(key, reason));
                }
                Ok(text)
            }
            _ => Err(Self::wrong(key, "it is no text")),
        }
    }

    /// The reference: a text, the place of a choice, or a list of these.
    pub fn target(&self, doc: &Doc) -> Result<Value, ImportError> {
        let key = "doc_to_target";
        match self.target {
            None => Err(Self::wrong(key, "it is missing")),
            Some(Yaml::Text(name)) if doc.contains_key(name) => Ok(doc.get(name).cloned().unwrap_or_default()),
            Some(Yaml::Text(template)) => {
                let text = self.rendered(key, template, doc)?;
                if self.has_choices && is_digits(&text) {
                    return text
                        .parse::<u64>()
                        .map(Value::from)
                        .map_err(|_| Self::wrong(key, "the place of a choice is too large"));
                }
                let framed = text.len() >= 2 && text.starts_with('[') && text.ends_with(']');
                Ok(framed.then(|| literal::evaluate(&text)).flatten().unwrap_or(Value::String(text)))
            }
            Some(other) => other.json().map_err(|name| Self::wrong(key, format!("!function {name}"))),
        }
    }

    /// The choices, where the task has some.
    pub fn choices(&self, doc: &Doc) -> Result<Option<Vec<String>>, ImportError> {
        let key = "doc_to_choice";
        let value = match self.choice {
            None => return Ok(None),
            Some(Yaml::Text(name)) if doc.contains_key(name) => doc.get(name).cloned().unwrap_or_default(),
            Some(Yaml::Text(template)) => {
                let text = self.rendered(key, template, doc)?;
                literal::evaluate(&text).ok_or_else(|| Self::wrong(key, format!("{text:.100} is no list in Python")))?
            }
            Some(Yaml::Map(pairs)) => {
                let values = pairs.iter().map(|(_, value)| value.json());
                Value::Array(values.collect::<Result<_, _>>().map_err(|name| Self::wrong(key, name))?)
            }
            Some(other) => other.json().map_err(|name| Self::wrong(key, format!("!function {name}")))?,
        };
        let texts = value.as_array().map(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect());
        let texts: Option<Vec<String>> = texts.flatten();
        texts.map(Some).ok_or_else(|| Self::wrong(key, "it gives no list of texts"))
    }

    /// What the answer is to begin with.
    pub fn prefix(&self, doc: &Doc) -> Result<Option<String>, ImportError> {
        let Some(template) = &self.prefix else { return Ok(None) };
        let text = match doc.get(template) {
            Some(Value::String(text)) => text.clone(),
            _ => self.rendered("gen_prefix", template, doc)?,
        };
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// The text between a question and what follows it, where that is `prefix`.
    pub fn before<'w>(&'w self, question: &str, prefix: &str) -> &'w str {
        if !question.is_empty() && !touches(question, prefix) { &self.target_delimiter } else { "" }
    }

    /// A question with its answer.
    fn example(&self, doc: &Doc) -> Result<String, ImportError> {
        let question = self.text(doc)?;
        let choices = self.choices(doc)?;
        let answer = match (self.target(doc)?, choices) {
            (Value::String(text), _) => text,
            (Value::Number(place), Some(choices)) => {
                let found = place.as_u64().and_then(|place| choices.get(usize::try_from(place).ok()?).cloned());
                found.ok_or_else(|| Self::wrong("doc_to_target", format!("{place} is the place of no choice")))?
            }
            (Value::Array(list), _) => match list.first() {
                Some(Value::String(text)) => text.clone(),
                _ => {
                    return Err(Self::wrong(
                        "doc_to_target",
                        "the answer of an example is a list of something else than texts",
                    ));
                }
            },
            (other, _) => {
                return Err(Self::wrong(
                    "doc_to_target",
                    format!("the answer of an example is {}", python::text(&other)),
                ));
            }
        };
        if answer.is_empty() {
            return Ok(question);
        }
        let prefix = self.prefix(doc)?;
        Ok(match prefix {
            None => format!("{question}{}{answer}{}", self.target_delimiter, self.few_shot_delimiter),
            Some(prefix) => {
                let between = if touches(&prefix, &answer) { "" } else { " " };
                let before = self.before(&question, &prefix);
                format!("{question}{before}{prefix}{between}{answer}{}", self.few_shot_delimiter)
            }
        })
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether there is white space where two texts meet.
fn touches(before: &str, after: &str) -> bool {
    before.ends_with(char::is_whitespace) || after.starts_with(char::is_whitespace)
}

/// The examples of a task.
pub(super) struct Shots {
    pool: Vec<Doc>,
    count: usize,
    draws: Draws,
    /// Items are examples too, and none may be its own.
    excludes_itself: bool,
}

enum Draws {
    First,
    Random(Box<Random>),
}

impl Shots {
    /// The examples of a task; `rows` gives those of a split.
    pub fn new(
        config: &Config,
        count: usize,
        rows: impl FnOnce(&str) -> Result<Vec<Doc>, ImportError>,
    ) -> Result<Self, ImportError> {
        let draws = match config.few_shot("sampler")?.as_deref() {
            None | Some("default") => Draws::Random(Box::new(Random::new(SEED))),
            Some("first_n") => Draws::First,
            Some(other) => {
                let what = format!("{}: fewshot_config.sampler {other}", config.name);
                return Err(ImportError::refused(what, "there are default and first_n"));
            }
        };
        if count == 0 {
            return Ok(Self { pool: Vec::new(), count, draws, excludes_itself: false });
        }
        let split = config.named_split()?;
        let samples = config.yaml("fewshot_config").and_then(|given| given.get("samples"));
        let pool = match samples.filter(|samples| split.is_none() && **samples != Yaml::Null) {
            Some(samples) => match samples.json() {
                Ok(Value::Array(list)) => {
                    let doc = |value: Value| match value {
                        Value::Object(doc) => Ok(doc),
                        _ => Err(ImportError::refused(
                            format!("{}: fewshot_config.samples", config.name),
                            "an example is no mapping",
                        )),
                    };
                    list.into_iter().map(doc).collect::<Result<_, _>>()?
                }
                _ => {
                    return Err(ImportError::refused(
                        format!("{}: fewshot_config.samples", config.name),
                        "it is no list",
                    ));
                }
            },
            None => rows(&config.example_split()?)?,
        };
        // Odd: where neither is named they are the same, too, and one example more is drawn.
        let excludes_itself = split == config.text("test_split")?;
        Ok(Self { pool, count, draws, excludes_itself })
    }

    /// The examples before an item, in one text. Every item has to be asked for, in the order of the data: what is drawn for one
    /// depends on how much was drawn before.
    pub fn before(&mut self, doc: &Doc, words: &Words<'_>) -> Result<String, ImportError> {
        let size = self.pool.len();
        if self.count == 0 {
            return Ok(String::new());
        }
        let others = |places: Vec<usize>, pool: &[Doc]| -> Vec<usize> {
            places.into_iter().filter(|place| pool.get(*place) != Some(doc)).collect()
        };
        let few = || ImportError::Template {
            key: "num_fewshot".to_owned(),
            item: None,
            reason: format!("{} examples are wanted, and there are {size} rows to draw them from", self.count),
        };
        let mut places = match &mut self.draws {
            Draws::First if self.excludes_itself => others((0..size).collect(), &self.pool),
            Draws::First => (0..size).collect(),
            Draws::Random(random) if !self.excludes_itself => random.sample(size, self.count).ok_or_else(few)?,
            Draws::Random(random) => {
                let drawn = others(random.sample(size, self.count + 1).ok_or_else(few)?, &self.pool);
                if drawn.len() >= self.count {
                    drawn
                } else {
                    // The item is there several times.
                    let rest = others((0..size).collect(), &self.pool);
                    let again = random.sample(rest.len(), self.count).ok_or_else(few)?;
                    again.into_iter().filter_map(|place| rest.get(place).copied()).collect()
                }
            }
        };
        places.truncate(self.count);
        if places.len() < self.count {
            return Err(few());
        }
        let mut examples = String::new();
        for example in places.into_iter().filter_map(|place| self.pool.get(place)) {
            examples.push_str(&words.example(example)?);
            if examples.len() > LARGEST_PROMPT {
                let reason = format!("the examples have more than {LARGEST_PROMPT} bytes");
                return Err(ImportError::Template { key: "num_fewshot".to_owned(), item: None, reason });
            }
        }
        Ok(examples)
    }
}
