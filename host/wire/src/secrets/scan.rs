//! Reads a text in the ways in which it may hold a key, and says which bytes of it do.
//!
//! Three readings go over a text from its start to its end: the bytes as they are, the same with backslash escapes of JSON undone,
//! and that with percent signs undone as well. Where a text is an answer, the values that its JSON has under one name are also
//! read as one text: a stream of events gives a key away in pieces.

use std::collections::HashMap;

use super::patterns::{LONGEST, Patterns, State};

/// Names whose values are put together, each by itself. Names beyond share one text.
const MOST_NAMES: usize = 256;

/// Stands for whatever is in no key.
const OTHER: u8 = 0xff;

/// Where a character stands in the text: up to three pieces, as those of a percent sign may be.
#[derive(Clone, Copy, Debug, Default)]
struct Spans {
    pieces: [(usize, usize); 3],
    count: usize,
}

/// A character as it is read, and where it stands.
#[derive(Clone, Copy, Debug, Default)]
struct Character {
    byte: u8,
    spans: Spans,
}

impl Character {
    const fn new(byte: u8, start: usize, end: usize) -> Self {
        Self { byte, spans: Spans { pieces: [(start, end), (0, 0), (0, 0)], count: 1 } }
    }
}

/// One reading of one text.
#[derive(Clone, Debug)]
struct Scan {
    state: State,
    /// The last characters, the newest at `at - 1`.
    last: [Character; LONGEST],
    at: usize,
}

impl Scan {
    fn new(patterns: &Patterns) -> Self {
        Self { state: patterns.start(), last: [Character::default(); LONGEST], at: 0 }
    }

    fn back(&self, back: usize) -> usize {
        (self.at + LONGEST - 1 - back) % LONGEST
    }

    fn push(&mut self, patterns: &Patterns, character: Character, hit: &mut impl FnMut(usize, usize)) {
        self.state = patterns.next(self.state, character.byte);
        if let Some(place) = self.last.get_mut(self.at) {
            *place = character;
        }
        self.at = (self.at + 1) % LONGEST;
        let byte = |back| self.last.get(self.back(back)).map_or(OTHER, |character| character.byte);
        let Some(length) = patterns.found(self.state, byte) else { return };
        for back in 0..length.min(LONGEST) {
            let place = self.back(back);
            let Some(character) = self.last.get_mut(place) else { continue };
            // Told once: the next hit shares most of its characters.
            let told = std::mem::take(&mut character.spans.count);
            for (start, end) in character.spans.pieces.into_iter().take(told) {
                hit(start, end);
            }
        }
    }
}

/// A reading that undoes percent signs.
#[derive(Clone, Debug)]
struct PercentScan {
    scan: Scan,
    /// A percent sign and perhaps a digit that wait for what follows.
    held: [Character; 2],
    count: usize,
}

impl PercentScan {
    fn new(patterns: &Patterns) -> Self {
        Self { scan: Scan::new(patterns), held: [Character::default(); 2], count: 0 }
    }

    fn push(&mut self, patterns: &Patterns, character: Character, hit: &mut impl FnMut(usize, usize)) {
        let digit = |character: Character| char::from(character.byte).to_digit(16);
        let [sign, first] = self.held;
        match (self.count, digit(character)) {
            (1, Some(_)) => {
                self.held = [sign, character];
                self.count = 2;
                return;
            }
            (2, Some(low)) => {
                self.count = 0;
                let value = digit(first).unwrap_or_default() * 16 + low;
                let byte = u8::try_from(value).unwrap_or(OTHER);
                let mut pieces = [(0, 0); 3];
                for (piece, part) in pieces.iter_mut().zip([sign, first, character]) {
                    *piece = part.spans.pieces[0];
                }
                self.scan.push(patterns, Character { byte, spans: Spans { pieces, count: 3 } }, hit);
                return;
            }
            _ => {}
        }
        let count = std::mem::take(&mut self.count);
        for held in self.held.into_iter().take(count) {
            self.scan.push(patterns, held, hit);
        }
        if character.byte == b'%' {
            self.held = [character, Character::default()];
            self.count = 1;
        } else {
            self.scan.push(patterns, character, hit);
        }
    }
}

/// The readings of a text with escapes.
#[derive(Clone, Debug)]
struct Readings {
    unescaped: Scan,
    percent: PercentScan,
}

impl Readings {
    fn new(patterns: &Patterns) -> Self {
        Self { unescaped: Scan::new(patterns), percent: PercentScan::new(patterns) }
    }

    /// Reads `bytes`, which begin at `from` in the text.
    fn read(&mut self, patterns: &Patterns, bytes: &[u8], from: usize, hit: &mut impl FnMut(usize, usize)) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (byte, length) = unescape(rest);
            let character = Character::new(byte, from + at, from + at + length);
            self.unescaped.push(patterns, character, hit);
            self.percent.push(patterns, character, hit);
            at += length;
        }
    }
}

/// The first character of `rest`, which is not empty, with escapes of JSON undone, and its length there.
fn unescape(rest: &[u8]) -> (u8, usize) {
    match rest {
        [b'\\', b'u', digits @ ..] if digits.len() >= 4 => {
            let value =
                digits.iter().take(4).try_fold(0, |value, byte| Some(value * 16 + char::from(*byte).to_digit(16)?));
            match value {
                Some(value) => (u8::try_from(value).ok().filter(u8::is_ascii).unwrap_or(OTHER), 6),
                None => (b'\\', 1),
            }
        }
        [b'\\', escaped @ (b'"' | b'\\' | b'/'), ..] => (*escaped, 2),
        [b'\\', b'b' | b'f' | b'n' | b'r' | b't', ..] => (OTHER, 2),
        [byte, ..] => (*byte, 1),
        [] => (OTHER, 1),
    }
}

/// Calls `hit` with the start and the end of every stretch of `text` that belongs to a key. A stretch may be told several times.
pub(super) fn find(patterns: &Patterns, text: &[u8], mut hit: impl FnMut(usize, usize)) {
    let mut state = patterns.start();
    for (at, byte) in text.iter().enumerate() {
        state = patterns.next(state, *byte);
        let last = |back| at.checked_sub(back).and_then(|at| text.get(at)).copied().unwrap_or(OTHER);
        if let Some(length) = patterns.found(state, last) {
            hit((at + 1).saturating_sub(length), at + 1);
        }
    }
    if memchr::memchr2(b'\\', b'%', text).is_some() {
        Readings::new(patterns).read(patterns, text, 0, &mut hit);
    }
}

/// The same over the values that the JSON in `body` has under one name, put together.
pub(super) fn find_joined(patterns: &Patterns, body: &[u8], mut hit: impl FnMut(usize, usize)) {
    let mut names: HashMap<&[u8], usize> = HashMap::new();
    // The first is for values without a name and for names beyond the bound.
    let mut joined = vec![Readings::new(patterns)];
    let mut name = 0;
    let mut at = 0;
    while let Some(quote) = body.get(at..).and_then(|rest| memchr::memchr(b'"', rest)) {
        let start = at + quote + 1;
        let end = literal_end(body, start);
        let literal = body.get(start..end).unwrap_or_default();
        let after = body.get(end + 1..).unwrap_or_default();
        if after.trim_ascii_start().first() == Some(&b':') {
            name = match names.get(literal) {
                Some(known) => *known,
                None if joined.len() <= MOST_NAMES => {
                    names.insert(literal, joined.len());
                    joined.push(Readings::new(patterns));
                    joined.len() - 1
                }
                None => 0,
            };
        } else if let Some(readings) = joined.get_mut(name) {
            readings.read(patterns, literal, start, &mut hit);
        }
        at = end + 1;
    }
}

/// Where the literal of JSON ends that begins at `start`. A line end ends it too: it has no place in one.
fn literal_end(body: &[u8], start: usize) -> usize {
    let mut at = start;
    loop {
        let rest = body.get(at..).unwrap_or_default();
        let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', rest) else { return body.len() };
        match rest.get(found) {
            Some(b'\\') => at += found + 2,
            _ => return at + found,
        }
    }
}
