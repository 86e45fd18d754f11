//! What each instruction of a sample came to, and how that becomes metrics.
//!
//! Accuracy over instructions is a mean over all instructions of all samples, so an item with three of them counts three times. A
//! verdict therefore has a sub-score for each instruction and not their mean alone, named by the instruction, and by a number behind
//! it where a sample has one of them several times.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bench_scoring::aggregate::Aggregation;
use bench_scoring::{About, Estimate, Grade, Graded, Metric, MetricAbout, Verdict};

use crate::instruction::NAMES;

const fn share(name: &'static str, summary: &'static str) -> MetricAbout {
    MetricAbout { name, summary, unit: "ratio", higher_is_better: Some(true) }
}

/// `prompt_level_strict_acc` and so on, as lm-eval names them.
pub(crate) const METRICS: &[MetricAbout] = &[PROMPTS[0], PROMPTS[1], INSTRUCTIONS[0], INSTRUCTIONS[1]];
const PROMPTS: &[MetricAbout; 2] = &[
    share("prompt-strict", "Share of the prompts whose instructions are all followed."),
    share("prompt-loose", "The same, where any of eight variants of the answer will do."),
];
const INSTRUCTIONS: &[MetricAbout; 2] = &[
    share("instruction-strict", "Share of the instructions that are followed."),
    share("instruction-loose", "The same, where any of eight variants of the answer will do."),
];

/// How often a sample may have the same instruction.
pub(crate) const MOST_OF_ONE: usize = 8;

/// An instruction's place in [`NAMES`], and whether it is followed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Followed {
    pub(crate) instruction: usize,
    pub(crate) strict: bool,
    pub(crate) loose: bool,
}

/// Names of the sub-scores, strict and loose, for each instruction and each time that a sample may have it.
struct SubScores {
    names: Vec<[String; 2]>,
    /// Instructions by their strict sub-score, with the loose one.
    by_name: BTreeMap<String, (usize, String)>,
}

fn sub_scores() -> &'static SubScores {
    static SUB_SCORES: OnceLock<SubScores> = OnceLock::new();
    SUB_SCORES.get_or_init(|| {
        let mut names = Vec::new();
        let mut by_name = BTreeMap::new();
        for (instruction, name) in NAMES.iter().enumerate() {
            let name = name.replace([':', '_'], "-");
            for time in 1..=MOST_OF_ONE {
                let ending = if time == 1 { String::new() } else { format!("-{time}") };
                let [strict, loose] = ["strict", "loose"].map(|kind| format!("{kind}-{name}{ending}"));
                by_name.insert(strict.clone(), (instruction, loose.clone()));
                names.push([strict, loose]);
            }
        }
        SubScores { names, by_name }
    })
}

/// Makes what is made once, so that no sample costs more than another.
pub(crate) fn prepare() {
    sub_scores();
}

fn value(truth: bool) -> f64 {
    if truth { 1.0 } else { 0.0 }
}

/// The grade of a sample.
pub(crate) fn grade(followed: &[Followed]) -> Grade {
    let share =
        |is: fn(&Followed) -> bool| followed.iter().filter(|one| is(one)).count() as f64 / followed.len() as f64;
    let mut grade = Grade::binary(followed.iter().all(|one| one.strict))
        .with(PROMPTS[1].name, value(followed.iter().all(|one| one.loose)));
    if !followed.is_empty() {
        grade = grade
            .with(INSTRUCTIONS[0].name, share(|one| one.strict))
            .with(INSTRUCTIONS[1].name, share(|one| one.loose));
    }
    let mut times = [0; NAMES.len()];
    for one in followed {
        let time = &mut times[one.instruction];
        if let Some([strict, loose]) = sub_scores().names.get(one.instruction * MOST_OF_ONE + *time) {
            grade = grade.with(strict, value(one.strict)).with(loose, value(one.loose));
        }
        *time += 1;
    }
    let missed: Vec<&str> = followed.iter().filter(|one| !one.strict).map(|one| NAMES[one.instruction]).collect();
    if missed.is_empty() { grade } else { grade.explained(format!("not followed: {}", missed.join(", "))) }
}

/// The metrics of a task: over prompts, then over instructions, then over each instruction, whose name is the group.
pub(crate) fn estimates(about: About, graded: &[Graded], aggregation: &Aggregation) -> Vec<Estimate> {
    let mut estimates = aggregation.estimates(&About { metrics: PROMPTS, ..about }, graded);
    let single: Vec<Graded> = graded.iter().flat_map(instructions).collect();
    estimates.extend(aggregation.estimates(&About { metrics: INSTRUCTIONS, ..about }, &single));
    estimates
}

/// A sample as one for each of its instructions. They are not independent, so the sample is their cluster.
fn instructions(graded: &Graded) -> Vec<Graded> {
    let verdict = &graded.verdict;
    let cluster = Some(graded.cluster.clone().unwrap_or_else(|| verdict.id.clone()));
    let one = |name: &str, group: Option<usize>, strict: f64, loose: Option<f64>| {
        let loose = loose.map(|value| Metric {
            name: INSTRUCTIONS[1].name.to_owned(),
            value,
            unit: INSTRUCTIONS[1].unit.to_owned(),
            higher_is_better: INSTRUCTIONS[1].higher_is_better,
        });
        let verdict = Verdict {
            id: format!("{}#{name}", verdict.id),
            value: strict,
            extracted: None,
            explanation: None,
            sub_scores: loose.into_iter().collect(),
            ..verdict.clone()
        };
        Graded { verdict, cluster: cluster.clone(), group: group.map(|at| NAMES[at].to_owned()) }
    };
    if verdict.value.is_nan() {
        return vec![one("", None, f64::NAN, None)];
    }
    let value_of = |name: &str| verdict.sub_scores.iter().find(|score| score.name == name).map(|score| score.value);
    let each = verdict.sub_scores.iter().filter_map(|score| {
        let (instruction, loose) = sub_scores().by_name.get(&score.name)?;
        Some(one(&score.name, Some(*instruction), score.value, value_of(loose)))
    });
    each.collect()
}
