//! From an item to what the model is asked.

use bench_plugin::types::{CacheMode, Generation, Message, Prompt, Role, Sampling, Tool, ToolCall};
use bench_samples::{MessageRecord, ToolCallRecord};
use bench_suite::{Form, GenerationEntry, Item, Pick, TaskData, TaskEntry, TemplateError};
use serde_json::{Map, Value};

use crate::seed;

/// How a sample begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Opening {
    pub(crate) prompt: Prompt,
    pub(crate) tools: Vec<Tool>,
}

/// A message of plain text.
pub(crate) fn message(role: Role, content: String) -> Message {
    Message { role, content, tool_calls: Vec::new(), tool_call_id: None }
}

/// The prompt of an item in a form. `fields` are those of the item, and those that the host adds.
pub(crate) fn opening(
    task: &TaskEntry,
    data: &TaskData,
    form: &Form,
    item: &Item,
    fields: &Map<String, Value>,
) -> Result<Opening, TemplateError> {
    let examples = examples(task, data, item);
    let entry = &task.template;
    if entry.raw {
        let mut parts = Vec::new();
        for example in examples {
            // Between a question and its answer stands what stands before a continuation.
            parts.push(format!(
                "{}{}{}",
                form.user.render(&example.document)?,
                entry.delimiter,
                data.answer_of(example)?
            ));
        }
        parts.push(form.user.render(fields)?);
        return Ok(Opening { prompt: Prompt::Text(parts.join(&entry.separator)), tools: Vec::new() });
    }
    let mut messages = Vec::new();
    if let Some(system) = &form.system {
        messages.push(message(Role::System, system.render(fields)?));
    }
    for example in examples {
        messages.push(message(Role::User, form.user.render(&example.document)?));
        messages.push(message(Role::Assistant, data.answer_of(example)?));
    }
    messages.push(message(Role::User, form.user.render(fields)?));
    if let Some(prefix) = &form.assistant_prefix {
        messages.push(message(Role::Assistant, prefix.render(fields)?));
    }
    let offered = task.fields.tools.as_ref().filter(|_| form.tools).and_then(|field| item.document.get(field));
    Ok(Opening { prompt: Prompt::Messages(messages), tools: offered.map(tools).unwrap_or_default() })
}

fn examples<'d>(task: &TaskEntry, data: &'d TaskData, item: &Item) -> Vec<&'d Item> {
    let count = task.template.few_shot as usize;
    let others = |example: &&Item| data.examples.is_some() || example.id != item.id;
    let pool: Vec<&Item> = data.examples.as_ref().unwrap_or(&data.items).iter().filter(others).collect();
    match task.template.few_shot_pick {
        Pick::First => pool.into_iter().take(count).collect(),
        Pick::Random => {
            let seed = seed::derive(task.template.seed, &["examples", &item.id]);
            seed::draw(seed, pool.len(), count).into_iter().filter_map(|place| pool.get(place).copied()).collect()
        }
    }
}

/// The tools of an item. Lists differ in how they are written: a function alone, or inside of an object of type `function`.
fn tools(list: &Value) -> Vec<Tool> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let tool = |value: &Value| {
        let function = value.get("function").unwrap_or(value);
        let schema = ["parameters", "input_schema", "inputSchema"].into_iter().find_map(|name| function.get(name));
        let mut schema = schema.cloned().unwrap_or_else(|| serde_json::json!({"type": "object", "properties": {}}));
        to_json_schema(&mut schema);
        Tool {
            name: text(function.get("name")),
            description: text(function.get("description")),
            parameters: schema.to_string(),
        }
    };
    list.as_array().into_iter().flatten().map(tool).collect()
}

/// Some data sets name types as Python does; a backend that checks schemas refuses these.
fn to_json_schema(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(kind)) = fields.get_mut("type") {
                let known = [("dict", "object"), ("float", "number"), ("tuple", "array"), ("any", "string")];
                if let Some((_, name)) = known.iter().find(|(python, _)| python == kind) {
                    *kind = (*name).to_owned();
                }
            }
            fields.values_mut().for_each(to_json_schema);
        }
        Value::Array(list) => list.iter_mut().for_each(to_json_schema),
        _ => {}
    }
}

/// The generation for a prompt. Nothing is salted: a text that differs from run to run would make other answers. Whether a prefix
/// cache may help is decided when it is sent.
pub(crate) fn generation(entry: &GenerationEntry, opening: &Opening, seed: u64) -> Generation {
    Generation {
        prompt: opening.prompt.clone(),
        tools: opening.tools.clone(),
        max_tokens: entry.max_tokens,
        force_length: false,
        stop: entry.stop.clone(),
        sampling: Sampling {
            temperature: Some(entry.temperature),
            top_p: entry.top_p,
            top_k: entry.top_k,
            seed: entry.seed.then_some(seed),
        },
        cache: CacheMode::Warm,
        salt: None,
        logprobs: entry.logprobs,
    }
}

/// A prompt as the log has it.
pub(crate) fn recorded(prompt: &Prompt) -> Vec<MessageRecord> {
    match prompt {
        Prompt::Messages(messages) => messages.iter().map(recorded_message).collect(),
        Prompt::Text(text) | Prompt::Other(text) => vec![MessageRecord::new("user", text.clone())],
    }
}

fn recorded_message(message: &Message) -> MessageRecord {
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    };
    MessageRecord {
        tool_calls: message.tool_calls.iter().map(recorded_call).collect(),
        tool_call_id: message.tool_call_id.clone(),
        ..MessageRecord::new(role, message.content.clone())
    }
}

/// A call as the log has it.
pub(crate) fn recorded_call(call: &ToolCall) -> ToolCallRecord {
    ToolCallRecord { id: call.id.clone(), name: call.name.clone(), arguments: call.arguments.clone() }
}
