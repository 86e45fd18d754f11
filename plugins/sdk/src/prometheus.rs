//! The Prometheus text format, as far as counters need it.

use crate::driver::{Counter, CounterKind};
use crate::types::HttpResponse;

/// Bytes and samples that are looked at; real servers stay far below.
const LONGEST: usize = 8 << 20;
const MOST: usize = 100_000;

/// One sample: the metric's name, its labels as they stand between the braces, and its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample<'a> {
    /// Name of the metric.
    pub name: &'a str,
    /// Text between the braces; empty without labels.
    pub labels: &'a str,
    /// The value; NaN and infinities occur.
    pub value: f64,
}

/// The samples of a scrape. Lines that are not samples are passed over; bytes after the first 8 MiB are not looked at.
pub fn samples(body: &[u8]) -> impl Iterator<Item = Sample<'_>> {
    let body = body.get(..LONGEST).unwrap_or(body);
    body.split(|byte| *byte == b'\n').filter_map(|line| sample(std::str::from_utf8(line).ok()?.trim())).take(MOST)
}

fn sample(line: &str) -> Option<Sample<'_>> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (name, labels, rest) = match line.find(['{', ' ', '\t'])? {
        at if line.get(at..)?.starts_with('{') => {
            let close = at + closing(line.get(at..)?)?;
            (line.get(..at)?, line.get(at + 1..close)?, line.get(close + 1..)?)
        }
        at => (line.get(..at)?, "", line.get(at..)?),
    };
    let value = rest.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Sample { name, labels, value })
}

/// Offset of the brace that closes the labels, past any inside quoted label values.
fn closing(labels: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    labels.bytes().position(|byte| {
        let end = byte == b'}' && !quoted;
        quoted ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    })
}

/// Sums the samples of each wanted name over their labels, for servers with several engines or models. A name that the
/// scrape does not hold gives no counter.
pub fn counters(answer: Option<&HttpResponse>, wanted: &[(&str, CounterKind)]) -> Vec<Counter> {
    let Some(answer) = answer.filter(|answer| crate::http::is_success(answer)) else { return Vec::new() };
    let mut sums: Vec<Option<f64>> = vec![None; wanted.len()];
    for sample in samples(&answer.body).filter(|sample| sample.value.is_finite()) {
        for ((name, _), sum) in wanted.iter().zip(&mut sums) {
            if *name == sample.name {
                *sum = Some(sum.unwrap_or(0.0) + sample.value);
            }
        }
    }
    let found = wanted.iter().zip(sums);
    found
        .filter_map(|((name, kind), sum)| Some(Counter { kind: *kind, name: (*name).to_owned(), value: sum? }))
        .collect()
}
