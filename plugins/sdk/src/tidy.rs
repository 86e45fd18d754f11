//! The last step of every decoder: what is the same for all protocols once a message has become events.

use crate::driver::LocatedEvent;
use crate::halves::{Joiner, join_alone};
use crate::tools::ToolCalls;
use crate::types::Event;

/// What has to be known of the events before.
#[derive(Debug, Default)]
pub(crate) struct Tidy {
    text: Joiner,
    reasoning: Joiner,
    arguments: Joiner,
    tools: ToolCalls,
}

impl Tidy {
    /// Joins surrogate halves and gives fragments of tool calls the index of their call, in the events from `from` on.
    pub(crate) fn run(&mut self, events: &mut Vec<LocatedEvent>, from: usize) {
        let mut at = from;
        while let Some(LocatedEvent { read, event }) = events.get_mut(at) {
            let is_empty = match event {
                Event::Text(text) => {
                    self.text.join(text);
                    text.is_empty()
                }
                Event::Reasoning(text) => {
                    self.reasoning.join(text);
                    text.is_empty()
                }
                Event::ToolCall(delta) => {
                    self.tools.assign(delta);
                    self.arguments.join(&mut delta.arguments);
                    false
                }
                Event::Logprobs(tokens) => {
                    tokens.iter_mut().for_each(|token| join_alone(&mut token.token));
                    false
                }
                Event::Other(text) => {
                    join_alone(text);
                    false
                }
                Event::Error(problem) => {
                    join_alone(&mut problem.message);
                    false
                }
                _ => false,
            };
            let (read, ends) = (*read, matches!(event, Event::Finish(_) | Event::Error(_)));
            if is_empty {
                // Half a character: the other half brings it.
                events.remove(at);
            } else if let Some(half) = ends.then(|| self.take_half()).flatten() {
                events.insert(at, LocatedEvent { read, event: half });
                at += 2;
            } else {
                at += 1;
            }
        }
    }

    /// The fragment that stands for a half whose other half never came.
    pub(crate) fn take_half(&mut self) -> Option<Event> {
        let replacement = || char::REPLACEMENT_CHARACTER.to_string();
        if self.text.take_open() {
            return Some(Event::Text(replacement()));
        }
        self.reasoning.take_open().then(|| Event::Reasoning(replacement()))
    }
}
