//! Any rows.

use std::io::Write as _;

use bench_import::plain::{Plain, import};
use bench_import::{ImportError, Imported, Options, Window};
use serde_json::json;

use super::{Desk, only, refused, texts};

fn plain(desk: &Desk, name: &str, content: impl AsRef<[u8]>) -> Plain {
    Plain { file: desk.write(name, content), scorer: "exact-match".to_owned(), ..Plain::default() }
}

const LINES: &str =
    "{\"id\": \"a\", \"q\": \"1+1?\", \"target\": \"2\"}\n\n{\"id\": \"b\", \"q\": \"2+2?\", \"target\": \"4\"}\n";

fn asked(desk: &Desk, name: &str, content: &str) -> Result<Imported, ImportError> {
    let wanted = Plain { template: Some("{q}".to_owned()), ..plain(desk, name, content) };
    import(&wanted, &desk.options())
}

#[test]
fn rows_of_every_form_are_the_same_items() {
    let packed = {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(LINES.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    let list = r#"[{"id": "a", "q": "1+1?", "target": "2"}, {"id": "b", "q": "2+2?", "target": "4"}]"#;
    let object = format!("{{\"version\": 1, \"data\": {list}}}");
    for (name, content) in [
        ("rows.jsonl", LINES.as_bytes().to_vec()),
        ("rows.json", LINES.as_bytes().to_vec()),
        ("list.json", list.as_bytes().to_vec()),
        ("object.json", object.into_bytes()),
        ("rows.csv", b"\xef\xbb\xbfid,q,target\na,1+1?,2\n\"b\",2+2?,4\n".to_vec()),
        ("rows.tsv", b"id\tq\ttarget\na\t1+1?\t2\nb\t2+2?\t4\n".to_vec()),
        ("rows.jsonl.gz", packed),
    ] {
        let desk = Desk::default();
        let wanted = Plain { template: Some("{q}".to_owned()), ..plain(&desk, name, content) };
        let (task, items) = only(&import(&wanted, &desk.options()).unwrap());
        assert_eq!((task.fields.id.as_str(), task.fields.target.as_str()), ("id", "target"), "{name}");
        let found: Vec<_> =
            items.iter().map(|item| (item["id"].clone(), item["q"].clone(), item["target"].clone())).collect();
        assert_eq!(found, [(json!("a"), json!("1+1?"), json!("2")), (json!("b"), json!("2+2?"), json!("4"))], "{name}");
    }
}

#[test]
fn fields_have_other_names_and_a_suite_says_where_it_is_from() {
    let desk = Desk::default();
    let wanted = Plain {
        fields: [("question".to_owned(), "q".to_owned())].into(),
        target: Some("answer".to_owned()),
        choices: Some("options".to_owned()),
        system: Some("Be brief.".to_owned()),
        config: json!({"ignore-case": true}).as_object().unwrap().clone(),
        ..plain(&desk, "My Data.v2.jsonl", "{\"q\": \"?\", \"answer\": \"x\", \"options\": [\"x\", \"y\"]}\n")
    };
    let made = import(&wanted, &desk.options()).unwrap();
    let (task, items) = only(&made);
    assert_eq!((made.name.as_str(), made.licence.as_str()), ("my-data", "LicenseRef-unknown"));
    assert_eq!((task.template.user.as_str(), task.template.system.as_deref()), ("{question}", Some("Be brief.")));
    assert_eq!(task.scorer.config["ignore-case"], true);
    assert_eq!((&items[0]["id"], &items[0]["question"]), (&json!(1), &json!("?")), "rows without an id are numbered");
    let readme = texts(&made.folder, "README.md");
    assert!(readme.contains("not to be passed on") && readme.contains("My Data.v2.jsonl"), "{readme}");
    assert!(!readme.contains(made.folder.to_str().unwrap()), "no path of this machine");
    let known = Options { licence: Some("CC0-1.0".to_owned()), out: Some(desk.path("other")), ..Options::default() };
    let made = import(&wanted, &known).unwrap();
    assert_eq!(only(&made).0.data.licence, "CC0-1.0");
    assert!(!texts(&made.folder, "README.md").contains("passed on"));
}

#[test]
fn a_limit_takes_the_first_ones_or_those_of_a_seed() {
    let rows: String =
        (0..50).map(|n| format!("{{\"id\": {n}, \"question\": \"{n}?\", \"answer\": \"{n}\"}}\n")).collect();
    let ids = |limit: usize, seed: Option<u64>| {
        let desk = Desk::default();
        let wanted = plain(&desk, "rows.jsonl", &rows);
        let made = import(&wanted, &Options { limit: Some(limit), seed, ..desk.options() }).unwrap();
        assert_eq!(made.notes[0].code, "limited");
        only(&made).1.iter().map(|item| item["id"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids(3, None), [0, 1, 2]);
    let (few, more) = (ids(5, Some(7)), ids(20, Some(7)));
    assert_eq!(few, ids(5, Some(7)));
    assert!(few.iter().all(|id| more.contains(id)) && more.is_sorted(), "{few:?} {more:?}");
    assert_ne!(few, ids(5, Some(8)));
}

#[test]
fn days_are_left_to_the_suite() {
    let desk = Desk::default();
    let rows = "{\"id\": 1, \"question\": \"?\", \"answer\": \"x\", \"day\": \"2025-01-01\"}\n{\"id\": 2, \"question\": \"?\", \"answer\": \"x\", \"day\": \"2026-01-01T10:00:00\"}\n";
    let wanted = plain(&desk, "rows.jsonl", rows);
    let window = Window { field: Some("day".to_owned()), from: Some("2025-06-01".to_owned()), to: None };
    let made = import(&wanted, &Options { window: Some(window.clone()), ..desk.options() }).unwrap();
    assert_eq!(only(&made).1.len(), 1);
    let desk = Desk::default();
    let nameless = Options { window: Some(Window { field: None, ..window }), ..desk.options() };
    refused(&desk, import(&wanted, &nameless), "import-option", &["--after"]);
}

#[test]
fn what_is_wrong_with_rows_is_named_with_its_place() {
    for (name, content, code, words) in [
        ("r.jsonl", "", "import-empty", &["r.jsonl"][..]),
        ("r.csv", "id,q,target\n", "import-empty", &["r.csv"]),
        ("r.txt", "x", "import-unreadable", &[".jsonl"]),
        ("r.jsonl", "{\"id\": 1}\n[1]\n", "import-row", &["line 2"]),
        ("r.json", "[1]", "import-row", &["item 1"]),
        ("r.json", "{\"a\": 1,\n", "import-unreadable", &["r.json"]),
        ("r.csv", "a,a\n1,2\n", "import-unreadable", &["twice"]),
        ("r.csv", "a,b\n1\n", "import-unreadable", &["r.csv"]),
        (
            "r.jsonl",
            "{\"id\": 1, \"q\": 1, \"target\": 1}\n{\"id\": 1, \"q\": 1, \"target\": 1}\n",
            "import-row",
            &["\"1\""],
        ),
        (
            "r.jsonl",
            "{\"id\": 1, \"q\": 1, \"target\": 1}\n{\"q\": 1, \"target\": 1}\n",
            "import-row",
            &["line 2", "no `id`"],
        ),
        ("r.jsonl", "{\"id\": [], \"q\": 1, \"target\": 1}\n", "import-row", &["whole number"]),
        (
            "r.jsonl",
            "{\"id\": 1, \"q\": 1, \"target\": 18446744073709551616}\n",
            "import-row",
            &["18446744073709551616"],
        ),
        ("r.jsonl", "{\"id\": 1, \"target\": 1}\n", "template-unknown-field", &["q"]),
        ("r.jsonl", "{\"id\": 1, \"q\": 1}\n", "import-option", &["--target", "id, q"]),
    ] {
        let desk = Desk::default();
        refused(&desk, asked(&desk, name, content), code, words);
    }
    let desk = Desk::default();
    refused(
        &desk,
        import(&plain(&desk, "r.jsonl", b"{\"id\": \"\xff\"}"), &desk.options()),
        "import-unreadable",
        &["UTF-8", "byte 8"],
    );
    let wanted = Plain { template: Some("{q".to_owned()), ..plain(&desk, "r.jsonl", LINES) };
    refused(&desk, import(&wanted, &desk.options()), "import-option", &["--template"]);
    let wanted =
        Plain { fields: [("question".to_owned(), "none".to_owned())].into(), ..plain(&desk, "r.jsonl", LINES) };
    refused(&desk, import(&wanted, &desk.options()), "import-row", &["none", "id, q, target"]);
    let wanted = Plain { file: desk.path("nowhere.jsonl"), ..Plain::default() };
    refused(&desk, import(&wanted, &desk.options()), "file-unreadable", &["nowhere.jsonl"]);
}

#[test]
fn nothing_is_overwritten() {
    let desk = Desk::default();
    desk.write("suite/mine.txt", "mine");
    let wanted = Plain { template: Some("{q}".to_owned()), ..plain(&desk, "rows.jsonl", LINES) };
    let error = import(&wanted, &desk.options()).unwrap_err();
    assert_eq!(error.code(), "import-folder-exists");
    assert_eq!(texts(&desk.path("suite"), "mine.txt"), "mine");
    assert!(!desk.path("suite/suite.toml").exists());
}

#[test]
fn a_parquet_file_that_this_project_wrote_is_read() {
    let records: Vec<bench_samples::SampleRecord> = (0..3)
        .map(|n| {
            bench_samples::SampleRecord::new("t", format!("i{n}"), 0, json!({}), Vec::new(), json!(format!("é{n}")))
        })
        .collect();
    let desk = Desk::default();
    let path = desk.path("rows.parquet");
    bench_samples::export::write(bench_samples::export::Form::Parquet, &records, &Default::default(), &path).unwrap();
    let wanted = Plain {
        file: path.clone(),
        template: Some("{task}".to_owned()),
        scorer: "includes".to_owned(),
        ..Plain::default()
    };
    let (_, items) = only(&import(&wanted, &desk.options()).unwrap());
    assert_eq!((items.len(), &items[2]["id"]), (3, &json!("i2")));
    let bytes = std::fs::read(&path).unwrap();
    for length in [0, 4, 10, bytes.len() / 2, bytes.len() - 1] {
        let desk = Desk::default();
        let wanted = Plain { file: desk.write("cut.parquet", &bytes[..length]), ..wanted.clone() };
        refused(&desk, import(&wanted, &desk.options()), "import-unreadable", &["cut.parquet"]);
    }
}
