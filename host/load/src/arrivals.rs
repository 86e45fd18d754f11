//! Times at which requests are due, worked out before anything is sent.
//!
//! Times are absolute, counted from the opening of the window: a schedule of relative sleeps would drift by every late
//! wake-up. A schedule depends on the load, its length and the seed alone, bit for bit on any machine, so that two runs can
//! put the same load on two servers. The generator and the logarithm are therefore not the platform's.
//!
//! All arrivals come from one process of rate 1, whose times are then stretched by the inverse of the expected number of
//! requests over time (the time-change theorem of point processes; Lewis and Shedler, "Simulation of nonhomogeneous Poisson
//! processes by thinning", 1979, section 1, call it the inversion method). So the same seed at another rate gives the same
//! pattern, faster or slower, and a rate that changes needs no thinning. The rate is linear within a stage, so the inverse
//! is the root of a quadratic.

mod random;

use std::time::Duration;

use crate::spec::{Arrivals, LoadError, LoadSpec, Open, Rate, Rates};
use random::Random;

/// Most requests of one schedule. Each is a prepared request in memory before the window opens.
pub const MOST_ARRIVALS: usize = 2_000_000;

const NANOS: f64 = 1e9;

/// When a request is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Nanoseconds after the window opened.
    pub at_ns: u64,
    /// Index of its stage in the schedule.
    pub stage: u32,
}

/// A stretch of a schedule during which the rate is constant or changes evenly.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Such as `5/s` or `5/s..20/s`.
    pub name: String,
    /// Its beginning, in nanoseconds after the window opened.
    pub from_ns: u64,
    /// Its end, where the next one begins.
    pub to_ns: u64,
    /// Requests per second at its beginning; `None` where a trace sets the times.
    pub rate_from: Option<f64>,
    /// Requests per second at its end.
    pub rate_to: Option<f64>,
}

/// When every request is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// By rising time. Never empty.
    pub arrivals: Vec<Arrival>,
    /// Without gaps from 0 on; every arrival lies inside its own. Never empty.
    pub stages: Vec<Stage>,
}

/// How long a load lasts: whichever ends first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Length {
    /// Nothing is sent after this time.
    pub duration: Option<Duration>,
    /// Requests in all.
    pub requests: Option<u32>,
}

/// Works out when each request of an open load is due.
///
/// Constant and random rates need a length. Stages bring theirs, and `length` can only cut it. A ramp without a duration
/// lasts as long as `requests` take at its mean rate. Constant arrivals begin at 0; random ones begin after the first random gap.
/// Nothing forces the number of requests of a random load onto rate times duration: that would be another process. Gaps of a
/// gamma process are counted from its beginning, as if a request had come at 0.
///
/// # Errors
/// [`LoadError::NoSchedule`] for loads whose requests wait for one another and for replays and sweeps, whose times come from
/// the file or from what was measured; [`LoadError::Endless`], [`LoadError::Empty`] and [`LoadError::TooMany`].
pub fn schedule(spec: &LoadSpec, length: Length, seed: u64) -> Result<Schedule, LoadError> {
    let LoadSpec::Open(open) = spec else {
        return Err(LoadError::NoSchedule(spec.to_string()));
    };
    let pieces = pieces(spec, open, length)?;
    let wanted = length.requests.map_or(f64::INFINITY, f64::from);
    let expected = pieces.iter().map(Piece::requests).sum::<f64>().min(wanted);
    if expected > MOST_ARRIVALS as f64 {
        return Err(LoadError::TooMany { load: spec.to_string(), requests: expected, most: MOST_ARRIVALS });
    }
    // A random process can exceed what is expected of it, though not by an eighth of two million.
    let most = length.requests.map_or(MOST_ARRIVALS + MOST_ARRIVALS / 8, |most| most as usize);
    let schedule = place(pieces, open.arrivals, most, seed);
    if schedule.arrivals.is_empty() {
        return Err(LoadError::Empty(spec.to_string(), Duration::from_nanos(schedule.ends_ns())));
    }
    Ok(schedule)
}

/// How many parts a ramp is reported in: enough to see latency bend, few enough that each part holds requests.
const RAMP_PARTS: u32 = 10;

/// Longest schedule, of a load that is bounded by its requests alone.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// What rounding may add to an expected number of requests. Ten requests a minute for a minute are ten, not eleven.
const SLACK: f64 = 1e-9;

impl Stage {
    /// The mean of the rates at both ends, where there are any: requests per second that were asked for.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        Some(f64::midpoint(self.rate_from?, self.rate_to?))
    }
}

impl Schedule {
    /// When the load is over, in nanoseconds after the window opened: for a load that is cut by its number of requests, when
    /// the next one would have been due.
    #[must_use]
    pub fn ends_ns(&self) -> u64 {
        self.stages.last().map_or(0, |stage| stage.to_ns)
    }
}

/// A stage with its rates in numbers.
#[derive(Debug, Clone)]
struct Piece {
    name: String,
    from_s: f64,
    /// May be infinite in the last one.
    to_s: f64,
    rate_from: f64,
    rate_to: f64,
}

impl Piece {
    /// Expected requests.
    fn requests(&self) -> f64 {
        (self.to_s - self.from_s) * f64::midpoint(self.rate_from, self.rate_to)
    }

    /// How far the rate rises in a second; 0 without an end.
    fn slope(&self) -> f64 {
        (self.rate_to - self.rate_from) / (self.to_s - self.from_s)
    }

    /// When `requests` requests have come, in seconds from the opening: the root of `rate · t + slope / 2 · t² = requests`,
    /// in the form that loses no digits where the slope is small.
    fn when(&self, requests: f64) -> f64 {
        let discriminant = self.rate_from * self.rate_from + 2.0 * self.slope() * requests;
        let denominator = self.rate_from + discriminant.max(0.0).sqrt();
        self.from_s + if denominator > 0.0 { 2.0 * requests / denominator } else { 0.0 }
    }

    /// The part between two moments, both in seconds from the opening.
    fn part(&self, from_s: f64, to_s: f64, name: String) -> Self {
        let rate = |at_s: f64| (self.rate_from + self.slope() * (at_s - self.from_s)).max(0.0);
        let rate_to = if to_s < self.to_s { rate(to_s) } else { self.rate_to };
        Self { name, from_s, to_s, rate_from: rate(from_s), rate_to }
    }

    fn stage(&self) -> Stage {
        Stage {
            name: self.name.clone(),
            from_ns: nanos(self.from_s),
            to_ns: nanos(self.to_s),
            rate_from: Some(self.rate_from),
            rate_to: Some(self.rate_to),
        }
    }
}

/// Whole nanoseconds. Infinity becomes the largest number.
fn nanos(seconds: f64) -> u64 {
    (seconds * NANOS) as u64
}

/// What the load looks like over time, cut to its duration. Only a constant rate may be without an end, when the number of
/// requests is what ends it.
fn pieces(spec: &LoadSpec, open: &Open, length: Length) -> Result<Vec<Piece>, LoadError> {
    let duration = length.duration.map_or(f64::INFINITY, |duration| duration.as_secs_f64());
    let requests = length.requests.map_or(f64::INFINITY, f64::from);
    let longest = LONGEST.as_secs_f64();
    let bounded = |seconds: f64| match seconds {
        f64::INFINITY => Err(LoadError::Endless(spec.to_string())),
        seconds if seconds > longest => Err(LoadError::TooLong(spec.to_string(), LONGEST)),
        seconds => Ok(seconds),
    };
    match &open.rates {
        Rates::Constant(rate) => {
            bounded(duration.min(requests / rate.per_second()))?;
            Ok(vec![piece(rate.to_string(), 0.0, duration, (*rate, *rate))])
        }
        Rates::Ramp { from, to } => {
            let takes = requests / f64::midpoint(from.per_second(), to.per_second());
            let seconds = bounded(if duration.is_finite() { duration } else { takes })?;
            let whole = piece(String::new(), 0.0, seconds, (*from, *to));
            let edge = |part: u32| seconds * f64::from(part) / f64::from(RAMP_PARTS);
            let parts = (0..RAMP_PARTS).map(|part| {
                let name = format!("{}..{}, part {} of {RAMP_PARTS}", from, to, part + 1);
                whole.part(edge(part), if part + 1 == RAMP_PARTS { seconds } else { edge(part + 1) }, name)
            });
            Ok(parts.collect())
        }
        Rates::Stages(stages) => {
            let total: Duration = stages.iter().map(|stage| stage.lasts).sum();
            let end = bounded(duration.min(total.as_secs_f64()))?;
            let mut begins = Duration::ZERO;
            let mut pieces = Vec::with_capacity(stages.len());
            for stage in stages {
                let from_s = begins.as_secs_f64();
                begins += stage.lasts;
                if from_s >= end {
                    break;
                }
                let whole = piece(stage.to_string(), from_s, begins.as_secs_f64(), (stage.from, stage.to));
                pieces.push(whole.part(from_s, whole.to_s.min(end), whole.name.clone()));
            }
            Ok(pieces)
        }
    }
}

fn piece(name: String, from_s: f64, to_s: f64, (from, to): (Rate, Rate)) -> Piece {
    Piece { name, from_s, to_s, rate_from: from.per_second(), rate_to: to.per_second() }
}

/// Puts arrivals into the pieces until they or the requests are used up. Where the requests end first, the last stage ends
/// when the next request would have been due, so that requests over time is the rate, and later stages are left out.
fn place(pieces: Vec<Piece>, arrivals: Arrivals, most: usize, seed: u64) -> Schedule {
    let mut random = Random::new(seed);
    let mut placed: Vec<Arrival> = Vec::new();
    let mut stages: Vec<Stage> = pieces.iter().map(Piece::stage).collect();
    // Where the process of rate 1 is, and where in it the current piece begins.
    let mut now = if arrivals == Arrivals::Constant { 0.0 } else { random.gap(arrivals) };
    let mut begins = 0.0;
    for (index, piece) in pieces.iter().enumerate() {
        let requests = piece.requests();
        while now + SLACK < begins + requests {
            let stage = stages.get(index).map_or((0, u64::MAX), |stage| (stage.from_ns, stage.to_ns));
            // Rounding must not move an arrival out of its stage, nor before the one before it.
            let last_ns = placed.last().map_or(stage.0, |last| last.at_ns.max(stage.0));
            let at_ns = nanos(piece.when((now - begins).max(0.0))).min(stage.1.saturating_sub(1)).max(last_ns);
            if placed.len() >= most {
                stages.truncate(index + 1);
                if let Some(stage) = stages.last_mut() {
                    // A stage has a length, and its last request is in it, even if several come at once.
                    let to_s = at_ns.max(last_ns + 1);
                    let whole = piece.part(piece.from_s, to_s as f64 / NANOS, stage.name.clone());
                    *stage = Stage { to_ns: to_s, from_ns: stage.from_ns, ..whole.stage() };
                }
                return Schedule { arrivals: placed, stages };
            }
            placed.push(Arrival { at_ns, stage: index as u32 });
            now = match arrivals {
                // Counted and not summed up, so that the thousandth request is due at exactly 999.
                Arrivals::Constant => placed.len() as f64,
                Arrivals::Poisson | Arrivals::Gamma { .. } => now + random.gap(arrivals),
            };
        }
        begins += requests;
    }
    Schedule { arrivals: placed, stages }
}
