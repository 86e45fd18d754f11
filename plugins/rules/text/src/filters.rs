//! lm-eval's filters: what becomes of an answer before it is compared.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bench_scoring::python::{self, Flags, Match, Regex, TooHard};
use bench_scoring::{Problem, Sample, metadata, problem};
use serde::Deserialize;

use crate::normalise::Ignore;

/// A filter as a configuration names it, by the names of lm-eval.
#[derive(Debug, Deserialize)]
#[serde(tag = "function", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum FilterConfig {
    /// The first or another match of a pattern.
    #[serde(alias = "regex")]
    Regex {
        #[serde(default = "gsm8k_pattern")]
        regex_pattern: String,
        #[serde(default)]
        group_select: i64,
        #[serde(default = "invalid")]
        fallback: String,
    },
    /// The letter of a choice, by a pattern or by the choice's text.
    #[serde(alias = "multi_choice_regex")]
    MultiChoiceRegex {
        #[serde(default = "gsm8k_pattern")]
        regex_pattern: String,
        #[serde(default)]
        group_select: i64,
        #[serde(default = "invalid")]
        fallback: String,
        #[serde(default)]
        ignore_case: bool,
        #[serde(default)]
        ignore_punctuation: bool,
        #[serde(default)]
        regexes_to_ignore: Vec<String>,
    },
    /// Without white space at both ends.
    #[serde(alias = "remove_whitespace", alias = "strip")]
    RemoveWhitespace {},
    Lowercase {},
    Uppercase {},
    /// Another text for each text.
    Map {
        mapping_dict: BTreeMap<String, String>,
        default_value: Option<String>,
    },
    /// Nothing: each repeat is graded for itself here.
    #[serde(alias = "take_first")]
    TakeFirst {},
}

fn gsm8k_pattern() -> String {
    r"#### (\-?[0-9\.\,]+)".into()
}

fn invalid() -> String {
    crate::gsm8k::INVALID.into()
}

/// A filter, ready.
#[derive(Debug)]
pub enum Filter {
    Regex { pattern: Box<Regex>, select: i64, fallback: String },
    Choice(Box<ChoiceFilter>),
    Strip,
    Lower,
    Upper,
    Map { texts: BTreeMap<String, String>, default: Option<String> },
    Nothing,
}

/// Finds the letter of a choice.
#[derive(Debug)]
pub struct ChoiceFilter {
    pub pattern: Regex,
    pub select: i64,
    pub fallback: String,
    pub case: bool,
    pub punctuation: bool,
    pub ignore: Vec<Ignore>,
}

impl FilterConfig {
    /// # Errors
    /// A pattern is none.
    pub fn compile(self) -> Result<Filter, Problem> {
        Ok(match self {
            Self::Regex { regex_pattern, group_select, fallback } => Filter::Regex {
                pattern: Box::new(Regex::new(&regex_pattern, Flags::default())?),
                select: group_select,
                fallback,
            },
            Self::MultiChoiceRegex {
                regex_pattern,
                group_select,
                fallback,
                ignore_case,
                ignore_punctuation,
                regexes_to_ignore,
            } => Filter::Choice(Box::new(ChoiceFilter {
                pattern: Regex::new(&regex_pattern, Flags::default())?,
                select: group_select,
                fallback,
                case: ignore_case,
                punctuation: ignore_punctuation,
                ignore: regexes_to_ignore.iter().map(|pattern| Ignore::new(pattern)).collect::<Result<_, _>>()?,
            })),
            Self::RemoveWhitespace {} => Filter::Strip,
            Self::Lowercase {} => Filter::Lower,
            Self::Uppercase {} => Filter::Upper,
            Self::Map { mapping_dict, default_value } => Filter::Map { texts: mapping_dict, default: default_value },
            Self::TakeFirst {} => Filter::Nothing,
        })
    }
}

/// What a filter made of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Filtered<'t> {
    Text(Cow<'t, str>),
    /// Nothing of the form that was wanted; this stands in for it.
    Fallback(String),
}

impl Filtered<'_> {
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Fallback(text) => text,
        }
    }
}

/// An item of `findall` as lm-eval takes it: of several groups the first that is not empty; nothing where all are.
fn selected<'t>(found: &Match<'t>) -> Option<&'t str> {
    match found.groups() {
        0 => Some(found.text()),
        1 => Some(found.group(1).unwrap_or_default()),
        groups => (1..=groups).filter_map(|group| found.group(group)).find(|text| !text.is_empty()),
    }
}

/// lm-eval ends the run where a pattern matches, but not as often as asked for.
fn out_of_range() -> Problem {
    problem("no-such-match", "the pattern matches, but not as often as `group-select` asks for", "select match 0 or -1")
}

/// The selected match; an outer nothing where there is no match at all.
fn find<'t>(pattern: &Regex, text: &'t str, select: i64) -> Result<Option<Match<'t>>, Problem> {
    let found = pattern.nth(text, select)?;
    if found.is_none() && !matches!(select, 0 | -1) && pattern.search(text)?.is_some() {
        return Err(out_of_range());
    }
    Ok(found)
}

impl Filter {
    /// What becomes of a text.
    ///
    /// # Errors
    /// Why the sample cannot be graded.
    pub fn apply<'t>(&self, text: Cow<'t, str>, sample: &Sample) -> Result<Filtered<'t>, Problem> {
        let changed = match self {
            Self::Nothing => return Ok(Filtered::Text(text)),
            Self::Regex { pattern, select, fallback } => {
                let Some(found) = find(pattern, &text, *select)? else {
                    return Ok(Filtered::Fallback(fallback.clone()));
                };
                match selected(&found) {
                    Some(selected) => python::strip(selected).to_owned(),
                    None => return Ok(Filtered::Fallback(python::strip(fallback).to_owned())),
                }
            }
            Self::Choice(filter) => {
                let letter = filter.letter(&text, &choices(sample)?)?;
                return Ok(letter.map_or_else(
                    || Filtered::Fallback(filter.fallback.clone()),
                    |letter| Filtered::Text(letter.into()),
                ));
            }
            Self::Strip => python::strip(&text).to_owned(),
            Self::Lower => python::lower(&text),
            Self::Upper => python::upper(&text),
            Self::Map { texts, default } => match (texts.get(text.as_ref()), default) {
                (Some(mapped), _) => mapped.clone(),
                (None, Some(default)) => return Ok(Filtered::Fallback(default.clone())),
                (None, None) => return Ok(Filtered::Fallback(String::new())),
            },
        };
        Ok(Filtered::Text(changed.into()))
    }
}

/// All filters in turn. The last word on whether there was an answer is that of the last filter with a fallback.
///
/// # Errors
/// Why the sample cannot be graded.
pub fn apply_all<'t>(filters: &[Filter], text: &'t str, sample: &Sample) -> Result<Filtered<'t>, Problem> {
    let mut filtered = Filtered::Text(Cow::Borrowed(text));
    for filter in filters {
        filtered = match filtered {
            Filtered::Text(text) => filter.apply(text, sample)?,
            Filtered::Fallback(text) => match filter.apply(Cow::Owned(text), sample)? {
                Filtered::Text(text) if !matches!(filter, Filter::Regex { .. } | Filter::Choice(_)) => {
                    Filtered::Fallback(text.into_owned())
                }
                filtered => filtered,
            },
        };
    }
    Ok(filtered)
}

/// The texts of the choices of an item.
///
/// # Errors
/// `bad-metadata`: the item has no field `choices`, or it is no list of at most 26 texts.
pub fn choices(sample: &Sample) -> Result<Vec<String>, Problem> {
    let fields = metadata(sample)?;
    let choices: Option<Vec<String>> = fields
        .get("choices")
        .and_then(|choices| choices.as_array()?.iter().map(|choice| choice.as_str().map(str::to_owned)).collect());
    choices.filter(|choices| (1..=26).contains(&choices.len())).ok_or_else(|| {
        let message = format!("sample `{}` has no field `choices` with 1 to 26 texts", sample.id);
        problem("bad-metadata", message, "let the task pass its field `choices`")
    })
}

/// The letter of a choice, from A.
pub fn letter(index: usize) -> char {
    u8::try_from(index).ok().filter(|index| *index < 26).map_or('?', |index| char::from(b'A' + index))
}

impl ChoiceFilter {
    fn without_ignored(&self, text: &str) -> Result<String, TooHard> {
        let mut text = text.to_owned();
        for ignore in &self.ignore {
            text = ignore.remove(&text)?;
        }
        Ok(without_ignored(&text, self.case, self.punctuation))
    }

    /// The letter in parentheses, or whatever else was found in its place.
    fn letter(&self, text: &str, choices: &[String]) -> Result<Option<String>, Problem> {
        if let Some(found) = find(&self.pattern, text, self.select)? {
            let found = python::strip(selected(&found).unwrap_or_default());
            if !found.is_empty() {
                return Ok(Some(found.to_owned()));
            }
        }
        let mut cleaned = Vec::new();
        for choice in choices {
            cleaned.push(self.without_ignored(python::strip(choice))?);
        }
        Ok(match by_text(&self.without_ignored(text)?, &cleaned, self.select)? {
            Some(found) => Some(found),
            None => by_colon(text, choices.len(), self.select)?,
        })
    }
}

/// A text as choices are looked for in it.
pub fn without_ignored(text: &str, case: bool, punctuation: bool) -> String {
    let text = if case { python::lower(text) } else { text.to_owned() };
    if punctuation { text.chars().filter(|&c| !python::is_punctuation(c)).collect() } else { text }
}

/// The letter of the choice whose text occurs, the longest first where several do at one place. Odd: a choice with white space at
/// its ends, which may be left of it without punctuation, is found and not recognised, and its text stands for the letter.
pub fn by_text(text: &str, choices: &[String], select: i64) -> Result<Option<String>, Problem> {
    let mut patterns: Vec<(String, &String)> = choices.iter().map(|choice| (python::escape(choice), choice)).collect();
    patterns.sort_by_key(|(pattern, _)| std::cmp::Reverse(python::len(pattern)));
    let found = if select == -1 {
        // An empty choice occurs at the very end, behind all others.
        if choices.iter().any(String::is_empty) {
            return Ok(None);
        }
        let mut last = None;
        let mut rest = text;
        while !rest.is_empty() {
            let hit = patterns.iter().find(|(_, choice)| rest.starts_with(choice.as_str()));
            let skip = match hit {
                Some((_, choice)) => {
                    last = Some(choice.as_str());
                    choice.len()
                }
                None => rest.chars().next().map_or(1, char::len_utf8),
            };
            rest = rest.get(skip..).unwrap_or_default();
        }
        last.map(str::to_owned)
    } else {
        let pattern = patterns.iter().map(|(pattern, _)| pattern.as_str()).collect::<Vec<_>>().join("|");
        find(&Regex::new(&pattern, Flags::default())?, text, select)?.map(|found| found.text().to_owned())
    };
    let Some(found) = found else { return Ok(None) };
    let found = python::strip(&found);
    if found.is_empty() {
        return Ok(None);
    }
    let index = choices.iter().rposition(|choice| choice == found);
    Ok(Some(index.map_or_else(|| found.to_owned(), |index| format!("({})", letter(index)))))
}

/// The letter behind a colon, `:[\s]*(A|B|C|D)`.
pub fn by_colon(text: &str, choices: usize, select: i64) -> Result<Option<String>, Problem> {
    let after = |(at, _): (usize, &str)| {
        let letter = python::lstrip(text.get(at + 1..)?).chars().next()?;
        (letter.is_ascii_uppercase() && usize::from(letter as u8 - b'A') < choices).then_some(letter)
    };
    let found = match select {
        -1 => text.rmatch_indices(':').find_map(after),
        select => {
            let letters: Vec<char> = text.match_indices(':').filter_map(after).collect();
            let index = usize::try_from(select)
                .ok()
                .or_else(|| letters.len().checked_sub(usize::try_from(select.unsigned_abs()).unwrap_or(usize::MAX)));
            let found = index.and_then(|index| letters.get(index).copied());
            if found.is_none() && !letters.is_empty() {
                return Err(out_of_range());
            }
            found
        }
    };
    Ok(found.map(|letter| format!("({letter})")))
}
