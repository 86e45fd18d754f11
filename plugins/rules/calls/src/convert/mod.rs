//! Values of Java and JavaScript, which are texts up to here, by the type of their parameter. What is not of that type stays a
//! text, which then is of the wrong type.

mod java;
mod javascript;

pub use java::java;
pub use javascript::javascript;

use bench_scoring::python;
use bench_scoring::python::{Match, Regex};

use crate::number;
use crate::value::Value;

/// A pattern, compiled once.
macro_rules! pattern {
    ($name:ident, $pattern:expr) => {
        static $name: std::sync::LazyLock<Option<bench_scoring::python::Regex>> = std::sync::LazyLock::new(|| {
            bench_scoring::python::Regex::new($pattern, bench_scoring::python::Flags::default()).ok()
        });
    };
    ($name:ident, $pattern:expr, dot_all) => {
        static $name: std::sync::LazyLock<Option<bench_scoring::python::Regex>> = std::sync::LazyLock::new(|| {
            let flags = bench_scoring::python::Flags { dot_all: true, ..bench_scoring::python::Flags::default() };
            bench_scoring::python::Regex::new($pattern, flags).ok()
        });
    };
}
pub(crate) use pattern;

/// The first match. A pattern that is too hard for a text does not match it.
fn search<'t>(pattern: &Option<Regex>, text: &'t str) -> Option<Match<'t>> {
    pattern.as_ref()?.search(text).ok().flatten()
}

/// All matches.
fn find_all<'t>(pattern: &Option<Regex>, text: &'t str) -> Vec<Match<'t>> {
    pattern.as_ref().and_then(|pattern| pattern.find_all(text).ok()).unwrap_or_default()
}

/// Does a text begin with a match?
fn begins(pattern: &Option<Regex>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.matches_start(text).is_ok_and(|found| found.is_some()))
}

fn string(text: &str) -> Value {
    Value::Str(text.to_owned())
}

/// An integer, or else a float, or else the text.
fn number_or_text(text: &str) -> Value {
    if let Some(number) = number::int(text) {
        return Value::Int(number);
    }
    python::float(text).map_or_else(|| string(text), Value::Float)
}

/// `text[1:-1]`
fn without_ends(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.next_back();
    chars.as_str()
}
