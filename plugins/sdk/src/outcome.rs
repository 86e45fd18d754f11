//! What the words of a service mean: one table for every driver, for statuses and for errors within a stream.
//!
//! The wordings are those of the services' documentation and of public bug reports. The first row that fits counts: what says
//! most about the request comes before what any failure may say.

use crate::problem::{self, Said, problem};
use crate::types::Problem;

/// A row: a code, the statuses under which it is believed (none for all), words of which one must be there, words that must
/// not be there, and what to do next.
struct Row {
    code: &'static str,
    statuses: &'static [u16],
    words: &'static [&'static str],
    unless: &'static [&'static str],
    hint: &'static str,
}

const MODEL_HINT: &str = "list what is served with `bench models`, then name one with --model";

/// Statuses under which a prompt can be too long. Some servers answer 500.
const REFUSALS: &[u16] = &[400, 409, 413, 422, 500];

const ROWS: &[Row] = &[
    Row {
        code: problem::QUOTA_EXHAUSTED,
        statuses: &[],
        words: &[
            "insufficient_quota",
            "exceeded your current quota",
            "quota exceeded",
            "quota_exceeded",
            "exceeded the quota",
            "credit balance is too low",
            "insufficient credits",
            "insufficient balance",
            "insufficient_balance",
            "insufficient funds",
            "not enough credits",
            "out of credits",
            "requires more credits",
            "payment required",
            "billing_hard_limit_reached",
            "billing hard limit",
            "billing_not_active",
            "billing_error",
            "spending limit",
            "spend limit",
            "usage limit",
            "monthly limit",
            "credit limit",
            "key limit exceeded",
            "perday",
            "per day",
            "per-day",
            "daily limit",
            "(tpd)",
            "(rpd)",
        ],
        unless: &[],
        hint: "the account has used up its quota; check its plan and billing, or wait until the quota is renewed",
    },
    Row {
        code: problem::ACCOUNT_LIMIT,
        statuses: &[],
        words: &[
            "account_deactivated",
            "account deactivated",
            "account has been deactivated",
            "account is not active",
            "account suspended",
            "account has been suspended",
            "account_suspended",
            "organization has been disabled",
            "organization_disabled",
            "organization must be verified",
            "must be verified to",
            "verify organization",
            "unsupported_country_region_territory",
            "country, region, or territory not supported",
            "user location is not supported",
            "not available in your region",
            "not available in your country",
            "not supported in your region",
            "does not have access to model",
            "do not have access to the model",
            "accept the terms",
            "model_terms_required",
        ],
        unless: &[],
        hint: "the account or the region may not use this; see the service's console",
    },
    Row {
        code: problem::REFUSED,
        statuses: &[],
        words: &[
            "content_filter",
            "content_policy_violation",
            "content policy",
            "content management policy",
            "responsibleaipolicyviolation",
            "moderation",
            "flagged as",
            "was flagged",
            "usage policies",
            "usage policy",
            "acceptable use",
            "safety system",
            "prohibited_content",
            "data_inspection_failed",
            "inappropriate content",
            "prompt was blocked",
            "prompt_blocked",
            "blocked by safety",
            "blocked due to safety",
            "invalid_prompt",
        ],
        unless: &[],
        hint: "the service refused the prompt; this says something about the service and not about the model's ability",
    },
    Row {
        code: problem::CONTEXT_OVERFLOW,
        statuses: REFUSALS,
        words: &[
            "context_length_exceeded",
            "exceed_context_size",
            "context_window_exceeded",
            "context length",
            "context size",
            "context window",
            "context limit",
            "maximum context",
            "max_model_len",
            "max_seq_len",
            "max_input_len",
            "max_num_tokens",
            "prompt is too long",
            "input is too long",
            "prompt too long",
            "too long for requested model",
            "longer than the maximum",
            "longer than the model",
            "too many tokens",
            "too many input tokens",
            "maximum prompt length",
            "maximum input length",
            "input token count",
            "exceeds the maximum number of tokens",
            "prompt exceeds",
            "input exceeds",
            "exceeds the model's limit",
            "tokens + `max_new_tokens`",
            "`inputs` must have less than",
            "max_tokens must be at least 1, got -",
            "max_completion_tokens must be at least 1, got -",
            "reduce the length of the messages",
            "reduce the length of the prompt",
        ],
        unless: &["per minute", "per second", "rate limit", "rate_limit", "completion tokens, whereas", "assertion"],
        hint: "use a shorter prompt, or start the backend with a longer context",
    },
    Row {
        code: problem::RATE_LIMITED,
        statuses: &[400, 413, 422, 429, 500, 502, 503, 529],
        words: &[
            "rate_limit",
            "rate limit",
            "ratelimit",
            "too many requests",
            "too_many_requests",
            "per minute",
            "per second",
            "throttl",
            "resource_exhausted",
            "slow down",
        ],
        unless: &[],
        hint: "wait and run again, or lower the number of streams",
    },
    Row {
        code: problem::UNAUTHORIZED,
        statuses: &[],
        words: &[
            "authentication_error",
            "invalid_api_key",
            "invalid api key",
            "incorrect api key",
            "api key not valid",
            "invalid x-api-key",
            "invalid_authentication",
        ],
        unless: &[],
        hint: "check the API key: name its environment variable with --api-key-env",
    },
    Row {
        code: problem::MODEL_NOT_FOUND,
        statuses: &[400, 404, 422, 500],
        words: &[
            "model_not_found",
            "model not found",
            "unknown model",
            "invalid model",
            "no such model",
            "not a valid model",
            "model_not_available",
            "no endpoints found",
        ],
        unless: &[],
        hint: MODEL_HINT,
    },
    Row {
        code: problem::OVERLOADED,
        statuses: &[],
        words: &[
            "overloaded",
            "over capacity",
            "at capacity",
            "capacity exceeded",
            "server is busy",
            "queue is full",
            "engine is currently",
            "loading model",
            "model is loading",
            "model is currently loading",
            "temporarily unavailable",
            "no healthy upstream",
        ],
        unless: &[],
        hint: "the backend is loading or busy; wait and run again",
    },
];

/// The problem for a status and what was said with it.
pub(crate) fn problem_for(status: u16, said: &Said) -> Problem {
    let text = format!("{} {}", said.message, said.words).to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let row = ROWS
        .iter()
        .find(|row| (row.statuses.is_empty() || row.statuses.contains(&status)) && has(row.words) && !has(row.unless));
    let (code, hint) = match (row, status) {
        (Some(row), _) => (row.code, row.hint),
        (None, 402) => (problem::QUOTA_EXHAUSTED, "the account has no credit left; check its billing page"),
        (None, 401 | 403) => {
            (problem::UNAUTHORIZED, "check the API key: name its environment variable with --api-key-env")
        }
        (None, 404) if has(&["model"]) => (problem::MODEL_NOT_FOUND, MODEL_HINT),
        (None, 404 | 405) => {
            (problem::NOT_FOUND, "the backend does not know this path: check the endpoint's address and the driver")
        }
        (None, 408 | 504) => (problem::OVERLOADED, "the backend took too long; try again with less load"),
        (None, 413) => (problem::BAD_REQUEST, "the backend refuses requests of this size"),
        (None, 429) => (problem::RATE_LIMITED, "wait and run again, or lower the number of streams"),
        (None, 501) => (problem::NOT_SUPPORTED, "the backend was started without this function"),
        (None, 503 | 529) => (problem::OVERLOADED, "the backend is loading or busy; wait and run again"),
        (None, 500..) => (problem::SERVER_ERROR, "look into the backend's log"),
        (None, 400..500) => {
            let hint = "the backend does not accept this request; its version may differ from the tested one";
            (problem::BAD_REQUEST, hint)
        }
        (None, 300..400) => (problem::NOT_FOUND, "the endpoint redirects; name the address that it redirects to"),
        (None, _) => (problem::MALFORMED, "check that the endpoint is the backend that this driver is for"),
    };
    problem(code, format!("status {status}: {}", said.message), hint)
}

/// Words of a refusal that is about a field of the request, and not about the prompt.
const FIELD_WORDS: &[&str] = &[
    "unsupported parameter",
    "unsupported_parameter",
    "unsupported value",
    "unsupported_value",
    "unknown parameter",
    "unknown_parameter",
    "unknown field",
    "unknown name",
    "unrecognized",
    "unexpected keyword",
    "extra inputs are not permitted",
    "extra_forbidden",
    "extra fields not permitted",
    "not permitted",
    "is deprecated",
    "not supported",
    "unsupported",
    "does not support",
    "may only be set",
    "only the default",
    "cannot be used",
    "cannot both be",
    "array too long",
    "array_above_max_length",
    "is not allowed",
    "not allowed",
];

/// Whether the refusal is about a field.
pub(crate) fn names_a_field(said: &Said) -> bool {
    let text = format!("{} {}", said.message, said.words).to_lowercase();
    FIELD_WORDS.iter().any(|word| text.contains(word))
}
