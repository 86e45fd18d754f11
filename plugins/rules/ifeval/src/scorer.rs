//! The two scorers.

use std::borrow::Cow;

use bench_scoring::aggregate::Aggregation;
use bench_scoring::python::{is_space, strip};
use bench_scoring::{About, Estimate, Grade, Graded, Problem, Sample, Scorer, Target, metadata, problem};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::args::bad_target;
use crate::instruction::{Instruction, NAMES};
use crate::reader::Damaged;
use crate::results::{self, Followed, METRICS, MOST_OF_ONE};
use crate::{Rules, Tools};

/// Follows the rules of the reference, mistakes and all.
#[derive(Debug)]
pub struct IfEval(Tools);

/// Grades what the items ask for.
#[derive(Debug)]
pub struct IfEvalFixed(Tools);

/// There is nothing to configure.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {}

const ABOUT: About = About {
    name: "ifeval",
    version: env!("CARGO_PKG_VERSION"),
    summary: "The answer follows instructions that a program can check.",
    reference: "lm-eval 0.4.13, with NLTK 3.10.4 and langdetect 1.0.9 seeded with 0",
    config: "{}",
    metrics: METRICS,
    unbounded: false,
    needs_judge: false,
    needs_likelihoods: false,
};

impl Scorer for IfEval {
    const ABOUT: About = ABOUT;
    type Config = Config;

    fn new(_config: Config) -> Result<Self, Problem> {
        Ok(Self(load()))
    }

    fn grade(&self, sample: &Sample) -> Grade {
        grade(sample, &self.0, Rules::Reference).unwrap_or_else(Grade::failed)
    }

    fn aggregate(&self, graded: &[Graded], aggregation: &Aggregation) -> Vec<Estimate> {
        results::estimates(Self::ABOUT, graded, aggregation)
    }
}

impl Scorer for IfEvalFixed {
    const ABOUT: About = About {
        name: "ifeval-fixed",
        summary: "The answer follows instructions that a program can check, without the reference's mistakes.",
        reference: "lm-eval 0.4.13 with its defective checkers repaired",
        ..ABOUT
    };
    type Config = Config;

    fn new(_config: Config) -> Result<Self, Problem> {
        Ok(Self(load()))
    }

    fn grade(&self, sample: &Sample) -> Grade {
        grade(sample, &self.0, Rules::Fixed).unwrap_or_else(Grade::failed)
    }

    fn aggregate(&self, graded: &[Graded], aggregation: &Aggregation) -> Vec<Estimate> {
        results::estimates(Self::ABOUT, graded, aggregation)
    }
}

/// Loads now what all samples need, so that the first one costs no more than the others.
fn load() -> Tools {
    results::prepare();
    Tools::new()
}

impl From<Damaged> for Problem {
    fn from(_: Damaged) -> Self {
        problem("bad-data", "the data of this component is damaged", "fetch the component again")
    }
}

fn grade(sample: &Sample, tools: &Tools, rules: Rules) -> Result<Grade, Problem> {
    let instructions = instructions(sample, rules)?;
    let answer = sample.answer.as_deref().unwrap_or_default();
    let follows = |instruction: &Instruction, text: &str| {
        Ok::<_, Problem>(!strip(text).is_empty() && instruction.is_followed(text, tools, rules)?)
    };
    let mut variants: Option<Vec<Cow<'_, str>>> = None;
    let mut followed = Vec::with_capacity(instructions.len());
    for (name, instruction) in &instructions {
        let strict = follows(instruction, answer)?;
        let mut loose = strict;
        if !loose {
            for variant in variants.get_or_insert_with(|| self::variants(answer)) {
                if follows(instruction, variant)? {
                    loose = true;
                    break;
                }
            }
        }
        followed.push(Followed { instruction: *name, strict, loose });
    }
    Ok(results::grade(&followed))
}

/// What loose grading looks at beside the answer as it is, each text once.
fn variants(answer: &str) -> Vec<Cow<'_, str>> {
    let first = answer.find('\n');
    let last = answer.rfind('\n');
    let without_first = first.map_or("", |at| &answer[at + 1..]);
    let without_last = last.map_or("", |at| &answer[..at]);
    let without_both =
        first.zip(last).filter(|(first, last)| first < last).map_or("", |(first, last)| &answer[first + 1..last]);
    let shorter = [without_first, without_last, without_both].map(|text| text.trim_matches(is_space));
    let mut variants: Vec<Cow<'_, str>> = Vec::new();
    let plain = |text: &str| text.contains('*').then(|| Cow::Owned(text.replace('*', "")));
    let all = plain(answer).into_iter().chain(shorter.map(Cow::Borrowed)).chain(shorter.into_iter().filter_map(plain));
    for variant in all {
        if !variant.is_empty() && variant != answer && !variants.contains(&variant) {
            variants.push(variant);
        }
    }
    variants
}

/// The item's instructions, each with its place in [`NAMES`].
fn instructions(sample: &Sample, rules: Rules) -> Result<Vec<(usize, Instruction)>, Problem> {
    let fields = fields(sample)?;
    let of = |problem: Problem| Problem { message: format!("sample `{}`: {}", sample.id, problem.message), ..problem };
    let shape = |what: &str| of(bad_target(what.to_owned(), "an item has `instruction_id_list` and as many `kwargs`"));
    let names =
        fields.get("instruction_id_list").and_then(Value::as_array).ok_or_else(|| shape("no `instruction_id_list`"))?;
    let kwargs = fields.get("kwargs").and_then(Value::as_array).ok_or_else(|| shape("no `kwargs`"))?;
    if names.is_empty() && rules == Rules::Fixed {
        return Err(shape("no instructions"));
    }
    let mut times = [0; NAMES.len()];
    let mut instructions = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        let known = name.as_str().and_then(|name| NAMES.binary_search(&name).ok());
        let known = known.ok_or_else(|| shape(&format!("no such instruction: {name}")))?;
        times[known] += 1;
        if times[known] > MOST_OF_ONE {
            return Err(shape(&format!("instruction {name} more than {MOST_OF_ONE} times")));
        }
        let kwargs = match kwargs.get(at) {
            Some(Value::Object(kwargs)) => Some(kwargs),
            Some(Value::Null) if rules == Rules::Fixed => None,
            _ => return Err(shape(&format!("no arguments for instruction {name}"))),
        };
        instructions.push((known, Instruction::read(NAMES[known], kwargs, rules).map_err(of)?));
    }
    Ok(instructions)
}

/// Where the instructions are: among the item's fields, or in its reference.
fn fields(sample: &Sample) -> Result<Map<String, Value>, Problem> {
    let fields = metadata(sample)?;
    if fields.contains_key("instruction_id_list") {
        return Ok(fields);
    }
    Ok(Target::of::<Map<String, Value>>(sample).unwrap_or(fields))
}
