//! Strings: what `str` methods of Python do, over Rust's.

use crate::unicode::CharClass;

/// `string.punctuation`: the ASCII characters that are neither letters, digits, white space nor controls.
pub const PUNCTUATION: &str = r##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"##;

/// Characters that `str.isdigit` accepts although they are no decimal digits: superscripts, circled digits and their like.
const DIGITS_THAT_ARE_NOT_DECIMAL: &[(char, char)] = &[
    ('\u{b2}', '\u{b3}'),
    ('\u{b9}', '\u{b9}'),
    ('\u{1369}', '\u{1371}'),
    ('\u{19da}', '\u{19da}'),
    ('\u{2070}', '\u{2070}'),
    ('\u{2074}', '\u{2079}'),
    ('\u{2080}', '\u{2089}'),
    ('\u{2460}', '\u{2468}'),
    ('\u{2474}', '\u{247c}'),
    ('\u{2488}', '\u{2490}'),
    ('\u{24ea}', '\u{24ea}'),
    ('\u{24f5}', '\u{24fd}'),
    ('\u{24ff}', '\u{24ff}'),
    ('\u{2776}', '\u{277e}'),
    ('\u{2780}', '\u{2788}'),
    ('\u{278a}', '\u{2792}'),
    ('\u{10a40}', '\u{10a43}'),
    ('\u{10e60}', '\u{10e68}'),
    ('\u{11052}', '\u{1105a}'),
    ('\u{1f100}', '\u{1f10a}'),
];

fn letter(c: char) -> bool {
    static LETTERS: CharClass = CharClass::new(r"\p{L}");
    if c.is_ascii() { c.is_ascii_alphabetic() } else { LETTERS.contains(c) }
}

fn number(c: char) -> bool {
    static NUMBERS: CharClass = CharClass::new(r"\p{N}");
    if c.is_ascii() { c.is_ascii_digit() } else { NUMBERS.contains(c) }
}

/// The value of a decimal digit of any script.
pub(super) fn decimal(c: char) -> Option<u32> {
    static DECIMALS: CharClass = CharClass::new(r"\p{Nd}");
    if c.is_ascii() {
        return c.to_digit(10);
    }
    // Unicode promises that decimal digits come in runs of ten, from zero to nine. Runs may touch, but each is a whole one.
    let decimals = DECIMALS.ranges();
    let &(start, end) = decimals.get(decimals.partition_point(|&(start, _)| start <= c).checked_sub(1)?)?;
    (c <= end).then(|| (u32::from(c) - u32::from(start)) % 10)
}

fn title_case(c: char) -> bool {
    matches!(u32::from(c), 0x1c5 | 0x1c8 | 0x1cb | 0x1f2 | 0x1f88..=0x1f8f | 0x1f98..=0x1f9f | 0x1fa8..=0x1faf | 0x1fbc | 0x1fcc | 0x1ffc)
}

/// What `str.isspace` accepts, and `\s` matches: Unicode's white space and the separators U+001C to U+001F.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// What `\w` matches: a letter or number by category, or an underscore. Combining marks are none.
pub fn is_word(c: char) -> bool {
    c == '_' || letter(c) || number(c)
}

/// Whether the character's category is one of punctuation, `P*`.
pub fn is_punctuation(c: char) -> bool {
    static PUNCTUATION: CharClass = CharClass::new(r"\p{P}");
    PUNCTUATION.contains(c)
}

/// `str.isalpha`.
pub fn is_alpha(text: &str) -> bool {
    !text.is_empty() && text.chars().all(letter)
}

/// `str.isalnum`.
pub fn is_alnum(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| letter(c) || number(c))
}

/// `str.isdigit`: decimal digits of any script, superscripts and circled digits.
pub fn is_digit(text: &str) -> bool {
    let other = |c: char| DIGITS_THAT_ARE_NOT_DECIMAL.iter().any(|&(start, end)| (start..=end).contains(&c));
    !text.is_empty() && text.chars().all(|c| decimal(c).is_some() || other(c))
}

/// `str.isupper`: something has case, and nothing of it is lower or title case.
pub fn is_upper(text: &str) -> bool {
    !text.chars().any(|c| c.is_lowercase() || title_case(c)) && text.chars().any(char::is_uppercase)
}

/// `str.islower`: something has case, and nothing of it is upper or title case.
pub fn is_lower(text: &str) -> bool {
    !text.chars().any(|c| c.is_uppercase() || title_case(c)) && text.chars().any(char::is_lowercase)
}

/// `str.strip` without arguments.
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `str.lstrip` without arguments.
pub fn lstrip(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// `str.rstrip` without arguments.
pub fn rstrip(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// `str.strip(chars)`.
pub fn strip_chars<'t>(text: &'t str, chars: &str) -> &'t str {
    text.trim_matches(|c| chars.contains(c))
}

/// `str.lstrip(chars)`.
pub fn lstrip_chars<'t>(text: &'t str, chars: &str) -> &'t str {
    text.trim_start_matches(|c| chars.contains(c))
}

/// `str.rstrip(chars)`.
pub fn rstrip_chars<'t>(text: &'t str, chars: &str) -> &'t str {
    text.trim_end_matches(|c| chars.contains(c))
}

/// `str.lower`.
pub fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// `str.upper`.
pub fn upper(text: &str) -> String {
    text.to_uppercase()
}

/// `str.casefold`: full case folding, which is what remains after lower, upper and lower case again, but for three sorts of
/// characters: dotless i, which folds to itself, and both cases of Cherokee, which folds to upper case.
pub fn casefold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{131}' | '\u{13a0}'..='\u{13f5}' => folded.push(c),
            '\u{13f8}'..='\u{13fd}' | '\u{ab70}'..='\u{abbf}' => folded.extend(c.to_uppercase()),
            _ => folded.extend(c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)),
        }
    }
    folded
}

/// `str.capitalize`: the first character in title case, the others in lower case.
pub fn capitalize(text: &str) -> String {
    let Some(first) = text.chars().next() else { return String::new() };
    let mut capital = String::with_capacity(text.len());
    let code = u32::from(first);
    match code {
        0x1c4..=0x1cc => capital.extend(char::from_u32(0x1c5 + (code - 0x1c4) / 3 * 3)),
        0x1f1..=0x1f3 => capital.push('\u{1f2}'),
        0x10d0..=0x10ff => capital.push(first),
        0x1f80..=0x1faf => capital.extend(char::from_u32(code | 8)),
        0x1fb3 | 0x1fc3 | 0x1ff3 => capital.extend(char::from_u32(code + 9)),
        _ if title_case(first) => capital.push(first),
        _ => {
            let mut upper = first.to_uppercase();
            capital.extend(upper.next());
            // Of a letter that stands for several, the others stay small; a Greek iota stays below the letter.
            for other in upper {
                match other {
                    '\u{399}' => capital.push('\u{345}'),
                    'N' if code == 0x149 => capital.push('N'),
                    other => capital.extend(other.to_lowercase()),
                }
            }
        }
    }
    // Lower case depends on what is before, for the final sigma, so it is worked out in the whole text.
    let lowered = text.to_lowercase();
    let skipped: usize = first.to_lowercase().map(char::len_utf8).sum();
    capital.push_str(lowered.get(skipped..).unwrap_or_default());
    capital
}

/// `str.split` without arguments.
pub fn split_whitespace(text: &str) -> Vec<&str> {
    text.split(is_space).filter(|word| !word.is_empty()).collect()
}

/// `str.splitlines`: without their ends, by all of Python's line boundaries.
pub fn split_lines(text: &str) -> Vec<&str> {
    let boundary = |c| matches!(c, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(boundary) {
        let (line, end) = rest.split_at(at);
        lines.push(line);
        rest = end.strip_prefix("\r\n").unwrap_or_else(|| {
            let mut end = end.chars();
            end.next();
            end.as_str()
        });
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// `len` of a `str`: its code points.
pub fn len(text: &str) -> usize {
    text.chars().count()
}
