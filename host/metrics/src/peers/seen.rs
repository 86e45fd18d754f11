//! A request as other tools look at it: a list of messages with times.

use crate::flag::Flag;
use crate::gaps::ms;
use crate::observation::{Channel, Event, Expectation, Observation};
use crate::request::RequestMetrics;
use crate::tokens::{TokenSource, count};

use super::PeerInput;

/// A piece of content with the moment at which it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) at: u64,
    pub(super) channel: Channel,
    /// Tokens that came with it, where the tokens of single fragments are known.
    pub(super) tokens: Option<u64>,
}

/// One request.
pub(super) struct Seen<'a> {
    pub(super) metrics: &'a RequestMetrics,
    started: u64,
    written: u64,
    ended: u64,
    /// Every message with a choice in it: a role, content even if empty, or an end that came by itself.
    pub(super) choices: Vec<u64>,
    /// Every non-empty piece of content.
    pub(super) pieces: Vec<Piece>,
    /// The moments of the first and the last event of any kind.
    pub(super) any: Option<(u64, u64)>,
}

impl<'a> Seen<'a> {
    pub(super) fn of(input: &PeerInput<'a>) -> Self {
        let (seen, metrics) = (input.observation, input.metrics);
        let at = |read: u32| seen.reads.get(read as usize).copied();
        let channels = seen.events.iter().filter_map(|located| match located.event {
            Event::Fragment { channel, bytes } if bytes > 0 && at(located.read).is_some() => Some(channel),
            _ => None,
        });
        let counted = count(seen, &asked(metrics));
        let piece = |(fragment, channel): (&crate::tokens::Fragment, Channel)| Piece {
            at: fragment.at,
            channel,
            tokens: fragment.tokens,
        };
        Self {
            metrics,
            started: seen.started,
            written: seen.first_byte_written.unwrap_or(seen.started),
            ended: seen.ended,
            choices: choices(seen),
            pieces: counted.fragments.iter().zip(channels).map(piece).collect(),
            any: seen.events.first().zip(seen.events.last()).and_then(|(a, b)| Some((at(a.read)?, at(b.read)?))),
        }
    }

    /// Milliseconds from the moment at which the client took up the request, connecting included.
    pub(super) fn since_start(&self, at: u64) -> f64 {
        ms(at.saturating_sub(self.started))
    }

    /// Milliseconds from the first byte written.
    pub(super) fn since_sent(&self, at: u64) -> f64 {
        ms(at.saturating_sub(self.written))
    }

    /// Milliseconds from the start to the end of the answer, whatever came last.
    pub(super) fn whole(&self) -> f64 {
        self.since_start(self.ended)
    }

    /// The pieces of the channels that `wanted` names.
    pub(super) fn of_channels(&self, wanted: &[Channel]) -> Vec<Piece> {
        self.pieces.iter().copied().filter(|piece| wanted.contains(&piece.channel)).collect()
    }

    /// Tokens of the prompt for a rate over the time to the first token; none where that time holds more than the prompt's evaluation.
    pub(super) fn prompt(&self) -> Option<f64> {
        let holds_more = [Flag::HiddenTokens, Flag::ModelLoaded].iter().any(|flag| self.metrics.flags.contains(flag));
        self.metrics.prompt_tokens.filter(|_| !holds_more).map(|tokens| tokens as f64)
    }

    /// Tokens produced, without hidden ones.
    pub(super) fn output(&self) -> Option<f64> {
        self.metrics.streamed_tokens().map(|tokens| tokens as f64)
    }
}

/// What was asked, as far as the number of tokens depends on it.
fn asked(metrics: &RequestMetrics) -> Expectation {
    let counted = metrics.output_tokens_source == TokenSource::Tokenizer;
    Expectation {
        prompt_tokens: metrics.prompt_tokens_counted,
        output_tokens: metrics.output_tokens.filter(|_| counted),
        requested_output: metrics.requested_output_tokens,
        cache: metrics.cache,
        forced_length: false,
    }
}

/// The moments of messages with a choice in them. Which events shared a message is not recorded: an end in the same read as the
/// message before it is taken for part of that message.
fn choices(seen: &Observation) -> Vec<u64> {
    let mut found = Vec::new();
    let mut last_read = None;
    for located in &seen.events {
        let counts = match located.event {
            Event::Start | Event::Fragment { .. } => true,
            Event::Finish(_) => last_read != Some(located.read),
            _ => false,
        };
        if let Some(at) = seen.reads.get(located.read as usize).filter(|_| counts) {
            found.push(*at);
            last_read = Some(located.read);
        }
    }
    found
}

/// Milliseconds between successive moments.
pub(super) fn gaps(at: impl IntoIterator<Item = u64>) -> Vec<f64> {
    let at: Vec<u64> = at.into_iter().collect();
    at.array_windows::<2>().map(|[a, b]| ms(b.saturating_sub(*a))).collect()
}
