//! The built-in tokenizer and chat template.
//!
//! It has no vocabulary: a token's id holds the token's text, so counting, tokenizing and detokenizing are exact, the same
//! on every machine, and need no state.
//!
//! At each position the token is, with one leading space if there is exactly one to take and something follows it:
//! - the longest run of `[A-Za-z0-9_]`, at most five bytes of it, or else
//! - one other character (a further space, a line end, punctuation, any letter outside ASCII).
//!
//! So `" hello"` is one token, `" benchmark"` two (`" bench"`, `"mark"`), `"  x"` two (`" "`, `" x"`), and adding a space and
//! a word of at most five letters to any text that does not end in a space adds exactly one token.
//!
//! Layout of an id (32 bits): bit 31 clear means a word, six bits per byte, first byte lowest, 0 for "no more"; bit 31 set
//! means one character, whose scalar value is in the low 21 bits. Bit 30 is the leading space. Scalar values past the end
//! of Unicode are the template's own tokens.

use thiserror::Error;

/// Most bytes of a word in one token.
pub const WORD_BYTES: usize = 5;
/// Tokens that the chat template adds to every message: start, role, end.
pub const MESSAGE_OVERHEAD: u32 = 3;
/// Tokens that the chat template adds at the end to ask for an answer: start, role.
pub const GENERATION_OVERHEAD: u32 = 2;

const SPACE: u32 = 1 << 30;
const OTHER: u32 = 1 << 31;
const SCALAR: u32 = (1 << 21) - 1;
const FIRST_SPECIAL: u32 = 0x11_0000;

/// A token of the chat template, which no text can produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Special {
    Start,
    End,
    System,
    User,
    Assistant,
    Tool,
    Tools,
}

const SPECIALS: [(Special, &str); 7] = [
    (Special::Start, "<|start|>"),
    (Special::End, "<|end|>"),
    (Special::System, "<|system|>"),
    (Special::User, "<|user|>"),
    (Special::Assistant, "<|assistant|>"),
    (Special::Tool, "<|tool|>"),
    (Special::Tools, "<|tools|>"),
];

impl Special {
    /// The token of a message's role; `developer` is another word for `system`.
    pub(crate) fn role(name: &str) -> Option<Self> {
        match name {
            "system" | "developer" => Some(Self::System),
            "user" => Some(Self::User),
            "assistant" => Some(Self::Assistant),
            "tool" => Some(Self::Tool),
            _ => None,
        }
    }

    pub(crate) fn id(self) -> u32 {
        OTHER | (FIRST_SPECIAL + self as u32)
    }
}

/// An id that is no token of this tokenizer.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0} is not a token id of the simulated engine's tokenizer")]
pub struct UnknownToken(pub u32);

impl UnknownToken {
    /// Stable identifier in kebab case.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "unknown-token"
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some("`POST /tokenize` gives the ids of a text".to_owned())
    }
}

/// The ids of a text's tokens.
#[must_use]
pub fn tokenize(text: &str) -> Vec<u32> {
    let mut ids = Vec::with_capacity(text.len() / 4 + 1);
    let mut rest = text;
    while !rest.is_empty() {
        let (flag, body) = match rest.strip_prefix(' ') {
            Some(after) if after.starts_with(|next| next != ' ') => (SPACE, after),
            _ => (0, rest),
        };
        let mut word = 0;
        let mut length = 0;
        for (place, digit) in body.bytes().take(WORD_BYTES).map_while(digit).enumerate() {
            word |= digit << (6 * place);
            length = place + 1;
        }
        if length > 0 {
            ids.push(flag | word);
        } else if let Some(other) = body.chars().next() {
            ids.push(flag | OTHER | u32::from(other));
            length = other.len_utf8();
        }
        rest = body.get(length..).unwrap_or_default();
    }
    ids
}

/// How many tokens a text has.
#[must_use]
pub fn count(text: &str) -> usize {
    tokenize(text).len()
}

/// The text of a sequence of tokens: the inverse of [`tokenize`].
///
/// # Errors
/// The first id that no text and no template produces.
pub fn detokenize(ids: &[u32]) -> Result<String, UnknownToken> {
    let mut text = String::with_capacity(ids.len() * 4);
    for &id in ids {
        append(&mut text, id).ok_or(UnknownToken(id))?;
    }
    Ok(text)
}

/// Adds the text of tokens that are known to be some; an id that is none adds nothing.
pub(crate) fn append_tokens(text: &mut String, ids: &[u32]) {
    for &id in ids {
        let before = text.len();
        if append(text, id).is_none() {
            text.truncate(before);
        }
    }
}

/// The same token without its leading space.
pub(crate) fn without_space(id: u32) -> u32 {
    id & !SPACE
}

fn append(text: &mut String, id: u32) -> Option<()> {
    if id & SPACE != 0 {
        text.push(' ');
    }
    if id & OTHER == 0 {
        let mut word = id & !SPACE;
        if word == 0 {
            return None;
        }
        while word != 0 {
            text.push(letter(word & 63)?);
            word >>= 6;
        }
        return Some(());
    }
    if id & !(OTHER | SPACE | SCALAR) != 0 {
        return None;
    }
    let scalar = id & SCALAR;
    if let Some(special) = scalar.checked_sub(FIRST_SPECIAL) {
        let (_, name) = SPECIALS.iter().find(|(token, _)| *token as u32 == special)?;
        text.push_str(name);
        return (id & SPACE == 0).then_some(());
    }
    text.push(char::from_u32(scalar)?);
    Some(())
}

fn digit(byte: u8) -> Option<u32> {
    let digit = match byte {
        b'0'..=b'9' => byte - b'0' + 1,
        b'A'..=b'Z' => byte - b'A' + 11,
        b'a'..=b'z' => byte - b'a' + 37,
        b'_' => 63,
        _ => return None,
    };
    Some(u32::from(digit))
}

fn letter(digit: u32) -> Option<char> {
    let digit = u8::try_from(digit).ok()?;
    let byte = match digit {
        1..=10 => b'0' + (digit - 1),
        11..=36 => b'A' + (digit - 11),
        37..=62 => b'a' + (digit - 37),
        63 => b'_',
        _ => return None,
    };
    Some(char::from(byte))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_documented_examples_hold() {
        for (text, tokens) in [
            ("", 0),
            (" hello", 1),
            (" benchmark", 2),
            ("  x", 2),
            ("x ", 2),
            ("Hello, world!\n", 5),
            (" €", 1),
            ("naïve", 3),
        ] {
            assert_eq!(count(text), tokens, "{text:?}");
        }
    }

    #[test]
    fn template_tokens_have_names_and_are_not_text() {
        for (special, name) in SPECIALS {
            assert_eq!(detokenize(&[special.id()]).unwrap(), name);
            assert!(!tokenize(name).contains(&special.id()));
        }
    }

    #[test]
    fn ids_that_nothing_produces_are_refused() {
        for id in [0, SPACE, 37 << 6, OTHER | 0xD800, OTHER | (FIRST_SPECIAL + 7), OTHER | SPACE | FIRST_SPECIAL] {
            assert_eq!(detokenize(&[id]), Err(UnknownToken(id)), "{id:#x}");
        }
    }

    proptest! {
        #[test]
        fn detokenizing_gives_the_text_back(text in any::<String>()) {
            prop_assert_eq!(detokenize(&tokenize(&text)).unwrap(), text);
        }

        #[test]
        fn a_short_word_adds_one_token(text in "[ -~é\n]{0,40}[!-~]", word in "[a-z]{1,5}") {
            prop_assert_eq!(count(&format!("{text} {word}")), count(&text) + 1);
        }

        #[test]
        fn any_id_is_decoded_or_refused(id in any::<u32>()) {
            if let Ok(text) = detokenize(&[id]) {
                prop_assert!(!text.is_empty());
            }
        }
    }
}
