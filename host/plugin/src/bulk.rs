//! Samples and verdicts as they cross the boundary many at a time: the interface `scorer-bulk`, where a scorer exports it.

use std::cell::Cell;

use bench_packed::{Damaged, Packed, Packer, Unpacker};
use wasmtime::Store;
use wasmtime::component::{ComponentType, Func, Instance, Lift, Lower, ResourceAny};

use crate::cell::State;
use crate::scorer_types::{Likelihood, Reason, Sample, Verdict};
use crate::types::{FinishReason, Message, Metric, Problem, Role, ToolCall};

/// The interface, without its version.
const INTERFACE: &str = "bench:plugin/scorer-bulk";

/// [`bench_packed::Packed`] on its way in.
#[derive(ComponentType, Lower)]
#[component(record)]
struct PackedIn<'p> {
    text: &'p str,
    shape: &'p [u32],
    numbers: &'p [f64],
}

/// [`bench_packed::Packed`] on its way out.
#[derive(ComponentType, Lift)]
#[component(record)]
struct PackedOut {
    text: String,
    shape: Vec<u32>,
    numbers: Vec<f64>,
}

type In<'p> = (ResourceAny, PackedIn<'p>);
type Out = (PackedOut,);

/// `scorer-bulk.score` of an instance.
pub(crate) struct Bulk {
    score: Func,
    /// What the last samples were packed in, for the next ones.
    room: Cell<Packed>,
}

/// Room for more bytes of text than this is given back after a call.
const KEPT: usize = 4 << 20;

impl Bulk {
    /// Of an instance that may export it.
    pub(crate) fn find(store: &mut Store<State>, instance: &Instance, version: &str) -> wasmtime::Result<Option<Bulk>> {
        let interface = format!("{INTERFACE}@{version}");
        let Some(interface) = instance.get_export_index(&mut *store, None, &interface) else { return Ok(None) };
        let score = instance.get_export_index(&mut *store, Some(&interface), "score");
        let score = score.and_then(|score| instance.get_func(&mut *store, score));
        let score = score.ok_or_else(|| wasmtime::Error::msg("the component does not export `scorer-bulk.score`"))?;
        score.typed::<In<'_>, Out>(&*store)?;
        Ok(Some(Bulk { score, room: Cell::default() }))
    }

    /// The verdicts on these samples.
    pub(crate) fn score(
        &self,
        store: &mut Store<State>,
        task: ResourceAny,
        samples: &[&Sample],
    ) -> wasmtime::Result<Vec<Verdict>> {
        let packed = pack(self.room.take(), samples);
        let Packed { text, shape, numbers } = &packed;
        let score = self.score.typed::<In<'_>, Out>(&*store)?;
        let (PackedOut { text, shape, numbers },) = score.call(store, (task, PackedIn { text, shape, numbers }))?;
        if packed.text.capacity() <= KEPT {
            self.room.set(packed);
        }
        Ok(unpack(&Packed { text, shape, numbers }, samples.len())?)
    }
}

/// Lays samples side by side, in the room that others left.
fn pack(room: Packed, samples: &[&Sample]) -> Packed {
    let mut into = Packer::reusing(room);
    into.count(samples.len());
    for sample in samples {
        let Sample { id, epoch, prompt, target, answer, reasoning, tool_calls, finish, likelihoods, metadata } = sample;
        into.text(id);
        into.whole(*epoch);
        list(&mut into, prompt, message);
        into.text(target);
        into.optional_text(answer.as_deref());
        into.optional_text(reasoning.as_deref());
        list(&mut into, tool_calls, tool_call);
        finish_reason(&mut into, finish.as_ref());
        list(&mut into, likelihoods, likelihood);
        into.text(metadata);
    }
    into.finish()
}

fn list<T>(into: &mut Packer, items: &[T], one: impl Fn(&mut Packer, &T)) {
    into.count(items.len());
    items.iter().for_each(|item| one(into, item));
}

fn message(into: &mut Packer, message: &Message) {
    let Message { role, content, tool_calls, tool_call_id } = message;
    into.whole(match role {
        Role::System => 0,
        Role::User => 1,
        Role::Assistant => 2,
        Role::Tool => 3,
    });
    into.text(content);
    list(into, tool_calls, tool_call);
    into.optional_text(tool_call_id.as_deref());
}

fn tool_call(into: &mut Packer, call: &ToolCall) {
    let ToolCall { id, name, arguments } = call;
    into.text(id);
    into.text(name);
    into.text(arguments);
}

fn finish_reason(into: &mut Packer, finish: Option<&FinishReason>) {
    match finish {
        None => into.whole(0),
        Some(FinishReason::Stop) => into.whole(1),
        Some(FinishReason::Length) => into.whole(2),
        Some(FinishReason::ToolCalls) => into.whole(3),
        Some(FinishReason::ContentFilter) => into.whole(4),
        Some(FinishReason::Other(word)) => {
            into.whole(5);
            into.text(word);
        }
    }
}

fn likelihood(into: &mut Packer, likelihood: &Likelihood) {
    let Likelihood { text, logprob, tokens, greedy, unconditional } = likelihood;
    into.text(text);
    into.number(*logprob);
    into.whole(*tokens);
    into.optional_flag(*greedy);
    into.optional_number(*unconditional);
}

/// The verdicts, of which there should be so many.
fn unpack(packed: &Packed, wanted: usize) -> Result<Vec<Verdict>, Damaged> {
    let mut from = Unpacker::new(packed);
    let count = from.count()?;
    let mut verdicts = Vec::with_capacity(count.min(wanted));
    for _ in 0..count {
        verdicts.push(verdict(&mut from)?);
    }
    from.finish().map(|()| verdicts)
}

fn verdict(from: &mut Unpacker<'_>) -> Result<Verdict, Damaged> {
    Ok(Verdict {
        id: from.text()?.to_owned(),
        epoch: from.whole()?,
        value: from.number()?,
        reason: reason(from)?,
        extracted: from.optional_text()?.map(str::to_owned),
        explanation: from.optional_text()?.map(str::to_owned),
        sub_scores: (0..from.count()?).map(|_| metric(from)).collect::<Result<_, _>>()?,
    })
}

fn reason(from: &mut Unpacker<'_>) -> Result<Reason, Damaged> {
    Ok(match from.whole()? {
        0 => Reason::Correct,
        1 => Reason::PartlyCorrect,
        2 => Reason::Wrong,
        3 => Reason::InvalidFormat,
        4 => Reason::Refused,
        5 => Reason::NoResponse,
        6 => Reason::Truncated,
        7 => Reason::TimedOut,
        8 => Reason::OutOfResources,
        9 => Reason::Forbidden,
        10 => Reason::Tampered,
        11 => Reason::GraderFailed(Problem {
            code: from.text()?.to_owned(),
            message: from.text()?.to_owned(),
            hint: from.optional_text()?.map(str::to_owned),
        }),
        12 => Reason::Other(from.text()?.to_owned()),
        _ => return Err(Damaged),
    })
}

fn metric(from: &mut Unpacker<'_>) -> Result<Metric, Damaged> {
    Ok(Metric {
        name: from.text()?.to_owned(),
        value: from.number()?,
        unit: from.text()?.to_owned(),
        higher_is_better: from.optional_flag()?,
    })
}

#[cfg(test)]
mod tests {
    use bench_packed::Packer;
    use bench_sdk::{bulk as guest, scorer as guest_types, types as guest_shared};

    use super::{Packed, Unpacker, pack, unpack};
    use crate::scorer_types::{Likelihood, Reason, Sample, Verdict};
    use crate::types::{FinishReason, Message, Metric, Problem, Role, ToolCall};

    fn call(id: &str) -> ToolCall {
        ToolCall { id: id.into(), name: "weather".into(), arguments: "{\"city\":\"Tromsø\"}".into() }
    }

    fn message(role: Role) -> Message {
        Message {
            role,
            content: "nice — 日本".into(),
            tool_calls: vec![call("a"), call("")],
            tool_call_id: Some("a".into()),
        }
    }

    fn likelihood(greedy: Option<bool>, unconditional: Option<f64>) -> Likelihood {
        Likelihood { text: " yes".into(), logprob: -0.25, tokens: 3, greedy, unconditional }
    }

    fn samples() -> Vec<Sample> {
        let finishes = [
            None,
            Some(FinishReason::Stop),
            Some(FinishReason::Length),
            Some(FinishReason::ToolCalls),
            Some(FinishReason::ContentFilter),
            Some(FinishReason::Other("abort".into())),
        ];
        let sample = |(number, finish): (usize, Option<FinishReason>)| Sample {
            id: format!("item-{number}"),
            epoch: number as u32,
            prompt: [Role::System, Role::User, Role::Assistant, Role::Tool]
                .into_iter()
                .take(number)
                .map(message)
                .collect(),
            target: "[1]".into(),
            answer: (number != 2).then(|| "x".repeat(number)),
            reasoning: (number == 2).then(String::new),
            tool_calls: vec![call("b"); number % 2],
            finish,
            likelihoods: vec![
                likelihood(None, Some(-1.5)),
                likelihood(Some(true), None),
                likelihood(Some(false), None),
            ],
            metadata: "{}".into(),
        };
        finishes.into_iter().enumerate().map(sample).collect()
    }

    /// A scorer that tells what it was given, and gives each verdict that there is.
    struct Echo(Vec<guest_types::Verdict>);

    impl guest_types::GradeTask for Echo {
        fn create(_: String) -> Result<guest_types::Task, guest_shared::Problem> {
            unreachable!("the task is made by the test")
        }

        fn score(&self, samples: Vec<guest_types::Sample>) -> Vec<guest_types::Verdict> {
            let verdict = |sample: guest_types::Sample| guest_types::Verdict {
                extracted: Some(format!("{sample:?}")),
                ..self.0[sample.epoch as usize % self.0.len()].clone()
            };
            samples.into_iter().map(verdict).collect()
        }

        fn questions(&self, _: guest_types::Sample) -> Result<Vec<guest_shared::Generation>, guest_shared::Problem> {
            unreachable!("nobody is asked")
        }

        fn conclude(&self, _: guest_types::Sample, _: Vec<guest_types::Opinion>) -> guest_types::Verdict {
            unreachable!("nobody is asked")
        }

        fn aggregate(&self, _: Vec<guest_types::Graded>) -> Vec<guest_types::Estimate> {
            unreachable!("nothing is added up")
        }
    }

    fn guest_verdict(reason: guest_types::Reason) -> guest_types::Verdict {
        let metric = |name: &str, higher_is_better| guest_shared::Metric {
            name: name.into(),
            value: 0.25,
            unit: "ratio".into(),
            higher_is_better,
        };
        guest_types::Verdict {
            id: "somebody".into(),
            epoch: 7,
            value: 0.5,
            reason,
            extracted: None,
            explanation: Some("why — 日本".into()),
            sub_scores: vec![metric("one", None), metric("two", Some(true)), metric("three", Some(false))],
        }
    }

    #[test]
    fn samples_reach_the_guest_as_they_are() {
        let samples = samples();
        let samples: Vec<&Sample> = samples.iter().collect();
        let given = guest::score(&Echo(vec![guest_verdict(guest_types::Reason::Correct)]), &guest_packed(&samples));
        let verdicts = unpack(&given, samples.len()).expect("a guest that follows the interface");
        for (sample, verdict) in samples.into_iter().zip(verdicts) {
            // Both sides' types have the same names, and print the same.
            assert_eq!(verdict.extracted.as_deref(), Some(format!("{sample:?}").as_str()));
            assert_eq!((verdict.id.as_str(), verdict.epoch), ("somebody", 7));
        }
    }

    #[test]
    fn verdicts_reach_the_host_as_they_are() {
        use guest_types::Reason as Guest;
        let problem = || guest_shared::Problem { code: "c".into(), message: "m".into(), hint: Some("h".into()) };
        let cases = [
            (Guest::Correct, Reason::Correct),
            (Guest::PartlyCorrect, Reason::PartlyCorrect),
            (Guest::Wrong, Reason::Wrong),
            (Guest::InvalidFormat, Reason::InvalidFormat),
            (Guest::Refused, Reason::Refused),
            (Guest::NoResponse, Reason::NoResponse),
            (Guest::Truncated, Reason::Truncated),
            (Guest::TimedOut, Reason::TimedOut),
            (Guest::OutOfResources, Reason::OutOfResources),
            (Guest::Forbidden, Reason::Forbidden),
            (Guest::Tampered, Reason::Tampered),
            (
                Guest::GraderFailed(problem()),
                Reason::GraderFailed(Problem { code: "c".into(), message: "m".into(), hint: Some("h".into()) }),
            ),
            (Guest::Other("odd".into()), Reason::Other("odd".into())),
        ];
        let metric = |name: &str, higher_is_better| Metric {
            name: name.into(),
            value: 0.25,
            unit: "ratio".into(),
            higher_is_better,
        };
        for (given, wanted) in cases {
            let mut into = Packer::default();
            into.count(1);
            guest::lay(&mut into, &guest_verdict(given));
            let verdicts = unpack(&into.finish(), 1).expect("a guest that follows the interface");
            let wanted = Verdict {
                id: "somebody".into(),
                epoch: 7,
                value: 0.5,
                reason: wanted,
                extracted: None,
                explanation: Some("why — 日本".into()),
                sub_scores: vec![metric("one", None), metric("two", Some(true)), metric("three", Some(false))],
            };
            assert_eq!(verdicts, [wanted]);
        }
    }

    #[test]
    fn what_does_not_add_up_is_no_verdict() {
        let of = |text: &str, shape: &[u32], numbers: &[f64]| {
            unpack(&Packed { text: text.into(), shape: shape.to_vec(), numbers: numbers.to_vec() }, 1)
        };
        assert!(of("id", &[1, 2, 0, 0, 0, 0, 0], &[1.0]).is_ok());
        assert!(of("", &[], &[]).is_err(), "no count");
        assert!(of("", &[1], &[]).is_err(), "no verdict");
        assert!(of("id", &[1, 2, 0, 13, 0, 0, 0], &[1.0]).is_err(), "a reason that does not exist");
        assert!(of("id", &[1, 2, 0, 0, 0, 0, u32::MAX], &[1.0]).is_err(), "more sub-scores than there can be");
        assert!(of("id", &[1, 2, 0, 0, 0, 0, 0, 0], &[1.0]).is_err(), "something is left");
        assert!(of("", &[u32::MAX], &[]).is_err(), "more verdicts than there can be");
    }

    fn guest_packed(samples: &[&Sample]) -> Packed {
        let used = Packed { text: "before".into(), shape: vec![7], numbers: vec![0.5] };
        let packed = pack(used, samples);
        assert_eq!(Unpacker::new(&packed).count(), Ok(samples.len()));
        packed
    }
}
