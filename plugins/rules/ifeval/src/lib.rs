//! Rules for following instructions that a program can check: IFEval (J. Zhou et al., 2023).
//!
//! An item names instructions, such as "at least 300 words" or "no commas", and an answer follows each or does not. *Strict* looks at
//! the answer as it is. *Loose* is content with any of eight variants: without its first line, without its last, without both, and
//! each without asterisks, since models like to begin with "Sure, here is" and to emphasise.
//!
//! `ifeval` grades as lm-eval 0.4.13 does, given NLTK 3.10.4, langdetect 1.0.9 and, which lm-eval lacks, `DetectorFactory.seed = 0`.
//! Without the seed the same text is graded differently from run to run (EleutherAI/lm-evaluation-harness#4213).
//! Where an item lacks an argument the reference draws a random one, for strict and loose apart, so that loose can come out below strict
//! (allenai/olmo-eval#296). Here such an item is `bad-target` and unscored, and so is one on which the reference fails.
//!
//! `ifeval-fixed` grades what the items ask for, where the reference grades something else:
//!
//! - `length_constraints:nth_paragraph_first_word` looks the paragraph up among those that it counted, which leaves blank ones out, and
//!   compares as many words as were asked for (scitix/sieval#104).
//! - `keywords:letter_frequency` counts the character that the item names, be it a `#`, where the reference takes a random letter
//!   (scitix/sieval#104, google-research/google-research#3428).
//! - `change_case:english_capital` detects the language of the text in lower case, which is what the profiles are made of
//!   (scitix/sieval#104).
//! - Keywords, forbidden words, section names and postscript markers are texts, not regular expressions: `C++` is a keyword.
//! - A zero is a number that was given, not an absent one.
//! - An item without instructions measures nothing and is unscored, where the reference has it correct.

mod args;
mod chars;
mod english;
mod instruction;
mod json;
mod language;
mod literal;
mod pattern;
mod reader;
mod results;
mod scorer;
mod shapes;

use std::sync::OnceLock;

pub use scorer::{Config, IfEval, IfEvalFixed};

use reader::Damaged;

/// Whose rules to grade by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    /// The reference's, with its mistakes.
    Reference,
    /// What the items ask for.
    Fixed,
}

/// What is loaded once for all samples.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) languages: language::Detector,
    /// Unpacked when sentences or words are first asked about; it takes as long as grading two hundred answers.
    english: OnceLock<Result<english::Model, Damaged>>,
}

impl Tools {
    pub(crate) fn new() -> Self {
        Self { languages: language::Detector::new(), english: OnceLock::new() }
    }

    /// What is known of English.
    ///
    /// # Errors
    /// The component's data is damaged.
    pub(crate) fn english(&self) -> Result<&english::Model, Damaged> {
        self.english.get_or_init(english::Model::new).as_ref().map_err(|&damaged| damaged)
    }
}
