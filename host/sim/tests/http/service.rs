//! The addresses around generation: models, tokenizer, metrics, health, configuration.

use bench_sim::tokenizer::{GENERATION_OVERHEAD, MESSAGE_OVERHEAD};
use bench_sim::{SimConfig, now_ns};
use serde_json::json;

use crate::client::{Client, End, quick, start};

#[test]
fn models_are_listed_with_their_context() {
    let sim = start(SimConfig { models: vec!["a".to_owned(), "b/c".to_owned()], ..quick() });
    let models = Client::connect(sim.addr()).get("/v1/models").json();
    let ids: Vec<&str> = models["data"].as_array().unwrap().iter().filter_map(|model| model["id"].as_str()).collect();
    assert_eq!(ids, ["a", "b/c"]);
    assert_eq!(models["data"][0]["max_model_len"], 131_072);
}

#[test]
fn an_unknown_model_is_not_found() {
    let sim = start(quick());
    let reply = Client::connect(sim.addr()).chat(2, json!({"model": "other"}));
    assert_eq!(reply.status, 404);
    assert_eq!(reply.json()["error"]["code"], "model_not_found");
}

#[test]
fn the_tokenizer_counts_what_generation_bills() {
    let sim = start(quick());
    let mut client = Client::connect(sim.addr());
    let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {}}}]);
    let messages = json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "How many "}, {"type": "text", "text": "apples?"}]},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "x", "type": "function"}]},
        {"role": "tool", "content": "3", "tool_call_id": "x"},
    ]);
    let counted = client.post("/tokenize", &json!({"messages": messages, "tools": tools})).json();
    let answer = client.chat(2, json!({"messages": messages, "tools": tools, "stream": false})).json();
    assert_eq!(counted["count"], answer["usage"]["prompt_tokens"]);
    assert_eq!(counted["tokens"].as_array().unwrap().len(), counted["token_strs"].as_array().unwrap().len());
    assert_eq!(counted["max_model_len"], 131_072);

    let counted = client.post("/tokenize", &json!({"prompt": "one two three"})).json();
    let ask = |client: &mut Client, prompt| {
        let body = json!({"prompt": prompt, "max_tokens": 1});
        client.post("/v1/completions", &body).json()["usage"]["prompt_tokens"].clone()
    };
    assert_eq!(counted["count"], 3);
    assert_eq!(ask(&mut client, json!("one two three")), 3);
    assert_eq!(ask(&mut client, counted["tokens"].clone()), 3);
    let one = client.post("/tokenize", &json!({"messages": [{"role": "user", "content": "hello"}]})).json();
    assert_eq!(one["count"], 1 + MESSAGE_OVERHEAD + GENERATION_OVERHEAD);
}

#[test]
fn a_prompt_fills_the_context_to_the_last_token_and_not_beyond() {
    let sim = start(SimConfig { context_length: 20, ..quick() });
    let mut client = Client::connect(sim.addr());
    let mut ask =
        |max: u32| client.post("/v1/completions", &json!({"prompt": "a b c d e f g h i j", "max_tokens": max}));
    assert_eq!(ask(10).json()["usage"]["total_tokens"], 20);
    let refused = ask(11);
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["error"]["code"], "context_length_exceeded");
}

#[test]
fn metrics_count_tokens_and_cache_hits() {
    let sim = start(quick());
    let mut client = Client::connect(sim.addr());
    let messages = json!([{"role": "user", "content": "word ".repeat(64)}]);
    let prompt = client.chat(4, json!({"messages": messages, "stream": false})).json()["usage"]["prompt_tokens"]
        .as_u64()
        .unwrap();
    client.chat(4, json!({"messages": messages, "stream": false}));
    let text = client.get("/metrics").text();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("benchsim:{name} "))).unwrap();
        line.parse::<u64>().unwrap()
    };
    assert_eq!(value("requests_total"), 2);
    assert_eq!(value("prompt_tokens_total"), 2 * prompt);
    assert_eq!(value("prefix_cache_queries_total"), 2 * prompt);
    assert_eq!(value("prefix_cache_hits_total"), (prompt - 1) / 16 * 16);
}

#[test]
fn the_configuration_is_shown_without_the_key() {
    let sim = start(SimConfig { api_key: Some("s3cret".to_owned()), ..quick() });
    let reply = Client::connect(sim.addr()).get("/bench-sim/config");
    assert!(!reply.text().contains("s3cret"));
    assert_eq!(reply.json()["schedule_id"], sim.schedule_id());
    assert_eq!(reply.json()["config"]["gap_us"], 500);
}

#[test]
fn a_key_is_asked_for_where_one_is_set() {
    let sim = start(SimConfig { api_key: Some("s3cret".to_owned()), ..quick() });
    let mut client = Client::connect(sim.addr());
    assert_eq!(client.get("/v1/models").status, 401);
    assert_eq!(client.get("/health").status, 200);
    client.send("GET", "/v1/models", "authorization: Bearer wrong\r\n", "");
    assert_eq!(client.reply().status, 401);
    client.send("GET", "/v1/models", "authorization: Bearer s3cret\r\n", "");
    assert_eq!(client.reply().status, 200);
}

#[test]
fn unknown_addresses_and_methods_are_refused() {
    let sim = start(quick());
    let mut client = Client::connect(sim.addr());
    assert_eq!(client.get("/nothing").status, 404);
    assert_eq!(client.get("/v1/chat/completions?x=1").status, 405);
    assert_eq!(client.get("/version").status, 200);
}

#[tokio::test]
async fn stopping_cuts_connections_and_frees_the_port() {
    let sim = start(SimConfig { ttft_us: 3_600_000_000, ..quick() });
    let address = sim.addr();
    let mut client = Client::connect(address);
    client.send("POST", "/v1/chat/completions", "", &crate::client::chat(2, json!({})).to_string());
    while sim.counters().running == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    sim.shutdown().await;
    let reply = tokio::task::spawn_blocking(move || client.reply()).await.unwrap();
    assert_eq!(reply.end, End::Closed);
    drop(std::net::TcpListener::bind(address).unwrap());
}

#[test]
fn engines_side_by_side_keep_to_themselves() {
    let (one, two) = (start(quick()), start(quick()));
    assert_eq!(Client::connect(one.addr()).chat(2, json!({})).status, 200);
    assert_eq!((one.counters().requests, two.counters().requests), (1, 0));
    assert!(now_ns() > 0);
}
