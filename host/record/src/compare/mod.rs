//! Runs side by side.
//!
//! The first run is the reference. Requests at the same place are paired, and a verdict comes from the interval of their
//! differences. It is only given where the two numbers mean the same; everything else that differs between the runs is listed as a
//! warning, because it may be the very thing that is compared or the reason why the comparison is worthless.

mod differences;
mod pairing;
mod scores;

use bench_metrics::{Difference, Direction, Distribution, METRICS, MetricDef, Shown};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Note, PhaseRecord, RecordError, RunId, RunRecord, RunStatus, Variable, WorkloadRecord};

pub use pairing::Clusters;
use pairing::{Pairing, SideOfPhase};
pub use scores::{GradedSample, ScoreCell, ScoreRow, ScoreVerdict, compare_scores};

/// Verdicts from which on one is expected to be wrong by chance.
const MANY_TESTS: usize = 20;

/// Runs side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The runs, the reference first.
    pub runs: Vec<RunColumn>,
    /// What else differs between a run and the reference, or puts it in doubt.
    pub warnings: Vec<Warning>,
    /// How to read the verdicts.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// One row per metric of a phase that at least one run has.
    pub rows: Vec<Row>,
    /// The headline of each eval task, where [`compare_scores`] was asked for it.
    #[serde(default)]
    pub scores: Vec<ScoreRow>,
}

/// A run as a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunColumn {
    /// Its name.
    pub id: RunId,
    /// When it began.
    pub started_at: String,
    /// How far it came.
    pub status: RunStatus,
    /// Backend with its version.
    pub backend: String,
    /// Model.
    pub model: String,
    /// Suite with its version.
    pub suite: String,
    /// A short run.
    pub quick: bool,
    /// The backend was a simulation.
    pub simulated: bool,
}

/// Something to know about one of the runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// The run, as an index into the columns.
    pub run: usize,
    /// What it is.
    #[serde(flatten)]
    pub note: Note,
}

/// One metric of one phase over all runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// The workload's name.
    pub workload: String,
    /// Its label.
    pub label: String,
    /// The phase.
    pub phase: String,
    /// What tells the phase apart.
    pub variables: Vec<Variable>,
    /// The metric's name.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// Whether more is better; absent where it is neither.
    pub higher_is_better: Option<bool>,
    /// One cell per run; absent where the run has no such number.
    pub cells: Vec<Option<Cell>>,
}

/// A metric of a phase in one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// The median.
    pub value: f64,
    /// Half the width of its 95 % confidence interval over repeats; absent below three.
    pub half_width: Option<f64>,
    /// Values behind it.
    pub n: u32,
    /// Repeats behind it.
    pub repeats: u32,
    /// The value divided by the reference's; absent on the reference.
    pub ratio: Option<f64>,
    /// The difference to the reference with its interval; absent on the reference, and where one of the two has no requests with
    /// the metric.
    #[serde(default)]
    pub difference: Option<Difference>,
    /// What the interval of the difference takes for independent.
    #[serde(default)]
    pub clusters: Option<Clusters>,
    /// What the two numbers show; absent on the reference and for metrics that are no speed.
    pub verdict: Option<Verdict>,
}

/// What two numbers show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Verdict {
    /// Better than the reference: the interval of the difference lies on the better side of 0.
    Faster,
    /// Worse than the reference.
    Slower,
    /// The interval holds 0, or there are too few repeats and sessions for one.
    NoDifferenceShown,
    /// The two numbers do not mean the same.
    NotComparable {
        /// Why not.
        reason: Note,
    },
}

/// Sets `runs` side by side, the first as the reference.
///
/// # Errors
///
/// [`RecordError::NothingToCompare`] below two runs.
pub fn compare(runs: &[RunRecord]) -> Result<Comparison, RecordError> {
    let Some((reference, others)) = runs.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err(RecordError::NothingToCompare);
    };
    let mut warnings = differences::doubts(0, reference);
    for (index, run) in (1..).zip(others) {
        warnings.extend(differences::doubts(index, run));
        warnings.extend(differences::between(index, reference, run));
    }
    let obstacles: Vec<Option<Note>> = runs.iter().map(|run| differences::obstacle(reference, run)).collect();
    let mut rows = Vec::new();
    for (workload, phase) in places(runs) {
        let found: Vec<Option<(&WorkloadRecord, &PhaseRecord)>> =
            runs.iter().map(|run| locate(run, &workload, &phase)).collect();
        let Some((like, of)) = found.iter().flatten().next().copied() else { continue };
        let parts: Vec<Option<Note>> = found
            .iter()
            .zip(&obstacles)
            .map(|(here, obstacle)| {
                let own = |here: &(&WorkloadRecord, &PhaseRecord)| differences::obstacle_of_phase((like, of), *here);
                obstacle.clone().or_else(|| here.as_ref().and_then(own))
            })
            .collect();
        let sides: Vec<Option<SideOfPhase<'_>>> =
            found.iter().map(|here| here.map(|(_, phase)| SideOfPhase::of(phase))).collect();
        let pairings = pairings(&sides);
        for def in METRICS {
            let values: Vec<Option<&Distribution>> =
                found.iter().map(|here| here.and_then(|(_, phase)| phase.summary.metrics.get(def.name))).collect();
            if values.iter().all(Option::is_none) {
                continue;
            }
            rows.push(Row {
                workload: workload.clone(),
                label: like.label.clone(),
                phase: phase.clone(),
                variables: of.variables.clone(),
                metric: def.name.to_owned(),
                unit: def.unit.to_owned(),
                higher_is_better: def.direction.higher_is_better(),
                cells: cells(def, &values, &pairings, &parts),
            });
        }
    }
    let notes = notes(reference, others, &rows);
    Ok(Comparison { runs: runs.iter().map(column).collect(), warnings, notes, rows, scores: Vec::new() })
}

/// Each run's phase with the reference's; `None` where one of the two is missing, and on the reference.
fn pairings<'a>(sides: &'a [Option<SideOfPhase<'a>>]) -> Vec<Option<Pairing<'a>>> {
    let reference = sides.first().and_then(Option::as_ref);
    let pairing = |(index, side): (usize, &'a Option<SideOfPhase<'a>>)| {
        Some(Pairing::of(reference.filter(|_| index > 0)?, side.as_ref()?))
    };
    sides.iter().enumerate().map(pairing).collect()
}

/// What to keep in mind about the verdicts of `rows`.
fn notes(reference: &RunRecord, others: &[RunRecord], rows: &[Row]) -> Vec<Note> {
    let mut notes = Vec::new();
    let interleaved = |run: &RunRecord| run.ab.as_ref().is_some_and(|link| link.other == reference.id);
    if !others.iter().all(interleaved) {
        let message = "The runs did not take turns, so whatever drifted between them, such as heat or other load, looks like a difference.";
        let hint = "Measure both with `bench run --ab ENDPOINT1,ENDPOINT2`, which interleaves them.".to_owned();
        notes.push(Note { hint: Some(hint), ..Note::new("not-interleaved", message) });
    }
    let is_tested = |verdict: &Verdict| !matches!(verdict, Verdict::NotComparable { .. });
    let verdicts = rows.iter().flat_map(|row| row.cells.iter().flatten()).filter_map(|cell| cell.verdict.as_ref());
    let tested = verdicts.filter(|verdict| is_tested(verdict)).count();
    if tested >= MANY_TESTS {
        let message = format!(
            "{tested} differences are judged at 95 % each: about {} of them would be shown by chance if nothing differed.",
            (tested as f64 * 0.05).round()
        );
        notes.push(Note::new("many-verdicts", message));
    }
    notes
}

fn column(run: &RunRecord) -> RunColumn {
    RunColumn {
        id: run.id.clone(),
        started_at: run.started_at.clone(),
        status: run.status,
        backend: differences::backend(run),
        model: run.model.id.clone(),
        suite: format!("{} {}", run.suite.name, run.suite.version),
        quick: run.suite.quick,
        simulated: run.simulated,
    }
}

/// Every phase of every workload, in the order in which the runs have them.
fn places(runs: &[RunRecord]) -> Vec<(String, String)> {
    let mut places = Vec::new();
    for workload in runs.iter().flat_map(|run| &run.workloads) {
        for phase in &workload.phases {
            let place = (workload.name.clone(), phase.id.clone());
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

fn locate<'a>(run: &'a RunRecord, workload: &str, phase: &str) -> Option<(&'a WorkloadRecord, &'a PhaseRecord)> {
    let workload = run.workloads.iter().find(|candidate| candidate.name == workload)?;
    Some((workload, workload.phases.iter().find(|candidate| candidate.id == phase)?))
}

fn cells(
    def: &MetricDef,
    values: &[Option<&Distribution>],
    pairings: &[Option<Pairing<'_>>],
    obstacles: &[Option<Note>],
) -> Vec<Option<Cell>> {
    let reference = values.first().copied().flatten();
    let cell = |(index, value): (usize, &Option<&Distribution>)| {
        let value = (*value)?;
        let reference = reference.filter(|_| index > 0);
        let obstacle = obstacles.get(index).and_then(Option::as_ref);
        let pairing = pairings.get(index).and_then(Option::as_ref).filter(|_| obstacle.is_none());
        let (difference, clusters) = reference.and(pairing).and_then(|pairing| pairing.difference(def)).unzip();
        Some(Cell {
            value: value.median,
            half_width: value.half_width,
            n: value.n,
            repeats: value.repeats,
            ratio: reference.and_then(|reference| ratio(reference.median, value.median)),
            verdict: reference.and_then(|_| verdict(def, difference.as_ref(), obstacle)),
            difference,
            clusters,
        })
    };
    values.iter().enumerate().map(cell).collect()
}

/// `value / reference`; `None` unless both are positive.
fn ratio(reference: f64, value: f64) -> Option<f64> {
    let ratio = value / reference;
    (reference > 0.0 && value > 0.0 && ratio.is_finite()).then_some(ratio)
}

fn verdict(def: &MetricDef, difference: Option<&Difference>, obstacle: Option<&Note>) -> Option<Verdict> {
    let is_speed = matches!(def.unit, "ms" | "tok/s");
    if !is_speed || def.direction == Direction::Neutral {
        return None;
    }
    if let Some(reason) = obstacle {
        return Some(Verdict::NotComparable { reason: reason.clone() });
    }
    let better = if def.direction == Direction::Higher { Shown::Higher } else { Shown::Lower };
    Some(match difference.map_or(Shown::Nothing, Difference::shown) {
        Shown::Nothing => Verdict::NoDifferenceShown,
        shown if shown == better => Verdict::Faster,
        _ => Verdict::Slower,
    })
}
