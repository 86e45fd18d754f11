//! Running patterns: `search`, `match`, `fullmatch`, `finditer`, `sub` and `split` of Python's `re`.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, OnceLock};

use bench_sdk::types::Problem;
use fancy_regex::{RegexInput, RegexOptionsBuilder};

use super::pattern::{Flags, PatternError};
use super::translate::{TextKind, translate};

/// How often a pattern may go back and try again in one search, which includes each place that it begins at. Enough for a few
/// attempts at each character of the longest answer, and spent in about a second.
const BACKTRACK_LIMIT: usize = 50_000_000;

/// A pattern of Python's `re`, compiled.
#[derive(Debug, Clone)]
pub struct Regex {
    pattern: String,
    flags: Flags,
    groups: usize,
    names: Arc<BTreeMap<String, usize>>,
    depends: TextKind,
    programs: [OnceLock<Program>; 12],
}

/// The search took more steps than a scorer may take, or more memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooHard;

impl TooHard {
    /// `pattern-too-hard`.
    pub fn code(self) -> &'static str {
        "pattern-too-hard"
    }

    /// How to write a pattern that is not.
    pub fn hint(self) -> Option<String> {
        Some("repeat nothing that repeats itself, and look around as little as possible".to_owned())
    }
}

impl std::fmt::Display for TooHard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a regular expression took too many steps on this text")
    }
}

impl std::error::Error for TooHard {}

impl From<TooHard> for Problem {
    fn from(error: TooHard) -> Self {
        Self { code: error.code().into(), message: error.to_string(), hint: error.hint() }
    }
}

/// A match and what its groups captured.
#[derive(Debug, Clone)]
pub struct Match<'t> {
    text: &'t str,
    range: Range<usize>,
    groups: Vec<Option<Range<usize>>>,
    names: Arc<BTreeMap<String, usize>>,
}

impl<'t> Match<'t> {
    /// What matched.
    pub fn text(&self) -> &'t str {
        self.text.get(self.range()).unwrap_or_default()
    }

    /// Where, in bytes.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// What a group captured: the whole match at 0; nothing where the group took no part, or does not exist.
    pub fn group(&self, group: usize) -> Option<&'t str> {
        match group.checked_sub(1) {
            None => Some(self.text()),
            Some(index) => self.text.get(self.groups.get(index)?.clone()?),
        }
    }

    /// How many groups the pattern has, without the whole match.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// What a named group captured.
    pub fn named(&self, name: &str) -> Option<&'t str> {
        self.group(*self.names.get(name)?)
    }
}

/// What is asked of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    Any,
    NotEmpty,
    Whole,
}

/// A pattern as the engine has it.
#[derive(Debug, Clone)]
enum Program {
    Runs(Box<fancy_regex::Regex>),
    NeverMatches,
    TooLarge,
}

impl Regex {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// Why it is none.
    pub fn new(pattern: &str, flags: Flags) -> Result<Self, PatternError> {
        let plain = TextKind { wide: false, line_feed: false };
        let translation = translate(pattern, flags, plain)?;
        let regex = Self {
            pattern: pattern.into(),
            flags,
            groups: translation.groups,
            names: Arc::new(translation.names),
            depends: translation.depends,
            programs: Default::default(),
        };
        let bad = |message: String| PatternError { pattern: pattern.into(), position: None, message };
        match build(&translation.pattern, Want::Any) {
            Ok(program) => drop(regex.cell(Want::Any, plain).set(program)),
            Err(error) => return Err(bad(error.to_string())),
        }
        Ok(regex)
    }

    /// How many groups the pattern has, without the whole match.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// `re.search`.
    ///
    /// # Errors
    /// The search was given up.
    pub fn search<'t>(&self, text: &'t str) -> Result<Option<Match<'t>>, TooHard> {
        self.find(text, self.kind(text), 0, Want::Any, false)
    }

    /// `re.match`.
    ///
    /// # Errors
    /// The search was given up.
    pub fn matches_start<'t>(&self, text: &'t str) -> Result<Option<Match<'t>>, TooHard> {
        self.find(text, self.kind(text), 0, Want::Any, true)
    }

    /// `re.fullmatch`.
    ///
    /// # Errors
    /// The search was given up.
    pub fn full_match<'t>(&self, text: &'t str) -> Result<Option<Match<'t>>, TooHard> {
        self.find(text, self.kind(text), 0, Want::Whole, true)
    }

    /// `re.finditer`. An empty match may follow another match at once, but no two empty ones are at one place.
    ///
    /// # Errors
    /// The search was given up.
    pub fn find_all<'t>(&self, text: &'t str) -> Result<Vec<Match<'t>>, TooHard> {
        let mut matches = Vec::new();
        self.each(text, |found| {
            matches.push(found);
            ControlFlow::Continue(())
        })?;
        Ok(matches)
    }

    /// Item `index` of `re.findall`, from the end where it is negative, as a match.
    ///
    /// # Errors
    /// The search was given up.
    pub fn nth<'t>(&self, text: &'t str, index: i64) -> Result<Option<Match<'t>>, TooHard> {
        if let Ok(index) = usize::try_from(index) {
            let mut left = index;
            let mut nth = None;
            self.each(text, |found| {
                if left == 0 {
                    nth = Some(found);
                    return ControlFlow::Break(());
                }
                left -= 1;
                ControlFlow::Continue(())
            })?;
            return Ok(nth);
        }
        let mut matches = self.find_all(text)?;
        let from_end = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
        Ok(matches.len().checked_sub(from_end).map(|index| matches.swap_remove(index)))
    }

    /// `re.sub` with a replacement that is taken as it is.
    ///
    /// # Errors
    /// The search was given up.
    pub fn replace_all(&self, text: &str, with: &str) -> Result<String, TooHard> {
        let mut replaced = String::with_capacity(text.len());
        let mut end = 0;
        self.each(text, |found| {
            replaced += text.get(end..found.range.start).unwrap_or_default();
            replaced += with;
            end = found.range.end;
            ControlFlow::Continue(())
        })?;
        replaced += text.get(end..).unwrap_or_default();
        Ok(replaced)
    }

    /// `re.split` of a pattern without groups: what is between the matches.
    ///
    /// # Errors
    /// The search was given up.
    pub fn split<'t>(&self, text: &'t str) -> Result<Vec<&'t str>, TooHard> {
        let mut parts = Vec::new();
        let mut end = 0;
        self.each(text, |found| {
            parts.push(text.get(end..found.range.start).unwrap_or_default());
            end = found.range.end;
            ControlFlow::Continue(())
        })?;
        parts.push(text.get(end..).unwrap_or_default());
        Ok(parts)
    }

    fn each<'t>(&self, text: &'t str, mut visit: impl FnMut(Match<'t>) -> ControlFlow<()>) -> Result<(), TooHard> {
        let kind = self.kind(text);
        let mut at = 0;
        let mut was_empty = false;
        loop {
            // Behind an empty match, the same place is tried again for one that is not, and only then the next place.
            let mut found = None;
            if was_empty {
                found = self.find(text, kind, at, Want::NotEmpty, true)?;
                if found.is_none() {
                    let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) else { return Ok(()) };
                    at += next.len_utf8();
                }
            }
            if found.is_none() {
                found = self.find(text, kind, at, Want::Any, false)?;
            }
            let Some(found) = found else { return Ok(()) };
            at = found.range.end;
            was_empty = found.range.is_empty();
            if visit(found).is_break() {
                return Ok(());
            }
        }
    }

    /// What matters of a text to this pattern.
    fn kind(&self, text: &str) -> TextKind {
        TextKind {
            wide: self.depends.wide && !text.is_ascii(),
            line_feed: self.depends.line_feed && text.ends_with('\n'),
        }
    }

    fn cell(&self, want: Want, kind: TextKind) -> &OnceLock<Program> {
        let [
            any,
            any_feed,
            any_wide,
            any_both,
            some,
            some_feed,
            some_wide,
            some_both,
            all,
            all_feed,
            all_wide,
            all_both,
        ] = &self.programs;
        let cells = match want {
            Want::Any => [any, any_feed, any_wide, any_both],
            Want::NotEmpty => [some, some_feed, some_wide, some_both],
            Want::Whole => [all, all_feed, all_wide, all_both],
        };
        let [plain, feed, wide, both] = cells;
        match (kind.wide, kind.line_feed) {
            (false, false) => plain,
            (false, true) => feed,
            (true, false) => wide,
            (true, true) => both,
        }
    }

    fn program(&self, want: Want, kind: TextKind) -> &Program {
        self.cell(want, kind).get_or_init(|| {
            let program = translate(&self.pattern, self.flags, kind).ok();
            program.and_then(|translation| build(&translation.pattern, want).ok()).unwrap_or(Program::TooLarge)
        })
    }

    fn find<'t>(
        &self,
        text: &'t str,
        kind: TextKind,
        at: usize,
        want: Want,
        anchored: bool,
    ) -> Result<Option<Match<'t>>, TooHard> {
        let program = match self.program(want, kind) {
            Program::Runs(program) => program,
            Program::NeverMatches => return Ok(None),
            Program::TooLarge => return Err(TooHard),
        };
        let input = RegexInput::new(text).from_pos(at).anchored(anchored);
        let made = |range, groups| Match { text, range, groups, names: Arc::clone(&self.names) };
        if self.groups == 0 {
            let found = program.find_input(input).map_err(|_| TooHard)?;
            return Ok(found.map(|found| made(found.range(), Vec::new())));
        }
        let captures = program.captures_input(input).map_err(|_| TooHard)?;
        Ok(captures.and_then(|captures| {
            let groups = (1..=self.groups).map(|group| captures.get(group).map(|group| group.range())).collect();
            captures.get(0).map(|whole| made(whole.range(), groups))
        }))
    }
}

fn build(pattern: &str, want: Want) -> Result<Program, fancy_regex::Error> {
    let pattern = if want == Want::Whole { format!("(?:{pattern})\\z") } else { pattern.to_owned() };
    let mut options = RegexOptionsBuilder::new();
    options.backtrack_limit(BACKTRACK_LIMIT).find_not_empty(want == Want::NotEmpty);
    match options.build(pattern) {
        Ok(regex) => Ok(Program::Runs(Box::new(regex))),
        Err(fancy_regex::Error::CompileError(error))
            if matches!(*error, fancy_regex::CompileError::PatternCanNeverMatch) =>
        {
            Ok(Program::NeverMatches)
        }
        Err(error) => Err(error),
    }
}

/// `re.escape`: the text as a pattern that matches it.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(
            c,
            '\t'..='\r' | ' ' | '#' | '$' | '&' | '(' | ')' | '*' | '+' | '-' | '.' | '?' | '[' | '\\' | ']' | '^'
        ) || matches!(c, '{' | '|' | '}' | '~')
        {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
