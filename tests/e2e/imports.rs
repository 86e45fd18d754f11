//! Suites by import: made, run against the simulated engine, graded, and handed to a leaderboard.

use std::fs;

use bench_sim::{Canned, SimConfig};
use serde_json::{Value, json};

use crate::support::{Bench, engine, quick};

fn said(answers: &[(&str, &str)]) -> SimConfig {
    let canned = |(to, say): &(&str, &str)| Canned { to: (*to).to_owned(), say: (*say).to_owned() };
    SimConfig { answers: answers.iter().map(canned).collect(), ..quick() }
}

/// Runs a suite and gives the record's tasks.
fn evals(bench: &Bench, suite: &str, config: SimConfig) -> Value {
    let engine = engine(config);
    let url = engine.url();
    let command =
        ["run", "--plugin", "openai", "--endpoint", &url, "--suite", suite, "--json", "record.json", "--seed", "7"];
    bench.run(command).exits(0);
    let record: Value = serde_json::from_slice(&fs::read(bench.path("record.json")).unwrap()).unwrap();
    record["evals"].clone()
}

#[test]
fn rows_of_a_file_are_asked_and_graded() {
    let bench = Bench::new();
    bench.write("capitals.csv", "country,capital\nFrance,Paris\nPeru,Lima\nKenya,Nairobi\n");
    let made = bench.run([
        "suite",
        "import",
        "jsonl",
        "capitals.csv",
        "--field",
        "question=country",
        "--target",
        "capital",
        "--template",
        "The capital of {question}?",
        "--scorer",
        "includes",
        "--licence",
        "CC0-1.0",
        "--json",
    ]);
    let made: Value = serde_json::from_str(&made.exits(0).stdout).unwrap();
    assert_eq!((&made["name"], &made["tasks"][0]["items"]), (&json!("capitals"), &json!(3)));
    let shown = bench.run(["suite", "show", "capitals"]).exits(0).stdout;
    assert!(shown.contains("capitals") && shown.contains("includes"), "{shown}");
    let evals = evals(&bench, "capitals", said(&[("France", "It is Paris."), ("Peru", "Cusco"), ("Kenya", "Nairobi")]));
    assert_eq!(evals[0]["reasons"], json!({ "correct": 2, "wrong": 1 }));

    let submitted = bench.run(["show", "--format", "localmaxxing"]).exits(0);
    let submission: Value = serde_json::from_str(&submitted.stdout).unwrap();
    assert_eq!(submission["suiteSlug"], "capitals");
    let task = &submission["results"]["capitals"];
    assert!((task["score"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-12, "{task}");
    assert_eq!(
        task["predictions"][1],
        json!({ "input": "The capital of Peru?", "output": "Cusco", "gold": "Lima", "correct": false })
    );
    assert!(submission["hfId"].is_null() && submitted.stderr.contains("no-repository"), "{submitted}");
    bench
        .run([
            "suite",
            "import",
            "jsonl",
            "capitals.csv",
            "--scorer",
            "includes",
            "--target",
            "capital",
            "--template",
            "x",
        ])
        .fails(2, "import-folder-exists", &["capitals"]);
}

#[test]
fn a_task_of_lm_eval_is_asked_as_raw_text_and_as_a_chat() {
    let bench = Bench::new();
    bench.write("tasks/rows.jsonl", "{\"q\": \"17 and 4\", \"a\": \"21\"}\n{\"q\": \"2 and 2\", \"a\": \"4\"}\n");
    let yaml = r#"
task: sums
dataset_path: json
dataset_kwargs: {data_files: {test: rows.jsonl}}
test_split: test
doc_to_text: "Add {{q}}."
doc_to_target: "{{a}}"
generation_kwargs: {until: ["\n"], max_gen_toks: 64}
metric_list: [{metric: exact_match, aggregation: mean}]
filter_list:
  - {name: number, filter: [{function: regex, regex_pattern: "([0-9]+)"}, {function: take_first}]}
"#;
    bench.write("tasks/sums.yaml", yaml);
    for (name, form) in [("raw", &[][..]), ("chat", &["--chat"])] {
        let command = ["suite", "import", "lm-eval", "tasks/sums.yaml", "--name", name];
        bench.run(command.iter().chain(form)).exits(0);
        let evals = evals(&bench, name, said(&[("17 and 4", "It is 21, I think."), ("2 and 2", "5")]));
        assert_eq!(evals[0]["reasons"], json!({ "correct": 1, "wrong": 1 }), "{name}");
    }
    bench.write("tasks/sums.yaml", format!("{yaml}process_docs: !function utils.docs\n"));
    let command = ["suite", "import", "lm-eval", "tasks/sums.yaml", "--name", "other"];
    bench.run(command).fails(6, "import-refused", &["process_docs", "utils.docs"]);
}

#[test]
fn problems_are_run_against_their_tests() {
    let bench = Bench::new();
    let row = |id: &str, name: &str| {
        json!({
            "task_id": id, "prompt": format!("def {name}(a, b):\n"), "entry_point": name,
            "test": "def check(candidate):\n    assert candidate(2, 3) == 5\n"
        })
    };
    bench.write("problems.jsonl", format!("{}\n{}\n", row("p/1", "add"), row("p/2", "plus")));
    bench.run(["suite", "import", "human-eval", "problems.jsonl", "--licence", "CC0-1.0"]).exits(0);
    let right = "```python\ndef add(a, b):\n    return a + b\n```";
    let wrong = "```python\ndef plus(a, b):\n    return a - b\n```";
    let evals = evals(&bench, "problems", said(&[("def add", right), ("def plus", wrong)]));
    assert_eq!(evals[0]["reasons"], json!({ "correct": 1, "wrong": 1 }));
}

#[test]
fn samples_of_inspect_and_questions_about_functions() {
    let bench = Bench::new();
    bench.write("set.json", r#"[{"input": "Which is red?", "choices": ["grass", "blood"], "target": "B"}]"#);
    bench.run(["suite", "import", "inspect", "set.json", "--scorer", "choice"]).exits(0);
    let asked = evals(&bench, "set", said(&[("A. grass\nB. blood", "ANSWER: B")]));
    assert_eq!(asked[0]["reasons"], json!({ "correct": 1 }));
    let function = r#"[{"name": "geo.area", "description": "d", "parameters": {"type": "dict", "properties": {"side": {"type": "integer"}}, "required": ["side"]}}]"#;
    let row = |id: &str| {
        format!(
            r#"{{"id": "{id}", "question": [[{{"role": "user", "content": "About {id}"}}]], "function": {function}}}"#
        )
    };
    bench.write("data/BFCL_v4_simple_python.json", format!("{}\n{}\n", row("simple_python_0"), row("simple_python_1")));
    bench.write(
        "data/possible_answer/BFCL_v4_simple_python.json",
        "{\"id\": \"simple_python_0\", \"ground_truth\": [{\"geo.area\": {\"side\": [3]}}]}\n{\"id\": \"simple_python_1\", \"ground_truth\": [{\"geo.area\": {\"side\": [4]}}]}\n",
    );
    bench.write("data/BFCL_v4_irrelevance.json", format!("{}\n", row("irrelevance_0")));
    let command =
        ["suite", "import", "bfcl", "--from", "data", "--calls", "text", "--category", "simple_python,irrelevance"];
    bench.run(command).exits(0);
    let answers = [
        ("About simple_python_0", "[geo.area(side=3)]"),
        ("About simple_python_1", "[geo.area(side=5)]"),
        ("About irrelevance_0", "None of them helps."),
    ];
    let asked = evals(&bench, "bfcl", said(&answers));
    assert_eq!(asked[0]["reasons"], json!({ "correct": 1, "wrong": 1 }));
    assert_eq!(asked[1]["reasons"], json!({ "correct": 1 }));
}
