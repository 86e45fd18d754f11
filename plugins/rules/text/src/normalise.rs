//! What lm-eval's `exact_match` ignores, and how: options are applied to answer and reference alike, one after the other, in
//! arrays of numpy.
//!
//! The arrays show: they drop NUL characters from the end of a text, and a text that lower case made longer is cut to the length that
//! the longest text of the array had before.

use std::borrow::Cow;

use bench_scoring::python::{self, Flags, PatternError, Regex, TooHard};

/// What to ignore, compiled.
#[derive(Debug, Default)]
pub struct Normalise {
    /// In this order. Absent and empty differ: without options, only the absent list puts texts into arrays.
    pub patterns: Option<Vec<Ignore>>,
    pub case: bool,
    pub punctuation: bool,
    pub numbers: bool,
}

/// A pattern of `regexes_to_ignore`. Those of GSM8K are found without an engine.
#[derive(Debug)]
pub enum Ignore {
    /// A text without special characters.
    Text(String),
    /// `(?s).*` and a text: all up to its last occurrence.
    UpTo(String),
    /// `\.$`: a last full stop, also before a last line feed.
    FinalStop,
    Pattern(Box<Regex>),
}

/// Whether numpy's arrays show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrays {
    Show,
    Hide,
}

impl Ignore {
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        const SPECIAL: &str = r"\.^$*+?{}[]|()";
        let plain = |text: &str| !text.is_empty() && !text.contains(|c| SPECIAL.contains(c));
        let escaped = pattern.strip_prefix('\\').filter(|text| text.len() == 1 && SPECIAL.contains(text));
        if pattern == r"\.$" {
            return Ok(Self::FinalStop);
        }
        if let Some(text) = escaped.or(Some(pattern).filter(|text| plain(text))) {
            return Ok(Self::Text(text.into()));
        }
        match pattern.strip_prefix("(?s).*").filter(|text| plain(text)) {
            Some(text) => Ok(Self::UpTo(text.into())),
            None => Ok(Self::Pattern(Box::new(Regex::new(pattern, Flags::default())?))),
        }
    }

    /// A text without the ignored parts.
    pub fn remove(&self, text: &str) -> Result<String, TooHard> {
        self.apply(Cow::Borrowed(text)).map(Cow::into_owned)
    }

    fn apply<'t>(&self, text: Cow<'t, str>) -> Result<Cow<'t, str>, TooHard> {
        let changed = match self {
            Self::Text(ignored) if !text.contains(ignored.as_str()) => return Ok(text),
            Self::Text(ignored) => text.replace(ignored.as_str(), ""),
            Self::UpTo(end) => match text.rfind(end.as_str()) {
                None => return Ok(text),
                Some(at) => text.get(at + end.len()..).unwrap_or_default().to_owned(),
            },
            Self::FinalStop => match (text.strip_suffix('.'), text.strip_suffix(".\n")) {
                (Some(rest), _) => rest.to_owned(),
                (None, Some(rest)) => format!("{rest}\n"),
                (None, None) => return Ok(text),
            },
            Self::Pattern(pattern) => pattern.replace_all(&text, "")?,
        };
        Ok(Cow::Owned(changed))
    }
}

fn without_final_nul(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches('\0')),
        Cow::Owned(mut text) => {
            text.truncate(text.trim_end_matches('\0').len());
            Cow::Owned(text)
        }
    }
}

impl Normalise {
    /// The texts of one array, without what is ignored.
    pub fn all<'t>(&self, texts: &[&'t str], arrays: Arrays) -> Result<Vec<Cow<'t, str>>, TooHard> {
        let mut texts: Vec<Cow<'t, str>> = texts.iter().map(|&text| Cow::Borrowed(text)).collect();
        let kept = |text: Cow<'t, str>| match arrays {
            Arrays::Show => without_final_nul(text),
            Arrays::Hide => text,
        };
        let longest = |texts: &[Cow<'_, str>]| texts.iter().map(|text| python::len(text)).max().unwrap_or_default();
        let mut width = None;
        let patterns = self.patterns.as_deref().unwrap_or_default();
        // Only case changes of other letters than ASCII's make a text longer.
        let may_grow = self.case && arrays == Arrays::Show && texts.iter().any(|text| !text.is_ascii());
        if may_grow && patterns.is_empty() {
            width = Some(longest(&texts));
        }
        if patterns.is_empty() {
            texts = texts.into_iter().map(kept).collect();
        }
        for pattern in patterns {
            texts = texts.into_iter().map(|text| pattern.apply(text)).collect::<Result<_, _>>()?;
            if may_grow {
                width = Some(longest(&texts));
            }
            texts = texts.into_iter().map(kept).collect();
        }
        if self.case {
            texts = texts.into_iter().map(|text| kept(lower(text, width))).collect();
        }
        for (wanted, deleted) in [(self.punctuation, python::PUNCTUATION), (self.numbers, "0123456789")] {
            if wanted {
                texts = texts.into_iter().map(|text| kept(without(text, deleted))).collect();
            }
        }
        Ok(texts)
    }

    /// Whether nothing is ignored.
    fn nothing(&self) -> bool {
        let options = self.case || self.punctuation || self.numbers;
        !options && self.patterns.as_ref().is_none_or(Vec::is_empty)
    }

    /// An empty list of patterns and no other option: in the reference, nothing makes arrays of the texts then.
    fn no_arrays(&self) -> bool {
        self.nothing() && self.patterns.is_some()
    }

    /// Whether an answer equals one of the references. Odd: where nothing makes arrays of the texts, all references at once are
    /// compared, as lists, so that the answer has to equal each.
    pub fn equal(&self, answer: &str, references: &[&str], arrays: Arrays) -> Result<bool, TooHard> {
        if arrays == Arrays::Show && self.no_arrays() {
            return Ok(references.iter().all(|reference| *reference == answer));
        }
        if self.nothing() {
            let shown = |text| match arrays {
                Arrays::Show => str::trim_end_matches(text, '\0'),
                Arrays::Hide => text,
            };
            return Ok(references.iter().any(|reference| shown(reference) == shown(answer)));
        }
        let answer = self.all(&[answer], arrays)?;
        let references = self.all(references, arrays)?;
        Ok(references.iter().any(|reference| Some(reference) == answer.first()))
    }
}

fn lower(text: Cow<'_, str>, width: Option<usize>) -> Cow<'_, str> {
    if text.is_ascii() && !text.bytes().any(|b| b.is_ascii_uppercase()) {
        return text;
    }
    let lowered = python::lower(&text);
    match width.and_then(|width| lowered.char_indices().nth(width)) {
        Some((end, _)) => Cow::Owned(lowered.get(..end).unwrap_or_default().to_owned()),
        None => Cow::Owned(lowered),
    }
}

fn without<'t>(text: Cow<'t, str>, deleted: &str) -> Cow<'t, str> {
    if text.contains(|c: char| c.is_ascii() && deleted.contains(c)) {
        Cow::Owned(text.chars().filter(|&c| !(c.is_ascii() && deleted.contains(c))).collect())
    } else {
        text
    }
}
