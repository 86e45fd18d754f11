//! What load to put on a server, as people write it: `poisson:10/s`, `closed:32`, `sweep`.
//!
//! One line of text names a whole load, so that a command line, a table and a record can all carry it, and what is printed
//! can be given back. [`LoadSpec::to_string`] writes the canonical form and parsing that yields the same value.

mod parse;
mod print;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use bench_text::clean_sentence;
use serde::{Deserialize, Serialize};

use crate::replay::Format;

/// The grammar, for error messages and help.
pub const GRAMMAR: &str = "\
sequential                                    one request at a time
closed:32                                     32 sessions at any time
closed:1..64,ramp=30s                         from 1 to 64 sessions, one more at a time, evenly over 30 s
constant:10/s                                 one request every 100 ms
poisson:10/s                                  requests that know nothing of each other
gamma:10/s,burstiness=0.5                     burstier than Poisson below 1, more regular above
ramp:1/s..50/s[,arrivals=poisson]             a rate that grows evenly over the whole duration
stages:poisson,5/s@30s,10/s@30s,5/s..20/s@1m  one rate after the other
replay:FILE[,speed=2][,format=mooncake]       the times and lengths of a recorded trace
sweep[:from=1/s,to=100/s,arrivals=poisson]    growing rates until the server is saturated
rates are N/s or N/min; times are Nms, Ns, Nm, Nh or 1m30s; formats are mooncake, aiperf, bailian, azure or burstgpt";

/// The parts of a time with several units, such as `1m` and `30s` of `1m30s`: a digit after a letter begins a part.
#[must_use]
pub fn split_time(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let begins = |at: &usize| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        bytes.get(*at).is_some_and(u8::is_ascii_digit) && before.is_some_and(u8::is_ascii_alphabetic)
    };
    let mut parts = Vec::new();
    let mut from = 0;
    for at in (0..bytes.len()).filter(begins) {
        parts.extend(text.get(from..at));
        from = at;
    }
    parts.extend(text.get(from..));
    parts
}

/// How requests follow one another.
///
/// Parsed from text with [`FromStr`](std::str::FromStr); serialised as that text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum LoadSpec {
    /// One session after the other, one request at a time.
    Sequential,
    /// A number of sessions at any time.
    Closed(Closed),
    /// Requests at times of their own, whether or not the server keeps up.
    Open(Open),
    /// The times and lengths of a recorded trace.
    Replay(ReplaySpec),
    /// Poisson or other arrivals at growing rates until the server is saturated.
    Sweep(SweepSpec),
}

/// A closed loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    /// Sessions at the beginning.
    pub from: NonZeroU32,
    /// Sessions in the end; not fewer than `from`.
    pub to: NonZeroU32,
    /// How long it takes to get there. `None` where `from` is `to`.
    pub ramp: Option<Duration>,
}

/// An open loop: who arrives when does not depend on what is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// How arrivals scatter around the rate.
    pub arrivals: Arrivals,
    /// The rate over time.
    pub rates: Rates,
}

/// How arrivals scatter around their rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arrivals {
    /// Evenly spaced.
    Constant,
    /// Independent of each other: exponential gaps.
    Poisson,
    /// Gamma-distributed gaps with this shape, above 0: 1 is Poisson, below 1 burstier, above 1 more regular. This is what
    /// vLLM's `--burstiness` means (`vllm/benchmarks/serve.py`: gaps of `gamma(shape = burstiness, scale = 1 / (rate ·
    /// burstiness))`), but gaps are not stretched afterwards to end at an exact total, as vLLM does it.
    Gamma {
        /// The shape of the distribution, without unit.
        burstiness: f64,
    },
}

/// A rate over time.
#[derive(Debug, Clone, PartialEq)]
pub enum Rates {
    /// The same from beginning to end.
    Constant(Rate),
    /// Changes evenly over the whole duration.
    Ramp {
        /// At the beginning.
        from: Rate,
        /// At the end.
        to: Rate,
    },
    /// One stage after the other; the duration is theirs.
    Stages(Vec<LoadStage>),
}

/// A stage of an open loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadStage {
    /// Rate at its beginning.
    pub from: Rate,
    /// Rate at its end; the rate changes evenly in between.
    pub to: Rate,
    /// How long it lasts.
    pub lasts: Duration,
}

/// Requests per second: finite, not negative, at most [`Rate::MOST`].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl Rate {
    /// The highest rate that can be asked for: a hundred times what one core sends today.
    pub const MOST: f64 = 1e6;

    /// The slowest rate above 0: one request in about 28 hours.
    pub const LEAST: f64 = 1e-5;

    /// A rate, where it is 0 or lies between [`LEAST`](Self::LEAST) and [`MOST`](Self::MOST).
    #[must_use]
    pub fn new(per_second: f64) -> Option<Self> {
        // Adding 0 turns -0 into 0, which prints as people write it.
        (per_second == 0.0 || (Self::LEAST..=Self::MOST).contains(&per_second)).then_some(Self(per_second + 0.0))
    }

    /// Requests per second.
    #[must_use]
    pub const fn per_second(self) -> f64 {
        self.0
    }
}

/// A replay of a trace file.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplaySpec {
    /// The file.
    pub path: PathBuf,
    /// Times are divided by this: 2 replays twice as fast.
    pub speed: f64,
    /// How to read the file; `None` looks at its first line.
    pub format: Option<Format>,
}

/// A sweep to saturation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SweepSpec {
    /// The first rate.
    pub from: Rate,
    /// A rate that is not exceeded.
    pub to: Rate,
    /// How arrivals scatter around each rate.
    pub arrivals: Arrivals,
}

impl SweepSpec {
    /// The load of one step.
    #[must_use]
    pub const fn at(self, rate: Rate) -> LoadSpec {
        LoadSpec::Open(Open { arrivals: self.arrivals, rates: Rates::Constant(rate) })
    }
}

impl Closed {
    /// A closed loop of a fixed number of sessions.
    #[must_use]
    pub const fn fixed(streams: NonZeroU32) -> Self {
        Self { from: streams, to: streams, ramp: None }
    }

    /// When each place of the loop opens, in nanoseconds after the window: the first `from` places at once, the others
    /// evenly spaced, the last one when the ramp ends.
    pub fn openings_ns(self) -> impl Iterator<Item = u64> {
        let (from, to) = (u64::from(self.from.get()), u64::from(self.to.get()));
        let ramp = self.ramp.map_or(0, |ramp| ramp.as_nanos());
        let steps = u128::from(to.saturating_sub(from).max(1));
        (1..=to).map(move |place| {
            let step = u128::from(place.saturating_sub(from));
            u64::try_from(ramp * step / steps).unwrap_or(u64::MAX)
        })
    }
}

impl LoadSpec {
    /// An open loop of stages, each its seconds and the requests per second at its beginning and at its end, as a workload
    /// asks for it. The numbers may be anything; they are judged as if somebody had typed them.
    ///
    /// # Errors
    /// [`LoadError::BadLoad`].
    pub fn staged(arrivals: Arrivals, stages: impl IntoIterator<Item = (f64, f64, f64)>) -> Result<Self, LoadError> {
        let stages = stages.into_iter().map(|(seconds, from, to)| LoadStage {
            from: Rate(from),
            to: Rate(to),
            // A time of 0 is refused, like those that are no time at all.
            lasts: Duration::try_from_secs_f64(seconds).unwrap_or_default(),
        });
        Self::Open(Open { arrivals, rates: Rates::Stages(stages.collect()) }).to_string().parse()
    }

    /// Whether requests have times of their own, so that [`schedule`](crate::schedule) or a replay says when each is due.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open(_) | Self::Replay(_) | Self::Sweep(_))
    }
}

/// What a load cannot be made of.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LoadError {
    /// The text is not a load.
    #[error(
        "`{text}` is no load: {reason}, at character {at}: `{part}`",
        text = clean_sentence(.text),
        reason = clean_sentence(.reason),
        part = clean_sentence(.part),
    )]
    BadLoad {
        /// All of it, cut where it is very long.
        text: String,
        /// The part that does not fit.
        part: String,
        /// Where that part begins, in characters counted from 1.
        at: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// An open loop needs an end.
    #[error("the load `{text}` has no end", text = clean_sentence(.0))]
    Endless(String),
    /// Longer than anybody waits.
    #[error("the load `{text}` lasts longer than {1:?}", text = clean_sentence(.0))]
    TooLong(String, Duration),
    /// The load has no times of its own.
    #[error("the load `{text}` has no schedule: its requests wait for one another", text = clean_sentence(.0))]
    NoSchedule(String),
    /// Not one request falls into the duration.
    #[error("the load `{text}` sends no request in {1:?}", text = clean_sentence(.0))]
    Empty(String, Duration),
    /// More requests than a run can hold.
    #[error(
        "the load `{load}` comes to {requests:.0} requests; at most {most} are sent in one run",
        load = clean_sentence(.load),
    )]
    TooMany {
        /// The load.
        load: String,
        /// About how many requests it comes to.
        requests: f64,
        /// The bound.
        most: usize,
    },
    /// A trace file that cannot be replayed.
    #[error("line {line} of the trace: {reason}", reason = clean_sentence(.reason))]
    BadTrace {
        /// Counted from 1; 0 is the file as a whole.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

impl LoadError {
    /// Stable identifier in kebab case.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadLoad { .. } => "bad-load",
            Self::Endless(_) => "endless-load",
            Self::TooLong(..) => "too-long",
            Self::NoSchedule(_) => "no-schedule",
            Self::Empty(..) => "empty-load",
            Self::TooMany { .. } => "too-many-requests",
            Self::BadTrace { .. } => "bad-trace",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::BadLoad { .. } => format!("loads are written like this:\n{GRAMMAR}"),
            Self::Endless(_) => "say how long it lasts or how many requests it has".to_owned(),
            Self::TooLong(..) => "give a higher rate, fewer requests or a shorter duration".to_owned(),
            Self::NoSchedule(_) => "give a load of arrivals, such as `poisson:10/s`".to_owned(),
            Self::Empty(..) => "give a higher rate or a longer duration".to_owned(),
            Self::TooMany { .. } => "give a lower rate, a shorter duration or fewer requests".to_owned(),
            Self::BadTrace { .. } => "a trace has JSON objects (Mooncake, AIPerf or Qwen-Bailian) or comma-separated lines \
                                      (Azure or BurstGPT); `format=mooncake`, `aiperf`, `bailian`, `azure` or `burstgpt` names it"
                .to_owned(),
        })
    }
}
