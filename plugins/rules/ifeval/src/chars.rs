//! Classes of characters as NLTK has them.
//!
//! NLTK runs its patterns with the `regex` package, whose `\w` is Unicode's, with combining marks and without fractions and
//! superscripts. Python's own `re`, which the other rules go by, has them the other way round (`bench_scoring::python`). White space
//! differs as well: here U+001C to U+001F are none.

use bench_scoring::unicode::CharClass;

/// `\w` of the `regex` package.
pub(crate) fn is_word(c: char) -> bool {
    static WORDS: CharClass = CharClass::new(r"\w");
    if c.is_ascii() { c.is_ascii_alphanumeric() || c == '_' } else { WORDS.contains(c) }
}

/// `\d`: a decimal digit of any script, here and in `re`.
pub(crate) fn is_decimal(c: char) -> bool {
    static DECIMALS: CharClass = CharClass::new(r"\d");
    if c.is_ascii() { c.is_ascii_digit() } else { DECIMALS.contains(c) }
}

/// How many words `\w+` finds.
pub(crate) fn words(text: &str) -> usize {
    let mut count = 0;
    let mut inside = false;
    if text.is_ascii() {
        for byte in text.bytes() {
            let word = byte.is_ascii_alphanumeric() || byte == b'_';
            count += usize::from(word & !inside);
            inside = word;
        }
        return count;
    }
    for c in text.chars() {
        let word = is_word(c);
        count += usize::from(word && !inside);
        inside = word;
    }
    count
}
