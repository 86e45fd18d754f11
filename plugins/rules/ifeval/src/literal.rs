//! Finding a word regardless of case, by the rules of Python's `re.IGNORECASE`.
//!
//! Most keywords have no character that is special in a pattern. For these a search does what a regular expression would, without
//! compiling one for each sample, and with Python's own idea of which letters are equal: it compares lower case, where İ is an i, and
//! knows a few more pairs, such as ı and i, that regular expressions of other languages keep apart.

use std::ops::Range;

use bench_scoring::python::is_word;

/// What `re.IGNORECASE` compares instead of a character: equal for two of them exactly where they match each other.
pub(crate) fn folded(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let lower = c.to_lowercase().next().unwrap_or(c);
    match lower {
        'ı' => 'i',
        'ſ' => 's',
        '\u{b5}' => '\u{3bc}',
        '\u{345}' | '\u{1fbe}' => '\u{3b9}',
        '\u{1fd3}' => '\u{390}',
        '\u{1fe3}' => '\u{3b0}',
        '\u{3d0}' => '\u{3b2}',
        '\u{3f5}' => '\u{3b5}',
        '\u{3d1}' => '\u{3b8}',
        '\u{3f0}' => '\u{3ba}',
        '\u{3d6}' => '\u{3c0}',
        '\u{3f1}' => '\u{3c1}',
        '\u{3c2}' => '\u{3c3}',
        '\u{3d5}' => '\u{3c6}',
        '\u{1c80}' => '\u{432}',
        '\u{1c81}' => '\u{434}',
        '\u{1c82}' => '\u{43e}',
        '\u{1c83}' => '\u{441}',
        '\u{1c84}' | '\u{1c85}' => '\u{442}',
        '\u{1c86}' => '\u{44a}',
        '\u{1c87}' => '\u{463}',
        '\u{1c88}' => '\u{a64b}',
        '\u{1e9b}' => '\u{1e61}',
        '\u{fb05}' => '\u{fb06}',
        other => other,
    }
}

/// The byte that begins the characters outside of ASCII which match a letter of it: ı and İ for i, the Kelvin sign for k, ſ for s.
fn beyond_ascii(letter: char) -> Option<u8> {
    match letter {
        'i' => Some(0xc4),
        'k' => Some(0xe2),
        's' => Some(0xc5),
        _ => None,
    }
}

/// A text to look for.
#[derive(Debug, Clone)]
pub(crate) struct Literal {
    text: String,
    /// Folded.
    chars: Vec<char>,
}

impl Literal {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), chars: text.chars().map(folded).collect() }
    }

    /// Whether it is at the start of the text, and how many bytes it is there.
    fn starts(&self, text: &str) -> Option<usize> {
        let mut rest = text.chars();
        for &wanted in &self.chars {
            if folded(rest.next()?) != wanted {
                return None;
            }
        }
        Some(text.len() - rest.as_str().len())
    }

    /// Where it is first, from `from` on.
    pub(crate) fn find(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let Some(&first) = self.chars.first() else { return (from <= text.len()).then_some(from..from) };
        let rest = text.get(from..)?;
        let at = |index: usize| {
            let at = from + index;
            let len = self.starts(text.get(at..)?)?;
            Some(at..at + len)
        };
        if !first.is_ascii() {
            return rest.char_indices().filter(|(_, c)| folded(*c) == first).find_map(|(index, _)| at(index));
        }
        let (small, large, rest) = (first as u8, first.to_ascii_uppercase() as u8, rest.as_bytes());
        match beyond_ascii(first) {
            None => memchr::memchr2_iter(small, large, rest).find_map(at),
            Some(lead) => memchr::memchr3_iter(small, large, lead, rest).find_map(at),
        }
    }

    /// Where it is first in the same case, from `from` on.
    pub(crate) fn find_exactly(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let start = from + text.get(from..)?.find(&self.text)?;
        Some(start..start + self.text.len())
    }

    /// How often it is there without overlaps.
    pub(crate) fn count(&self, text: &str) -> usize {
        if self.chars.is_empty() {
            return text.chars().count() + 1;
        }
        let mut count = 0;
        let mut from = 0;
        while let Some(found) = self.find(text, from) {
            count += 1;
            from = found.end;
        }
        count
    }

    /// Where it is first between word boundaries, from `from` on: `\b…\b`.
    pub(crate) fn find_word(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let mut from = from;
        while let Some(found) = self.find(text, from) {
            if boundary(text, found.start) && boundary(text, found.end) {
                return Some(found);
            }
            from = found.start + text.get(found.start..)?.chars().next()?.len_utf8();
        }
        None
    }
}

/// Whether `\b` matches there.
pub(crate) fn boundary(text: &str, at: usize) -> bool {
    let Some((before, behind)) = text.split_at_checked(at) else { return false };
    before.chars().next_back().is_some_and(is_word) != behind.chars().next().is_some_and(is_word)
}

/// Whether a pattern has no character that is special in it.
pub(crate) fn is_literal(pattern: &str) -> bool {
    !pattern.contains(['\\', '.', '^', '$', '*', '+', '?', '{', '}', '[', ']', '|', '(', ')'])
}

#[cfg(test)]
mod tests {
    use super::{beyond_ascii, folded};

    #[test]
    fn every_character_that_matches_a_letter_of_ascii_begins_as_said() {
        let beyond = (0x80..=0x10_ffff).filter_map(char::from_u32).filter(|c| folded(*c).is_ascii());
        let mut seen = 0;
        for c in beyond {
            assert_eq!(beyond_ascii(folded(c)), c.to_string().bytes().next(), "{c}");
            seen += 1;
        }
        assert_eq!(seen, 4);
    }
}
