//! A text with numbered words, endless by going round.

use std::ops::Range;

/// A text cut into words: runs of characters other than white space. The white space after a word belongs to it, so that
/// the lines and indentation of source text survive cutting.
#[derive(Debug, Clone)]
pub struct Corpus {
    text: String,
    /// Where each word begins, in bytes. Never empty.
    starts: Vec<u32>,
}

/// What joins the end of the text to its beginning where a stretch goes round.
const SEAM: &str = "\n\n";

impl Corpus {
    /// Numbers the words of `text`. `None` when there are none, or when the text has 4 GiB or more.
    pub fn new(text: String) -> Option<Self> {
        u32::try_from(text.len()).ok()?;
        let mut starts = Vec::new();
        let mut in_word = false;
        for (at, character) in text.char_indices() {
            let white = character.is_whitespace();
            if !white && !in_word {
                starts.push(u32::try_from(at).ok()?);
            }
            in_word = !white;
        }
        (!starts.is_empty()).then_some(Self { text, starts })
    }

    /// Number of words, at least 1.
    pub fn words(&self) -> usize {
        self.starts.len()
    }

    /// The text itself.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The stretch of `count` words that begins with word `offset`, taken modulo the number of words, without the white
    /// space after its last word. It goes round the end of the text as often as needed.
    pub fn stretch(&self, offset: u64, count: usize) -> String {
        let mut stretch = String::new();
        let mut first = self.index(offset);
        let mut left = count;
        while left > 0 {
            let taken = left.min(self.words() - first);
            if !stretch.is_empty() {
                stretch.truncate(stretch.trim_end().len());
                stretch.push_str(SEAM);
            }
            stretch.push_str(self.text.get(self.bytes(first, taken)).unwrap_or(""));
            left -= taken;
            first = 0;
        }
        stretch.truncate(stretch.trim_end().len());
        stretch
    }

    /// The word at `offset`, taken modulo the number of words, without the white space after it.
    pub fn word(&self, offset: u64) -> &str {
        self.text.get(self.bytes(self.index(offset), 1)).unwrap_or("").trim_end()
    }

    /// The white space between word `offset` and the next, as [`stretch`](Self::stretch) would write it.
    pub fn gap_after(&self, offset: u64) -> &str {
        let index = self.index(offset);
        if index + 1 == self.words() {
            return SEAM;
        }
        let word = self.text.get(self.bytes(index, 1)).unwrap_or("");
        word.get(word.trim_end().len()..).unwrap_or("")
    }

    /// Number of words, at least 1, whose stretch from `offset` has `chars` characters (Unicode scalar values), give or take
    /// a word.
    pub fn words_for_chars(&self, offset: u64, chars: u64) -> usize {
        let whole = (self.text.trim().chars().count() + SEAM.len()) as u64;
        let rounds = chars / whole;
        let mut left = chars % whole;
        let mut count = usize::try_from(rounds).unwrap_or(usize::MAX).saturating_mul(self.words());
        let first = self.index(offset);
        for index in (first..self.words()).chain(0..first) {
            if left == 0 {
                break;
            }
            let at = index as u64;
            let length = self.word(at).chars().count() + self.gap_after(at).chars().count();
            left = left.saturating_sub(length as u64);
            count = count.saturating_add(1);
        }
        count.max(1)
    }

    fn index(&self, offset: u64) -> usize {
        // At most 2^32 words, so the remainder fits any platform that this runs on.
        (offset % self.words() as u64) as usize
    }

    /// The bytes of `count` words from `first`, which must not pass the end.
    fn bytes(&self, first: usize, count: usize) -> Range<usize> {
        let start_of = |word: usize| self.starts.get(word).map_or(self.text.len(), |&at| at as usize);
        start_of(first)..start_of(first.saturating_add(count))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    fn corpus() -> Corpus {
        Corpus::new("  one two\n    three\n".into()).unwrap()
    }

    #[test]
    fn stretches_keep_inner_white_space_and_go_round() {
        let corpus = corpus();
        assert_eq!(corpus.words(), 3);
        assert_eq!(corpus.stretch(0, 3), "one two\n    three");
        assert_eq!(corpus.stretch(2, 2), "three\n\none");
        assert_eq!(corpus.stretch(5, 5), "three\n\none two\n    three\n\none");
        assert_eq!(corpus.stretch(0, 0), "");
        assert_eq!((corpus.word(4), corpus.gap_after(4), corpus.gap_after(2)), ("two", "\n    ", "\n\n"));
    }

    #[test]
    fn text_without_words_is_no_corpus() {
        assert!(Corpus::new(String::new()).is_none());
        assert!(Corpus::new(" \n\t\u{2003}".into()).is_none());
    }

    #[test]
    fn words_for_chars_reach_the_length_and_not_much_more() {
        let corpus = corpus();
        for chars in 1..200 {
            let count = corpus.words_for_chars(1, chars);
            let length = corpus.stretch(1, count).chars().count() as u64;
            // A word of this text with the white space after it has at most 8 characters.
            assert!(length + 8 >= chars && length <= chars + 8, "{chars}: {count} words of {length}");
        }
        assert!(corpus.words_for_chars(0, u64::MAX) > 1_000_000_000);
    }
}
