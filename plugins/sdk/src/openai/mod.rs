//! The OpenAI dialect: `/v1/chat/completions` and `/v1/completions` as many backends speak them.
//!
//! A driver implements [`Dialect`] and states what is different about its backend; [`Plugin`] makes a whole driver of it.

mod chunk;
mod decode;
mod request;

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

pub use chunk::{NO_TIMING, Timings, TokenEntry, finish_reason, usage};
pub use decode::Chunks;
pub use request::{Api, Request, StreamUsage, chat_messages, tools};

use crate::count::Counting;
use crate::driver::{
    Backend, CountStep, CountSteps, Counter, Driver, Encoded, Info, LaunchOptions, LaunchPlan, Probe, ProbeAnswer,
    Target,
};
use crate::problem;
use crate::recognise::{Answers, get_probe};
use crate::stream::{Out, Stream};
use crate::types::{Event, Generation, HttpRequest, HttpResponse, Problem};

/// What is different about one backend. Every function but three has a default that suits a plain OpenAI server.
pub trait Dialect: 'static {
    /// Driver parameters; see [`crate::params`].
    type Params: DeserializeOwned + Default;

    /// Who the driver is.
    fn info() -> Info;

    /// Paths, names of fields, and what the backend takes.
    fn api() -> Api;

    /// Whether the answers to [`Dialect::probes`] are this backend's.
    fn recognise(answers: Answers<'_>) -> Option<Backend>;

    /// Adds to a request what the backend needs beyond the common part, and sets the wishes that it thereby carries out.
    fn amend(
        _request: &mut Request,
        _generation: &Generation,
        _target: &Target,
        _params: &Self::Params,
    ) -> Result<(), Problem> {
        Ok(())
    }

    /// What to look at to find the backend: its model list, as the probe `models`.
    fn probes() -> Vec<Probe> {
        vec![get_probe("models", Self::api().models, Self::api().auth())]
    }

    /// How to start the backend.
    fn launch(_model: &str, _options: &LaunchOptions, _params: &Self::Params) -> Result<LaunchPlan, Problem> {
        Err(problem::not_supported("this driver cannot start its backend"))
    }

    /// What an answer with an error status says.
    fn explain(response: &HttpResponse) -> Problem {
        problem::from_response(response)
    }

    /// The next step of counting a prompt's tokens, given all answers so far, in order.
    fn count(
        _generation: &Generation,
        _target: &Target,
        _params: &Self::Params,
        _answers: &[HttpResponse],
    ) -> Result<CountStep, Problem> {
        Err(problem::not_supported("this backend cannot count the tokens of a prompt"))
    }

    /// What to request before and after a phase.
    fn telemetry() -> Vec<HttpRequest> {
        Vec::new()
    }

    /// The counters in the answers to [`Dialect::telemetry`].
    fn counters(_answers: &[Option<HttpResponse>]) -> Vec<Counter> {
        Vec::new()
    }

    /// Reads a message that is no chunk of OpenAI's: it has neither choices nor usage nor an error. Answers whether it
    /// was understood; what is not becomes an `other` event.
    fn foreign(_message: &[u8], _out: &mut Out<'_>) -> Result<bool, Problem> {
        Ok(false)
    }

    /// Adds events for a vendor's own fields of a chunk, after its common ones and before its `finish`. Called for chunks
    /// that bring more than a fragment: with usage at the end, timings or a finish reason.
    fn extra(_message: &[u8], _out: &mut Out<'_>) {}

    /// A comment of the event stream. They are kept for the record.
    fn comment(text: &[u8], out: &mut Out<'_>) {
        out.event(Event::Other(format!(": {}", crate::json::excerpt(text))));
    }
}

/// The driver of a dialect.
#[derive(Debug)]
pub struct Plugin<D>(PhantomData<D>);

/// The `count` resource of a dialect.
#[derive(Debug)]
pub struct Count<D>(Counting, PhantomData<D>);

impl<D: Dialect> Driver for Plugin<D> {
    type Decoder = Stream<Chunks<D>>;
    type Count = Count<D>;

    fn describe() -> Info {
        D::info()
    }

    fn probes() -> Vec<Probe> {
        D::probes()
    }

    fn recognise(answers: Vec<ProbeAnswer>) -> Option<Backend> {
        D::recognise(Answers(&answers))
    }

    fn launch(model: String, options: LaunchOptions) -> Result<LaunchPlan, Problem> {
        let params = crate::params::parse(&options.params)?;
        D::launch(&model, &options, &params)
    }

    fn encode(generation: Generation, target: Target) -> Result<Encoded, Problem> {
        let params = crate::params::parse(&target.params)?;
        let mut request = Request::new(&D::api(), &generation, &target)?;
        D::amend(&mut request, &generation, &target, &params)?;
        Ok(request.encoded())
    }

    fn explain(response: HttpResponse) -> Problem {
        D::explain(&response)
    }

    fn telemetry() -> Vec<HttpRequest> {
        D::telemetry()
    }

    fn counters(answers: Vec<Option<HttpResponse>>) -> Vec<Counter> {
        D::counters(&answers)
    }
}

impl<D: Dialect> CountSteps for Count<D> {
    fn new(generation: Generation, target: Target) -> Self {
        Self(Counting::new(generation, target), PhantomData)
    }

    fn step(&self, previous: Option<HttpResponse>) -> Result<CountStep, Problem> {
        self.0.step(previous, |response| D::explain(&response), D::count)
    }
}
