//! Which characters are shown.

/// Characters that a terminal obeys, that change how others are shown, or that show nothing: first and last of each range.
const HIDDEN: [(char, char); 32] = [
    // C0 controls, with line break and tab.
    ('\u{0}', '\u{1f}'),
    // Delete and the C1 controls.
    ('\u{7f}', '\u{9f}'),
    // Soft hyphen.
    ('\u{ad}', '\u{ad}'),
    // Combining grapheme joiner.
    ('\u{34f}', '\u{34f}'),
    // Arabic letter mark, which changes direction.
    ('\u{61c}', '\u{61c}'),
    // Fillers and vowels that show nothing.
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    // Mongolian variation selectors and vowel separator.
    ('\u{180b}', '\u{180f}'),
    // Zero-width space and joiners, marks of direction.
    ('\u{200b}', '\u{200f}'),
    // Line and paragraph separators.
    ('\u{2028}', '\u{2029}'),
    // Embeddings and overrides of direction.
    ('\u{202a}', '\u{202e}'),
    // Word joiner, invisible operators, isolates of direction, deprecated format characters.
    ('\u{2060}', '\u{206f}'),
    // Hangul filler.
    ('\u{3164}', '\u{3164}'),
    // Private use.
    ('\u{e000}', '\u{f8ff}'),
    // Characters that are none.
    ('\u{fdd0}', '\u{fdef}'),
    // Variation selectors.
    ('\u{fe00}', '\u{fe0f}'),
    // Byte order mark.
    ('\u{feff}', '\u{feff}'),
    // Halfwidth Hangul filler.
    ('\u{ffa0}', '\u{ffa0}'),
    // Interlinear annotations, with the unassigned characters before them.
    ('\u{fff0}', '\u{fffb}'),
    // Characters that are none.
    ('\u{fffe}', '\u{ffff}'),
    // Controls of hieroglyphs, shorthand and musical notation.
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    // Characters that are none.
    ('\u{1fffe}', '\u{1ffff}'),
    ('\u{2fffe}', '\u{2ffff}'),
    ('\u{3fffe}', '\u{3ffff}'),
    // Planes without characters.
    ('\u{40000}', '\u{dffff}'),
    // Tags and more variation selectors.
    ('\u{e0000}', '\u{e007f}'),
    ('\u{e0080}', '\u{e00ff}'),
    ('\u{e0100}', '\u{e0fff}'),
    // The rest of that plane, which is without characters.
    ('\u{e1000}', '\u{effff}'),
    // Private use.
    ('\u{f0000}', '\u{10ffff}'),
];

/// Spaces that take up room, which `char::escape_debug` escapes all the same.
const SPACES: [(char, char); 6] = [
    ('\u{a0}', '\u{a0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{205f}', '\u{205f}'),
    ('\u{3000}', '\u{3000}'),
];

fn is_within(ranges: &[(char, char)], character: char) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= character);
    after.checked_sub(1).and_then(|place| ranges.get(place)).is_some_and(|(_, last)| character <= *last)
}

/// Is it a character that is not shown? Controls, line breaks and tabs, characters that change the direction of text or have
/// no width, variation selectors and tags, private use, and what is no character.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    !matches!(character, ' '..='~') && is_within(&HIDDEN, character)
}

/// Does it stand on the character before it, or is it one that this Rust does not know? A few in a row are how many languages
/// are written. Hundreds cover the lines above and below.
pub(crate) fn is_mark(character: char) -> bool {
    // The standard library keeps the table of marks, and shows it only in this way.
    !character.is_ascii() && !is_within(&SPACES, character) && character.escape_debug().len() > 1
}
