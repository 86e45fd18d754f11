//! The way from the interface to a [`Scorer`], the same for every scorer.

use std::marker::PhantomData;

use bench_sdk::scorer::{Estimate, GradeTask, Graded, Info, MetricInfo, Opinion, Sample, ScorerPlugin, Task, Verdict};
use bench_sdk::types::{Generation, Problem};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::aggregate::Aggregation;
use crate::grade::Grade;

/// A number that a scorer reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricAbout {
    /// In kebab case. The first metric of a scorer is the value of its verdicts, each other one a sub-score of that name.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub summary: &'static str,
    /// Unit as written after a number, such as `ratio`.
    pub unit: &'static str,
    /// `None` where more is neither better nor worse.
    pub higher_is_better: Option<bool>,
}

/// Who a scorer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// In kebab case.
    pub name: &'static str,
    /// Of the component: `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Whose rules these are, with their version; empty for rules of its own.
    pub reference: &'static str,
    /// JSON schema of the properties of the configuration: an object of property name to schema.
    pub config: &'static str,
    /// The first one is the headline.
    pub metrics: &'static [MetricAbout],
    /// Values are not confined to [0, 1].
    pub unbounded: bool,
    /// [`Scorer::questions`] asks something.
    pub needs_judge: bool,
    /// Looks at the likelihoods of continuations instead of an answer.
    pub needs_likelihoods: bool,
}

/// A scorer: its configuration, and the verdict on a sample.
pub trait Scorer: Sized + 'static {
    /// Who it is.
    const ABOUT: About;

    /// Its configuration; should deny unknown fields, so that a spelling mistake is not a default.
    type Config: DeserializeOwned;

    /// A scorer of this configuration.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    fn new(config: Self::Config) -> Result<Self, Problem>;

    /// The grade of a sample.
    fn grade(&self, sample: &Sample) -> Grade;

    /// What to ask the judge; nothing where the sample needs none.
    ///
    /// # Errors
    /// Why the sample cannot be judged.
    fn questions(&self, sample: &Sample) -> Result<Vec<Generation>, Problem> {
        let _ = sample;
        Ok(Vec::new())
    }

    /// The grade, given one opinion for each question.
    fn conclude(&self, sample: &Sample, opinions: &[Opinion]) -> Grade {
        let _ = opinions;
        self.grade(sample)
    }

    /// The metrics of a task. The default is right for every scorer whose metrics are means over samples.
    fn aggregate(&self, graded: &[Graded], aggregation: &Aggregation) -> Vec<Estimate> {
        aggregation.estimates(&Self::ABOUT, graded)
    }
}

/// A [`Scorer`] behind the interface.
#[derive(Debug)]
pub struct Hosted<S>(PhantomData<S>);

/// A scorer of one configuration.
#[derive(Debug)]
pub struct HostedTask<S> {
    scorer: S,
    aggregation: Aggregation,
}

#[derive(Deserialize)]
struct Common {
    #[serde(default)]
    aggregate: Aggregation,
}

impl<S: Scorer> Hosted<S> {
    /// A scorer of this configuration: a JSON object, or nothing for the defaults.
    ///
    /// # Errors
    /// `bad-config`, with what the parser found.
    pub fn open(config: &str) -> Result<HostedTask<S>, Problem> {
        let bad = |error: serde_json::Error| {
            let hint = format!("see the configuration with `bench plugin inspect {}`", S::ABOUT.name);
            problem("bad-config", format!("the configuration of {}: {error}", S::ABOUT.name), &hint)
        };
        let text = if config.trim().is_empty() { "{}" } else { config };
        let mut own: Map<String, Value> = serde_json::from_str(text).map_err(bad)?;
        let common =
            own.remove("aggregate").map_or_else(Map::new, |value| Map::from_iter([("aggregate".into(), value)]));
        let common: Common = serde_json::from_value(Value::Object(common)).map_err(bad)?;
        let own: S::Config = serde_json::from_value(Value::Object(own)).map_err(bad)?;
        common.aggregate.check().map_err(|message| problem("bad-config", message, ""))?;
        Ok(HostedTask { scorer: S::new(own)?, aggregation: common.aggregate })
    }

    /// What the scorer says about itself.
    pub fn info() -> Info {
        let about = S::ABOUT;
        let metric = |metric: &MetricAbout| MetricInfo {
            name: metric.name.into(),
            summary: metric.summary.into(),
            unit: metric.unit.into(),
            higher_is_better: metric.higher_is_better,
        };
        Info {
            name: about.name.into(),
            version: about.version.into(),
            summary: about.summary.into(),
            reference: about.reference.into(),
            config_schema: schema(about.config),
            metrics: about.metrics.iter().map(metric).collect(),
            deterministic: true,
            unbounded: about.unbounded,
            fresh_instance: false,
            needs_judge: about.needs_judge,
            needs_likelihoods: about.needs_likelihoods,
        }
    }
}

/// The schema of a whole configuration, from that of a scorer's own properties.
fn schema(own: &str) -> String {
    let mut properties: Map<String, Value> = serde_json::from_str(own).unwrap_or_default();
    properties.insert("aggregate".into(), Aggregation::schema());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
    .to_string()
}

impl<S: Scorer> ScorerPlugin for Hosted<S> {
    type Task = HostedTask<S>;

    fn describe() -> Info {
        Self::info()
    }
}

impl<S: Scorer> GradeTask for HostedTask<S> {
    fn create(config: String) -> Result<Task, Problem> {
        Hosted::<S>::open(&config).map(Task::new)
    }

    fn score(&self, samples: Vec<Sample>) -> Vec<Verdict> {
        samples.into_iter().map(|sample| self.scorer.grade(&sample).settle(&sample).on(sample)).collect()
    }

    fn questions(&self, sample: Sample) -> Result<Vec<Generation>, Problem> {
        self.scorer.questions(&sample)
    }

    fn conclude(&self, sample: Sample, opinions: Vec<Opinion>) -> Verdict {
        self.scorer.conclude(&sample, &opinions).settle(&sample).on(sample)
    }

    fn aggregate(&self, graded: Vec<Graded>) -> Vec<Estimate> {
        self.scorer.aggregate(&graded, &self.aggregation)
    }
}

/// A problem in the vocabulary of scorers; an empty hint is none.
pub fn problem(code: &str, message: impl Into<String>, hint: &str) -> Problem {
    Problem { code: code.into(), message: message.into(), hint: (!hint.is_empty()).then(|| hint.into()) }
}
