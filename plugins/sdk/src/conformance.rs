//! What every driver promises, checked against its own fixtures. Native builds only.

use std::path::Path;

use crate::driver::{Capability, Driver, Evidence, LaunchOptions, Locality, Target};
use crate::http;
use crate::testkit::{self, Recording, fuzz_decoder, run};
use crate::types::Event;

/// The codes that the interface and the SDK define.
const CODES: &[&str] = &[
    crate::problem::UNAUTHORIZED,
    crate::problem::MODEL_NOT_FOUND,
    crate::problem::NOT_FOUND,
    crate::problem::CONTEXT_OVERFLOW,
    crate::problem::RATE_LIMITED,
    crate::problem::OVERLOADED,
    crate::problem::QUOTA_EXHAUSTED,
    crate::problem::ACCOUNT_LIMIT,
    crate::problem::REFUSED,
    crate::problem::FIELD_REFUSED,
    crate::problem::BAD_REQUEST,
    crate::problem::NOT_SUPPORTED,
    crate::problem::MALFORMED,
    crate::problem::TRUNCATED,
    crate::problem::SERVER_ERROR,
];

/// Checks a driver against all recordings in `folder` and answers how many there are.
///
/// - `describe` is complete, and `evidence` is `documentation` exactly where no recording is of a real server.
/// - A driver that does not promise to launch its backend says so when asked to.
/// - Streams (files named `*.stream.json`) decode to the same events however they are batched, cut at any byte they end in a
///   problem unless the answer was complete, and no bytes make the decoder panic.
/// - A web page, an empty body and an error document in place of a stream are problems.
/// - Error answers get a known code, a message without markup and a hint.
///
/// # Panics
/// Where a promise is broken.
pub fn check<D: Driver>(folder: impl AsRef<Path>) -> usize {
    let mut names: Vec<String> = std::fs::read_dir(folder.as_ref())
        .unwrap_or_else(|error| panic!("{}: {error}", folder.as_ref().display()))
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".json"))
        .collect();
    names.sort();
    let mut real = false;
    for name in &names {
        let recording = Recording::load(folder.as_ref().join(name)).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let from = recording.meta.recorded_from.as_str();
        assert!(from == "real server" || from.starts_with("documentation: "), "{name}: recorded from `{from}`");
        real |= from == "real server";
        if !http::is_success(&recording.response()) {
            explained::<D>(name, &recording);
        } else if name.ends_with(".stream.json") {
            streamed::<D>(name, &recording);
        }
    }
    described::<D>(real);
    broken::<D>();
    names.len()
}

fn described<D: Driver>(real: bool) {
    let info = D::describe();
    assert!(info.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
    assert_eq!(info.evidence == Evidence::RealServer, real, "evidence is what the fixtures are");
    assert!(!info.endpoints.is_empty() && !info.summary.is_empty() && !info.title.is_empty());
    assert!(info.endpoints.iter().all(|endpoint| !endpoint.ends_with('/')), "endpoints have no slash at the end");
    let schema: serde_json::Value = serde_json::from_str(&info.params_schema).unwrap_or_default();
    assert_eq!(
        schema.get("additionalProperties"),
        Some(&serde_json::Value::Bool(false)),
        "parameters are a closed set"
    );
    if info.locality == Locality::Hosted {
        assert!(info.secrets.iter().any(|secret| secret.required), "a hosted service needs a key");
    }
    let silent = vec![None; D::telemetry().len()];
    assert!(D::counters(silent).is_empty(), "no answers, no counters");
    assert!(D::recognise(Vec::new()).is_none(), "nothing is recognised in nothing");

    if !info.capabilities.contains(&Capability::Launch) {
        let options = LaunchOptions { port: 4000, context: None, slots: None, params: "{}".to_owned() };
        let code = D::launch("m".to_owned(), options).err().map(|problem| problem.code);
        assert_eq!(
            code.as_deref(),
            Some(crate::problem::NOT_SUPPORTED),
            "launching is refused where it is not promised"
        );
    }

    let params = r#"{"no-such-parameter": 1}"#.to_owned();
    let target = Target { model: "m".to_owned(), version: None, params };
    let code = D::encode(testkit::chat("Hello", 8), target).err().map(|problem| problem.code);
    assert_eq!(code.as_deref(), Some(crate::problem::BAD_REQUEST), "an unknown parameter is refused");
}

fn explained<D: Driver>(name: &str, recording: &Recording) {
    let problem = D::explain(recording.response());
    assert!(CODES.contains(&problem.code.as_str()), "{name}: unknown code {}", problem.code);
    assert!(!problem.message.is_empty() && !problem.message.contains("</"), "{name}: {}", problem.message);
    assert!(problem.hint.is_some(), "{name}: no hint");
}

fn streamed<D: Driver>(name: &str, recording: &Recording) {
    let events = recording.decode_consistently::<D::Decoder>();
    assert!(events.is_ok(), "{name}: {events:?}");
    let body = recording.body();
    for hostile in mutations(&body) {
        fuzz_decoder::<D::Decoder>(&hostile);
    }
    for cut in 0..body.len() {
        let part = body.get(..cut).unwrap_or_default().to_vec();
        let end = u32::try_from(cut).unwrap_or(u32::MAX);
        let (events, problem) = run::<D::Decoder>(&recording.headers, [(part, vec![end])]);
        let over = |event: &Event| matches!(event, Event::Finish(_) | Event::Error(_));
        let complete = events.iter().any(|located| over(&located.event));
        assert!(complete || problem.is_some(), "{name}: cut at byte {cut}, the stream passes for a whole one");
    }
}

/// The body itself, and the body with bytes changed, removed or repeated: always in the same places, so that a failure comes
/// back.
fn mutations(body: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    const COPIES: u64 = 200;
    (0..COPIES).map(|copy| {
        let mut bytes = body.to_vec();
        let mut state = copy.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for _ in 0..copy.min(4) {
            // Constants of a 64-bit linear congruential generator (Knuth, MMIX).
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX).max(1);
            let at = usize::try_from((state >> 16) % length).unwrap_or_default();
            let [kind, value, ..] = state.to_be_bytes();
            match kind % 4 {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..(at + usize::from(value % 9)).min(bytes.len()))),
                2 => bytes.extend_from_within(at..(at + usize::from(value)).min(bytes.len())),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = value;
                    }
                }
            }
        }
        bytes
    })
}

fn broken<D: Driver>() {
    let code = |body: &[u8]| {
        let ends = vec![u32::try_from(body.len()).unwrap_or(u32::MAX)];
        let (events, problem) = run::<D::Decoder>(&[], [(body.to_vec(), ends)]);
        let reported = events.into_iter().find_map(|located| match located.event {
            Event::Error(problem) => Some(problem.code),
            _ => None,
        });
        problem.map(|problem| problem.code).or(reported)
    };
    assert_eq!(code(b"<html><body>Sign in</body></html>").as_deref(), Some(crate::problem::MALFORMED), "a web page");
    assert_eq!(code(b"").as_deref(), Some(crate::problem::TRUNCATED), "an empty body");
    assert!(
        code(br#"{"error": {"message": "no", "type": "server_error"}}"#).is_some(),
        "an error in place of a stream"
    );
    assert!(code(b"data: {\"choices\": [\n\n").is_some(), "broken JSON");
    assert!(code(b"\xff\xfe\xfd").is_some(), "bytes that are no text");
}
