//! Appending and reading, and what can be wrong with a log.

use std::fs;
use std::io::Write as _;

use bench_samples::{
    Durability, Key, Limits, LineErrorKind, Loaded, Log, Reader, SamplesError, collect, load, missing, open,
};

use super::fixture::sample;

fn line(id: &str) -> String {
    serde_json::to_string(&sample(id, 0, 1.0)).unwrap()
}

fn read(bytes: &[u8], limits: Limits) -> Result<Loaded, bench_samples::LineError> {
    collect(Reader::new(bytes, limits))
}

#[test]
fn what_was_appended_is_there_after_the_program_died() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("samples/sums.jsonl");
    let mut log = Log::open(&path, Durability::Each).unwrap().log;
    for id in ["1", "2", "3"] {
        log.append(&sample(id, 0, 1.0)).unwrap();
    }
    // As a program that is killed leaves it: nothing is closed, and the last line ends in the middle.
    std::mem::forget(log);
    let whole = fs::read(&path).unwrap();
    for cut in [1, 20, whole.len() / 3 - 1] {
        let copy = folder.path().join(format!("cut-{cut}.jsonl"));
        fs::write(&copy, &whole[..whole.len() - cut]).unwrap();
        let loaded = load(&copy, Limits::default()).unwrap();
        let opened = Log::open(&copy, Durability::AtEnd).unwrap();
        // A line that only lacks its end is whole.
        let kept = if cut == 1 { 3 } else { 2 };
        assert_eq!((loaded.records.len(), loaded.torn.is_some()), (kept, cut > 1));
        assert_eq!((opened.records.len(), opened.dropped.is_some()), (kept, cut > 1));
        let mut log = opened.log;
        if kept == 2 {
            log.append(&sample("3", 0, 1.0)).unwrap();
        }
        log.append(&sample("4", 0, 0.0)).unwrap();
        log.finish().unwrap();
        let ids: Vec<String> = load(&copy, Limits::default()).unwrap().records.into_iter().map(|s| s.id).collect();
        assert_eq!(ids, ["1", "2", "3", "4"]);
    }
}

#[test]
fn a_torn_line_longer_than_a_block_is_dropped_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sums.jsonl");
    fs::write(&path, format!("{}\n{{\"schema\": 1, \"task\": \"{}", line("1"), "x".repeat(200_000))).unwrap();
    let opened = Log::open(&path, Durability::AtEnd).unwrap();
    assert_eq!(opened.records.len(), 1);
    assert!(opened.dropped.unwrap() > 200_000);
    assert_eq!(fs::read_to_string(&path).unwrap(), line("1") + "\n");
}

#[test]
fn a_sample_is_logged_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sums.jsonl");
    let mut log = Log::open(&path, Durability::Every(2)).unwrap().log;
    log.append(&sample("1", 0, 1.0)).unwrap();
    log.append(&sample("1", 1, 1.0)).unwrap();
    let error = log.append(&sample("1", 0, 0.0)).unwrap_err();
    assert_eq!(error.code(), "duplicate-sample");
    assert!(log.has(&sample("1", 1, 0.0).key()) && !log.has(&sample("2", 0, 0.0).key()));
    let mut nameless = sample("1", 0, 1.0);
    nameless.id.clear();
    assert_eq!(log.append(&nameless).unwrap_err().code(), "unwritable-samples");
}

#[test]
fn nobody_else_writes_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sums.jsonl");
    let first = Log::open(&path, Durability::Each).unwrap();
    assert!(matches!(Log::open(&path, Durability::Each), Err(SamplesError::InUse { .. })));
    drop(first);
    assert!(Log::open(&path, Durability::Each).is_ok());
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let newer = line("2").replacen("\"schema\":1", "\"schema\":9", 1);
    let altered = line("2").replace("2?", "3?");
    let nameless = line("2").replacen("\"id\":\"2\"", "\"id\":\"\"", 1);
    let mut binary = line("2").into_bytes();
    binary.splice(3..3, [0xff, 0xfe]);
    let again = line("1");
    let cases: [(&str, &[u8]); 6] = [
        ("duplicate-sample", again.as_bytes()),
        ("not-a-sample", b"{}"),
        ("newer-sample", newer.as_bytes()),
        ("altered-sample", altered.as_bytes()),
        ("sample-without-id", nameless.as_bytes()),
        ("sample-not-utf8", &binary),
    ];
    for (code, bad) in cases {
        let mut bytes = line("1").into_bytes();
        bytes.extend_from_slice(b"\n\n");
        bytes.extend_from_slice(bad);
        bytes.push(b'\n');
        let error = read(&bytes, Limits::default()).unwrap_err();
        assert_eq!((error.code(), error.line), (code, 3), "{error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn damage_before_the_end_is_not_mended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sums.jsonl");
    let text = format!("{}\n{{\"schema\": 1, \n{}\n", line("1"), line("2"));
    fs::write(&path, &text).unwrap();
    let error = Log::open(&path, Durability::Each).unwrap_err();
    assert_eq!(error.code(), "not-a-sample");
    assert!(error.to_string().contains("sums.jsonl, line 2: "), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "nothing was touched");
}

#[test]
fn sizes_are_bounded() {
    let text = format!("{}\n{}\n", line("1"), line("2"));
    let length = line("1").len() as u64;
    let with = |line_bytes, file_bytes, lines| Limits { line_bytes, file_bytes, lines, ..Limits::default() };
    assert_eq!(read(text.as_bytes(), with(length, 2 * length + 2, 2)).unwrap().records.len(), 2);
    let code = |limits| read(text.as_bytes(), limits).unwrap_err().code();
    assert_eq!(code(with(length - 1, 1 << 20, 9)), "sample-too-long");
    assert_eq!(code(with(length, 2 * length + 1, 9)), "samples-too-large");
    assert_eq!(code(with(length, 1 << 20, 1)), "samples-too-large");
    // After an error that leaves no way to go on there is an end.
    assert_eq!(Reader::new(text.as_bytes(), with(4, 1 << 20, 9)).count(), 1);
}

#[test]
fn an_answer_of_ten_megabytes_is_a_sample_like_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sums.jsonl");
    let mut long = sample("1", 0, 0.0);
    long.answer = Some("ü\n".repeat(4 << 20));
    let mut log = Log::open(&path, Durability::AtEnd).unwrap().log;
    log.append(&long).unwrap();
    log.finish().unwrap();
    assert_eq!(load(&path, Limits::default()).unwrap().records, [long]);
}

#[test]
fn lines_of_bad_and_good_samples_are_told_apart_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sums.jsonl");
    let mut file = fs::File::create(&path).unwrap();
    writeln!(file, "{}\r\nnonsense\n{}\n{{\"sch", line("1"), line("2")).unwrap();
    let found: Vec<_> =
        open(&path, Limits::default()).unwrap().map(|line| line.map_err(|error| error.code())).collect();
    let ids: Vec<Result<&str, &str>> =
        found.iter().map(|line| line.as_ref().map(|s| s.id.as_str()).map_err(|code| *code)).collect();
    assert_eq!(ids, [Ok("1"), Err("not-a-sample"), Ok("2"), Err("not-a-sample")]);
}

#[test]
fn samples_that_are_missing_are_named() {
    let there = [sample("1", 0, 1.0), sample("2", 1, 1.0)];
    let key = |id: &str, epoch| Key { task: "sums".to_owned(), id: id.to_owned(), epoch };
    assert_eq!(missing(&there, "sums", ["1", "2"], 2), [key("1", 1), key("2", 0)]);
    assert_eq!(missing(&there, "other", ["1"], 1).len(), 1);
    assert_eq!(missing(&there, "sums", ["1"], 1), []);
}

#[test]
fn a_log_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/sums.jsonl");
    let samples = [sample("1", 0, 1.0), sample("2", 0, 0.0)];
    bench_samples::write(&path, &samples).unwrap();
    bench_samples::write(&path, &samples[1..]).unwrap();
    assert_eq!(load(&path, Limits::default()).unwrap().records, samples[1..]);
    let mut nameless = sample("", 0, 1.0);
    nameless.id.clear();
    assert!(bench_samples::write(&path, [&samples[0], &nameless]).is_err());
    assert_eq!(load(&path, Limits::default()).unwrap().records, samples[1..], "what was there is still there");
    assert!(matches!(parse_kind(b"[]"), LineErrorKind::NotASample(_)));
}

fn parse_kind(line: &[u8]) -> LineErrorKind {
    bench_samples::parse(line).unwrap_err()
}
