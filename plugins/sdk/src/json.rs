//! JSON helpers for reading messages of untrusted backends.
//!
//! Values that change from message to message (the text, the running counts) are read as raw spans, so that the fast path
//! of [`crate::stream`] knows where in the message they stand.

use std::fmt;
use std::ops::Range;

use memchr::memchr2;
use serde::de::{Deserializer as _, Visitor};
use serde_json::value::RawValue;

/// The text of a string literal, quotes included; `None` where it is not one. An unpaired surrogate, which some backends
/// send when a character is split over two tokens, becomes U+FFFD.
pub fn string(literal: &[u8]) -> Option<String> {
    let inner = literal.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    // Raw bytes must be text as they stand; only surrogates that escapes make may be replaced.
    let text = std::str::from_utf8(inner).ok()?;
    if inner.iter().any(|byte| *byte < 0x20) {
        return None;
    }
    if memchr2(b'\\', b'"', inner).is_none() {
        return Some(text.to_owned());
    }
    let mut deserializer = serde_json::Deserializer::from_slice(literal);
    let bytes = (&mut deserializer).deserialize_bytes(Bytes).ok()?;
    deserializer.end().ok()?;
    Some(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}

/// The text of a raw value; `None` where it is not a string.
pub fn text(raw: &RawValue) -> Option<String> {
    string(raw.get().as_bytes())
}

/// Digits that [`integer`] takes: what always fits 64 bits.
const DIGITS: usize = 18;

/// The value of a non-negative integer literal of at most 18 digits, without sign, fraction or exponent.
pub fn integer(literal: &[u8]) -> Option<u64> {
    match literal {
        [] | [b'0', _, ..] => None,
        _ if literal.len() > DIGITS => None,
        _ => literal.iter().try_fold(0_u64, |value, byte| match byte {
            b'0'..=b'9' => Some(value * 10 + u64::from(byte - b'0')),
            _ => None,
        }),
    }
}

/// A count as backends write it: an integer, or a number that equals one. Anything else is `None`.
pub fn count(raw: &RawValue) -> Option<u64> {
    let literal = raw.get().as_bytes();
    integer(literal).or_else(|| {
        let number: f64 = serde_json::from_slice(literal).ok()?;
        ((0.0..9e15).contains(&number) && number.fract() == 0.0).then_some(number as u64)
    })
}

/// Where a raw value that was borrowed from `message` stands in it; `None` where it was not borrowed from there.
pub fn span(message: &[u8], raw: &RawValue) -> Option<Range<usize>> {
    let literal = raw.get().as_bytes();
    let start = (literal.as_ptr() as usize).checked_sub(message.as_ptr() as usize)?;
    let end = start.checked_add(literal.len())?;
    (message.get(start..end)? == literal).then_some(start..end)
}

/// The first 200 bytes or so of an answer, for messages to people: one line, without control characters.
pub fn excerpt(bytes: &[u8]) -> String {
    const LENGTH: usize = 200;
    let head = String::from_utf8_lossy(bytes.get(..LENGTH).unwrap_or(bytes));
    let line = head.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let mut text = line.collect::<Vec<_>>().join(" ");
    if bytes.len() > LENGTH {
        text.push('…');
    }
    text
}
