//! Logs that lm-eval and inspect wrote; `tests/references/logs.py` recorded them.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use bench_samples::import::{Format, Imported, import};
use bench_samples::{Limits, Reason, SampleRecord, SamplesError};
use proptest::prelude::*;
use serde_json::json;

use super::fixture::{fixture, sample};

fn read(path: &Path) -> Imported {
    import(path, Limits::default()).unwrap()
}

fn error(path: &Path) -> SamplesError {
    import(path, Limits::default()).unwrap_err()
}

fn find<'a>(records: &'a [SampleRecord], id: &str, epoch: u32) -> &'a SampleRecord {
    records.iter().find(|record| record.id == id && record.epoch == epoch).unwrap()
}

fn lm_eval_file(task: &str) -> std::path::PathBuf {
    let files = fs::read_dir(fixture("lm-eval")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.to_string_lossy().contains(&format!("samples_{task}_"))).last().unwrap()
}

#[test]
fn lm_eval_generations_with_two_filters() {
    let found = read(&lm_eval_file("sums"));
    assert_eq!((found.format, found.records.len(), found.notes), (Format::LmEval, 4, vec![]));
    let first = find(&found.records, "0", 0);
    assert_eq!((first.task.as_str(), first.model.as_deref()), ("sums", Some("scripted")));
    assert_eq!(first.origin.as_ref().unwrap().version.as_deref(), Some("0.4.13"));
    assert_eq!(first.document["question"], "What is 6 * 7?");
    assert_eq!(first.prompt[0].content, "What is 6 * 7?\nAnswer:");
    assert_eq!(first.target, json!("42"));
    assert_eq!(first.answer.as_deref(), Some("6 * 7 is 42.\n#### 42"));
    let verdict = first.verdict.as_ref().unwrap();
    assert_eq!((verdict.scorer.name.as_str(), verdict.value), ("exact_match,strict", Some(1.0)));
    assert_eq!(verdict.extracted.as_deref(), Some("42"));
    assert_eq!(verdict.sub_scores[0].name, "exact_match,flexible");
    assert_eq!(verdict.sub_scores[0].higher_is_better, Some(true));
    let wrong = find(&found.records, "2", 0).verdict.clone().unwrap();
    assert_eq!((wrong.value, wrong.reason, wrong.extracted.as_deref()), (Some(0.0), Reason::Wrong, Some("[invalid]")));
    assert!(found.records.iter().all(|record| record.wrong_digest().is_none()));
}

#[test]
fn lm_eval_continuations() {
    let found = read(&lm_eval_file("kinds"));
    let second = find(&found.records, "1", 0);
    assert_eq!(second.target, json!(2), "an index among continuations");
    let all: Vec<_> = second.likelihoods.iter().map(|l| (l.text.as_str(), l.logprob, l.greedy)).collect();
    assert_eq!(
        all,
        [(" stone", Some(-3.0), Some(false)), (" red", Some(-2.5), Some(true)), (" seven", Some(-4.125), Some(false))]
    );
    assert_eq!(second.answer, None);
    let verdict = second.verdict.as_ref().unwrap();
    assert_eq!((verdict.scorer.name.as_str(), verdict.value), ("acc,none", Some(0.0)));
}

#[test]
fn an_lm_eval_run_is_its_folder_or_its_results() {
    let folder = read(&fixture("lm-eval"));
    assert_eq!(folder.records.len(), 6);
    let results = fs::read_dir(fixture("lm-eval")).unwrap().map(|entry| entry.unwrap().path());
    let results = results.filter(|path| path.extension().unwrap() == "json").last().unwrap();
    assert_eq!(read(&results).records, folder.records);
}

#[test]
fn edited_lm_eval_logs_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("samples_sums_2026-01-01T00-00-00.000000.jsonl");
    let text = fs::read_to_string(lm_eval_file("sums")).unwrap().replacen("6 * 7?\"", "6 * 8?\"", 1);
    fs::write(&path, &text).unwrap();
    let codes: Vec<&str> = read(&path).notes.iter().map(|note| note.code).collect();
    assert_eq!(codes, ["no-results", "altered-sample"]);
    // The same lines twice are the same samples twice.
    fs::write(&path, text.clone() + &text).unwrap();
    assert_eq!(error(&path).code(), "duplicate-sample");
    // A log that is still being written.
    fs::write(&path, &text[..text.len() - 30]).unwrap();
    assert_eq!(read(&path).notes[1].code, "torn-sample");
}

#[test]
fn lm_eval_log_probabilities_may_be_infinite_and_values_no_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("samples_kinds_2026-01-01T00-00-00.000000.jsonl");
    let line = r#"{"doc_id": 7, "doc": {"weight": NaN}, "target": "0", "arguments": {"gen_args_0": {"arg_0": "q", "arg_1": " a"}, "gen_args_1": {"arg_0": "", "arg_1": " a"}}, "resps": [[["-inf", "False"]], [["-2.5", "False"]]], "filtered_resps": [["-inf", "False"], ["-2.5", "False"]], "filter": "none", "metrics": ["acc", "acc_mutual_info"], "acc": NaN, "acc_mutual_info": Infinity}"#;
    fs::write(&path, line).unwrap();
    let found = read(&path);
    let only = &found.records[0];
    assert_eq!((only.likelihoods[0].logprob, only.likelihoods[0].unconditional), (None, Some(-2.5)));
    let verdict = only.verdict.as_ref().unwrap();
    assert_eq!((verdict.value, &verdict.reason), (None, &Reason::GraderFailed));
    assert_eq!(verdict.sub_scores[0].value, None);
}

#[test]
fn inspect_archives_of_both_compressions_and_plain_json() {
    let zstd = read(&fixture("inspect/sums.eval"));
    assert_eq!((zstd.format, zstd.records.len()), (Format::Inspect, 8));
    assert_eq!(read(&fixture("inspect/sums-deflate.eval")).records, zstd.records);
    let json = read(&fixture("inspect/sums.json"));
    assert_eq!(json.records.len(), 8);
    for records in [&zstd.records, &json.records] {
        let first = find(records, "1", 0);
        assert_eq!((first.model.as_deref(), first.finish.as_deref()), (Some("mockllm/model"), Some("stop")));
        assert_eq!(first.origin.as_ref().unwrap().version.as_deref(), Some("0.3.285"));
        assert_eq!(first.prompt.iter().map(|m| m.role.as_str()).collect::<Vec<_>>(), ["system", "user"]);
        assert_eq!((first.document["level"].as_i64(), first.target.clone()), (Some(0), json!("42")));
        assert_eq!((first.usage.prompt, first.usage.completion, first.usage.reasoning), (Some(11), Some(5), Some(2)));
        let verdict = first.verdict.as_ref().unwrap();
        assert_eq!(
            (verdict.scorer.name.as_str(), verdict.value, &verdict.reason),
            ("match", Some(1.0), &Reason::Correct)
        );
        assert_eq!((verdict.sub_scores[0].name.as_str(), verdict.sub_scores[0].value), ("length", Some(0.5)));

        let thought = find(records, "1", 1);
        assert_eq!(thought.reasoning.as_deref(), Some("six times seven"));
        assert_eq!(thought.finish.as_deref(), Some("length"));
        let silent = find(records, "q2", 1);
        assert_eq!(silent.finish.as_deref(), Some("content-filter"));
        assert_eq!(silent.verdict.as_ref().unwrap().reason, Reason::NoResponse);
        assert_eq!(silent.verdict.as_ref().unwrap().sub_scores[0].value, None);
        let call = find(records, "q3", 1);
        assert_eq!(call.target, json!(["9", "9.0"]));
        assert_eq!(
            (call.tool_calls[0].name.as_str(), call.tool_calls[0].arguments.as_str()),
            ("multiply", r#"{"a":3,"b":3}"#)
        );
    }
    // Long texts are kept apart there.
    assert!(find(&zstd.records, "q3", 0).prompt[0].content.starts_with("Wie viel ist 3 · 3? Think about it."));
}

#[test]
fn files_that_are_no_logs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.jsonl");
    let cases: [(&str, &[u8], &str); 7] = [
        ("x.jsonl", b"", "no-samples"),
        ("x.jsonl", b"\n \n", "no-samples"),
        ("x.jsonl", b"hello\n", "not-a-sample"),
        ("x.jsonl", b"{\"doc_id\": 1, \"resps\": 3, \"arguments\": {}}\n", "not-a-sample"),
        ("x.json", b"{\"results\": {}}", "not-a-sample-log"),
        ("x.json", b"[1, 2", "not-a-sample-log"),
        ("x.eval", b"PK\x03\x04rubbish", "not-a-sample-log"),
    ];
    for (name, bytes, code) in cases {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = error(&path);
        assert_eq!(error.code(), code, "{error}");
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(error(&path).code(), "samples-io");
    assert_eq!(error(folder.path()).code(), "not-a-sample-log");
}

#[test]
fn a_folder_of_our_logs_is_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    bench_samples::write(&folder.path().join("a.jsonl"), &[sample("1", 0, 1.0)]).unwrap();
    let mut other = sample("1", 0, 1.0);
    other.task = "other".to_owned();
    bench_samples::write(&folder.path().join("b.jsonl"), &[other]).unwrap();
    let found = read(folder.path());
    assert_eq!((found.format, found.records.len()), (Format::Bench, 2));
}

#[test]
fn archives_that_unpack_to_more_than_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.eval");
    let mut archive = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Zstd);
    archive.start_file("header.json", options).unwrap();
    archive.write_all(&vec![b' '; 8 << 20]).unwrap();
    archive.finish().unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 10_000);
    let limits = Limits { line_bytes: 1 << 20, ..Limits::default() };
    assert_eq!(import(&path, limits).unwrap_err().code(), "samples-too-large");
}

/// What `killed` leaves: the journal and the samples so far.
#[test]
fn an_archive_of_a_run_that_was_killed_is_read_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("killed.eval");
    let mut old = zip::ZipArchive::new(fs::File::open(fixture("inspect/sums-deflate.eval")).unwrap()).unwrap();
    let mut new = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    for name in ["_journal/start.json", "samples/1_epoch_1.json", "samples/q1_epoch_1.json"] {
        new.raw_copy_file(old.by_name(name).unwrap()).unwrap();
    }
    new.finish().unwrap();
    let found = read(&path);
    assert_eq!((found.records.len(), found.notes[0].code), (2, "unfinished-log"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn damaged_logs_never_panic(name in 0_usize..4, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let source = [fixture("inspect/sums.eval"), fixture("inspect/sums-deflate.eval"), fixture("inspect/sums.json"), lm_eval_file("sums")][name].clone();
        let mut bytes = fs::read(&source).unwrap();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(source.file_name().unwrap());
        fs::write(&path, bytes).unwrap();
        if let Err(error) = import(&path, Limits::default()) {
            prop_assert!(!error.code().is_empty());
        }
    }
}
