//! Objectives for single requests, as `--slo ttft=200ms,itl=30ms` writes them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one request has to keep to be a good one: every bound that is given. Times in milliseconds, all above 0.
///
/// How each bound is judged is written at [`crate::goodput()`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Slo {
    /// Most time from the intended start to the first token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<f64>,
    /// Most time between tokens, as the mean of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub itl_ms: Option<f64>,
    /// Most time per output token after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpot_ms: Option<f64>,
    /// Most time from the intended start to the end of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e2e_ms: Option<f64>,
    /// Most time between tokens at a percentile of the request's own tokens, by the percentile (1 to 100).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub itl_percentiles_ms: BTreeMap<u8, f64>,
}

/// Most characters of an objective's text.
const LONGEST: usize = 1024;

/// Longest time that a bound may name, in milliseconds: a day.
const MOST_MS: f64 = 86_400_000.0;

/// Why a text is no [`Slo`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SloError {
    /// The text names no bound.
    #[error("the objectives are empty")]
    Empty,
    /// The text is longer than any sensible one.
    #[error("the objectives have {length} characters, more than the {LONGEST} that are read")]
    TooLong {
        /// Its length.
        length: usize,
    },
    /// A part is not `name=time`.
    #[error("`{part}` is not of the form NAME=TIME")]
    NoPair {
        /// The part.
        part: String,
    },
    /// A name that is not known.
    #[error("`{name}` is no objective; known are ttft, itl, itl.pN, tpot and e2e")]
    UnknownName {
        /// The name.
        name: String,
    },
    /// A name stands twice.
    #[error("`{name}` stands twice")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A time without one of the known units.
    #[error("`{value}` of `{name}` has no unit; known are us, ms and s")]
    NoUnit {
        /// The name.
        name: String,
        /// The time as written.
        value: String,
    },
    /// A time that is no number above 0.
    #[error("`{value}` of `{name}` is not a time above 0 and up to a day")]
    BadTime {
        /// The name.
        name: String,
        /// The time as written.
        value: String,
    },
}

impl SloError {
    /// A stable identifier in kebab case.
    pub fn code(&self) -> &'static str {
        "bad-slo"
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(
            "Write bounds as ttft=200ms,itl=30ms,tpot=25ms,e2e=2s with the units us, ms or s; itl.p99=50ms bounds a percentile."
                .to_owned(),
        )
    }
}

/// One bound of an [`Slo`]: its name, and the field that it fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Ttft,
    Itl,
    ItlPercentile(u8),
    Tpot,
    E2e,
}

impl Bound {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "ttft" => Some(Self::Ttft),
            "itl" => Some(Self::Itl),
            "tpot" => Some(Self::Tpot),
            "e2e" => Some(Self::E2e),
            _ => {
                let digits = name.strip_prefix("itl.p")?;
                // One spelling per percentile, so that a text and its round trip agree.
                let percent: u8 = digits.parse().ok().filter(|p| (1..=100).contains(p))?;
                (percent.to_string() == digits).then_some(Self::ItlPercentile(percent))
            }
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ttft => f.write_str("ttft"),
            Self::Itl => f.write_str("itl"),
            Self::ItlPercentile(percent) => write!(f, "itl.p{percent}"),
            Self::Tpot => f.write_str("tpot"),
            Self::E2e => f.write_str("e2e"),
        }
    }
}

impl Slo {
    /// Whether no bound is given.
    pub fn is_empty(&self) -> bool {
        self.bounds().next().is_none()
    }

    /// Every bound that is given, in the order in which it is written, with its limit in milliseconds.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = (Bound, f64)> + '_ {
        let single = |bound: Bound, limit: Option<f64>| limit.map(|limit| (bound, limit));
        let percentiles =
            self.itl_percentiles_ms.iter().map(|(percent, limit)| (Bound::ItlPercentile(*percent), *limit));
        let before = [single(Bound::Ttft, self.ttft_ms), single(Bound::Itl, self.itl_ms)];
        let after = [single(Bound::Tpot, self.tpot_ms), single(Bound::E2e, self.e2e_ms)];
        before.into_iter().flatten().chain(percentiles).chain(after.into_iter().flatten())
    }

    /// Sets a bound. False when it was set before.
    fn set(&mut self, bound: Bound, limit: f64) -> bool {
        let field = match bound {
            Bound::Ttft => &mut self.ttft_ms,
            Bound::Itl => &mut self.itl_ms,
            Bound::Tpot => &mut self.tpot_ms,
            Bound::E2e => &mut self.e2e_ms,
            Bound::ItlPercentile(percent) => return self.itl_percentiles_ms.insert(percent, limit).is_none(),
        };
        field.replace(limit).is_none()
    }
}

impl FromStr for Slo {
    type Err = SloError;

    /// Reads `name=time` pairs separated by commas. Spaces around names and times do not matter; a unit is required.
    fn from_str(text: &str) -> Result<Self, SloError> {
        let length = text.chars().count();
        if length > LONGEST {
            return Err(SloError::TooLong { length });
        }
        if text.trim().is_empty() {
            return Err(SloError::Empty);
        }
        let mut slo = Self::default();
        for part in text.split(',') {
            let Some((name, value)) = part.split_once('=') else {
                return Err(SloError::NoPair { part: part.trim().to_owned() });
            };
            let (name, value) = (name.trim(), value.trim());
            let bound = Bound::parse(name).ok_or_else(|| SloError::UnknownName { name: name.to_owned() })?;
            if !slo.set(bound, milliseconds(name, value)?) {
                return Err(SloError::Duplicate { name: name.to_owned() });
            }
        }
        Ok(slo)
    }
}

fn milliseconds(name: &str, value: &str) -> Result<f64, SloError> {
    // `us` and `ms` before `s`, which both end on.
    let units = [("us", 1e-3), ("ms", 1.0), ("s", 1e3)];
    let found = units.iter().find_map(|(unit, factor)| Some((value.strip_suffix(unit)?, factor)));
    let Some((number, factor)) = found else {
        return Err(SloError::NoUnit { name: name.to_owned(), value: value.to_owned() });
    };
    let number = number.trim_end();
    // `parse` would take `inf`, `nan` and signs as well.
    let plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let limit = number.parse::<f64>().ok().filter(|_| plain).map(|number| number * factor);
    limit
        .filter(|limit| *limit > 0.0 && *limit <= MOST_MS)
        .ok_or_else(|| SloError::BadTime { name: name.to_owned(), value: value.to_owned() })
}

impl fmt::Display for Slo {
    /// Writes every bound in milliseconds, in a form that reads back to the same bounds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (bound, limit)) in self.bounds().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(f, "{comma}{bound}={limit}ms")?;
        }
        Ok(())
    }
}
