//! A task from its items to its scores.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use bench_grade::{GradeOptions, Grader};
use bench_plugin::types::{Prompt, Role};
use bench_record::{
    DatasetRecord, EvalOptions, EvalRecord, EvalStatus, LogFile, Note, OtherModel, Problem, SampleCounts,
    ScorerIdentity, Sensitivity, Spread, TokenTotals, log_name,
};
use bench_samples::failures::{CommonReason, MOST_UNSCORED, commonest_unscored};
use bench_samples::{Durability, Key, Log, Opened, SampleRecord, ScorerRecord, Status, digest_of, sha256_hex};
use bench_suite::{Form, Suite, TaskData, TaskEntry, TaskKind};
use bench_wire::Stop;
use serde_json::Value;

use crate::ask::{Asked, Budget, Clock, End, Manner, Source, Unit, ask};
use crate::backend::Backend;
use crate::error::EvalError;
use crate::grading::{self, Heard};
use crate::likelihood::{self, KNOWN, Way};
use crate::policy::may_have_passed;
use crate::prices::{Price, Prices};
use crate::scorers::{LoadedScorer, Scorers};
use crate::script::Script;
use crate::sheet::{Place, Sheet, places};

/// Requests at once where nobody says how many.
pub const CONCURRENCY: u32 = 8;

/// What the tasks of a run share.
pub struct Evals<'a> {
    /// The suite.
    pub suite: &'a Suite,
    /// Its scorers.
    pub scorers: &'a Scorers,
    /// The price list.
    pub prices: &'a Prices,
    /// The run's seed.
    pub seed: u64,
    /// A short run.
    pub quick: bool,
    /// What was asked for.
    pub options: &'a EvalOptions,
    /// The run's folder.
    pub folder: &'a Path,
    /// The signal that ends it.
    pub stop: &'a Stop,
    /// What time it is.
    pub clock: Clock,
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Samples that are finished.
    pub done: u64,
    /// Samples in all.
    pub of: u64,
}

/// The tasks that the options ask for, in the suite's order.
///
/// # Errors
/// [`EvalError::UnknownTask`].
pub fn chosen<'s>(suite: &'s Suite, options: &EvalOptions) -> Result<Vec<&'s TaskEntry>, EvalError> {
    let tasks = &suite.manifest().tasks;
    for wanted in &options.tasks {
        if !tasks.iter().any(|task| task.name == *wanted) {
            return Err(EvalError::UnknownTask {
                suite: suite.manifest().name.clone(),
                wanted: wanted.clone(),
                known: tasks.iter().map(|task| task.name.clone()).collect(),
            });
        }
    }
    if options.no_evals {
        return Ok(Vec::new());
    }
    let wanted = |task: &&TaskEntry| options.tasks.is_empty() || options.tasks.contains(&task.name);
    Ok(tasks.iter().filter(wanted).collect())
}

/// The scorer's configurations of a task are looked at before anything is asked: one that it does not take costs no request then.
///
/// # Errors
/// [`EvalError::Grade`], and [`EvalError::NoJudge`] where a scorer needs a judge that is not there.
pub fn check(suite: &Suite, task: &TaskEntry, scorers: &Scorers, has_judge: bool) -> Result<(), EvalError> {
    let Some((_, data)) = suite.task(&task.name) else { return Ok(()) };
    let Some(loaded) = scorers.get(&task.scorer.plugin) else { return Ok(()) };
    if loaded.info.needs_judge && !has_judge {
        return Err(EvalError::NoJudge { task: task.name.clone() });
    }
    data.forms.iter().try_for_each(|form| grader(task, loaded, form).map(drop))
}

fn grader<'p>(task: &TaskEntry, loaded: &'p LoadedScorer, form: &Form) -> Result<Grader<'p>, EvalError> {
    let config = Value::Object(form.config.clone()).to_string();
    let grader = Grader::new(&loaded.plugin, &config, GradeOptions::default());
    grader.map_err(|error| EvalError::Grade { task: task.name.clone(), error })
}

/// Runs a task: asks what an earlier part of the run has not, grades, adds up. One record for each of its forms. What goes wrong is in
/// the records.
pub async fn run<B: Backend>(
    evals: &Evals<'_>,
    task: &TaskEntry,
    model: &mut B,
    mut other: Option<&mut B>,
    budget: &mut Budget,
    tell: &mut dyn FnMut(Progress),
) -> Vec<EvalRecord> {
    let (Some((_, data)), Some(loaded)) = (evals.suite.task(&task.name), evals.scorers.get(&task.scorer.plugin)) else {
        return Vec::new();
    };
    let mut records = Vec::new();
    for form in &data.forms {
        let mut record = blank(evals, task, data, form, loaded);
        let work = Work { evals, task, data, form, loaded };
        if let Err(error) = work.run(&mut record, model, other.as_deref_mut(), budget, tell).await {
            record.status = EvalStatus::Failed;
            record.problem = Some(problem(&error));
        }
        let over = record.status == EvalStatus::Cancelled;
        records.push(record);
        if over {
            break;
        }
    }
    let sensitivity = sensitivity(&records);
    if let Some(first) = records.first_mut() {
        first.sensitivity = sensitivity;
    }
    records
}

fn problem(error: &EvalError) -> Problem {
    Problem { code: error.code().to_owned(), message: error.to_string(), hint: error.hint() }
}

fn blank(evals: &Evals<'_>, task: &TaskEntry, data: &TaskData, form: &Form, loaded: &LoadedScorer) -> EvalRecord {
    let limit = evals.options.limit.or(task.effective_limit(evals.quick));
    let items = data.items.len();
    let asked = limit.map_or(items, |limit| items.min(limit as usize));
    EvalRecord {
        task: task.name.clone(),
        title: task.title.clone(),
        format: form.name.clone(),
        status: EvalStatus::Completed,
        problem: None,
        dataset: DatasetRecord {
            sha256: task.data.sha256.to_string(),
            licence: task.data.licence.clone(),
            items: items as u64,
            asked: asked as u64,
            left_out: data.left_out as u64,
        },
        scorer: ScorerIdentity {
            name: loaded.info.name.clone(),
            version: loaded.info.version.clone(),
            sha256: loaded.plugin.digest().to_owned(),
            reference: loaded.info.reference.clone(),
            config: Value::Object(form.config.clone()),
        },
        judge: None,
        user: None,
        repeats: evals.options.repeats.unwrap_or_else(|| task.effective_repeats(asked, evals.quick)),
        estimates: Vec::new(),
        reasons: BTreeMap::new(),
        samples: SampleCounts::default(),
        tokens: TokenTotals::default(),
        cost_usd: None,
        seconds: 0.0,
        ttft_ms: None,
        e2e_ms: None,
        retries: BTreeMap::new(),
        concurrency: evals.options.concurrency.unwrap_or(CONCURRENCY),
        backoff: Vec::new(),
        sensitivity: None,
        log: None,
        fuel: None,
        notes: Vec::new(),
    }
}

/// One form of a task.
struct Work<'a> {
    evals: &'a Evals<'a>,
    task: &'a TaskEntry,
    data: &'a TaskData,
    form: &'a Form,
    loaded: &'a LoadedScorer,
}

impl Work<'_> {
    async fn run<B: Backend>(
        &self,
        record: &mut EvalRecord,
        model: &mut B,
        mut other: Option<&mut B>,
        budget: &mut Budget,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<(), EvalError> {
        let evals = self.evals;
        let grader = grader(self.task, self.loaded, self.form)?;
        let way = match self.task.kind {
            TaskKind::Loglikelihood => Some(likelihood::way(model)?),
            TaskKind::Generate | TaskKind::Conversation => None,
        };
        let sheet = self.sheet(way, model.model());
        let limit = evals.options.limit.or(self.task.effective_limit(evals.quick));
        let all = places(self.task, self.data, limit, record.repeats, model.context_length());
        self.note_what_does_not_fit(record, model.context_length());
        record.samples.planned = all.len() as u64;
        let path = self.log_path(&sheet.name);
        let (mut log, before) = go_on_with(&path, record)?;
        let mut samples = self.known(&sheet, &all, before)?;
        record.samples.resumed = samples.len() as u64;
        for cost in samples.values().filter_map(|sample| sample.cost_usd) {
            budget.spend(cost);
        }
        let left: VecDeque<Place> =
            all.iter().filter(|place| !samples.contains_key(&sheet.key(place))).cloned().collect();
        let day = evals.clock.day();
        let prices = [
            evals.prices.of(model.model(), &day),
            other.as_ref().and_then(|other| evals.prices.of(other.model(), &day)),
        ];
        if evals.options.max_cost.is_some() {
            if prices[0].is_none() {
                return Err(EvalError::NoPrice { model: model.model().to_owned() });
            }
            if let (Some(other), None) = (&other, prices[1]) {
                return Err(EvalError::NoPrice { model: other.model().to_owned() });
            }
        }
        let concurrency = record.concurrency;
        if let (Some(way), false) = (way, left.is_empty()) {
            self_test(way, model, self.manner(concurrency, prices, budget)).await?;
        }
        let mut progress = Progress { done: samples.len() as u64, of: all.len() as u64 };
        tell(progress);
        let mut keep = |unit: Unit| {
            log.append(&unit.record)?;
            samples.insert(unit.record.key(), unit.record);
            progress.done += 1;
            tell(progress);
            Ok(())
        };
        let asked = ask(
            model,
            other.as_deref_mut(),
            Source::Sheet(&sheet, left),
            self.manner(concurrency, prices, budget),
            &mut keep,
        )
        .await?;
        log.finish()?;
        self.took(record, &asked, self.data.user.as_ref().map(|_| describe(model, other.as_deref())));
        // In the order of the plan, whatever the order of the answers: what follows is the same for a run that was cut off.
        let mut kept: Vec<SampleRecord> = all.iter().filter_map(|place| samples.remove(&sheet.key(place))).collect();
        count(record, &kept);
        record.notes.extend(unanswered(&kept));
        if record.status == EvalStatus::Cancelled || (record.status == EvalStatus::Failed && kept.is_empty()) {
            return Ok(());
        }
        let mut opinions = None;
        if self.loaded.info.needs_judge {
            let described = describe(model, other.as_deref());
            let heard = grading::hear(
                &grader,
                &kept,
                &evals.folder.join("judge").join(format!("{}.jsonl", sheet.name)),
                model,
                other,
                evals.seed,
                self.manner(concurrency, prices, budget),
            )
            .await?;
            opinions = self.heard(record, heard, described);
            if opinions.is_none() {
                return Ok(());
            }
        }
        let scorer = ScorerRecord {
            name: self.loaded.info.name.clone(),
            version: self.loaded.info.version.clone(),
            sha256: Some(self.loaded.plugin.digest().to_owned()),
            config_sha256: Some(digest_of(&self.form.config)),
        };
        let scores = grading::grade(&grader, &scorer, &mut kept, opinions);
        let scores = scores.map_err(|error| EvalError::Grade { task: self.task.name.clone(), error })?;
        record.estimates = scores.estimates;
        record.reasons = scores.reasons;
        record.fuel = Some(scores.fuel);
        record.notes.extend(scores.notes);
        if record.status == EvalStatus::Completed
            && let Some((status, problem)) = too_few_verdicts(&kept)
        {
            (record.status, record.problem) = (status, Some(problem));
        }
        bench_samples::write(&path, &kept)?;
        record.log = log_file(&path, &sheet.name);
        Ok(())
    }

    fn manner<'b>(&'b self, concurrency: u32, prices: [Option<&'b Price>; 2], budget: &'b mut Budget) -> Manner<'b> {
        let Evals { stop, clock, options, .. } = *self.evals;
        Manner { stop, concurrency, clock, budget, reuse_prefixes: options.reuse_prefixes, prices }
    }

    fn sheet(&self, way: Option<Way>, model: &str) -> Sheet<'_> {
        let name = log_name(&self.task.name, self.form.name.as_deref());
        Sheet {
            task: self.task,
            data: self.data,
            form: self.form,
            corpus: self.task.needle.as_ref().and_then(|needle| self.evals.suite.corpus(&needle.corpus)),
            seed: self.evals.seed,
            way,
            model: model.to_owned(),
            name,
        }
    }

    fn log_path(&self, name: &str) -> PathBuf {
        self.evals.folder.join("samples").join(format!("{name}.jsonl"))
    }

    fn note_what_does_not_fit(&self, record: &mut EvalRecord, room: Option<u64>) {
        let (Some(needle), Some(room)) = (&self.task.needle, room) else { return };
        let answer = u64::from(self.task.generation.max_tokens);
        let long: Vec<String> =
            needle.lengths.iter().filter(|length| **length + answer > room).map(u64::to_string).collect();
        if !long.is_empty() {
            let message = format!("the context of {room} tokens has no room for prompts of {}", long.join(", "));
            record.notes.push(Note::new("lengths-left-out", message));
        }
    }

    /// The samples of an earlier part of the run. They must be of the same items.
    fn known(
        &self,
        sheet: &Sheet<'_>,
        all: &[Place],
        before: Vec<SampleRecord>,
    ) -> Result<BTreeMap<Key, SampleRecord>, EvalError> {
        let planned: BTreeMap<Key, &Place> = all.iter().map(|place| (sheet.key(place), place)).collect();
        let mut known = BTreeMap::new();
        for sample in before {
            let key = sample.key();
            let differs = |what| EvalError::Differs { task: self.task.name.clone(), sample: key.to_string(), what };
            let place = planned.get(&key).ok_or_else(|| differs("identifier"))?;
            if sample.document_sha256 != digest_of(&sheet.document(place)) {
                return Err(differs("item"));
            }
            known.insert(key, sample);
        }
        Ok(known)
    }

    fn took(&self, record: &mut EvalRecord, asked: &Asked, user: Option<OtherModel>) {
        record.seconds = asked.seconds;
        record.retries.clone_from(&asked.retries);
        record.backoff.clone_from(&asked.backoff);
        record.user = user.map(|user| OtherModel { requests: asked.other_requests, ..user });
        (record.status, record.problem) = ended(&asked.end);
    }

    /// What the judge said, unless asking it ended early: verdicts without its opinion would be about something else.
    fn heard(&self, record: &mut EvalRecord, heard: Heard, judge: OtherModel) -> Option<grading::Opinions> {
        record.judge = Some(OtherModel { requests: heard.requests, ..judge });
        if heard.cost > 0.0 {
            record.cost_usd = Some(record.cost_usd.unwrap_or(0.0) + heard.cost);
        }
        if heard.end == End::All {
            return Some(heard.opinions);
        }
        (record.status, record.problem) = ended(&heard.end);
        None
    }
}

fn describe<B: Backend>(model: &B, other: Option<&B>) -> OtherModel {
    let asked = other.unwrap_or(model);
    OtherModel { model: asked.model().to_owned(), endpoint: asked.endpoint(), requests: 0 }
}

fn ended(end: &End) -> (EvalStatus, Option<Problem>) {
    let problem = |code: &str, message: &str, hint: Option<&str>| {
        Some(Problem { code: code.to_owned(), message: message.to_owned(), hint: hint.map(str::to_owned) })
    };
    match end {
        End::All => (EvalStatus::Completed, None),
        End::Stopped => (
            EvalStatus::Cancelled,
            problem("stopped", "the run was stopped", Some("go on with `bench run --resume` and the run's name")),
        ),
        End::Limit(code) => {
            let what = if *code == "cost-limit" { "cost" } else { "time" };
            let message =
                format!("the limit of {what} was reached, and the scores are those of the samples until then");
            (EvalStatus::Partial, problem(code, &message, Some("raise the limit and resume the run")))
        }
        End::Failed(failure) => (EvalStatus::Failed, problem(&failure.code, &failure.message, failure.hint.as_deref())),
    }
}

/// Sums over the samples.
fn count(record: &mut EvalRecord, samples: &[SampleRecord]) {
    let counts = &mut record.samples;
    for sample in samples {
        match sample.status {
            Status::Answered => counts.answered += 1,
            Status::Failed { .. } => counts.failed += 1,
            Status::Unscored { .. } => counts.unscored += 1,
        }
        let tokens = &mut record.tokens;
        for (sum, more) in [
            (&mut tokens.prompt, sample.usage.prompt),
            (&mut tokens.cached, sample.usage.cached),
            (&mut tokens.completion, sample.usage.completion),
            (&mut tokens.reasoning, sample.usage.reasoning),
        ] {
            *sum = sum.saturating_add(more.unwrap_or(0));
        }
        if let Some(cost) = sample.cost_usd {
            record.cost_usd = Some(record.cost_usd.unwrap_or(0.0) + cost);
        }
    }
    counts.remaining = counts.planned.saturating_sub(samples.len() as u64);
    let answered = || samples.iter().filter(|sample| sample.status == Status::Answered);
    record.ttft_ms = spread(answered().filter_map(|sample| sample.timing.ttft_ms).collect());
    record.e2e_ms = spread(answered().filter_map(|sample| sample.timing.e2e_ms).collect());
}

/// Opens the log of a task to go on with it, without the samples that have no answer for a reason that may have passed: those are
/// asked again. Gives the samples that stay.
fn go_on_with(path: &Path, record: &mut EvalRecord) -> Result<(Log, Vec<SampleRecord>), EvalError> {
    let Opened { log, mut records, dropped } = Log::open(path, Durability::Each)?;
    if let Some(bytes) = dropped {
        let message = format!("the log ended in the middle of a sample; its {bytes} bytes were dropped");
        record.notes.push(Note::new("log-mended", message));
    }
    let found = records.len();
    records.retain(|sample| match &sample.status {
        Status::Unscored { code, .. } => !may_have_passed(code),
        Status::Answered | Status::Failed { .. } => true,
    });
    let again = found - records.len();
    if again == 0 {
        return Ok((log, records));
    }
    // The file is another one afterwards, so the lock on the old one goes first.
    drop(log);
    bench_samples::write(path, &records)?;
    let message = format!("{again} samples without an answer were asked again when the run was resumed");
    record.notes.push(Note::new("asked-again", message));
    let Opened { log, records, .. } = Log::open(path, Durability::Each)?;
    Ok((log, records))
}

/// What is wrong with a task whose samples have no verdict, or too many of them.
fn too_few_verdicts(samples: &[SampleRecord]) -> Option<(EvalStatus, Problem)> {
    let commonest = commonest_unscored(samples).filter(CommonReason::is_too_common)?;
    let CommonReason { unscored, of, .. } = commonest;
    let hint =
        Some("see `bench show --failures` and the run's name; `bench run --resume` asks again what may have passed");
    let problem = |code: &str, message: String| Problem {
        code: code.to_owned(),
        message: format!("{message}; {commonest}"),
        hint: hint.map(str::to_owned),
    };
    if unscored == of {
        return Some((EvalStatus::Failed, problem("no-verdicts", format!("none of {of} samples has a verdict"))));
    }
    let limit = MOST_UNSCORED * 100.0;
    let message = format!("{unscored} of {of} samples have no verdict, which is more than {limit:.0} %");
    Some((EvalStatus::Partial, problem("many-unscored", message)))
}

/// Why samples have no answer: for each cause how many, and the first in the words of whoever refused.
fn unanswered(samples: &[SampleRecord]) -> Vec<Note> {
    let mut causes: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for sample in samples {
        if let Status::Unscored { code, message } = &sample.status {
            causes.entry(code).or_insert((0, message)).0 += 1;
        }
    }
    let note = |(code, (count, message)): (&str, (usize, &str))| {
        Note::new(format!("unscored-{code}"), format!("{count} without an answer, the first one: {message}"))
    };
    causes.into_iter().map(note).collect()
}

fn spread(mut values: Vec<f64>) -> Option<Spread> {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    Some(Spread {
        samples: values.len() as u64,
        mean: bench_metrics::mean(&values)?,
        p50: bench_metrics::median(&values)?,
        p95: bench_metrics::floored_percentile(&values, 95),
    })
}

fn log_file(path: &Path, name: &str) -> Option<LogFile> {
    let bytes = std::fs::read(path).ok()?;
    Some(LogFile { file: format!("samples/{name}.jsonl"), sha256: sha256_hex(&bytes), bytes: bytes.len() as u64 })
}

/// How much the headline differs between formats.
fn sensitivity(records: &[EvalRecord]) -> Option<Sensitivity> {
    let value = |record: &EvalRecord| {
        let headline = record.estimates.iter().find(|estimate| estimate.group.is_none())?;
        Some((record.format.clone()?, headline.value?))
    };
    let values: BTreeMap<String, f64> = records.iter().filter_map(value).collect();
    let list: Vec<f64> = values.values().copied().collect();
    let (low, high) = (list.iter().copied().reduce(f64::min)?, list.iter().copied().reduce(f64::max)?);
    let standard_deviation = bench_metrics::sample_sd(&list)?;
    Some(Sensitivity { values, max_delta: high - low, standard_deviation })
}

/// Asks for likelihoods that are known in advance.
async fn self_test<B: Backend>(way: Way, model: &mut B, manner: Manner<'_>) -> Result<(), EvalError> {
    let refuse = |reason: String| EvalError::DegenerateLogprobs { reason };
    let units = KNOWN.iter().enumerate().map(|(place, (context, choices))| {
        let script = Script::Likely {
            way,
            context: (*context).to_owned(),
            choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
            found: Vec::new(),
        };
        let prompt =
            crate::prompt::recorded(&Prompt::Messages(vec![crate::prompt::message(Role::User, (*context).to_owned())]));
        let record = SampleRecord::new("self-test", place.to_string(), 0, Value::Null, prompt, Value::Null);
        Unit::new(record, script, 0)
    });
    let mut found: BTreeMap<String, SampleRecord> = BTreeMap::new();
    let mut keep = |unit: Unit| {
        found.insert(unit.record.id.clone(), unit.record);
        Ok(())
    };
    let asked = ask(model, None, Source::Ready(units.collect()), manner, &mut keep).await?;
    match asked.end {
        End::All => {}
        End::Failed(failure) => {
            let crate::policy::Failure { code, message, hint, .. } = failure;
            return Err(EvalError::Refused { code, message, hint });
        }
        // What comes next ends for the same reason.
        End::Stopped | End::Limit(_) => return Ok(()),
    }
    let mut values = Vec::new();
    for sample in found.values() {
        if let Status::Failed { message, .. } | Status::Unscored { message, .. } = &sample.status {
            return Err(refuse(message.clone()));
        }
        match sample.likelihoods.as_slice() {
            [likely, unlikely] => {
                let value = |record: &bench_samples::LikelihoodRecord| record.logprob.unwrap_or(f64::NAN);
                values.push([value(likely), value(unlikely)]);
            }
            _ => return Err(refuse("some are missing".to_owned())),
        }
    }
    likelihood::verdict(&values)
}
