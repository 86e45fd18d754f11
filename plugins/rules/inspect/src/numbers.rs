//! Numbers among words.

use bench_scoring::python;

use crate::general::general;
use crate::unicode;

/// Marks that may stand at either end of a number. `%` is not one of them, since 60% is not 60, nor are `<`, `~` and the like,
/// since a bound is not a value.
const EDGES: &str = "!?:;()[]{}'\"`";

/// `text` without the currency and formatting that a number may have, wherever it is, and without a backslash right before it.
pub fn undecorated(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut before = None;
    for character in text.chars() {
        if !matches!(character, '$' | ',' | '£' | '€' | '*' | '_') {
            bare.push(character);
        } else if before == Some('\\') {
            bare.pop();
        }
        before = Some(character);
    }
    bare
}

/// `text` as a finite number.
pub fn exact(text: &str) -> Option<f64> {
    let finite = |number: &f64| number.is_finite();
    python::float(text).filter(finite).or_else(|| unicode::number(text).filter(finite))
}

/// `text` as a finite number, but for marks at its ends.
pub fn parse(text: &str) -> Option<f64> {
    exact(python::strip_chars(text, EDGES))
}

/// A word that is a number, to five significant digits.
pub fn word(word: &str) -> Option<String> {
    parse(word).map(general)
}

/// Text that is a number without any marks, to five significant digits; other text stays as it is.
pub fn normalised(text: &str) -> String {
    exact(text).map_or_else(|| text.to_owned(), general)
}
