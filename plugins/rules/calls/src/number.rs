//! Integers as Python's `int` reads them, without limit.

use bench_scoring::python;
use num_bigint::BigInt;

use crate::json::MOST_DIGITS;

/// The integer that a text is: white space around it, a sign, digits with single underscores between them.
pub fn int(text: &str) -> Option<BigInt> {
    let text = python::strip(text);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut plain = String::with_capacity(text.len());
    if text.starts_with('-') {
        plain.push('-');
    }
    let mut after_digit = false;
    for char in unsigned.chars() {
        match char {
            '_' if after_digit => after_digit = false,
            '0'..='9' => {
                plain.push(char);
                after_digit = true;
            }
            _ => return None,
        }
    }
    if !after_digit || plain.len() > MOST_DIGITS + 1 {
        return None;
    }
    plain.parse().ok()
}

/// Does a text match `^-?\d+$`, where `$` also matches before a last line feed?
pub fn is_plain(text: &str) -> bool {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
