//! Surrogate pairs that a server splits over two messages.
//!
//! A server that cuts its text at token boundaries may escape the first half of a UTF-16 pair in one message (`\ud83d`) and
//! the second half in the next (`\ude00`). JSON parsers refuse such a half, or replace it, and the character is lost.
//!
//! [`mark_halves`] rewrites a message before it is parsed: each lone half becomes a mark, one of the 2,048 characters from
//! U+10F800 on. A character from that range that the message itself holds becomes the two marks of its own pair, so marks
//! are unambiguous. [`Joiner`] turns marks back: two that follow one another are their character, also over two
//! fragments of a channel, and a lone mark is U+FFFD.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// The mark of the half U+D800; the others follow in order.
const MARKS: u32 = 0x10_F800;

/// Bytes that the UTF-8 of every mark begins with: U+10F800 is F4 8F A0 80.
const LEAD: [u8; 2] = [0xF4, 0x8F];

fn mark_of(half: u16) -> Option<char> {
    char::from_u32(MARKS + u32::from(half).checked_sub(0xD800)?)
}

fn half_of(mark: char) -> Option<u16> {
    u16::try_from(u32::from(mark).checked_sub(MARKS)? + 0xD800).ok()
}

/// The message with each lone half as a mark. Messages without halves, nearly all, are not copied. Takes time in
/// proportion to the message's length.
pub(crate) fn mark_halves(message: &[u8]) -> Cow<'_, [u8]> {
    let mut out: Vec<u8> = Vec::new();
    let (mut at, mut copied) = (0, 0);
    while let Some(found) = memchr2(b'\\', LEAD[0], message.get(at..).unwrap_or_default()) {
        let start = at + found;
        let rest = message.get(start..).unwrap_or_default();
        let (length, marks) = match rest {
            [b'\\', ..] => escape(rest),
            _ => character(rest),
        };
        at = start + length;
        if !marks.is_empty() {
            out.extend_from_slice(message.get(copied..start).unwrap_or_default());
            out.extend_from_slice(marks.as_bytes());
            copied = at;
        }
    }
    if out.is_empty() {
        return Cow::Borrowed(message);
    }
    out.extend_from_slice(message.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// The length of the escape that `rest` begins with, and the marks to put in its place.
fn escape(rest: &[u8]) -> (usize, String) {
    let Some(first) = unit(rest) else { return (2, String::new()) };
    match first {
        0xD800..=0xDBFF => match rest.get(6..).and_then(unit).filter(|second| (0xDC00..=0xDFFF).contains(second)) {
            Some(second) if is_mark(first, second) => (12, mark_of(first).into_iter().chain(mark_of(second)).collect()),
            Some(_) => (12, String::new()),
            None => (6, mark_of(first).into_iter().collect()),
        },
        0xDC00..=0xDFFF => (6, mark_of(first).into_iter().collect()),
        _ => (6, String::new()),
    }
}

/// The same for a character beyond U+FFFF that stands as it is.
fn character(rest: &[u8]) -> (usize, String) {
    let found = rest.get(..4).and_then(|bytes| std::str::from_utf8(bytes).ok()?.chars().next());
    match found {
        Some(own) if half_of(own).is_some() => {
            let mut units = [0; 2];
            let marks = own.encode_utf16(&mut units).iter().filter_map(|unit| mark_of(*unit)).collect();
            (4, marks)
        }
        Some(_) => (4, String::new()),
        // No UTF-8: the parser refuses it.
        None => (1, String::new()),
    }
}

/// Whether the pair is a character from the range of marks.
fn is_mark(first: u16, second: u16) -> bool {
    let pair = char::decode_utf16([first, second]).next().and_then(Result::ok);
    pair.is_some_and(|pair| half_of(pair).is_some())
}

/// The code unit of a `\uXXXX` at the beginning.
fn unit(bytes: &[u8]) -> Option<u16> {
    let [b'\\', b'u', digits @ ..] = bytes else { return None };
    let digits = digits.get(..4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Joins the halves of one channel.
#[derive(Debug, Default)]
pub(crate) struct Joiner {
    /// The first half that the last fragment ended with.
    open: Option<u16>,
}

impl Joiner {
    /// The text of the next fragment; a first half at its end is kept for the fragment after it.
    pub(crate) fn join(&mut self, text: &mut String) {
        if self.open.is_none() && !may_hold_marks(text) {
            return;
        }
        let mut out = String::with_capacity(text.len());
        for character in text.chars() {
            match (half_of(character), self.open.take()) {
                (Some(second @ 0xDC00..), Some(first)) => {
                    out.extend(
                        char::decode_utf16([first, second]).map(|pair| pair.unwrap_or(char::REPLACEMENT_CHARACTER)),
                    );
                }
                (half, open) => {
                    out.extend(open.map(|_| char::REPLACEMENT_CHARACTER));
                    match half {
                        Some(first @ ..0xDC00) => self.open = Some(first),
                        Some(_) => out.push(char::REPLACEMENT_CHARACTER),
                        None => out.push(character),
                    }
                }
            }
        }
        *text = out;
    }

    /// Whether a first half waits for its second one; it waits no longer.
    pub(crate) fn take_open(&mut self) -> bool {
        self.open.take().is_some()
    }
}

/// Turns the marks of a text that nothing continues back.
pub(crate) fn join_alone(text: &mut String) {
    let mut joiner = Joiner::default();
    joiner.join(text);
    if joiner.take_open() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
}

fn may_hold_marks(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr(LEAD[0], bytes.get(at..).unwrap_or_default()) {
        at += found + 1;
        if bytes.get(at).copied() == Some(LEAD[1]) {
            return true;
        }
    }
    false
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text of several messages, each a JSON string literal.
    fn read(literals: &[&str]) -> String {
        let mut joiner = Joiner::default();
        let mut whole = String::new();
        for literal in literals {
            let mut text: String = serde_json::from_slice(&mark_halves(literal.as_bytes())).unwrap();
            joiner.join(&mut text);
            whole.push_str(&text);
        }
        if joiner.take_open() {
            whole.push(char::REPLACEMENT_CHARACTER);
        }
        whole
    }

    #[test]
    fn halves_in_two_messages_are_one_character() {
        assert_eq!(read(&[r#""caf\u00e9 \ud83d""#, r#""\ude00 ok""#]), "café 😀 ok");
        assert_eq!(read(&[r#""\uD83D""#, r#""""#, r#""\uDE00""#]), "😀");
        assert_eq!(read(&[r#""\ud83d\ude00""#]), "😀");
    }

    #[test]
    fn a_lone_half_is_one_replacement_character() {
        assert_eq!(read(&[r#""a\ud83db""#]), "a\u{fffd}b");
        assert_eq!(read(&[r#""a\ude00b""#]), "a\u{fffd}b");
        assert_eq!(read(&[r#""\ud83d""#, r#""x""#]), "\u{fffd}x");
        assert_eq!(read(&[r#""\ud83d""#]), "\u{fffd}");
        assert_eq!(read(&[r#""\ud83d\ud83d\ude00""#]), "\u{fffd}😀");
    }

    #[test]
    fn an_escaped_backslash_begins_no_half() {
        assert_eq!(read(&[r#""\\ud83d""#]), "\\ud83d");
        assert_eq!(read(&[r#""\\\ud83d\ude00""#]), "\\😀");
    }

    #[test]
    fn what_is_no_escape_is_left_to_the_parser() {
        for text in [r#""\ud8""#, r#""\u""#, "\"\\", "\u{10ffff}\\", "\\ud83"] {
            assert!(mark_halves(text.as_bytes()).len() >= text.len() - 1);
        }
        assert!(matches!(mark_halves(b"{\"a\":\"\\n\xf4\"}"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn a_split_anywhere_gives_the_same_text(text in "[a-z😀\u{10f800}\u{10fabc}\u{10ffff}é\\\\\"]{0,12}", ascii: bool) {
            let units: Vec<u16> = text.encode_utf16().collect();
            for split in 0..=units.len() {
                let literal = |units: &[u16]| {
                    let mut out = String::from("\"");
                    for unit in units {
                        match char::from_u32(u32::from(*unit)).filter(|c| c.is_ascii_lowercase()) {
                            Some(letter) if ascii => out.push(letter),
                            _ => out.push_str(&format!("\\u{unit:04x}")),
                        }
                    }
                    out.push('"');
                    out
                };
                let (first, second) = units.split_at(split);
                prop_assert_eq!(read(&[&literal(first), &literal(second)]), text.clone());
            }
            prop_assert_eq!(read(&[&serde_json::to_string(&text).unwrap()]), text);
        }

        #[test]
        fn any_bytes_are_rewritten_in_bounds(bytes in proptest::collection::vec(prop_oneof![Just(b'\\'), Just(b'u'), Just(b'd'), Just(b'8'), Just(0xF4), Just(0x8F), any::<u8>()], 0..64)) {
            let marked = mark_halves(&bytes);
            prop_assert!(marked.len() <= bytes.len() * 2);
        }
    }
}
