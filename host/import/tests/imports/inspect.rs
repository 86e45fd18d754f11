//! Data sets and logs of inspect.

use bench_import::inspect::{Inspect, import};
use bench_suite::Suite;
use serde_json::json;

use super::{Desk, only, refused};

fn wanted(desk: &Desk, content: &str, scorer: &str) -> Inspect {
    Inspect { file: desk.write("set.jsonl", content), scorer: scorer.to_owned(), ..Inspect::default() }
}

#[test]
fn samples_with_choices_are_asked_for_a_letter() {
    let desk = Desk::default();
    let rows = "{\"input\": \"Which?\", \"choices\": [\"x\", \"y\"], \"target\": \"B\", \"metadata\": {\"level\": 3, \"id\": 9}}\n";
    let (task, items) = only(&import(&wanted(&desk, rows, "choice"), &desk.options()).unwrap());
    assert_eq!((task.scorer.plugin.as_str(), task.fields.choices.as_deref()), ("choice", Some("choices")));
    assert!(task.template.user.contains("{choices|letters}") && task.template.user.contains("ANSWER:"));
    assert_eq!((&items[0]["id"], &items[0]["level"], &items[0]["target"]), (&json!(1), &json!(3), &json!("B")));
}

#[test]
fn messages_are_a_question_with_or_without_a_system_message() {
    let desk = Desk::default();
    let rows = concat!(
        "{\"id\": \"a\", \"input\": [{\"role\": \"system\", \"content\": \"Be brief.\"}, {\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"Why?\"}]}], \"target\": [\"so\", \"thus\"]}\n",
        "{\"id\": \"b\", \"input\": \"How?\", \"target\": 3}\n",
    );
    let made = import(&wanted(&desk, rows, "includes"), &desk.options()).unwrap();
    let suite = Suite::load(&made.folder).unwrap();
    let names: Vec<&str> = suite.manifest().tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(names, ["set", "set-system"]);
    let (entry, data) = suite.task("set-system").unwrap();
    assert_eq!(entry.template.system.as_deref(), Some("{system}"));
    let item = &data.items[0];
    assert_eq!(
        (&item.document["system"], &item.document["input"], &item.target),
        (&json!("Be brief."), &json!("Why?"), &json!(["so", "thus"]))
    );
    assert_eq!(suite.task("set").unwrap().1.items[0].target, json!("3"));
}

#[test]
fn logs_are_a_source_of_items() {
    for name in ["sums.eval", "sums.json"] {
        let desk = Desk::default();
        let file =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/tests/fixtures/inspect").join(name);
        let wanted = Inspect { file, scorer: "match".to_owned(), ..Inspect::default() };
        let made = import(&wanted, &desk.options()).unwrap();
        let items: usize = made.tasks.iter().map(|(_, _, items)| items).sum();
        assert!(items > 0, "{made:?}");
        let suite = Suite::load(&made.folder).unwrap();
        let all: Vec<_> = made.tasks.iter().flat_map(|(task, ..)| suite.task(task).unwrap().1.items.clone()).collect();
        assert!(all.iter().all(|item| item.target != json!("")), "{all:?}");
    }
}

#[test]
fn what_has_no_counterpart_is_refused() {
    for (row, words) in [
        (json!({"input": "x", "target": "y", "sandbox": "docker"}), &["line 1", "sandbox"][..]),
        (json!({"input": "x", "target": "y", "files": {"a": "b"}}), &["files"]),
        (json!({"target": "y"}), &["no `input`"]),
        (json!({"input": 3}), &["neither a text nor a list of messages"]),
        (json!({"input": "x", "target": {"a": 1}}), &["target"]),
        (json!({"input": "x", "choices": ["a"], "target": "A"}), &["two texts"]),
        (
            json!({"input": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]}),
            &["user, assistant, user"],
        ),
        (
            json!({"input": [{"role": "user", "content": [{"type": "image", "image": "x"}]}]}),
            &["something else than text"],
        ),
    ] {
        let desk = Desk::default();
        refused(&desk, import(&wanted(&desk, &format!("{row}\n"), "match"), &desk.options()), "import-row", words);
    }
    let desk = Desk::default();
    let mixed =
        "{\"input\": \"x\", \"target\": \"A\", \"choices\": [\"a\", \"b\"]}\n{\"input\": \"y\", \"target\": \"A\"}\n";
    refused(&desk, import(&wanted(&desk, mixed, "choice"), &desk.options()), "import-row", &["line 2", "choices"]);
    let plain = "{\"input\": \"y\", \"target\": \"A\"}\n";
    refused(&desk, import(&wanted(&desk, plain, "choice"), &desk.options()), "import-refused", &["choice"]);
}
