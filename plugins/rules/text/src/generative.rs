//! Multiple choice where the model names the letter: MMLU's generative tasks and ARC's chat task of lm-eval.

use bench_scoring::{About, Grade, MetricAbout, Problem, Sample, Scorer, Target, problem, python, target_texts};
use serde::Deserialize;
use serde_json::Value;

use crate::filters::letter;
use crate::normalise::{Arrays, Normalise};

/// What is taken of the answer, by the names of lm-eval's tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    /// The first line.
    #[default]
    Mmlu,
    /// All of it.
    ArcChat,
}

/// The configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    format: Format,
}

/// The letter that the model names is that of the reference.
#[derive(Debug)]
pub struct MultipleChoiceGenerative {
    format: Format,
    normalise: Normalise,
}

impl Scorer for MultipleChoiceGenerative {
    const ABOUT: About = About {
        name: "multiple-choice-generative",
        version: env!("CARGO_PKG_VERSION"),
        summary: "The letter that the model names is that of the reference.",
        reference: "lm-eval 0.4.13",
        config: r#"{
            "format": { "enum": ["mmlu", "arc-chat"], "default": "mmlu", "description": "Whether the first line of the answer counts, or all of it." }
        }"#,
        metrics: &[MetricAbout {
            name: "accuracy",
            summary: "Share of the answers that name the reference's letter and nothing else.",
            unit: "ratio",
            higher_is_better: Some(true),
        }],
        unbounded: false,
        needs_judge: false,
        needs_likelihoods: false,
    };
    type Config = Config;

    fn new(config: Config) -> Result<Self, Problem> {
        let normalise = Normalise { case: true, punctuation: true, ..Normalise::default() };
        Ok(Self { format: config.format, normalise })
    }

    fn grade(&self, sample: &Sample) -> Grade {
        self.graded(sample).unwrap_or_else(Grade::failed)
    }
}

impl MultipleChoiceGenerative {
    fn graded(&self, sample: &Sample) -> Result<Grade, Problem> {
        let targets = match Target::of::<Value>(sample)? {
            // A number stands for its letter, as MMLU has it.
            Value::Number(number) => {
                let index = number.as_u64().and_then(|index| usize::try_from(index).ok()).filter(|index| *index < 26);
                let index = index.ok_or_else(|| {
                    problem("bad-target", format!("the reference of sample `{}` numbers no choice", sample.id), "")
                })?;
                vec![letter(index).to_string()]
            }
            _ => target_texts(sample)?,
        };
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        let answer = sample.answer.as_deref().unwrap_or_default();
        let answer = python::strip(match self.format {
            Format::Mmlu => answer.split('\n').next().unwrap_or_default(),
            Format::ArcChat => answer,
        });
        Ok(Grade::binary(self.normalise.equal(answer, &targets, Arrays::Show)?).extracted(answer))
    }
}
