//! Asks many samples at once, and each of them until it has its answer or is given up.
//!
//! One thread owns the drivers. It makes a request, lets the client send it beside others, and decodes the answer when it is there.
//! A sample is kept at once when it is finished: whatever happens afterwards, it is not asked again.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bench_plugin::types::{CacheMode, Generation, Prompt};
use bench_record::BackoffStep;
use bench_samples::{SampleRecord, Status, UsageRecord};
use bench_wire::{Client, Desk, Spool, SpoolBudget, Stamp, Stop, Transmission, WireError};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::task::JoinSet;

use crate::backend::{Answer, Backend};
use crate::backoff::Limiter;
use crate::error::EvalError;
use crate::policy::{self, Failure, Then};
use crate::prices::Price;
use crate::script::{Ask, Script, Whom};
use crate::sheet::{Place, Sheet};

/// A moment on both clocks, so that stamps have dates.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// The date.
    pub date: OffsetDateTime,
    /// The same moment.
    pub stamp: Stamp,
}

impl Clock {
    fn at(&self, at: Stamp) -> OffsetDateTime {
        let since = time::Duration::try_from(at.since(self.stamp)).unwrap_or_default();
        self.date.saturating_add(since)
    }

    fn text(&self, at: Stamp) -> Option<String> {
        self.at(at).format(&Rfc3339).ok()
    }

    /// The day, as ISO 8601 writes it.
    pub fn day(&self) -> String {
        self.date.date().to_string()
    }
}

/// What may be spent, over all tasks of a run.
#[derive(Debug, Clone, Default)]
pub struct Budget {
    /// US dollars.
    max_cost: Option<f64>,
    /// When to stop asking.
    deadline: Option<Stamp>,
    /// US dollars spent.
    spent: f64,
    priced: u64,
}

impl Budget {
    /// At most so many US dollars, and so many seconds from now on.
    pub fn new(max_cost: Option<f64>, max_seconds: Option<f64>) -> Self {
        let time = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let deadline = max_seconds.map(|seconds| Stamp::now().after(time(seconds)));
        Self { max_cost, deadline, ..Self::default() }
    }

    /// So much was spent on a request.
    pub fn spend(&mut self, cost: f64) {
        self.spent += cost;
        self.priced += 1;
    }

    /// Whether another request may leave. Until a request's cost is known, one is on its way at a time: a limit could not hold
    /// otherwise.
    fn admits(&self, in_flight: usize) -> bool {
        self.max_cost.is_none() || self.priced > 0 || in_flight == 0
    }

    /// The limit that another request would break. Those on their way will cost what others did.
    fn broken(&self, in_flight: usize, now: Stamp) -> Option<&'static str> {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return Some("time-limit");
        }
        let max = self.max_cost?;
        let each = if self.priced > 0 { self.spent / self.priced as f64 } else { 0.0 };
        (self.spent + in_flight as f64 * each >= max).then_some("cost-limit")
    }
}

/// A sample that is being asked.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) record: SampleRecord,
    pub(crate) script: Script,
    seed: u64,
    /// How often the present request failed, by cause.
    tries: BTreeMap<&'static str, u32>,
    first_sent: Option<Stamp>,
}

impl Unit {
    pub(crate) fn new(record: SampleRecord, script: Script, seed: u64) -> Self {
        Self { record, script, seed, tries: BTreeMap::new(), first_sent: None }
    }

    /// Takes in what an answer cost. Counts of several requests are added; one that nobody counted leaves the sum unknown.
    fn count(&mut self, answer: &Answer, whom: Whom, cost: Option<f64>) {
        let record = &mut self.record;
        if let Some(cost) = cost {
            record.cost_usd = Some(record.cost_usd.unwrap_or(0.0) + cost);
        }
        if whom == Whom::Other {
            return;
        }
        let first = record.timing.e2e_ms.is_none();
        let add = |sum: Option<u64>, more: Option<u64>| if first { more } else { Some(sum?.saturating_add(more?)) };
        let (sum, more) = (record.usage, answer.usage);
        record.usage = UsageRecord {
            prompt: add(sum.prompt, more.prompt),
            cached: add(sum.cached, more.cached),
            completion: add(sum.completion, more.completion),
            reasoning: add(sum.reasoning, more.reasoning),
        };
        if first {
            record.timing.ttft_ms = answer.ttft_ms;
        }
        record.timing.e2e_ms = Some(record.timing.e2e_ms.unwrap_or(0.0) + answer.e2e_ms);
    }

    fn end(mut self, status: Status) -> Self {
        self.script.finish(&mut self.record);
        if let Status::Failed { code, .. } = &status
            && code == "content-filter"
        {
            self.record.finish = Some("content-filter".to_owned());
        }
        self.record.status = status;
        self
    }
}

/// Where samples come from.
pub(crate) enum Source<'s> {
    /// Made when it is their turn: a prompt may take the backend's help.
    Sheet(&'s Sheet<'s>, VecDeque<Place>),
    /// At hand.
    Ready(VecDeque<Unit>),
}

impl Source<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Sheet(_, places) => places.is_empty(),
            Self::Ready(units) => units.is_empty(),
        }
    }

    async fn next<B: Backend>(&mut self, backend: &mut B) -> Result<Option<Unit>, EvalError> {
        match self {
            Self::Ready(units) => Ok(units.pop_front()),
            Self::Sheet(sheet, places) => match places.pop_front() {
                Some(place) => sheet.unit(&place, backend).await.map(Some),
                None => Ok(None),
            },
        }
    }
}

/// How to ask.
pub(crate) struct Manner<'a> {
    pub(crate) stop: &'a Stop,
    pub(crate) concurrency: u32,
    pub(crate) clock: Clock,
    pub(crate) budget: &'a mut Budget,
    /// See [`bench_record::EvalOptions::reuse_prefixes`].
    pub(crate) reuse_prefixes: bool,
    /// Prices of the model and of the other one.
    pub(crate) prices: [Option<&'a Price>; 2],
}

/// Why asking ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    /// Everything was asked.
    All,
    /// The user wanted it.
    Stopped,
    /// A limit, by its code.
    Limit(&'static str),
    /// Every other sample would fail in the same way.
    Failed(Failure),
}

/// What there is to know beside the samples.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) end: End,
    pub(crate) retries: BTreeMap<String, u64>,
    pub(crate) backoff: Vec<BackoffStep>,
    /// Requests that went to the other model.
    pub(crate) other_requests: u64,
    pub(crate) seconds: f64,
}

/// A request on its way.
struct Flight {
    unit: Unit,
    ask: Ask,
}

/// A request that is sent again at its time.
struct Later {
    at: Stamp,
    unit: Unit,
    ask: Ask,
}

struct Asking<'a, 'm, B> {
    model: &'a mut B,
    other: Option<&'a mut B>,
    clients: [Client; 2],
    manner: Manner<'m>,
    limiter: Limiter,
    flying: BTreeMap<u64, Flight>,
    flights: JoinSet<(u64, Transmission)>,
    later: Vec<Later>,
    /// Samples whose next request can leave at once.
    going_on: VecDeque<(Unit, Ask)>,
    next_id: u64,
    last_good: Option<Stamp>,
    end: Option<End>,
    retries: BTreeMap<String, u64>,
    other_requests: u64,
}

/// Asks everything that the source has. `keep` is called with every finished sample.
pub(crate) async fn ask<B: Backend>(
    model: &mut B,
    other: Option<&mut B>,
    mut source: Source<'_>,
    manner: Manner<'_>,
    keep: &mut dyn FnMut(Unit) -> Result<(), EvalError>,
) -> Result<Asked, EvalError> {
    let began = Stamp::now();
    let clients = [model.client(), other.as_ref().map_or_else(|| model.client(), |other| other.client())];
    let limiter = Limiter::new(manner.concurrency, began);
    let mut asking = Asking {
        model,
        other,
        clients,
        manner,
        limiter,
        flying: BTreeMap::new(),
        flights: JoinSet::new(),
        later: Vec::new(),
        going_on: VecDeque::new(),
        next_id: 0,
        last_good: None,
        end: None,
        retries: BTreeMap::new(),
        other_requests: 0,
    };
    loop {
        asking.send(&mut source, keep).await?;
        let nothing_left = asking.later.is_empty() && asking.going_on.is_empty() && source.is_empty();
        if asking.flying.is_empty() && (asking.end.is_some() || nothing_left) {
            break;
        }
        asking.wait(keep).await?;
    }
    Ok(Asked {
        end: asking.end.unwrap_or(End::All),
        retries: asking.retries,
        backoff: asking.limiter.into_steps(),
        other_requests: asking.other_requests,
        seconds: Stamp::now().since(began).as_secs_f64(),
    })
}

impl<B: Backend> Asking<'_, '_, B> {
    /// Sends as many requests as there may be at once.
    async fn send(
        &mut self,
        source: &mut Source<'_>,
        keep: &mut dyn FnMut(Unit) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        loop {
            if self.end.is_none() && self.manner.stop.is_stopped() {
                self.end = Some(End::Stopped);
            }
            let now = Stamp::now();
            if self.end.is_none()
                && let Some(limit) = self.manner.budget.broken(self.flying.len(), now)
            {
                self.end = Some(End::Limit(limit));
            }
            let admitted = self.limiter.admits(self.flying.len(), now) && self.manner.budget.admits(self.flying.len());
            if self.end.is_some() || !admitted {
                return Ok(());
            }
            let due = self.later.iter().position(|later| later.at <= now);
            let next = match due.map(|place| self.later.swap_remove(place)) {
                Some(Later { unit, ask, .. }) => Some((unit, ask)),
                None => match self.going_on.pop_front() {
                    Some(next) => Some(next),
                    None => match source.next(self.model).await? {
                        Some(mut unit) => match unit.script.next() {
                            Some(ask) => Some((unit, ask)),
                            None => {
                                keep(unit.end(Status::Answered))?;
                                continue;
                            }
                        },
                        None => None,
                    },
                },
            };
            let Some((unit, ask)) = next else { return Ok(()) };
            self.launch(unit, ask, keep)?;
        }
    }

    fn launch(
        &mut self,
        mut unit: Unit,
        ask: Ask,
        keep: &mut dyn FnMut(Unit) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let now = Stamp::now();
        let generation = match self.manner.reuse_prefixes {
            true => ask.generation.clone(),
            // The text stays as it is: a salt in it would make other answers. Backends that take a salt beside it share nothing
            // between samples then, and others have a switch.
            false => Generation {
                cache: CacheMode::Cold,
                salt: Some(format!("{:016x}", unit.seed)),
                ..ask.generation.clone()
            },
        };
        let prepared = match self.backend(ask.whom).encode(&generation, &ask.fields) {
            Ok(prepared) => prepared,
            Err(failure) => return self.failed(unit, ask, now, failure, keep),
        };
        unit.record.attempts = unit.record.attempts.saturating_add(1);
        if unit.first_sent.is_none() {
            unit.first_sent = Some(now);
            unit.record.timing.started_at = self.manner.clock.text(now);
        }
        self.other_requests += u64::from(ask.whom == Whom::Other);
        let id = self.next_id;
        self.next_id += 1;
        let [model, other] = &self.clients;
        let client = if ask.whom == Whom::Model { model.clone() } else { other.clone() };
        let stop = self.manner.stop.clone();
        self.flights.spawn(async move {
            // Many requests are under way at once, so each has a small store of its own.
            let desk = Desk { spool: Spool::new(SpoolBudget::REQUEST, std::env::temp_dir()), ..Desk::default() };
            let transmission = client.transmit(&prepared, now, &desk, &stop).await;
            (id, transmission)
        });
        self.flying.insert(id, Flight { unit, ask });
        Ok(())
    }

    /// Waits until something has come or is due.
    async fn wait(&mut self, keep: &mut dyn FnMut(Unit) -> Result<(), EvalError>) -> Result<(), EvalError> {
        let now = Stamp::now();
        let due = self.later.iter().map(|later| later.at).min();
        let wake = [due.map(|due| due.max(self.limiter.paused_until())), Some(self.limiter.paused_until())];
        let wake = wake.into_iter().flatten().filter(|at| *at > now).min();
        let wake = [wake, self.manner.budget.deadline.filter(|at| *at > now)].into_iter().flatten().min();
        let sleep = wake.map_or(IDLE, |at| at.since(now));
        let ended = self.end.is_some();
        tokio::select! {
            biased;
            landed = self.flights.join_next(), if !self.flights.is_empty() => match landed {
                Some(Ok((id, transmission))) => self.landed(id, transmission, keep),
                // Only a panic or the runtime's end gets here.
                Some(Err(_)) => Err(EvalError::Lost),
                None => Ok(()),
            },
            () = self.manner.stop.stopped(), if !ended => Ok(()),
            () = tokio::time::sleep(sleep.min(IDLE)) => Ok(()),
        }
    }

    fn backend(&mut self, whom: Whom) -> &mut B {
        match (whom, &mut self.other) {
            (Whom::Other, Some(other)) => other,
            _ => self.model,
        }
    }

    fn landed(
        &mut self,
        id: u64,
        transmission: Transmission,
        keep: &mut dyn FnMut(Unit) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let Some(Flight { mut unit, ask }) = self.flying.remove(&id) else { return Ok(()) };
        let exchange = transmission.into_exchange();
        if matches!(exchange.outcome, Err(WireError::Cancelled)) {
            return Ok(());
        }
        let sent = exchange.started;
        let now = self.manner.clock.at(exchange.ended);
        let decoded = self.backend(ask.whom).decode(&exchange, now);
        let answer = match decoded.and_then(|answer| whole_prompt(&ask.generation, answer)) {
            Ok(answer) => answer,
            Err(failure) => return self.failed(unit, ask, sent, failure, keep),
        };
        let now = Stamp::now();
        self.limiter.went_well(now);
        self.last_good = Some(now);
        let [model, other] = self.manner.prices;
        let price = if ask.whom == Whom::Model { model } else { other };
        // What the service itself says counts: it knows discounts and routes.
        let cost = answer.cost.or_else(|| price?.cost(&answer.usage, answer.cache_write));
        match cost {
            Some(cost) => self.manner.budget.spend(cost),
            None if self.manner.budget.max_cost.is_some() && self.end.is_none() => {
                self.end = Some(End::Failed(unknown_cost()));
            }
            None => {}
        }
        unit.count(&answer, ask.whom, cost);
        unit.tries.clear();
        if let Err(failure) = unit.script.take(answer) {
            let Failure { code, message, .. } = failure;
            return keep(unit.end(Status::Unscored { code, message }));
        }
        match unit.script.next() {
            Some(ask) => {
                self.going_on.push_back((unit, ask));
                Ok(())
            }
            None => keep(unit.end(Status::Answered)),
        }
    }

    fn failed(
        &mut self,
        mut unit: Unit,
        ask: Ask,
        sent: Stamp,
        failure: Failure,
        keep: &mut dyn FnMut(Unit) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let now = Stamp::now();
        let rule = policy::rule_for(&failure);
        let tries = unit.tries.entry(rule.cause).or_default();
        *tries += 1;
        let (tries, again) = (*tries, *tries <= rule.again);
        let delay = policy::delay(tries, unit.seed, failure.retry_after);
        if rule.slows {
            self.limiter.turned_down(sent, now, delay, rule.cause);
        }
        if again {
            *self.retries.entry(rule.cause.to_owned()).or_default() += 1;
            self.later.push(Later { at: now.after(delay), unit, ask });
            return Ok(());
        }
        // When nobody has answered anything since the sample's first request, it is not the sample.
        let alone = rule.cause == "connection" && self.last_good < unit.first_sent;
        if rule.then == Then::EndTask || alone {
            self.end = Some(End::Failed(policy::with_wait(failure)));
            return Ok(());
        }
        let Failure { code, message, .. } = policy::with_wait(failure);
        keep(unit.end(match rule.then {
            Then::Wrong => Status::Failed { code: wrong_code(rule.cause, code), message },
            Then::Unscored | Then::EndTask => Status::Unscored { code, message },
        }))
    }
}

/// Under a limit of cost, a request whose cost nobody knows is the last.
fn unknown_cost() -> Failure {
    Failure {
        code: "unknown-cost".to_owned(),
        message: "the server reported no token counts and no cost, so the limit of cost cannot be kept".to_owned(),
        hint: Some("leave --max-cost out, or use a driver and server that report usage".to_owned()),
        status: None,
        retry_after: None,
    }
}

/// Prompts shorter than this say nothing about bytes per token.
const LEAST_PROMPT: u64 = 4096;

/// Bytes of text that a token stands for at most, over a whole prompt. Tokens of English have about 4; those of vocabularies that join
/// runs of blanks or signs come to some more.
const MOST_BYTES_PER_TOKEN: u64 = 24;

/// The answer, unless the server counted far fewer tokens than the prompt can have: it dropped a part of the prompt without a
/// word, and the model answered something else.
fn whole_prompt(generation: &Generation, answer: Answer) -> Result<Answer, Failure> {
    let bytes = prompt_bytes(generation);
    let Some(tokens) =
        answer.usage.prompt.filter(|tokens| bytes > LEAST_PROMPT.max(tokens.saturating_mul(MOST_BYTES_PER_TOKEN)))
    else {
        return Ok(answer);
    };
    Err(Failure {
        code: "context-overflow".to_owned(),
        message: format!(
            "the server counted {tokens} tokens in a prompt of {bytes} bytes: it cut the prompt without a word"
        ),
        hint: Some("start the server with a longer context".to_owned()),
        status: None,
        retry_after: None,
    })
}

/// Bytes of the prompt's texts.
fn prompt_bytes(generation: &Generation) -> u64 {
    match &generation.prompt {
        Prompt::Messages(messages) => messages.iter().map(|message| message.content.len() as u64).sum(),
        Prompt::Text(text) | Prompt::Other(text) => text.len() as u64,
    }
}

/// A refusal has one code whoever says it.
fn wrong_code(cause: &str, code: String) -> String {
    if cause == "content-filter" { cause.to_owned() } else { code }
}

/// Nothing is waited for longer without a look around.
const IDLE: Duration = Duration::from_secs(3600);
