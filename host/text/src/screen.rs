//! Several lines: the end of a log, and whole outputs.

use std::borrow::Cow;
use std::fmt::{self, Display};

use crate::character::is_hidden;
use crate::single::{clean_name, clean_text};
use crate::{CUT, REPLACEMENT};

/// What begins each line of a block of foreign lines.
const MARGIN: &str = "  | ";

/// What begins each line of a message but the first.
const INDENT: &str = "  ";

/// Characters of a message on standard error.
const LONGEST_MESSAGE: usize = 20_000;

/// Characters of a line of a block.
const LONGEST_LINE: usize = 500;

/// The last lines of a foreign text, at most `most`. Each begins with `  | `, so that it cannot be taken for a line of this
/// program.
pub fn clean_block(text: &str, most: usize) -> impl Display {
    fmt::from_fn(move |out| {
        let all = text.lines().count();
        let left_out = all.saturating_sub(most);
        if left_out > 0 {
            write!(out, "{MARGIN}{CUT} {left_out} lines before")?;
        }
        for (place, line) in text.lines().skip(left_out).enumerate() {
            let end = if place == 0 && left_out == 0 { "" } else { "\n" };
            write!(out, "{end}{MARGIN}{}", clean_text(line, LONGEST_LINE))?;
        }
        Ok(())
    })
}

/// A whole message for standard error: without hidden characters, each line but the first indented, and not endless. Texts of
/// others in it have been cleaned already; this is for what was forgotten.
#[must_use]
pub fn clean_message(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let end = message.char_indices().nth(LONGEST_MESSAGE).map_or(message.len(), |(end, _)| end);
    let (kept, cut) = message.split_at(end);
    for (place, line) in kept.split('\n').enumerate() {
        if place > 0 {
            out.push('\n');
            if !line.is_empty() && !line.starts_with(INDENT) {
                out.push_str(INDENT);
            }
        }
        out.extend(line.chars().map(show_letter));
    }
    if !cut.is_empty() {
        out.push(CUT);
    }
    out
}

/// A whole output for a terminal: without hidden characters, except for line breaks and tabs.
#[must_use]
pub fn clean_screen(output: &str) -> Cow<'_, str> {
    let is_kept = |letter: char| matches!(letter, '\n' | '\t') || !is_hidden(letter);
    if output.chars().all(is_kept) {
        return Cow::Borrowed(output);
    }
    // Lines of some formats end with both.
    let output = output.replace("\r\n", "\n");
    Cow::Owned(output.chars().map(|letter| if is_kept(letter) { letter } else { REPLACEMENT }).collect())
}

/// Comma-separated values for a terminal: each field cleaned and cut as a name is, so that a field is never two lines.
#[must_use]
pub fn clean_csv(csv: &str) -> String {
    let mut out = String::with_capacity(csv.len().min(1 << 20));
    let mut rest = csv;
    while !rest.is_empty() {
        let (field, quoted, after) = next_field(rest);
        let shown = clean_name(field).to_string();
        if quoted {
            out.extend(["\"", &shown, "\""])
        } else {
            out.push_str(&shown)
        };
        rest = after.strip_prefix('\r').filter(|after| after.starts_with('\n')).unwrap_or(after);
        let mut letters = rest.chars();
        // What ends a field is a comma or the end of a line; anything else would have been part of it.
        if let Some(end) = letters.next() {
            out.push(if end == '\n' { '\n' } else { ',' });
            rest = letters.as_str();
        }
    }
    out
}

/// The first field without its quotes, whether it had any, and what follows it.
fn next_field(csv: &str) -> (&str, bool, &str) {
    if let Some(inner) = csv.strip_prefix('"') {
        let mut from = 0;
        while let Some(quote) = inner.get(from..).and_then(|rest| rest.find('"')).map(|at| from + at) {
            match inner.get(quote + 1..) {
                Some(after) if after.starts_with('"') => from = quote + 2,
                after => return (inner.get(..quote).unwrap_or(inner), true, after.unwrap_or("")),
            }
        }
        return (inner, true, "");
    }
    let end = csv.find([',', '\n']).unwrap_or(csv.len());
    let (field, after) = csv.split_at(end);
    match field.strip_suffix('\r') {
        Some(field) => (field, false, after),
        None => (field, false, after),
    }
}

fn show_letter(letter: char) -> char {
    if is_hidden(letter) && letter != '\t' { REPLACEMENT } else { letter }
}
