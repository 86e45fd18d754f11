//! What a vLLM server says of itself.

use bench_sdk::driver::{Backend, Probe};
use bench_sdk::openai::Api;
use bench_sdk::prometheus;
use bench_sdk::recognise::{Answers, get_probe, models, number, text};
use serde_json::json;

/// The model list names vLLM as the owner; `/version` has the version, and `/metrics` the configuration of the cache.
pub fn probes(api: &Api) -> Vec<Probe> {
    vec![
        get_probe("models", api.models, api.auth()),
        get_probe("version", "/version", api.auth()),
        get_probe("metrics", "/metrics", api.auth()),
        Probe::Binary("vllm".to_owned()),
    ]
}

/// The owner is a sure sign. A server that hides its models behind another name still has vLLM's metrics.
pub fn recognise(answers: Answers<'_>) -> Option<Backend> {
    let list = answers.json("models");
    let owned = list.as_ref().is_some_and(|list| list.pointer("/data/0/owned_by") == Some(&json!("vllm")));
    let metrics = answers.response("metrics").filter(|answer| answer.status == 200);
    let measured =
        metrics.is_some_and(|answer| prometheus::samples(&answer.body).any(|sample| sample.name.starts_with("vllm:")));
    let confidence = match (owned, measured) {
        (true, true) => 98,
        (true, false) => 92,
        (false, true) => 85,
        (false, false) => return None,
    };
    let models = list.and_then(|list| {
        models(&list, |entry, model| {
            model.context_length = number(entry, "/max_model_len");
            model.path = text(entry, "/root").filter(|root| *root != model.id);
        })
    });
    let version = answers.json("version").and_then(|document| text(&document, "/version"));
    Some(Backend {
        name: "vllm".to_owned(),
        version,
        build: metrics.map(|answer| cache_configuration(&answer.body)).unwrap_or_default(),
        models: models.unwrap_or_default(),
        slots: None,
        confidence,
        extra: answers.binary("vllm").map(|path| json!({"program": path}).to_string()),
    })
}

/// The labels of `vllm:cache_config_info` that matter to a measurement, as `key=value`.
fn cache_configuration(metrics: &[u8]) -> Vec<String> {
    const KEPT: [&str; 5] =
        ["block_size", "cache_dtype", "enable_prefix_caching", "gpu_memory_utilization", "num_gpu_blocks"];
    let info = prometheus::samples(metrics).find(|sample| sample.name == "vllm:cache_config_info");
    let labels = info.map(|sample| sample.labels).unwrap_or_default();
    let pairs = labels.split("\",").filter_map(|pair| pair.split_once("=\""));
    let kept = pairs.filter(|(key, _)| KEPT.contains(key));
    kept.map(|(key, value)| format!("{key}={}", value.trim_end_matches('"'))).collect()
}
