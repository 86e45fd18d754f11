//! What the English Punkt model knows of words.

use super::words::{Contraction, contractions};
use crate::reader::{Damaged, Reader, unpacked};

/// The model, as far as finding sentence ends asks it.
///
/// Its parameters are those of NLTK's `punkt_tab` (see `data/NOTICE`). Of the contexts in which a word was seen it keeps the answers
/// to the questions that are asked of them.
#[derive(Debug)]
pub(crate) struct Model {
    abbreviations: Lines,
    /// Pairs with a tab between them.
    collocations: Lines,
    starters: Lines,
    /// Words that were seen in lower case. First those never seen with a capital within a sentence; of each two, the second is of
    /// words that start no sentence when they are in lower case.
    seen: [Lines; 4],
    pub(super) contractions: Vec<Contraction>,
}

/// What is known of a word in lower case or with a capital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// It was seen with a capital within a sentence.
    pub(super) capital_within: bool,
    /// In lower case it starts no sentence.
    pub(super) starts_none: bool,
}

impl Model {
    /// The model that the crate holds.
    pub(crate) fn new() -> Result<Self, Damaged> {
        let data = unpacked(include_bytes!("../../data/sentences.bin"))?;
        let mut reader = Reader(&data);
        let mut next = || Lines::read(&mut reader);
        Ok(Self {
            abbreviations: next()?,
            collocations: next()?,
            starters: next()?,
            seen: [next()?, next()?, next()?, next()?],
            contractions: contractions(),
        })
    }

    pub(super) fn is_abbreviation(&self, word: &str) -> bool {
        self.abbreviations.contains(word)
    }

    pub(super) fn is_collocation(&self, first: &str, second: &str) -> bool {
        self.collocations.contains(&format!("{first}\t{second}"))
    }

    pub(super) fn is_starter(&self, word: &str) -> bool {
        self.starters.contains(word)
    }

    /// Nothing where the word was never seen in lower case.
    pub(super) fn seen(&self, word: &str) -> Option<Seen> {
        let list = self.seen.iter().position(|list| list.contains(word))?;
        Some(Seen { capital_within: list & 2 != 0, starts_none: list & 1 != 0 })
    }
}

/// A sorted list of texts.
#[derive(Debug)]
struct Lines {
    text: String,
    /// Where each text begins, and the end.
    starts: Vec<u32>,
}

impl Lines {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Damaged> {
        let mut lines = Self { text: String::new(), starts: vec![0] };
        for _ in 0..reader.number()? {
            lines.text.push_str(reader.line()?);
            lines.starts.push(u32::try_from(lines.text.len()).map_err(|_| Damaged)?);
        }
        Ok(lines)
    }

    fn contains(&self, wanted: &str) -> bool {
        let line = |at: usize| {
            let start = self.starts.get(at).copied().unwrap_or_default() as usize;
            let end = self.starts.get(at + 1).copied().unwrap_or_default() as usize;
            self.text.get(start..end).unwrap_or_default()
        };
        let (mut low, mut high) = (0, self.starts.len() - 1);
        while low < high {
            let middle = low.midpoint(high);
            match line(middle).cmp(wanted) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return true,
            }
        }
        false
    }
}
