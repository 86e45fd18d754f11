//! Samples to test with.

use std::path::PathBuf;

use bench_samples::{
    LikelihoodRecord, MessageRecord, ProblemRecord, Reason, SampleRecord, ScorerRecord, Status, SubScore,
    ToolCallRecord, UsageRecord, VerdictRecord,
};
use proptest::prelude::*;
use serde_json::{Value, json};

pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// An answered and graded sample.
pub fn sample(id: &str, epoch: u32, value: f64) -> SampleRecord {
    let document = json!({"question": format!("{id}?"), "level": 2.5});
    let prompt = vec![MessageRecord::new("system", "Be brief."), MessageRecord::new("user", format!("{id}?"))];
    let mut sample = SampleRecord::new("sums", id, epoch, document, prompt, json!("42"));
    sample.answer = Some("It is 42.".to_owned());
    sample.finish = Some("stop".to_owned());
    sample.model = Some("tiny".to_owned());
    sample.verdict = Some(verdict(Some(value), if value >= 1.0 { Reason::Correct } else { Reason::Wrong }));
    sample
}

pub fn verdict(value: Option<f64>, reason: Reason) -> VerdictRecord {
    VerdictRecord {
        scorer: ScorerRecord {
            name: "exact-match".to_owned(),
            version: "0.1.0".to_owned(),
            sha256: Some("ab".repeat(32)),
            config_sha256: None,
        },
        value,
        reason,
        problem: None,
        extracted: Some("42".to_owned()),
        explanation: None,
        sub_scores: Vec::new(),
        fuel: Some(12),
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e6_f64..1e6).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,6}|input|choices", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,20}",
        Just("NaN -Infinity \"quoted\" \\".to_owned()),
        Just("attachment://1".to_owned()),
        Just(String::new())
    ]
}

fn call() -> impl Strategy<Value = ToolCallRecord> {
    let arguments = prop_oneof![Just("{\"a\": 1}".to_owned()), Just("{\"a\": ".to_owned()), text()];
    (text(), text(), arguments).prop_map(|(id, name, arguments)| ToolCallRecord { id, name, arguments })
}

fn message() -> impl Strategy<Value = MessageRecord> {
    let role = prop::sample::select(vec!["system", "user", "assistant", "tool", "developer"]);
    let calls = prop::collection::vec(call(), 0..2);
    (role, text(), calls, prop::option::of(text())).prop_map(|(role, content, tool_calls, tool_call_id)| {
        MessageRecord { role: role.to_owned(), content, tool_calls, tool_call_id }
    })
}

fn any_verdict() -> impl Strategy<Value = VerdictRecord> {
    let reason = prop_oneof![
        Just(Reason::Correct),
        Just(Reason::Wrong),
        Just(Reason::InvalidFormat),
        Just(Reason::Tampered),
        Just(Reason::GraderFailed),
        "[a-z-]{0,9}".prop_map(|word| Reason::from(format!("other:{word}"))),
    ];
    let sub = ("[a-z]{1,4}", prop::option::of(0.0..1.0_f64)).prop_map(|(name, value)| SubScore {
        name,
        value,
        unit: "ratio".to_owned(),
        higher_is_better: Some(true),
    });
    (prop::option::of(0.0..1.0_f64), reason, prop::option::of(text()), prop::collection::vec(sub, 0..3)).prop_map(
        |(value, reason, explanation, sub_scores)| VerdictRecord {
            explanation,
            sub_scores,
            problem: value.is_none().then(|| ProblemRecord { code: "trap".to_owned(), ..ProblemRecord::default() }),
            ..verdict(value, reason)
        },
    )
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        3 => Just(Status::Answered),
        1 => text().prop_map(|message| Status::Failed { code: "stalled".to_owned(), message }),
        1 => text().prop_map(|message| Status::Unscored { code: "gone".to_owned(), message }),
    ]
}

/// Any sample that a run could leave, but for its id.
pub fn any_sample() -> impl Strategy<Value = SampleRecord> {
    let asked = (json_value(), prop::collection::vec(message(), 0..4), json_value(), 0_u32..3);
    let said = (prop::option::of(text()), prop::option::of(text()), prop::collection::vec(call(), 0..2));
    let ended = (prop::option::of(prop::sample::select(vec!["stop", "length", "content-filter", "odd"])), status());
    let rest = (prop::option::of(any_verdict()), prop::option::of(any::<u64>()), prop::option::of(text()), 0_u32..4);
    (asked, said, ended, rest).prop_map(
        |(
            (document, prompt, target, epoch),
            (answer, reasoning, tool_calls),
            (finish, status),
            (verdict, seed, group, attempts),
        )| {
            let mut sample = SampleRecord::new("sums", "1", epoch, document, prompt, target);
            sample.answer = answer;
            sample.reasoning = reasoning;
            sample.tool_calls = tool_calls;
            sample.finish = finish.map(str::to_owned);
            sample.status = status;
            sample.usage = UsageRecord { prompt: seed.map(|seed| seed >> 1), ..UsageRecord::default() };
            sample.timing.ttft_ms = seed.map(|seed| (seed % 1000) as f64 / 8.0);
            sample.verdict = verdict;
            sample.seed = seed;
            sample.group = group;
            sample.attempts = attempts;
            if attempts == 3 {
                let likelihood = |text: &str| LikelihoodRecord {
                    text: text.to_owned(),
                    logprob: Some(-1.5),
                    ..LikelihoodRecord::default()
                };
                sample.likelihoods = vec![likelihood("a"), LikelihoodRecord { logprob: None, ..likelihood("b") }];
            }
            sample
        },
    )
}
