//! What went wrong with a sample, by table.

use bench_samples::failures::{Failure, classify, count};
use bench_samples::{Reason, SampleRecord, Status, ToolCallRecord};

use super::fixture::{sample, verdict};

fn graded(reason: Reason) -> SampleRecord {
    let mut sample = sample("1", 0, 0.0);
    sample.verdict = Some(verdict(Some(0.0), reason));
    sample
}

fn called(reason: Reason, arguments: &str) -> SampleRecord {
    let mut sample = graded(reason);
    sample.tool_calls =
        vec![ToolCallRecord { id: "1".to_owned(), name: "add".to_owned(), arguments: arguments.to_owned() }];
    sample
}

fn answered(reason: Reason, answer: &str) -> SampleRecord {
    SampleRecord { answer: Some(answer.to_owned()), ..graded(reason) }
}

fn ended(finish: &str) -> SampleRecord {
    SampleRecord { finish: Some(finish.to_owned()), ..graded(Reason::Wrong) }
}

fn failed(code: &str) -> SampleRecord {
    let status = Status::Failed { code: code.to_owned(), message: String::new() };
    SampleRecord { status, ..sample("1", 0, 0.0) }
}

fn gone(code: &str) -> SampleRecord {
    let status = Status::Unscored { code: code.to_owned(), message: String::new() };
    SampleRecord { status, verdict: None, ..sample("1", 0, 0.0) }
}

fn explained(words: &str) -> SampleRecord {
    let mut sample = called(Reason::Wrong, "{}");
    sample.verdict.as_mut().unwrap().explanation = Some(words.to_owned());
    sample
}

#[test]
fn every_way_to_fail_has_its_word() {
    let other = |word: &str| Reason::Other(word.to_owned());
    let cases = [
        (sample("1", 0, 1.0), None),
        (SampleRecord { verdict: None, ..sample("1", 0, 1.0) }, None),
        (graded(Reason::Wrong), Some(Failure::WrongAnswer)),
        (graded(Reason::PartlyCorrect), Some(Failure::PartlyCorrect)),
        (graded(Reason::Refused), Some(Failure::Refusal)),
        (graded(Reason::NoResponse), Some(Failure::NoResponse)),
        (graded(Reason::Truncated), Some(Failure::Truncated)),
        (graded(Reason::TimedOut), Some(Failure::TimeOut)),
        (graded(Reason::OutOfResources), Some(Failure::OutOfResources)),
        (graded(Reason::Forbidden), Some(Failure::Forbidden)),
        (graded(Reason::Tampered), Some(Failure::Forbidden)),
        (graded(Reason::GraderFailed), Some(Failure::GraderFailed)),
        (graded(Reason::InvalidFormat), Some(Failure::InvalidFormat)),
        (ended("length"), Some(Failure::Truncated)),
        (ended("content-filter"), Some(Failure::Refusal)),
        (answered(Reason::InvalidFormat, "{\"a\": "), Some(Failure::MalformedJson)),
        (answered(Reason::InvalidFormat, "```json\n[1,]\n```"), Some(Failure::MalformedJson)),
        (answered(Reason::InvalidFormat, "```json\n[1]\n```"), Some(Failure::InvalidFormat)),
        (called(Reason::InvalidFormat, "{\"a\": "), Some(Failure::MalformedJson)),
        (called(Reason::Wrong, "{\"a\": "), Some(Failure::MalformedJson)),
        (called(Reason::Wrong, "{\"a\": 1}"), Some(Failure::WrongAnswer)),
        (called(other("wrong-arguments"), "{\"a\": 1}"), Some(Failure::WrongArguments)),
        (called(other("type_error:simple"), "{\"a\": 1}"), Some(Failure::WrongArguments)),
        (called(other("simple_function_checker:wrong_func_name"), "{}"), Some(Failure::WrongCall)),
        (explained("value_error:string: `a` is not b"), Some(Failure::WrongArguments)),
        (graded(other("bored")), Some(Failure::WrongAnswer)),
        (failed("http-500"), Some(Failure::RequestFailed)),
        (failed("response-timeout"), Some(Failure::TimeOut)),
        (gone("connection-refused"), Some(Failure::RequestFailed)),
        (gone("stalled"), Some(Failure::TimeOut)),
    ];
    for (sample, expected) in &cases {
        assert_eq!(classify(sample), *expected, "{:?} {:?}", sample.verdict, sample.status);
    }
    let counts = count(cases.iter().map(|(sample, _)| sample));
    assert!(counts.windows(2).all(|pair| pair[0].1 >= pair[1].1));
    assert_eq!(
        counts.iter().map(|(_, count)| count).sum::<u64>(),
        cases.iter().filter(|case| case.1.is_some()).count() as u64
    );
}

#[test]
fn every_failure_has_a_name_and_a_meaning() {
    for (failure, name, meaning) in Failure::TABLE {
        assert_eq!((failure.name(), failure.meaning()), (name, meaning));
        assert_eq!(serde_json::to_value(failure).unwrap(), name);
    }
}

#[test]
fn a_value_that_is_no_number_is_the_graders_failure() {
    let mut sample = graded(Reason::Wrong);
    sample.verdict.as_mut().unwrap().value = None;
    assert_eq!(classify(&sample), Some(Failure::GraderFailed));
}
