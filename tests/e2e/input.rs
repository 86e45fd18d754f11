//! Suites and plugins that cannot be used: refused before anything is sent, with the place that is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use bench_suite::Digest;

use crate::support::{Answer, Bench, Ran, Server, engine, quick, settled};

const CORPUS: &str = "It rained in the harbour town, and the boats lay still between the piers.\n";

fn manifest(digest: &str, more: &str) -> String {
    format!(
        "schema = 1\nname = \"little\"\nversion = \"1.0.0\"\ntitle = \"A little suite\"\nlicence = \"CC0-1.0\"\nmin-host = \">=0.1.0\"\n\
         [corpora.prose]\nfile = \"prose.txt\"\nsha256 = \"{digest}\"\nlicence = \"CC0-1.0\"\nsource = \"a test\"\n\
         [[workloads]]\nlabel = \"W1\"\nplugin = \"chat-short\"\nversion = \"^0.1\"\n\
         params = {{ prompt-tokens = 64, answer-tokens = 16, repeats = 1, warmup = 0 }}\n{more}\n"
    )
}

fn sound() -> String {
    manifest(&Digest::of(CORPUS.as_bytes()).to_string(), "")
}

/// A suite in the home folder.
fn suite(bench: &Bench, manifest: &str) -> PathBuf {
    bench.write("little/prose.txt", CORPUS);
    bench.write("little/suite.toml", manifest).parent().unwrap().to_owned()
}

/// Runs it against an engine and expects that nothing was asked of it.
#[track_caller]
fn refused(bench: &Bench, suite: &Path, code: &str, words: &[&str]) -> Ran {
    let engine = engine(quick());
    let ran = bench.run(["run", "--plugin", "openai", "--endpoint", &engine.url(), "--suite", suite.to_str().unwrap()]);
    let ran = ran.fails(6, code, words);
    assert_eq!(settled(&engine).connections, 0, "a suite is checked before the engine is asked");
    let shown = bench.run(["suite", "show", suite.to_str().unwrap()]).fails(6, code, words);
    assert_eq!(shown.stderr, ran.stderr);
    ran
}

#[test]
fn a_suite_of_ones_own_runs() {
    let bench = Bench::new();
    let folder = suite(&bench, &sound());
    let engine = engine(quick());
    let ran = bench.run(["run", "--endpoint", &engine.url(), "--suite", folder.to_str().unwrap(), "--json", "-"]);
    let record = ran.exits(0).json();
    assert_eq!(record["suite"]["name"], "little");
    assert_eq!(record["suite"]["quick"], false);
    assert_eq!(record["workloads"].as_array().unwrap().len(), 1);
}

#[test]
fn an_unknown_key() {
    let bench = Bench::new();
    let folder = suite(&bench, &sound().replace("title =", "tittle = \"x\"\ntitle ="));
    refused(&bench, &folder, "suite-manifest-invalid", &["suite.toml", "line 4", "tittle"]).hints("line");
}

#[test]
fn no_toml_at_all() {
    let bench = Bench::new();
    let folder = suite(&bench, "this is = = no toml");
    refused(&bench, &folder, "suite-manifest-invalid", &["suite.toml", "line 1"]);
}

#[test]
fn a_missing_data_file() {
    let bench = Bench::new();
    let folder = suite(&bench, &sound());
    fs::remove_file(folder.join("prose.txt")).unwrap();
    refused(&bench, &folder, "suite-file-missing", &["prose.txt"]).hints("Restore");
}

#[test]
fn a_bad_digest() {
    let bench = Bench::new();
    let folder = suite(&bench, &sound());
    fs::write(folder.join("prose.txt"), "another text\n").unwrap();
    let expected = Digest::of(CORPUS.as_bytes()).to_string();
    refused(&bench, &folder, "suite-digest-mismatch", &["prose.txt", &expected]);
}

#[test]
fn a_data_file_outside_of_the_folder() {
    let bench = Bench::new();
    bench.write("outside.txt", CORPUS);
    for path in ["../outside.txt", "/etc/hostname"] {
        let folder = suite(&bench, &sound().replace("\"prose.txt\"", &format!("\"{path}\"")));
        refused(&bench, &folder, "suite-path-not-allowed", &[path]);
    }
}

#[test]
fn no_suite_there() {
    let bench = Bench::new();
    let nowhere = bench.path("nowhere");
    refused(&bench, &nowhere, "suite-not-found", &["nowhere"]);
    bench.run(["suite", "show", "suite-none"]).fails(6, "suite-unknown", &["suite-none"]).hints("suite-v1");
}

#[test]
fn a_workload_that_the_suite_does_not_have() {
    let bench = Bench::new();
    let engine = engine(quick());
    bench.quick_without_record(&engine.url(), "W9", &[]).fails(2, "unknown-workload", &["W9"]).hints("W1 chat-short");
}

#[test]
fn a_workload_of_another_version() {
    let bench = Bench::new();
    let folder = suite(&bench, &sound().replace("^0.1", "^9.0"));
    let engine = engine(quick());
    let ran =
        bench.run(["run", "--plugin", "openai", "--endpoint", &engine.url(), "--suite", folder.to_str().unwrap()]);
    ran.fails(6, "workload-version", &["chat-short", "^9.0"]);
}

#[test]
fn a_corpus_that_the_suite_does_not_have() {
    let bench = Bench::new();
    let folder = suite(&bench, &sound().replace("[corpora.prose]", "[corpora.verse]"));
    let engine = engine(quick());
    let ran =
        bench.run(["run", "--plugin", "openai", "--endpoint", &engine.url(), "--suite", folder.to_str().unwrap()]);
    assert!(matches!(ran.code, Some(3 | 6)), "{ran}");
    assert!(ran.stderr.contains("prose"), "{ran}");
}

#[test]
fn parameters_that_make_no_sense() {
    let bench = Bench::new();
    let engine = engine(quick());
    for (parameter, exit) in [("answer-tokens", 2), ("=3", 2), ("W9.repeats=3", 2)] {
        let ran = bench.quick_without_record(&engine.url(), "W1", &["--param", parameter]);
        ran.fails(exit, "bad-param", &[parameter]).hints("KEY=VALUE");
    }
    for parameter in ["W1.no-such-key=3", "W1.answer-tokens=\"many\"", "W1.repeats=0", "no_such_key=1"] {
        let ran = bench.quick_without_record(&engine.url(), "W1", &["--param", parameter]);
        assert!(ran.code != Some(0) && !ran.stderr.contains("panicked"), "{parameter}: {ran}");
        let key = parameter.trim_start_matches("W1.").split('=').next().unwrap();
        assert!(ran.stderr.contains(key), "{parameter}: {ran}");
    }
    assert!(bench.runs().is_empty());
}

fn guest(name: &str) -> String {
    format!("{}/../plugin/tests/guests/{name}.wasm", env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn plugin_refused(bench: &Bench, plugin: &str, code: &str, words: &[&str]) -> Ran {
    let engine = engine(quick());
    let ran = bench.run(["run", "--quick", "--plugin", plugin, "--endpoint", &engine.url()]).fails(6, code, words);
    assert_eq!(settled(&engine).connections, 0);
    bench.run(["plugin", "inspect", plugin]).fails(6, code, words);
    ran
}

#[test]
fn plugins_that_are_none() {
    let bench = Bench::new();
    let path = |name: &str| bench.path(name).to_str().unwrap().to_owned();
    bench.write("text.wasm", "hello");
    bench.write("empty.wasm", "");
    bench.write("core.wasm", b"\0asm\x01\0\0\0");
    bench.write("torn.wasm", &fs::read(guest("ok")).unwrap()[..2000]);
    plugin_refused(&bench, &path("text.wasm"), "plugin-not-wasm", &["text.wasm"]).hints("component");
    plugin_refused(&bench, &path("empty.wasm"), "plugin-not-wasm", &["empty.wasm"]);
    plugin_refused(&bench, &path("core.wasm"), "plugin-core-module", &["core.wasm"]).hints("wasm-tools component new");
    plugin_refused(&bench, &path("torn.wasm"), "plugin-invalid", &["torn.wasm"]);
    plugin_refused(&bench, &path("missing.wasm"), "file-unreadable", &["missing.wasm"]);
    plugin_refused(&bench, bench.home().to_str().unwrap(), "not-a-regular-file", &["a folder"]);
    plugin_refused(&bench, "lama-cpp", "plugin-unknown", &["lama-cpp"]).hints("llama-cpp");
}

#[test]
fn plugins_that_do_not_fit() {
    let bench = Bench::new();
    plugin_refused(&bench, &guest("old-version"), "plugin-wrong-version", &["0.0.7"]).hints("rebuild");
    plugin_refused(&bench, &guest("forbidden-import"), "plugin-unknown-import", &["acme:files/read"]);
    plugin_refused(&bench, &guest("wrong-world"), "plugin-no-world", &[]);
}

#[test]
fn a_workload_is_no_driver() {
    let bench = Bench::new();
    let engine = engine(quick());
    let ran = bench.run(["run", "--quick", "--plugin", "chat-short", "--endpoint", &engine.url()]);
    ran.fails(6, "plugin-unknown", &["driver", "chat-short"]);
    let built = format!("{}/../../registry", env!("CARGO_MANIFEST_DIR"));
    let component = find(Path::new(&built), "chat-short").expect("the bundle is committed");
    let ran = bench.run(["run", "--quick", "--plugin", component.to_str().unwrap(), "--endpoint", &engine.url()]);
    ran.fails(6, "plugin-wrong-kind", &["workload", "driver"]);
    bench.run(["plugin", "inspect", component.to_str().unwrap()]).exits(0);
    assert_eq!(settled(&engine).connections, 0);
}

fn find(folder: &Path, part: &str) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).find_map(|path| {
        if path.is_dir() {
            return find(&path, part);
        }
        let named = path.to_str().is_some_and(|text| text.contains(part) && text.ends_with(".wasm"));
        named.then_some(path)
    })
}

#[test]
fn a_driver_that_is_for_another_engine() {
    let bench = Bench::new();
    let engine = engine(quick());
    let ran = bench.run(["run", "--quick", "--plugin", "vllm", "--endpoint", &engine.url()]);
    ran.fails(4, "backend-not-recognised", &["vLLM"]).hints("bench detect");
}

#[test]
fn a_driver_that_traps_wastes_or_lies_ends_the_run_as_its_own_fault() {
    let bench = Bench::new();
    let server = Server::start(|_| Answer::stream([b"data: {}\n\n".as_slice()]));
    let cases = [
        ("trap", "panic", "plugin-trap"),
        ("endless-loop", "calm", "plugin-deadline"),
        ("memory-hog", "calm", "plugin-memory"),
        ("deep-recursion", "calm", "plugin-stack"),
        ("invalid-utf8", "calm", "plugin-bad-value"),
        ("wasi", "wait", "plugin-waited"),
        ("liar", "calm", "plugin-lie"),
    ];
    for (name, model, code) in cases {
        let ran =
            bench.run(["run", "--quick", "--plugin", &guest(name), "--endpoint", &server.url(), "--model", model]);
        ran.fails(5, code, &["test-guest"]);
        let shown = bench.run(["plugin", "inspect", &guest(name), "--json"]).exits(0).json();
        assert_eq!(shown["identity"]["name"], "test-guest");
        assert_eq!(shown["identity"]["kind"], "driver");
    }
}
