//! The function-calling leaderboard.

use std::io::{Cursor, Write as _};

use bench_import::Options;
use bench_import::bfcl::{Bfcl, Calls, import};
use bench_suite::Suite;
use serde_json::json;
use zip::write::SimpleFileOptions;

use super::{Desk, refused};

const QUESTIONS: [&str; 3] = [
    r#"{"id": "live_simple_0-0-0", "question": [[{"role": "user", "content": "Area?"}]], "function": [{"name": "math.area", "description": "d", "parameters": {"type": "dict", "properties": {"a": {"type": "float"}}}}]}"#,
    r#"{"id": "live_simple_1-0-0", "question": [[{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]], "function": []}"#,
    r#"{"id": "live_simple_2-0-0", "question": [[{"role": "user", "content": "A"}], [{"role": "user", "content": "B"}]], "function": []}"#,
];

fn files() -> Vec<(String, String)> {
    let answers: String = (0..3)
        .map(|n| {
            format!("{{\"id\": \"live_simple_{n}-0-0\", \"ground_truth\": [{{\"math.area\": {{\"a\": [10]}}}}]}}\n")
        })
        .collect();
    vec![
        ("BFCL_v4_live_simple.json".to_owned(), QUESTIONS.join("\n")),
        ("possible_answer/BFCL_v4_live_simple.json".to_owned(), answers),
        ("BFCL_v4_irrelevance.json".to_owned(), QUESTIONS[0].replace("live_simple_0-0-0", "irrelevance_0")),
        ("BFCL_v4_multi_turn_base.json".to_owned(), "{}".to_owned()),
        ("BFCL_v4_simple_java.json".to_owned(), QUESTIONS[0].replace("live_simple_0-0-0", "simple_java_0")),
        (
            "possible_answer/BFCL_v4_simple_java.json".to_owned(),
            "{\"id\": \"simple_java_0\", \"ground_truth\": [{\"math.area\": {}}]}".to_owned(),
        ),
    ]
}

fn installed() -> Desk {
    let desk = Desk::default();
    for (name, content) in files() {
        desk.write(&format!("bfcl_eval/data/{name}"), content);
    }
    desk.write("bfcl_eval-2026.3.23.dist-info/METADATA", "Name: bfcl-eval\nVersion: 2026.3.23\nLicense: Apache 2.0\n");
    desk
}

fn wheel() -> Desk {
    let desk = Desk::default();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files() {
        zip.start_file(format!("bfcl_eval/data/{name}"), SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.start_file("bfcl_eval-2026.3.23.dist-info/METADATA", SimpleFileOptions::default()).unwrap();
    zip.write_all(b"Version: 2026.3.23\nLicense: Apache 2.0\n").unwrap();
    desk.write("bfcl_eval.whl", zip.finish().unwrap().into_inner());
    desk
}

fn categories(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_folder_and_a_wheel_make_the_same_suite() {
    let mut digests = Vec::new();
    for (desk, from) in [(installed(), ""), (wheel(), "bfcl_eval.whl")] {
        let bfcl = Bfcl {
            from: Some(desk.path(from)),
            categories: categories(&["live_simple", "irrelevance"]),
            calls: Calls::Tools,
        };
        let made = import(&bfcl, &desk.options()).unwrap();
        let suite = Suite::load(&made.folder).unwrap();
        let tasks: Vec<(&str, usize)> = made.tasks.iter().map(|(name, _, items)| (name.as_str(), *items)).collect();
        assert_eq!(tasks, [("live-simple", 1), ("live-simple-system", 1), ("irrelevance", 1)]);
        assert_eq!(made.licence, "Apache-2.0");
        let (entry, data) = suite.task("live-simple").unwrap();
        let item = &data.items[0].document;
        assert_eq!((entry.scorer.plugin.as_str(), entry.fields.tools.as_deref()), ("function-call", Some("tools")));
        assert_eq!(entry.scorer.config["underscores"], true);
        assert_eq!(
            (&item["tools"][0]["name"], &item["function"][0]["name"]),
            (&json!("math_area"), &json!("math.area"))
        );
        assert_eq!(data.items[0].target, json!([{"math.area": {"a": [10]}}]));
        assert_eq!(suite.task("irrelevance").unwrap().0.fields.target, "");
        let left = made.notes.iter().find(|note| note.code == "item-left-out").unwrap();
        assert!(left.message.contains("live_simple_2-0-0") && left.message.contains("2 turns"), "{left:?}");
        digests.push(made.digest);
    }
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn calls_as_text_are_described_in_the_system_message() {
    let desk = installed();
    let bfcl =
        Bfcl { from: Some(desk.path("")), categories: categories(&["live_simple", "simple_java"]), calls: Calls::Text };
    let made = import(&bfcl, &desk.options()).unwrap();
    let suite = Suite::load(&made.folder).unwrap();
    let (entry, _) = suite.task("live-simple-system").unwrap();
    assert!(entry.template.system.as_deref().unwrap().starts_with("{system}\n\n") && entry.fields.tools.is_none());
    assert_eq!((&entry.scorer.config["format"], &entry.scorer.config["source"]), (&json!("python"), &json!("text")));
    assert_eq!(suite.task("simple-java").unwrap().0.scorer.config["format"], "java");
}

#[test]
fn what_cannot_be_asked_is_refused_by_name() {
    let desk = installed();
    let ask = |names: &[&str]| {
        let bfcl = Bfcl { from: Some(desk.path("")), categories: categories(names), calls: Calls::Tools };
        import(&bfcl, &desk.options())
    };
    refused(&desk, ask(&["multi_turn_base"]), "import-refused", &["multi_turn_base", "turns"]);
    refused(&desk, ask(&["web_search"]), "import-refused", &["web"]);
    refused(&desk, ask(&["simple_java"]), "import-refused", &["simple_java", "language"]);
    refused(&desk, ask(&["nonsense"]), "import-refused", &["nonsense"]);
    refused(&desk, ask(&["parallel"]), "import-not-there", &["BFCL_v4_parallel.json"]);
    desk.write("bfcl_eval/data/possible_answer/BFCL_v4_live_simple.json", "{\"id\": \"x\", \"ground_truth\": []}\n");
    refused(&desk, ask(&["live_simple"]), "import-row", &["no answer to live_simple_0-0-0"]);
    desk.write("bfcl_eval/data/possible_answer/BFCL_v4_live_simple.json", "{\"id\": \"x\", \"ground_truth\": 3}\n");
    refused(&desk, ask(&["live_simple"]), "import-row", &["no list"]);
    let nowhere = Bfcl { from: Some(desk.path("bfcl_eval/data/possible_answer")), ..Bfcl::default() };
    let options = Options { out: Some(desk.path("suite")), ..Options::default() };
    refused(&desk, import(&nowhere, &options), "import-no-package", &["bfcl_eval"]);
}
