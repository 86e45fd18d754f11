//! From a turn of a workload to a request that is ready for the wire: salted, cut to length, encoded, hashed.
//!
//! All of this happens before the request's send time, and so does every guest call in it.

use std::sync::Arc;

use bench_metrics as metrics;
use bench_plugin::types::{CacheMode, Generation, Prompt};
use bench_plugin::workload_types::Turn;
use bench_record::{FitKind, Honoured, PromptFit};
use bench_suite::{Corpus, Fitter, NextAsk, Suite};
use bench_wire::Prepared;
use sha2::{Digest as _, Sha256};

use crate::engine::Engine;
use crate::error::RunError;

/// A request that is ready, with what must be known to judge its answer.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) turn_id: String,
    pub(crate) prepared: Prepared,
    pub(crate) expectation: metrics::Expectation,
    pub(crate) fit: Option<PromptFit>,
    /// Content of the message that was fitted, without the salt.
    pub(crate) fitted: Option<String>,
    pub(crate) prompt_sha256: String,
    pub(crate) request_sha256: String,
    pub(crate) honoured: Honoured,
    /// The model that it asks for, where the load mixes several.
    pub(crate) model: Option<String>,
}

/// Lower-case hex of a SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    bench_suite::Digest::of(bytes).to_string()
}

/// A text that no other request of any run carries: derived from the run's seed and the request's place in it.
pub(crate) fn salt(seed: u64, place: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_le_bytes());
    hasher.update(place.as_bytes());
    hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Puts the salt where a prefix cache looks first: before the text of the first message.
fn add_salt(prompt: &mut Prompt, salt: &str) {
    let mark = format!("[{salt}] ");
    match prompt {
        Prompt::Messages(messages) => {
            if let Some(first) = messages.first_mut() {
                first.content.insert_str(0, &mark);
            }
        }
        Prompt::Text(text) => text.insert_str(0, &mark),
        Prompt::Other(_) => {}
    }
}

fn content(prompt: &mut Prompt, index: u32) -> Option<&mut String> {
    match prompt {
        Prompt::Messages(messages) => messages.get_mut(index as usize).map(|message| &mut message.content),
        Prompt::Text(text) => (index == 0).then_some(text),
        Prompt::Other(_) => None,
    }
}

fn characters(prompt: &Prompt) -> u64 {
    let count = |text: &str| text.chars().count() as u64;
    match prompt {
        Prompt::Messages(messages) => messages
            .iter()
            .map(|message| {
                count(&message.content) + message.tool_calls.iter().map(|call| count(&call.arguments)).sum::<u64>()
            })
            .sum(),
        Prompt::Text(text) | Prompt::Other(text) => count(text),
    }
}

/// Makes one request ready.
pub(crate) async fn ready(
    engine: &mut Engine,
    suite: &Suite,
    workload: &str,
    turn: Turn,
    salt: String,
    model: Option<String>,
) -> Result<Ready, RunError> {
    let bad = |reason: String| RunError::BadPlan { workload: workload.to_owned(), reason };
    let Turn { id, mut generation, fit, suffix } = turn;
    let mut fitted = None;
    let counted;
    let mut prompt_fit = None;
    match fit {
        Some(fit) => {
            let corpus = suite
                .corpus(&fit.corpus)
                .ok_or_else(|| bad(format!("the suite has no corpus `{}`", fit.corpus)))?
                .clone();
            let base = content(&mut generation.prompt, fit.message)
                .ok_or_else(|| bad(format!("turn `{id}` has no message {}", fit.message)))?
                .clone();
            let (text, result) = cut_to_length(engine, &mut generation, &fit, &base, &suffix, &salt, corpus).await?;
            counted = result.actual;
            prompt_fit = Some(result);
            fitted = Some(text);
            add_salt(&mut generation.prompt, &salt);
        }
        None => {
            add_salt(&mut generation.prompt, &salt);
            counted = engine.count(&generation).await?;
        }
    }
    generation.salt = Some(salt);
    let encoded = engine.encode(&generation, model.as_deref())?;
    let cache = match generation.cache {
        CacheMode::Cold => metrics::Cache::Cold,
        CacheMode::Warm => metrics::Cache::Warm,
    };
    let request = engine.line.request(encoded.request);
    let request_sha256 = sha256(&request.body);
    Ok(Ready {
        turn_id: id,
        prompt_sha256: sha256(&serde_json::to_vec(&generation.prompt).unwrap_or_default()),
        request_sha256,
        prepared: engine.client.prepare(request)?,
        expectation: metrics::Expectation {
            prompt_tokens: counted,
            output_tokens: None,
            requested_output: u64::from(generation.max_tokens),
            cache,
            forced_length: encoded.forced_length,
        },
        fit: prompt_fit,
        fitted,
        honoured: Honoured {
            forced_length: encoded.forced_length,
            cache_off: encoded.cache_off,
            seeded: encoded.seeded,
        },
        model,
    })
}

/// Appends text of the corpus to one message until the whole prompt, salt and template included, counts the target. Leaves
/// the message with the text in it and without the salt, and returns that content.
async fn cut_to_length(
    engine: &mut Engine,
    generation: &mut Generation,
    fit: &bench_plugin::workload_types::Fit,
    base: &str,
    suffix: &str,
    salt: &str,
    corpus: Arc<Corpus>,
) -> Result<(String, PromptFit), RunError> {
    let with = |text: &str| format!("{base}{text}{suffix}");
    let set = |generation: &mut Generation, value: String| {
        if let Some(place) = content(&mut generation.prompt, fit.message) {
            *place = value;
        }
    };
    let nominal = |generation: &mut Generation| {
        set(generation, with(""));
        let others = characters(&generation.prompt) + salt.len() as u64 + 3;
        Fitter::nominal(&corpus, fit.offset, fit.prompt_tokens, others)
    };
    let result = if engine.counts {
        let mut fitter = Fitter::new(corpus.clone(), fit.offset, fit.prompt_tokens);
        loop {
            match fitter.next() {
                NextAsk::Done(found) => break found,
                NextAsk::Ask(text) => {
                    set(generation, with(&text));
                    let mut salted = generation.clone();
                    add_salt(&mut salted.prompt, salt);
                    match engine.count(&salted).await? {
                        Some(tokens) => fitter.answer(tokens),
                        None => break nominal(generation),
                    }
                }
            }
        }
    } else {
        nominal(generation)
    };
    let kind = if result.exact() { FitKind::Exact } else { FitKind::Nominal };
    let content = with(&result.text);
    set(generation, content.clone());
    Ok((content, PromptFit { kind, requested: fit.prompt_tokens, actual: result.tokens }))
}
