//! Shapes of text that instructions ask for: bullet points, highlights, titles and the like.
//!
//! In the reference each is a regular expression. These are written out by hand, so that none takes more than a pass over the text;
//! the pattern stands beside each.

use std::ops::Range;

use bench_scoring::python::{is_space, strip};

use crate::chars::is_decimal;
use crate::literal::Literal;

fn is_blank(text: &str) -> bool {
    strip(text).is_empty()
}

/// `\[.*?\]`: square brackets with anything between them on one line.
pub(crate) fn placeholders(text: &str) -> usize {
    let line = |line: &str| {
        let mut count = 0;
        let mut rest = line;
        while let Some((_, behind)) = rest.split_once('[') {
            let Some((_, behind)) = behind.split_once(']') else { break };
            count += 1;
            rest = behind;
        }
        count
    };
    text.split('\n').map(line).sum()
}

/// `^\s*\*[^\*].*$` and `^\s*-.*$`, each on its own, in lines. White space at the start may go over several lines, and the character
/// behind an asterisk may be the end of the line, so that the next line belongs to the point.
pub(crate) fn bullets(text: &str) -> usize {
    let stars = points(text, |rest| {
        let mut behind = rest.strip_prefix('*')?.chars();
        behind.next().filter(|&c| c != '*')?;
        Some(rest.len() - behind.as_str().len())
    });
    stars + points(text, |rest| rest.starts_with('-').then_some(1))
}

/// How many lines have a mark behind white space. `mark` says how long the mark at the start of a text is, up to where the rest of
/// its line begins.
fn points(text: &str, mark: impl Fn(&str) -> Option<usize>) -> usize {
    let mut count = 0;
    let mut line = 0;
    loop {
        let rest = text.get(line..).unwrap_or_default();
        let begin = line + rest.len() - rest.trim_start_matches(is_space).len();
        let found = text.get(begin..).and_then(&mark);
        count += usize::from(found.is_some());
        // Lines within the white space see the same mark, so they are not looked at again. The point's last line ends where `.*` does,
        // and if that is right behind a line end, another line begins there.
        let end = begin + found.unwrap_or_default();
        let Some(feed) = text.get(end..).and_then(|rest| rest.find('\n')) else { return count };
        let feed = end + feed;
        let at_start = found.is_some() && text.get(..feed).is_some_and(|before| before.ends_with('\n'));
        line = if at_start { feed } else { feed + 1 };
    }
}

/// `\*[^\n\*]*\*` and `\*\*[^\n\*]*\*\*`, each on its own, with something between the asterisks. Three on either side count twice.
pub(crate) fn highlights(text: &str) -> usize {
    spans(text, "*") + spans(text, "**")
}

fn spans(text: &str, mark: &str) -> usize {
    let mut count = 0;
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(mark)) {
        let start = from + found;
        let inner = text.get(start + mark.len()..).unwrap_or_default();
        let len = inner.find(['\n', '*']).unwrap_or(inner.len());
        let (inside, behind) = inner.split_at(len);
        if behind.starts_with(mark) {
            count += usize::from(!is_blank(inside));
            from = start + mark.len() + len + mark.len();
        } else {
            from = start + 1;
        }
    }
    count
}

/// `<<[^\n]+>>` with something in it.
pub(crate) fn has_title(text: &str) -> bool {
    text.split('\n').any(|line| {
        let (Some(start), Some(end)) = (line.find("<<"), line.rfind(">>")) else { return false };
        let title = line.get(start..end + 2).filter(|_| end >= start + 3).unwrap_or_default();
        !is_blank(title.trim_start_matches('<').trim_end_matches('>'))
    })
}

/// `\s?\*\*\*\s?` between paragraphs: how many paragraphs there are. Nothing where one is blank that is neither first nor last.
pub(crate) fn starred_paragraphs(text: &str) -> Option<usize> {
    let mut parts: Vec<&str> = Vec::new();
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find("***")) {
        let divider = with_space(text, from + found..from + found + 3, from);
        parts.push(text.get(from..divider.start).unwrap_or_default());
        from = divider.end;
    }
    parts.push(text.get(from..).unwrap_or_default());
    let last = parts.len() - 1;
    let blank = |&(_, part): &(usize, &&str)| is_blank(part);
    if parts.iter().enumerate().filter(blank).any(|(at, _)| at != 0 && at != last) {
        return None;
    }
    Some(parts.len() - parts.iter().enumerate().filter(blank).count())
}

/// The range with one white space character more at either end, where there are such, but not from before `from`.
fn with_space(text: &str, range: Range<usize>, from: usize) -> Range<usize> {
    let before = text.get(from..range.start).and_then(|text| text.chars().next_back()).filter(|&c| is_space(c));
    let behind = text.get(range.end..).and_then(|text| text.chars().next()).filter(|&c| is_space(c));
    range.start - before.map_or(0, char::len_utf8)..range.end + behind.map_or(0, char::len_utf8)
}

/// `\s?…\s?\d+\s?`: how often a section is announced with its number.
pub(crate) fn sections(text: &str, splitter: &Literal) -> usize {
    let mut count = 0;
    let mut from = 0;
    while let Some(found) = splitter.find_exactly(text, from) {
        let behind = text.get(found.end..).unwrap_or_default();
        let number = behind.strip_prefix(is_space).unwrap_or(behind);
        let rest = number.trim_start_matches(is_decimal);
        if rest.len() < number.len() {
            count += 1;
            let rest = rest.strip_prefix(is_space).unwrap_or(rest);
            from = text.len() - rest.len();
        } else {
            from = found.start + text.get(found.start..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        }
    }
    count
}

/// `p\.\s?s\.`, or `p\.\s?p\.\s?s` where `letters` has one p more, in a text in lower case.
pub(crate) fn has_postscript(text: &str, twice: bool) -> bool {
    let space = |rest: &'_ str| -> usize { rest.chars().next().filter(|&c| is_space(c)).map_or(0, char::len_utf8) };
    let steps: &[&str] = if twice { &["p.", "p.", "s"] } else { &["p.", "s."] };
    text.match_indices('p').any(|(at, _)| {
        let mut rest = text.get(at..).unwrap_or_default();
        steps.iter().enumerate().all(|(index, step)| {
            if index > 0 {
                rest = rest.get(space(rest)..).unwrap_or_default();
            }
            let behind = rest.strip_prefix(step);
            rest = behind.unwrap_or_default();
            behind.is_some()
        })
    })
}

/// Whether six asterisks divide the text into two answers that differ. A blank part at either end is none; one between others is
/// a mistake.
pub(crate) fn has_two_answers(text: &str) -> bool {
    let parts: Vec<&str> = text.split("******").map(strip).collect();
    let last = parts.len() - 1;
    if parts.iter().enumerate().any(|(at, part)| part.is_empty() && at != 0 && at != last) {
        return false;
    }
    let answers: Vec<&&str> = parts.iter().filter(|part| !part.is_empty()).collect();
    matches!(answers.as_slice(), [first, second] if first != second)
}

/// The first word of a paragraph up to punctuation, in lower case; `words` of them, divided by spaces.
pub(crate) fn opening(paragraph: &str, words: usize) -> String {
    let word = |word: &str| -> String {
        let bare = word.trim_start_matches('\'').trim_start_matches('"');
        let letters = bare.chars().take_while(|c| !matches!(c, '.' | ',' | '?' | '!' | '\'' | '"'));
        letters.flat_map(char::to_lowercase).collect()
    };
    let opening: Vec<String> =
        paragraph.split(is_space).filter(|part| !part.is_empty()).take(words).map(word).collect();
    opening.join(" ")
}
