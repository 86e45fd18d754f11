//! What filters and methods do with texts.

use super::room::Room;
use super::value::Val;

/// The first letter large and the others small.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    first + &letters.as_str().to_lowercase()
}

/// A text without white space, or without certain letters, at its ends.
pub(super) fn stripped<'t>(text: &'t str, letters: Option<&str>, at_begin: bool, at_end: bool) -> &'t str {
    let goes = |letter: char| letters.map_or_else(|| letter.is_whitespace(), |letters| letters.contains(letter));
    let text = if at_begin { text.trim_start_matches(goes) } else { text };
    if at_end { text.trim_end_matches(goes) } else { text }
}

/// A text with another one in the place of a part, `count` times or everywhere.
pub(super) fn replaced(text: &str, old: &str, new: &str, count: Option<i128>, room: &Room) -> Result<Val, String> {
    room.look(text.len())?;
    let most = count.filter(|count| *count >= 0).and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
    // The length is known before the text is made.
    let found = text.matches(old).take(most).count();
    let length = text.len() as u64 + (found as u64).saturating_mul(new.len() as u64);
    room.spend(length)?;
    Val::text(&text.replacen(old, new, most), room)
}

/// The parts of a text between separators, or between white space.
pub(super) fn split(text: &str, separator: Option<&str>, most: Option<i128>, room: &Room) -> Result<Val, String> {
    let most = most.filter(|most| *most >= 0).and_then(|most| usize::try_from(most).ok());
    let parts: Box<dyn Iterator<Item = &str>> = match (separator, most) {
        (Some(""), _) => return Err("an empty separator".to_owned()),
        (Some(separator), None) => Box::new(text.split(separator)),
        (Some(separator), Some(most)) => Box::new(text.splitn(most.saturating_add(1), separator)),
        (None, None) => Box::new(text.split_whitespace()),
        (None, Some(_)) => return Err("`split` with a number and no separator is not known here".to_owned()),
    };
    let mut values = Vec::new();
    for part in parts {
        room.spend(2 * size_of::<Val>() as u64)?;
        values.push(Val::text(part, room)?);
    }
    Val::list(values, room)
}
