//! What llama-server says of itself.

use bench_sdk::driver::{Backend, Probe};
use bench_sdk::openai::Api;
use bench_sdk::recognise::{Answers, get_probe, models, number, text};
use serde_json::{Value, json};

/// `/props` is its own; the model list and the program are for what it leaves out.
pub fn probes(api: &Api) -> Vec<Probe> {
    vec![
        get_probe("props", "/props", api.auth()),
        get_probe("models", api.models, api.auth()),
        Probe::Binary("llama-server".to_owned()),
    ]
}

/// `Server: llama.cpp` stands in every answer of recent versions; older ones are known by the fields of `/props`.
pub fn recognise(answers: Answers<'_>) -> Option<Backend> {
    let named =
        ["props", "models"].iter().any(|id| answers.header(id, "server").is_some_and(|name| name == "llama.cpp"));
    let props = answers.json("props").filter(|props| props.get("default_generation_settings").is_some());
    let list = answers.json("models");
    let owned = list.as_ref().is_some_and(|list| list.pointer("/data/0/owned_by") == Some(&json!("llamacpp")));
    let confidence = match (&props, named || owned) {
        (Some(_), true) => 98,
        (Some(_), false) => 90,
        (None, true) => 85,
        (None, false) => return None,
    };
    let props = props.unwrap_or_default();
    // A router of several models has no context, path or slots of its own, and says 0 and `none`.
    let is_router = text(&props, "/role").as_deref() == Some("router");
    let own = |pointer: &str| number(&props, pointer).filter(|count| *count > 0);
    let context = own("/default_generation_settings/n_ctx").filter(|_| !is_router);
    let path = text(&props, "/model_path").filter(|_| !is_router);
    let mut models = list.as_ref().and_then(|list| {
        models(list, |entry, model| {
            model.context_length = context.or_else(|| number(entry, "/meta/n_ctx").filter(|tokens| *tokens > 0));
            model.quantization = text(&props, "/model_ftype").or_else(|| text(entry, "/meta/ftype")).map(short);
            model.path = path.clone().or_else(|| text(entry, "/path"));
            model.parameters = number(entry, "/meta/n_params");
        })
    });
    // Asking a router for another model than a loaded one loads it, and perhaps unloads one that somebody uses.
    if let (Some(models), Some(list)) = (&mut models, &list) {
        let loaded = loaded_ids(list);
        models.sort_by_key(|model| !loaded.contains(&model.id.as_str()));
    }
    if models.as_ref().is_none_or(Vec::is_empty) {
        models = text(&props, "/model_alias").or_else(|| path.clone()).map(|id| {
            let mut model = bench_sdk::recognise::model(id);
            model.context_length = context;
            model.path.clone_from(&path);
            model.quantization = text(&props, "/model_ftype").map(short);
            vec![model]
        });
    }
    let version = text(&props, "/build_info");
    let mut build: Vec<String> = version.iter().map(|info| format!("build_info={info}")).collect();
    for name in ["total_slots", "endpoint_slots", "endpoint_metrics"] {
        build.extend(props.get(name).filter(|value| !value.is_null()).map(|value| format!("{name}={value}")));
    }
    build.extend(context.map(|context| format!("n_ctx_per_slot={context}")));
    let program = answers.binary("llama-server").map(|path| json!({"program": path}).to_string());
    Some(Backend {
        name: "llama.cpp".to_owned(),
        version,
        build,
        models: models.unwrap_or_default(),
        slots: own("/total_slots").and_then(|slots| u32::try_from(slots).ok()),
        confidence,
        extra: program,
    })
}

/// The models of a router that are in memory.
fn loaded_ids(list: &Value) -> Vec<&str> {
    let entries = list.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let loaded =
        entries.iter().filter(|entry| entry.pointer("/status/value").and_then(Value::as_str) == Some("loaded"));
    loaded.filter_map(|entry| entry.get("id")?.as_str()).collect()
}

/// `Q4_K - Medium` as the server says is `Q4_K_M` as everybody writes.
fn short(name: String) -> String {
    match name.rsplit_once(" - ") {
        Some((base, "Small")) => format!("{base}_S"),
        Some((base, "Medium")) => format!("{base}_M"),
        Some((base, "Large")) => format!("{base}_L"),
        _ => name,
    }
}
