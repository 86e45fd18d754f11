//! JSON as tools write it, which is not always JSON.

use std::borrow::Cow;

/// The text as JSON knows it: without a byte order mark, with null for `NaN` and the infinities, and with U+FFFD for half of a
/// surrogate pair. Python writes all three. What is in order is not copied, and a copy is
/// at most a third longer than the text.
#[must_use]
pub fn plain_json(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let has_any = |words: [&str; 2]| words.iter().any(|word| text.contains(word));
    if !has_any(["NaN", "Infinity"]) && !has_any(["\\ud", "\\uD"]) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut at, mut copied) = (0, 0);
    let mut is_quoted = false;
    while let Some(byte) = bytes.get(at) {
        let (length, instead) = match byte {
            b'"' => {
                is_quoted = !is_quoted;
                (1, None)
            }
            b'\\' if is_quoted => escape(bytes, at),
            b'N' | b'I' | b'-' if !is_quoted => {
                let rest = text.get(at..).unwrap_or_default();
                let word = ["NaN", "Infinity", "-Infinity"].into_iter().find(|word| rest.starts_with(word));
                word.map_or((1, None), |word| (word.len(), Some("null")))
            }
            _ => (1, None),
        };
        if let Some(instead) = instead {
            out.push_str(text.get(copied..at).unwrap_or_default());
            out.push_str(instead);
            copied = at + length;
        }
        at += length;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// The length of the escape at a place, and what stands for it where it is half of a pair.
fn escape(bytes: &[u8], at: usize) -> (usize, Option<&'static str>) {
    match code_unit(bytes, at) {
        Some(0xd800..=0xdbff) if matches!(code_unit(bytes, at + 6), Some(0xdc00..=0xdfff)) => (12, None),
        Some(0xd800..=0xdfff) => (6, Some("\\ufffd")),
        Some(_) => (6, None),
        None => (2, None),
    }
}

/// The code unit of an escape such as `\u00e9`.
fn code_unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)? as u16))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn numbers_that_json_does_not_know_become_null() {
        let text = r#"{"a": NaN, "b": [-Infinity, Infinity, -1], "c": "NaN \"Infinity\" \\", "d": NaN}"#;
        let value: Value = serde_json::from_str(&plain_json(text)).unwrap();
        assert_eq!(value, json!({"a": null, "b": [null, null, -1], "c": "NaN \"Infinity\" \\", "d": null}));
        assert!(matches!(plain_json("{\"a\": 1}"), Cow::Borrowed(_)));
    }

    #[test]
    fn half_a_pair_is_one_replacement_character() {
        let text = r#"["\ud83d\ude00", "a\ud83d", "\ude00b", "\uD83D\uD83D\uDE00", "\\ud83d", "\u00e9\u00E9"]"#;
        let value: Value = serde_json::from_str(&plain_json(text)).unwrap();
        assert_eq!(value, json!(["😀", "a\u{fffd}", "\u{fffd}b", "\u{fffd}😀", "\\ud83d", "éé"]));
    }

    #[test]
    fn a_mark_at_the_beginning_is_left_out() {
        assert_eq!(plain_json("\u{feff}{}"), "{}");
        assert_eq!(plain_json("[\"\u{feff}\"]"), "[\"\u{feff}\"]");
    }

    proptest! {
        #[test]
        fn json_stays_as_it_is(texts in prop::collection::vec(any::<String>(), 0..8)) {
            let text = serde_json::to_string(&texts).unwrap();
            prop_assert_eq!(plain_json(&text), text.as_str());
        }

        #[test]
        fn a_copy_is_little_longer(text in r#"(\\\\|"|\\\\u[dD][89c-f][0-9a-f]{2}|NaN|-?Infinity|[a-z😀]|\x{feff}){0,20}"#) {
            prop_assert!(3 * plain_json(&text).len() <= 4 * text.len());
        }
    }
}
