//! What an Ollama server says about itself: its version, the models it has, and those that are loaded.

use bench_sdk::driver::{Backend, Model, Probe, ProbeAnswer};
use bench_sdk::recognise::{Answers, get_probe, model, number, text};
use serde_json::{Map, Value, json};

/// What Ollama answers at `/`.
const GREETING: &[u8] = b"Ollama is running";

/// Most models that are taken from a list.
const MOST: usize = 2000;

/// What to look at. Nothing here loads a model.
pub fn probes() -> Vec<Probe> {
    vec![
        get_probe("version", "/api/version", Vec::new()),
        get_probe("tags", "/api/tags", Vec::new()),
        get_probe("ps", "/api/ps", Vec::new()),
        get_probe("root", "/", Vec::new()),
        Probe::Binary("ollama".into()),
        Probe::Environment("OLLAMA_HOST".into()),
    ]
}

/// The server, if it is one. Other servers imitate `/api/tags`, few the greeting too, so it decides how sure this is.
pub fn recognise(answers: &[ProbeAnswer]) -> Option<Backend> {
    let answers = Answers(answers);
    let greeted = answers.response("root").is_some_and(|answer| answer.body.trim_ascii() == GREETING);
    let version = answers.json("version").and_then(|document| text(&document, "/version"));
    let tags = answers.json("tags")?;
    let list = tags.get("models")?.as_array()?;
    if !greeted && version.is_none() {
        return None;
    }
    let loaded = answers.json("ps").unwrap_or_default();
    let loaded = loaded.get("models").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let models: Vec<Model> = list.iter().take(MOST).filter_map(|entry| one(entry, loaded)).collect();

    let mut extra = Map::new();
    for entry in loaded.iter().take(MOST) {
        if let Some(name) = text(entry, "/model").or_else(|| text(entry, "/name")) {
            let facts = ["size", "size_vram", "expires_at", "context_length"];
            let facts: Map<String, Value> =
                facts.iter().filter_map(|fact| Some(((*fact).to_owned(), entry.get(fact)?.clone()))).collect();
            extra.insert(name, Value::Object(facts));
        }
    }
    Some(Backend {
        name: "ollama".into(),
        version,
        build: Vec::new(),
        models,
        slots: None,
        confidence: if greeted { 95 } else { 60 },
        extra: (!extra.is_empty()).then(|| json!({ "loaded": extra }).to_string()),
    })
}

fn one(entry: &Value, loaded: &[Value]) -> Option<Model> {
    let id = text(entry, "/model").or_else(|| text(entry, "/name"))?;
    let running =
        loaded.iter().find(|other| text(other, "/model").or_else(|| text(other, "/name")).as_ref() == Some(&id));
    Some(Model {
        // Only a loaded model has a context: the length that was allocated for it, not the one it was trained with.
        context_length: running.and_then(|running| number(running, "/context_length")),
        quantization: text(entry, "/details/quantization_level"),
        digest: text(entry, "/digest").map(
            |digest| {
                if digest.contains(':') { digest } else { format!("sha256:{digest}") }
            },
        ),
        parameters: text(entry, "/details/parameter_size").and_then(|size| parameters(&size)),
        ..model(id)
    })
}

/// `8.0B`, `567M` and the like as a number.
fn parameters(size: &str) -> Option<u64> {
    let (number, unit) = match size.trim().char_indices().next_back()? {
        (at, 'T' | 't') => (size.trim().get(..at)?, 1e12),
        (at, 'B' | 'b') => (size.trim().get(..at)?, 1e9),
        (at, 'M' | 'm') => (size.trim().get(..at)?, 1e6),
        (at, 'K' | 'k') => (size.trim().get(..at)?, 1e3),
        _ => (size.trim(), 1.0),
    };
    let count = number.trim().parse::<f64>().ok()? * unit;
    (count.is_finite() && (0.0..1e16).contains(&count)).then_some(count.round() as u64)
}
