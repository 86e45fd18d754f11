//! Files that were made to do harm.

use bench_import::bfcl::{self, Bfcl};
use bench_import::code::{self, Code};
use bench_import::lm_eval::{self, LmEval};
use bench_import::plain::{self, Plain};

use super::{Desk, only, refused};

fn yaml(desk: &Desk, content: &str) -> LmEval {
    LmEval { task: desk.write("tasks/t.yaml", content).to_str().unwrap().to_owned(), ..LmEval::default() }
}

#[test]
fn paths_in_a_file_stay_in_its_folder() {
    for path in ["../secret.yaml", "/etc/passwd", "a/../../secret.yaml", "..\\secret.yaml", "C:secret.yaml"] {
        let desk = Desk::default();
        desk.write("secret.yaml", "task: x\n");
        let task = yaml(&desk, &format!("task: t\ninclude: '{path}'\n"));
        refused(&desk, lm_eval::import(&task, &desk.options()), "import-path-outside", &[path]);
        let task = yaml(
            &desk,
            &format!(
                "task: t\ntest_split: test\ndoc_to_text: x\ndataset_path: json\ndataset_kwargs: {{data_files: {{test: '{path}'}}}}\n"
            ),
        );
        refused(&desk, lm_eval::import(&task, &desk.options()), "import-path-outside", &[path]);
    }
}

#[cfg(unix)]
#[test]
fn links_lead_nowhere_else() {
    let desk = Desk::default();
    desk.write("secret.yaml", "doc_to_text: x\n");
    let task = yaml(&desk, "task: t\ninclude: link.yaml\n");
    std::os::unix::fs::symlink(desk.path("secret.yaml"), desk.path("tasks/link.yaml")).unwrap();
    refused(&desk, lm_eval::import(&task, &desk.options()), "import-path-outside", &["link.yaml"]);
}

#[test]
fn includes_in_a_circle_end() {
    let desk = Desk::default();
    desk.write("tasks/a.yaml", "include: t.yaml\n");
    let task = yaml(&desk, "task: t\ninclude: a.yaml\n");
    refused(&desk, lm_eval::import(&task, &desk.options()), "import-unreadable", &["includes itself"]);
}

#[test]
fn templates_that_never_end_are_stopped() {
    let desk = Desk::default();
    desk.write("tasks/r.jsonl", "{\"q\": \"x\"}\n");
    let endless = "{% for a in range(100000) %}{% for b in range(100000) %}{{q}}{% endfor %}{% endfor %}";
    let task = yaml(
        &desk,
        &format!(
            "task: t\ntest_split: test\ndoc_to_text: \"{endless}\"\ndoc_to_target: y\ndataset_path: json\ndataset_kwargs: {{data_files: {{test: r.jsonl}}}}\n"
        ),
    );
    refused(&desk, lm_eval::import(&task, &desk.options()), "import-template", &["doc_to_text"]);
}

#[test]
fn archives_that_are_none_are_refused() {
    let desk = Desk::default();
    for content in [&b""[..], b"PK\x03\x04", b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0"] {
        let from = Some(desk.write("x.whl", content));
        refused(
            &desk,
            bfcl::import(&Bfcl { from, ..Bfcl::default() }, &desk.options()),
            "import-unreadable",
            &["x.whl"],
        );
    }
    let file = desk.write("x.jsonl.gz", b"\x1f\x8b\x08 not gzip");
    refused(
        &desk,
        code::import(&Code { file: Some(file), ..Code::default() }, &desk.options()),
        "import-unreadable",
        &["x.jsonl.gz"],
    );
}

#[test]
fn a_line_of_ten_megabytes_is_an_item() {
    let desk = Desk::default();
    let long = "é".repeat(5_000_000);
    let file = desk.write("r.jsonl", format!("{{\"id\": 1, \"question\": \"{long}\", \"answer\": \"x\"}}\n"));
    let wanted = Plain { file, scorer: "includes".to_owned(), ..Plain::default() };
    let (_, items) = only(&plain::import(&wanted, &desk.options()).unwrap());
    assert_eq!(items[0]["question"].as_str().unwrap().len(), 10_000_000);
}

#[test]
fn names_are_no_paths() {
    let desk = Desk::default();
    let file = desk.write("r.jsonl", "{\"id\": 1, \"question\": \"?\", \"answer\": \"x\"}\n");
    let wanted = Plain { file, scorer: "includes".to_owned(), ..Plain::default() };
    for name in ["../evil", "a/b", "Ä", ""] {
        let options = bench_import::Options { name: Some(name.to_owned()), ..desk.options() };
        refused(&desk, plain::import(&wanted, &options), "suite-value-invalid", &["name"]);
    }
}
