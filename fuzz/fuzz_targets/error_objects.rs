//! Any bytes as an error document, and documents put together from the words that services use: a problem with a code that is
//! known and words for people, whatever the status.
#![no_main]

use bench_sdk::problem::{self, from_error_object, from_response, said};
use bench_sdk::rules::refused_fields;
use bench_sdk::types::HttpResponse;
use libfuzzer_sys::fuzz_target;

const CODES: [&str; 15] = [
    problem::UNAUTHORIZED,
    problem::MODEL_NOT_FOUND,
    problem::NOT_FOUND,
    problem::CONTEXT_OVERFLOW,
    problem::RATE_LIMITED,
    problem::OVERLOADED,
    problem::QUOTA_EXHAUSTED,
    problem::ACCOUNT_LIMIT,
    problem::REFUSED,
    problem::FIELD_REFUSED,
    problem::BAD_REQUEST,
    problem::NOT_SUPPORTED,
    problem::MALFORMED,
    problem::TRUNCATED,
    problem::SERVER_ERROR,
];

const PIECES: [&str; 24] = [
    "{", "}", "[", "]", ":", ",", "\"error\"", "\"message\"", "\"detail\"", "\"errors\"", "\"code\"", "\"type\"", "\"status\"",
    "\"param\"", "\"loc\"", "\"metadata\"", "\"raw\"", "\"temperature\"", "\"insufficient_quota\"", "\"context length\"",
    "429", "null", "\"\\ud83d\"", "\"content_filter\"",
];

fuzz_target!(|input: (u16, bool, &[u8])| {
    let (status, is_raw, bytes) = input;
    let status = 100 + status % 500;
    let body = match is_raw {
        true => bytes.to_vec(),
        false => bytes.iter().map(|byte| PIECES[usize::from(*byte) % PIECES.len()]).collect::<String>().into_bytes(),
    };
    let found = from_response(&HttpResponse { status, headers: Vec::new(), body: body.clone() });
    assert!(CODES.contains(&found.code.as_str()), "{}", found.code);
    assert!(!found.message.is_empty() && found.message.len() < 4096 && found.hint.is_some());
    if found.code == problem::FIELD_REFUSED {
        assert!(!refused_fields(&body).is_empty(), "a refusal of a field names it");
    }
    if let Some(said) = said(&body) {
        assert!(!said.message.is_empty());
        assert!(said.status.is_none_or(|status| (400..600).contains(&status)));
    }
    if let Some(problem) = from_error_object(&body) {
        assert!(CODES.contains(&problem.code.as_str()) && !problem.message.is_empty());
    }
});
