//! What the simulated model says.

use serde_json::Value;

use crate::config::SimConfig;
use crate::protocol::{Asked, ToolCall};
use crate::schedule::Random;
use crate::tokenizer::{detokenize, tokenize};

/// One token each with a leading space, and without.
const WORDS: [&str; 32] = [
    "time", "water", "light", "house", "green", "river", "stone", "paper", "table", "music", "north", "early", "small",
    "seven", "glass", "round", "plain", "quiet", "under", "again", "world", "place", "night", "morn", "field", "open",
    "sharp", "bread", "cloud", "grain", "metal", "sound",
];
/// One token each, two to four bytes long.
const WIDE: [&str; 4] = ["é", "€", "日", "😀"];

/// The tokens of an answer; as text they have exactly these tokens again.
pub(crate) fn tokens(config: &SimConfig, asked: &Asked) -> Vec<u32> {
    let wanted = usize::try_from(asked.tokens).unwrap_or(usize::MAX);
    let reasoning = usize::try_from(reasoning_tokens(config, asked)).unwrap_or(usize::MAX);
    let mut tokens = match &asked.tool {
        Some(call) => {
            let mut tokens = words(config, reasoning);
            tokens.extend(arguments(config, call, wanted - reasoning, asked.stops));
            tokens
        }
        None => said(config, wanted),
    };
    tokens.truncate(wanted);
    tokens
}

/// How many of the answer's tokens are reasoning.
pub(crate) fn reasoning_tokens(config: &SimConfig, asked: &Asked) -> u32 {
    if asked.chat { config.reasoning_tokens.min(asked.tokens) } else { 0 }
}

fn said(config: &SimConfig, wanted: usize) -> Vec<u32> {
    let Some(text) = &config.answer else { return words(config, wanted) };
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
    let mut text = String::with_capacity(wanted * 6);
    for index in 0..wanted {
        if index > 0 {
            text.push(' ');
        }
        text.push_str(if wide && index % 4 == 3 { pick(&WIDE, &mut random) } else { pick(&WORDS, &mut random) });
    }
    tokenize(&text)
}

fn pick<'a>(list: &[&'a str], random: &mut Random) -> &'a str {
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

/// The text of some of an answer's tokens.
pub(crate) fn text(tokens: &[u32], from: u32, to: u32) -> String {
    let place = |index: u32| usize::try_from(index).unwrap_or(usize::MAX);
    tokens.get(place(from)..place(to)).map(|part| detokenize(part).unwrap_or_default()).unwrap_or_default()
}
