//! Kinds of tasks beyond one question: conversations, judges, formats, needles, and answers that are hard to take.

use std::fs;

use bench_sim::{Canned, Fault, FaultKind, SimConfig};
use serde_json::{Value, json};

use crate::evals::run;
use crate::support::{Answer, Bench, Server, check_schema, engine, quick, settled, sha256, suite_of};

/// Writes a suite with one task over these items; see [`suite_of`].
fn suite(bench: &Bench, items: &[Value], before: &str, task: &str) -> String {
    let lines: String = items.iter().map(|item| format!("{item}\n")).collect();
    suite_of(bench, &lines, before, "task", task)
}

fn canned(answers: &[(&str, &str)]) -> SimConfig {
    let canned = |(to, say): &(&str, &str)| Canned { to: (*to).to_owned(), say: (*say).to_owned() };
    SimConfig { answers: answers.iter().map(canned).collect(), ..quick() }
}

fn evals(bench: &Bench) -> Vec<Value> {
    let record: Value = serde_json::from_slice(&fs::read(bench.path("record.json")).unwrap()).unwrap();
    check_schema(&record);
    record["evals"].as_array().unwrap().clone()
}

fn log(bench: &Bench, name: &str) -> Vec<Value> {
    let [run] = bench.runs().try_into().unwrap();
    let text = fs::read_to_string(run.join(format!("samples/{name}.jsonl"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const NUMERIC: &str = "[tasks.scorer]\nplugin = \"numeric\"\nversion = \"^0.1\"\n";

fn order() -> [Value; 1] {
    [json!({ "id": "order", "first": "Three teas.", "answer": "5" })]
}

#[test]
fn the_user_changes_their_mind_as_the_task_says() {
    let bench = Bench::new();
    let task = format!(
        "kind = \"conversation\"\n[tasks.template]\nuser = \"{{first}}\"\n[tasks.conversation]\nturns = [\"Make it four.\", \"And one more.\"]\n{NUMERIC}"
    );
    let suite = suite(&bench, &order(), "", &task);
    let engine = engine(canned(&[("Three", "3 teas"), ("four", "4 teas"), ("more", "5 teas")]));
    run(&bench, &suite, &engine.url(), &[]).exits(0);
    assert_eq!(evals(&bench)[0]["reasons"], json!({ "correct": 1 }));
    let [sample] = log(&bench, "task").try_into().unwrap();
    let said: Vec<&str> =
        sample["prompt"].as_array().unwrap().iter().map(|turn| turn["content"].as_str().unwrap()).collect();
    assert_eq!(said, ["Three teas.", "3 teas", "Make it four.", "4 teas", "And one more."]);
    assert_eq!(sample["answer"], "5 teas");
    assert_eq!(settled(&engine).requests, 4, "one before the run, and one for each turn");
}

#[test]
fn another_model_plays_the_user() {
    let bench = Bench::new();
    let task = format!(
        "kind = \"conversation\"\n[tasks.template]\nuser = \"{{first}}\"\n[tasks.conversation.user]\ninstructions = \"You want tea.\"\n{NUMERIC}"
    );
    let suite = suite(&bench, &order(), "", &task);
    let model = engine(canned(&[("Three", "3, is that all?"), ("two more", "That makes 5.")]));
    let user = engine(canned(&[("is that all", "No, two more."), ("makes 5", "[DONE]")]));
    run(&bench, &suite, &model.url(), &["--judge", &user.url()]).exits(0);
    let eval = &evals(&bench)[0];
    assert_eq!((&eval["reasons"], &eval["user"]["requests"]), (&json!({ "correct": 1 }), &json!(2)));
    assert_eq!(eval["user"]["endpoint"], user.url());
}

#[test]
fn formats_of_one_task_are_compared() {
    let bench = Bench::new();
    let task = format!(
        "[tasks.template]\nuser = \"unused\"\n[[tasks.formats]]\nname = \"plain\"\nuser = \"Plainly: {{a}}\"\n\
         [[tasks.formats]]\nname = \"fancy\"\nuser = \"In fancy words: {{a}}\"\n{NUMERIC}"
    );
    let items = [json!({ "id": 1, "a": "2+2", "answer": "4" }), json!({ "id": 2, "a": "1+2", "answer": "3" })];
    let suite = suite(&bench, &items, "", &task);
    let engine =
        engine(canned(&[("Plainly: 2+2", "4"), ("Plainly", "3"), ("fancy words: 2+2", "4"), ("fancy", "verily some")]));
    run(&bench, &suite, &engine.url(), &[]).exits(0);
    let evals = evals(&bench);
    let formats: Vec<&str> = evals.iter().map(|eval| eval["format"].as_str().unwrap()).collect();
    assert_eq!(formats, ["plain", "fancy"]);
    let sensitivity = &evals[0]["sensitivity"];
    assert_eq!(sensitivity["values"], json!({ "plain": 1.0, "fancy": 0.5 }));
    assert_eq!(sensitivity["max_delta"], 0.5);
    let seeds = |name: &str| log(&bench, name).iter().map(|line| line["seed"].clone()).collect::<Vec<_>>();
    assert_eq!(seeds("task@plain"), seeds("task@fancy"), "formats differ in nothing but the format");
}

#[test]
fn a_needle_is_hidden_at_every_depth_of_every_length_that_fits() {
    let bench = Bench::new();
    let text = "The river runs past the mill. Nobody counts the boats any more. ".repeat(200);
    bench.write("suite/text.txt", &text);
    let corpus = format!(
        "[corpora.text]\nfile = \"text.txt\"\nsha256 = \"{}\"\nlicence = \"CC0-1.0\"\nsource = \"Made for this test.\"\n",
        sha256(text.as_bytes())
    );
    let task = "[tasks.template]\nuser = \"{haystack}\\n\\n{question}\"\n[tasks.generation]\nmax-tokens = 16\n\
                [tasks.needle]\ncorpus = \"text\"\ntext = \"The word is {answer}.\"\nlengths = [128, 512, 8192]\ndepths = [0.0, 0.5, 1.0]\n\
                [tasks.scorer]\nplugin = \"ruler\"\nversion = \"^0.1\"\n";
    let item = json!({ "id": "one", "question": "What is the word?", "answer": "heron" });
    let suite = suite(&bench, &[item], &corpus, task);
    let engine = engine(SimConfig { context_length: 2048, ..canned(&[("The word is heron.", "heron")]) });
    run(&bench, &suite, &engine.url(), &[]).exits(0);
    let eval = &evals(&bench)[0];
    assert_eq!((&eval["samples"]["planned"], &eval["reasons"]), (&json!(6), &json!({ "correct": 6 })));
    assert!(eval["notes"].to_string().contains("8192"), "{}", eval["notes"]);
    for sample in log(&bench, "task") {
        let (length, depth) =
            (&sample["document"]["needle-length"], sample["document"]["needle-depth"].as_f64().unwrap());
        let prompt = sample["prompt"][0]["content"].as_str().unwrap();
        let place = prompt.find("The word is heron.").unwrap() as f64 / prompt.len() as f64;
        assert!((place - depth).abs() < 0.2, "{length}: asked for {depth}, found at {place}");
    }
}

const JUDGED: &str =
    "[tasks.template]\nuser = \"{a}?\"\n[tasks.scorer]\nplugin = \"model-graded\"\nversion = \"^0.1\"\n";

fn questions(count: usize) -> Vec<Value> {
    (0..count).map(|n| json!({ "id": n, "a": format!("question {n}"), "answer": format!("fact {n}") })).collect()
}

#[test]
fn a_judge_that_answers_nonsense_leaves_samples_unscored() {
    let bench = Bench::new();
    let suite = suite(&bench, &questions(4), "", JUDGED);
    let model = engine(canned(&[("question", "an answer")]));
    let judge = engine(canned(&[
        ("fact 0", "It agrees.\nGRADE: C"),
        ("fact 1", "It does not.\nGRADE: I"),
        ("fact 2", "I had rather talk about the weather."),
        ("fact 3", "GRADE: 11/10"),
    ]));
    run(&bench, &suite, &model.url(), &["--judge", &judge.url()]).exits(3);
    let eval = &evals(&bench)[0];
    assert_eq!((&eval["status"], &eval["problem"]["code"]), (&json!("partial"), &json!("many-unscored")));
    assert_eq!(eval["reasons"], json!({ "correct": 1, "wrong": 1, "grader-failed": 2 }));
    assert_eq!((&eval["estimates"][0]["scored"], &eval["estimates"][0]["unscored"]), (&json!(2), &json!(2)));
    assert!((eval["estimates"][0]["value"].as_f64().unwrap() - 0.5).abs() < 1e-12);
    assert_eq!(eval["judge"]["requests"], 4);
}

#[test]
fn a_judge_that_fails_once_is_asked_again_and_a_task_without_one_is_refused() {
    let bench = Bench::new();
    let suite = suite(&bench, &questions(3), "", JUDGED);
    let model = engine(canned(&[("question", "an answer")]));
    run(&bench, &suite, &model.url(), &[]).fails(2, "no-judge", &["task"]);
    assert_eq!(settled(&model).requests, 0);
    // The first request may be the run's own look at the judge.
    let broken = FaultKind::api_error(500, "server_error", "out of order");
    let faults = vec![Fault::nth(2, broken)];
    let judge = engine(SimConfig { faults, ..canned(&[("fact", "GRADE: C")]) });
    run(&bench, &suite, &model.url(), &["--judge", &judge.url()]).exits(0);
    assert_eq!(evals(&bench)[0]["reasons"], json!({ "correct": 3 }));
}

#[test]
fn an_answer_of_ten_megabytes_is_graded_like_any_other() {
    let bench = Bench::new();
    let task = "[tasks.template]\nuser = \"{a}\"\n[tasks.scorer]\nplugin = \"includes\"\nversion = \"^0.1\"\n";
    let items = [
        json!({ "id": 1, "a": "talk", "answer": "the end" }),
        json!({ "id": 2, "a": "talk", "answer": "no such words" }),
    ];
    let suite = suite(&bench, &items, "", task);
    let chunk = |text: &str| {
        format!(
            "data: {}\n\n",
            json!({ "choices": [{ "index": 0, "delta": { "content": text }, "finish_reason": null }] })
        )
    };
    let long = chunk(&"blah ".repeat(20_000));
    let mut pieces = vec![long.into_bytes(); 100];
    pieces.push(chunk("the end").into_bytes());
    let last = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
    pieces.push(format!("data: {last}\n\ndata: [DONE]\n\n").into_bytes());
    let server = Server::engine(move |_| Answer::stream(pieces.iter().map(Vec::as_slice)));
    run(&bench, &suite, &server.url(), &[]).exits(0);
    assert_eq!(evals(&bench)[0]["reasons"], json!({ "correct": 1, "wrong": 1 }));
    let [first, _] = log(&bench, "task").try_into().unwrap();
    assert_eq!(first["answer"].as_str().unwrap().len(), 10_000_007);
}
