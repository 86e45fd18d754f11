//! Eval tasks: asked, logged, resumed, graded, limited.

use std::fs;
use std::path::Path;
use std::time::Duration;

use bench_sim::{Canned, Fault, FaultKind, SimConfig, When};
use serde_json::{Value, json};

use crate::support::{Answer, Bench, Ran, Server, check_schema, engine, quick, settled, suite_of};

/// Sums of two numbers: as many items as asked for.
pub fn sums(count: usize) -> String {
    let item = |n: usize| json!({ "id": format!("sum-{n}"), "a": n, "b": n + 1, "answer": format!("{}", 2 * n + 1) });
    (0..count).map(|n| format!("{}\n", item(n))).collect()
}

/// Writes a suite with one task over these items; `more` stands after the task's own tables.
pub fn suite(bench: &Bench, items: &str, more: &str) -> String {
    let tables = "[tasks.template]\nuser = \"How much is {a} plus {b}?\"\n\
                  [tasks.scorer]\nplugin = \"exact-match\"\nversion = \"^0.1\"";
    suite_of(bench, items, "", "sums", &format!("{more}\n{tables}"))
}

/// A model that adds well, except for every third sum.
pub fn adder(count: usize) -> SimConfig {
    let said = |n: usize| if n % 3 == 2 { "no idea".to_owned() } else { format!("{}", 2 * n + 1) };
    let answers = (0..count).map(|n| Canned { to: format!("is {n} plus"), say: said(n) }).collect();
    SimConfig { answers, ..quick() }
}

pub fn run(bench: &Bench, suite: &str, url: &str, more: &[&str]) -> Ran {
    let fixed = ["run", "--plugin", "openai", "--endpoint", url, "--suite", suite, "--json", "record.json"];
    bench.run(fixed.iter().chain(more))
}

fn record(bench: &Bench) -> Value {
    let record: Value = serde_json::from_slice(&fs::read(bench.path("record.json")).unwrap()).unwrap();
    check_schema(&record);
    record
}

fn log(bench: &Bench, run: &Value) -> Vec<Value> {
    let path = bench.path("runs").join(run["id"].as_str().unwrap()).join("samples/sums.jsonl");
    lines(&path)
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn a_task_is_asked_graded_and_shown() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(12), "");
    let engine = engine(adder(12));
    let ran = run(&bench, &suite, &engine.url(), &["--seed", "7"]).exits(0);
    let record = record(&bench);
    let eval = &record["evals"][0];
    assert_eq!((eval["task"].as_str(), eval["status"].as_str()), (Some("sums"), Some("completed")));
    let headline = &eval["estimates"][0];
    assert!((headline["value"].as_f64().unwrap() - 8.0 / 12.0).abs() < 1e-12, "{headline}");
    assert!(headline["low"].as_f64().unwrap() < headline["value"].as_f64().unwrap());
    assert_eq!(eval["reasons"], json!({ "correct": 8, "wrong": 4 }));
    assert_eq!(eval["samples"]["answered"], 12);
    assert!(eval["tokens"]["completion"].as_u64().unwrap() > 0 && eval["ttft_ms"]["p50"].as_f64().unwrap() > 0.0);
    assert!(ran.stdout.contains("sums") && ran.stdout.contains("8 correct, 4 wrong"), "{ran}");
    let log = log(&bench, &record);
    assert_eq!(log.len(), 12);
    assert!(log.iter().all(|line| line["verdict"]["fuel"].as_u64().unwrap() > 0 && line["attempts"] == 1));
    assert!(log.iter().all(|line| line["timing"]["started_at"].is_string() && line["seed"].is_u64()));
    assert_eq!(settled(&engine).requests, 13, "one before the run, and one for each sample");
    assert!(bench.run(["show"]).exits(0).stdout.contains("8 correct"));
    let scorers: Vec<&Value> =
        record["plugins"].as_array().unwrap().iter().filter(|plugin| plugin["kind"] == "scorer").collect();
    assert_eq!(scorers.len(), 1);
}

#[test]
fn limits_repeats_and_choices_of_the_command_line() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(12), "");
    let engine = engine(adder(12));
    run(&bench, &suite, &engine.url(), &["--limit", "2", "--repeats", "3"]).exits(0);
    let record = record(&bench);
    assert_eq!(record["evals"][0]["samples"]["planned"], 6);
    assert_eq!(record["evals"][0]["repeats"], 3);
    let seeds: std::collections::BTreeSet<u64> =
        log(&bench, &record).iter().map(|line| line["seed"].as_u64().unwrap()).collect();
    assert_eq!(seeds.len(), 6, "each repeat has a seed of its own");
    run(&bench, &suite, &engine.url(), &["--task", "sumz"]).fails(2, "unknown-task", &["sumz"]);
    run(&bench, &suite, &engine.url(), &["--max-cost", "1"]).exits(3);
    assert_eq!(self::record(&bench)["evals"][0]["problem"]["code"], "no-price");
}

#[test]
fn an_answer_does_not_hang_on_what_was_asked_before() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(2), "");
    // Of the drivers for servers that keep requests apart, vLLM's is told by its list of models alone.
    let models = json!({ "object": "list", "data": [{ "id": "m", "object": "model", "owned_by": "vllm", "max_model_len": 4096 }] });
    let said = json!({ "choices": [{ "index": 0, "delta": { "content": "3" }, "finish_reason": "stop" }] });
    let stream = format!("data: {said}\n\ndata: [DONE]\n\n");
    let server = Server::start(move |asked| match asked.path.as_str() {
        "/v1/models" => Answer::json("200 OK", &models),
        "/v1/chat/completions" => Answer::stream([stream.as_bytes()]),
        _ => Answer::json("404 Not Found", &json!({})),
    });
    let salts = |more: &[&str]| -> Vec<Value> {
        let before = server.seen().len();
        let url = server.url();
        let args = ["run", "--plugin", "vllm", "--endpoint", &url, "--suite", &suite, "--concurrency", "1"];
        bench.run(args.iter().chain(more)).exits(0);
        let seen = server.seen().into_iter().skip(before);
        let sent = seen.filter_map(|asked| serde_json::from_slice::<Value>(&asked.body).ok());
        sent.filter(|body| body["messages"].to_string().contains("How much is"))
            .map(|body| body["cache_salt"].clone())
            .collect()
    };
    let (alone, again) = (salts(&["--seed", "7"]), salts(&["--seed", "7"]));
    assert!(alone.len() == 2 && alone[0].is_string() && alone[1].is_string() && alone[0] != alone[1], "{alone:?}");
    assert_eq!(alone, again, "the same run asks the same");
    assert_eq!(salts(&["--reuse-prefixes"]), [Value::Null, Value::Null]);
}

/// The scores of two runs of the same task: paired item by item, with an interval and a verdict.
#[test]
fn scores_of_two_runs_are_compared() {
    const ITEMS: usize = 60;
    let bench = Bench::new();
    let suite = suite(&bench, &sums(ITEMS), "");
    let right = (0..ITEMS).map(|n| Canned { to: format!("is {n} plus"), say: format!("{}", 2 * n + 1) }).collect();
    let ids = [adder(ITEMS), SimConfig { answers: right, ..quick() }].map(|config| {
        let engine = engine(config);
        run(&bench, &suite, &engine.url(), &["--seed", "7", "--repeats", "1"]).exits(0);
        record(&bench)["id"].as_str().unwrap().to_owned()
    });
    let [reference, better] = [&ids[0], &ids[1]];
    let compared = bench.run(["compare", reference, better, "--json"]).exits(0).json();
    let cell = &compared["scores"][0]["cells"][1];
    assert_eq!((&cell["items_higher"], &cell["items_lower"]), (&json!(20), &json!(0)));
    assert_eq!(cell["verdict"]["kind"], "better");
    let difference = &cell["difference"];
    assert_eq!(difference["pairs"], ITEMS);
    assert!((difference["mean"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-9 && difference["low"].as_f64() > Some(0.1));
    let same = bench.run(["compare", reference, reference]).exits(0);
    assert!(same.stdout.contains("no difference shown"), "{same}");
    let worse = bench.run(["compare", better, reference]).exits(0);
    assert!(worse.stdout.contains("worse") && worse.stdout.contains("-0.33"), "{worse}");
    // Without the log there is nothing to pair.
    fs::remove_dir_all(bench.path("runs").join(better).join("samples")).unwrap();
    let alone = bench.run(["compare", reference, better]).exits(0);
    assert!(alone.stdout.contains("not comparable: no-samples"), "{alone}");
}

/// Runs until five samples are logged and kills the program. Gives the run's name.
fn killed(bench: &Bench, suite: &str, url: &str) -> String {
    let known = bench.runs();
    let fixed = ["run", "--plugin", "openai", "--endpoint", url, "--suite", suite];
    let mut child = bench.spawn(fixed.iter().chain(&["--seed", "7", "--concurrency", "3"]));
    let id = loop {
        let other = bench.runs().into_iter().find(|run| !known.contains(run));
        if let Some(run) = other.filter(|run| {
            let log = run.join("samples/sums.jsonl");
            log.exists() && lines(&log).len() >= 5
        }) {
            break run.file_name().unwrap().to_str().unwrap().to_owned();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    child.kill().unwrap();
    child.wait().unwrap();
    id
}

/// What failed because the engine was gone is asked again when the run goes on.
#[test]
fn a_sample_whose_engine_was_gone_is_asked_again() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(30), "");
    let engine = engine(SimConfig { ttft_us: 20_000, gap_us: 10_000, ..adder(30) });
    let id = killed(&bench, &suite, &engine.url());
    let path = bench.path("runs").join(&id).join("samples/sums.jsonl");
    let mut kept = lines(&path);
    for (line, code) in [(1, "connect-refused"), (3, "bad-request")] {
        let line = kept[line].as_object_mut().unwrap();
        line.remove("answer");
        line.insert("status".to_owned(), json!({ "state": "unscored", "code": code, "message": "no" }));
    }
    let text: String = kept.iter().map(|line| format!("{line}\n")).collect();
    fs::write(&path, text).unwrap();
    let before = settled(&engine).requests;
    bench.run(["run", "--resume", &id, "--suite", &suite, "--json", "record.json"]).exits(0);
    let record = record(&bench);
    let eval = &record["evals"][0];
    assert_eq!((&eval["samples"]["answered"], &eval["samples"]["unscored"]), (&json!(29), &json!(1)), "{eval}");
    assert_eq!(eval["samples"]["resumed"], kept.len() as u64 - 1);
    assert!(eval["notes"].to_string().contains("asked-again"), "{eval}");
    assert_eq!(settled(&engine).requests - before, 1 + 30 - (kept.len() as u64 - 1));
    assert_eq!(log(&bench, &record).len(), 30);
}

/// A run that was killed goes on, and is compared with one that nobody killed.
#[test]
fn a_killed_run_goes_on_and_comes_to_the_same_scores() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(30), "");
    let engine = engine(SimConfig { ttft_us: 20_000, gap_us: 10_000, ..adder(30) });
    let url = engine.url();
    run(&bench, &suite, &url, &["--seed", "7", "--concurrency", "3"]).exits(0);
    let whole = record(&bench);
    let asked_whole = settled(&engine).requests;
    let id = killed(&bench, &suite, &url);
    let before = settled(&engine).requests;
    let kept = lines(&bench.path("runs").join(&id).join("samples/sums.jsonl"));
    bench.run(["run", "--resume", &id, "--suite", &suite, "--json", "record.json"]).exits(0);
    let resumed = record(&bench);
    assert_eq!(resumed["id"], *id);
    assert_eq!(resumed["evals"][0]["samples"]["resumed"], kept.len() as u64);
    // One request before the samples, as in every run.
    assert_eq!(settled(&engine).requests - before, 1 + 30 - kept.len() as u64, "nothing is asked twice");
    assert_eq!(asked_whole, 31);
    let (one, other) = (log(&bench, &whole), log(&bench, &resumed));
    assert_eq!(other.len(), 30);
    for (one, other) in one.iter().zip(&other) {
        for field in ["id", "epoch", "seed", "answer", "prompt_sha256", "verdict"] {
            assert_eq!(one[field], other[field], "{field}");
        }
    }
    assert_eq!(whole["evals"][0]["estimates"], resumed["evals"][0]["estimates"]);
    assert_eq!(whole["evals"][0]["fuel"], resumed["evals"][0]["fuel"]);
    // A second time there is nothing left to ask.
    let before = settled(&engine).requests;
    // The suite was a folder, and the run knows which.
    bench.run(["run", "--resume", &id]).exits(0);
    assert_eq!(settled(&engine).requests - before, 1);
}

#[test]
fn a_server_that_wants_less_gets_less_and_everything_is_answered() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(20), "");
    let busy = FaultKind::Answer {
        status: 429,
        body: r#"{"error":{"message":"slow down","type":"rate_limit_error"}}"#.to_owned(),
        content_type: "application/json".to_owned(),
        retry_after_s: Some(0),
    };
    let faults = vec![Fault { when: When::Every(4), kind: busy }];
    let engine = engine(SimConfig { faults, ..adder(20) });
    run(&bench, &suite, &engine.url(), &["--seed", "7"]).exits(0);
    let eval = &record(&bench)["evals"][0];
    assert_eq!(eval["samples"]["answered"], 20);
    assert!(eval["retries"]["rate-limited"].as_u64().unwrap() > 0, "{eval}");
    let steps = eval["backoff"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["cause"] == "rate-limited" && step["to"].as_u64() < step["from"].as_u64()));
}

#[test]
fn what_says_nothing_about_the_model_is_unscored() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(10), "");
    let refuse = FaultKind::api_error(422, "invalid_request_error", "not like this");
    // The first request is the run's own.
    let engine = engine(SimConfig { faults: vec![Fault::nth(3, refuse)], ..adder(10) });
    run(&bench, &suite, &engine.url(), &["--concurrency", "1"]).exits(0);
    let record = record(&bench);
    let eval = &record["evals"][0];
    assert_eq!(eval["samples"]["unscored"], 1);
    assert_eq!(eval["estimates"][0]["scored"], 9);
    assert_eq!(eval["estimates"][0]["unscored"], 1);
    assert!(eval["notes"].to_string().contains("not like this"), "{}", eval["notes"]);
    let unscored: Vec<Value> =
        log(&bench, &record).into_iter().filter(|line| line["status"]["state"] == "unscored").collect();
    assert_eq!(unscored.len(), 1);
    assert!(unscored[0]["verdict"].is_null());
}

#[test]
fn an_answer_that_the_server_gave_up_is_asked_for_again() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(1), "");
    let times = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::engine(move |asked| {
        let sample = String::from_utf8_lossy(&asked.body).contains("How much is");
        let first = sample && times.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        let (text, finish) = if first { ("one and", "abort") } else { ("1", "stop") };
        let said = json!({ "choices": [{ "index": 0, "delta": { "content": text }, "finish_reason": finish }] });
        Answer::stream([format!("data: {said}\n\ndata: [DONE]\n\n").as_bytes()])
    });
    run(&bench, &suite, &server.url(), &[]).exits(0);
    let record = record(&bench);
    let eval = &record["evals"][0];
    assert_eq!((&eval["reasons"], &eval["retries"]), (&json!({ "correct": 1 }), &json!({ "broken-answer": 1 })));
    assert_eq!(log(&bench, &record)[0]["attempts"], 2);
}

#[test]
fn a_limit_of_time_ends_with_what_there_is() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(200), "");
    let engine = engine(SimConfig { ttft_us: 100_000, ..adder(200) });
    run(&bench, &suite, &engine.url(), &["--max-time", "1s", "--concurrency", "2"]).exits(3);
    let record = record(&bench);
    let eval = &record["evals"][0];
    assert_eq!((eval["status"].as_str(), record["status"].as_str()), (Some("partial"), Some("incomplete")));
    assert_eq!(eval["problem"]["code"], "time-limit");
    let (answered, remaining) = (&eval["samples"]["answered"], &eval["samples"]["remaining"]);
    assert_eq!(answered.as_u64().unwrap() + remaining.as_u64().unwrap(), 200);
    assert!(remaining.as_u64().unwrap() > 0);
    let id = record["id"].as_str().unwrap().to_owned();
    bench.run(["run", "--resume", &id, "--suite", &suite, "--concurrency", "16", "--json", "record.json"]).exits(0);
    assert_eq!(self::record(&bench)["evals"][0]["samples"]["answered"], 200);
}

#[test]
fn a_limit_of_cost_goes_by_the_price_list() {
    let bench = Bench::new();
    let suite = suite(&bench, &sums(40), "");
    let engine = engine(adder(40));
    bench.write("prices.toml", "[[prices]]\nmodel = \"bench-*\"\ninput = 1000\noutput = 1000\n");
    run(&bench, &suite, &engine.url(), &["--max-cost", "0.2", "--concurrency", "1"]).exits(3);
    let eval = &record(&bench)["evals"][0];
    assert_eq!(eval["problem"]["code"], "cost-limit");
    assert!((0.2..0.3).contains(&eval["cost_usd"].as_f64().unwrap()), "{eval}");
}

#[test]
fn suites_that_make_no_sense_are_refused_before_anything_is_asked() {
    let engine = engine(adder(2));
    let url = engine.url();
    let bench = Bench::new();
    let twice = format!("{}{}", sums(1), sums(1));
    for (items, code, word) in [
        (twice.as_str(), "item-duplicate-id", "sum-0"),
        ("", "data-empty", "no item"),
        ("{\"a\": 1, \"b\": 2, \"answer\": \"3\"}\n", "item-without-id", "line 1"),
        ("{\"id\": \"x\", \"a\": 1, \"b\": 2}\n", "item-without-field", "answer"),
        ("{\"id\": \"x\", \"a\": 1, \"answer\": \"3\"}\n", "template-unknown-field", "there are a, answer, id"),
        ("[1]\n", "item-not-an-object", "line 1"),
    ] {
        let folder = suite(&bench, items, "");
        run(&bench, &folder, &url, &[]).fails(6, code, &[word]);
    }
    let folder = suite(&bench, &sums(2), "");
    let manifest = fs::read_to_string(bench.path("suite/suite.toml")).unwrap();
    bench.write("suite/suite.toml", manifest.replace("exact-match\"", "exact-match\"\nconfig = { colour = \"red\" }"));
    let ran = run(&bench, &folder, &url, &[]);
    assert!(ran.code != Some(0) && ran.stderr.contains("colour"), "{ran}");
    assert_eq!(settled(&engine).requests, 0);
    assert!(bench.runs().is_empty());
}

#[test]
fn likelihoods_that_are_none_are_refused() {
    let bench = Bench::new();
    let items = "{\"id\": \"x\", \"a\": 1, \"b\": 2, \"answer\": 0, \"choices\": [\"3\", \"4\"]}\n";
    let folder = suite(&bench, items, "kind = \"loglikelihood\"");
    let manifest = fs::read_to_string(bench.path("suite/suite.toml")).unwrap();
    let manifest = manifest
        .replace("[tasks.template]", "[tasks.template]\nraw = true")
        .replace("target = \"answer\"", "target = \"answer\"\nchoices = \"choices\"");
    bench.write("suite/suite.toml", manifest);
    let engine = engine(adder(2));
    run(&bench, &folder, &engine.url(), &[]).exits(3);
    let eval = &record(&bench)["evals"][0];
    assert_eq!(
        (eval["status"].as_str(), eval["problem"]["code"].as_str()),
        (Some("failed"), Some("degenerate-logprobs"))
    );
}
