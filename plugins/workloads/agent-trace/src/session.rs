//! The state of one session: the conversation as it was sent, and where the story is.

use std::cell::RefCell;

use bench_sdk::types::{CacheMode, Generation, Message, Prompt, Role, ToolCall};
use bench_sdk::workload::{Facts, Fit, Outcome, Problem, SessionKey, SkippedTurn, Step, Turn};
use bench_sdk::workload_kit::{Identity, greedy, problem};

use crate::story::{self, ACTS, Act};
use crate::{NAME, PHASE, Size};

/// A session. The conversation grows by replaying it, so it lives behind a cell: the interface hands out shared borrows.
#[derive(Debug)]
pub struct Trace {
    sizes: Vec<Size>,
    facts: Facts,
    identity: Identity,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The conversation that the next turn continues, byte for byte as it was sent.
    messages: Vec<Message>,
    /// The next turn.
    turn: usize,
    /// A turn was skipped. What it would have brought is missing, so nothing can follow it.
    broken: bool,
}

impl Trace {
    /// A session of turns of these sizes.
    ///
    /// # Errors
    /// `unknown-phase`.
    pub fn new(sizes: Vec<Size>, facts: Facts, key: &SessionKey) -> Result<Self, Problem> {
        if key.phase != PHASE {
            return Err(problem(
                "unknown-phase",
                format!("workload {NAME} has no phase `{}`", key.phase),
                "Ask for a phase of the plan made with the same parameters and facts.",
            ));
        }
        let identity = Identity::of(NAME, key);
        Ok(Self { sizes, facts, identity, state: RefCell::default() })
    }

    /// The next turn, a skipped one, or the end. What was sent replaces what was planned, so that the prefix of this turn
    /// is the prompt of the last; without it the planned text stands, which is as deterministic but never fitted.
    pub fn next(&self, previous: Option<Outcome>) -> Step {
        let mut state = self.state.borrow_mut();
        let fitted = previous.and_then(|outcome| outcome.fitted);
        if let (Some(fitted), Some(last)) = (fitted, state.messages.last_mut()) {
            last.content = fitted;
        }
        let Some(&size) = self.sizes.get(state.turn) else {
            return Step::Done;
        };
        let act = state.turn.checked_sub(1).and_then(|index| ACTS.get(index));
        let id = act.map_or("task", |act| act.id).to_owned();
        state.turn += 1;
        let obstacle = size.skip_reason(&self.facts);
        if let Some(reason) = obstacle.or_else(|| state.broken.then(|| "continues a turn that was skipped".into())) {
            state.broken = true;
            return Step::Skip(SkippedTurn { id, reason });
        }
        let part = match act {
            None => self.open(&mut state.messages),
            Some(act) => self.go_on(act, state.turn, &mut state.messages),
        };
        Step::Turn(self.turn(id, size, part, state.turn as u64, &mut state.messages))
    }

    /// The system prompt and the task. Without tools there is no system message either: templates that know no tools are
    /// those that tend to refuse it, and one text serves them all.
    fn open(&self, messages: &mut Vec<Message>) -> Part {
        let system = story::system(&self.identity.salt_text());
        let task = story::TASK_OPENING;
        if self.facts.tools {
            messages.push(plain(Role::System, system));
            messages.push(plain(Role::User, task.into()));
        } else {
            messages.push(plain(Role::User, format!("{system}\n\n{}\n\n{task}", story::tools_as_text())));
        }
        Part { corpus: story::LOG, closing: story::TASK_CLOSING }
    }

    /// The story's tool call and the beginning of its result.
    fn go_on(&self, act: &'static Act, number: usize, messages: &mut Vec<Message>) -> Part {
        if self.facts.tools {
            // Nine letters and digits: the strictest template demands exactly that of a call's id.
            let id = format!("call{number:05}");
            messages.push(Message {
                role: Role::Assistant,
                content: act.thought.into(),
                tool_calls: vec![ToolCall { id: id.clone(), name: act.tool.into(), arguments: act.arguments.into() }],
                tool_call_id: None,
            });
            messages.push(Message {
                role: Role::Tool,
                content: act.opening.into(),
                tool_calls: Vec::new(),
                tool_call_id: Some(id),
            });
        } else {
            messages.push(plain(Role::Assistant, format!("{}\n\nCALL {} {}", act.thought, act.tool, act.arguments)));
            messages.push(plain(Role::User, format!("RESULT of {}\n{}", act.tool, act.opening)));
        }
        Part { corpus: act.corpus, closing: act.closing }
    }

    fn turn(&self, id: String, size: Size, part: Part, number: u64, messages: &mut [Message]) -> Turn {
        let generation = Generation {
            prompt: Prompt::Messages(messages.to_vec()),
            tools: if self.facts.tools { story::tools(&self.identity.salt_text()) } else { Vec::new() },
            max_tokens: size.answer_tokens,
            force_length: true,
            stop: Vec::new(),
            sampling: greedy(),
            cache: CacheMode::Warm,
            // A salt that changes from request to request would forbid the reuse that is measured here.
            salt: None,
            logprobs: None,
        };
        let fit = Fit {
            message: u32::try_from(messages.len().saturating_sub(1)).unwrap_or(u32::MAX),
            corpus: part.corpus.into(),
            // Turns of a session read on at other places, far enough apart for the longest of them.
            offset: self.identity.offset + number * story::WORDS_BETWEEN_TURNS,
            prompt_tokens: size.prompt_tokens,
        };
        // Until the host says what it sent, the conversation holds the turn without its fitted part.
        if let Some(last) = messages.last_mut() {
            last.content.push_str(part.closing);
        }
        Turn { id, generation, fit: Some(fit), suffix: part.closing.into() }
    }
}

/// The part of a turn that is fitted: what it is filled with, and what follows.
struct Part {
    corpus: &'static str,
    closing: &'static str,
}

fn plain(role: Role, content: String) -> Message {
    Message { role, content, tool_calls: Vec::new(), tool_call_id: None }
}
