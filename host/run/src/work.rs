//! One workload on all engines of a run, phase by phase and repeat by repeat.

use bench_plugin::workload_types::Phase;
use bench_record::{PhaseRecord, PhaseStatus, Problem, WorkloadRecord, WorkloadStatus};
use bench_text::{cut_message, cut_name};
use bench_wire::Stop;
use serde_json::Value;

use crate::engine::Engine;
use crate::error::RunError;
use crate::phase::{self, Measuring};
use crate::report::{Reporter, Update};
use crate::side::{House, Side};
use crate::workloads::Planned;
use crate::{assemble, judge};

/// Runs one workload on all sides, phase by phase and repeat by repeat. What a plugin does wrong fails the workload of its side and
/// not the run.
pub(crate) async fn workload(
    house: &House<'_>,
    sides: &mut [Side<'_>],
    number: usize,
    reporter: &mut dyn Reporter,
) -> Result<(), RunError> {
    let mut works: Vec<Work> = Vec::new();
    for side in sides.iter_mut() {
        works.push(Work::new(side, number));
    }
    let phases = works.iter().map(|work| work.phases.len()).max().unwrap_or(0);
    for place in 0..phases {
        if house.stop.is_stopped() {
            break;
        }
        let mut repeats = 0;
        for (side, work) in sides.iter_mut().zip(&mut works) {
            work.begin(house, side, number, place, reporter).await?;
            repeats = repeats.max(work.repeats());
        }
        for repeat in 0..repeats {
            let mut order: Vec<usize> = (0..sides.len()).collect();
            if repeat % 2 == 1 {
                order.reverse();
            }
            for index in order {
                if let (Some(side), Some(work)) = (sides.get_mut(index), works.get_mut(index)) {
                    work.repeat(house, side, number, place, repeat, reporter).await?;
                }
            }
        }
        for (side, work) in sides.iter_mut().zip(&mut works) {
            work.end(house, side, number, reporter).await?;
        }
    }
    for (side, work) in sides.iter_mut().zip(works) {
        let done = work.finish(house, side, number);
        if done.status == WorkloadStatus::Failed {
            side.gone = absence(side.engine).await;
        }
        reporter.update(Update::WorkloadDone { workload: &done });
        side.record.workloads.push(done);
    }
    Ok(())
}

/// A workload on one side while it is measured.
struct Work {
    record: WorkloadRecord,
    params: String,
    phases: Vec<Phase>,
    current: Option<Measuring>,
    /// It goes no further.
    over: bool,
}

impl Work {
    fn new(side: &mut Side<'_>, number: usize) -> Self {
        let Some(planned) = side.planned.get_mut(number) else {
            return Self { record: nameless(), params: String::new(), phases: Vec::new(), current: None, over: true };
        };
        let (record, phases) = match &side.gone {
            Some(problem) => (untried(planned, problem.clone()), Vec::new()),
            None => (blank(planned), std::mem::take(&mut planned.phases)),
        };
        Self { record, params: planned.params_text(), phases, current: None, over: side.gone.is_some() }
    }

    fn repeats(&self) -> u32 {
        self.current.as_ref().map_or(0, Measuring::repeats)
    }

    async fn begin(
        &mut self,
        house: &House<'_>,
        side: &mut Side<'_>,
        number: usize,
        place: usize,
        reporter: &mut dyn Reporter,
    ) -> Result<(), RunError> {
        let Some(phase) = self.phases.get(place).filter(|_| !self.over).cloned() else { return Ok(()) };
        let Some(mut context) = side.context(house, number, &self.params, reporter) else { return Ok(()) };
        match phase::begin(&mut context, &phase).await {
            Ok(measuring) => self.current = Some(measuring),
            Err(error) => self.fail(side, error)?,
        }
        Ok(())
    }

    async fn repeat(
        &mut self,
        house: &House<'_>,
        side: &mut Side<'_>,
        number: usize,
        place: usize,
        repeat: u32,
        reporter: &mut dyn Reporter,
    ) -> Result<(), RunError> {
        let (Some(measuring), Some(phase)) = (&mut self.current, self.phases.get(place)) else { return Ok(()) };
        let Some(mut context) = side.context(house, number, &self.params, reporter) else { return Ok(()) };
        let done = phase::repeat(&mut context, phase, measuring, repeat).await;
        done.or_else(|error| self.fail(side, error))
    }

    async fn end(
        &mut self,
        house: &House<'_>,
        side: &mut Side<'_>,
        number: usize,
        reporter: &mut dyn Reporter,
    ) -> Result<(), RunError> {
        let Some(measuring) = self.current.take() else { return Ok(()) };
        let Some(mut context) = side.context(house, number, &self.params, reporter) else { return Ok(()) };
        match phase::finish(&mut context, measuring).await {
            Ok(done) => {
                reporter.update(Update::PhaseDone { phase: &done });
                let silent = done.status == PhaseStatus::Failed && done.summary.completed == 0;
                self.record.phases.push(done);
                // With nobody there, the other phases would fail in the same way, one time-out after the other.
                self.over |= silent && side.engine.is_there().await.is_err();
                Ok(())
            }
            Err(error) => self.fail(side, error),
        }
    }

    /// A record that cannot be written ends the run, anything else the workload.
    fn fail(&mut self, side: &Side<'_>, error: RunError) -> Result<(), RunError> {
        if matches!(error, RunError::Record(_)) {
            return Err(error);
        }
        self.record.status = WorkloadStatus::Failed;
        self.record.problem = Some(problem_of(side.engine, &error));
        self.current = None;
        self.over = true;
        Ok(())
    }

    /// The record with its verdict and what the workload says of itself.
    fn finish(self, house: &House<'_>, side: &mut Side<'_>, number: usize) -> WorkloadRecord {
        let mut record = self.record;
        if record.status == WorkloadStatus::Completed {
            (record.status, record.problem) = verdict(&record.phases, house.stop);
        }
        let measures = assemble::measures(&record.phases);
        if let Some(planned) = side.planned.get_mut(number).filter(|_| !measures.is_empty()) {
            match planned.workload.summarise(&measures) {
                Ok(summary) => (record.headline, record.curves) = assemble::summary(summary),
                Err(fault) => {
                    record.status = WorkloadStatus::Failed;
                    record.problem = Some(judge::of_fault(&fault));
                }
            }
        }
        record
    }
}

fn blank(planned: &Planned) -> WorkloadRecord {
    let info = planned.workload.info();
    WorkloadRecord {
        name: info.name.clone(),
        label: planned.label.clone(),
        version: info.version.clone(),
        params: Value::Object(planned.params.clone()),
        status: WorkloadStatus::Completed,
        problem: None,
        phases: Vec::new(),
        headline: Vec::new(),
        curves: Vec::new(),
    }
}

/// Stands in where a side has fewer workloads than the other, which cannot be: both run the same suite.
fn nameless() -> WorkloadRecord {
    WorkloadRecord {
        name: String::new(),
        label: String::new(),
        version: String::new(),
        params: Value::Null,
        status: WorkloadStatus::Cancelled,
        problem: None,
        phases: Vec::new(),
        headline: Vec::new(),
        curves: Vec::new(),
    }
}

fn untried(planned: &Planned, problem: Problem) -> WorkloadRecord {
    WorkloadRecord { status: WorkloadStatus::Cancelled, problem: Some(problem), ..blank(planned) }
}

fn problem_of(engine: &Engine, error: &RunError) -> Problem {
    Problem {
        code: cut_name(error.code().to_owned()),
        message: cut_message(engine.redact(&error.to_string())),
        hint: error.hint().map(|hint| cut_message(engine.redact(&hint))),
    }
}

/// A workload failed when any phase did; it was skipped when all were.
fn verdict(phases: &[PhaseRecord], stop: &Stop) -> (WorkloadStatus, Option<Problem>) {
    if stop.is_stopped() {
        return (WorkloadStatus::Cancelled, None);
    }
    if let Some(failed) = phases.iter().find(|phase| phase.status == PhaseStatus::Failed) {
        return (WorkloadStatus::Failed, failed.problem.clone());
    }
    if phases.iter().any(|phase| phase.status == PhaseStatus::Completed) {
        return (WorkloadStatus::Completed, None);
    }
    let reason = phases.iter().find_map(|phase| phase.skip_reason.clone());
    let problem = reason.map(|message| Problem { code: "skipped".to_owned(), message, hint: None });
    (WorkloadStatus::Skipped, problem)
}

async fn absence(engine: &mut Engine) -> Option<Problem> {
    let error = engine.is_there().await.err()?;
    Some(problem_of(engine, &error))
}
