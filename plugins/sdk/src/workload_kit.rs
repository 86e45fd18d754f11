//! What workloads share: parameters declared once as a table, phases whose sessions are a single turn, identities that
//! keep any two prompts of a run apart, and picking the host's measures for a summary.
//!
//! Everything that comes in (parameters, model facts, session keys, measures) may be hostile, so arithmetic saturates,
//! sizes are bounded, and anything odd is a [`Problem`] or is left out.

mod chat;
mod one_turn;
mod params;
mod picks;
#[cfg(not(target_arch = "wasm32"))]
pub mod trial;

pub use chat::{Chat, Defaults, chat_params};
pub use one_turn::{About, OneTurn, Questions, Session, Single, Wording};
pub use params::{Kind, Param, Params, Spec};
pub use picks::{as_metric, by_variable, curves, headline, metric, ratio, value_of, variable_of};

use crate::types::{Problem, Sampling};
use crate::workload::{Facts, SessionKey, Variable};

/// The largest prompt or answer, in tokens, that a parameter may ask for: sixteen times the longest context on offer
/// today, and small enough that sums of two stay far inside 32 bits.
pub const MOST_TOKENS: u64 = 1 << 24;

/// Words between the corpus offsets of neighbouring sessions. Prime, so that the sessions of one phase start at different
/// words of any corpus whose length it does not divide.
const STRIDE: u64 = 7919;

/// A problem in the vocabulary of workloads.
pub fn problem(code: &str, message: String, hint: &str) -> Problem {
    Problem { code: code.into(), message, hint: (!hint.is_empty()).then(|| hint.into()) }
}

/// A variable of a phase.
pub fn variable(name: &str, value: u64, unit: &str) -> Variable {
    // Exact: every count that workloads use is below 2^53.
    Variable { name: name.into(), value: value as f64, unit: unit.into() }
}

/// Greedy sampling, the same in every run.
pub fn greedy() -> Sampling {
    Sampling { temperature: Some(0.0), top_p: None, top_k: None, seed: Some(1) }
}

/// Why a request of this size is not possible with this model, if it is not.
///
/// A model whose limit is unknown is taken to have room: the backend will say so if it has not.
pub fn too_long(facts: &Facts, prompt_tokens: u64, answer_tokens: u64) -> Option<String> {
    let limit = facts.context_length?;
    let needed = prompt_tokens.saturating_add(answer_tokens);
    (needed > limit).then(|| {
        format!(
            "needs {prompt_tokens} prompt + {answer_tokens} answer = {needed} tokens, and a request may have {limit}"
        )
    })
}

/// What sets one session apart from every other of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Where in the corpus the session's text begins.
    pub offset: u64,
    /// A number that no other session of the run has, hash collisions aside.
    pub salt: u64,
}

impl Identity {
    /// Derives the identity from the workload's name and the session's key. Warm-up sessions take the odd places and
    /// measured ones the even places of one sequence, so neither repeats the other's prompt.
    pub fn of(workload: &str, key: &SessionKey) -> Self {
        let place = u64::from(key.index) * 2 + u64::from(key.warmup);
        let phase = mix(mix(key.seed, hash(workload)), hash(&key.phase));
        // 48 bits of base and 46 of distance: the sum cannot wrap, which would break the even spacing.
        Self { offset: (phase >> 16) + place * STRIDE, salt: mix(phase, place) }
    }

    /// The salt as 16 hexadecimal digits.
    pub fn salt_text(&self) -> String {
        format!("{:016x}", self.salt)
    }
}

/// FNV-1a, 64 bits: public, tiny, and the same on every machine.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Stirs `value` into `state` with the finaliser of SplitMix64, which is a bijection of the sum.
fn mix(state: u64, value: u64) -> u64 {
    let mut z = state.wrapping_add(value.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn key(phase: &str, warmup: bool, index: u32, seed: u64) -> SessionKey {
        SessionKey { phase: phase.into(), warmup, index, seed }
    }

    #[test]
    fn sessions_of_a_phase_start_at_different_words() {
        let words = 50_021;
        let offsets: BTreeSet<u64> = (0..2_000)
            .flat_map(|index| [false, true].map(|warmup| Identity::of("w", &key("p", warmup, index, 7)).offset % words))
            .collect();
        assert_eq!(offsets.len(), 4_000);
    }

    #[test]
    fn salts_differ_between_phases_runs_and_workloads() {
        let base = Identity::of("w", &key("p", false, 0, 7));
        for other in [
            Identity::of("w", &key("p", true, 0, 7)),
            Identity::of("w", &key("q", false, 0, 7)),
            Identity::of("w", &key("p", false, 0, 8)),
            Identity::of("v", &key("p", false, 0, 7)),
        ] {
            assert_ne!(base.salt, other.salt);
        }
        assert_eq!(base, Identity::of("w", &key("p", false, 0, 7)));
    }

    #[test]
    fn the_largest_index_does_not_overflow() {
        for seed in [0, u64::MAX] {
            Identity::of("w", &key("p", true, u32::MAX, seed));
        }
    }

    #[test]
    fn limits_are_compared_without_overflow() {
        let facts =
            |context_length| Facts { model: "m".into(), context_length, slots: None, tools: false, quick: false };
        assert_eq!(too_long(&facts(None), u64::MAX, u64::MAX), None);
        assert_eq!(too_long(&facts(Some(384)), 128, 256), None);
        assert!(too_long(&facts(Some(383)), 128, 256).is_some_and(|why| why.contains("383") && why.contains("384")));
        assert!(too_long(&facts(Some(u64::MAX - 1)), u64::MAX, 1).is_some());
    }
}
