//! What a failure means for a sample: asked again, counted against the model, or left out.
//!
//! The rule behind the table: a sample is wrong only where the *model* fell short. What the network, the server or the grader did
//! says nothing about the model, so such a sample is asked again and, when that does not help, is unscored: it stands in the
//! counts and in no mean. An answer that came is graded as it is, also when it is empty (`no-response`), declines (`refused`) or was
//! cut at its limit (`truncated`): those are answers, and asking again until a better one comes would be choosing the score.
//!
//! A task that is gone on with after its run had ended asks once more what is unscored for a cause that is sent again.
//!
//! | cause | told by | asked again | then |
//! | --- | --- | --- | --- |
//! | `rate-limited` | status 429 | up to 50 times, with fewer requests at once, after `retry-after`; not where that is longer than ten minutes | unscored |
//! | `overloaded` | status 503 or 529 | up to 10 times, with fewer requests at once | unscored |
//! | `connection` | refused, reset, closed early, no address | 5 times | unscored; the task ends where nobody answers at all |
//! | `time-out` | no byte, silence or no end within the limits, status 408 or 504 | 2 times | unscored |
//! | `server-error` | other statuses from 500, an error within the stream | 3 times | unscored |
//! | `broken-answer` | an answer that is not HTTP, not the protocol, ends in the middle or was given up by the server | 3 times | unscored |
//! | `quota-exhausted` | the driver's word, or a wait of more than ten minutes | no | the task ends |
//! | `account-limit` | the driver's word: the account or region may not use the service | no | the task ends |
//! | `context-overflow` | the driver's word | no | wrong: the model cannot do what was asked |
//! | `content-filter` | the driver's word, also of a prompt that moderation refused | no | wrong, as a refusal |
//! | `not-allowed` | status 401 or 403, a missing key | no | the task ends |
//! | `no-such-model` | the driver's word | no | the task ends |
//! | `field-left-out` | the driver's word, and the field that it names is left out from now on | 3 times | the task ends |
//! | `field-refused` | the driver's word: the model refuses a setting of every request | no | the task ends |
//! | `bad-request` | other statuses from 400 | no | unscored |
//! | `client-limit` | the client had no room for the answer or lost it | 1 time | unscored |
//! | `driver` | the driver itself failed | no | unscored |

use std::time::Duration;

use bench_plugin::types::FinishReason;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Stable identifier, of the wire or in the driver's vocabulary.
    pub code: String,
    /// What happened, secrets redacted.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// The answer's status, where one came.
    pub status: Option<u16>,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Stable identifier of the cause.
    pub cause: &'static str,
    codes: &'static [&'static str],
    statuses: &'static [u16],
    /// How often a request is sent again.
    pub again: u32,
    /// There are to be fewer requests at once.
    pub slows: bool,
    /// What is left when that did not help.
    pub then: Then,
}

/// What a failure means once nothing more is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It counts as no answer.
    Wrong,
    /// It does not count.
    Unscored,
    /// Every other sample would fail in the same way.
    EndTask,
}

const fn rule(
    cause: &'static str,
    codes: &'static [&'static str],
    statuses: &'static [u16],
    again: u32,
    then: Then,
) -> Rule {
    Rule { cause, codes, statuses, again, slows: false, then }
}

/// The table, the first row that fits counting. Codes come before statuses, because the driver knows its backend.
const RULES: [Rule; 17] = [
    QUOTA,
    rule("account-limit", &["account-limit"], &[], 0, Then::EndTask),
    rule(FIELD_LEFT_OUT, &[FIELD_LEFT_OUT], &[], 3, Then::EndTask),
    rule("field-refused", &["field-refused"], &[], 0, Then::EndTask),
    Rule { slows: true, ..rule("rate-limited", &["rate-limited"], &[429], 50, Then::Unscored) },
    Rule { slows: true, ..rule("overloaded", &["overloaded"], &[503, 529], 10, Then::Unscored) },
    rule(
        "connection",
        &["connect-refused", "connect-failed", "connect-timeout", "dns", "tls", "closed-early", "connection-raced"],
        &[],
        5,
        Then::Unscored,
    ),
    rule("time-out", &["first-byte-timeout", "stalled", "total-timeout"], &[408, 504], 2, Then::Unscored),
    rule("context-overflow", &["context-overflow"], &[413], 0, Then::Wrong),
    rule("content-filter", &["content-filter", "refused"], &[], 0, Then::Wrong),
    rule("not-allowed", &["unauthorized", "missing-secret", "redirect"], &[401, 403], 0, Then::EndTask),
    rule("no-such-model", &["model-not-found"], &[], 0, Then::EndTask),
    rule("server-error", &["server-error"], &[500, 502], 3, Then::Unscored),
    rule(
        "broken-answer",
        &[
            "malformed-response",
            "truncated-stream",
            "malformed-http",
            "head-too-large",
            "body-too-large",
            "framing-too-large",
            "too-many-reads",
            "answer-too-large",
            "encoded-body",
            "no-answer",
            GIVEN_UP,
        ],
        &[],
        3,
        Then::Unscored,
    ),
    rule("bad-request", &["bad-request", "not-supported"], &[400, 404, 422], 0, Then::Unscored),
    rule("client-limit", &["window-budget", "trace-lost"], &[], 1, Then::Unscored),
    DRIVER,
];

/// Nothing is left of what the account may use, and no wait of minutes changes it.
const QUOTA: Rule = rule("quota-exhausted", &["quota-exhausted"], &[402], 0, Then::EndTask);

/// Whether a failure of this code may have passed by the time somebody goes on with the run. What is never sent again within a run
/// would fail in the same way.
pub(crate) fn may_have_passed(code: &str) -> bool {
    let known = RULES.iter().find(|rule| rule.codes.contains(&code));
    known.is_some_and(|rule| rule.again > 0 && rule.then == Then::Unscored)
}

/// The code of a refusal of a field that later requests leave out.
pub const FIELD_LEFT_OUT: &str = "field-left-out";

/// The code of an answer that the server itself gave up.
pub const GIVEN_UP: &str = "given-up";

/// Parts of the words with which servers end an answer that they did not finish: they shut down, ran out of something, or lost
/// the request, as in `abort`, `network_error` or `insufficient_system_resource`.
const UNFINISHED: [&str; 10] =
    ["abort", "cancel", "error", "fail", "timeout", "timed_out", "insufficient", "preempt", "evict", "shutdown"];

fn is_unfinished(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    UNFINISHED.iter().any(|part| word.contains(part))
}

/// Whether an answer that came in full is one that the server gave up.
///
/// # Errors
/// The failure, where it did.
pub fn finished(finish: Option<&FinishReason>) -> Result<(), Failure> {
    match finish {
        Some(FinishReason::Other(word)) if is_unfinished(word) => Err(Failure {
            code: GIVEN_UP.to_owned(),
            message: format!("the server ended the answer with `{word}`, before the model did"),
            hint: None,
            status: None,
            retry_after: None,
        }),
        _ => Ok(()),
    }
}

/// Where no other row fits.
const DRIVER: Rule = rule("driver", &[], &[], 0, Then::Unscored);

/// The row for a failure.
pub fn rule_for(failure: &Failure) -> Rule {
    let rule = rule_by_words(failure);
    let too_long = failure.retry_after.is_some_and(|wait| wait > LONGEST_WAIT);
    if too_long && rule.again > 0 && rule.then == Then::Unscored { QUOTA } else { rule }
}

fn rule_by_words(failure: &Failure) -> Rule {
    let by_code = RULES.iter().find(|rule| rule.codes.contains(&failure.code.as_str()));
    // A driver's `bad-request` for a status that says more, such as 429, is the driver not knowing better.
    let vague = by_code.is_none_or(|rule| matches!(rule.cause, "bad-request" | "server-error"));
    let by_status = failure.status.filter(|_| vague).and_then(|status| {
        let exact = RULES.iter().find(|rule| rule.statuses.contains(&status));
        exact.or_else(|| match status {
            500.. => named("server-error"),
            400.. => named("bad-request"),
            _ => None,
        })
    });
    by_status.or(by_code).copied().unwrap_or(DRIVER)
}

/// A failure that also says how long the server asks to be left alone, where it does.
pub(crate) fn with_wait(failure: Failure) -> Failure {
    let Some(wait) = failure.retry_after.filter(|wait| !wait.is_zero()) else { return failure };
    let message = format!("{}; the server asks to wait {} s", failure.message, wait.as_secs_f64());
    let hint = failure
        .hint
        .or_else(|| (wait > LONGEST_WAIT).then(|| "resume the run with --resume when that time is over".to_owned()));
    Failure { message, hint, ..failure }
}

fn named(cause: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.cause == cause)
}

/// How long to wait before a request is sent the `attempt`th time again, counted from 1: twice as long each time, from half a second
/// to a minute, and by up to a half less, as the sample's seed has it, so that samples that failed together do not come back
/// together. What the server asks for is the least.
pub fn delay(attempt: u32, seed: u64, retry_after: Option<Duration>) -> Duration {
    let doubled = 500_u64.saturating_mul(1 << attempt.saturating_sub(1).min(7)).min(60_000);
    let share = seed.rotate_left(attempt % 64) % 500;
    let wait = Duration::from_millis(doubled - doubled * share / 1000);
    wait.max(retry_after.unwrap_or_default().min(LONGEST_WAIT))
}

/// A server that asks to be left alone for longer ends the task, which can be resumed when that time is over.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: &str, status: Option<u16>) -> Failure {
        Failure { code: code.to_owned(), message: String::new(), hint: None, status, retry_after: None }
    }

    #[test]
    fn codes_come_before_statuses_and_statuses_before_nothing() {
        for (code, status, cause) in [
            ("rate-limited", Some(429), "rate-limited"),
            ("bad-request", Some(429), "rate-limited"),
            ("server-error", Some(503), "overloaded"),
            ("context-overflow", Some(400), "context-overflow"),
            ("bad-request", Some(400), "bad-request"),
            ("odd", Some(418), "bad-request"),
            ("odd", Some(599), "server-error"),
            ("odd", None, "driver"),
            ("unauthorized", Some(401), "not-allowed"),
            ("connect-refused", None, "connection"),
            ("closed-early", Some(200), "connection"),
            ("malformed-response", Some(200), "broken-answer"),
            ("fuel", Some(200), "driver"),
            ("quota-exhausted", Some(429), "quota-exhausted"),
            ("bad-request", Some(402), "quota-exhausted"),
            ("account-limit", Some(403), "account-limit"),
            ("refused", Some(400), "content-filter"),
            ("field-refused", Some(400), "field-refused"),
        ] {
            assert_eq!(rule_for(&failure(code, status)).cause, cause, "{code} {status:?}");
        }
    }

    #[test]
    fn every_cause_of_the_table_is_documented() {
        let text = include_str!("policy.rs");
        for rule in RULES {
            assert!(text.contains(&format!("//! | `{}` |", rule.cause)), "{}", rule.cause);
        }
    }

    #[test]
    fn waits_grow_to_a_bound_and_heed_the_server() {
        for seed in [0, 1, u64::MAX, 12345] {
            for attempt in 1..200 {
                let wait = delay(attempt, seed, None);
                assert!(wait >= Duration::from_millis(250) && wait <= Duration::from_secs(60), "{attempt}: {wait:?}");
            }
        }
        assert_eq!(delay(1, 0, Some(Duration::from_secs(7))), Duration::from_secs(7));
        assert_eq!(delay(1, 0, Some(Duration::from_secs(1 << 40))), LONGEST_WAIT);
    }

    #[test]
    fn a_wait_of_hours_ends_the_task() {
        for (code, seconds, cause) in [
            ("rate-limited", 600, "rate-limited"),
            ("rate-limited", 601, "quota-exhausted"),
            ("overloaded", 86_400, "quota-exhausted"),
            ("context-overflow", 86_400, "context-overflow"),
        ] {
            let failure = Failure { retry_after: Some(Duration::from_secs(seconds)), ..failure(code, Some(429)) };
            assert_eq!(rule_for(&failure).cause, cause, "{code} {seconds}");
        }
    }
}
