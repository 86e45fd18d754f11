//! Something hidden in a text that is cut so that the whole prompt has a length in the backend's own tokens.

use std::sync::Arc;

use bench_plugin::types::Generation;
use bench_suite::{Corpus, Fitter, NextAsk};

use crate::backend::Backend;
use crate::policy::Failure;

/// A text with something hidden in it, and how long the prompt became.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Haystack {
    pub(crate) text: String,
    /// Tokens of the whole prompt; `None` where the backend cannot count, so that the length is an estimate.
    pub(crate) tokens: Option<u64>,
}

/// Where and how much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hiding<'n> {
    pub(crate) needle: &'n str,
    /// 0 for the beginning, 1 for the end.
    pub(crate) depth: f64,
    /// Tokens of the whole prompt.
    pub(crate) length: u64,
    /// The corpus' word to begin with.
    pub(crate) offset: u64,
}

/// Cuts the text until the prompt that `prompt` makes of it has the length.
pub(crate) async fn haystack<B: Backend>(
    backend: &mut B,
    corpus: &Arc<Corpus>,
    hiding: Hiding<'_>,
    prompt: impl Fn(&str) -> Result<Generation, Failure>,
) -> Result<Haystack, Failure> {
    let length = u32::try_from(hiding.length).unwrap_or(u32::MAX);
    let mut fitter = Fitter::new(corpus.clone(), hiding.offset, length);
    loop {
        match fitter.next() {
            NextAsk::Done(found) => {
                return Ok(Haystack { text: hide(&found.text, hiding), tokens: found.tokens });
            }
            NextAsk::Ask(text) => match backend.count(&prompt(&hide(&text, hiding))?).await? {
                Some(tokens) => fitter.answer(tokens),
                None => {
                    // The needle and the question count as characters too.
                    let others = prompt(&hide("", hiding)).map(|generation| characters(&generation))?;
                    let found = Fitter::nominal(corpus, hiding.offset, length, others);
                    return Ok(Haystack { text: hide(&found.text, hiding), tokens: None });
                }
            },
        }
    }
}

fn characters(generation: &Generation) -> u64 {
    use bench_plugin::types::Prompt;
    let count = |text: &str| text.chars().count() as u64;
    match &generation.prompt {
        Prompt::Messages(messages) => messages.iter().map(|message| count(&message.content)).sum(),
        Prompt::Text(text) | Prompt::Other(text) => count(text),
    }
}

/// Puts the needle after the last sentence that ends before its depth.
fn hide(text: &str, hiding: Hiding<'_>) -> String {
    let aim = text.floor_char_boundary((text.len() as f64 * hiding.depth) as usize);
    let (before, _) = text.split_at(aim);
    let place = if aim == text.len() {
        aim
    } else {
        let ends = [". ", ".\n", "! ", "? ", "\n\n"].into_iter().filter_map(|end| Some(before.rfind(end)? + end.len()));
        ends.max().unwrap_or(0)
    };
    let (before, after) = text.split_at(place);
    let gap = |text: &str| if text.is_empty() || text.ends_with(char::is_whitespace) { "" } else { " " };
    let before_after = if after.is_empty() { "" } else { " " };
    format!("{before}{}{}{before_after}{after}", gap(before), hiding.needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(text: &str, depth: f64) -> String {
        hide(text, Hiding { needle: "The key is 7.", depth, length: 0, offset: 0 })
    }

    #[test]
    fn the_needle_stands_between_sentences() {
        let text = "One ends. Two ends. Three goes on";
        assert_eq!(hidden(text, 0.0), "The key is 7. One ends. Two ends. Three goes on");
        assert_eq!(hidden(text, 0.5), "One ends. The key is 7. Two ends. Three goes on");
        assert_eq!(hidden(text, 1.0), "One ends. Two ends. Three goes on The key is 7.");
        assert_eq!(hidden("", 0.5), "The key is 7.");
        assert_eq!(hidden("größer und länger ohne Ende", 0.6), "The key is 7. größer und länger ohne Ende");
    }
}
