//! Text of others: what a server, a plugin, a registry, a file or a command line says. Such a text may hold bytes that a
//! terminal obeys, line breaks that forge a line of this program, and three million characters.
//!
//! This crate is the only place of the host that decides which characters are shown. The rules by destination:
//!
//! | destination | function |
//! | --- | --- |
//! | a name, an identifier or a value in a sentence or a cell | [`clean_name`], at most [`LONGEST_NAME`] characters |
//! | a name that is refused because it is not ASCII | [`spell_name`] |
//! | a sentence or a path within a sentence | [`clean_sentence`], at most [`LONGEST_SENTENCE`] characters |
//! | several lines of others, such as the end of a log | [`clean_block`], each line marked with `  \| ` |
//! | a whole message on standard error, as a last line of defence | [`clean_message`] |
//! | a whole output on standard output, if that is a terminal | [`clean_screen`], for CSV [`clean_csv`] |
//! | JSON, wherever it is printed | [`escape_json`]: the same data, and no character that a terminal obeys |
//! | a name that enters a record | [`cut_name`]: at most [`LONGEST_RECORD_NAME`] bytes, otherwise as it is |
//! | a message that enters a record | [`cut_message`]: at most [`LONGEST_RECORD_MESSAGE`] bytes, otherwise as it is |
//!
//! CSV that goes to a file or a pipe is exact data. So is text in a record: it is cleaned where it is shown.

mod character;
mod json;
mod record;
mod screen;
mod single;

pub use character::is_hidden;
pub use json::escape_json;
pub use record::{LONGEST_RECORD_MESSAGE, LONGEST_RECORD_NAME, cut_message, cut_name};
pub use screen::{clean_block, clean_csv, clean_message, clean_screen};
pub use single::{Clean, LONGEST_NAME, LONGEST_SENTENCE, clean_name, clean_sentence, clean_text, spell_name};

/// Stands for a character that is not shown.
pub const REPLACEMENT: char = '\u{fffd}';

/// Stands for the rest of a text that is longer than its bound.
pub const CUT: char = '…';
