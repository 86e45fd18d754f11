//! Counting a prompt's tokens in several requests, as a pure function of the answers so far.

use std::cell::RefCell;

use serde::de::DeserializeOwned;

use crate::driver::{CountStep, Target};
use crate::problem;
use crate::types::{Generation, HttpResponse, Problem};

/// The state of a `count` resource: what is counted, and every answer so far.
#[derive(Debug)]
pub struct Counting {
    generation: Generation,
    target: Target,
    answers: RefCell<Vec<HttpResponse>>,
}

impl Counting {
    /// Nothing asked yet.
    pub fn new(generation: Generation, target: Target) -> Self {
        Self { generation, target, answers: RefCell::default() }
    }

    /// Keeps the last answer and calls `next` with all of them, in order. An answer with an error status ends the
    /// counting with its problem.
    pub fn step<P: DeserializeOwned + Default>(
        &self,
        previous: Option<HttpResponse>,
        explain: impl Fn(HttpResponse) -> Problem,
        next: impl Fn(&Generation, &Target, &P, &[HttpResponse]) -> Result<CountStep, Problem>,
    ) -> Result<CountStep, Problem> {
        let params = crate::params::parse(&self.target.params)?;
        let mut answers = self.answers.borrow_mut();
        match previous {
            Some(answer) if !crate::http::is_success(&answer) => return Err(explain(answer)),
            Some(answer) => answers.push(answer),
            None => answers.clear(),
        }
        next(&self.generation, &self.target, &params, &answers)
    }
}

/// The answer's JSON document.
pub fn document(answer: &HttpResponse) -> Result<serde_json::Value, Problem> {
    serde_json::from_slice(&answer.body)
        .map_err(|error| problem::malformed(format!("{error}: {}", crate::json::excerpt(&answer.body))))
}
