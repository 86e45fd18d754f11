//! One form of a task, sample by sample: which items are asked how often, and what of them is asked.

use std::collections::VecDeque;
use std::sync::Arc;

use bench_plugin::types::Prompt;
use bench_samples::{Key, SampleRecord};
use bench_suite::{Corpus, Form, Item, TaskData, TaskEntry, TaskKind, TemplateError};
use serde_json::{Map, Value};

use crate::ask::Unit;
use crate::backend::Backend;
use crate::error::EvalError;
use crate::likelihood::Way;
use crate::needle::{Hiding, haystack};
use crate::policy::Failure;
use crate::prompt;
use crate::script::{Script, Talk};
use crate::seed;

/// One form of a task.
#[derive(Debug)]
pub(crate) struct Sheet<'s> {
    pub(crate) task: &'s TaskEntry,
    pub(crate) data: &'s TaskData,
    pub(crate) form: &'s Form,
    pub(crate) corpus: Option<&'s Arc<Corpus>>,
    /// The run's seed.
    pub(crate) seed: u64,
    /// How to ask for likelihoods, where the task wants them.
    pub(crate) way: Option<Way>,
    pub(crate) model: String,
    /// Name of the log: the task's, and the form's where there are several.
    pub(crate) name: String,
}

/// A sample to come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    item: usize,
    pub(crate) epoch: u32,
    /// Length and depth, where something is hidden.
    hiding: Option<(u64, f64)>,
    pub(crate) id: String,
}

/// The samples of a form: every item once, then every item again. So a run that ends early has asked about as many items as it
/// could.
pub(crate) fn places(
    task: &TaskEntry,
    data: &TaskData,
    limit: Option<u32>,
    repeats: u32,
    room: Option<u64>,
) -> Vec<Place> {
    let items = data.items.iter().enumerate().take(limit.map_or(usize::MAX, |limit| limit as usize));
    let mut once = Vec::new();
    for (item, entry) in items {
        let Some(needle) = &task.needle else {
            once.push(Place { item, epoch: 0, hiding: None, id: entry.id.clone() });
            continue;
        };
        let answer = u64::from(task.generation.max_tokens);
        let fits = |length: &&u64| room.is_none_or(|room| length.saturating_add(answer) <= room);
        for length in needle.lengths.iter().filter(fits) {
            for depth in &needle.depths {
                let id = format!("{}/{length}/{depth}", entry.id);
                once.push(Place { item, epoch: 0, hiding: Some((*length, *depth)), id });
            }
        }
    }
    (0..repeats).flat_map(|epoch| once.iter().map(move |place| Place { epoch, ..place.clone() })).collect()
}

impl Sheet<'_> {
    /// Which sample of the log a place is.
    pub(crate) fn key(&self, place: &Place) -> Key {
        Key { task: self.name.clone(), id: place.id.clone(), epoch: place.epoch }
    }

    fn item(&self, place: &Place) -> Option<&Item> {
        self.data.items.get(place.item)
    }

    /// The item as the log has it.
    pub(crate) fn document(&self, place: &Place) -> Value {
        let mut document = self.item(place).map(|item| item.document.clone()).unwrap_or_default();
        if let Some((length, depth)) = place.hiding {
            document.insert("needle-length".to_owned(), Value::from(length));
            document.insert("needle-depth".to_owned(), Value::from(depth));
        }
        Value::Object(document)
    }

    /// Makes a sample ready to be asked.
    pub(crate) async fn unit<B: Backend>(&self, place: &Place, backend: &mut B) -> Result<Unit, EvalError> {
        let bad = |reason: String| EvalError::Prompt { sample: self.key(place).to_string(), reason };
        let item = self.item(place).ok_or_else(|| bad("there is no such item".to_owned()))?;
        // Formats of a task share their seeds, so that they differ in nothing else.
        let seed = seed::of_sample(self.seed, &self.task.name, &place.id, place.epoch);
        let mut fields = item.document.clone();
        if let Some((length, depth)) = place.hiding {
            let text =
                self.hidden(item, &fields, length, depth, backend).await.map_err(|failure| bad(failure.message))?;
            fields.insert("haystack".to_owned(), Value::String(text));
        }
        let template = |error: TemplateError| bad(error.to_string());
        let opening = prompt::opening(self.task, self.data, self.form, item, &fields).map_err(template)?;
        let recorded = prompt::recorded(&opening.prompt);
        let script = self.script(item, &fields, opening, seed).map_err(template)?;
        let mut record = SampleRecord::new(
            self.name.clone(),
            place.id.clone(),
            place.epoch,
            self.document(place),
            recorded,
            item.target.clone(),
        );
        record.cluster = item.cluster.clone().or_else(|| place.hiding.map(|_| item.id.clone()));
        record.group = item.group.clone().or_else(|| place.hiding.map(|(length, _)| length.to_string()));
        record.seed = self.task.generation.seed.then_some(seed);
        record.model = Some(self.model.clone());
        Ok(Unit::new(record, script, seed))
    }

    fn script(
        &self,
        item: &Item,
        fields: &Map<String, Value>,
        opening: prompt::Opening,
        seed: u64,
    ) -> Result<Script, TemplateError> {
        let generation = prompt::generation(&self.task.generation, &opening, seed);
        let reasoning = self.task.generation.reasoning;
        Ok(match self.task.kind {
            TaskKind::Generate => Script::One { generation: Box::new(generation), reasoning, answer: None },
            TaskKind::Loglikelihood => {
                let context = match opening.prompt {
                    Prompt::Text(text) => text,
                    Prompt::Messages(_) | Prompt::Other(_) => String::new(),
                };
                let field = self.task.fields.choices.as_deref().unwrap_or_default();
                let choices = item.document.get(field).and_then(Value::as_array).into_iter().flatten();
                let continued = |choice: &str| format!("{}{choice}", self.task.template.delimiter);
                let choices = choices.filter_map(Value::as_str).map(continued).collect();
                Script::Likely { way: self.way.unwrap_or(Way::Echo), context, choices, found: Vec::new() }
            }
            TaskKind::Conversation => {
                let own = self.task.fields.turns.as_deref().and_then(|field| item.document.get(field));
                let own = own.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
                let mut turns: VecDeque<String> = own.map(str::to_owned).collect();
                for turn in &self.data.turns {
                    turns.push_back(turn.render(fields)?);
                }
                let user = match &self.data.user {
                    Some((instructions, user)) => Some((instructions.render(fields)?, user.clone())),
                    None => None,
                };
                let messages = match opening.prompt {
                    Prompt::Messages(messages) => messages,
                    Prompt::Text(_) | Prompt::Other(_) => Vec::new(),
                };
                Script::Talk(Box::new(Talk {
                    messages,
                    generation,
                    reasoning,
                    turns: turns.into_iter().rev().collect(),
                    user,
                    grade_all: self.task.conversation.as_ref().is_some_and(|talk| talk.grade_all),
                    user_turns: 0,
                    asks_user: false,
                    over: false,
                    said: Vec::new(),
                }))
            }
        })
    }

    async fn hidden<B: Backend>(
        &self,
        item: &Item,
        fields: &Map<String, Value>,
        length: u64,
        depth: f64,
        backend: &mut B,
    ) -> Result<String, Failure> {
        let failed = |message: String| Failure {
            code: "bad-prompt".to_owned(),
            message,
            hint: None,
            status: None,
            retry_after: None,
        };
        let corpus = self.corpus.ok_or_else(|| failed("the suite has no such corpus".to_owned()))?;
        let needle = self.data.needle.as_ref().map(|needle| needle.render(fields)).transpose();
        let needle = needle.map_err(|error| failed(error.to_string()))?.unwrap_or_default();
        // The same stretch for every depth, another one for every item and length.
        let offset = seed::derive(self.seed, &["haystack", &self.task.name, &item.id, &length.to_string()]);
        let hiding = Hiding { needle: &needle, depth, length, offset };
        let prompt = |text: &str| {
            let mut fields = fields.clone();
            fields.insert("haystack".to_owned(), Value::String(text.to_owned()));
            let opening = prompt::opening(self.task, self.data, self.form, item, &fields);
            let opening = opening.map_err(|error| failed(error.to_string()))?;
            Ok(prompt::generation(&self.task.generation, &opening, 0))
        };
        Ok(haystack(backend, corpus, hiding, prompt).await?.text)
    }
}
