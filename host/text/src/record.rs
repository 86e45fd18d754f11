//! Text that enters a record.

use crate::CUT;

/// Bytes that a record keeps of a name from a server.
pub const LONGEST_RECORD_NAME: usize = 1_000;

/// Bytes that a record keeps of a message from a server or a plugin.
pub const LONGEST_RECORD_MESSAGE: usize = 4_000;

/// A name as a record keeps it: exact, unless it is longer than [`LONGEST_RECORD_NAME`] bytes. The mark of the cut is part of
/// these bytes.
#[must_use]
pub fn cut_name(name: String) -> String {
    cut(name, LONGEST_RECORD_NAME)
}

/// A message as a record keeps it: exact, unless it is longer than [`LONGEST_RECORD_MESSAGE`] bytes. The mark of the cut is
/// part of these bytes.
#[must_use]
pub fn cut_message(message: String) -> String {
    cut(message, LONGEST_RECORD_MESSAGE)
}

fn cut(mut text: String, longest: usize) -> String {
    if text.len() > longest {
        text.truncate(text.floor_char_boundary(longest.saturating_sub(CUT.len_utf8())));
        text.push(CUT);
        text.shrink_to_fit();
    }
    text
}
