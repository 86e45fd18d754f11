//! Reading a load. What a user typed is cut into parts that remember where they came from, so that a refusal can point.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::{Arrivals, Closed, LoadError, LoadSpec, LoadStage, Open, Rate, Rates, ReplaySpec, SweepSpec};
use crate::replay::Format;

/// Longest text that is looked at, in bytes: room for a long path or hundreds of stages.
const LONGEST: usize = 16 * 1024;

/// Most stages of one load.
const MOST_STAGES: usize = 1000;

/// Longest ramp or stage: a week.
const LONGEST_SPAN: Duration = Duration::from_secs(7 * 24 * 3600);

/// The range of burstiness: below it nearly all requests fall onto a few moments, above it gaps are even to a thousandth.
const BURSTINESS: std::ops::RangeInclusive<f64> = 0.01..=1e6;

/// The range of replay speeds.
const SPEED: std::ops::RangeInclusive<f64> = 1e-3..=1e6;

/// The rates of a sweep that names none. The end is out of reach of one server, so that saturation decides.
const SWEEP: (f64, f64) = (1.0, 10_000.0);

impl FromStr for LoadSpec {
    type Err = LoadError;

    fn from_str(text: &str) -> Result<Self, LoadError> {
        let whole = Part { text, at: 0 };
        let read = if text.len() > LONGEST { whole.refuse("it is too long") } else { load(whole.trim()) };
        read.map_err(|Refusal { part, at, reason }| LoadError::BadLoad {
            text: cut(text),
            part: cut(&part),
            at: text.get(..at).map_or(0, |before| before.chars().count()) + 1,
            reason,
        })
    }
}

impl TryFrom<String> for LoadSpec {
    type Error = LoadError;

    fn try_from(text: String) -> Result<Self, LoadError> {
        text.parse()
    }
}

/// Enough of a text to recognise it.
fn cut(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A part of the text and where it begins, in bytes.
#[derive(Debug, Clone, Copy)]
struct Part<'t> {
    text: &'t str,
    at: usize,
}

/// Why a part does not fit.
struct Refusal {
    part: String,
    at: usize,
    reason: String,
}

type Read<T> = Result<T, Refusal>;

impl<'t> Part<'t> {
    fn refuse<T>(self, reason: impl Into<String>) -> Read<T> {
        Err(Refusal { part: self.text.to_owned(), at: self.at, reason: reason.into() })
    }

    fn trim(self) -> Self {
        let start = self.text.trim_start();
        Self { text: start.trim_end(), at: self.at + (self.text.len() - start.len()) }
    }

    /// What stands before and after the first `mark`.
    fn split(self, mark: &str) -> Option<(Self, Self)> {
        let (before, after) = self.text.split_once(mark)?;
        let at = self.at + before.len() + mark.len();
        Some((Self { text: before, at: self.at }.trim(), Self { text: after, at }.trim()))
    }

    /// The parts between commas; none of an empty text.
    fn pieces(self) -> Vec<Self> {
        if self.text.is_empty() {
            return Vec::new();
        }
        let mut pieces = Vec::new();
        let mut at = self.at;
        for text in self.text.split(',') {
            pieces.push(Self { text, at }.trim());
            at += text.len() + 1;
        }
        pieces
    }
}

fn load(whole: Part<'_>) -> Read<LoadSpec> {
    let (kind, rest) = match whole.split(":") {
        Some((kind, rest)) => (kind, Some(rest)),
        None => (whole, None),
    };
    let needed = || match rest {
        Some(rest) if !rest.text.is_empty() => Ok(rest),
        _ => whole.refuse(format!("`{}` needs a `:` and what follows it", kind.text)),
    };
    match kind.text {
        "sequential" => match rest {
            None => Ok(LoadSpec::Sequential),
            Some(rest) => rest.refuse("`sequential` takes nothing"),
        },
        "closed" => Ok(LoadSpec::Closed(closed(needed()?)?)),
        "constant" | "poisson" | "gamma" => {
            let (rate, options) = first(needed()?);
            let mut options = Options::of(options)?;
            let arrivals = options.burstiness(kind)?;
            options.none_left("`burstiness`, with gamma")?;
            Ok(LoadSpec::Open(Open { arrivals, rates: Rates::Constant(above_zero(rate)?) }))
        }
        "ramp" => ramp(needed()?),
        "stages" => stages(needed()?),
        "replay" => replay(needed()?),
        "sweep" => sweep(match rest {
            Some(_) => needed()?,
            None => Part { text: "", at: whole.at + whole.text.len() },
        }),
        _ => kind.refuse(
            "a load is `sequential`, `closed`, `constant`, `poisson`, `gamma`, `ramp`, `stages`, `replay` or `sweep`",
        ),
    }
}

/// The first piece and the others.
fn first(part: Part<'_>) -> (Part<'_>, Vec<Part<'_>>) {
    let mut pieces = part.pieces();
    let rest = pieces.split_off(pieces.len().min(1));
    (pieces.pop().unwrap_or(part), rest)
}

fn closed(part: Part<'_>) -> Read<Closed> {
    let (streams, options) = first(part);
    let mut options = Options::of(options)?;
    let ramp = options.take("ramp").map(|ramp| span(ramp).map(|length| (ramp, length))).transpose()?;
    options.none_left("`ramp`")?;
    let (from, to) = match streams.split("..") {
        Some((from, to)) => (count(from)?, count(to)?),
        None => (count(streams)?, count(streams)?),
    };
    match ramp {
        _ if from > to => streams.refuse("the first number must not be the larger one"),
        Some((ramp, _)) if from == to => ramp.refuse("a ramp goes from one number to another, as in `1..64`"),
        None if from != to => streams.refuse("two numbers need a time from one to the other, as in `,ramp=30s`"),
        ramp => Ok(Closed { from, to, ramp: ramp.map(|(_, length)| length) }),
    }
}

fn ramp(part: Part<'_>) -> Read<LoadSpec> {
    let (range, options) = first(part);
    let mut options = Options::of(options)?;
    let arrivals = options.arrivals()?;
    options.none_left("`arrivals` and `burstiness`")?;
    let Some((from, to)) = range.split("..") else {
        return range.refuse("a ramp goes from one rate to another, as in `1/s..50/s`");
    };
    let (from, to) = (rate(from)?, rate(to)?);
    if from.per_second() == 0.0 && to.per_second() == 0.0 {
        return range.refuse("nothing would be sent");
    }
    Ok(LoadSpec::Open(Open { arrivals, rates: Rates::Ramp { from, to } }))
}

fn stages(part: Part<'_>) -> Read<LoadSpec> {
    let (kind, rest) = first(part);
    let (options, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|piece| piece.text.contains('='));
    let mut options = Options::of(options)?;
    let arrivals = options.burstiness(kind)?;
    options.none_left("`burstiness`, with gamma")?;
    if rest.is_empty() || rest.len() > MOST_STAGES {
        return part.refuse(format!("there are {} stages; it may be 1 to {MOST_STAGES}", rest.len()));
    }
    let stages = rest.into_iter().map(stage).collect::<Read<Vec<_>>>()?;
    if stages.iter().all(|stage| stage.from.per_second() == 0.0 && stage.to.per_second() == 0.0) {
        return part.refuse("nothing would be sent");
    }
    Ok(LoadSpec::Open(Open { arrivals, rates: Rates::Stages(stages) }))
}

fn stage(part: Part<'_>) -> Read<LoadStage> {
    let Some((rates, lasts)) = part.split("@") else {
        return part.refuse("a stage is a rate and how long it lasts, as in `5/s@30s` or `5/s..20/s@1m`");
    };
    let (from, to) = match rates.split("..") {
        Some((from, to)) => (rate(from)?, rate(to)?),
        None => (rate(rates)?, rate(rates)?),
    };
    Ok(LoadStage { from, to, lasts: span(lasts)? })
}

/// Options stand behind the path; whatever comes before the first of them is the path, commas included.
fn replay(part: Part<'_>) -> Read<LoadSpec> {
    let mut pieces = part.pieces();
    let options_from = pieces.iter().rposition(|piece| !is_option(*piece)).map_or(0, |last| last + 1);
    let options = pieces.split_off(options_from);
    let end = pieces.last().map_or(0, |last| last.at + last.text.len() - part.at);
    let path = part.text.get(..end).unwrap_or_default();
    let mut options = Options::of(options)?;
    let speed = options.take("speed").map_or(Ok(1.0), |speed| number(speed, &SPEED))?;
    let format = options.take("format").map(format).transpose()?;
    options.none_left("`speed` and `format`")?;
    if path.is_empty() {
        return part.refuse("there is no path");
    }
    Ok(LoadSpec::Replay(ReplaySpec { path: PathBuf::from(path), speed, format }))
}

fn is_option(piece: Part<'_>) -> bool {
    piece.split("=").is_some_and(|(name, _)| !name.text.is_empty() && name.text.bytes().all(|b| b.is_ascii_lowercase()))
}

fn format(part: Part<'_>) -> Read<Format> {
    match Format::ALL.into_iter().find(|format| format.name() == part.text) {
        Some(format) => Ok(format),
        None => {
            let names = Format::ALL.map(|format| format!("`{}`", format.name()));
            part.refuse(format!("formats are {}", names.join(", ")))
        }
    }
}

fn sweep(part: Part<'_>) -> Read<LoadSpec> {
    let mut options = Options::of(part.pieces())?;
    let arrivals = options.arrivals()?;
    let default = |per_second| Rate::new(per_second).unwrap_or(Rate(1.0));
    let from = options.take("from").map_or(Ok(default(SWEEP.0)), above_zero)?;
    let to = options.take("to").map_or(Ok(default(SWEEP.1)), above_zero)?;
    options.none_left("`from`, `to`, `arrivals` and `burstiness`")?;
    if from > to {
        return part.refuse("the first rate must not be the higher one");
    }
    Ok(LoadSpec::Sweep(SweepSpec { from, to, arrivals }))
}

/// Named values, each at most once.
struct Options<'t>(Vec<(Part<'t>, Part<'t>)>);

impl<'t> Options<'t> {
    fn of(pieces: Vec<Part<'t>>) -> Read<Self> {
        let mut options: Vec<(Part<'t>, Part<'t>)> = Vec::new();
        for piece in pieces {
            let Some((name, value)) = piece.split("=") else {
                return piece.refuse("options are written `name=value`");
            };
            if options.iter().any(|(other, _)| other.text == name.text) {
                return name.refuse("it is given twice");
            }
            options.push((name, value));
        }
        Ok(Self(options))
    }

    fn take(&mut self, name: &str) -> Option<Part<'t>> {
        let index = self.0.iter().position(|(known, _)| known.text == name)?;
        Some(self.0.swap_remove(index).1)
    }

    fn none_left(self, known: &str) -> Read<()> {
        match self.0.first() {
            Some((name, _)) => name.refuse(format!("options here are {known}")),
            None => Ok(()),
        }
    }

    /// `arrivals=` and what belongs to it; Poisson without a word.
    fn arrivals(&mut self) -> Read<Arrivals> {
        match self.take("arrivals") {
            Some(kind) => self.burstiness(kind),
            None => Ok(Arrivals::Poisson),
        }
    }

    /// The arrivals of this name, with the option that gamma needs.
    fn burstiness(&mut self, kind: Part<'_>) -> Read<Arrivals> {
        match kind.text {
            "constant" => Ok(Arrivals::Constant),
            "poisson" => Ok(Arrivals::Poisson),
            "gamma" => match self.take("burstiness") {
                Some(value) => Ok(Arrivals::Gamma { burstiness: number(value, &BURSTINESS)? }),
                None => kind.refuse("gamma needs `burstiness=`: 1 is Poisson, less is burstier"),
            },
            _ => kind.refuse("arrivals are `constant`, `poisson` or `gamma`"),
        }
    }
}

fn count(part: Part<'_>) -> Read<NonZeroU32> {
    /// As many streams as one machine has ports for, roughly.
    const MOST: u32 = 100_000;
    match part.text.parse::<NonZeroU32>() {
        Ok(count) if count.get() <= MOST => Ok(count),
        _ => part.refuse(format!("it must be a whole number from 1 to {MOST}")),
    }
}

fn number(part: Part<'_>, range: &std::ops::RangeInclusive<f64>) -> Read<f64> {
    match decimal(part.text) {
        Some(value) if range.contains(&value) => Ok(value),
        _ => part.refuse(format!("it must be a number from {} to {}", range.start(), range.end())),
    }
}

/// Digits with at most one point: no sign, no exponent, no `inf`.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && text.len() <= 40;
    plain.then(|| text.parse().ok()).flatten()
}

fn rate(part: Part<'_>) -> Read<Rate> {
    let read = part.split("/").and_then(|(value, unit)| {
        let value = decimal(value.text)?;
        match unit.text {
            "s" => Rate::new(value),
            "min" => Rate::new(value / 60.0),
            _ => None,
        }
    });
    match read {
        Some(rate) => Ok(rate),
        None => part.refuse(format!("a rate is `10/s` or `30/min`, at most {}/s", Rate::MOST)),
    }
}

fn above_zero(part: Part<'_>) -> Read<Rate> {
    let rate = rate(part)?;
    if rate.per_second() == 0.0 { part.refuse("nothing would be sent") } else { Ok(rate) }
}

fn span(part: Part<'_>) -> Read<Duration> {
    let one = |text: &str| {
        let (value, unit) = text.split_at(text.find(|letter: char| letter.is_ascii_alphabetic())?);
        let seconds = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        Duration::try_from_secs_f64(decimal(value)? * seconds).ok()
    };
    let length =
        super::split_time(part.text).into_iter().try_fold(Duration::ZERO, |sum, text| sum.checked_add(one(text)?));
    match length {
        Some(length) if !length.is_zero() && length <= LONGEST_SPAN => Ok(length),
        _ => part.refuse("a time is `500ms`, `30s`, `5m`, `1m30s` or `2h`, at most seven days"),
    }
}
