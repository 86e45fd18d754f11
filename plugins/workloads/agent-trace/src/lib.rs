//! Workload agent-trace (W5): a coding agent repairs a failing test suite over ten turns (look around, read, run the tests,
//! search, read, write, test, fix, test), one session at a time, warm. Every turn repeats the whole conversation so far
//! and adds a tool call and its result, so that the prompt grows to 16384 tokens and an engine with a prefix cache only
//! has the new part to read.
//!
//! The trace is canned: whatever the model answers, the next turn holds the tool call of the story, so every model reads
//! the same conversation. Each turn's prompt begins with the exact bytes of the turn before, which is what makes reuse
//! possible; sessions differ from their first words, which is what keeps one session from living off another.

mod session;
mod story;

use bench_sdk::workload::{
    Decision, Facts, Info, Outcome, Phase, PhaseMeasures, Problem, Run, SessionKey, Shape, Step, Summary, Turns,
    Workload,
};
use bench_sdk::workload_kit::{Kind, MOST_TOKENS, Param, Params, Spec, headline, too_long, variable};

use session::Trace;
use story::ACTS;

const NAME: &str = "agent-trace";

/// The only phase.
const PHASE: &str = "trace";

/// Turns of the whole story: the task, then one after every tool call.
const TURNS: usize = ACTS.len() + 1;

const SPEC: Spec = Spec {
    workload: NAME,
    params: &[
        Param {
            name: "turn-tokens",
            about: "Tokens of the whole prompt of each turn, chat template and tools included; as many turns as entries.",
            kind: Kind::List {
                default: &[1536, 3072, 4608, 6144, 7680, 9216, 11_264, 13_312, 14_848, 16_384],
                quick: &[512, 608, 704],
                min: 1,
                max: MOST_TOKENS,
                longest: TURNS,
            },
        },
        Param::tokens(
            "longest-answer",
            "Upper limit of the tokens of an answer; the story's answers have 64 to 256.",
            256,
            12,
        ),
        Param::repeats("Measured sessions, one after the other.", 3, 1),
        Param::warmup("Sessions before the measured ones.", 1, 0),
    ],
};

/// Measures worth a headline, in the order of importance.
const HEADLINE: &[&str] = &[
    "wall",
    "turn-time-p50",
    "turn-time-p95",
    "prefix-cache-hit-rate",
    "total-output-tokens",
    "ttft",
    "prefill-rate",
    "decode-rate",
];

/// The workload.
pub struct AgentTrace;

/// One of its sessions: the whole story.
pub struct Session(Result<Trace, Problem>);

/// A turn's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    prompt_tokens: u32,
    answer_tokens: u32,
}

impl Size {
    fn skip_reason(self, facts: &Facts) -> Option<String> {
        too_long(facts, self.prompt_tokens.into(), self.answer_tokens.into())
    }
}

fn sizes(params: &Params) -> Vec<Size> {
    let longest = params.small("longest-answer");
    let answers = std::iter::once(story::FIRST_ANSWER).chain(ACTS.iter().map(|act| act.answer_tokens));
    let prompts = params.list("turn-tokens").iter().map(|&tokens| u32::try_from(tokens).unwrap_or(u32::MAX));
    prompts
        .zip(answers)
        .map(|(prompt_tokens, answer)| Size { prompt_tokens, answer_tokens: answer.min(longest) })
        .collect()
}

/// The run of the turns that fit, or why not even the first does.
fn decide(params: &Params, facts: &Facts) -> Decision {
    let sizes = sizes(params);
    let first_obstacle = sizes.first().and_then(|size| size.skip_reason(facts));
    if let Some(reason) = first_obstacle {
        return Decision::Skip(format!("even the first turn {reason}"));
    }
    let possible: Vec<Size> = sizes.into_iter().take_while(|size| size.skip_reason(facts).is_none()).collect();
    Decision::Run(Run {
        shape: Shape::Sequential,
        warmup_sessions: params.small("warmup"),
        sessions: 1,
        repeats: params.small("repeats"),
        largest_prompt: possible.iter().map(|size| size.prompt_tokens).max().unwrap_or(0).into(),
        largest_answer: possible.iter().map(|size| size.answer_tokens).max().unwrap_or(0).into(),
        turns: u32::try_from(possible.len()).unwrap_or(u32::MAX),
    })
}

impl Workload for AgentTrace {
    type Session = Session;

    fn describe() -> Info {
        Info {
            name: NAME.into(),
            label: "W5".into(),
            title: "Agent trace".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary:
                "A coding agent repairs a failing test suite in ten turns with tool calls; the context grows to 16k \
                      tokens and every turn repeats the prefix of the turn before."
                    .into(),
            params_schema: SPEC.schema(),
            corpora: vec![story::CODE.into(), story::LOG.into()],
        }
    }

    fn plan(params: String, facts: Facts) -> Result<Vec<Phase>, Problem> {
        let params = SPEC.parse(&params, facts.quick)?;
        let targets = params.list("turn-tokens");
        let variables = vec![
            variable("turns", targets.len() as u64, "turns"),
            variable("context", targets.last().copied().unwrap_or(0), "tokens"),
        ];
        Ok(vec![Phase { id: PHASE.into(), variables, decision: decide(&params, &facts) }])
    }

    fn summarise(phases: Vec<PhaseMeasures>) -> Result<Summary, Problem> {
        let headline = phases.first().map(|phase| headline(phase, HEADLINE)).unwrap_or_default();
        Ok(Summary { headline, curves: Vec::new() })
    }
}

impl Turns for Session {
    fn new(params: String, facts: Facts, key: SessionKey) -> Self {
        Self(SPEC.parse(&params, facts.quick).and_then(|params| Trace::new(sizes(&params), facts, &key)))
    }

    fn next(&self, previous: Option<Outcome>) -> Result<Step, Problem> {
        Ok(self.0.as_ref().map_err(Clone::clone)?.next(previous))
    }
}

bench_sdk::export_workload!(AgentTrace);
