//! What to look for: every part of a key that is long enough to matter, in each encoding in which a server might repeat it.

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::contiguous::NFA;

/// So many characters of a key in a row are a leak; what is shorter is guessed or public.
pub(super) const LEAK: usize = 12;

/// Keys shorter than this are looked for as they are and in no encoding: an encoded form as short as that stands in texts by chance.
const SHORTEST_ENCODED: usize = 8;

/// The longest pattern: [`LEAK`] characters as hexadecimal digits.
pub(super) const LONGEST: usize = 2 * LEAK;

/// A state of the search through one text.
pub(super) type State = StateID;

/// Finds patterns in a text that arrives byte by byte.
#[derive(Debug)]
pub(super) struct Patterns {
    automaton: NFA,
    start: State,
    /// By the pattern's number: what has to be there to the letter, for keys too short to ignore the case of.
    exact: Vec<Option<Vec<u8>>>,
}

impl Patterns {
    /// The patterns of these keys. `None` when there are no keys, or more of them than can be looked for.
    pub(super) fn new<'k>(keys: impl Iterator<Item = &'k str>) -> Option<Self> {
        let mut patterns = Vec::new();
        let mut exact = Vec::new();
        for key in keys.map(str::as_bytes) {
            let is_long = key.len() >= LEAK;
            for part in key.windows(key.len().clamp(1, LEAK)) {
                for pattern in forms(part, key.len() >= SHORTEST_ENCODED) {
                    exact.push((!is_long).then(|| pattern.clone()));
                    patterns.push(pattern);
                }
            }
        }
        let automaton = NFA::builder().ascii_case_insensitive(true).build(&patterns).ok()?;
        let start = automaton.start_state(Anchored::No).ok()?;
        (!patterns.is_empty()).then_some(Self { automaton, start, exact })
    }

    pub(super) const fn start(&self) -> State {
        self.start
    }

    pub(super) fn next(&self, state: State, byte: u8) -> State {
        self.automaton.next_state(Anchored::No, state, byte)
    }

    /// The length of the longest pattern that ends here; `last` gives the bytes before, the n-th from the end.
    pub(super) fn found(&self, state: State, last: impl Fn(usize) -> u8) -> Option<usize> {
        if !self.automaton.is_match(state) {
            return None;
        }
        let lengths = (0..self.automaton.match_len(state)).filter_map(|index| {
            let pattern = self.automaton.match_pattern(state, index);
            let fits = match self.exact.get(pattern.as_usize()) {
                Some(Some(exact)) => exact.iter().rev().enumerate().all(|(back, byte)| last(back) == *byte),
                _ => true,
            };
            fits.then(|| self.automaton.pattern_len(pattern))
        });
        lengths.max()
    }
}

/// A part of a key as it is and, where wanted, as hexadecimal digits and in base64 of both alphabets. How percent signs and
/// backslashes escape characters is left to the reading of the text.
fn forms(part: &[u8], encoded: bool) -> Vec<Vec<u8>> {
    let mut forms = vec![part.to_vec()];
    if encoded {
        forms.push(part.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
        for before in 0..3 {
            let core = base64_core(part, before);
            let safe: Vec<u8> = core
                .iter()
                .map(|byte| match byte {
                    b'+' => b'-',
                    b'/' => b'_',
                    other => *other,
                })
                .collect();
            if safe != core {
                forms.push(safe);
            }
            forms.push(core);
        }
    }
    forms
}

/// The characters of base64 that `part` alone decides when so many bytes of a group of three stand before it.
fn base64_core(part: &[u8], before: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |at: usize| {
        let at = at - 8 * before;
        part.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1))
    };
    let first = (8 * before).div_ceil(6);
    let end = 8 * (before + part.len()) / 6;
    let value = |place: usize| (0..6).fold(0, |value, offset| value * 2 + bit(6 * place + offset));
    (first..end).filter_map(|place| ALPHABET.get(value(place)).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_known_at_any_place_in_a_group() {
        // base64("abcdef") is YWJjZGVm, base64("xabcdef") eGFiY2RlZg==, base64("xyabcdef") eHlhYmNkZWY=.
        for (before, core) in [(0, "YWJjZGVm"), (1, "FiY2RlZ"), (2, "hYmNkZW")] {
            assert_eq!(String::from_utf8_lossy(&base64_core(b"abcdef", before)), core);
        }
    }
}
