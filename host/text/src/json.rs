//! JSON that is printed.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::character::is_hidden;

/// JSON with every hidden character from U+007F on as `\uXXXX`: the same data, and nothing that a terminal obeys. `json` is
/// serialised JSON, in which such characters stand within strings only, and controls below U+0020 are escaped already.
#[must_use]
pub fn escape_json(json: &str) -> Cow<'_, str> {
    let Some(first) = json.find(is_escaped) else { return Cow::Borrowed(json) };
    let (before, rest) = json.split_at(first);
    let mut out = String::with_capacity(json.len() + 64);
    out.push_str(before);
    for letter in rest.chars() {
        if is_escaped(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

/// Line breaks and spaces between values stay.
fn is_escaped(letter: char) -> bool {
    letter >= '\u{7f}' && is_hidden(letter)
}
