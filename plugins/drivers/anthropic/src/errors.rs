//! Errors: `{"type": "error", "error": {"type", "message"}}`, under a status or inside a stream.

use bench_sdk::problem::{self, Said};
use bench_sdk::types::Problem;

/// The status that the service documents for each type of error. Inside a stream only the type is there.
const STATUSES: &[(&str, u16)] = &[
    ("invalid_request_error", 400),
    ("authentication_error", 401),
    ("billing_error", 402),
    ("permission_error", 403),
    ("not_found_error", 404),
    ("request_too_large", 413),
    ("rate_limit_error", 429),
    ("api_error", 500),
    ("timeout_error", 504),
    ("overloaded_error", 529),
];

/// What an `error` event says.
pub fn in_stream(data: &[u8]) -> Problem {
    let said = problem::said(data).unwrap_or_default();
    let status = STATUSES.iter().find(|(kind, _)| said.words.contains(kind)).map(|(_, status)| *status);
    problem::from_said(&Said { status: said.status.or(status), ..said })
}
