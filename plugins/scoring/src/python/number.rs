//! Numbers: what `float`, `int` and `repr` of Python read and write.

use super::text::{decimal, is_space};

/// Digits of all scripts as ASCII ones, without the underscores between digits; nothing where an underscore is elsewhere.
fn plain(text: &str) -> Option<String> {
    // Only here, the separators U+001C to U+001F are no white space.
    let text = text.trim_matches(|c| is_space(c) && !matches!(c, '\u{1c}'..='\u{1f}'));
    let mut plain = String::with_capacity(text.len());
    let mut digit_before = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match decimal(c) {
            Some(digit) => plain.extend(char::from_digit(digit, 10)),
            None if c == '_' => {
                if !digit_before || chars.peek().is_none_or(|&next| decimal(next).is_none()) {
                    return None;
                }
            }
            None => plain.push(c),
        }
        digit_before = decimal(c).is_some();
    }
    Some(plain)
}

/// `float(text)`: the number, or nothing where Python raises. White space around it, underscores between digits, digits of any
/// script, `inf`, `infinity` and `nan` in any case are understood.
pub fn float(text: &str) -> Option<f64> {
    // Rust reads the same grammar, and rounds correctly as Python does.
    plain(text)?.parse().ok()
}

/// `int(text)` in base ten; nothing where Python raises, and beyond 128 bits.
pub fn int(text: &str) -> Option<i128> {
    plain(text)?.parse().ok()
}

/// `repr(number)`: the shortest text that reads as the same number, with an exponent below 1e-4 and from 1e16 on.
pub fn repr_float(number: f64) -> String {
    if number.is_nan() {
        return "nan".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        let plain = format!("{number}");
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}
