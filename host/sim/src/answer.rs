//! What the simulated model says.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::config::SimConfig;
use crate::protocol::{Asked, ToolCall};
use crate::schedule::Random;
use crate::tokenizer::{append_tokens, tokenize, without_space};

/// One token each with a leading space, and without.
const WORDS: [&str; 32] = [
    "time", "water", "light", "house", "green", "river", "stone", "paper", "table", "music", "north", "early", "small",
    "seven", "glass", "round", "plain", "quiet", "under", "again", "world", "place", "night", "morn", "field", "open",
    "sharp", "bread", "cloud", "grain", "metal", "sound",
];
/// One token each, two to four bytes long.
const WIDE: [&str; 4] = ["é", "€", "日", "😀"];

/// What the model says when it calls no tool. Every such answer begins the same, so all of them share the longest one.
#[derive(Debug, Default)]
pub(crate) struct Said(Mutex<Arc<[u32]>>);

impl Said {
    fn at_least(&self, config: &SimConfig, wanted: usize) -> Arc<[u32]> {
        let mut longest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if longest.len() < wanted {
            *longest = said(config, wanted.next_power_of_two()).into();
        }
        Arc::clone(&longest)
    }
}

/// The tokens of an answer, and possibly more; as text they have exactly these tokens again.
pub(crate) fn tokens(config: &SimConfig, asked: &Asked, shared: &Said) -> Arc<[u32]> {
    let wanted = usize::try_from(asked.tokens).unwrap_or(usize::MAX);
    let Some(call) = &asked.tool else {
        return match &asked.canned {
            Some(text) => repeated(text, wanted).into(),
            None => shared.at_least(config, wanted),
        };
    };
    let reasoning = usize::try_from(reasoning_tokens(config, asked)).unwrap_or(usize::MAX);
    let mut tokens = words(config, reasoning);
    tokens.extend(arguments(config, call, wanted - reasoning, asked.stops));
    tokens.truncate(wanted);
    tokens.into()
}

/// How many of the answer's tokens are reasoning.
pub(crate) fn reasoning_tokens(config: &SimConfig, asked: &Asked) -> u32 {
    if asked.chat { config.reasoning_tokens.min(asked.tokens) } else { 0 }
}

fn said(config: &SimConfig, wanted: usize) -> Vec<u32> {
    match &config.answer {
        Some(text) => repeated(text, wanted),
        None => words(config, wanted),
    }
}

/// A text, from the start again until there are enough tokens.
fn repeated(text: &str, wanted: usize) -> Vec<u32> {
    let mut tokens = tokenize(text);
    let again = tokenize(&format!(" {text}"));
    while tokens.len() < wanted {
        tokens.extend(again.iter().take(wanted - tokens.len()));
    }
    tokens
}

fn words(config: &SimConfig, wanted: usize) -> Vec<u32> {
    let mut random = Random(config.seed);
    let wide = config.framing.split_utf8_us.is_some();
    // A space and a word are one token, so the tokens of the text are those of its words.
    let (narrow_ids, wide_ids) = (WORDS.map(spaced), WIDE.map(spaced));
    let mut tokens = Vec::with_capacity(wanted);
    tokens.extend((0..wanted).map(|index| {
        let list = if wide && index % 4 == 3 { wide_ids.as_slice() } else { &narrow_ids };
        pick(list, &mut random)
    }));
    if let Some(first) = tokens.first_mut() {
        *first = without_space(*first);
    }
    tokens
}

fn spaced(word: &str) -> u32 {
    tokenize(&format!(" {word}")).first().copied().unwrap_or_default()
}

fn pick(list: &[u32], random: &mut Random) -> u32 {
    let place = random.next() % u64::try_from(list.len()).unwrap_or(u64::MAX);
    usize::try_from(place).ok().and_then(|place| list.get(place)).copied().unwrap_or_default()
}

/// A JSON object with one text argument, filled so that it has `wanted` tokens. An answer that is cut off at its limit
/// may be too short to close the object; one that stops by itself never is, since [`least`] is its lower bound.
fn arguments(config: &SimConfig, call: &ToolCall, wanted: usize, stops: bool) -> Vec<u32> {
    let (opening, closing) = frame(call);
    let fill = words(config, wanted.saturating_sub(opening.len() + closing.len()));
    let mut tokens = opening;
    tokens.extend(fill);
    if stops || tokens.len() + closing.len() <= wanted {
        tokens.extend(closing);
    }
    tokens
}

/// Fewest tokens of an answer that calls this tool and ends by itself.
pub(crate) fn least(config: &SimConfig, call: &ToolCall) -> u32 {
    let (opening, closing) = frame(call);
    let arguments = u32::try_from(opening.len() + closing.len()).unwrap_or(u32::MAX);
    arguments.saturating_add(config.reasoning_tokens)
}

fn frame(call: &ToolCall) -> (Vec<u32>, Vec<u32>) {
    (tokenize(&format!("{{{}:\"", Value::from(call.argument.as_str()))), tokenize("\"}"))
}

/// Adds the text of some of an answer's tokens.
pub(crate) fn append_text(text: &mut String, tokens: &[u32], from: u32, to: u32) {
    let place = |index: u32| usize::try_from(index).unwrap_or(usize::MAX);
    append_tokens(text, tokens.get(place(from)..place(to)).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::{Said, words};
    use crate::config::{Framing, SimConfig};
    use crate::tokenizer::{detokenize, tokenize};

    #[test]
    fn words_are_their_own_tokens() {
        let wide = Framing { split_utf8_us: Some(1), ..Framing::default() };
        for config in [SimConfig::default(), SimConfig { framing: wide, ..SimConfig::default() }] {
            let tokens = words(&config, 500);
            assert_eq!(tokens.len(), 500);
            assert_eq!(detokenize(&tokens).map(|text| tokenize(&text)), Ok(tokens));
        }
    }

    #[test]
    fn a_longer_answer_begins_like_a_shorter_one() {
        let text = SimConfig { answer: Some("Once upon a time. ".to_owned()), ..SimConfig::default() };
        for config in [SimConfig::default(), text] {
            let short = Said::default().at_least(&config, 10);
            let shared = Said::default();
            let before = shared.at_least(&config, 3);
            let long = shared.at_least(&config, 500);
            assert!(long.len() >= 500);
            assert!(long.starts_with(&short) && long.starts_with(&before));
        }
    }
}
