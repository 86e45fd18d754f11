//! The load of a phase: the shape that the workload plans, or the one that the user asks for in its place.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bench_load::{
    Arrivals, Closed, Length, LoadSpec, MOST_ARRIVALS, Open, Rate, Rates, Replay, ReplayRequest, Shape, Stage,
    SweepSpec, most_in_flight, schedule,
};
use bench_plugin::workload_types::{Arrivals as PlannedArrivals, Phase, Run, Shape as Planned};
use bench_record::{ArrivalLaw, LoadStage as StageOfRecord, ShapeRecord};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::error::RunError;
use crate::options::RunOptions;
use crate::preflight::Pace;

/// How long an open load lasts when nobody says.
const USUAL: Duration = Duration::from_secs(60);
const USUAL_QUICK: Duration = Duration::from_secs(10);
/// The same for a step of a sweep.
const STEP: Duration = Duration::from_secs(20);
const STEP_QUICK: Duration = Duration::from_secs(4);
/// Requests that a step of a sweep has at least.
const LEAST_OF_STEP: f64 = 30.0;
/// Most sessions of a window, prepared ahead.
const MOST_SESSIONS: u64 = 200_000;
/// Most streams that a calibration is made at.
const MOST_STREAMS: f64 = 4096.0;
/// Sessions that warm an engine up at once, where the load itself does not say.
const WARMING: u32 = 8;

/// What the user asks for instead of the workloads' own shapes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Demand {
    spec: Option<LoadSpec>,
    length: Length,
    replay: Option<Arc<Recorded>>,
    quick: bool,
    repeats: Option<u32>,
    max_in_flight: Option<NonZeroU32>,
}

/// A trace that is replayed.
#[derive(Debug)]
struct Recorded {
    replay: Replay,
    sha256: String,
    speed: f64,
}

/// The load of one window.
#[derive(Debug, Clone)]
pub(crate) struct Burst {
    pub(crate) shape: Shape,
    /// Sessions to prepare.
    pub(crate) sessions: u32,
    /// Parts of the window with a rate each; empty where there is no clock.
    pub(crate) stages: Vec<Stage>,
    /// The part that each session belongs to.
    pub(crate) stage_of: Vec<u32>,
}

/// How requests of one phase follow one another.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    spec: LoadSpec,
    length: Length,
    replay: Option<Arc<Recorded>>,
    sessions: u32,
    pub(crate) repeats: u32,
    warmup: u32,
    max_in_flight: Option<NonZeroU32>,
}

impl Demand {
    /// Reads what the options ask for, the trace of a replay included.
    pub(crate) fn new(options: &RunOptions) -> Result<Self, RunError> {
        if let (Some(most), Some(LoadSpec::Sequential | LoadSpec::Closed(_))) = (options.max_in_flight, &options.load) {
            return Err(RunError::BadParam {
                text: format!("--max-in-flight {most}"),
                reason: "a sequential or closed load has as many requests in flight as it has streams".to_owned(),
            });
        }
        let usual = match (&options.load, options.quick) {
            (Some(LoadSpec::Sweep(_)), false) => STEP,
            (Some(LoadSpec::Sweep(_)), true) => STEP_QUICK,
            (_, false) => USUAL,
            (_, true) => USUAL_QUICK,
        };
        let mut length = Length { duration: options.duration, requests: options.requests };
        let has_own_length = match &options.load {
            Some(LoadSpec::Open(open)) => matches!(open.rates, Rates::Stages(_)),
            Some(LoadSpec::Replay(_)) => true,
            _ => false,
        };
        if length.duration.is_none() && length.requests.is_none() && !has_own_length {
            length.duration = Some(usual);
        }
        let replay = match &options.load {
            Some(LoadSpec::Replay(spec)) => {
                let path = spec.path.display().to_string();
                let bad = |error: std::io::Error| RunError::Trace { path: path.clone(), reason: error.to_string() };
                let mut file = bench_files::open_regular(&spec.path).map_err(|error| bad(error.into()))?;
                let sha256 = digest(&mut file).map_err(bad)?;
                file.rewind().map_err(bad)?;
                let replay = Replay::read(BufReader::new(file), spec, length)?;
                Some(Arc::new(Recorded { replay, sha256, speed: spec.speed }))
            }
            _ => None,
        };
        Ok(Self {
            spec: options.load.clone(),
            length,
            replay,
            quick: options.quick,
            repeats: options.repeats,
            max_in_flight: options.max_in_flight,
        })
    }

    /// The load as typed.
    pub(crate) fn text(&self) -> Option<String> {
        self.spec.as_ref().map(ToString::to_string)
    }

    /// What was noticed in the trace.
    pub(crate) fn notes(&self) -> &[String] {
        self.replay.as_ref().map_or(&[], |recorded| &recorded.replay.notes)
    }

    /// The sweep, where that was asked for, and how long a step lasts.
    pub(crate) fn sweep(&self) -> Option<SweepSpec> {
        match self.spec {
            Some(LoadSpec::Sweep(sweep)) => Some(sweep),
            _ => None,
        }
    }

    /// A step of a sweep.
    pub(crate) fn step(&self, sweep: SweepSpec, rate: f64) -> Option<Load> {
        let spec = sweep.at(Rate::new(rate)?);
        // A step has to have enough requests to tell whether they leave as fast as they come.
        let least = Duration::try_from_secs_f64(LEAST_OF_STEP / rate).unwrap_or_default();
        let duration = self.length.duration.map(|duration| duration.max(least));
        let length = Length { duration, ..self.length };
        let max_in_flight = self.max_in_flight;
        Some(Load { spec, length, replay: None, sessions: 1, repeats: 1, warmup: 0, max_in_flight })
    }

    /// Streams that a phase will have at once, as far as it can be told beforehand: in an open load by Little's law, as if the
    /// engine were as fast for many as for one.
    pub(crate) fn streams(&self, run: &Run, pace: Pace) -> u32 {
        let by_law = |rate: Rate| (rate.per_second() * pace.seconds(run)).ceil().clamp(1.0, MOST_STREAMS) as u32;
        match &self.spec {
            None => match &run.shape {
                Planned::ClosedLoop(streams) => *streams,
                Planned::OpenLoop(open) => {
                    let rates = open.stages.iter().map(|stage| stage.from_rate.max(stage.to_rate));
                    Rate::new(rates.fold(0.0, f64::max)).map_or(1, by_law)
                }
                Planned::Sequential | Planned::Other(_) => 1,
            },
            Some(LoadSpec::Sequential) => 1,
            Some(LoadSpec::Closed(closed)) => closed.to.get(),
            Some(LoadSpec::Open(open)) => match &open.rates {
                Rates::Constant(rate) => by_law(*rate),
                Rates::Ramp { from, to } => by_law(*from).max(by_law(*to)),
                Rates::Stages(stages) => {
                    stages.iter().map(|stage| by_law(stage.from).max(by_law(stage.to))).max().unwrap_or(1)
                }
            },
            Some(LoadSpec::Sweep(sweep)) => by_law(sweep.to),
            Some(LoadSpec::Replay(_)) => {
                let requests = self.replay.as_ref().map_or(&[][..], |recorded| &recorded.replay.requests);
                let seconds = requests.last().map_or(1.0, |last| last.at_ns as f64 / 1e9).max(1.0);
                Rate::new(requests.len() as f64 / seconds).map_or(1, by_law)
            }
        }
    }

    /// The load of a phase.
    pub(crate) fn of(&self, workload: &str, phase: &Phase, run: &Run, pace: Pace) -> Result<Load, RunError> {
        let bad = |reason: String| RunError::BadPlan { workload: workload.to_owned(), reason };
        let own = Load {
            spec: planned(phase, run).map_err(bad)?,
            length: Length { duration: None, requests: Some(run.sessions) },
            replay: None,
            sessions: run.sessions,
            repeats: run.repeats,
            warmup: run.warmup_sessions,
            max_in_flight: self.max_in_flight,
        };
        let Some(spec) = &self.spec else { return Ok(own) };
        // Whoever asks for a load says how long it is, so it is not repeated unless that is said too.
        let repeats = self.repeats.unwrap_or(1);
        let mut load = Load { spec: spec.clone(), length: self.length, replay: self.replay.clone(), repeats, ..own };
        match spec {
            LoadSpec::Closed(closed) => load.sessions = self.places(*closed, run, pace),
            LoadSpec::Sequential => load.sessions = self.length.requests.unwrap_or(run.sessions),
            LoadSpec::Open(_) | LoadSpec::Replay(_) | LoadSpec::Sweep(_) => {}
        }
        Ok(load)
    }

    /// Sessions that so many places can get through. A single stream is faster than one of many, so this errs on the side of
    /// too many; what is not needed is not sent.
    fn places(&self, closed: Closed, run: &Run, pace: Pace) -> u32 {
        if let Some(requests) = self.length.requests {
            return requests;
        }
        let lasts = self.length.duration.unwrap_or(if self.quick { USUAL_QUICK } else { USUAL }).as_secs_f64();
        let each = pace.seconds(run) * f64::from(run.turns.max(1));
        let rounds = (lasts / each.max(1e-3) * 1.5).ceil() + 1.0;
        let most = MOST_SESSIONS as f64;
        (f64::from(closed.to.get()) * rounds).clamp(1.0, most) as u32
    }
}

fn digest(file: &mut File) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
}

/// What a workload plans, in the words of a load.
fn planned(phase: &Phase, run: &Run) -> Result<LoadSpec, String> {
    let total = u64::from(run.sessions) * u64::from(run.repeats) + u64::from(run.warmup_sessions);
    if run.sessions == 0 || run.repeats == 0 {
        return Err(format!("phase `{}` measures nothing", phase.id));
    }
    if total > MOST_SESSIONS {
        return Err(format!("phase `{}` has {total} sessions; at most {MOST_SESSIONS} are run", phase.id));
    }
    match &run.shape {
        Planned::Sequential => Ok(LoadSpec::Sequential),
        Planned::ClosedLoop(streams) => {
            let streams = NonZeroU32::new(*streams).ok_or("a closed loop of no streams")?;
            Ok(LoadSpec::Closed(Closed::fixed(streams)))
        }
        Planned::OpenLoop(open) => {
            let arrivals = match open.arrivals {
                PlannedArrivals::Constant => Arrivals::Constant,
                PlannedArrivals::Poisson => Arrivals::Poisson,
                PlannedArrivals::Gamma(burstiness) => Arrivals::Gamma { burstiness },
            };
            let stages = open.stages.iter().map(|stage| (stage.seconds, stage.from_rate, stage.to_rate));
            LoadSpec::staged(arrivals, stages).map_err(|error| format!("phase `{}`: {error}", phase.id))
        }
        Planned::Other(name) => Err(format!("phase `{}` wants the load shape {name}, which is not known", phase.id)),
    }
}

impl Load {
    /// One request at a time, so that a turn can wait for what was answered before it.
    pub(crate) fn is_sequential(&self) -> bool {
        self.spec == LoadSpec::Sequential
    }

    /// The load of one repeat. `seed` fixes what is left to chance.
    pub(crate) fn burst(&self, seed: u64) -> Result<Burst, RunError> {
        let open = |schedule: bench_load::Schedule| Burst {
            sessions: u32::try_from(schedule.arrivals.len().min(MOST_ARRIVALS)).unwrap_or(u32::MAX),
            stage_of: schedule.arrivals.iter().map(|arrival| arrival.stage).collect(),
            shape: Shape::Open {
                due_ns: schedule.arrivals.iter().map(|arrival| arrival.at_ns).collect(),
                most_in_flight: Some(self.max_in_flight.unwrap_or_else(most_in_flight)),
            },
            stages: schedule.stages,
        };
        let plain = |shape: Shape| Burst { shape, sessions: self.sessions, stages: Vec::new(), stage_of: Vec::new() };
        match &self.spec {
            LoadSpec::Sequential => Ok(plain(Shape::Sequential)),
            LoadSpec::Closed(closed) => {
                // A number of requests ends the loop by itself.
                let lasts = self.length.duration.filter(|_| self.length.requests.is_none());
                Ok(plain(Shape::ClosedLoop { closed: *closed, lasts }))
            }
            LoadSpec::Open(_) => Ok(open(schedule(&self.spec, self.length, seed)?)),
            LoadSpec::Replay(_) | LoadSpec::Sweep(_) => match &self.replay {
                Some(recorded) => Ok(open(recorded.replay.schedule(self.length))),
                None => Ok(open(schedule(&self.spec, self.length, seed)?)),
            },
        }
    }

    /// The sessions that only warm the engine up; `None` where there are none.
    pub(crate) fn warming(&self) -> Option<Burst> {
        let sessions = NonZeroU32::new(self.warmup)?;
        let shape = match &self.spec {
            LoadSpec::Sequential => Shape::Sequential,
            LoadSpec::Closed(closed) => {
                Shape::ClosedLoop { closed: Closed::fixed(closed.to.min(sessions)), lasts: None }
            }
            _ => {
                let streams = NonZeroU32::new(sessions.get().min(WARMING)).unwrap_or(NonZeroU32::MIN);
                Shape::ClosedLoop { closed: Closed::fixed(streams), lasts: None }
            }
        };
        Some(Burst { shape, sessions: sessions.get(), stages: Vec::new(), stage_of: Vec::new() })
    }

    /// Sessions before the measured ones.
    pub(crate) fn warmup_sessions(&self) -> u32 {
        self.warmup
    }

    /// The parameters of a session: those of the workload, and in a replay the request that it stands for.
    pub(crate) fn params(&self, params: &str, session: u32) -> Option<String> {
        let recorded = self.replay.as_ref()?;
        let requests = &recorded.replay.requests;
        let request: &ReplayRequest = requests.get(session as usize % requests.len().max(1))?;
        let mut params: serde_json::Map<String, Value> = serde_json::from_str(params).unwrap_or_default();
        params.insert(
            "request".to_owned(),
            json!({
                "input": request.input_tokens,
                "output": request.output_tokens,
                "prefix": request.prefix_blocks,
                "block-tokens": recorded.replay.block_tokens,
            }),
        );
        Some(Value::Object(params).to_string())
    }

    /// The load as the record has it.
    pub(crate) fn record(&self) -> ShapeRecord {
        match &self.spec {
            LoadSpec::Sequential => ShapeRecord::Sequential,
            LoadSpec::Closed(closed) => {
                ShapeRecord::ClosedLoop { streams: closed.to.get(), ramp_s: closed.ramp.map(|ramp| ramp.as_secs_f64()) }
            }
            LoadSpec::Replay(spec) => {
                let (file_sha256, requests, speed) = match &self.replay {
                    Some(recorded) => (recorded.sha256.clone(), recorded.replay.requests.len() as u32, recorded.speed),
                    None => (String::new(), 0, spec.speed),
                };
                // The folder of the file says more about the user than about the load.
                let name = spec.path.file_name().map(Into::into).unwrap_or_default();
                let spec = LoadSpec::Replay(bench_load::ReplaySpec { path: name, ..spec.clone() }).to_string();
                ShapeRecord::Replay { spec, file_sha256, requests, speed }
            }
            LoadSpec::Open(open) => open_record(&self.spec, open, self.length),
            LoadSpec::Sweep(sweep) => {
                ShapeRecord::OpenLoop { spec: self.spec.to_string(), arrivals: law(sweep.arrivals), stages: Vec::new() }
            }
        }
    }
}

fn law(arrivals: Arrivals) -> ArrivalLaw {
    match arrivals {
        Arrivals::Constant => ArrivalLaw::Constant,
        Arrivals::Poisson => ArrivalLaw::Poisson,
        Arrivals::Gamma { burstiness } => ArrivalLaw::Gamma { burstiness },
    }
}

fn open_record(spec: &LoadSpec, open: &Open, length: Length) -> ShapeRecord {
    let lasts = length.duration.map(|lasts| lasts.as_secs_f64());
    let stage = |from: Rate, to: Rate, seconds| StageOfRecord {
        seconds,
        from_rate: from.per_second(),
        to_rate: to.per_second(),
    };
    let stages = match &open.rates {
        Rates::Constant(rate) => vec![stage(*rate, *rate, lasts)],
        Rates::Ramp { from, to } => vec![stage(*from, *to, lasts)],
        Rates::Stages(stages) => {
            stages.iter().map(|one| stage(one.from, one.to, Some(one.lasts.as_secs_f64()))).collect()
        }
    };
    ShapeRecord::OpenLoop { spec: spec.to_string(), arrivals: law(open.arrivals), stages }
}
