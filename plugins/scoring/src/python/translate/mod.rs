//! From a pattern of Python's `re` to one of `fancy-regex`.
//!
//! The syntax is read as CPython 3.12 reads it, errors included, and written anew with nothing left to interpretation: no flags,
//! no named groups, no class escapes. Three things cost much in general and nothing for most texts: classes of all of Unicode,
//! word boundaries by Python's idea of a word, and an end that also matches before a last line feed. So a pattern is translated for
//! a sort of text, see [`TextKind`], and a sort that does not occur is never compiled.

mod group;
mod member;

use std::collections::BTreeMap;

use super::pattern::{Flags, PatternError};

/// What is known of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextKind {
    /// Not all of it is ASCII.
    pub wide: bool,
    /// Its last character is a line feed.
    pub line_feed: bool,
}

/// A translated pattern.
#[derive(Debug)]
pub(super) struct Translation {
    pub pattern: String,
    /// How many groups capture.
    pub groups: usize,
    pub names: BTreeMap<String, usize>,
    /// What the translation depends on.
    pub depends: TextKind,
}

/// As deep as groups may be nested, below what the engine refuses.
const DEPTH: usize = 50;
/// CPython's `MAXREPEAT`.
const MAX_REPEAT: u64 = u32::MAX as u64;
const UNBOUNDED: u64 = u64::MAX;

/// What a part of a pattern is to a quantifier behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Atom,
    Anchor,
    Look,
    Repeat,
}

/// A translated part.
#[derive(Debug, Clone)]
struct Piece {
    text: String,
    /// How many characters it matches at least and at most.
    width: (u64, u64),
    sort: Sort,
}

impl Piece {
    fn new(text: impl Into<String>, width: (u64, u64), sort: Sort) -> Self {
        Self { text: text.into(), width, sort }
    }

    fn character(text: impl Into<String>) -> Self {
        Self::new(text, (1, 1), Sort::Atom)
    }

    fn anchor(text: &str) -> Self {
        Self::new(text, (0, 0), Sort::Anchor)
    }
}

struct Parser<'p> {
    pattern: &'p str,
    chars: Vec<char>,
    at: usize,
    kind: TextKind,
    depends: TextKind,
    names: BTreeMap<String, usize>,
    /// Of each group, the first being the whole: its width, once it is closed.
    widths: Vec<Option<(u64, u64)>>,
}

/// Translates a pattern for a sort of text.
pub(super) fn translate(pattern: &str, flags: Flags, kind: TextKind) -> Result<Translation, PatternError> {
    let mut parser = Parser {
        pattern,
        chars: pattern.chars().collect(),
        at: 0,
        kind,
        depends: TextKind { wide: false, line_feed: false },
        names: BTreeMap::new(),
        widths: vec![None],
    };
    let mut flags = flags;
    let piece = parser.alternatives(&mut flags, 0)?;
    if parser.peek().is_some() {
        return Err(parser.error("unbalanced parenthesis"));
    }
    Ok(Translation {
        pattern: piece.text,
        groups: parser.widths.len() - 1,
        names: parser.names,
        depends: parser.depends,
    })
}

impl Parser<'_> {
    fn error(&self, message: impl Into<String>) -> PatternError {
        PatternError { pattern: self.pattern.into(), position: Some(self.at), message: message.into() }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, c: char, message: &str) -> Result<(), PatternError> {
        if self.eat(c) { Ok(()) } else { Err(self.error(message)) }
    }

    /// As many as `most` characters that `want` accepts.
    fn run(&mut self, most: usize, want: impl Fn(char) -> bool) -> String {
        let run: String = self.chars.iter().skip(self.at).take(most).take_while(|&&c| want(c)).collect();
        self.at += run.chars().count();
        run
    }

    fn until(&mut self, end: char, what: &str) -> Result<String, PatternError> {
        let text = self.run(usize::MAX, |c| c != end);
        self.expect(end, &format!("{what}, unterminated"))?;
        if text.is_empty() { Err(self.error(format!("{what} is missing"))) } else { Ok(text) }
    }

    fn alternatives(&mut self, flags: &mut Flags, depth: usize) -> Result<Piece, PatternError> {
        if depth > DEPTH {
            return Err(self.error("groups are nested too deeply"));
        }
        let mut whole = self.sequence(flags, depth, depth == 0)?;
        while self.eat('|') {
            let branch = self.sequence(flags, depth, false)?;
            whole.text = whole.text + "|" + &branch.text;
            whole.width = (whole.width.0.min(branch.width.0), whole.width.1.max(branch.width.1));
        }
        Ok(whole)
    }

    fn sequence(&mut self, flags: &mut Flags, depth: usize, mut first: bool) -> Result<Piece, PatternError> {
        let mut pieces: Vec<Piece> = Vec::new();
        while let Some(c) = self.peek() {
            if matches!(c, '|' | ')') {
                break;
            }
            self.at += 1;
            if flags.verbose {
                if matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}') {
                    continue;
                }
                if c == '#' {
                    self.run(usize::MAX, |c| c != '\n');
                    self.at += 1;
                    continue;
                }
            }
            if matches!(c, '*' | '+' | '?' | '{')
                && let Some((least, most)) = self.repeat(c)?
            {
                let last = pieces.pop().ok_or_else(|| self.error("nothing to repeat"))?;
                pieces.push(self.repeated(last, least, most)?);
                continue;
            }
            if let Some(piece) = self.item(c, flags, depth, first && pieces.is_empty())? {
                pieces.push(piece);
            }
            first &= pieces.is_empty();
        }
        let add =
            |sum: (u64, u64), piece: &Piece| (sum.0.saturating_add(piece.width.0), sum.1.saturating_add(piece.width.1));
        let width = pieces.iter().fold((0, 0), add);
        Ok(Piece::new(pieces.into_iter().map(|piece| piece.text).collect::<String>(), width, Sort::Atom))
    }

    /// What the quantifier that begins with `c` asks for; nothing where a brace is just a brace.
    fn repeat(&mut self, c: char) -> Result<Option<(u64, u64)>, PatternError> {
        match c {
            '*' => return Ok(Some((0, UNBOUNDED))),
            '+' => return Ok(Some((1, UNBOUNDED))),
            '?' => return Ok(Some((0, 1))),
            _ => {}
        }
        let before = self.at;
        if self.peek() == Some('}') {
            return Ok(None);
        }
        let low = self.run(usize::MAX, |c| c.is_ascii_digit());
        let high = if self.eat(',') { self.run(usize::MAX, |c| c.is_ascii_digit()) } else { low.clone() };
        if !self.eat('}') {
            self.at = before;
            return Ok(None);
        }
        let bound = |digits: &str, absent: u64| match digits {
            "" => Ok(absent),
            digits => {
                digits.parse().ok().filter(|&count| count < MAX_REPEAT).ok_or("the repetition number is too large")
            }
        };
        let least = bound(&low, 0).map_err(|message| self.error(message))?;
        let most = bound(&high, UNBOUNDED).map_err(|message| self.error(message))?;
        if most < least { Err(self.error("min repeat greater than max repeat")) } else { Ok(Some((least, most))) }
    }

    fn repeated(&mut self, piece: Piece, least: u64, most: u64) -> Result<Piece, PatternError> {
        match piece.sort {
            Sort::Anchor => return Err(self.error("nothing to repeat")),
            Sort::Repeat => return Err(self.error("multiple repeat")),
            Sort::Atom | Sort::Look => {}
        }
        let lazy = self.eat('?');
        let possessive = !lazy && self.eat('+');
        let width = (piece.width.0.saturating_mul(least), piece.width.1.saturating_mul(most));
        if piece.width.1 == 0 {
            // Nothing is gained by looking twice. Where it may be left out, whether it is tried first decides what groups capture.
            let text = match (least, lazy) {
                (0, false) => format!("(?:{}|)", piece.text),
                (0, true) => format!("(?:|{})", piece.text),
                _ => piece.text,
            };
            return Ok(Piece::new(text, (0, 0), Sort::Repeat));
        }
        let count = match (least, most) {
            (0, UNBOUNDED) => "*".into(),
            (1, UNBOUNDED) => "+".into(),
            (0, 1) => "?".into(),
            (least, UNBOUNDED) => format!("{{{least},}}"),
            (least, most) if least == most => format!("{{{least}}}"),
            (least, most) => format!("{{{least},{most}}}"),
        };
        let text = piece.text + &count + if lazy { "?" } else { "" };
        Ok(Piece::new(if possessive { format!("(?>{text})") } else { text }, width, Sort::Repeat))
    }

    fn item(&mut self, c: char, flags: &mut Flags, depth: usize, first: bool) -> Result<Option<Piece>, PatternError> {
        Ok(Some(match c {
            '.' if flags.dot_all => Piece::character("(?s:.)"),
            '.' => Piece::character(r"[^\n]"),
            '^' if flags.multi_line => Piece::anchor("(?m:^)"),
            '^' => Piece::anchor(r"\A"),
            '$' if flags.multi_line => Piece::anchor("(?m:$)"),
            '$' => {
                self.depends.line_feed = true;
                Piece::anchor(if self.kind.line_feed { r"(?:\z|(?=\n\z))" } else { r"\z" })
            }
            '[' => self.class(*flags)?,
            '(' => return self.group(flags, depth, first),
            '\\' => self.escape(*flags)?,
            c => self.literal(c, *flags),
        }))
    }
}
