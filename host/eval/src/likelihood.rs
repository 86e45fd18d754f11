//! How likely a model finds a given text, asked of backends that were made to produce text.
//!
//! Two ways lead there. Most servers of the OpenAI kind can repeat the prompt with the log-probability of each token (`echo`): the
//! continuation is part of the prompt, and its tokens are the last ones. llama.cpp's cannot, but lets a grammar dictate the answer,
//! and reports the probabilities that the model gave before the grammar had its say.
//!
//! Backends answer such requests with nonsense more often than with an error: zeros, one number for everything, or the
//! probabilities of another text. [`verdict`] looks at a few answers that are known in advance before anything is graded.

use bench_plugin::types::{CacheMode, Generation, Prompt, Sampling, TokenLogprob};
use bench_samples::LikelihoodRecord;
use serde_json::{Map, Value};

use crate::backend::{Answer, Backend};
use crate::error::EvalError;

/// A way to likelihoods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The prompt is repeated.
    Echo,
    /// A grammar dictates the answer.
    Grammar,
}

/// The way that a backend's driver has.
pub(crate) fn way<B: Backend>(backend: &B) -> Result<Way, EvalError> {
    match backend.driver() {
        _ if !backend.takes_fields() => Err(EvalError::NoLikelihoods { driver: backend.driver().to_owned() }),
        "llama-cpp" => Ok(Way::Grammar),
        "vllm" | "sglang" | "openai" => Ok(Way::Echo),
        other => Err(EvalError::NoLikelihoods { driver: other.to_owned() }),
    }
}

/// The request for the likelihood of `continuation` after `context`.
pub(crate) fn request(way: Way, context: &str, continuation: &str) -> (Generation, Map<String, Value>) {
    let (text, max_tokens, field) = match way {
        Way::Echo => (format!("{context}{continuation}"), 1, ("echo".to_owned(), Value::Bool(true))),
        Way::Grammar => {
            // No token is shorter than a byte.
            let most = u32::try_from(continuation.len()).unwrap_or(u32::MAX).saturating_add(1);
            (context.to_owned(), most, ("grammar".to_owned(), Value::String(grammar(continuation))))
        }
    };
    let generation = Generation {
        prompt: Prompt::Text(text),
        tools: Vec::new(),
        max_tokens,
        force_length: false,
        stop: Vec::new(),
        sampling: Sampling { temperature: Some(0.0), top_p: None, top_k: None, seed: None },
        cache: CacheMode::Warm,
        salt: None,
        logprobs: Some(1),
    };
    (generation, Map::from_iter([field]))
}

/// A grammar of one sentence, in llama.cpp's notation.
fn grammar(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            other => escaped.push(other),
        }
    }
    format!("root ::= \"{escaped}\"")
}

/// The likelihood in an answer, or why it is not there.
pub(crate) fn read(way: Way, continuation: &str, answer: &Answer) -> Result<LikelihoodRecord, String> {
    if answer.logprobs.is_empty() {
        return Err("the backend reported no log-probabilities".to_owned());
    }
    let tokens = match way {
        Way::Echo => {
            // The last token is the one that had to be produced; a backend that can produce none has no such token.
            let all = answer.logprobs.as_slice();
            let without = all.get(..all.len() - 1).unwrap_or_default();
            ending(without, continuation).or_else(|| ending(all, continuation))
        }
        Way::Grammar => {
            let all: Vec<&TokenLogprob> = answer.logprobs.iter().collect();
            let text: String = all.iter().map(|token| token.token.as_str()).collect();
            // A token that ends the answer stands after it, with or without a text of its own.
            let whole =
                text == continuation || text.strip_prefix(continuation).is_some_and(|rest| rest.starts_with('<'));
            whole.then(|| beginning(&all, continuation.len())).flatten()
        }
    };
    let tokens = tokens.ok_or("the tokens that the backend reported are not those of the continuation")?;
    let sum: f64 = tokens.iter().map(|token| token.logprob).sum();
    if !sum.is_finite() || tokens.iter().any(|token| token.logprob > 1e-4) {
        return Err(format!("the backend reported {sum} as a log-probability"));
    }
    Ok(LikelihoodRecord {
        text: continuation.to_owned(),
        logprob: Some(sum),
        tokens: u32::try_from(tokens.len()).unwrap_or(u32::MAX),
        greedy: None,
        unconditional: None,
    })
}

/// The last tokens, as many as make up `text`. A token that began before it belongs to it too: its likelihood cannot be parted.
fn ending<'t>(tokens: &'t [TokenLogprob], text: &str) -> Option<Vec<&'t TokenLogprob>> {
    let mut taken = Vec::new();
    let mut length = 0;
    for token in tokens.iter().rev() {
        if length >= text.len() {
            break;
        }
        length += token.token.len();
        taken.push(token);
    }
    taken.reverse();
    let said: String = taken.iter().map(|token| token.token.as_str()).collect();
    (!taken.is_empty() && said.ends_with(text)).then_some(taken)
}

fn beginning<'t>(tokens: &[&'t TokenLogprob], length: usize) -> Option<Vec<&'t TokenLogprob>> {
    let mut so_far = 0;
    let taken: Vec<&TokenLogprob> = tokens
        .iter()
        .take_while(|token| {
            let within = so_far < length;
            so_far += token.token.len();
            within
        })
        .copied()
        .collect();
    (!taken.is_empty()).then_some(taken)
}

/// What the self-test asks: the beginning of a sentence, a likely end of it and an unlikely one.
pub(crate) const KNOWN: [(&str, [&str; 2]); 3] = [
    ("The days of the week are Monday, Tuesday, Wednesday, Thursday,", [" Friday", " zqxjv"]),
    ("One, two, three, four,", [" five", " marmalade"]),
    // Once more, to see that the same request has the same answer.
    ("One, two, three, four,", [" five", " marmalade"]),
];

/// Whether these likelihoods, in the order of [`KNOWN`], can be what they claim.
pub(crate) fn verdict(found: &[[f64; 2]]) -> Result<(), EvalError> {
    let refuse = |reason: &str| Err(EvalError::DegenerateLogprobs { reason: reason.to_owned() });
    let all: Vec<f64> = found.iter().flatten().copied().collect();
    if all.iter().any(|value| !value.is_finite()) {
        return refuse("some are no numbers");
    }
    if all.iter().all(|value| value.abs() < 1e-9) {
        return refuse("all are zero, as if every text were certain");
    }
    let spread = all.iter().copied().fold(f64::MIN, f64::max) - all.iter().copied().fold(f64::MAX, f64::min);
    if spread < 1e-6 {
        return refuse("all texts are equally likely");
    }
    if let [first @ .., before, again] = found {
        let drift = before.iter().zip(again).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max);
        if drift > 0.5 {
            return refuse("the same request has another answer the second time");
        }
        if first.iter().chain([before]).all(|[likely, unlikely]| likely <= unlikely) {
            return refuse("nonsense is more likely than the plain continuation of a sentence each time");
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    fn answer(tokens: &[(&str, f64)]) -> Answer {
        let logprobs =
            tokens.iter().map(|(token, logprob)| TokenLogprob { token: (*token).to_owned(), logprob: *logprob });
        Answer { logprobs: logprobs.collect(), ..Answer::default() }
    }

    #[test]
    fn an_echo_ends_with_the_continuation_and_one_token_more() {
        let echoed = answer(&[(" capital", -3.0), (" is", -0.5), (" Par", -1.0), ("is", -0.25), (".", -2.0)]);
        let found = read(Way::Echo, " Paris", &echoed).unwrap();
        assert_eq!((found.logprob, found.tokens), (Some(-1.25), 2));
        let without = answer(&[(" is", -0.5), (" Par", -1.0), ("is", -0.25)]);
        assert_eq!(read(Way::Echo, " Paris", &without).unwrap().logprob, Some(-1.25));
        let spanning = answer(&[("is P", -0.5), ("aris", -1.0), ("!", -1.0)]);
        assert_eq!(read(Way::Echo, "Paris", &spanning).unwrap().logprob, Some(-1.5));
        for bad in [answer(&[]), answer(&[(" Rome", -1.0)]), answer(&[(" Paris", 2.0), (".", 0.0)])] {
            assert!(read(Way::Echo, " Paris", &bad).is_err());
        }
    }

    #[test]
    fn a_grammar_dictates_the_whole_answer() {
        let dictated = answer(&[(" Par", -1.0), ("is", -0.25), ("", -0.5)]);
        assert_eq!(read(Way::Grammar, " Paris", &dictated).unwrap().logprob, Some(-1.25));
        let ended = answer(&[(" Paris", -1.0), ("<|im_end|>", -9.0)]);
        assert_eq!(read(Way::Grammar, " Paris", &ended).unwrap().logprob, Some(-1.0));
        assert!(read(Way::Grammar, " Paris", &answer(&[(" Par", -1.0)])).is_err());
        assert_eq!(grammar("a\"\\\n"), "root ::= \"a\\\"\\\\\\n\"");
    }

    #[test]
    fn degenerate_likelihoods_are_refused() {
        assert!(verdict(&[[-1.0, -20.0], [-0.5, -15.0], [-0.5, -15.1]]).is_ok());
        for bad in [
            [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]],
            [[-3.0, -3.0], [-3.0, -3.0], [-3.0, -3.0]],
            [[-1.0, -20.0], [-0.5, -15.0], [-3.5, -15.0]],
            [[-20.0, -1.0], [-15.0, -1.0], [-15.0, -1.0]],
            [[f64::NAN, -20.0], [-0.5, -15.0], [-0.5, -15.0]],
        ] {
            assert_eq!(verdict(&bad).unwrap_err().code(), "degenerate-logprobs", "{bad:?}");
        }
    }
}
