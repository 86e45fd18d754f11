//! One session: where its words come from, and the conversation so far.

use std::cell::RefCell;

use bench_sdk::types::{CacheMode, Generation, Message, Prompt, Role};
use bench_sdk::workload::{Facts, Fit, Outcome, Problem, SessionKey, SkippedTurn, Step, Turn};
use bench_sdk::workload_kit::{Identity, greedy, problem, too_long};

use crate::settings::{MOST_MADE, NAME, Replayed, Settings};
use crate::words::{self, Random};

/// The only phase.
pub const PHASE: &str = "traffic";

/// The corpus that prompts are filled from.
pub const CORPUS: &str = "prose";

/// Tokens at the beginning of a replayed prompt that belong to the template and the host's salt; its first block has so many
/// words fewer, so that blocks end where they end in the trace, or a little before.
const HEAD_TOKENS: u32 = 40;

/// What the seeds of different texts begin with, so that no two of them are the same.
const PREFIX_SEED: u64 = 1;
const BLOCK_SEED: u64 = 2;
const ANSWER_SEED: u64 = 3;
const LENGTH_SEED: u64 = 4;

const QUESTIONS: [&str; 4] = [
    "\n\nGo on from here.",
    "\n\nWhat does this come to? Answer in full sentences.",
    "\n\nTell it again in other words.",
    "\n\nWhat would you ask about this, and why?",
];

/// A session. The conversation grows by replaying it, so it lives behind a cell: the interface hands out shared borrows.
#[derive(Debug)]
pub struct Talk {
    settings: Settings,
    facts: Facts,
    key: SessionKey,
    identity: Identity,
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    lengths: Random,
    /// The conversation that the next turn continues, as it was sent.
    messages: Vec<Message>,
    /// The next turn, counted from 0.
    turn: u32,
    /// Tokens of the conversation, the last answer included.
    tokens: u64,
    /// Tokens of the last answer.
    answer: u32,
    /// A turn was skipped. What it would have brought is missing, so nothing can follow it.
    broken: bool,
}

/// Whose cache a session may use.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cache {
    /// Nobody's.
    Cold,
    /// Its own, of the turns before.
    Own,
    /// That of all sessions with this name.
    Shared(String),
}

impl Talk {
    /// The session of this key.
    ///
    /// # Errors
    /// `unknown-phase`.
    pub fn new(settings: Settings, facts: Facts, key: SessionKey) -> Result<Self, Problem> {
        if key.phase != PHASE {
            return Err(problem(
                "unknown-phase",
                format!("workload {NAME} has no phase `{}`", key.phase),
                "Ask for a phase of the plan made with the same parameters and facts.",
            ));
        }
        let identity = Identity::of(NAME, &key);
        let state = State {
            lengths: Random::new(&[LENGTH_SEED, identity.salt]),
            messages: Vec::new(),
            turn: 0,
            tokens: 0,
            answer: 0,
            broken: false,
        };
        Ok(Self { settings, facts, key, identity, state: RefCell::new(state) })
    }

    /// The next turn, a skipped one, or the end. What was sent replaces what was planned, so that the prefix of this turn is
    /// the prompt of the last.
    pub fn next(&self, previous: Option<Outcome>) -> Step {
        let mut state = self.state.borrow_mut();
        let sent = previous.and_then(|outcome| outcome.fitted);
        if let (Some(sent), Some(last)) = (sent, state.messages.last_mut()) {
            last.content = sent;
        }
        match &self.settings.request {
            Some(request) => self.replay(request, &mut state),
            None => self.go_on(&mut state),
        }
    }

    /// A recorded request: the text of its blocks, all but the last, then text of the corpus that the last block's id chooses,
    /// so that equal requests are equal to their end.
    fn replay(&self, request: &Replayed, state: &mut State) -> Step {
        if state.turn > 0 {
            return Step::Done;
        }
        state.turn = 1;
        let (blocks, last) = match request.prefix.split_last() {
            Some((last, blocks)) if request.block_tokens > 0 => (blocks, Some(*last)),
            _ => (&[][..], None),
        };
        let mut text = String::new();
        let mut room = request.input.saturating_sub(HEAD_TOKENS);
        for (index, id) in blocks.iter().enumerate() {
            let head = if index == 0 { HEAD_TOKENS } else { 0 };
            let count = request.block_tokens.saturating_sub(head).min(room);
            words::append(&mut text, count, Random::new(&[BLOCK_SEED, self.key.seed, *id]));
            room -= count;
        }
        state.messages.push(message(Role::User, text));
        let cache = if last.is_some() { Cache::Shared("replay".into()) } else { Cache::Cold };
        let offset = last.map_or(self.identity.offset, |id| Random::new(&[BLOCK_SEED, self.key.seed, id]).next());
        let size = Size { prompt: request.input.into(), answer: request.output };
        self.turn("request".into(), size, cache, offset, "", state)
    }

    /// The next turn of synthetic traffic.
    fn go_on(&self, state: &mut State) -> Step {
        if state.turn >= self.settings.turns {
            return Step::Done;
        }
        let number = state.turn;
        let group = self.group();
        if number == 0 {
            let mut text = String::new();
            if let Some(group) = group {
                let random = Random::new(&[PREFIX_SEED, self.key.seed, group]);
                words::append(&mut text, self.settings.prefix_tokens, random);
                text.push_str("\n\n");
            }
            state.messages.push(message(Role::User, text));
            state.tokens = self.settings.prefix_tokens.into();
        } else if !state.broken && state.tokens <= MOST_MADE.into() {
            // Anything longer is skipped below, and made for nothing it could fill the sandbox.
            let mut answer = String::new();
            let random = Random::new(&[ANSWER_SEED, self.identity.salt, number.into()]);
            words::append(&mut answer, state.answer, random);
            state.messages.push(message(Role::Assistant, answer.trim_start().into()));
            state.messages.push(message(Role::User, String::new()));
        }
        state.turn += 1;
        // Drawn in this order whatever becomes of the turn, so that a skipped one does not change those of other sessions.
        let own = self.settings.prompt.draw(&mut state.lengths);
        let size =
            Size { prompt: state.tokens + u64::from(own), answer: self.settings.answer.draw(&mut state.lengths) };
        state.tokens = size.prompt + u64::from(size.answer);
        state.answer = size.answer;
        let cache = match group {
            Some(group) => Cache::Shared(format!("prefix-{group}")),
            None if self.settings.turns > 1 => Cache::Own,
            None => Cache::Cold,
        };
        let place = u64::from(self.key.index) + u64::from(number);
        let question = QUESTIONS.get((place % QUESTIONS.len() as u64) as usize).copied().unwrap_or_default();
        // Turns of a session read on at other places, far from those of its neighbours.
        let offset = self.identity.offset.wrapping_add(u64::from(number).wrapping_mul(50_021));
        self.turn(format!("turn-{}", number + 1), size, cache, offset, question, state)
    }

    /// The group whose prefix this session has. Warm-up sessions take the groups in turn, so that as many of them as there are
    /// groups leave every prefix in the cache.
    fn group(&self) -> Option<u64> {
        let Settings { prefix_tokens, prefix_groups, prefix_share, .. } = self.settings;
        if prefix_tokens == 0 {
            return None;
        }
        if self.key.warmup {
            return u64::from(self.key.index).checked_rem(prefix_groups);
        }
        let mut random = Random::new(&[PREFIX_SEED, self.identity.salt]);
        (random.unit() <= prefix_share).then(|| random.below(prefix_groups))
    }

    fn turn(&self, id: String, size: Size, cache: Cache, offset: u64, suffix: &str, state: &mut State) -> Step {
        let obstacle = if state.broken {
            Some("continues a turn that was skipped".to_owned())
        } else if size.prompt > u64::from(MOST_MADE) && state.turn > 1 {
            Some(format!("repeats {} tokens; conversations are kept to {MOST_MADE}", size.prompt))
        } else {
            too_long(&self.facts, size.prompt, size.answer.into())
        };
        if let Some(reason) = obstacle {
            state.broken = true;
            return Step::Skip(SkippedTurn { id, reason });
        }
        let (cache, salt) = match cache {
            Cache::Cold => (CacheMode::Cold, Some(self.identity.salt_text())),
            Cache::Own => (CacheMode::Warm, None),
            Cache::Shared(name) => (CacheMode::Warm, Some(name)),
        };
        let generation = Generation {
            prompt: Prompt::Messages(state.messages.clone()),
            tools: Vec::new(),
            max_tokens: size.answer,
            force_length: true,
            stop: Vec::new(),
            sampling: greedy(),
            cache,
            salt,
            logprobs: None,
        };
        let fit = Fit {
            message: u32::try_from(state.messages.len().saturating_sub(1)).unwrap_or(u32::MAX),
            corpus: CORPUS.into(),
            offset,
            prompt_tokens: u32::try_from(size.prompt).unwrap_or(u32::MAX),
        };
        // Until the host says what it sent, the conversation holds the turn without its fitted part.
        if let Some(last) = state.messages.last_mut() {
            last.content.push_str(suffix);
        }
        Step::Turn(Turn { id, generation, fit: Some(fit), suffix: suffix.into() })
    }
}

/// A request's size in tokens.
#[derive(Debug, Clone, Copy)]
struct Size {
    prompt: u64,
    answer: u32,
}

fn message(role: Role, content: String) -> Message {
    Message { role, content, tool_calls: Vec::new(), tool_call_id: None }
}
