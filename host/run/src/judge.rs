//! From an exchange to a judgement: decoded, measured, and failed where it failed. Runs after the window has closed.

use bench_eval::policy::{self, Failure};
use bench_eval::retry_after;
use bench_load::NotSent;
use bench_metrics as metrics;
use bench_plugin::Fault;
use bench_plugin::types::{HttpResponse, ToolCall};
use bench_record::{EventCounts, Honoured, Problem, RequestRecord, RequestStatus, RequestTimes};
use bench_text::{cut_message, cut_name};
use bench_wire::{Exchange, Head, Stamp, WireError};

use time::OffsetDateTime;

use crate::answer::Answer;
use crate::convert;
use crate::engine::Engine;
use crate::prompt::Ready;

/// Where a request stands in its phase.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Counted over the whole run.
    pub(crate) ordinal: u32,
    /// Counted over the phase; warm-up sessions count apart.
    pub(crate) session: u32,
    pub(crate) repeat: u32,
    /// Counted within the session.
    pub(crate) turn: u32,
    pub(crate) warmup: bool,
}

/// What became of a request, and what a workload may learn of the answer.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) record: RequestRecord,
    pub(crate) text: String,
    pub(crate) tool_calls: Vec<ToolCall>,
    /// The driver itself failed; the engine may be blameless.
    pub(crate) fault: Option<Fault>,
    /// Indices of reads that brought several fragments.
    pub(crate) merged: Vec<usize>,
}

impl Judged {
    /// The answer came in full.
    pub(crate) fn ok(&self) -> bool {
        self.record.status == RequestStatus::Completed
    }
}

/// What must be known of a request to judge its answer; the request itself has been sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) turn_id: String,
    pub(crate) expectation: metrics::Expectation,
    pub(crate) fit: Option<bench_record::PromptFit>,
    pub(crate) fitted: Option<String>,
    pub(crate) prompt_sha256: String,
    pub(crate) request_sha256: String,
    pub(crate) honoured: Honoured,
    pub(crate) model: Option<String>,
}

impl Ready {
    /// Parts the request from what is needed to judge its answer.
    pub(crate) fn split(self) -> (bench_wire::Prepared, Sent) {
        let sent = Sent {
            turn_id: self.turn_id,
            expectation: self.expectation,
            fit: self.fit,
            fitted: self.fitted,
            prompt_sha256: self.prompt_sha256,
            request_sha256: self.request_sha256,
            honoured: self.honoured,
            model: self.model,
        };
        (self.prepared, sent)
    }
}

/// Judges a turn.
pub(crate) fn judge(engine: &mut Engine, sent: &Sent, turn: &Result<Exchange, NotSent>, place: Place) -> Judged {
    let mut record = RequestRecord {
        ordinal: place.ordinal,
        session: place.session,
        repeat: place.repeat,
        turn: place.turn,
        turn_id: sent.turn_id.clone(),
        warmup: place.warmup,
        status: RequestStatus::NotSent,
        http_status: None,
        resent: 0,
        metrics: None,
        problem: None,
        wall_ms: None,
        events: EventCounts::default(),
        prompt_fit: sent.fit.clone(),
        prompt_sha256: Some(sent.prompt_sha256.clone()),
        request_sha256: Some(sent.request_sha256.clone()),
        honoured: sent.honoured,
        times: None,
        stage: None,
        model: sent.model.clone(),
    };
    let exchange = match turn {
        Err(why) => {
            record.problem = Some(unsent(*why));
            return Judged { record, text: String::new(), tool_calls: Vec::new(), fault: None, merged: Vec::new() };
        }
        Ok(exchange) => exchange,
    };
    record.resent = exchange.resends;
    record.http_status = exchange.head.as_ref().map(|head| head.status);
    record.wall_ms = Some(exchange.ended.as_nanos().saturating_sub(exchange.started.as_nanos()) as f64 / 1e6);
    let mut answer = Answer::default();
    match answered(engine, sent, exchange, &mut answer) {
        Ok(metrics) => {
            record.status = RequestStatus::Completed;
            record.metrics = Some(metrics);
        }
        Err(problem) => {
            record.status = RequestStatus::Failed;
            record.problem = Some(with_pause(redacted(engine, problem), exchange));
        }
    }
    record.events = EventCounts::of(&answer.located);
    record.times = Some(RequestTimes {
        intended_ns: exchange.intended.as_nanos(),
        started_ns: exchange.started.as_nanos(),
        first_byte_written_ns: exchange.first_byte_written.map(Stamp::as_nanos),
        first_token_ns: first_token(&answer.located, exchange),
        ended_ns: exchange.ended.as_nanos(),
    });
    let merged = merged(&answer.located);
    let tool_calls = answer.take_tool_calls();
    Judged { record, text: answer.text, tool_calls, fault: answer.fault, merged }
}

/// The reads that brought more than one fragment with content.
fn merged(events: &[metrics::Located]) -> Vec<usize> {
    let fragments =
        events.iter().filter(|located| matches!(located.event, metrics::Event::Fragment { bytes: 1.., .. }));
    let reads: Vec<u32> = fragments.map(|located| located.read).collect();
    reads
        .chunk_by(|a, b| a == b)
        .filter(|read| read.len() > 1)
        .map(|read| read.first().map_or(0, |n| *n as usize))
        .collect()
}

/// When the first fragment with content was there.
fn first_token(events: &[metrics::Located], exchange: &Exchange) -> Option<u64> {
    let is_content = |located: &&metrics::Located| matches!(located.event, metrics::Event::Fragment { bytes: 1.., .. });
    let read = events.iter().find(is_content)?.read as usize;
    exchange.reads.get(read).map(|read| read.at.as_nanos())
}

fn unsent(why: NotSent) -> Problem {
    Problem { code: why.code().to_owned(), message: why.to_string(), hint: why.hint() }
}

fn redacted(engine: &Engine, problem: Problem) -> Problem {
    Problem {
        message: cut_message(engine.redact(&problem.message)),
        hint: problem.hint.map(|hint| cut_message(engine.redact(&hint))),
        code: cut_name(problem.code),
    }
}

fn of_wire(error: &WireError) -> Problem {
    Problem { code: error.code().to_owned(), message: error.to_string(), hint: error.hint() }
}

/// A problem that also says that the client stopped reading for a while, where it did.
fn with_pause(problem: Problem, exchange: &Exchange) -> Problem {
    if exchange.waited.is_zero() {
        return problem;
    }
    let pause = format!("; the client read nothing for {:?} because its disk could not keep up", exchange.waited);
    Problem { message: problem.message + &pause, ..problem }
}

fn of_plugin(problem: &bench_plugin::types::Problem) -> Problem {
    Problem { code: problem.code.clone(), message: problem.message.clone(), hint: problem.hint.clone() }
}

pub(crate) fn of_fault(fault: &bench_plugin::Fault) -> Problem {
    match fault.problem() {
        Some(problem) => of_plugin(problem),
        None => Problem { code: fault.code().to_owned(), message: fault.to_string(), hint: fault.hint() },
    }
}

/// Decodes an answer, and says why it did not come in full. What was decoded is left in `answer` either way.
fn decoded(engine: &mut Engine, exchange: &Exchange, answer: &mut Answer) -> Result<(), Problem> {
    let Some(head) = &exchange.head else {
        return Err(exchange.outcome.as_ref().err().map_or_else(no_answer, of_wire));
    };
    if !(200..300).contains(&head.status) {
        return Err(refusal(engine, head, exchange));
    }
    let ends: Vec<u32> = exchange.reads.iter().map(|read| read.end).collect();
    let headers = convert::headers(&head.headers);
    let mut take = |event| answer.take(event);
    let broken = match engine.line.driver.decode_each(&headers, &exchange.body, &ends, &mut take) {
        Ok(()) => None,
        Err(fault) => {
            let problem = of_fault(&fault);
            answer.fault = Some(fault).filter(|fault| fault.problem().is_none());
            Some(problem)
        }
    };
    // What happened on the wire explains a stream that cannot be decoded to its end, and not the other way round.
    if let Err(error) = &exchange.outcome {
        return Err(of_wire(error));
    }
    let reported = answer.reported.as_ref().map(of_plugin);
    answer.too_large().or(reported).or(broken).map_or(Ok(()), Err)?;
    // What evals take for no answer is none under load either.
    policy::finished(answer.finish()).map_err(|failure| Problem {
        code: failure.code,
        message: failure.message,
        hint: failure.hint,
    })
}

/// The metrics of an answer that came in full, or why there are none.
fn answered(
    engine: &mut Engine,
    sent: &Sent,
    exchange: &Exchange,
    answer: &mut Answer,
) -> Result<metrics::RequestMetrics, Problem> {
    decoded(engine, exchange, answer)?;
    let observation = metrics::Observation {
        intended: exchange.intended.as_nanos(),
        started: exchange.started.as_nanos(),
        first_byte_written: exchange.first_byte_written.map(Stamp::as_nanos),
        last_byte_written: exchange.last_byte_written.map(Stamp::as_nanos),
        ended: exchange.ended.as_nanos(),
        reads: exchange.reads.iter().map(|read| read.at.as_nanos()).collect(),
        events: std::mem::take(&mut answer.located),
        completed: true,
    };
    let measured = metrics::request(&observation, &sent.expectation);
    answer.located = observation.events;
    let mut measured = measured.map_err(|lies| inconsistent(&lies))?;
    if !exchange.waited.is_zero() {
        measured.flags.push(metrics::Flag::ReadsPaused);
        measured.flags.sort_unstable();
    }
    if measured.chunks == 0 { Err(silence(&measured)) } else { Ok(measured) }
}

/// The code of an answer whose tokens were all hidden: a model that thinks used them up before it said a word.
pub(crate) const ONLY_HIDDEN: &str = "only-hidden-tokens";

/// Why an answer without content is none.
fn silence(measured: &metrics::RequestMetrics) -> Problem {
    let limit = measured.requested_output_tokens;
    let is_cut = measured.finish == Some(metrics::Finish::Length);
    match measured.output_tokens.filter(|tokens| *tokens > 0) {
        None if !is_cut => Problem {
            code: "no-output".to_owned(),
            message: "the engine ended its answer without a single token".to_owned(),
            hint: Some("look at the engine's log, and at the finish reason in its answer".to_owned()),
        },
        counted => {
            let tokens = counted.map_or_else(|| "tokens".to_owned(), |tokens| format!("{tokens} tokens"));
            Problem {
                code: ONLY_HIDDEN.to_owned(),
                message: format!(
                    "the model produced {tokens} of at most {limit}, and the engine streamed none of them"
                ),
                hint: Some(
                    "the model thinks before it answers: allow it more tokens, or ask it to think less".to_owned(),
                ),
            }
        }
    }
}

/// The driver's word for a request with a field that the model does not take.
const FIELD_REFUSED: &str = "field-refused";

fn no_answer() -> Problem {
    Problem { code: "no-answer".to_owned(), message: "no answer came".to_owned(), hint: None }
}

fn refusal(engine: &mut Engine, head: &Head, exchange: &Exchange) -> Problem {
    if let Err(error) = &exchange.outcome
        && error.code() == "redirect"
    {
        return of_wire(error);
    }
    let response =
        HttpResponse { status: head.status, headers: convert::headers(&head.headers), body: exchange.body.to_vec() };
    let explained = engine.line.driver.explain(&response).map(|problem| of_plugin(&problem));
    let problem = explained.unwrap_or_else(|fault| of_fault(&fault));
    if problem.code != FIELD_REFUSED {
        return problem;
    }
    match engine.learn_refusal(&response) {
        Ok(true) => Problem { code: policy::FIELD_LEFT_OUT.to_owned(), ..problem },
        Ok(false) => problem,
        Err(fault) => of_fault(&fault),
    }
}

/// Numbers that contradict each other make every number of the answer worthless.
fn inconsistent(lies: &[metrics::Inconsistency]) -> Problem {
    let all: Vec<String> = lies.iter().map(ToString::to_string).collect();
    let first = lies.first();
    Problem {
        code: first.map_or("inconsistent", metrics::Inconsistency::code).to_owned(),
        message: format!("the answer's numbers contradict each other: {}", all.join("; ")),
        hint: first.and_then(metrics::Inconsistency::hint),
    }
}

/// What an exchange brought, for an eval: the answer itself and its times. Unlike a measured request it need not have a token, and
/// counts that contradict each other do not make the text worthless. `now` is the date at which the exchange ended.
pub(crate) fn eval_answer(
    engine: &mut Engine,
    exchange: &Exchange,
    now: OffsetDateTime,
) -> Result<bench_eval::Answer, Failure> {
    let mut answer = Answer::with_logprobs();
    if let Err(problem) = decoded(engine, exchange, &mut answer) {
        let Problem { code, message, hint } = with_pause(redacted(engine, problem), exchange);
        let head = exchange.head.as_ref();
        let retry_after = head.and_then(|head| retry_after(&head.headers, &message, now));
        return Err(Failure { code, message, hint, status: head.map(|head| head.status), retry_after });
    }
    let ms = |from: u64, to: u64| to.saturating_sub(from) as f64 / 1e6;
    let written = exchange.first_byte_written.map(Stamp::as_nanos);
    let secrets = engine.client.secrets();
    Ok(bench_eval::Answer {
        ttft_ms: written.zip(first_token(&answer.located, exchange)).map(|(from, to)| ms(from, to)),
        e2e_ms: ms(exchange.started.as_nanos(), exchange.ended.as_nanos()),
        text: secrets.redact(&answer.text),
        reasoning: secrets.redact(&answer.reasoning),
        tool_calls: answer.tool_calls_without(secrets),
        logprobs: answer.logprobs_without(secrets),
        finish: answer.finish_without(secrets),
        usage: answer.plausible_usage().map(counts).unwrap_or_default(),
        cache_write: answer.cache_write,
        cost: answer.cost,
    })
}

fn counts(usage: bench_plugin::types::Usage) -> bench_eval::Usage {
    bench_eval::Usage {
        prompt: usage.prompt_tokens,
        cached: usage.cached_tokens,
        completion: usage.completion_tokens,
        reasoning: usage.reasoning_tokens,
    }
}
