//! What is graded: a scorer, the same rules as native code, and samples as a model might have answered them.

use bench_plugin::{scorer_types, types};
use bench_scoring::bench_sdk::scorer::GradeTask as _;
use bench_scoring::bench_sdk::types::Role;
use bench_scoring::{FinishReason, Hosted, Message, Sample, Scorer, Verdict};
use serde_json::{Value, json};

/// A scorer as native code.
pub type Native = Box<dyn Fn(Vec<Sample>) -> Vec<Verdict>>;

/// A scorer, its native twin and its samples.
pub struct Task {
    /// Of the component.
    pub name: &'static str,
    pub config: &'static str,
    pub twin: fn(&str) -> Result<Native, String>,
    /// The sample of a number; every third answer is right.
    pub item: fn(usize) -> Item,
}

/// What differs between the samples of a task.
pub struct Item {
    prompt: String,
    target: Value,
    answer: String,
    metadata: Value,
}

pub const TASKS: &[Task] = &[
    Task { name: "exact-match", config: "{}", twin: twin::<rules_text::ExactMatch>, item: short },
    Task { name: "exact-match", config: "{}", twin: twin::<rules_text::ExactMatch>, item: long },
    Task { name: "gsm8k", config: "{}", twin: twin::<rules_text::Gsm8k>, item: gsm8k },
    Task { name: "gpqa", config: "{}", twin: twin::<rules_text::Gpqa>, item: gpqa },
    Task { name: "squad", config: "{}", twin: twin::<rules_qa::Squad>, item: squad },
    Task { name: "ifeval", config: "{}", twin: twin::<rules_ifeval::IfEval>, item: ifeval },
    Task {
        name: "function-call",
        config: r#"{"category":"simple"}"#,
        twin: twin::<rules_calls::FunctionCall>,
        item: call,
    },
    Task { name: "json-schema", config: "{}", twin: twin::<rules_structure::JsonSchema>, item: structure },
];

fn twin<S: Scorer>(config: &str) -> Result<Native, String> {
    let task = Hosted::<S>::open(config).map_err(|problem| problem.message)?;
    Ok(Box::new(move |samples| task.score(samples)))
}

impl Item {
    /// As the host knows it.
    pub fn host(self, number: usize) -> scorer_types::Sample {
        let (role, content) = (types::Role::User, self.prompt);
        scorer_types::Sample {
            id: format!("item-{number:06}"),
            epoch: 0,
            prompt: vec![types::Message { role, content, tool_calls: Vec::new(), tool_call_id: None }],
            target: self.target.to_string(),
            answer: Some(self.answer),
            reasoning: None,
            tool_calls: Vec::new(),
            finish: Some(types::FinishReason::Stop),
            likelihoods: Vec::new(),
            metadata: self.metadata.to_string(),
        }
    }

    /// As the guest knows it.
    pub fn guest(self, number: usize) -> Sample {
        let (role, content) = (Role::User, self.prompt);
        Sample {
            id: format!("item-{number:06}"),
            epoch: 0,
            prompt: vec![Message { role, content, tool_calls: Vec::new(), tool_call_id: None }],
            target: self.target.to_string(),
            answer: Some(self.answer),
            reasoning: None,
            tool_calls: Vec::new(),
            finish: Some(FinishReason::Stop),
            likelihoods: Vec::new(),
            metadata: self.metadata.to_string(),
        }
    }
}

const WORDS: [&str; 24] = [
    "the", "garden", "was", "quiet", "under", "snow", "and", "a", "small", "bird", "sang", "near", "old", "walls",
    "while", "water", "froze", "slowly", "in", "stone", "bowls", "that", "nobody", "moved",
];

/// Prose of so many words, another one for each seed.
fn prose(words: usize, seed: usize) -> String {
    let mut text = String::with_capacity(words * 7);
    for at in 0..words {
        let word = WORDS[(at * 7 + seed * 13 + at / 5) % WORDS.len()];
        text += if at == 0 {
            ""
        } else if at % 12 == 0 {
            ". "
        } else {
            " "
        };
        text += word;
    }
    text + "."
}

/// The right number, or another one.
fn said(number: usize, right: usize) -> usize {
    if number.is_multiple_of(3) { right } else { right + 1 }
}

fn item(prompt: String, target: Value, answer: String, metadata: Value) -> Item {
    Item { prompt, target, answer, metadata }
}

fn short(number: usize) -> Item {
    let right = number * 37;
    item(prose(35, number), json!(right.to_string()), said(number, right).to_string(), json!({}))
}

fn long(number: usize) -> Item {
    item(prose(250, number), json!(prose(100, number)), prose(100, said(number, number)), json!({}))
}

fn gsm8k(number: usize) -> Item {
    let right = number % 900 + 10;
    let said = said(number, right);
    let steps = format!("First, {} costs $3.50 each, so 4 of them cost 4 * 3.50 = $14.", prose(12, number));
    let answer = format!("{steps} {} Then {} + 14 = {said}.\n#### {said}", prose(40, number), said - 14);
    item(prose(50, number), json!(format!("{steps}\n#### {right}")), answer, json!({}))
}

fn gpqa(number: usize) -> Item {
    let letter = |number: usize| ["(A)", "(B)", "(C)", "(D)"][number % 4];
    let choices: Vec<String> = (0..4).map(|choice| prose(6, number + choice)).collect();
    let answer = format!("{} The answer is {}.", prose(120, number), letter(said(number, number)));
    item(prose(90, number), json!(letter(number)), answer, json!({ "choices": choices }))
}

fn squad(number: usize) -> Item {
    let right = prose(4, number);
    let target = json!([right, format!("The {right}"), prose(2, number)]);
    item(prose(130, number), target, prose(4, said(number, number)), json!({}))
}

fn ifeval(number: usize) -> Item {
    let kinds = ["punctuation:no_comma", "length_constraints:number_words", "keywords:existence"];
    let kwargs =
        json!([{}, { "relation": "at least", "num_words": 100 + number % 80 }, { "keywords": ["snow", "bird"] }]);
    let metadata =
        json!({ "key": number, "prompt": prose(30, number), "instruction_id_list": kinds, "kwargs": kwargs });
    item(prose(30, number), json!(null), prose(150, number), metadata)
}

fn call(number: usize) -> Item {
    let properties = json!({
        "city": { "type": "string", "description": "Where, such as Oslo." },
        "days": { "type": "integer", "description": "How many days to look ahead." },
        "unit": { "type": "string", "enum": ["celsius", "fahrenheit"], "description": "Of temperatures." },
    });
    let parameters = json!({ "type": "dict", "properties": properties, "required": ["city", "days"] });
    let function = json!([{ "name": "get_forecast", "description": "Forecast of a city.", "parameters": parameters }]);
    let days = number % 14 + 1;
    let target =
        json!([{ "get_forecast": { "city": ["Oslo", "Oslo, Norway"], "days": [days], "unit": ["celsius", ""] } }]);
    let answer = format!("[get_forecast(city='Oslo', days={}, unit=\"celsius\")]", said(number, days));
    item(prose(30, number), target, answer, json!({ "function": function }))
}

fn structure(number: usize) -> Item {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "age": { "type": "integer", "minimum": 0 },
            "towns": { "type": "array", "items": { "type": "string" }, "maxItems": 4 },
        },
        "required": ["name", "age", "towns"],
        "additionalProperties": false,
    });
    let age = if number.is_multiple_of(3) { json!(number % 90) } else { json!("unknown") };
    let answer = json!({ "name": prose(2, number), "age": age, "towns": ["Brook", "Vale"] });
    item(prose(40, number), json!(null), answer.to_string(), json!({ "schema": schema }))
}
