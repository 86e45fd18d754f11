//! What a regular expression is made of, and why it may be none.

use bench_sdk::types::Problem;

/// Flags of `re.compile`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    /// `re.IGNORECASE`.
    pub ignore_case: bool,
    /// `re.MULTILINE`: `^` and `$` match at line feeds as well.
    pub multi_line: bool,
    /// `re.DOTALL`: `.` matches a line feed.
    pub dot_all: bool,
    /// `re.ASCII`: classes and case are those of ASCII.
    pub ascii: bool,
    /// `re.VERBOSE`: white space and comments in the pattern mean nothing.
    pub verbose: bool,
}

/// Why a pattern is none: CPython would raise `re.error`, or the engine has no way to run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// The whole pattern.
    pub pattern: String,
    /// Where in the pattern, in code points; absent where it is the pattern as a whole.
    pub position: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl PatternError {
    /// `bad-pattern`.
    pub fn code(&self) -> &'static str {
        "bad-pattern"
    }

    /// Whose patterns these are.
    pub fn hint(&self) -> Option<String> {
        Some("patterns are those of Python's `re` module".to_owned())
    }
}

impl std::fmt::Display for PatternError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the regular expression `{}`: {}", self.pattern, self.message)?;
        self.position.map_or(Ok(()), |position| write!(f, ", at character {position}"))
    }
}

impl std::error::Error for PatternError {}

impl From<PatternError> for Problem {
    fn from(error: PatternError) -> Self {
        Self { code: error.code().into(), message: error.to_string(), hint: error.hint() }
    }
}
