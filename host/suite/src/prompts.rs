//! What a task asks, ready to be asked: its items, its examples and its templates, all of them known to fit together.

use serde_json::{Map, Value};

use crate::data::{Item, Items};
use crate::task::{TaskEntry, UserEntry};
use crate::{SuiteError, Template, TemplateError};

/// What a task asks. Every template is known to fit every item.
#[derive(Debug, Clone)]
pub struct TaskData {
    /// In the order of the data.
    pub items: Vec<Item>,
    /// Items of the file that the split or the dates leave out.
    pub left_out: usize,
    /// The examples to choose from, where they come from a file of their own; else they are items.
    pub examples: Option<Vec<Item>>,
    /// The answer of an example.
    pub example_answer: Option<Template>,
    /// How the items are asked: one form, or several to compare.
    pub forms: Vec<Form>,
    /// What the user says after the first turn.
    pub turns: Vec<Template>,
    /// Who the user is, where a model plays it.
    pub user: Option<(Template, UserEntry)>,
    /// What is hidden in a text.
    pub needle: Option<Template>,
}

/// A way of asking an item.
#[derive(Debug, Clone)]
pub struct Form {
    /// Its name, where there are several.
    pub name: Option<String>,
    /// The system message.
    pub system: Option<Template>,
    /// The user's message.
    pub user: Template,
    /// How the answer begins.
    pub assistant_prefix: Option<Template>,
    /// The item's tools are offered through the backend's own interface.
    pub tools: bool,
    /// Configuration of the scorer.
    pub config: Map<String, Value>,
}

impl TaskData {
    pub(crate) fn new(task: &TaskEntry, items: Items, examples: Option<Vec<Item>>) -> Result<Self, SuiteError> {
        let refused = |key: &str, item: Option<&Item>, error| SuiteError::Template {
            task: task.name.clone(),
            key: key.to_owned(),
            item: item.map(|item| item.id.clone()),
            error,
        };
        let parse = |key: &str, text: &str| Template::parse(text).map_err(|error| refused(key, None, error));
        let optional = |key: &str, text: Option<&String>| text.map(|text| parse(key, text)).transpose();
        let entry = &task.template;
        let talk = task.conversation.as_ref();
        let data = Self {
            forms: forms(task, &parse)?,
            turns: talk
                .iter()
                .flat_map(|talk| &talk.turns)
                .map(|text| parse("conversation.turns", text))
                .collect::<Result<_, _>>()?,
            user: match talk.and_then(|talk| talk.user.as_ref()) {
                Some(user) => Some((parse("conversation.user.instructions", &user.instructions)?, user.clone())),
                None => None,
            },
            needle: optional("needle.text", task.needle.as_ref().map(|needle| &needle.text))?,
            example_answer: optional("template.few-shot-answer", entry.few_shot_answer.as_ref())?,
            items: items.items,
            left_out: items.left_out,
            examples,
        };
        for item in &data.items {
            data.fits(item, task).map_err(|(key, error)| refused(key, Some(item), error))?;
        }
        if entry.few_shot > 0 {
            for item in data.examples.as_ref().unwrap_or(&data.items) {
                data.answer_of(item).map_err(|error| refused("template.few-shot-answer", Some(item), error))?;
            }
        }
        Ok(data)
    }

    /// The answer of an example: by its template, or its target.
    ///
    /// # Errors
    /// A field that the item does not have.
    pub fn answer_of(&self, example: &Item) -> Result<String, TemplateError> {
        match (&self.example_answer, &example.target) {
            (Some(template), _) => template.render(&example.document),
            (None, Value::String(text)) => Ok(text.clone()),
            (None, other) => Ok(other.to_string()),
        }
    }

    fn fits(&self, item: &Item, task: &TaskEntry) -> Result<(), (&'static str, TemplateError)> {
        let mut fields = item.document.clone();
        if task.needle.is_some() {
            fields.insert("haystack".to_owned(), Value::String(String::new()));
        }
        let check = |key: &'static str, template: Option<&Template>| {
            template.map_or(Ok(()), |template| template.render(&fields).map(drop).map_err(|error| (key, error)))
        };
        for form in &self.forms {
            check("template.user", Some(&form.user))?;
            check("template.system", form.system.as_ref())?;
            check("template.assistant-prefix", form.assistant_prefix.as_ref())?;
        }
        for turn in &self.turns {
            check("conversation.turns", Some(turn))?;
        }
        check("conversation.user.instructions", self.user.as_ref().map(|(template, _)| template))?;
        check("needle.text", self.needle.as_ref())
    }
}

fn forms(
    task: &TaskEntry,
    parse: &impl Fn(&str, &str) -> Result<Template, SuiteError>,
) -> Result<Vec<Form>, SuiteError> {
    let entry = &task.template;
    let one = |key: &str, own: Option<&String>, general: Option<&String>| {
        own.or(general).map(|text| parse(key, text)).transpose()
    };
    let plain = || -> Result<Form, SuiteError> {
        Ok(Form {
            name: None,
            system: one("template.system", None, entry.system.as_ref())?,
            user: parse("template.user", &entry.user)?,
            assistant_prefix: one("template.assistant-prefix", None, entry.assistant_prefix.as_ref())?,
            tools: true,
            config: task.scorer.config.clone(),
        })
    };
    if task.formats.is_empty() {
        return Ok(vec![plain()?]);
    }
    let form = |format: &crate::task::FormatEntry| -> Result<Form, SuiteError> {
        let mut config = task.scorer.config.clone();
        config.extend(format.config.clone());
        Ok(Form {
            name: Some(format.name.clone()),
            system: one("formats.system", format.system.as_ref(), entry.system.as_ref())?,
            user: match &format.user {
                Some(user) => parse("formats.user", user)?,
                None => parse("template.user", &entry.user)?,
            },
            assistant_prefix: one(
                "formats.assistant-prefix",
                format.assistant_prefix.as_ref(),
                entry.assistant_prefix.as_ref(),
            )?,
            tools: format.tools,
            config,
        })
    };
    task.formats.iter().map(form).collect()
}
