//! One text of others, within a sentence or a cell.

use std::fmt::{self, Display, Write};

use crate::character::{is_hidden, is_mark};
use crate::{CUT, REPLACEMENT};

/// Characters that are shown of a name, an identifier or a value.
pub const LONGEST_NAME: usize = 200;

/// Characters that are shown of a sentence or a path.
pub const LONGEST_SENTENCE: usize = 1_000;

/// Marks in a row that are shown; Vietnamese, Hebrew and Thai get by with three.
const MOST_MARKS: usize = 4;

/// A text on one line, without characters that are not shown, and no longer than its bound. Its `Display` is the text, its
/// `Debug` is the text in double quotes.
#[derive(Clone, Copy)]
pub struct Clean<T> {
    text: T,
    limit: usize,
}

/// A name, an identifier or a value of others: at most [`LONGEST_NAME`] characters.
pub fn clean_name<T: Display>(text: T) -> Clean<T> {
    Clean { text, limit: LONGEST_NAME }
}

/// A sentence or a path of others: at most [`LONGEST_SENTENCE`] characters.
pub fn clean_sentence<T: Display>(text: T) -> Clean<T> {
    Clean { text, limit: LONGEST_SENTENCE }
}

/// Characters of a name that are spelled.
const LONGEST_SPELLED: usize = 80;

/// The beginning of a name that has to be ASCII, with everything else in it as `\u{…}`: letters of other alphabets look the
/// same as those of this one.
#[must_use]
pub fn spell_name(name: &str) -> String {
    name.chars().take(LONGEST_SPELLED).flat_map(char::escape_default).collect()
}

/// A text of others with a bound of its own, in characters.
pub fn clean_text<T: Display>(text: T, limit: usize) -> Clean<T> {
    Clean { text, limit }
}

impl<T: Display> Display for Clean<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if out.width().is_some() {
            let mut text = String::new();
            write!(Cleaner::new(&mut text, self.limit), "{}", self.text).ok();
            return out.pad(&text);
        }
        finish(Cleaner::new(out, self.limit), &self.text)
    }
}

impl<T: Display> fmt::Debug for Clean<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_char('"')?;
        finish(Cleaner::new(out, self.limit), &self.text)?;
        out.write_char('"')
    }
}

/// Writes the text. That the bound was reached ends the writing, and is no failure.
fn finish<W: Write>(mut cleaner: Cleaner<'_, W>, text: &impl Display) -> fmt::Result {
    match write!(cleaner, "{text}") {
        Err(fmt::Error) if cleaner.is_full => Ok(()),
        done => done,
    }
}

/// Passes on what may be shown.
struct Cleaner<'o, W> {
    out: &'o mut W,
    left: usize,
    marks: usize,
    is_full: bool,
}

impl<'o, W: Write> Cleaner<'o, W> {
    fn new(out: &'o mut W, limit: usize) -> Self {
        // A mark at the beginning would stand on the text before this one, so it counts as one too many.
        Self { out, left: limit, marks: MOST_MARKS, is_full: false }
    }
}

impl<W: Write> Write for Cleaner<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            let shown = if is_hidden(letter) { REPLACEMENT } else { letter };
            self.marks = if is_mark(shown) { self.marks.saturating_add(1) } else { 0 };
            if self.marks > MOST_MARKS {
                continue;
            }
            match self.left.checked_sub(1) {
                Some(left) => {
                    self.left = left;
                    self.out.write_char(shown)?;
                }
                None => {
                    if !self.is_full {
                        self.is_full = true;
                        self.out.write_char(CUT)?;
                    }
                    // Nothing more is shown, so the text need not be written to its end.
                    return Err(fmt::Error);
                }
            }
        }
        Ok(())
    }
}
