//! The grade in what a judge said.

use bench_scoring::python::{self, Flags, Regex, TooHard};

/// White space, and marks without a width that models and pasted text have around a colon.
const SPACING: &str = r"[\s\u200b\u200c\u200d\u200e\u200f\u2060\u2063\ufeff]*";

/// How grades are read.
#[derive(Debug)]
pub enum Reading {
    /// The word after the last `GRADE:`, which has to be one of the grades that the judge was told of.
    Offered { regex: Regex, partial: bool },
    /// The letter after the last `GRADE:` that is followed by C, P or I.
    Letters(Regex),
    /// What the task's own pattern captures, as it is.
    Own(Regex),
}

/// A grade as it is counted: two judges agree where these are equal.
pub type Vote = String;

impl Reading {
    /// For a judge that was told of C and I, or of P as well.
    pub fn offered(partial: bool) -> Result<Self, python::PatternError> {
        Ok(Self::Offered { regex: last_grade(r"(\w*)")?, partial })
    }

    /// For instructions of the task's own.
    pub fn letters() -> Result<Self, python::PatternError> {
        last_grade("([CPI])").map(Self::Letters)
    }

    /// For a pattern of the task's own.
    pub fn own(pattern: &str) -> Result<Self, python::PatternError> {
        Regex::new(pattern, Flags::default()).map(Self::Own)
    }

    /// The grade, if there is one.
    pub fn vote(&self, text: &str) -> Result<Option<Vote>, TooHard> {
        let captured = |regex: &Regex| {
            let found = regex.search(text)?;
            Ok(found.and_then(|found| found.group(1)).map(str::to_owned))
        };
        Ok(match self {
            Self::Own(regex) => captured(regex)?,
            Self::Letters(regex) => captured(regex)?.and_then(|word| letter(&word)),
            Self::Offered { regex, partial } => {
                let offered = |vote: &Vote| matches!(vote.as_str(), "C" | "I") || (*partial && vote == "P");
                captured(regex)?.and_then(|word| letter(&word)).filter(offered)
            }
        })
    }
}

fn last_grade(capture: &str) -> Result<Regex, python::PatternError> {
    let pattern = format!(r"(?is).*(?<!\w)GRADE(?!\w){SPACING}:{SPACING}{capture}");
    Regex::new(&pattern, Flags::default())
}

/// A grade from its word or its letter. Any other single letter is a grade too, just none that was offered.
fn letter(word: &str) -> Option<Vote> {
    let word = python::lower(python::strip(word));
    match word.as_str() {
        "correct" => Some("C".to_owned()),
        "incorrect" => Some("I".to_owned()),
        "partial" => Some("P".to_owned()),
        _ => Some(python::upper(&word)).filter(|_| python::len(&word) == 1),
    }
}

/// What a grade is worth: C is 1, P a half, I and N nothing; `yes`, `true`, `no`, `false` and numbers are taken as what they say, and
/// anything else is worth nothing.
pub fn worth(vote: &str) -> f64 {
    match vote {
        "C" => 1.0,
        "P" => 0.5,
        "I" | "N" => 0.0,
        other => match python::lower(other).as_str() {
            "yes" | "true" => 1.0,
            other => python::float(other).filter(|number| number.is_finite()).unwrap_or(0.0),
        },
    }
}
