//! What is written for other tools, and that it reads back.

use std::fs;
use std::path::Path;

use bench_samples::export::{About, Form, text, write};
use bench_samples::import::import;
use bench_samples::{LikelihoodRecord, Limits, MessageRecord, Reason, SampleRecord, SubScore};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::RowAccessor as _;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixture::{any_sample, fixture, sample, verdict};

fn about() -> About {
    About { created: Some("2026-01-02T03:04:05Z".to_owned()), model: None, version: "0.1.0".to_owned() }
}

fn back(path: &Path) -> Vec<SampleRecord> {
    import(path, Limits::default()).unwrap().records
}

fn samples() -> Vec<SampleRecord> {
    let mut unscored = sample("2", 0, 0.0);
    unscored.verdict = Some(verdict(None, Reason::GraderFailed));
    let mut other = sample("1", 0, 1.0);
    other.task = "of/kinds".to_owned();
    other.prompt = vec![MessageRecord::new("user", "=1+1, \"quoted\"\nline")];
    other.answer = Some("-5".to_owned());
    other.seal();
    vec![sample("1", 0, 1.0), sample("1", 1, 0.0), unscored, other]
}

#[test]
fn inspect_logs_read_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    for form in [Form::Inspect, Form::InspectJson] {
        let files = write(form, &samples(), &about(), &folder.path().join(form.name())).unwrap();
        let names: Vec<_> = files.iter().map(|file| file.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        assert_eq!(names, ["sums", "of_kinds"]);
        let read: Vec<SampleRecord> = files.iter().flat_map(|file| back(file)).collect();
        assert_eq!(read, samples());
    }
    let file = folder.path().join("all.eval");
    assert_eq!(write(Form::Inspect, &samples(), &about(), &file).unwrap_err().code(), "unwritable-samples");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_sample_survives_inspect(sample in any_sample()) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sums.eval");
        write(Form::Inspect, std::slice::from_ref(&sample), &about(), &file).unwrap();
        prop_assert_eq!(back(&file), [sample]);
    }

    #[test]
    fn any_sample_can_be_written_in_every_form(sample in any_sample()) {
        let folder = tempfile::tempdir().unwrap();
        for (form, name) in Form::TABLE {
            let written = write(form, std::slice::from_ref(&sample), &about(), &folder.path().join(name)).unwrap();
            prop_assert!(written.iter().all(|path| path.is_file()));
        }
    }
}

#[test]
fn a_log_that_inspect_graded_again_has_the_new_grade() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sums.json");
    write(Form::InspectJson, &[sample("1", 0, 1.0)], &about(), &file).unwrap();
    let mut log: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    log["samples"][0]["scores"]["exact-match"]["value"] = json!("I");
    fs::write(&file, log.to_string()).unwrap();
    let read = back(&file);
    let verdict = read[0].verdict.as_ref().unwrap();
    assert_eq!((verdict.value, &verdict.reason, &verdict.scorer.sha256), (Some(0.0), &Reason::Wrong, &None));
    assert_eq!(read[0].document, sample("1", 0, 1.0).document);
}

#[test]
fn an_archive_has_the_same_bytes_every_time() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = |name: &str| {
        let file = folder.path().join(name);
        write(Form::Inspect, &samples()[..3], &about(), &file).unwrap();
        fs::read(file).unwrap()
    };
    assert_eq!(bytes("a.eval"), bytes("b.eval"));
}

#[test]
fn recorded_logs_of_other_tools_go_through_inspect_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["inspect/sums.eval", "lm-eval"] {
        let records = back(&fixture(name));
        let out = folder.path().join(name.replace('/', "-"));
        let files = write(Form::Inspect, &records, &about(), &out).unwrap();
        let read: Vec<SampleRecord> = files.iter().flat_map(|file| back(file)).collect();
        assert_eq!(read.len(), records.len());
        for record in &records {
            assert!(read.contains(record), "{}", record.key());
        }
    }
}

#[test]
fn lm_eval_logs_are_written_as_that_tool_writes_them() {
    let folder = tempfile::tempdir().unwrap();
    let original = fixture("lm-eval");
    let records = back(&original);
    let files = write(Form::LmEval, &records, &about(), folder.path()).unwrap();
    let names: Vec<String> =
        files.iter().map(|file| file.strip_prefix(folder.path()).unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(
        names,
        [
            "scripted/results_2026-01-02T03-04-05.000000.json",
            "scripted/samples_kinds_2026-01-02T03-04-05.000000.jsonl",
            "scripted/samples_sums_2026-01-02T03-04-05.000000.jsonl"
        ]
    );
    let lines = |path: &Path| -> Vec<Value> {
        fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let theirs = fs::read_dir(&original).unwrap().map(|entry| entry.unwrap().path());
    for theirs in theirs.filter(|path| path.extension().unwrap() == "jsonl") {
        let ours = files.iter().find(|file| {
            let task = |path: &Path| path.file_name().unwrap().to_string_lossy().split('_').nth(1).unwrap().to_owned();
            task(file) == task(&theirs)
        });
        let (ours, theirs) = (lines(ours.unwrap()), lines(&theirs));
        assert_eq!(ours.len(), theirs.len());
        // The order of a document's lines, each filter's after the other's, is the tool's too.
        for (ours, theirs) in ours.iter().zip(&theirs) {
            for (name, value) in theirs.as_object().unwrap() {
                match name.as_str() {
                    // Settings of the request are not logged by this program, nor what each of several filters made of it.
                    "arguments" => assert_eq!(ours[name]["gen_args_0"]["arg_0"], value["gen_args_0"]["arg_0"]),
                    "filtered_resps" if theirs["filter"] == "flexible" => {}
                    _ => assert_eq!(&ours[name], value, "{name} of {theirs}"),
                }
            }
        }
    }
    let results: Value = serde_json::from_slice(&fs::read(&files[0]).unwrap()).unwrap();
    let recorded: Value = fs::read_dir(&original)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().unwrap() == "json")
        .map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
        .unwrap();
    assert_eq!(results["task_hashes"], recorded["task_hashes"]);
    assert_eq!(results["n-samples"], recorded["n-samples"]);
    for key in ["exact_match,strict", "exact_match,flexible"] {
        assert_eq!(results["results"]["sums"][key], recorded["results"]["sums"][key]);
    }
    // And what was written reads as what was read.
    assert_eq!(back(&folder.path().join("scripted")).len(), records.len());
}

#[test]
fn lm_eval_gets_repeats_and_continuations() {
    let folder = tempfile::tempdir().unwrap();
    let mut likely = sample("q", 0, 1.0);
    likely.task = "kinds".to_owned();
    likely.likelihoods = vec![LikelihoodRecord {
        text: " a".to_owned(),
        logprob: None,
        tokens: 1,
        greedy: Some(true),
        unconditional: Some(-0.00001),
    }];
    let all = [sample("1", 0, 1.0), sample("1", 1, 0.0), likely];
    let files = write(Form::LmEval, &all, &about(), folder.path()).unwrap();
    let line =
        |file: usize| -> Value { serde_json::from_str(fs::read_to_string(&files[file]).unwrap().trim()).unwrap() };
    assert_eq!(line(1)["resps"], json!([["It is 42.", "It is 42."]]));
    assert_eq!(line(1)["exact_match"], json!(0.5));
    assert_eq!(line(2)["resps"], json!([[["-inf", "True"]], [["-1e-05", "False"]]]));
    let results: Value = serde_json::from_slice(&fs::read(&files[0]).unwrap()).unwrap();
    assert_eq!(results["results"]["sums"]["exact_match_stderr,none"], "N/A");
    let read = back(&folder.path().join("tiny"));
    assert_eq!(read.iter().filter(|record| record.task == "sums").count(), 2);
    let back = read.iter().find(|record| record.task == "kinds").unwrap();
    assert_eq!((back.likelihoods[0].logprob, back.likelihoods[0].unconditional), (None, Some(-0.00001)));
}

#[test]
fn csv_has_a_line_for_each_sample_and_no_formulas() {
    let csv = text(Form::Csv, &samples()).unwrap();
    assert!(csv.starts_with("task,id,epoch,model,"));
    assert!(csv.contains("\nof/kinds,1,0,tiny,"));
    assert!(csv.contains(",-5,"), "a negative number is one");
    let mut formula = sample("1", 0, 1.0);
    formula.answer = Some("=HYPERLINK(\"x\")".to_owned());
    assert!(text(Form::Csv, &[formula]).unwrap().contains("\"'=HYPERLINK(\"\"x\"\")\""));
    assert_eq!(text(Form::Parquet, &samples()), None);
    assert_eq!(text(Form::Bench, &samples()).unwrap().lines().count(), 4);
}

#[test]
fn parquet_has_a_row_for_each_sample() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("samples.parquet");
    let mut all = samples();
    all[0].verdict.as_mut().unwrap().sub_scores.push(SubScore {
        name: "f1".to_owned(),
        value: Some(0.5),
        ..SubScore::default()
    });
    write(Form::Parquet, &all, &about(), &path).unwrap();
    let reader = SerializedFileReader::new(fs::File::open(&path).unwrap()).unwrap();
    let names: Vec<String> =
        reader.metadata().file_metadata().schema().get_fields().iter().map(|field| field.name().to_owned()).collect();
    let place = |name: &str| names.iter().position(|known| known == name).unwrap();
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0].get_string(place("answer")).unwrap(), "It is 42.");
    assert_eq!(rows[1].get_double(place("value")).unwrap(), 0.0);
    assert!(rows[2].get_double(place("value")).is_err(), "no value is no number");
    assert_eq!(rows[2].get_string(place("failure")).unwrap(), "grader-failed");
    assert!(rows[0].get_string(place("sub_scores")).unwrap().contains("f1"));
    assert_eq!(rows[3].get_long(place("epoch")).unwrap(), 0);
}
