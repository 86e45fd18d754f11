//! Test scorers and samples for them.
#![allow(dead_code, clippy::allow_attributes, reason = "each test binary uses its own part")]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bench_grade::{GradeOptions, Grader, Verify};
use bench_plugin::scorer_types::{Reason, Sample, Verdict};
use bench_plugin::{Host, HostOptions, Limits, Plugin};

/// Compiles once for all tests of a binary, and once for all binaries.
pub static HOST: LazyLock<Host> = LazyLock::new(|| {
    Host::new(HostOptions { cache: Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled")) })
});

/// A test scorer, whose samples may use little.
pub fn plugin(case: &str) -> Plugin {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../plugin/tests/guests/{case}.wasm"));
    HOST.load(&std::fs::read(path).unwrap(), Limits { fuel: 200_000_000, ..Limits::DEFAULT }).unwrap()
}

/// By so many threads.
pub fn by(workers: usize, verify: Verify) -> GradeOptions {
    GradeOptions { workers: Some(workers), verify, ..GradeOptions::default() }
}

pub fn grader(plugin: &Plugin, options: GradeOptions) -> Grader<'_> {
    Grader::new(plugin, "{}", options).unwrap()
}

pub fn sample(id: &str, answer: &str) -> Sample {
    Sample {
        id: id.to_owned(),
        epoch: 0,
        prompt: Vec::new(),
        target: "42".to_owned(),
        answer: Some(answer.to_owned()),
        reasoning: None,
        tool_calls: Vec::new(),
        finish: None,
        likelihoods: Vec::new(),
        metadata: "{}".to_owned(),
    }
}

/// So many samples, every third of which is right, except those that are given.
pub fn samples(count: usize, others: &[(usize, &str)]) -> Vec<Sample> {
    let answer = |number: usize| {
        let other = others.iter().find(|(place, _)| *place == number).map(|(_, answer)| *answer);
        other.unwrap_or(if number.is_multiple_of(3) { "42" } else { "43" })
    };
    (0..count).map(|number| sample(&format!("item-{number:05}"), answer(number))).collect()
}

/// Code of the problem that kept a scorer from grading.
pub fn code(verdict: &Verdict) -> Option<&str> {
    match &verdict.reason {
        Reason::GraderFailed(problem) => Some(&problem.code),
        _ => None,
    }
}

/// A verdict as bytes, for what must be equal to the last bit.
pub fn bytes(verdicts: &[Verdict]) -> Vec<u8> {
    let one = |verdict: &Verdict| format!("{:016x} {verdict:?}\n", verdict.value.to_bits());
    verdicts.iter().map(one).collect::<String>().into_bytes()
}
