//! What to know about the numbers: flags, failures, and the state of the machine.

use std::collections::BTreeMap;

use bench_metrics::Flag;
use bench_record::{Problem, RunRecord};

use super::words::{Table, name_of};
use crate::text::{count, esc, put};

/// Places that a note names.
const PLACES: usize = 6;

/// Kinds of failures that are listed.
const KINDS: usize = 100;

/// The section of notes, where there is something to note.
pub(crate) fn notes(page: &mut String, record: &RunRecord) {
    let flags = flags(record);
    let failures = failures(record);
    let quiet =
        flags.is_empty() && failures.is_empty() && record.condition_flags.is_empty() && record.problems.is_empty();
    if quiet {
        return;
    }
    page.push_str("<section><h2>What to know about these numbers</h2>");
    let mut table = Table::new(&["Failure", "Where", "How often"], 2);
    for (code, seen) in failures.iter().take(KINDS) {
        table.row(vec![told(code, seen.example), places(&seen.places), count(seen.count)]);
    }
    table.write(page);
    let mut table = Table::new(&["Note", "Where", "Requests"], 2);
    for (code, seen) in flags.iter().take(KINDS) {
        let flag = Flag::ALL.iter().find(|flag| flag.code() == *code).copied();
        let words = flag.map_or_else(
            || esc(code).to_string(),
            |flag| format!("{}<small>{} <code>{}</code></small>", esc(flag.sentence()), esc(flag.hint()), esc(code)),
        );
        table.row(vec![words, places(&seen.places), count(seen.count)]);
    }
    table.write(page);
    let machine = record.condition_flags.iter().map(|note| (&note.code, &note.message, &note.hint));
    let problems = record.problems.iter().map(|problem| (&problem.code, &problem.message, &problem.hint));
    let all: Vec<_> = machine.chain(problems).take(KINDS).collect();
    if !all.is_empty() {
        page.push_str("<ul>");
        for (code, message, hint) in all {
            put!(page, "<li>{} {} <code>{}</code></li>", esc(message), esc(hint.as_deref().unwrap_or("")), esc(code));
        }
        page.push_str("</ul>");
    }
    page.push_str("</section>");
}

/// Where something was seen.
#[derive(Default)]
struct Seen<'a> {
    count: u64,
    places: Vec<String>,
    example: Option<&'a Problem>,
}

fn flags(record: &RunRecord) -> BTreeMap<&str, Seen<'_>> {
    let mut found: BTreeMap<&str, Seen<'_>> = BTreeMap::new();
    for workload in &record.workloads {
        for phase in &workload.phases {
            for flag in &phase.summary.flags {
                let seen = found.entry(&flag.code).or_default();
                seen.count += u64::from(flag.count);
                seen.places.push(name_of(workload, phase));
            }
        }
    }
    found
}

fn failures(record: &RunRecord) -> BTreeMap<&str, Seen<'_>> {
    let mut found: BTreeMap<&str, Seen<'_>> = BTreeMap::new();
    for workload in &record.workloads {
        for phase in &workload.phases {
            for problem in phase.measured().filter_map(|request| request.problem.as_ref()) {
                let seen = found.entry(&problem.code).or_default();
                seen.count += 1;
                seen.example.get_or_insert(problem);
                let name = name_of(workload, phase);
                if seen.places.last() != Some(&name) {
                    seen.places.push(name);
                }
            }
        }
    }
    found
}

fn told(code: &str, example: Option<&Problem>) -> String {
    let message = example.map_or("", |problem| problem.message.as_str());
    let hint = example.and_then(|problem| problem.hint.as_deref()).unwrap_or("");
    format!("{}<small>{} <code>{}</code></small>", esc(message), esc(hint), esc(code))
}

fn places(places: &[String]) -> String {
    let mut text: Vec<String> = places.iter().take(PLACES).map(|place| esc(place).to_string()).collect();
    if places.len() > PLACES {
        text.push(format!("{} more", places.len() - PLACES));
    }
    text.join(", ")
}
