//! English text in sentences and words, as NLTK 3.10.4 divides it.

mod model;
mod sentences;
mod words;

use bench_scoring::python::is_upper;

pub(crate) use model::Model;

impl Model {
    /// How many of the words that `nltk.word_tokenize` finds are in capitals.
    pub(crate) fn capital_words(&self, text: &str) -> usize {
        let capitals = |sentence| words::each(text.get(sentence).unwrap_or_default(), &self.contractions, is_upper);
        self.sentences(text).into_iter().map(capitals).sum()
    }
}
