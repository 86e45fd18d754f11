//! What a model does not take: the interface `driver-rules`, for every driver.
//!
//! A driver leaves out what it knows that a model refuses, a user leaves out or adds any field with `--param omit=…` and
//! `--param extra=…`, and what a server refuses is read from its words. In each case the record says what was left out.

use serde_json::{Map, Value};

use crate::bindings::driver::exports::bench::plugin::driver_rules as wit;
use crate::driver::{Driver, Target};
use crate::params::Common;
use crate::types::{Generation, HttpResponse, Problem};

pub use wit::Adjusted;

/// Fields without which a request is none.
const ESSENTIAL: &[&str] = &["model", "messages", "prompt", "stream", "input", "contents"];

/// Fields that a request can do without, and that servers and models are seen to refuse. Both spellings of a length stand
/// here since the one is replaced by the other.
const OPTIONAL: &[&str] = &[
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "stop",
    "stop_sequences",
    "logprobs",
    "top_logprobs",
    "max_tokens",
    "max_completion_tokens",
    "stream_options",
    "usage",
    "tool_choice",
    "thinking",
    "reasoning",
    "reasoning_effort",
    "service_tier",
    "ignore_eos",
    "min_tokens",
    "cache_salt",
    "cache_prompt",
    "return_token_ids",
    "chat_template_kwargs",
    "perf_metrics_in_response",
    "context_length_exceeded_behavior",
    "prompt_cache_max_len",
    "ttl",
    "truncate",
    "shift",
    "think",
];

/// Names that a sentence may hold as plain words: they count in quotation marks alone.
const PLAIN: &[&str] = &["stop", "usage", "thinking", "reasoning", "truncate", "shift", "think"];

/// Names of a length, the one for the other.
const LENGTHS: [&str; 2] = ["max_tokens", "max_completion_tokens"];

/// The wishes of a generation and the fields that carry them, in the spellings of all protocols here.
const WISHES: &[(&str, &[&str])] = &[
    ("temperature", &["temperature"]),
    ("top-p", &["top_p", "topP"]),
    ("top-k", &["top_k", "topK"]),
    ("seed", &["seed"]),
    ("stop", &["stop", "stop_sequences", "stopSequences"]),
    ("logprobs", &["logprobs", "top_logprobs", "n_probs"]),
];

/// The request for a generation without the fields in `omit`, and what it leaves out.
///
/// # Errors
/// Those of the driver's `encode`.
pub fn adjust<D: Driver>(generation: Generation, target: Target, omit: &[String]) -> Result<Adjusted, Problem> {
    let common = Common::read(&target.params)?;
    let wishes = generation.clone();
    let mut encoded = D::encode(generation, target)?;
    let mut body = serde_json::from_slice::<Map<String, Value>>(&encoded.request.body).ok();
    if let Some(body) = &mut body {
        let before = body.clone();
        change(body, &common, omit);
        if *body != before {
            encoded.request.body = Value::Object(body.clone()).to_string().into_bytes();
            encoded.seeded &= find(body, &["seed"]).is_some();
        }
    }
    let mut left_out = body.map_or_else(Vec::new, |body| missing(&wishes, &body));
    // What the user or the server took out by the name of a field is named even where it is no wish.
    for name in common.omit.iter().chain(omit).filter(|name| !ESSENTIAL.contains(&name.as_str())) {
        let wish =
            WISHES.iter().find(|(_, fields)| fields.contains(&name.as_str())).map_or(name.as_str(), |(wish, _)| wish);
        let is_wish = WISHES.iter().any(|(known, _)| *known == wish);
        if !is_wish && !left_out.iter().any(|known| known == wish) {
            left_out.push(wish.to_owned());
        }
    }
    Ok(Adjusted { encoded, left_out })
}

fn change(body: &mut Map<String, Value>, common: &Common, omit: &[String]) {
    for name in common.omit.iter().chain(omit) {
        if let Some(at) = LENGTHS.iter().position(|length| length == name) {
            let other = LENGTHS[1 - at];
            if let Some(length) = body.remove(name.as_str()) {
                body.entry(other).or_insert(length);
            }
        } else if !ESSENTIAL.contains(&name.as_str()) {
            body.remove(name.as_str());
            if let Some(Value::Object(options)) = body.get_mut("options") {
                options.remove(name.as_str());
            }
        }
    }
    body.extend(common.extra.clone());
}

/// The first of these fields in a body or in its `options`.
fn find<'b>(body: &'b Map<String, Value>, fields: &[&str]) -> Option<&'b Value> {
    let options = body.get("options").and_then(Value::as_object);
    fields.iter().find_map(|field| body.get(*field).or_else(|| options?.get(*field)))
}

/// The wishes that no field of the body carries. Of too many stop texts a driver sends as many as the service takes.
fn missing(generation: &Generation, body: &Map<String, Value>) -> Vec<String> {
    let sampling = &generation.sampling;
    let is_wished = |wish: &str| match wish {
        "temperature" => sampling.temperature.is_some(),
        "top-p" => sampling.top_p.is_some(),
        "top-k" => sampling.top_k.is_some(),
        "seed" => sampling.seed.is_some(),
        "stop" => !generation.stop.is_empty(),
        _ => generation.logprobs.is_some(),
    };
    let is_carried = |wish: &str, fields: &[&str]| match find(body, fields) {
        Some(Value::Array(stops)) if wish == "stop" => stops.len() == generation.stop.len(),
        found => found.is_some(),
    };
    let missing = WISHES.iter().filter(|(wish, fields)| is_wished(wish) && !is_carried(wish, fields));
    missing.map(|(wish, _)| (*wish).to_owned()).collect()
}

/// The fields that a refusal names and that a request can do without.
pub fn refused_fields(body: &[u8]) -> Vec<String> {
    let known = |name: &str| OPTIONAL.contains(&name).then(|| name.to_owned());
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = document.get("error").filter(|error| error.is_object()).unwrap_or(&document);
    if let Some(name) = error.get("param").and_then(Value::as_str).and_then(|name| known(first_name(name))) {
        return vec![name];
    }
    // FastAPI names the place of each field that it refuses.
    let details = document.get("detail").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let places = details.iter().filter_map(|detail| detail.get("loc")?.as_array());
    let named: Vec<String> = places.flatten().filter_map(|part| known(part.as_str()?)).collect();
    if !named.is_empty() {
        return named;
    }
    let text =
        crate::problem::said(body).map_or_else(|| String::from_utf8_lossy(body).into_owned(), |said| said.message);
    let mut found: Vec<String> = Vec::new();
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
        // "Use 'max_completion_tokens' instead" names what to use.
        let is_quoted = || ['\'', '"', '`'].iter().any(|quote| text.contains(&format!("{quote}{word}{quote}")));
        if PLAIN.contains(&word) && !is_quoted() {
            continue;
        }
        let is_advice = LENGTHS.contains(&word) && found.iter().any(|name| LENGTHS.contains(&name.as_str()));
        if let Some(name) = known(word).filter(|name| !found.contains(name) && !is_advice) {
            found.push(name);
        }
    }
    found
}

/// `stop` of `stop[4]` and of `body.stop`.
fn first_name(path: &str) -> &str {
    let path = path.strip_prefix("body.").unwrap_or(path);
    path.split(['[', '.']).next().unwrap_or(path)
}

impl<D: Driver> wit::Guest for D {
    fn adjust(generation: Generation, target: Target, omit: Vec<String>) -> Result<Adjusted, Problem> {
        adjust::<D>(generation, target, &omit)
    }

    fn refused_fields(response: HttpResponse) -> Vec<String> {
        refused_fields(&response.body)
    }
}

#[cfg(test)]
mod tests {
    use super::refused_fields;

    #[test]
    fn fields_are_read_from_every_services_refusal() {
        for (body, names) in [
            (
                r#"{"error":{"message":"Unsupported value: 'temperature' does not support 0 with this model.","param":"temperature"}}"#,
                vec!["temperature"],
            ),
            (
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"`temperature` is deprecated for this model."}}"#,
                vec!["temperature"],
            ),
            (r#"{"error":{"message":"top_k: Extra inputs are not permitted"}}"#, vec!["top_k"]),
            (
                r#"{"detail":[{"type":"extra_forbidden","loc":["body","cache_salt"],"msg":"Extra inputs are not permitted"}]}"#,
                vec!["cache_salt"],
            ),
            (
                r#"{"error":{"message":"Invalid 'stop': array too long.","param":"stop","code":"array_above_max_length"}}"#,
                vec!["stop"],
            ),
            (r#"{"error":{"message":"property 'logprobs' is unsupported"}}"#, vec!["logprobs"]),
            (
                r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."}}"#,
                vec!["max_tokens"],
            ),
            (r#"{"error":{"message":"Unrecognized request argument supplied: seed"}}"#, vec!["seed"]),
            (r#"{"error":{"message":"temperature and top_p cannot both be specified"}}"#, vec!["temperature", "top_p"]),
            (r#"{"error":{"message":"the model is on fire"}}"#, vec![]),
            ("no JSON at all", vec![]),
        ] {
            assert_eq!(refused_fields(body.as_bytes()), names, "{body}");
        }
    }
}
