//! Workload traffic: synthetic requests for any load. Lengths are fixed or drawn from a distribution, prompts may share
//! prefixes, sessions may have several turns, and a recorded trace can take the place of all of it. No suite lists it: its
//! numbers compare only with those of the same parameters and the same load.
//!
//! What several prompts share is made of a word list here, since the host can cut only the end of a message to length; what a
//! prompt has for itself is text of the corpus, up to an exact count. Answers in later turns are made up as well, as long as
//! was asked for, whatever the model said: in an open or closed loop there is no time between turns to look.

mod lengths;
mod session;
mod settings;
mod words;

use bench_sdk::workload::{
    Decision, Facts, Info, Outcome, Phase, PhaseMeasures, Problem, Run, SessionKey, Step, Summary, Turns, Workload,
};
use bench_sdk::workload_kit::{headline, too_long, variable};

use session::{CORPUS, PHASE, Talk};
use settings::{NAME, SPEC, Settings};

/// Measures worth a headline, in the order of importance.
const HEADLINE: &[&str] = &[
    "ttft-intended",
    "ttft",
    "tpot",
    "itl-p50",
    "itl-p95",
    "e2e",
    "request-rate",
    "aggregate-rate",
    "prefix-cache-hit-rate",
    "prompt-tokens",
    "output-tokens",
];

/// The workload.
pub struct Traffic;

/// One of its sessions.
pub struct Session(Result<Talk, Problem>);

impl Settings {
    /// Most tokens of a prompt and of an answer, and turns.
    fn largest(&self) -> (u64, u64, u32) {
        if let Some(request) = &self.request {
            return (request.input.into(), request.output.into(), 1);
        }
        let (prompt, answer) = (u64::from(self.prompt.longest()), u64::from(self.answer.longest()));
        let turns = u64::from(self.turns);
        (u64::from(self.prefix_tokens) + turns * prompt + turns.saturating_sub(1) * answer, answer, self.turns)
    }

    /// Skipped only where not even the shortest first turn is possible; longer ones are skipped one by one.
    fn decide(&self, facts: &Facts) -> Decision {
        let shortest = match &self.request {
            Some(request) => (request.input.into(), request.output.into()),
            None => {
                let prompt = u64::from(self.prefix_tokens) + u64::from(self.prompt.shortest());
                (prompt, u64::from(self.answer.shortest()))
            }
        };
        if let Some(reason) = too_long(facts, shortest.0, shortest.1) {
            return Decision::Skip(format!("even the shortest request {reason}"));
        }
        let (largest_prompt, largest_answer, turns) = self.largest();
        Decision::Run(Run {
            shape: self.shape.clone(),
            warmup_sessions: self.warmup,
            sessions: self.sessions,
            repeats: self.repeats,
            largest_prompt,
            largest_answer,
            turns,
        })
    }
}

impl Workload for Traffic {
    type Session = Session;

    fn describe() -> Info {
        Info {
            name: NAME.into(),
            label: "traffic".into(),
            title: "Synthetic traffic".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary:
                "Requests of any lengths under any load, with shared prefixes and several turns where wanted: 512 \
                      tokens in, 128 out, 8 at a time unless told otherwise."
                    .into(),
            params_schema: SPEC.schema(),
            corpora: vec![CORPUS.into()],
        }
    }

    fn plan(params: String, facts: Facts) -> Result<Vec<Phase>, Problem> {
        let settings = Settings::parse(&params, facts.quick)?;
        let (prompt, answer, turns) = settings.largest();
        let mut variables = vec![
            variable("longest-prompt", prompt, "tokens"),
            variable("longest-answer", answer, "tokens"),
            variable("turns", turns.into(), "turns"),
        ];
        if settings.prefix_tokens > 0 && settings.request.is_none() {
            variables.push(variable("prefix", settings.prefix_tokens.into(), "tokens"));
            variables.push(variable("prefix-groups", settings.prefix_groups, "groups"));
        }
        Ok(vec![Phase { id: PHASE.into(), variables, decision: settings.decide(&facts) }])
    }

    fn summarise(phases: Vec<PhaseMeasures>) -> Result<Summary, Problem> {
        let headline = phases.first().map(|phase| headline(phase, HEADLINE)).unwrap_or_default();
        Ok(Summary { headline, curves: Vec::new() })
    }
}

impl Turns for Session {
    /// Parameters that cannot be read are reported by [`next`](Self::next), since a constructor cannot fail.
    fn new(params: String, facts: Facts, key: SessionKey) -> Self {
        Self(Settings::parse(&params, facts.quick).and_then(|settings| Talk::new(settings, facts, key)))
    }

    fn next(&self, previous: Option<Outcome>) -> Result<Step, Problem> {
        self.0.as_ref().map(|talk| talk.next(previous)).map_err(Clone::clone)
    }
}

bench_sdk::export_workload!(Traffic);
