//! The text scorers of inspect_ai, rule by rule. They mimic Python down to what it takes for white space, a digit or a number,
//! since the value of an answer turns on it.
//!
//! - [`Match`] and [`Includes`] look for a reference in the answer;
//! - [`Pattern`] and [`Answer`] take out what a regular expression captures, and [`PatternFixed`] and [`AnswerFixed`] do so
//!   without the reference's defects;
//! - [`Choice`] reads the letters after `ANSWER:`.

mod answer;
mod choice;
mod general;
mod han;
mod locate;
mod numbers;
mod numerals;
mod pattern;
mod unicode;

pub use answer::{Answer, AnswerConfig, AnswerFixed, AnswerKind};
pub use choice::{Choice, ChoiceConfig};
pub use locate::{Includes, IncludesConfig, Location, Match, MatchConfig};
pub use pattern::{Pattern, PatternConfig, PatternFixed};

use bench_scoring::{About, MetricAbout};

const REFERENCE: &str = "inspect_ai 0.3.285";

const ACCURACY: &[MetricAbout] = &[MetricAbout {
    name: "accuracy",
    summary: "Share of the answers that are correct.",
    unit: "ratio",
    higher_is_better: Some(true),
}];

/// What the scorers of this crate say of themselves.
const fn about(name: &'static str, summary: &'static str, config: &'static str) -> About {
    About {
        name,
        version: env!("CARGO_PKG_VERSION"),
        summary,
        reference: REFERENCE,
        config,
        metrics: ACCURACY,
        unbounded: false,
        needs_judge: false,
        needs_likelihoods: false,
    }
}
