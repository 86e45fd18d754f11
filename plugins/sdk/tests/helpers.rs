//! The small helpers: problems from answers, the Prometheus format, parameters, string literals, recordings.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_sdk::driver::CounterKind;
use bench_sdk::json;
use bench_sdk::params;
use bench_sdk::problem;
use bench_sdk::prometheus::{counters, samples};
use bench_sdk::testkit::Recording;
use bench_sdk::types::HttpResponse;
use proptest::prelude::*;
use serde::Deserialize;

fn response(status: u16, body: &str) -> HttpResponse {
    HttpResponse { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

#[test]
fn answers_become_problems_with_a_code_and_a_hint() {
    for (status, body, code) in [
        (401, r#"{"error":{"message":"no key"}}"#, "unauthorized"),
        (403, "", "unauthorized"),
        (404, r#"{"error":{"message":"The model `x` does not exist"}}"#, "model-not-found"),
        (404, r#"{"detail":"Not Found"}"#, "not-found"),
        (400, r#"{"error":{"message":"m","code":"model_not_found"}}"#, "model-not-found"),
        (400, r#"{"error":{"message":"m","code":"context_length_exceeded"}}"#, "context-overflow"),
        (422, r#"{"detail":[{"msg":"Field required"}]}"#, "bad-request"),
        (413, "", "bad-request"),
        (429, r#"{"message":"slow down"}"#, "rate-limited"),
        (500, "<html>oops</html>", "server-error"),
        (501, r#"{"error":"no metrics"}"#, "not-supported"),
        (503, r#"{"error":{"message":"Loading model","code":503}}"#, "overloaded"),
        (302, "", "not-found"),
        (200, "", "malformed-response"),
        (999, "", "server-error"),
    ] {
        let problem = problem::from_response(&response(status, body));
        assert_eq!(problem.code, code, "{status} {body}");
        assert!(problem.hint.is_some() && problem.message.contains(&status.to_string()));
        assert!(!problem.message.contains('<'), "no markup in a message: {}", problem.message);
    }
}

#[test]
fn long_and_odd_messages_are_cut_to_one_line() {
    let text = format!("{{\"error\":\"{}\\n\\u0007end\"}}", "word ".repeat(500));
    let problem = problem::from_response(&response(400, &text));
    assert!(problem.message.len() < 300 && !problem.message.contains('\n'));
    assert_eq!(json::excerpt(b"a\n\n b\x07c \xff"), "a b c \u{fffd}");
}

#[test]
fn samples_are_read_with_and_without_labels() {
    let text = b"# HELP a b\na 1\nb{x=\"}\",y=\"\\\"\"} 2.5 1700000000\nc{} NaN\nbroken\nd{x=\"1\" 3\ne +Inf\n\xff 1\n";
    let seen: Vec<_> = samples(text).map(|sample| (sample.name, sample.labels)).collect();
    assert_eq!(seen, [("a", ""), ("b", "x=\"}\",y=\"\\\"\""), ("c", ""), ("e", "")]);
}

#[test]
fn counters_sum_over_labels_and_leave_out_what_is_not_there() {
    let answer = response(200, "hits{engine=\"0\"} 2\nhits{engine=\"1\"} 3\nhits_created 9\nodd NaN\n");
    let wanted =
        [("hits", CounterKind::PrefixCacheHits), ("odd", CounterKind::Other), ("missing", CounterKind::DraftTokens)];
    let found = counters(Some(&answer), &wanted);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].name.as_str(), found[0].value), ("hits", 5.0));
    assert!(counters(Some(&response(404, "hits 1")), &wanted).is_empty());
    assert!(counters(None, &wanted).is_empty());
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    depth: u32,
}

#[test]
fn parameters_are_strict() {
    assert_eq!(params::parse::<Params>("").unwrap().depth, 0);
    assert_eq!(params::parse::<Params>(r#"{"depth":3}"#).unwrap().depth, 3);
    for (text, word) in [(r#"{"dept":3}"#, "dept"), (r#"{"depth":"x"}"#, "depth"), ("[", "parameters")] {
        let problem = params::parse::<Params>(text).unwrap_err();
        assert_eq!(problem.code, "bad-request");
        assert!(problem.message.contains(word) || problem.message.contains("invalid type"), "{}", problem.message);
    }
    assert!(params::parse::<params::None>(r#"{"a":1}"#).is_err());
}

#[test]
fn string_literals_keep_text_and_replace_only_surrogates() {
    assert_eq!(json::string(br#""a\n\u00e9\"""#).unwrap(), "a\né\"");
    assert_eq!(json::string(br#""\ud83d""#).unwrap().chars().last(), Some('\u{fffd}'));
    for broken in [&b"\"a\x01\""[..], b"\"\xff\"", b"\"\\n\xff\"", b"\"a\"b\"", b"\"\\", b"\"", b"a", b"", b"\"\\q\""] {
        assert_eq!(json::string(broken), None, "{broken:?}");
    }
}

#[test]
fn recordings_that_make_no_sense_are_refused() {
    let file = |read: &str| {
        format!(
            r#"{{"meta":{{"engine":"e","version":"v","recorded_from":"real server","request":{{"method":"GET","path":"/","body":""}}}},"status":200,"headers":[["a","b"]],"reads":[{read}]}}"#
        )
    };
    let good = Recording::parse(file(r#"{"text":"é"},{"hex":"00ff"}"#).as_bytes()).unwrap();
    assert_eq!(good.body(), [0xc3, 0xa9, 0, 0xff]);
    for read in [r#"{"hex":"0"}"#, r#"{"hex":"zz"}"#, "{}", r#"{"text":"a","hex":"00"}"#] {
        assert!(Recording::parse(file(read).as_bytes()).is_err(), "{read}");
    }
}

proptest! {
    #[test]
    fn string_literals_agree_with_serde(literal in r#""([a-z é]|\\[nt"\\/bfru]|\\u[0-9a-fA-F]{4}|"|\\){0,8}""#) {
        let strict = serde_json::from_str::<String>(&literal).ok();
        let lenient = json::string(literal.as_bytes());
        // Where serde takes it both agree; where only we take it, it is for a lone surrogate.
        match (strict, lenient) {
            (Some(strict), lenient) => prop_assert_eq!(Some(strict), lenient),
            (None, Some(lenient)) => {
                let replaced = lenient.contains(char::REPLACEMENT_CHARACTER);
                prop_assert!(replaced);
            }
            (None, None) => {}
        }
    }

    #[test]
    fn integers_agree_with_serde(literal in "-?[0-9]{0,20}(\\.0)?") {
        if let Some(value) = json::integer(literal.as_bytes()) {
            prop_assert_eq!(serde_json::from_str::<u64>(&literal).unwrap(), value);
        }
    }

    #[test]
    fn no_scrape_is_too_odd(body in prop::collection::vec(any::<u8>(), 0..300), text in "[a-z{}\"\\\\= \n0-9#]{0,80}") {
        samples(&body).count();
        samples(text.as_bytes()).count();
    }

    #[test]
    fn no_error_document_is_too_odd(status in any::<u16>(), body in "[\\[\\]{}\":,a-z0-9]{0,60}|\\{\"error\":[\\[\\]{}\":,a-z0-9]{0,20}\\}") {
        problem::from_response(&response(status, &body));
    }
}
