//! The fast path: recognises a message that differs from an earlier one only in the values that are known to change.
//!
//! Messages of one stream are alike but for the text and the running counts. After a full parse, the message is kept as a
//! template: its bytes, cut at the holes where those values stand, and the events that it gave. The next message is
//! compared with the pieces between the holes, a word at a time.
//!
//! Why this equals the full parse: a hole is a complete JSON token (or an array of integers), and it is replaced by a
//! token of the same kind that the full parser would accept, so the message parses into the same tree with other values
//! in the same places. Every byte outside the holes is equal, so nothing else can differ. What would take another course
//! in the full parse (an empty text, a number in another notation, a control character, text that is not UTF-8) is left
//! to it. The property tests compare both on random and hostile streams, and [`Template::new`] applies every template to
//! its own message first and refuses it unless that gives the same events.

use std::ops::Range;

use memchr::{memchr, memchr2};

use crate::driver::LocatedEvent;
use crate::json;
use crate::types::{Event, ToolCallDelta, Usage};

/// What stands in a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hole {
    /// The string literal, quotes included, whose text is that of the message's one `text` or `reasoning` event or the
    /// arguments of its one `tool-call` event.
    Fragment,
    /// An array of integers: the ids of the message's `token-ids` event.
    TokenIds,
    /// An integer: `completion-tokens` of the message's `usage` event.
    CompletionTokens,
    /// An integer that no event shows.
    Unused,
    /// A string literal that no event shows, such as a time stamp.
    UnusedText,
}

/// A message to compare others with.
#[derive(Debug)]
pub(crate) struct Template {
    kind: Vec<u8>,
    bytes: Vec<u8>,
    /// What comes before each hole, and the hole.
    parts: Vec<(Range<usize>, Hole)>,
    /// What comes after the last hole.
    end: Range<usize>,
    /// The event of the fragment.
    fragment: Event,
    token_ids: bool,
    usage: Option<Usage>,
}

/// Values found in the holes of a message.
#[derive(Default)]
struct Values {
    fragment: String,
    token_ids: Vec<u32>,
    completion_tokens: Option<u64>,
}

impl Template {
    /// Keeps `message`, which a full parse has turned into `events`, unless it is of a form that the fast path does not
    /// cover. `holes` must cover every value in which a like message may differ.
    pub(crate) fn new(
        kind: &[u8],
        message: &[u8],
        holes: &[(Hole, Range<usize>)],
        events: &[LocatedEvent],
    ) -> Option<Self> {
        let mut rest = events.iter().map(|located| &located.event).peekable();
        let fragment = match rest.next()? {
            event @ (Event::Text(_) | Event::Reasoning(_) | Event::ToolCall(_)) => event.clone(),
            _ => return None,
        };
        let token_ids = rest.next_if(|event| matches!(event, Event::TokenIds(_))).is_some();
        let usage = match rest.next() {
            None => None,
            Some(Event::Usage(usage)) => Some(*usage),
            Some(_) => return None,
        };
        if rest.next().is_some() {
            return None;
        }
        let mut holes = holes.to_vec();
        holes.sort_unstable_by_key(|(_, span)| span.start);
        let mut parts = Vec::with_capacity(holes.len());
        let mut at = 0;
        for (hole, span) in holes {
            if span.start < at || span.end < span.start {
                return None;
            }
            parts.push((at..span.start, hole));
            at = span.end;
        }
        let number = |wanted| parts.iter().filter(|(_, hole)| *hole == wanted).count();
        let counted = usage.is_some_and(|usage| usage.completion_tokens.is_some());
        let fits = number(Hole::Fragment) == 1
            && number(Hole::TokenIds) == usize::from(token_ids)
            && number(Hole::CompletionTokens) <= usize::from(counted);
        let end = at..message.len();
        if !fits || at > message.len() {
            return None;
        }
        let template = Self { kind: kind.to_vec(), bytes: message.to_vec(), parts, end, fragment, token_ids, usage };
        let mut again = Vec::new();
        let read = events.first()?.read;
        (template.apply(kind, message, read, &mut again) && again == events).then_some(template)
    }

    /// Adds the events of `message` to `out` and answers true, or leaves `out` alone and answers false where the message
    /// needs the full parse.
    pub(crate) fn apply(&self, kind: &[u8], message: &[u8], read: u32, out: &mut Vec<LocatedEvent>) -> bool {
        if self.kind != kind {
            return false;
        }
        let Some(values) = self.values(message) else { return false };
        let text = values.fragment;
        let event = match &self.fragment {
            Event::Reasoning(_) => Event::Reasoning(text),
            Event::ToolCall(call) => Event::ToolCall(ToolCallDelta { arguments: text, ..call.clone() }),
            _ => Event::Text(text),
        };
        out.push(LocatedEvent { read, event });
        if self.token_ids {
            out.push(LocatedEvent { read, event: Event::TokenIds(values.token_ids) });
        }
        if let Some(usage) = self.usage {
            let completion_tokens = values.completion_tokens.or(usage.completion_tokens);
            out.push(LocatedEvent { read, event: Event::Usage(Usage { completion_tokens, ..usage }) });
        }
        true
    }

    fn values(&self, message: &[u8]) -> Option<Values> {
        let mut values = Values::default();
        let mut at = 0;
        for (before, hole) in &self.parts {
            let before = self.bytes.get(before.clone())?;
            let rest = message.get(at..)?;
            if !same(rest.get(..before.len())?, before) {
                return None;
            }
            let rest = rest.get(before.len()..)?;
            let length = match hole {
                Hole::Fragment => {
                    let literal = rest.get(..literal_length(rest)?)?;
                    values.fragment = json::string(literal).filter(|text| !text.is_empty())?;
                    literal.len()
                }
                Hole::UnusedText => {
                    let literal = rest.get(..literal_length(rest)?)?;
                    json::string(literal)?;
                    literal.len()
                }
                Hole::TokenIds => {
                    let length = memchr(b']', rest)? + 1;
                    values.token_ids = ids(rest.get(..length)?)?;
                    length
                }
                Hole::CompletionTokens | Hole::Unused => {
                    let length = rest.iter().position(|byte| !byte.is_ascii_digit())?;
                    let value = json::integer(rest.get(..length)?)?;
                    if *hole == Hole::CompletionTokens {
                        values.completion_tokens = Some(value);
                    }
                    length
                }
            };
            at += before.len() + length;
        }
        let end = self.bytes.get(self.end.clone())?;
        same(message.get(at..)?, end).then_some(values)
    }
}

/// Length of the string literal that `bytes` starts with, quotes included.
fn literal_length(bytes: &[u8]) -> Option<usize> {
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

/// The integers of `[1,2]`, without white space; `None` for an empty array.
fn ids(array: &[u8]) -> Option<Vec<u32>> {
    let inner = array.strip_prefix(b"[")?.strip_suffix(b"]")?;
    inner.split(|byte| *byte == b',').map(|id| u32::try_from(json::integer(id)?).ok()).collect()
}

/// Equality in blocks of 32 bytes: one branch per block, which compiles to vector instructions. The compiler's own
/// `memcmp` for WebAssembly goes byte by byte.
fn same(left: &[u8], right: &[u8]) -> bool {
    let (left_blocks, left_rest) = left.as_chunks::<32>();
    let (right_blocks, right_rest) = right.as_chunks::<32>();
    if left.len() != right.len() || left_blocks.iter().zip(right_blocks).any(|(a, b)| differ(a, b)) {
        return false;
    }
    let (left_words, left_rest) = left_rest.as_chunks::<8>();
    let (right_words, right_rest) = right_rest.as_chunks::<8>();
    let words = left_words.iter().zip(right_words).all(|(a, b)| u64::from_ne_bytes(*a) == u64::from_ne_bytes(*b));
    words && left_rest.iter().zip(right_rest).all(|(a, b)| a == b)
}

fn differ(left: &[u8; 32], right: &[u8; 32]) -> bool {
    let (left, _) = left.as_chunks::<16>();
    let (right, _) = right.as_chunks::<16>();
    let difference = left
        .iter()
        .zip(right)
        .fold(0, |difference, (a, b)| difference | (u128::from_ne_bytes(*a) ^ u128::from_ne_bytes(*b)));
    difference != 0
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    const MESSAGE: &str = r#"{"d":{"c":"one"},"ids":[1,2],"n":7,"t":40,"at":"x"}"#;

    fn usage(completion: u64) -> Event {
        Event::Usage(Usage {
            prompt_tokens: Some(3),
            cached_tokens: None,
            completion_tokens: Some(completion),
            reasoning_tokens: None,
        })
    }

    fn events(read: u32, text: &str, ids: &[u32], completion: u64) -> Vec<LocatedEvent> {
        let events = [Event::Text(text.to_owned()), Event::TokenIds(ids.to_vec()), usage(completion)];
        events.into_iter().map(|event| LocatedEvent { read, event }).collect()
    }

    fn hole(hole: Hole, token: &str) -> (Hole, Range<usize>) {
        let start = MESSAGE.find(token).unwrap();
        (hole, start..start + token.len())
    }

    fn holes() -> Vec<(Hole, Range<usize>)> {
        vec![
            hole(Hole::Fragment, "\"one\""),
            hole(Hole::TokenIds, "[1,2]"),
            hole(Hole::CompletionTokens, "7"),
            hole(Hole::Unused, "40"),
            hole(Hole::UnusedText, "\"x\""),
        ]
    }

    fn apply(template: &Template, message: &str) -> Option<Vec<LocatedEvent>> {
        let mut out = Vec::new();
        let hit = template.apply(b"", message.as_bytes(), 9, &mut out);
        assert!(hit || out.is_empty(), "a miss leaves nothing behind");
        hit.then_some(out)
    }

    #[test]
    fn like_messages_are_hits() {
        let template = Template::new(b"", MESSAGE.as_bytes(), &holes(), &events(0, "one", &[1, 2], 7)).unwrap();
        let other = r#"{"d":{"c":"t\"w\u00f6"},"ids":[3],"n":1234,"t":0,"at":"a\nb"}"#;
        assert_eq!(apply(&template, other).unwrap(), events(9, "t\"wö", &[3], 1234));
    }

    #[test]
    fn anything_else_is_left_to_the_full_parse() {
        let template = Template::new(b"", MESSAGE.as_bytes(), &holes(), &events(0, "one", &[1, 2], 7)).unwrap();
        for (from, to) in [
            ("\"one\"", "\"\""),
            ("\"one\"", "null"),
            ("\"one\"", "\"o\u{1}e\""),
            ("\"one\"", "\"o\\qe\""),
            ("\"one\"", "\"one"),
            ("[1,2]", "[]"),
            ("[1,2]", "[1, 2]"),
            ("[1,2]", "[-1]"),
            ("[1,2]", "[4294967296]"),
            ("\"n\":7", "\"n\":07"),
            ("\"n\":7", "\"n\":-7"),
            ("\"n\":7", "\"n\":7.0"),
            ("\"n\":7", "\"n\":"),
            ("\"n\":7", "\"n\":1234567890123456789"),
            ("\"t\"", "\"T\""),
            ("{\"d\"", " {\"d\""),
            ("\"x\"}", "\"x\"} "),
            ("\"x\"}", "\"x\""),
        ] {
            let message = MESSAGE.replacen(from, to, 1);
            assert_ne!(message, MESSAGE);
            assert_eq!(apply(&template, &message), None, "{message}");
        }
        assert!(!template.apply(b"other", MESSAGE.as_bytes(), 0, &mut Vec::new()), "another kind of event");
    }

    #[test]
    fn a_template_that_does_not_give_its_own_events_is_refused() {
        let new = |holes: &[(Hole, Range<usize>)], events: &[LocatedEvent]| {
            Template::new(b"", MESSAGE.as_bytes(), holes, events).is_some()
        };
        assert!(new(&holes(), &events(0, "one", &[1, 2], 7)));
        assert!(!new(&holes(), &events(0, "two", &[1, 2], 7)));
        assert!(!new(&holes(), &events(0, "one", &[1], 7)));
        assert!(!new(&holes(), &events(0, "one", &[1, 2], 7)[..1]), "a hole without its event");
        assert!(!new(&holes()[1..], &events(0, "one", &[1, 2], 7)), "a fragment without its hole");
        let beyond = [(Hole::Fragment, 10..1000)];
        assert!(!new(&beyond, &events(0, "one", &[1, 2], 7)[..1]));
        assert!(!new(&holes(), &[]));
    }

    #[test]
    fn equality_looks_at_every_byte() {
        for length in 0..100_usize {
            let left = vec![7_u8; length];
            assert!(same(&left, &left.clone()));
            for at in 0..length {
                let mut right = left.clone();
                right[at] = 8;
                assert!(!same(&left, &right), "{at} of {length}");
            }
        }
        assert!(!same(b"a", b"ab"));
    }
}
