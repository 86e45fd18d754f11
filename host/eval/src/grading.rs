//! From answers to scores: the judge's opinions where the scorer wants them, verdicts, and what they add up to.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use bench_grade::{GradeError, Grader, Judged};
use bench_plugin::scorer_types::{Estimate, Graded, Opinion, Reason, Verdict};
use bench_plugin::types::Problem;
use bench_record::{EstimateRecord, Note};
use bench_samples::{Durability, Key, Log, Opened, SampleRecord, ScorerRecord, Status, digest_of};
use serde_json::Value;

use crate::ask::{End, Manner, Source, Unit, ask};
use crate::backend::{Answer, Backend};
use crate::convert;
use crate::error::EvalError;
use crate::script::Script;
use crate::seed;

/// What grading came to.
#[derive(Debug, Default)]
pub struct Scores {
    /// The scores, the headline first.
    pub estimates: Vec<EstimateRecord>,
    /// Verdicts by their reason; samples without an answer under `unscored:` and what kept them from it.
    pub reasons: BTreeMap<String, u64>,
    /// Units of work that grading took.
    pub fuel: u64,
    /// Anything else to know.
    pub notes: Vec<Note>,
}

/// What the judge said, by sample. Samples that it was not asked about are not there.
pub(crate) type Opinions = BTreeMap<(String, u32), Result<Vec<Opinion>, Verdict>>;

/// What asking the judge came to.
pub(crate) struct Heard {
    pub(crate) opinions: Opinions,
    pub(crate) end: End,
    pub(crate) requests: u64,
    pub(crate) cost: f64,
}

/// Asks the judge what the scorer wants to know of each sample. What it says is kept at `path`, so that it too is asked once only.
pub(crate) async fn hear<B: Backend>(
    grader: &Grader<'_>,
    records: &[SampleRecord],
    path: &Path,
    model: &mut B,
    judge: Option<&mut B>,
    run_seed: u64,
    manner: Manner<'_>,
) -> Result<Heard, EvalError> {
    let task = records.first().map(|record| record.task.clone()).unwrap_or_default();
    let samples: Vec<_> = scored(records).map(convert::sample).collect();
    let questions = grader.questions(&samples).map_err(|error| EvalError::Grade { task: task.clone(), error })?;
    let Opened { mut log, records: before, .. } = Log::open(path, Durability::Each)?;
    let before: BTreeMap<Key, SampleRecord> = before.into_iter().map(|record| (record.key(), record)).collect();
    let mut opinions = Opinions::new();
    let mut units = VecDeque::new();
    for (record, questions) in scored(records).zip(questions) {
        let key = (record.id.clone(), record.epoch);
        let mut questions = match questions {
            Ok(questions) if questions.is_empty() => continue,
            Ok(questions) => questions,
            Err(verdict) => {
                opinions.insert(key, Err(verdict));
                continue;
            }
        };
        let seed = seed::of_sample(run_seed, &format!("judge of {task}"), &record.id, record.epoch);
        for question in &mut questions {
            question.sampling.seed = question.sampling.seed.or(Some(seed));
        }
        let asked = serde_json::to_value(&questions).unwrap_or_default();
        let blank = SampleRecord::new(&*task, &*record.id, record.epoch, Value::Null, Vec::new(), asked);
        match before.get(&blank.key()) {
            Some(known) if known.target_sha256 == blank.target_sha256 => {
                opinions.insert(key, said(known));
            }
            Some(_) => {
                let sample = blank.key().to_string();
                return Err(EvalError::Differs { task, sample, what: "question to the judge" });
            }
            None => {
                units.push_back(Unit::new(blank, Script::Questions { questions, opinions: Vec::new() }, seed));
            }
        }
    }
    let mut cost: f64 = before.values().filter_map(|record| record.cost_usd).sum();
    let mut keep = |unit: Unit| {
        let Unit { mut record, script, .. } = unit;
        if let Script::Questions { opinions, .. } = &script {
            let answers: Vec<Opinion> = opinions.iter().map(opinion).collect();
            record.document = serde_json::to_value(answers).unwrap_or_default();
            record.document_sha256 = digest_of(&record.document);
        }
        log.append(&record)?;
        cost += record.cost_usd.unwrap_or(0.0);
        opinions.insert((record.id.clone(), record.epoch), said(&record));
        Ok(())
    };
    let asked = ask(model, judge, Source::Ready(units), manner, &mut keep).await?;
    log.finish()?;
    Ok(Heard { opinions, end: asked.end, requests: asked.other_requests, cost })
}

/// What the judge said, by the line that was kept of it.
fn said(record: &SampleRecord) -> Result<Vec<Opinion>, Verdict> {
    match &record.status {
        Status::Answered => serde_json::from_value(record.document.clone())
            .map_err(|error| failed(record, "judge-log", &format!("what was kept of the judge's words: {error}"))),
        Status::Failed { code, message } | Status::Unscored { code, message } => {
            Err(failed(record, &format!("judge-{code}"), message))
        }
    }
}

fn opinion(answer: &Answer) -> Opinion {
    Opinion { answer: Some(answer.text.clone()).filter(|text| !text.is_empty()), finish: answer.finish.clone() }
}

fn failed(record: &SampleRecord, code: &str, message: &str) -> Verdict {
    Verdict {
        id: record.id.clone(),
        epoch: record.epoch,
        value: f64::NAN,
        reason: Reason::GraderFailed(Problem { code: code.to_owned(), message: message.to_owned(), hint: None }),
        extracted: None,
        explanation: None,
        sub_scores: Vec::new(),
    }
}

/// The samples that a scorer is shown: all but those whose failure says nothing about the model.
fn scored(records: &[SampleRecord]) -> impl Iterator<Item = &SampleRecord> {
    records.iter().filter(|record| !matches!(record.status, Status::Unscored { .. }))
}

/// Grades samples and writes the verdicts into them.
pub(crate) fn grade(
    grader: &Grader<'_>,
    scorer: &ScorerRecord,
    records: &mut [SampleRecord],
    mut opinions: Option<Opinions>,
) -> Result<Scores, GradeError> {
    let mut found: BTreeMap<(String, u32), (Verdict, u64)> = BTreeMap::new();
    let mut result = Scores::default();
    let mut plain = Vec::new();
    let mut judged = Vec::new();
    for record in scored(records) {
        let sample = convert::sample(record);
        match opinions.as_mut().and_then(|opinions| opinions.remove(&(record.id.clone(), record.epoch))) {
            Some(Ok(opinions)) => judged.push(Judged { sample, opinions }),
            Some(Err(verdict)) => {
                found.insert((record.id.clone(), record.epoch), (verdict, 0));
            }
            None => plain.push(sample),
        }
    }
    for grades in [grader.grade(&plain)?, grader.conclude(&judged)?] {
        result.notes.extend(grades.notes.into_iter().map(|note| Note::new(note.code, note.message)));
        for (verdict, fuel) in grades.verdicts.into_iter().zip(grades.fuel) {
            found.insert((verdict.id.clone(), verdict.epoch), (verdict, fuel));
        }
    }
    let mut all = Vec::new();
    for record in records.iter_mut() {
        let word = match &record.status {
            Status::Unscored { code, message } => {
                let verdict = failed(record, code, message);
                all.push(Graded { verdict, cluster: record.cluster.clone(), group: record.group.clone() });
                record.verdict = None;
                format!("unscored:{code}")
            }
            Status::Answered | Status::Failed { .. } => {
                let Some((verdict, fuel)) = found.remove(&(record.id.clone(), record.epoch)) else { continue };
                result.fuel = result.fuel.saturating_add(fuel);
                let kept = convert::recorded(&verdict, scorer.clone(), Some(fuel));
                let word = kept.reason.to_string();
                all.push(Graded { verdict, cluster: record.cluster.clone(), group: record.group.clone() });
                record.verdict = Some(kept);
                word
            }
        };
        *result.reasons.entry(word).or_default() += 1;
    }
    if !all.is_empty() {
        result.estimates = grader.aggregate(&all)?.into_iter().map(estimate).collect();
    }
    Ok(result)
}

fn estimate(estimate: Estimate) -> EstimateRecord {
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    // Student's interval knows nothing of where a share ends, and no share lies beyond its ends.
    let is_share = estimate.metric.unit == "ratio" && (0.0..=1.0).contains(&estimate.metric.value);
    let limit = |value: Option<f64>| finite(value).map(|value| if is_share { value.clamp(0.0, 1.0) } else { value });
    EstimateRecord {
        name: estimate.metric.name,
        value: finite(Some(estimate.metric.value)),
        unit: estimate.metric.unit,
        higher_is_better: estimate.metric.higher_is_better,
        group: estimate.group,
        standard_error: finite(estimate.standard_error),
        low: limit(estimate.low),
        high: limit(estimate.high),
        level: finite(estimate.level),
        method: estimate.method,
        scored: estimate.scored,
        unscored: estimate.unscored,
    }
}
