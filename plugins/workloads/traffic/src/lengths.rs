//! Lengths of prompts and answers: fixed, or drawn from a distribution within bounds.

use bench_sdk::workload_kit::MOST_TOKENS;
use serde::Deserialize;
use serde_json::Value;

use crate::words::Random;

/// What a length parameter may be.
pub const SCHEMA: &str = r#"{
    "oneOf": [
        {"type": "integer", "minimum": 1},
        {"type": "object", "additionalProperties": false, "required": ["min", "max"], "properties": {
            "min": {"type": "integer", "minimum": 1}, "max": {"type": "integer", "minimum": 1}}},
        {"type": "object", "additionalProperties": false, "required": ["mean", "stddev", "max"], "properties": {
            "mean": {"type": "number"}, "stddev": {"type": "number"},
            "min": {"type": "integer", "minimum": 1}, "max": {"type": "integer", "minimum": 1}}},
        {"type": "object", "additionalProperties": false, "required": ["median", "sigma", "max"], "properties": {
            "median": {"type": "number"}, "sigma": {"type": "number"},
            "min": {"type": "integer", "minimum": 1}, "max": {"type": "integer", "minimum": 1}}}
    ]
}"#;

/// What would do.
pub const HINT: &str = "Give a number of tokens, {\"min\", \"max\"}, {\"mean\", \"stddev\", \"max\"} or, for a lognormal \
                        distribution, {\"median\", \"sigma\", \"max\"}; the last two take a \"min\" as well.";

/// Draws outside the bounds before one is moved to the nearest bound.
const DRAWS: usize = 16;

/// A distribution of lengths, in tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lengths {
    kind: Kind,
    min: u32,
    max: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// Evenly between the bounds.
    Even,
    Normal {
        mean: f64,
        stddev: f64,
    },
    /// The logarithm is normal, with the logarithm of the median as its mean and `sigma` as its standard deviation.
    LogNormal {
        median: f64,
        sigma: f64,
    },
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Given {
    min: Option<u32>,
    max: Option<u32>,
    mean: Option<f64>,
    stddev: Option<f64>,
    median: Option<f64>,
    sigma: Option<f64>,
}

impl Lengths {
    /// Always the same length.
    pub const fn fixed(tokens: u32) -> Self {
        Self { kind: Kind::Even, min: tokens, max: tokens }
    }

    /// Reads a parameter's value; the error says what is wrong with it.
    pub fn parse(value: &Value) -> Result<Self, String> {
        let lengths = match value.as_u64().map(u32::try_from) {
            Some(Ok(tokens)) => Self::fixed(tokens),
            Some(Err(_)) => return Err(format!("{value} is too long")),
            None => Self::distribution(Given::deserialize(value).map_err(|error| error.to_string())?)?,
        };
        let Self { min, max, .. } = lengths;
        if min == 0 || min > max || u64::from(max) > MOST_TOKENS {
            return Err(format!("lengths from {min} to {max}; they must be 1 to {MOST_TOKENS}, the smaller one first"));
        }
        Ok(lengths)
    }

    fn distribution(given: Given) -> Result<Self, String> {
        // Within these bounds no draw overflows.
        let center = |value: f64| (0.0..=MOST_TOKENS as f64).contains(&value);
        let (kind, min) = match given {
            Given { min: Some(min), mean: None, stddev: None, median: None, sigma: None, .. } => (Kind::Even, min),
            Given { mean: Some(mean), stddev: Some(stddev), median: None, sigma: None, .. }
                if center(mean) && center(stddev) =>
            {
                (Kind::Normal { mean, stddev }, given.min.unwrap_or(1))
            }
            Given { median: Some(median), sigma: Some(sigma), mean: None, stddev: None, .. }
                if center(median) && median >= 1.0 && (0.0..=10.0).contains(&sigma) =>
            {
                (Kind::LogNormal { median, sigma }, given.min.unwrap_or(1))
            }
            _ => return Err("these are not the numbers of one distribution, or they are out of bounds".into()),
        };
        let max = given.max.ok_or("there is no \"max\", without which nobody knows whether a prompt fits the model")?;
        Ok(Self { kind, min, max })
    }

    /// The longest possible one.
    pub const fn longest(&self) -> u32 {
        self.max
    }

    /// The shortest possible one.
    pub const fn shortest(&self) -> u32 {
        self.min
    }

    /// One length.
    pub fn draw(&self, random: &mut Random) -> u32 {
        if self.min >= self.max {
            return self.min;
        }
        if self.kind == Kind::Even {
            let width = u64::from(self.max - self.min) + 1;
            return u32::try_from(u64::from(self.min) + random.below(width)).unwrap_or(self.max);
        }
        let mut drawn = 0.0;
        for _ in 0..DRAWS {
            drawn = match self.kind {
                Kind::LogNormal { median, sigma } => (median.ln() + sigma * random.normal()).exp(),
                Kind::Normal { mean, stddev } => mean + stddev * random.normal(),
                Kind::Even => f64::from(self.min),
            }
            .round();
            if (f64::from(self.min)..=f64::from(self.max)).contains(&drawn) {
                break;
            }
        }
        drawn.clamp(f64::from(self.min), f64::from(self.max)) as u32
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    fn lengths(json: &str) -> Result<Lengths, String> {
        Lengths::parse(&serde_json::from_str(json).unwrap())
    }

    /// Sorted draws.
    fn draws(json: &str) -> Vec<u32> {
        let lengths = lengths(json).unwrap();
        let mut random = Random::new(&[3]);
        let mut drawn: Vec<u32> = (0..20_001).map(|_| lengths.draw(&mut random)).collect();
        drawn.sort_unstable();
        drawn
    }

    fn near(value: f64, wanted: f64) {
        assert!((value / wanted - 1.0).abs() < 0.03, "{value} is not about {wanted}");
    }

    #[test]
    fn draws_follow_their_distribution() {
        assert_eq!(draws("300")[0], 300);
        let even = draws(r#"{"min": 10, "max": 12}"#);
        assert_eq!((even[0], even[10_000], even[20_000]), (10, 11, 12));
        let normal = draws(r#"{"mean": 500, "stddev": 100, "max": 2000}"#);
        near(f64::from(normal[10_000]), 500.0);
        near(f64::from(normal[16_827]), 600.0);
        let lognormal = draws(r#"{"median": 200, "sigma": 1, "max": 100000}"#);
        near(f64::from(lognormal[10_000]), 200.0);
        near(f64::from(lognormal[16_827]), 200.0 * std::f64::consts::E);
    }

    #[test]
    fn bounds_hold_without_piling_up() {
        let cut = draws(r#"{"mean": 100, "stddev": 100, "min": 50, "max": 150}"#);
        assert_eq!((cut[0], cut[20_000]), (50, 150));
        assert!(cut.iter().filter(|&&length| length == 50).count() < 400);
    }

    #[test]
    fn what_is_no_distribution_is_refused() {
        for (json, word) in [
            ("0", "from 0"),
            ("99999999", "16777216"),
            ("99999999999", "too long"),
            ("-1", "invalid type"),
            ("\"12\"", "invalid type"),
            ("null", "invalid type"),
            ("{}", "not the numbers"),
            (r#"{"min": 5}"#, "no \"max\""),
            (r#"{"min": 5, "max": 4}"#, "from 5 to 4"),
            (r#"{"min": 5, "max": 6, "maximum": 7}"#, "maximum"),
            (r#"{"mean": 5, "max": 6}"#, "not the numbers"),
            (r#"{"mean": 5, "stddev": 1}"#, "no \"max\""),
            (r#"{"mean": 5, "stddev": -1, "max": 6}"#, "out of bounds"),
            (r#"{"mean": 1e300, "stddev": 1, "max": 6}"#, "out of bounds"),
            (r#"{"median": 0, "sigma": 1, "max": 6}"#, "out of bounds"),
            (r#"{"median": 5, "sigma": 1, "mean": 5, "stddev": 5, "max": 6}"#, "not the numbers"),
        ] {
            let error = lengths(json).unwrap_err();
            assert!(error.contains(word), "{json}: {error}");
        }
    }
}
