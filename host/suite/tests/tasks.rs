//! Eval tasks of a suite: what a good one gives, and what each kind of bad one is told.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_suite::{Digest, Files, Suite, SuiteError, TaskKind};
use serde_json::json;

const ITEMS: &str = r#"{"id": "a", "q": "One?", "choices": ["x", "y"], "target": "x", "split": "test", "date": "2026-02-01", "level": 1}
{"id": 2, "q": "Two?", "choices": ["x", "y"], "target": ["y"], "split": "train", "date": "2026-03-01T10:00:00Z", "level": 2}
"#;

fn manifest(items: &str) -> String {
    format!(
        r#"schema = 1
name = "tiny"
version = "1.0.0"
title = "Tiny"
licence = "CC0-1.0"
min-host = ">=0.1.0"

[[tasks]]
name = "ask"
title = "Asking"
data = {{ file = "items.jsonl", sha256 = "{}", licence = "CC0-1.0", source = "Made up." }}
fields = {{ group = "level" }}
[tasks.template]
user = "Q: {{q}}"
[tasks.scorer]
plugin = "exact-match"
version = "^0.1"
"#,
        Digest::of(items.as_bytes())
    )
}

fn load(manifest: &str, items: &str) -> Result<Suite, SuiteError> {
    Suite::from_files(&Files::from([
        ("suite.toml".to_owned(), manifest.as_bytes().to_vec()),
        ("items.jsonl".to_owned(), items.as_bytes().to_vec()),
    ]))
}

/// The suite in which `from` is written as `to`.
fn with(from: &str, to: &str) -> Result<Suite, SuiteError> {
    let text = manifest(ITEMS).replace(from, to);
    assert_ne!(text, manifest(ITEMS), "{from}");
    load(&text, ITEMS)
}

#[test]
fn a_suite_of_tasks_alone() {
    let suite = load(&manifest(ITEMS), ITEMS).unwrap();
    assert!(suite.manifest().workloads.is_empty());
    let (task, data) = suite.task("ask").unwrap();
    assert_eq!((task.kind, data.items.len(), data.forms.len()), (TaskKind::Generate, 2, 1));
    let second = data.items.last().unwrap();
    assert_eq!((second.id.as_str(), &second.target, second.group.as_deref()), ("2", &json!(["y"]), Some("2")));
    assert_eq!(data.forms.first().unwrap().user.render(&second.document).unwrap(), "Q: Two?");
    assert!(suite.files().contains_key("items.jsonl"));
    assert!(suite.task("other").is_none());
    assert_eq!(load(&manifest("other"), ITEMS).unwrap_err().code(), "suite-digest-mismatch");
}

#[test]
fn splits_and_dates_leave_items_out() {
    for (extra, ids) in [
        ("split = \"test\"", vec!["a"]),
        ("dates = { from = \"2026-02-15\" }", vec!["2"]),
        ("dates = { to = \"2026-02-01\" }", vec!["a"]),
        ("dates = { from = \"2026-01-01\", to = \"2026-12-31\" }", vec!["a", "2"]),
    ] {
        let suite = with("title = \"Asking\"", &format!("title = \"Asking\"\n{extra}")).unwrap();
        let (_, data) = suite.task("ask").unwrap();
        assert_eq!(data.items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), ids, "{extra}");
        assert_eq!(data.left_out, 2 - ids.len());
    }
}

#[test]
fn formats_take_the_place_of_the_tasks_own() {
    let formats = r#"version = "^0.1"
config = { ignore-case = true }
[[tasks.formats]]
name = "plain"
[[tasks.formats]]
name = "terse"
user = "{q}"
tools = false
config = { ignore-punctuation = true }
"#;
    let suite = with("version = \"^0.1\"\n", formats).unwrap();
    let (_, data) = suite.task("ask").unwrap();
    let [plain, terse] = data.forms.as_slice() else { panic!("{:?}", data.forms) };
    assert!(plain.tools && !terse.tools && plain.name.as_deref() == Some("plain"));
    let item = &data.items.first().unwrap().document;
    assert_eq!((plain.user.render(item).unwrap(), terse.user.render(item).unwrap()), ("Q: One?".into(), "One?".into()));
    assert_eq!((plain.config.len(), terse.config.len()), (1, 2));
}

#[test]
fn repeats_vary_where_answers_do() {
    let suite = load(&manifest(ITEMS), ITEMS).unwrap();
    let (task, _) = suite.task("ask").unwrap();
    assert_eq!((task.effective_repeats(2, false), task.effective_limit(true)), (1, Some(8)));
    let suite = with("[tasks.scorer]", "[tasks.generation]\ntemperature = 0.7\n[tasks.scorer]").unwrap();
    let (task, _) = suite.task("ask").unwrap();
    assert_eq!((task.effective_repeats(2, false), task.effective_repeats(100, false)), (3, 1));
    assert_eq!(task.effective_repeats(2, true), 1);
}

#[test]
fn what_is_wrong_with_a_task_is_named() {
    for (from, to, code, word) in [
        ("{q}", "{question}", "template-unknown-field", "there are choices, date, id, level, q"),
        ("{q}", "{q", "template-brace", "template.user"),
        ("group = \"level\"", "group = \"lvl\"", "item-without-field", "lvl"),
        ("group = \"level\"", "target = \"gold\"", "item-without-field", "gold"),
        ("group = \"level\"", "id = \"q\", choices = \"q\"", "item-field-type", "line 1"),
        ("group = \"level\"", "id = \"split2\"", "item-without-id", "split2"),
        ("title = \"Asking\"", "title = \"Asking\"\nsplit = \"dev\"", "data-empty", "split"),
        ("title = \"Asking\"", "title = \"Asking\"\ndates = { from = \"soon\" }", "suite-value-invalid", "soon"),
        ("title = \"Asking\"", "title = \"Asking\"\nrepeats = 0", "suite-value-invalid", "repeats"),
        ("title = \"Asking\"", "title = \"Asking\"\nkind = \"loglikelihood\"", "suite-value-invalid", "choices"),
        ("title = \"Asking\"", "title = \"Asking\"\nkind = \"conversation\"", "suite-value-invalid", "conversation"),
        ("name = \"ask\"", "name = \"Ask me\"", "suite-value-invalid", "Ask me"),
        ("title = \"Asking\"", "title = \"Asking\"\ncolour = 1", "suite-manifest-invalid", "colour"),
        ("items.jsonl", "../items.jsonl", "suite-path-not-allowed", "items"),
        ("user = ", "few-shot = 1000\nuser = ", "suite-value-invalid", "few-shot"),
    ] {
        let error = with(from, to).unwrap_err();
        assert_eq!(error.code(), code, "{to}: {error}");
        assert!(error.to_string().contains(word) && error.hint().is_some(), "{to}: {error}");
    }
}

#[test]
fn data_that_is_no_text_is_refused() {
    let bytes = b"{\"id\": \"a\xff\"}".to_vec();
    let text = manifest(ITEMS).replace(&Digest::of(ITEMS.as_bytes()).to_string(), &Digest::of(&bytes).to_string());
    let files = Files::from([("suite.toml".to_owned(), text.into_bytes()), ("items.jsonl".to_owned(), bytes)]);
    assert_eq!(Suite::from_files(&files).unwrap_err().code(), "suite-not-utf8");
}
