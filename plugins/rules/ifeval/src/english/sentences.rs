//! Where sentences end: the Punkt algorithm (T. Kiss and J. Strunk, 2006) in the form that NLTK gives it.
//!
//! Only places that may be an end are looked at. Each is judged by the words around it alone, so the work is linear in the text.

use std::ops::Range;

use bench_scoring::python;

use super::model::Model;
use crate::chars::{is_decimal, is_word};

/// Ends a word, and is none itself.
fn ends_word(c: char) -> bool {
    matches!(c, ')' | '"' | ';' | '}' | ']' | '*' | ':' | '@' | '\'' | '(' | '{' | '[' | '?' | '!')
        || matches!(c, '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' | '\u{ab}' | '\u{bb}')
}

/// Cannot begin a word.
fn begins_no_word(c: char) -> bool {
    matches!(c, '(' | '"' | '`' | '{' | '[' | ':' | ';' | '&' | '#' | '*' | '@' | ')' | '}' | ']' | '-' | ',')
}

/// Belongs to the sentence before it when it follows its end.
fn closes(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '}')
        || matches!(c, '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' | '\u{ab}' | '\u{bb}')
}

/// A place where a sentence may end.
#[derive(Clone, Copy)]
struct Candidate {
    /// The punctuation mark, one byte.
    at: usize,
    /// What follows it begins here, and goes on for one mark or one word.
    next: usize,
    /// It is a word, with white space before it.
    word: bool,
}

impl Model {
    /// Where the sentences of a text are, in bytes. Of `PunktSentenceTokenizer.span_tokenize`.
    pub(crate) fn sentences(&self, text: &str) -> Vec<Range<usize>> {
        realigned(text, &self.slices(text))
    }

    fn slices(&self, text: &str) -> Vec<Range<usize>> {
        let mut slices = Vec::new();
        let mut begin = 0;
        let mut judge = |candidate: Candidate, before: &Range<usize>| {
            let behind = text.get(candidate.next..).unwrap_or_default();
            let len = if candidate.word {
                behind.find(char::is_whitespace).unwrap_or(behind.len())
            } else {
                first_len(behind)
            };
            let context = text.get(before.start..candidate.next + len).unwrap_or_default();
            if self.has_break(context) {
                slices.push(begin..candidate.at + 1);
                begin = candidate.next;
            }
        };
        // Candidates of one word count as one, the last.
        let mut held: Option<Candidate> = None;
        let mut before = 0..0;
        for candidate in candidates(text) {
            let between = text.as_bytes().get(before.end..candidate.at).unwrap_or_default();
            let space = between.iter().rposition(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).filter(|&at| at > 0);
            let start = space.map_or(before.start, |at| before.end + at + 1);
            if let Some(held) = held
                && before.end <= start
            {
                judge(held, &before);
            }
            held = Some(candidate);
            before = start..candidate.at;
        }
        if let Some(held) = held {
            judge(held, &before);
        }
        slices.push(begin..python::rstrip(text).len());
        slices
    }

    /// Whether a sentence ends in this piece of text, before its last word.
    fn has_break(&self, context: &str) -> bool {
        let mut words = Vec::new();
        for line in context.split('\n') {
            if !python::strip(line).is_empty() {
                punkt_words(line, &mut words);
            }
        }
        let first = |word: &&str| self.first_pass(word);
        words.windows(2).any(|pair| {
            let (word, next) = (pair[0], pair[1]);
            self.second_pass(word, first(&word), next, first(&next)).ends
        })
    }

    /// What a word says by itself.
    fn first_pass(&self, word: &str) -> Marks {
        let none = Marks::default();
        if matches!(word, "." | "?" | "!") {
            return Marks { ends: true, ..none };
        }
        if word.len() > 1 && word.bytes().all(|byte| byte == b'.') {
            return Marks { ellipsis: true, ..none };
        }
        let Some(stem) = word.strip_suffix('.').filter(|stem| !stem.ends_with('.')) else { return none };
        let stem = python::lower(stem);
        let last = stem.rsplit('-').next().unwrap_or_default();
        if self.is_abbreviation(&stem) || self.is_abbreviation(last) {
            Marks { abbreviation: true, ..none }
        } else {
            Marks { ends: true, ..none }
        }
    }

    /// What the next word changes about it.
    fn second_pass(&self, word: &str, marks: Marks, next: &str, next_marks: Marks) -> Marks {
        if !word.ends_with('.') {
            return marks;
        }
        let no_end = Marks { ends: false, abbreviation: true, ..marks };
        let kind = kind(word);
        let kind = without_period(&kind);
        let next_kind = self::kind(next);
        let next_kind = if next_marks.ends { without_period(&next_kind) } else { &next_kind };
        let initial = is_initial(word);
        if self.is_collocation(kind, next_kind) {
            return no_end;
        }
        let seen = self.seen(next_kind);
        let capital = next.chars().next().is_some_and(char::is_uppercase);
        let starts = if matches!(next, ";" | ":" | "," | "." | "!" | "?") {
            Some(false)
        } else if capital && seen.is_some_and(|seen| !seen.capital_within) {
            Some(true)
        } else if next.chars().next().is_some_and(char::is_lowercase) && seen.is_none_or(|seen| seen.starts_none) {
            Some(false)
        } else {
            None
        };
        if (marks.abbreviation || marks.ellipsis)
            && !initial
            && (starts == Some(true) || capital && self.is_starter(next_kind))
        {
            return Marks { ends: true, ..marks };
        }
        let unknown_name = || starts.is_none() && initial && capital && seen.is_none();
        if (initial || kind == NUMBER) && (starts == Some(false) || unknown_name()) { no_end } else { marks }
    }
}

/// What is known of a word at its place.
#[derive(Clone, Copy, Default)]
struct Marks {
    ends: bool,
    abbreviation: bool,
    ellipsis: bool,
}

/// The kind of all numbers.
const NUMBER: &str = "##number##";

/// A word regardless of case: `-?[\.,]?\d[\d,\.-]*\.?` as a whole is a number.
fn kind(word: &str) -> String {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let mut digits = digits.strip_prefix(['.', ',']).unwrap_or(digits).chars();
    let number = digits.next().is_some_and(is_decimal) && digits.all(|c| is_decimal(c) || matches!(c, ',' | '.' | '-'));
    if number { NUMBER.to_owned() } else { python::lower(word) }
}

fn without_period(kind: &str) -> &str {
    kind.strip_suffix('.').filter(|stem| !stem.is_empty()).unwrap_or(kind)
}

/// A letter and a period.
fn is_initial(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(|c| is_word(c) && !is_decimal(c)) && chars.as_str() == "."
}

fn first_len(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// Marks that end sentences, where more follows: punctuation at once, or a word after white space.
fn candidates(text: &str) -> impl Iterator<Item = Candidate> {
    let marks = text.bytes().enumerate().filter(|&(_, byte)| matches!(byte, b'.' | b'?' | b'!'));
    marks.filter_map(|(at, _)| {
        let behind = text.get(at + 1..)?;
        let c = behind.chars().next()?;
        if ends_word(c) {
            return Some(Candidate { at, next: at + 1, word: false });
        }
        let space = behind.len() - behind.trim_start_matches(char::is_whitespace).len();
        (space > 0 && space < behind.len()).then_some(Candidate { at, next: at + 1 + space, word: true })
    })
}

/// Gives closing punctuation at the start of a sentence to the one before it.
fn realigned(text: &str, slices: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut sentences = Vec::new();
    let mut moved = 0;
    for (index, slice) in slices.iter().enumerate() {
        let start = slice.start + moved;
        moved = 0;
        if let Some(next) = slices.get(index + 1) {
            let behind = text.get(next.clone()).unwrap_or_default();
            let closing = behind.len() - behind.trim_start_matches(closes).len();
            let rest = behind.get(closing..).unwrap_or_default();
            let space = rest.len() - rest.trim_start_matches(char::is_whitespace).len();
            if closing > 0 && (space > 0 || rest.is_empty() || rest.starts_with("--")) {
                sentences.push(start..next.start + closing);
                moved = closing + space;
                continue;
            }
        }
        if start < slice.end {
            sentences.push(start..slice.end);
        }
    }
    sentences
}

/// Hyphens or periods that are one mark: two or more, or three or more periods with white space between them.
fn long_mark(text: &str) -> Option<usize> {
    let run = |mark: char| text.len() - text.trim_start_matches(mark).len();
    match text.as_bytes() {
        [b'-', b'-', ..] => Some(run('-')),
        [b'.', b'.', ..] => Some(run('.')),
        [b'.', ..] => {
            // Each pair is a period and white space; a period is needed behind them, the last pair's if need be.
            let (mut len, mut pairs) = (0, 0);
            let mut last = 0;
            while let Some(behind) = text.get(len..).and_then(|rest| rest.strip_prefix('.')) {
                let Some(space) = behind.chars().next().filter(|c| c.is_whitespace()) else {
                    return (pairs >= 2).then_some(len + 1);
                };
                last = len;
                len += 1 + space.len_utf8();
                pairs += 1;
            }
            (pairs >= 3).then_some(last + 1)
        }
        _ => None,
    }
}

/// Divides a line as Punkt does, which leaves periods with their words.
fn punkt_words<'t>(line: &'t str, words: &mut Vec<&'t str>) {
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(char::is_whitespace);
        let Some(c) = rest.chars().next() else { return };
        let len = match long_mark(rest) {
            Some(len) => len,
            None if begins_no_word(c) => c.len_utf8(),
            None => word_len(rest),
        };
        let (word, behind) = rest.split_at(len);
        words.push(word);
        rest = behind;
    }
}

/// How long the word at the start is: up to white space or punctuation, but at least one character.
fn word_len(text: &str) -> usize {
    let stops =
        |rest: &str| rest.chars().next().is_none_or(|c| c.is_whitespace() || ends_word(c)) || long_mark(rest).is_some();
    let ends = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        stops(rest) || rest.strip_prefix(',').is_some_and(stops)
    };
    text.char_indices().map(|(at, _)| at).skip(1).find(|&at| ends(at)).unwrap_or(text.len())
}
