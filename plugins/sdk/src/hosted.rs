//! What hosted services share: the key, errors that tell when to come back, and nothing to start.

use crate::driver::{Backend, LaunchPlan, Model, Secret};
use crate::http;
use crate::problem::{self, problem};
use crate::types::{HttpResponse, Problem};

/// The name that requests of hosted drivers give the key.
pub const KEY: &str = "api-key";

/// The key that a hosted service needs, read from its usual environment variable.
pub fn key(environment: &str) -> Vec<Secret> {
    vec![Secret { name: KEY.to_owned(), environment: environment.to_owned(), required: true }]
}

/// What an error answer of a hosted service says: as [`problem::from_response`], with the payment that is due and the time to
/// wait where the service names them.
pub fn explain(response: &HttpResponse) -> Problem {
    let plain = problem::from_response(response);
    if response.status == 402 {
        return problem(
            problem::QUOTA_EXHAUSTED,
            plain.message,
            "the account has no credit left; check its billing page",
        );
    }
    let busy = plain.code == problem::RATE_LIMITED || plain.code == problem::OVERLOADED;
    match http::find(&response.headers, "retry-after").filter(|value| busy && value.len() <= 32) {
        Some(after) => {
            let unit = if after.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') { " s" } else { "" };
            let hint =
                format!("the service asks to wait {after}{unit}; then run again, or lower the number of streams");
            Problem { hint: Some(hint), ..plain }
        }
        None => plain,
    }
}

/// A service that was recognised by its model list: it tells neither its version nor how it runs.
pub fn backend(name: &str, models: Vec<Model>) -> Backend {
    Backend {
        name: name.to_owned(),
        version: None,
        build: Vec::new(),
        models,
        slots: None,
        confidence: 80,
        extra: None,
    }
}

/// A hosted service is not started.
pub fn launch() -> Result<LaunchPlan, Problem> {
    Err(problem::not_supported("a hosted service is not started by the host"))
}

#[cfg(test)]
mod tests {
    use super::explain;
    use crate::types::{HttpResponse, ResponseHeader};

    fn answer(status: u16, retry_after: Option<&str>) -> HttpResponse {
        let headers = retry_after.map(|value| ResponseHeader { name: "retry-after".into(), value: value.into() });
        let body = br#"{"error":{"message":"slow down","type":"tokens","code":"rate_limit_exceeded"}}"#.to_vec();
        HttpResponse { status, headers: headers.into_iter().collect(), body }
    }

    #[test]
    fn a_busy_service_says_when_to_come_back() {
        let problem = explain(&answer(429, Some("7")));
        assert_eq!(problem.code, "rate-limited");
        assert!(problem.message.contains("slow down"), "{}", problem.message);
        assert!(problem.hint.is_some_and(|hint| hint.contains("7 s")));
    }

    #[test]
    fn the_header_matters_only_where_waiting_helps() {
        let problem = explain(&answer(401, Some("7")));
        assert_eq!(problem.code, "unauthorized");
        assert!(problem.hint.is_some_and(|hint| !hint.contains("7 s")));
    }

    #[test]
    fn an_unpaid_account_is_named() {
        let problem = explain(&answer(402, None));
        assert_eq!(problem.code, "quota-exhausted");
        assert!(problem.hint.is_some_and(|hint| hint.contains("credit")));
    }
}
