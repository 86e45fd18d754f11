//! Numbers in scripts of any kind, as the reference reads those that `float()` does not: signs of several widths, vulgar
//! fractions, superscript exponents, grouping by locale, Chinese numerals.

use bench_scoring::python;

use crate::han;
use crate::numerals::{RUNS, Run};

/// `unicodedata.numeric`.
pub fn numeric(character: char) -> Option<f64> {
    let (offset, run) = run(character)?;
    Some((run.2 as f64) / (run.3 as f64) + f64::from(offset))
}

/// `unicodedata.digit`.
fn digit(character: char) -> Option<u8> {
    let (offset, run) = run(character)?;
    u8::try_from(run.2 + i64::from(offset)).ok().filter(|_| run.4)
}

fn run(character: char) -> Option<(u32, &'static Run)> {
    let code = u32::from(character);
    let index = RUNS.partition_point(|run| run.0 <= code).checked_sub(1)?;
    let run = RUNS.get(index).filter(|run| code <= run.1)?;
    Some((code - run.0, run))
}

const MINUS: &str = "-−﹣－";
const PLUS: &str = "+＋﹢";
const DECIMAL_MARKS: &str = "٫．";
const GROUPING: &str = ",，﹐、٬ \u{a0}\u{202f}\u{2009}\u{2007}\u{2008}'’ʼ＇";
const SUPERSCRIPTS: &str = "⁰¹²³⁴⁵⁶⁷⁸⁹";

fn is_filler(character: char) -> bool {
    python::is_space(character) || GROUPING.contains(character)
}

/// The value of a character that counts as a digit somewhere in the world.
pub fn any_digit(character: char) -> Option<u8> {
    digit(character).or_else(|| han::digit(character))
}

/// The number that `text` is, with a sign, a vulgar fraction and an exponent where it has them. A sign belongs to the base:
/// `-2²` is 4.
pub fn number(text: &str) -> Option<f64> {
    let (text, negative) = signs(python::strip(text));
    if text.is_empty() {
        return None;
    }
    let signed = |value: f64| if negative { -value } else { value };
    if let Some(value) = single(text) {
        return Some(signed(value));
    }
    let (base, exponent) = exponent(text)?;
    let base = signed(with_fraction(base)?);
    match exponent {
        None => Some(base),
        Some(exponent) if base == 0.0 && exponent < 0.0 => None,
        Some(exponent) => Some(libm::pow(base, exponent)).filter(|value| value.is_finite()),
    }
}

fn signs(text: &str) -> (&str, bool) {
    let mut rest = python::lstrip(text);
    let mut negative = false;
    while let Some(first) = rest.chars().next() {
        if MINUS.contains(first) || han::NEGATIVE.contains(first) {
            negative = !negative;
        } else if !PLUS.contains(first) && first != han::POSITIVE {
            break;
        }
        rest = python::lstrip(&rest[first.len_utf8()..]);
    }
    (rest, negative)
}

fn single(text: &str) -> Option<f64> {
    let mut characters = text.chars();
    let first = characters.next()?;
    if characters.next().is_some() { None } else { numeric(first) }
}

/// The base and the exponent in superscript after it. `None` where the exponent is too large for a number.
fn exponent(text: &str) -> Option<(&str, Option<f64>)> {
    let body = text.trim_end_matches(is_filler);
    if body.is_empty() {
        return Some((python::strip(text), None));
    }
    let mut base = body.trim_end_matches(|character| SUPERSCRIPTS.contains(character));
    if base.len() == body.len() {
        return Some((python::strip(text), None));
    }
    base = base.strip_suffix(['⁻', '⁺']).unwrap_or(base);
    let exponent = &body[base.len()..];
    let base = python::rstrip(base);
    if base.is_empty() {
        return Some((python::strip(text), None));
    }
    let plain: String = exponent.chars().filter_map(plain_superscript).collect();
    let value: f64 = plain.parse().ok()?;
    Some((base, Some(value))).filter(|_| value.is_finite())
}

fn plain_superscript(character: char) -> Option<char> {
    match character {
        '⁻' => Some('-'),
        '⁺' => Some('+'),
        _ => digit(character).map(|digit| char::from(b'0' + digit)),
    }
}

/// A number with at most one vulgar fraction, which comes last.
fn with_fraction(text: &str) -> Option<f64> {
    let fraction = |character| numeric(character).filter(|value| *value > 0.0 && *value < 1.0);
    let mut found = text.char_indices().filter_map(|(at, character)| Some((at, character, fraction(character)?)));
    let Some((at, character, value)) = found.next() else { return core(text) };
    if found.next().is_some() || !text[at + character.len_utf8()..].chars().all(is_filler) {
        return None;
    }
    let head = python::strip(&text[..at]);
    let head = if head.is_empty() { 0.0 } else { core(head)? };
    Some(head + value)
}

fn core(text: &str) -> Option<f64> {
    let text = python::strip(text);
    if text.is_empty() {
        return None;
    }
    let chinese = if han::looks_like(text) { han::number(text) } else { None };
    chinese.or_else(|| grouped(text)).or_else(|| single(text))
}

/// Digits of any script with grouping, a decimal mark and an exponent. Which of `.` and `,` is the decimal mark follows from
/// where they are: the last of both, and a comma alone where one to three digits follow it.
fn grouped(text: &str) -> Option<f64> {
    let decimal = match (text.rfind('.'), text.rfind(',')) {
        (Some(dot), Some(comma)) => Some(if dot > comma { '.' } else { ',' }),
        (Some(_), None) => Some('.'),
        (None, Some(comma)) => {
            let digits = text[comma..].chars().filter(|character| any_digit(*character).is_some()).count();
            (1..=3).contains(&digits).then_some(',')
        }
        (None, None) => None,
    };
    let mut plain = String::with_capacity(text.len());
    let (mut seen_decimal, mut seen_exponent) = (false, false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if matches!(character, 'e' | 'E') && !seen_exponent {
            if plain.is_empty() {
                return None;
            }
            seen_exponent = true;
            plain.push('e');
            if let Some(sign) = characters.next_if(|next| PLUS.contains(*next) || MINUS.contains(*next)) {
                plain.push(if PLUS.contains(sign) { '+' } else { '-' });
            }
        } else if DECIMAL_MARKS.contains(character) || Some(character) == decimal {
            if seen_decimal {
                return None;
            }
            seen_decimal = true;
            plain.push('.');
        } else if is_filler(character) || (decimal.is_some() && matches!(character, ',' | '.')) {
        } else {
            plain.push(char::from(b'0' + any_digit(character)?));
        }
    }
    // What is left is a number for `float()`, or not one: `1e` and `.` are not.
    if plain.bytes().any(|byte| byte.is_ascii_digit()) { python::float(&plain) } else { None }
}
