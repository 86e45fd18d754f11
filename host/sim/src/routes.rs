//! What each address answers.

use serde_json::json;

use crate::config::SimConfig;
use crate::counters::Tally;
use crate::http::{Answer, Incoming, Problem};
use crate::protocol;
use crate::tokenizer::detokenize;

/// What to do with a request.
pub(crate) enum Route {
    /// Answer at once.
    Answer(Answer),
    /// Generate, in the given form.
    Generate {
        /// With messages, or from a raw prompt.
        chat: bool,
    },
}

/// Decides what to do with a request.
pub(crate) fn route(config: &SimConfig, schedule_id: &str, tally: &Tally, incoming: &Incoming) -> Route {
    let answer = match (incoming.method.as_str(), incoming.path.as_str()) {
        (_, path) if path.starts_with("/v1/") && !authorized(config, incoming) => Err(Problem::new(
            401,
            "authentication_error",
            Some("invalid_api_key"),
            "Incorrect API key provided.".to_owned(),
        )),
        ("POST", "/v1/chat/completions") => return Route::Generate { chat: true },
        ("POST", "/v1/completions") => return Route::Generate { chat: false },
        ("POST", "/tokenize") => tokenize(config, &incoming.body),
        ("POST", "/detokenize") => {
            protocol::to_detokenize(&incoming.body).map(|text| Answer::json(&json!({ "prompt": text })))
        }
        ("GET", "/v1/models") => Ok(models(config)),
        ("GET", "/metrics") => Ok(Answer::text(200, "text/plain; version=0.0.4; charset=utf-8", tally.prometheus())),
        ("GET", "/health") => Ok(Answer::json(&json!({"status": "ok"}))),
        ("GET", "/version") => Ok(Answer::json(&json!({"version": version()}))),
        ("GET", "/bench-sim/config") => Ok(Answer::json(&json!({
            "schedule_id": schedule_id,
            "version": version(),
            "clock": "CLOCK_MONOTONIC",
            "config": config.published(),
        }))),
        (_, path) if KNOWN.contains(&path) => {
            Err(Problem::new(405, "BadRequestError", None, format!("{path} does not take {}", incoming.method)))
        }
        (_, path) => Err(Problem::new(404, "NotFoundError", None, format!("there is nothing at {path}"))),
    };
    Route::Answer(answer.unwrap_or_else(Answer::from))
}

const KNOWN: [&str; 9] = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/models",
    "/tokenize",
    "/detokenize",
    "/metrics",
    "/health",
    "/version",
    "/bench-sim/config",
];

fn version() -> String {
    format!("bench-sim {}", env!("CARGO_PKG_VERSION"))
}

fn authorized(config: &SimConfig, incoming: &Incoming) -> bool {
    let given = incoming.authorization.as_deref().and_then(|value| value.strip_prefix("Bearer "));
    config.api_key.as_deref().is_none_or(|key| given == Some(key))
}

fn models(config: &SimConfig) -> Answer {
    let models: Vec<_> = config
        .models
        .iter()
        .map(|name| {
            json!({
                "id": name,
                "object": "model",
                "created": 0,
                "owned_by": "bench-sim",
                "root": name,
                "parent": null,
                "max_model_len": config.context_length,
            })
        })
        .collect();
    Answer::json(&json!({"object": "list", "data": models}))
}

fn tokenize(config: &SimConfig, body: &[u8]) -> Result<Answer, Problem> {
    let tokens = protocol::to_tokenize(config, body)?;
    let texts: Vec<String> = tokens.iter().map(|id| detokenize(&[*id]).unwrap_or_default()).collect();
    Ok(Answer::json(&json!({
        "count": tokens.len(),
        "max_model_len": config.context_length,
        "tokens": tokens,
        "token_strs": texts,
    })))
}
