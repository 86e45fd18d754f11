//! Which of the claims hold.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Part;
use super::benches::{Overall, Rates};
use super::report::{Calibration, Report};
use crate::Error;

/// Growth of the client's memory from the second quarter of a long run to the last one that still counts as flat.
const FLAT: f64 = 1.05;

/// Most KiB for an open stream.
const STREAM_KIB: f64 = 32.0;

/// Everything that was measured.
#[derive(Debug, Default, Serialize)]
pub struct Measured {
    /// The rounds of each scenario.
    pub rounds: BTreeMap<String, Vec<Report>>,
    pub capacity: Vec<Rates>,
    pub overall: Vec<Overall>,
    /// Resident memory in KiB, once a second.
    pub memory: Vec<u64>,
    /// KiB that one more open stream takes.
    pub per_stream: Option<f64>,
    /// KiB that one more answer leaves behind until its window is over.
    pub per_answer: Option<f64>,
    /// What could not be measured, and why.
    pub failures: BTreeMap<String, String>,
}

impl Measured {
    /// One round of a scenario. A scenario that failed once has no rounds.
    pub fn take(&mut self, name: &str, round: Result<Report, Error>) {
        match self.kept(name, round) {
            Some(round) if !self.has_failed(name) => self.rounds.entry(name.to_owned()).or_default().push(round),
            _ => drop(self.rounds.remove(name)),
        }
    }

    /// Whether it could not be measured.
    pub fn has_failed(&self, name: &str) -> bool {
        self.failures.contains_key(name)
    }

    pub fn take_capacity(&mut self, rates: Result<Vec<Rates>, Error>) {
        self.capacity = self.kept("capacity", rates).unwrap_or_default();
    }

    /// What a token costs. Of several times, that at which it was least counts, as of the rounds of a scenario.
    pub fn take_overall(&mut self, costs: Result<Vec<Overall>, Error>) {
        let Some(costs) = self.kept("decode", costs).filter(|_| !self.has_failed("decode")) else {
            self.overall.clear();
            return;
        };
        for found in costs {
            match self.overall.iter_mut().find(|known| known.scenario == found.scenario) {
                Some(known) if known.seconds_per_million <= found.seconds_per_million => {}
                Some(known) => *known = found,
                None => self.overall.push(found),
            }
        }
    }

    pub fn take_memory(&mut self, samples: Result<Vec<u64>, Error>) {
        self.memory = self.kept("memory", samples).unwrap_or_default();
    }

    pub fn take_per_stream(&mut self, kib: Result<f64, Error>) {
        self.per_stream = self.kept("streams", kib);
    }

    pub fn take_per_answer(&mut self, kib: Result<f64, Error>) {
        self.per_answer = self.kept("answers", kib);
    }

    fn kept<T>(&mut self, name: &str, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.failures.insert(name.to_owned(), error.to_string());
                None
            }
        }
    }

    /// One number of every round that has it.
    pub fn values(&self, name: &str, number: impl Fn(&Report) -> Option<f64>) -> Vec<f64> {
        self.rounds.get(name).into_iter().flatten().filter_map(number).collect()
    }
}

/// A claim and what was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    #[serde(skip)]
    pub part: Part,
    pub claim: String,
    pub unit: &'static str,
    /// The best round; `None` when nothing was measured.
    pub value: Option<f64>,
    pub rounds: Vec<f64>,
    /// The most that the value may be; `None` where it is only reported.
    pub bound: Option<f64>,
}

impl Figure {
    fn of(part: Part, claim: impl Into<String>, unit: &'static str, rounds: Vec<f64>) -> Self {
        Self { part, claim: claim.into(), unit, value: least(&rounds), rounds, bound: None }
    }

    fn at_most(self, bound: f64) -> Self {
        Self { bound: Some(bound), ..self }
    }

    /// In words.
    pub fn verdict(&self) -> &'static str {
        match (self.value, self.bound) {
            (None, _) => "not measured",
            (Some(_), None) => "reported",
            (Some(value), Some(bound)) if value <= bound => "met",
            _ => "not met",
        }
    }

    /// False for a claim that was found not to hold and for anything that could not be measured.
    pub fn holds(&self) -> bool {
        matches!(self.verdict(), "met" | "reported")
    }
}

/// The smallest number.
pub fn least(values: &[f64]) -> Option<f64> {
    values.iter().copied().filter(|value| value.is_finite()).min_by(f64::total_cmp)
}

/// Every claim, in the order of the issue that makes them.
pub fn judge(measured: &Measured) -> Vec<Figure> {
    let errors = |name: &str, number: fn(&Calibration) -> Option<f64>| {
        measured.values(name, |report| number(&report.calibration))
    };
    let mut figures = Vec::new();
    for (part, name, claim, bound) in [
        (Part::Quiet, "loaded-kernel", "1,000 streams, kernel stamps", Some(0.1)),
        (Part::Quiet, "loaded-user", "1,000 streams, user stamps", Some(1.0)),
        (Part::Few, "few-kernel", "10 streams, kernel stamps", Some(0.05)),
        (Part::Few, "few-polled", "10 streams, user stamps, busy polling", Some(0.05)),
        // What a thread that sleeps adds is how long this machine takes to wake it.
        (Part::Few, "few-user", "10 streams, user stamps", None),
    ] {
        let figure = |what: &str, number: fn(&Calibration) -> Option<f64>| {
            Figure::of(part, format!("{claim}: {what}"), "ms", errors(name, number))
        };
        // Ten answers have no 99th percentile.
        let worst = match part {
            Part::Few => figure("TTFT error, largest", Calibration::ttft_max),
            _ => figure("TTFT error p99", Calibration::ttft_p99),
        };
        figures.extend([
            figure("TTFT error p50", Calibration::ttft_p50),
            worst,
            figure("ITL error p50", Calibration::itl_p50),
            Figure { bound, ..figure("ITL error p99", Calibration::itl_p99) },
        ]);
    }
    for (what, number) in [
        ("TTFT error p99", Calibration::ttft_p99 as fn(&Calibration) -> Option<f64>),
        ("ITL error p99", Calibration::itl_p99),
    ] {
        // Neighbours in time are compared, and the pair in the middle counts: the best one would be the machine's doing.
        let mut ratios: Vec<f64> = errors("busy-kernel", number)
            .into_iter()
            .zip(errors("quiet-kernel", number))
            .map(|(busy, quiet)| busy / quiet)
            .collect();
        ratios.sort_by(f64::total_cmp);
        let ratios = ratios.get(ratios.len() / 2).copied().into_iter().collect();
        let claim = format!("busy loop on the client's core, kernel stamps: {what} to its quiet value");
        figures.push(Figure::of(Part::Busy, claim, "x", ratios).at_most(2.0));
    }
    for rates in &measured.capacity {
        let claim = |what: &str| format!("{}: {what}, {:.0} a second", rates.scenario, rates.client_per_second);
        figures.push(Figure::of(Part::Capacity, claim("rate to a bare loop"), "x", vec![rates.rate_ratio]));
        figures.push(Figure::of(Part::Capacity, claim("CPU to a bare loop"), "x", vec![rates.cpu_ratio]));
    }
    if measured.capacity.is_empty() {
        figures.push(Figure::of(Part::Capacity, "most events and requests a second", "x", Vec::new()));
    }
    let send = errors("open", Calibration::send_p99);
    figures.push(Figure::of(Part::Open, "2,000 requests/s: send error p99", "ms", send).at_most(0.2));
    figures.extend(decoding(&measured.overall));
    let claim = "one more open stream: resident memory";
    figures
        .push(Figure::of(Part::Streams, claim, "KiB", measured.per_stream.into_iter().collect()).at_most(STREAM_KIB));
    let claim = "one more answer that is over: resident memory until its window is";
    figures.push(Figure::of(Part::Streams, claim, "KiB", measured.per_answer.into_iter().collect()));
    let claim = "ten minutes of 1,000 streams: memory at the end to a quarter in";
    figures.push(Figure::of(Part::Memory, claim, "x", growth(&measured.memory).into_iter().collect()).at_most(FLAT));
    figures
}

/// What a token costs with decoding, for each load.
fn decoding(overall: &[Overall]) -> Vec<Figure> {
    let none = Figure::of(Part::Decode, "CPU with sandboxed decoding to native decoding", "x", Vec::new()).at_most(1.3);
    if overall.is_empty() {
        return vec![none];
    }
    let of = |costs: &Overall| {
        let figure = |what: &str, unit: &'static str, value: f64| {
            Figure::of(Part::Decode, format!("{}: {what}", costs.scenario), unit, vec![value])
        };
        [
            figure("CPU for a million tokens, wire and sandboxed decoding", "s", costs.seconds_per_million),
            figure("CPU for a million tokens, wire and native decoding", "s", costs.native_seconds_per_million),
            figure("decoding alone, sandboxed to native", "x", costs.decode_ratio),
            figure("CPU with sandboxed decoding to native decoding", "x", costs.overall_ratio).at_most(1.3),
        ]
    };
    overall.iter().flat_map(of).collect()
}

/// How much larger the last quarter of the samples is than the second, by their medians. The first is warming up.
pub fn growth(samples: &[u64]) -> Option<f64> {
    let quarter = samples.len() / 4;
    let second = median(samples.get(quarter..2 * quarter)?)?;
    let last = median(samples.get(samples.len() - quarter..)?)?;
    (second > 0.0).then(|| last / second)
}

pub fn median(samples: &[u64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "KiB of one process")]
    sorted.get(sorted.len() / 2).map(|middle| *middle as f64)
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::text;
    use super::*;

    fn take(measured: &mut Measured, name: &str, itl_p99: &[f64]) {
        for p99 in itl_p99 {
            measured.take(name, Report::parse(&text(*p99, 2.0)));
        }
    }

    fn verdict(figures: &[Figure], part: Part, claim: &str) -> &'static str {
        let found = figures.iter().find(|figure| figure.part == part && figure.claim.contains(claim));
        found.map_or("no such figure", Figure::verdict)
    }

    #[test]
    fn the_best_round_counts() {
        let mut measured = Measured::default();
        take(&mut measured, "loaded-kernel", &[0.4, 0.09, 0.2]);
        take(&mut measured, "loaded-user", &[1.2, 1.1]);
        let figures = judge(&measured);
        assert_eq!(verdict(&figures, Part::Quiet, "kernel stamps: ITL error p99"), "met");
        assert_eq!(verdict(&figures, Part::Quiet, "user stamps: ITL error p99"), "not met");
        assert_eq!(verdict(&figures, Part::Quiet, "kernel stamps: TTFT error p50"), "reported");
        assert_eq!(verdict(&figures, Part::Few, "ITL error p99"), "not measured");
    }

    #[test]
    fn a_busy_core_is_compared_with_the_quiet_round_beside_it() {
        let beside = |busy: &[f64]| {
            let mut measured = Measured::default();
            take(&mut measured, "quiet-kernel", &[0.1, 0.05, 0.1]);
            take(&mut measured, "busy-kernel", busy);
            verdict(&judge(&measured), Part::Busy, "ITL error p99")
        };
        assert_eq!(beside(&[0.19, 0.5, 0.05]), "met");
        assert_eq!(beside(&[0.21, 0.5, 0.05]), "not met");
    }

    #[test]
    fn decoding_is_compared_as_a_whole() {
        let costs = |overall_ratio| Overall {
            scenario: "200 streams".to_owned(),
            wire_us: 2.0,
            back_us: 0.0,
            sandbox_us: 1.6,
            native_us: 1.0,
            decode_ratio: 1.6,
            seconds_per_million: 3.0 * overall_ratio,
            native_seconds_per_million: 3.0,
            overall_ratio,
        };
        let mut measured = Measured::default();
        assert_eq!(verdict(&judge(&measured), Part::Decode, "sandboxed"), "not measured");
        measured.take_overall(Ok(vec![costs(1.31)]));
        assert_eq!(verdict(&judge(&measured), Part::Decode, "CPU with sandboxed"), "not met");
        measured.take_overall(Ok(vec![costs(1.2)]));
        measured.take_overall(Ok(vec![costs(1.4)]));
        assert_eq!(verdict(&judge(&measured), Part::Decode, "CPU with sandboxed"), "met");
        assert_eq!(verdict(&judge(&measured), Part::Decode, "decoding alone"), "reported");
        measured.take_overall(Err(Error::Failed("bench".to_owned())));
        measured.take_overall(Ok(vec![costs(1.2)]));
        assert_eq!(verdict(&judge(&measured), Part::Decode, "sandboxed"), "not measured");
    }

    #[test]
    fn what_failed_is_not_measured_and_does_not_hold() {
        let mut measured = Measured::default();
        for round in
            [Report::parse(&text(0.1, 2.0)), Err(Error::Failed("bench".to_owned())), Report::parse(&text(0.1, 2.0))]
        {
            measured.take("open", round);
        }
        let figures = judge(&measured);
        assert_eq!(verdict(&figures, Part::Open, "send error"), "not measured");
        assert!(figures.iter().all(|figure| figure.part != Part::Open || !figure.holds()));
        assert!(measured.has_failed("open"));
    }

    #[test]
    fn growth_leaves_out_the_beginning() {
        assert_eq!(growth(&[1, 5, 100, 100, 100, 100, 110, 110]), Some(1.1));
        assert_eq!(growth(&[1, 2, 3]), None);
        assert_eq!(growth(&[]), None);
    }
}
