//! What is kept of an answer while its events come out of the decoder, one by one and within bounds.
//!
//! A server decides what an answer holds, and its events can take many times the memory of its body. So an event is reduced to what
//! metrics need as soon as it is there, and texts are put together at once.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use bench_eval::CacheWrites;
use bench_metrics as metrics;
use bench_plugin::Fault;
use bench_plugin::driver_types::LocatedEvent;
use bench_plugin::types::{
    Event, FinishReason, Problem as PluginProblem, TokenLogprob, ToolCall, ToolCallDelta, Usage,
};
use bench_record::Problem;
use bench_wire::Secrets;
use serde_json::Value;

use crate::convert;

/// Events of one answer: one for every 64 bytes of the largest body. A token takes one to four.
const MOST_EVENTS: usize = 1 << 19;

/// Bytes of the texts of one answer, with what each token's probability and each call of a tool takes.
const MOST_BYTES: usize = 64 << 20;

/// A message about money has a few hundred bytes.
const LONGEST_CHARGES: usize = 16 << 10;

/// An answer as far as it was decoded.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The driver itself failed.
    pub(crate) fault: Option<Fault>,
    pub(crate) located: Vec<metrics::Located>,
    pub(crate) text: String,
    pub(crate) reasoning: String,
    /// The error that the server reported first.
    pub(crate) reported: Option<PluginProblem>,
    usage: Option<Usage>,
    /// Tokens of the prompt that were written to a cache.
    pub(crate) cache_write: CacheWrites,
    /// What the service says that the request cost, in US dollars.
    pub(crate) cost: Option<f64>,
    calls: BTreeMap<u32, ToolCall>,
    finish: Option<FinishReason>,
    logprobs: Vec<TokenLogprob>,
    keeps_logprobs: bool,
    /// Bytes of everything but `located`.
    bytes: usize,
    is_too_large: bool,
}

impl Answer {
    /// An answer that keeps the probabilities of tokens.
    pub(crate) fn with_logprobs() -> Self {
        Self { keeps_logprobs: true, ..Self::default() }
    }

    /// Takes an event; a break when the answer has more than is kept.
    pub(crate) fn take(&mut self, located: LocatedEvent) -> ControlFlow<()> {
        self.bytes = self.bytes.saturating_add(self.cost(&located.event));
        if self.located.len() >= MOST_EVENTS || self.bytes > MOST_BYTES {
            self.is_too_large = true;
            return ControlFlow::Break(());
        }
        self.located.push(convert::event(&located));
        match located.event {
            Event::Text(piece) => self.text.push_str(&piece),
            Event::Reasoning(piece) => self.reasoning.push_str(&piece),
            Event::ToolCall(delta) => self.add_call(delta),
            Event::Logprobs(logprobs) if self.keeps_logprobs => self.logprobs.extend(logprobs),
            Event::Finish(reason) => self.finish = Some(reason),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Other(said) => self.read_charges(&said),
            Event::Error(problem) => {
                self.reported.get_or_insert(problem);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    /// Takes what a driver says of money, in the keys that `wit/types.wit` names for `event.other`.
    fn read_charges(&mut self, said: &str) {
        if said.len() > LONGEST_CHARGES || !said.starts_with('{') {
            return;
        }
        let Ok(Value::Object(said)) = serde_json::from_str(said) else { return };
        let tokens =
            |name: &str| said.get(name).and_then(Value::as_u64).filter(|tokens| *tokens <= metrics::MAX_TOKENS);
        let cost = said.get("cost").and_then(Value::as_f64).filter(|cost| cost.is_finite() && *cost >= 0.0);
        self.cost = cost.or(self.cost);
        self.cache_write = CacheWrites {
            all: tokens("cache_write_tokens").unwrap_or(self.cache_write.all),
            for_an_hour: tokens("cache_write_1h_tokens").unwrap_or(self.cache_write.for_an_hour),
        };
    }

    /// The token counts without those that cannot be true: none of a prompt, none beside text.
    pub(crate) fn plausible_usage(&mut self) -> Option<Usage> {
        let usage = self.usage.take()?;
        let has_content = !(self.text.is_empty() && self.reasoning.is_empty() && self.calls.is_empty());
        Some(Usage {
            prompt_tokens: usage.prompt_tokens.filter(|tokens| *tokens > 0),
            completion_tokens: usage.completion_tokens.filter(|tokens| *tokens > 0 || !has_content),
            ..usage
        })
    }

    /// The problem of an answer that has more than is kept.
    pub(crate) fn too_large(&self) -> Option<Problem> {
        self.is_too_large.then(|| Problem {
            code: "answer-too-large".to_owned(),
            message: format!("the answer has more than {MOST_EVENTS} events, or more than {MOST_BYTES} bytes of text"),
            hint: Some("look at what the server sends; the trace has its first bytes".to_owned()),
        })
    }

    /// The calls of tools, put together from their fragments.
    pub(crate) fn take_tool_calls(&mut self) -> Vec<ToolCall> {
        std::mem::take(&mut self.calls).into_values().collect()
    }

    /// The calls of tools without keys.
    pub(crate) fn tool_calls_without(&mut self, secrets: &Secrets) -> Vec<ToolCall> {
        let mut calls = self.take_tool_calls();
        for call in &mut calls {
            for text in [&mut call.id, &mut call.name, &mut call.arguments] {
                *text = secrets.redact(text);
            }
        }
        calls
    }

    /// The probabilities of tokens without keys. A key may lie in several tokens.
    pub(crate) fn logprobs_without(&mut self, secrets: &Secrets) -> Vec<TokenLogprob> {
        let mut logprobs = std::mem::take(&mut self.logprobs);
        let mut tokens: Vec<&mut String> = logprobs.iter_mut().map(|logprob| &mut logprob.token).collect();
        secrets.mask_pieces(&mut tokens);
        logprobs
    }

    /// Why the model stopped.
    pub(crate) fn finish(&self) -> Option<&FinishReason> {
        self.finish.as_ref()
    }

    /// Why the model stopped, without keys.
    pub(crate) fn finish_without(&mut self, secrets: &Secrets) -> Option<FinishReason> {
        self.finish.take().map(|reason| match reason {
            FinishReason::Other(word) => FinishReason::Other(secrets.redact(&word)),
            known => known,
        })
    }

    /// Bytes that an event adds to what is kept.
    fn cost(&self, event: &Event) -> usize {
        match event {
            Event::Text(text) | Event::Reasoning(text) => text.len(),
            Event::ToolCall(delta) => {
                let own = if self.calls.contains_key(&delta.index) { 0 } else { 4 * size_of::<ToolCall>() };
                own + delta.arguments.len()
                    + [&delta.id, &delta.name].into_iter().flatten().map(String::len).sum::<usize>()
            }
            Event::Logprobs(logprobs) if self.keeps_logprobs => {
                logprobs.iter().map(|logprob| size_of::<TokenLogprob>() + logprob.token.len()).sum()
            }
            _ => 0,
        }
    }

    fn add_call(&mut self, delta: ToolCallDelta) {
        let call = self.calls.entry(delta.index).or_insert_with(|| ToolCall {
            id: String::new(),
            name: String::new(),
            arguments: String::new(),
        });
        if let Some(id) = delta.id.filter(|_| call.id.is_empty()) {
            call.id = id;
        }
        // A name is whole, and some servers repeat it in each fragment.
        if let Some(name) = delta.name.filter(|_| call.name.is_empty()) {
            call.name = name;
        }
        call.arguments.push_str(&delta.arguments);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(event: Event) -> LocatedEvent {
        LocatedEvent { read: 0, event }
    }

    #[test]
    fn events_and_texts_have_bounds() {
        let mut many = Answer::default();
        let taken = (0..).take_while(|_| many.take(event(Event::Start)).is_continue()).count();
        assert_eq!(taken, MOST_EVENTS);
        let mut long = Answer::default();
        let taken = (0..).take_while(|_| long.take(event(Event::Text("x".repeat(1 << 20)))).is_continue()).count();
        assert_eq!(taken, MOST_BYTES >> 20);
        for answer in [many, long] {
            assert_eq!(answer.too_large().map(|problem| problem.code).as_deref(), Some("answer-too-large"));
        }
    }

    #[test]
    fn a_repeated_name_is_the_same_name() {
        let mut answer = Answer::default();
        for arguments in ["{\"city\":", " \"Bern\"}"] {
            let (id, name) = (Some("c1".to_owned()), Some("get_time".to_owned()));
            let delta = ToolCallDelta { index: 0, id, name, arguments: arguments.to_owned() };
            assert!(answer.take(event(Event::ToolCall(delta))).is_continue());
        }
        let calls = answer.take_tool_calls();
        let seen: Vec<_> = calls.iter().map(|call| (call.name.as_str(), call.arguments.as_str())).collect();
        assert_eq!(seen, [("get_time", "{\"city\": \"Bern\"}")]);
    }

    #[test]
    fn a_small_answer_is_put_together() {
        let mut answer = Answer::default();
        for piece in ["Hel", "lo"] {
            assert!(answer.take(event(Event::Text(piece.to_owned()))).is_continue());
            let delta = ToolCallDelta { index: 1, id: None, name: None, arguments: piece.to_owned() };
            assert!(answer.take(event(Event::ToolCall(delta))).is_continue());
        }
        assert_eq!(answer.text, "Hello");
        assert_eq!(answer.take_tool_calls().first().map(|call| call.arguments.clone()).as_deref(), Some("Hello"));
        assert!(answer.too_large().is_none());
    }
}
