//! Texts of an item that the reference takes for regular expressions.

use bench_scoring::Problem;
use bench_scoring::python::{Flags, Regex};

use crate::Rules;
use crate::args::bad_target;
use crate::literal::{Literal, is_literal};

/// A text to look for, or by the rules of the reference a pattern, if it has characters that mean something in one.
#[derive(Debug)]
pub(crate) enum Pattern {
    Literal(Literal),
    Regex(Box<Regex>),
}

impl Pattern {
    /// `around` makes the whole pattern of the text: `\b{}\b` for a word.
    pub(crate) fn new(text: &str, around: [&str; 2], flags: Flags, rules: Rules) -> Result<Self, Problem> {
        if rules == Rules::Fixed || is_literal(text) {
            return Ok(Self::Literal(Literal::new(text)));
        }
        let [before, behind] = around;
        let regex = Regex::new(&format!("{before}{text}{behind}"), flags).map_err(|error| {
            bad_target(
                format!("`{text}` is no regular expression, which the reference takes it for: {error}"),
                "grade with ifeval-fixed, which takes it as it is",
            )
        })?;
        Ok(Self::Regex(Box::new(regex)))
    }

    /// Whether it is anywhere, in any case.
    pub(crate) fn is_in(&self, text: &str) -> Result<bool, Problem> {
        match self {
            Self::Literal(literal) => Ok(literal.find(text, 0).is_some()),
            Self::Regex(regex) => Ok(regex.search(text)?.is_some()),
        }
    }

    /// Whether it is anywhere as a word, in any case.
    pub(crate) fn is_word_in(&self, text: &str) -> Result<bool, Problem> {
        match self {
            Self::Literal(literal) => Ok(literal.find_word(text, 0).is_some()),
            Self::Regex(regex) => Ok(regex.search(text)?.is_some()),
        }
    }

    /// Whether it is anywhere in this case; a regular expression goes by its own flags.
    pub(crate) fn is_exactly_in(&self, text: &str) -> Result<bool, Problem> {
        match self {
            Self::Literal(literal) => Ok(literal.find_exactly(text, 0).is_some()),
            Self::Regex(regex) => Ok(regex.search(text)?.is_some()),
        }
    }

    /// How often it is there, in any case.
    pub(crate) fn count_in(&self, text: &str) -> Result<usize, Problem> {
        match self {
            Self::Literal(literal) => Ok(literal.count(text)),
            Self::Regex(regex) => Ok(regex.find_all(text)?.len()),
        }
    }
}
