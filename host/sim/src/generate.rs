//! One generation request, from its arrival to the end of its answer.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;

use crate::answer::{self, Said};
use crate::cache::BlockCache;
use crate::config::SimConfig;
use crate::counters::{Gauge, Tally};
use crate::faults::FaultKind;
use crate::http::{Answer, Connection, Incoming, Problem};
use crate::pacer::{Ended, Pacer};
use crate::protocol::{self, Asked};
use crate::render::{Facts, Script};
use crate::schedule::{Ask, Beats};
use crate::stamp::now_ns;

/// What all connections of a server share.
pub(crate) struct Engine {
    pub config: Arc<SimConfig>,
    pub schedule_id: Arc<str>,
    pub tally: Arc<Tally>,
    pub pacer: Pacer,
    pub slots: Semaphore,
    pub cache: Option<Mutex<BlockCache>>,
    pub said: Said,
    pub seen: AtomicU64,
}

/// Bytes of a request that are taken in without leaving the thread that writes. Taking in more could make a write late,
/// and goes to a thread of its own.
pub(crate) const AT_ONCE_BYTES: usize = 8 << 10;
/// Tokens of a prompt that are looked up in the cache without leaving the thread that writes.
const AT_ONCE_TOKENS: usize = 2 << 10;

/// Whether a connection can carry another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    Keep,
    Close,
}

/// Answers a generation request.
pub(crate) async fn generate(
    engine: &Arc<Engine>,
    connection: &mut Connection,
    mut incoming: Incoming,
    chat: bool,
) -> After {
    let number = engine.seen.fetch_add(1, SeqCst) + 1;
    engine.tally.requests.fetch_add(1, SeqCst);
    let faults = &engine.config.faults;
    let faults: Vec<FaultKind> =
        faults.iter().filter(|fault| fault.when.applies(number)).map(|fault| fault.kind.clone()).collect();
    let asked = match faults.iter().find_map(refusal) {
        Some(answer) => Err(answer),
        None => read(engine, std::mem::take(&mut incoming.body), chat).await.map_err(Answer::from),
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(answer) => {
            let written = connection.answer(&answer, incoming.close).await;
            return if written && !incoming.close { After::Keep } else { After::Close };
        }
    };
    let _in_flight = Gauge::up(&engine.tally.in_flight, &engine.tally.in_flight_max);
    let Some((_slot, start_ns)) = slot(engine, connection, &incoming).await else {
        engine.tally.abandoned.fetch_add(1, SeqCst);
        return After::Close;
    };
    let _running = Gauge::up(&engine.tally.running, &engine.tally.running_max);
    let (stream, salt) = (asked.stream, asked.salt.clone());
    let Some(Plan { script, tokens, mut known }) = plan(engine, asked, number, faults, start_ns, incoming.close).await
    else {
        return After::Close;
    };
    let Some(mut ticket) = engine.pacer.submit(Arc::clone(&connection.write), script) else {
        return After::Close;
    };
    let ended = tokio::select! {
        ended = ticket.ended() => Some(ended),
        () = connection.gone() => None,
    };
    let (ended, left) = match ended {
        Some(ended) => (ended, false),
        None => (ticket.cancelled().await, true),
    };
    match ended {
        Ended::Broken => {
            engine.tally.abandoned.fetch_add(1, SeqCst);
            After::Close
        }
        Ended::Cut(_) => After::Close,
        Ended::Complete(written) => {
            engine.tally.completed.fetch_add(1, SeqCst);
            if let Some(cache) = &engine.cache {
                known.extend(tokens.iter().take(usize::try_from(written).unwrap_or(usize::MAX)));
                cache.lock().unwrap_or_else(PoisonError::into_inner).insert(&known, salt.as_deref());
            }
            if left || incoming.close || (stream && engine.config.framing.close_after_stream) {
                After::Close
            } else {
                After::Keep
            }
        }
    }
}

/// A slot and the moment it was got; none when the client left the queue.
async fn slot<'a>(
    engine: &'a Engine,
    connection: &mut Connection,
    incoming: &Incoming,
) -> Option<(SemaphorePermit<'a>, u64)> {
    if let Ok(permit) = engine.slots.try_acquire() {
        return Some((permit, incoming.arrived_ns));
    }
    tokio::select! {
        permit = engine.slots.acquire() => permit.ok().map(|permit| (permit, now_ns())),
        () = connection.gone() => None,
    }
}

async fn read(engine: &Arc<Engine>, body: Vec<u8>, chat: bool) -> Result<Asked, Problem> {
    let read = if chat { protocol::chat } else { protocol::completion };
    if body.len() <= AT_ONCE_BYTES {
        return read(&engine.config, &body);
    }
    let config = Arc::clone(&engine.config);
    // Only the server's end or a panic gets in the way.
    let read = spawn_blocking(move || read(&config, &body)).await;
    read.unwrap_or_else(|_| Err(Problem::new(500, "server_error", None, "the request could not be read".to_owned())))
}

/// An answer before its first byte.
struct Plan {
    script: Script,
    tokens: Arc<[u32]>,
    /// The prompt, for the prefix cache.
    known: Vec<u32>,
}

async fn plan(
    engine: &Arc<Engine>,
    asked: Asked,
    number: u64,
    faults: Vec<FaultKind>,
    start_ns: u64,
    close: bool,
) -> Option<Plan> {
    let short = asked.prompt.len() <= AT_ONCE_TOKENS;
    let shared = Arc::clone(engine);
    let work = move || {
        let mut asked = asked;
        let ask = admit(&shared, &asked, number, faults);
        let tokens = answer::tokens(&shared.config, &asked, &shared.said);
        let known = std::mem::take(&mut asked.prompt);
        let beats = Beats::new(Arc::clone(&shared.config), ask.clone());
        let facts = Facts {
            config: Arc::clone(&shared.config),
            schedule_id: Arc::clone(&shared.schedule_id),
            asked,
            ask,
            tokens: Arc::clone(&tokens),
            created: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            start_ns,
            close,
        };
        Plan { script: Script::new(facts, beats), tokens, known }
    };
    // Only the server's end or a panic gets in the way.
    if short { Some(work()) } else { spawn_blocking(work).await.ok() }
}

/// Looks the prompt up in the prefix cache, remembers it there, and counts both.
fn admit(engine: &Engine, asked: &Asked, number: u64, faults: Vec<FaultKind>) -> Ask {
    let short = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let mut cached = 0;
    if let Some(cache) = &engine.cache {
        let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
        cached = cache.lookup(&asked.prompt, asked.salt.as_deref());
        cache.insert(&asked.prompt, asked.salt.as_deref());
        engine.tally.cache_queries.fetch_add(u64::from(short(asked.prompt.len())), SeqCst);
        engine.tally.cache_hits.fetch_add(u64::from(short(cached)), SeqCst);
    }
    engine.tally.prompt_tokens.fetch_add(u64::from(short(asked.prompt.len())), SeqCst);
    Ask {
        number,
        stream: asked.stream,
        chat: asked.chat,
        prompt_tokens: short(asked.prompt.len()),
        cached_tokens: short(cached),
        tokens: asked.tokens,
        reasoning_tokens: answer::reasoning_tokens(&engine.config, asked),
        final_usage: asked.final_usage,
        faults,
    }
}

/// The answer of a fault that answers instead of generating.
fn refusal(fault: &FaultKind) -> Option<Answer> {
    match fault {
        FaultKind::Answer { status, body, content_type, retry_after_s } => {
            let mut answer = Answer::text(*status, content_type, body.clone());
            answer.headers.extend(retry_after_s.map(|seconds| ("retry-after", seconds.to_string())));
            Some(answer)
        }
        FaultKind::Redirect { location } => {
            let mut answer = Answer::text(307, "text/plain", String::new());
            answer.headers.push(("location", location.clone()));
            Some(answer)
        }
        _ => None,
    }
}
