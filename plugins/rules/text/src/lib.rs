//! Rules for short textual answers, after those of lm-eval: exact match, GSM8K, multiple choice, GPQA, perplexity.
//!
//! A scorer named as in the reference does what the reference does, where it is odd as well; the sibling with `-fixed` in its
//! name does what was meant. What is odd is named beside the code that repeats it and in the tests.

mod decimal;
mod exact_match;
mod filters;
mod generative;
mod gpqa;
mod gsm8k;
mod likelihood;
mod normalise;
mod perplexity;

pub use exact_match::{ExactMatch, ExactMatchFixed};
pub use generative::MultipleChoiceGenerative;
pub use gpqa::{Gpqa, GpqaFixed};
pub use gsm8k::{Gsm8k, Gsm8kFixed};
pub use likelihood::{MultipleChoice, MultipleChoiceFixed};
pub use perplexity::Perplexity;
