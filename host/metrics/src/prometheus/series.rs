//! A server's numbers over time.
//!
//! - A gauge is shown as it is.
//! - A counter is shown as its growth per second since the snapshot before, `rate(NAME)`. Where it fell, the server
//!   began anew, and nothing is said of that interval.
//! - A histogram or summary is shown by the mean of what was observed since the snapshot before, `mean(NAME)`, where
//!   something was, and by the number of observations per second, `rate(NAME_count)`. Its buckets are left out.
//!
//! The names follow Prometheus' query language, so that they say what was done.

use std::collections::BTreeMap;

use super::parse::{Kind, Sample, Scrape};

/// Most series that are handed out.
pub const MOST_SERIES: usize = 64;

/// Numbers that are followed, of which those that change are handed out.
const MOST_TRACKS: usize = 4096;

/// Changes that are remembered over all numbers: 16 bytes each.
const MOST_CHANGES: usize = 1 << 20;

/// Begin of the names of what a server's platform reports of itself, which says the least about the engine.
const PLATFORM: [&str; 5] = ["go_", "http_", "process_", "promhttp_", "python_"];

/// A server's number over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The server's name for it, inside of what was done to it.
    pub name: String,
    /// What tells it from others of its name, as (label, value).
    pub labels: Vec<(String, String)>,
    /// (nanoseconds, value) in order of time. In a stretch of equal values only the ends are there.
    pub points: Vec<(u64, f64)>,
}

/// What came of all snapshots.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Collected {
    /// Those that changed, at most [`MOST_SERIES`], the engine's own before those of its platform, else as the server
    /// has them.
    pub series: Vec<Series>,
    /// Series that changed and were left out, for there were too many.
    pub left_out: u32,
    /// The server has more numbers, or they changed more often, than are followed; some are missing or end early.
    pub is_cut: bool,
}

/// Follows a server's numbers from snapshot to snapshot. Remembers changes only, in bounded memory.
#[derive(Debug, Default)]
pub struct Collector {
    times: Vec<u64>,
    tracks: Vec<Track>,
    places: BTreeMap<(String, Labels), usize>,
    changes: usize,
    is_cut: bool,
}

type Labels = Vec<(String, String)>;

/// One number's values.
#[derive(Debug)]
struct Track {
    name: String,
    labels: Labels,
    kind: Kind,
    /// (place in the times, value from there on); `None` where it is absent or not finite.
    changes: Vec<(usize, Option<f64>)>,
    /// The last snapshot that had it.
    seen: usize,
}

impl Collector {
    /// Adds what a server said at a time, in nanoseconds. A snapshot that is not later than the one before is left out.
    pub fn add(&mut self, at_ns: u64, scrape: Scrape) {
        if self.times.last().is_some_and(|last| *last >= at_ns) {
            return;
        }
        let now = self.times.len();
        self.times.push(at_ns);
        self.is_cut |= scrape.is_cut;
        for sample in scrape.samples {
            self.note(now, sample);
        }
        for track in self.tracks.iter_mut().filter(|track| track.seen != now) {
            self.changes += track.set(now, None);
        }
    }

    fn note(&mut self, now: usize, sample: Sample) {
        let Sample { name, labels, value, kind } = sample;
        if kind == Kind::Bucket {
            return;
        }
        let key = (name, labels);
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None if self.tracks.len() == MOST_TRACKS => {
                self.is_cut = true;
                return;
            }
            None => {
                let (name, labels) = key.clone();
                self.tracks.push(Track { name, labels, kind, changes: Vec::new(), seen: usize::MAX });
                self.places.insert(key, self.tracks.len() - 1);
                self.tracks.len() - 1
            }
        };
        let Some(track) = self.tracks.get_mut(place) else { return };
        // A text that has a number twice contradicts itself; the first one stands.
        if track.seen == now {
            return;
        }
        if self.changes >= MOST_CHANGES {
            // Not seen, so it ends here.
            self.is_cut = true;
            return;
        }
        track.seen = now;
        self.changes += track.set(now, Some(value).filter(|value| value.is_finite()));
    }

    /// The series that changed.
    #[must_use]
    pub fn finish(self) -> Collected {
        let is_platform = |track: &&Track| PLATFORM.iter().any(|begin| track.name.starts_with(begin));
        let (last, first): (Vec<&Track>, Vec<&Track>) = self.tracks.iter().partition(is_platform);
        let mut series = Vec::new();
        let mut left_out = 0_u32;
        for changed in first.into_iter().chain(last).filter_map(|track| self.derive(track)) {
            if series.len() < MOST_SERIES {
                series.push(changed);
            } else {
                left_out = left_out.saturating_add(1);
            }
        }
        Collected { series, left_out, is_cut: self.is_cut }
    }

    fn derive(&self, track: &Track) -> Option<Series> {
        let snapshots = self.times.len();
        let (name, points) = match track.kind {
            Kind::Gauge | Kind::Quantile | Kind::Unknown => {
                (track.name.clone(), self.at_times(track.values(snapshots)))
            }
            Kind::Counter | Kind::Count => {
                (format!("rate({})", track.name), self.per_second(&growth(track.values(snapshots))))
            }
            Kind::Sum => {
                let (family, count) = self.observed(track)?;
                let counts = growth(count.values(snapshots));
                let means = growth(track.values(snapshots))
                    .into_iter()
                    .zip(counts)
                    .map(|(sum, count)| Some(sum? / count.filter(|count| *count > 0.0)?));
                (format!("mean({family})"), self.at_times(means))
            }
            Kind::Bucket => return None,
        };
        // A gauge tells something when it moves, a counter when it grows at all, a mean by being there.
        let tells = match track.kind {
            Kind::Counter | Kind::Count => points.iter().any(|point| point.1 != 0.0),
            Kind::Sum => !points.is_empty(),
            _ => points.iter().any(|point| points.first().is_some_and(|first| first.1 != point.1)),
        };
        tells.then(|| Series { name, labels: track.labels.clone(), points: corners(points) })
    }

    /// The family of a sum, and the number of observations that belongs to it.
    fn observed<'a>(&self, sum: &'a Track) -> Option<(&'a str, &Track)> {
        let found = [("_sum", "_count"), ("_gsum", "_gcount")].into_iter().find_map(|(ours, theirs)| {
            let family = sum.name.strip_suffix(ours)?;
            Some((family, *self.places.get(&(format!("{family}{theirs}"), sum.labels.clone()))?))
        });
        let (family, place) = found?;
        Some((family, self.tracks.get(place)?))
    }

    fn at_times(&self, values: impl IntoIterator<Item = Option<f64>>) -> Vec<(u64, f64)> {
        let known = self.times.iter().zip(values).filter_map(|(at, value)| Some((*at, value?)));
        known.filter(|(_, value)| value.is_finite()).collect()
    }

    fn per_second(&self, growth: &[Option<f64>]) -> Vec<(u64, f64)> {
        let spans = self.times.windows(2).map(|pair| match pair {
            [before, after] => (after - before) as f64 / 1e9,
            _ => f64::NAN,
        });
        let rates = growth.iter().skip(1).zip(spans).map(|(grown, span)| Some((*grown)? / span));
        self.at_times(std::iter::once(None).chain(rates))
    }
}

impl Track {
    /// Notes the value from a snapshot on; how many changes that adds.
    fn set(&mut self, now: usize, value: Option<f64>) -> usize {
        let last = self.changes.last().and_then(|(_, value)| *value);
        if last == value {
            return 0;
        }
        self.changes.push((now, value));
        1
    }

    /// The value at each snapshot.
    fn values(&self, snapshots: usize) -> impl Iterator<Item = Option<f64>> + '_ {
        let mut changes = self.changes.iter().peekable();
        let mut value = None;
        (0..snapshots).map(move |now| {
            while let Some((_, changed)) = changes.next_if(|(from, _)| *from <= now) {
                value = *changed;
            }
            value
        })
    }
}

/// How much a number grew since the snapshot before; `None` at the first, where either is unknown, and where it fell.
fn growth(values: impl Iterator<Item = Option<f64>>) -> Vec<Option<f64>> {
    let mut before = None;
    values
        .map(|value| {
            let grown = value.zip(before).map(|(now, before): (f64, f64)| now - before);
            before = value;
            grown.filter(|grown| *grown >= 0.0)
        })
        .collect()
}

/// Leaves out the points between two of the same value: a line through the rest is the same.
fn corners(points: Vec<(u64, f64)>) -> Vec<(u64, f64)> {
    let is_inner = |at: usize| {
        let value = |at: usize| points.get(at).map(|point| point.1);
        at > 0 && value(at - 1) == value(at) && value(at + 1) == value(at)
    };
    points.iter().enumerate().filter(|(at, _)| !is_inner(*at)).map(|(_, point)| *point).collect()
}
