//! A look at a component as a registry would take it: is it what it says, and does it say the same thing twice?

use std::path::Path;

use bench_plugin::scorer_types::{Sample, Verdict};
use bench_plugin::types::FinishReason;
use bench_plugin::{Fault, FaultKind, Host, Kind, Limits, Plugin, with_room};
use serde::Serialize;

use crate::bench::{Bench, Cost, Took};
use crate::error::KitError;

/// A component that takes longer than this to download and compile deserves a word: 32 MiB.
const LARGE: usize = 32 << 20;

/// The configuration that says nothing.
const EMPTY: &str = "{}";

/// The largest component that is read: 64 MiB, the most that can be loaded.
const LARGEST_COMPONENT: u64 = 64 << 20;

/// Reads the file of a component.
///
/// # Errors
/// When the file cannot be read, is not a regular file, or is larger than a component may be.
pub fn read_component(path: &Path) -> Result<Vec<u8>, KitError> {
    Ok(bench_files::read_bounded(path, LARGEST_COMPONENT)?)
}

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in kebab case.
    pub name: &'static str,
    /// Does it hold?
    pub ok: bool,
    /// What was found.
    pub detail: String,
}

/// Everything that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckReport {
    /// In the order in which it was looked at.
    pub findings: Vec<Finding>,
    /// What a sample costs a scorer: one of the cases, where there are any, else of those that every scorer is tried on.
    pub cost: Option<Cost>,
}

impl CheckReport {
    /// Does all of it hold?
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|finding| finding.ok)
    }

    fn add(&mut self, name: &'static str, ok: bool, detail: impl Into<String>) {
        self.findings.push(Finding { name, ok, detail: detail.into() });
    }
}

/// Looks at a component. `cases` are tried as well where there are any.
///
/// # Errors
/// Only what keeps it from being looked at: files that cannot be read. A component that cannot be loaded is a finding.
pub fn check(host: &Host, bytes: &[u8], cases: Option<&Path>) -> Result<CheckReport, KitError> {
    let mut report = CheckReport { findings: Vec::new(), cost: None };
    report.add("size", bytes.len() <= LARGE, format!("{} bytes", bytes.len()));
    let plugin = match host.load(bytes, Limits::DEFAULT) {
        Ok(plugin) => {
            let limits = Limits::of(plugin.contract().kind);
            plugin.under(limits)
        }
        Err(error) => {
            report.add("world", false, error.to_string());
            return Ok(report);
        }
    };
    let contract = plugin.contract();
    report.add("world", true, contract.world());
    let imports = match contract.wasi {
        true => "WASI, answered by an empty world: no files, no network, a frozen clock".to_owned(),
        false => "nothing from the host".to_owned(),
    };
    report.add("imports", true, imports);
    match contract.kind {
        Kind::Scorer => with_room(|| scorer(&plugin, cases, &mut report))?,
        Kind::Driver => described(plugin.driver().map(|driver| driver.info().name.clone()), &mut report),
        Kind::Workload => described(plugin.workload().map(|workload| workload.info().name.clone()), &mut report),
        Kind::Publisher => {}
    }
    Ok(report)
}

fn described(name: Result<String, bench_plugin::LoadError>, report: &mut CheckReport) {
    match name {
        Ok(name) => report.add("describe", true, name),
        Err(error) => report.add("describe", false, error.to_string()),
    }
}

fn scorer(plugin: &Plugin, cases: Option<&Path>, report: &mut CheckReport) -> Result<(), KitError> {
    let mut scorer = match plugin.scorer() {
        Ok(scorer) => scorer,
        Err(error) => {
            report.add("describe", false, error.to_string());
            return Ok(());
        }
    };
    let info = scorer.info().clone();
    report.add(
        "describe",
        !info.metrics.is_empty(),
        format!("{} {}, {} metrics", info.name, info.version, info.metrics.len()),
    );
    let schema = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&info.config_schema);
    report.add(
        "config-schema",
        schema.is_ok(),
        schema.err().map_or_else(|| "JSON".to_owned(), |error| error.to_string()),
    );
    report.add("deterministic", info.deterministic, "as it says of itself");
    match scorer.open(EMPTY) {
        Ok(task) => {
            let samples = probes();
            let together = match info.fresh_instance {
                true => None,
                false => Some(scorer.score(&task, &samples).map(|scored| scored.verdicts)),
            };
            same_again(plugin, together, &samples, report)?;
        }
        // A rule may well have nothing to go by without a configuration. Its cases have one each.
        Err(fault) if matches!(fault.kind, FaultKind::Problem(_)) => {
            report.add("same-again", true, format!("not tried, since it asks for a configuration: {fault}"));
        }
        Err(fault) => report.add("default-config", false, format!("it takes no empty configuration: {fault}")),
    }
    if let Some(folder) = cases {
        let ran = crate::run_cases(plugin, folder)?;
        let detail = format!("{} of {} as expected", ran.cases.len() - ran.failed(), ran.cases.len());
        report.add("cases", ran.failed() == 0, detail);
        report.cost = ran.cost.or(report.cost);
    }
    Ok(())
}

/// Grades the probes one by one, the last one first, each on an instance of its own: other neighbours, another order, calls of
/// another size, none of which may show in a verdict. What they are compared with came of one call; or where each sample needs an
/// instance, is made here in the order of the samples.
fn same_again(
    plugin: &Plugin,
    together: Option<Result<Vec<Verdict>, Fault>>,
    samples: &[Sample],
    report: &mut CheckReport,
) -> Result<(), KitError> {
    let mut bench = Bench::new(plugin)?;
    let mut took = Vec::new();
    let apart = alone(&mut bench, samples.iter().rev(), &mut took)?.map(|mut verdicts| {
        verdicts.reverse();
        verdicts
    });
    report.cost = Cost::of(took.drain(..));
    let (how, first) = match together {
        Some(together) => ("together and one by one backwards", together),
        None => ("one by one, forwards and backwards", alone(&mut bench, samples.iter(), &mut took)?),
    };
    match (first, apart) {
        (Ok(first), Ok(apart)) => {
            let bytes = |verdict| serde_json::to_string(verdict).unwrap_or_default();
            let differ = first.iter().zip(&apart).position(|(left, right)| bytes(left) != bytes(right));
            let detail = match differ {
                None => format!("{} samples twice, {how}: equal", samples.len()),
                Some(place) => format!("sample {} got another verdict the second time", samples[place].id),
            };
            report.add("same-again", differ.is_none(), detail);
        }
        (Err(fault), _) | (_, Err(fault)) => report.add("same-again", false, fault.to_string()),
    }
    Ok(())
}

/// Each sample on an instance of its own, as far as the first fault; `all` learns what each took.
fn alone<'s>(
    bench: &mut Bench,
    samples: impl Iterator<Item = &'s Sample>,
    all: &mut Vec<Took>,
) -> Result<Result<Vec<Verdict>, Fault>, KitError> {
    let mut verdicts = Vec::new();
    for sample in samples {
        bench.restart();
        let (verdict, took) = bench.grade(EMPTY, sample)?;
        all.push(took);
        match verdict {
            Ok(verdict) => verdicts.push(verdict),
            Err(fault) => return Ok(Err(fault)),
        }
    }
    Ok(Ok(verdicts))
}

/// Answers that a grader meets sooner or later, whatever it grades.
fn probes() -> Vec<Sample> {
    let long = "word ".repeat(20_000);
    let answers = [
        None,
        Some(""),
        Some(" \n\t"),
        Some("42"),
        Some("The answer is 42."),
        Some("ANSWER: B"),
        Some("{\"a\": [1, 2, {\"b\": null}]}"),
        Some("```python\nprint(1)\n```"),
        Some("naïve façade 数学 😀 \u{202e}abc"),
        Some("\u{0}\u{1}\u{7f}"),
        Some(long.as_str()),
    ];
    let targets = ["\"42\"", "42", "[\"a\", \"42\"]", "{\"a\": 1}", "null"];
    let mut samples = Vec::new();
    for (place, answer) in answers.iter().enumerate() {
        for (other, target) in targets.iter().enumerate() {
            samples.push(Sample {
                id: format!("probe-{place}-{other}"),
                epoch: 0,
                prompt: Vec::new(),
                target: (*target).to_owned(),
                answer: answer.map(str::to_owned),
                reasoning: None,
                tool_calls: Vec::new(),
                finish: Some(FinishReason::Stop),
                likelihoods: Vec::new(),
                metadata: "{}".to_owned(),
            });
        }
    }
    samples
}
