//! Classes of characters as NLTK has them.
//!
//! NLTK runs its patterns with the `regex` package, whose `\w` is Unicode's, with combining marks and without fractions and
//! superscripts. Python's own `re`, which the other rules go by, has them the other way round (`bench_scoring::python`). White space
//! differs as well: here U+001C to U+001F are none.

use std::sync::OnceLock;

use regex_syntax::hir::{Class, HirKind};

type Ranges = Vec<(char, char)>;

fn ranges(cell: &'static OnceLock<Ranges>, class: &str) -> &'static Ranges {
    cell.get_or_init(|| match regex_syntax::parse(class).map(|hir| hir.into_kind()) {
        Ok(HirKind::Class(Class::Unicode(class))) => class.iter().map(|range| (range.start(), range.end())).collect(),
        _ => Ranges::new(),
    })
}

fn within(ranges: &Ranges, c: char) -> bool {
    let behind = ranges.partition_point(|&(start, _)| start <= c);
    behind > 0 && ranges.get(behind - 1).is_some_and(|&(_, end)| c <= end)
}

/// `\w` of the `regex` package.
pub(crate) fn is_word(c: char) -> bool {
    static WORDS: OnceLock<Ranges> = OnceLock::new();
    if c.is_ascii() { c.is_ascii_alphanumeric() || c == '_' } else { within(ranges(&WORDS, r"\w"), c) }
}

/// `\d`: a decimal digit of any script, here and in `re`.
pub(crate) fn is_decimal(c: char) -> bool {
    static DECIMALS: OnceLock<Ranges> = OnceLock::new();
    if c.is_ascii() { c.is_ascii_digit() } else { within(ranges(&DECIMALS, r"\d"), c) }
}

/// How many words `\w+` finds.
pub(crate) fn words(text: &str) -> usize {
    let mut count = 0;
    let mut inside = false;
    for c in text.chars() {
        let word = is_word(c);
        count += usize::from(word && !inside);
        inside = word;
    }
    count
}
