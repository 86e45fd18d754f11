//! A run from beginning to end. Data goes one way: suite, plan, encode, wire, trace, decode, metrics, record.

use std::path::Path;

use bench_machine::{Found, ProcessCpu};
use bench_record::RunRecord;
use bench_registry::Shelf;
use bench_suite::Suite;
use bench_wire::Stop;
use serde_json::Map;

use crate::calibrate::{CalibrationPlan, calibrate};
use crate::catalog::Catalog;
use crate::connect::{Connected, connect};
use crate::demand::Demand;
use crate::error::RunError;
use crate::evals::{self, Tasks};
use crate::keep::save_record;
use crate::options::{Params, RunOptions};
use crate::preflight::estimate;
use crate::report::{Reporter, Update};
use crate::resume;
use crate::side::{House, Side, clock, entropy, link, open_time};
use crate::work::workload;

/// The suite that `reference` names: a folder, one that is installed, or one that the binary carries.
pub fn open_suite(shelf: &Shelf, reference: &str) -> Result<Suite, RunError> {
    if let Some(files) = shelf.suite(reference)? {
        return Ok(Suite::from_files(&files)?);
    }
    if reference.contains(['/', '\\']) || Path::new(reference).join(bench_suite::MANIFEST).is_file() {
        return Ok(Suite::load(Path::new(reference))?);
    }
    let embedded = bench_registry::suite(reference)?;
    let files = embedded.files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
    Ok(Suite::from_files(&files)?)
}

/// Runs a suite against an engine and stores the record. What the engine does wrong is in the record; an error here means
/// that there is none worth keeping.
pub async fn run(options: &RunOptions, reporter: &mut dyn Reporter, stop: &Stop) -> Result<RunRecord, RunError> {
    let records = run_sides(std::slice::from_ref(options), reporter, stop).await?;
    records.into_iter().next().ok_or(RunError::Stopped)
}

/// Runs a suite against two engines in turns: each repeat of each phase on both before the next one, and first on the one that was
/// second the time before, so that whatever drifts hits both alike. Each has a record of its own that names the other.
pub async fn run_ab(
    options: &[RunOptions; 2],
    reporter: &mut dyn Reporter,
    stop: &Stop,
) -> Result<Vec<RunRecord>, RunError> {
    run_sides(options, reporter, stop).await
}

async fn run_sides(
    options: &[RunOptions],
    reporter: &mut dyn Reporter,
    stop: &Stop,
) -> Result<Vec<RunRecord>, RunError> {
    let first = options.first().ok_or(RunError::Stopped)?;
    let earlier = resume::earlier(first)?;
    if earlier.is_some() && options.len() > 1 {
        return Err(RunError::ResumeSides);
    }
    let adopted: Vec<RunOptions> = earlier.iter().map(|run| resume::adopt(first, run)).collect();
    let options = if adopted.is_empty() { options } else { adopted.as_slice() };
    let first = options.first().ok_or(RunError::Stopped)?;
    let params = Params::parse(&first.params)?;
    let shelf = first.folders.shelf(Some(&first.suite))?;
    let suite = open_suite(&shelf, &first.suite)?;
    let demand = Demand::new(first)?;
    for note in demand.notes() {
        reporter.update(Update::Note { code: "trace", text: note });
    }
    let compiled = first.folders.cache.join("compiled");
    let catalog = Catalog::new(Some(compiled)).with_shelf(shelf).with_grants(first.folders.grants()?);
    let tasks = Tasks::load(&suite, &catalog, first)?;
    let mut connected = Vec::new();
    let mut judge = None;
    let mut result = Ok(());
    for options in options {
        match connect(&catalog, options, &params.driver, reporter).await {
            Ok(one) => connected.push(one),
            Err(error) => result = Err(error),
        }
    }
    if let Some(options) = judging(first, &tasks).filter(|_| result.is_ok()) {
        match connect(&catalog, &options, &Map::new(), reporter).await {
            Ok(one) => judge = Some(one),
            Err(error) => result = Err(error),
        }
    }
    let house = House { suite: &suite, catalog: &catalog, params: &params, demand: &demand, stop };
    let result = match result {
        Ok(()) => measure(&house, options, &mut connected, judge.as_mut(), earlier, &tasks, reporter).await,
        Err(error) => Err(error),
    };
    for one in connected.into_iter().chain(judge) {
        one.close().await;
    }
    result
}

/// How to reach the judge, where a task may want one.
fn judging(options: &RunOptions, tasks: &Tasks<'_>) -> Option<RunOptions> {
    let endpoint = options.judge.clone().filter(|_| !tasks.chosen.is_empty())?;
    Some(RunOptions {
        plugin: options.judge_plugin.clone(),
        endpoint: Some(endpoint),
        model: options.judge_model.clone(),
        api_key_env: None,
        launch: false,
        mix: Vec::new(),
        ..options.clone()
    })
}

async fn measure(
    house: &House<'_>,
    options: &[RunOptions],
    connected: &mut [Connected],
    mut judge: Option<&mut Connected>,
    mut earlier: Option<RunRecord>,
    tasks: &Tasks<'_>,
    reporter: &mut dyn Reporter,
) -> Result<Vec<RunRecord>, RunError> {
    let (nonce, _) = entropy()?;
    let mut sides = Vec::new();
    for (options, connected) in options.iter().zip(connected) {
        sides.push(Side::begin(house, options, connected, nonce, earlier.take(), tasks, reporter).await?);
    }
    link(&mut sides);
    let phases = sides.iter().flat_map(|side| side.planned.iter().flat_map(|planned| &planned.phases));
    if let Some(first) = sides.first().filter(|side| house.demand.text().is_none() && !side.planned.is_empty()) {
        let (requests, seconds) = estimate(phases, first.pace);
        reporter.update(Update::Estimate { seconds, requests });
    }
    calibrate_sides(house, &mut sides, reporter).await?;
    let busy_from = ProcessCpu::sample();
    let total = sides.iter().map(|side| side.planned.len()).max().unwrap_or(0);
    for number in 0..total {
        for side in &mut sides {
            side.announce(number, total, reporter);
        }
        workload(house, &mut sides, number, reporter).await?;
        for side in &sides {
            save_record(&side.store(), side.engine.client.secrets(), &side.record)?;
        }
    }
    let busy = match (busy_from, ProcessCpu::sample()) {
        (Found::Present { value: from }, Found::Present { value: to }) => Some(to.since(&from)),
        _ => None,
    };
    let open_ns = sides.iter().map(|side| open_time(&side.record)).sum();
    for side in &mut sides {
        side.close(busy, open_ns).await?;
    }
    for side in &mut sides {
        evals::run(house, tasks, side, judge.as_deref_mut(), clock(), reporter).await?;
    }
    sides.into_iter().map(|side| side.finish(house)).collect()
}

/// Measures the client itself at the loads that are about to come: alone, and at the most streams that any phase has, at the
/// rate at which the engine sends. A run that cannot be published anyway goes without.
async fn calibrate_sides(
    house: &House<'_>,
    sides: &mut [Side<'_>],
    reporter: &mut dyn Reporter,
) -> Result<(), RunError> {
    let Some(first) = sides.first() else { return Ok(()) };
    if first.options.quick || first.record.simulated || house.stop.is_stopped() || first.planned.is_empty() {
        return Ok(());
    }
    let gap_us = first.pace.gap_us();
    let most = first.most_streams(house.demand);
    let mut loads = vec![1, most];
    loads.dedup();
    let mut calibrations = Vec::new();
    for streams in loads {
        reporter.update(Update::Note { code: "calibrating", text: "measuring the client's own error" });
        let plan = CalibrationPlan {
            streams,
            gap_us,
            events: (CALIBRATION_US / gap_us).clamp(20, 400) as u32,
            stamps: first.options.stamps,
            workers: first.options.workers,
            waiting: first.options.waiting,
            ..CalibrationPlan::default()
        };
        calibrations.push(calibrate(&plan).await?.calibration);
    }
    for side in sides {
        side.record.client.calibrations.clone_from(&calibrations);
    }
    Ok(())
}

/// How long the client is measured at a load, in microseconds.
const CALIBRATION_US: u64 = 1_500_000;
