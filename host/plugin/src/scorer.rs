//! The handle on a scorer.
//!
//! A scorer runs under [`Profile::Scorer`](crate::Profile::Scorer), so every call has an exact cost in fuel. How much a call
//! uses depends on what its instance did before: where its allocator left off, what its regular expressions have cached. Whoever
//! wants the same figure everywhere therefore says when an instance begins, with [`Scorer::restart`].

use wasmtime::Store;
use wasmtime::component::{Func, Instance, ResourceAny};

use crate::bindings::scorer::ScorerPlugin;
use crate::bulk::Bulk;
use crate::cell::{Cell, State};
use crate::contract::{Kind, SUPPORTED_VERSION};
use crate::driver::describe_error;
use crate::error::{Fault, FaultKind, LoadError};
use crate::limits::Limits;
use crate::plugin::Plugin;
use crate::scorer_types::{Estimate, Graded, Info, Opinion, Sample, Verdict};
use crate::types::Generation;
use crate::verdicts;

/// A scorer component, ready to be called. Calls take `&mut self`: one at a time, by the one owner.
pub struct Scorer {
    cell: Cell<Exports>,
    info: Info,
}

/// What a scorer exports.
struct Exports {
    typed: ScorerPlugin,
    /// `task.score` once more, for samples that do not lie side by side.
    score: Func,
    /// What is called instead where there is one.
    bulk: Option<Bulk>,
}

impl Exports {
    fn bind(store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<Exports> {
        let typed = ScorerPlugin::new(&mut *store, instance)?;
        let missing = || wasmtime::Error::msg("the component does not export `task.score`");
        let interface = format!("{}@{SUPPORTED_VERSION}", Kind::Scorer.interface());
        let interface = instance.get_export_index(&mut *store, None, &interface).ok_or_else(missing)?;
        let score =
            instance.get_export_index(&mut *store, Some(&interface), "[method]task.score").ok_or_else(missing)?;
        let score = instance.get_func(&mut *store, score).ok_or_else(missing)?;
        let bulk = Bulk::find(store, instance, &SUPPORTED_VERSION.to_string())?;
        Ok(Exports { typed, score, bulk })
    }

    fn score(
        &self,
        store: &mut Store<State>,
        task: ResourceAny,
        samples: &[&Sample],
    ) -> wasmtime::Result<Vec<Verdict>> {
        if let Some(bulk) = &self.bulk {
            return bulk.score(store, task, samples);
        }
        let score = self.score.typed::<(ResourceAny, &[&Sample]), (Vec<Verdict>,)>(&*store)?;
        score.call(store, (task, samples)).map(|(verdicts,)| verdicts)
    }
}

/// A scorer of one configuration. It belongs to the [`Scorer`] that opened it and dies with that scorer's instance.
#[derive(Debug)]
pub struct Task {
    resource: ResourceAny,
    generation: u64,
}

/// What came of one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// One for each sample, in the order of the samples.
    pub verdicts: Vec<Verdict>,
    /// What the call used.
    pub fuel: u64,
}

const SCORE: &str = "scorer.task.score";

impl Scorer {
    pub(crate) fn new(plugin: &Plugin, limits: Limits) -> Result<Scorer, LoadError> {
        let mut cell = Cell::within(plugin, limits, Exports::bind);
        let info = cell
            .call("scorer.describe", |plugin, store| plugin.typed.bench_plugin_scorer().call_describe(store))
            .map_err(describe_error)?;
        cell.name = format!("{} {}", info.name, info.version);
        Ok(Scorer { cell, info })
    }

    /// What the scorer says about itself.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// SHA-256 of the component, in hex.
    pub fn digest(&self) -> &str {
        self.cell.digest()
    }

    /// Fuel that one sample may use.
    pub fn fuel_per_sample(&self) -> u64 {
        let limits = self.cell.limits();
        if self.info.fresh_instance { limits.program_fuel } else { limits.fuel }
    }

    /// Linear memory of the instance that the last call ran on, all its memories together, in bytes. It never shrinks, so this is
    /// the most that the instance had; after a fault, the most before it.
    pub fn memory(&self) -> usize {
        self.cell.memory()
    }

    /// Ends the instance with all its tasks; the next call makes another.
    pub fn restart(&mut self) {
        self.cell.drop_instance();
    }

    /// A scorer of this configuration: a JSON object. A configuration that the scorer does not take is
    /// [`FaultKind::Problem`].
    pub fn open(&mut self, config: &str) -> Result<Task, Fault> {
        let resource = self.cell.ask("scorer.task.create", |plugin, store| {
            plugin.typed.bench_plugin_scorer().task().call_create(store, config)
        })?;
        Ok(Task { resource, generation: self.cell.generation() })
    }

    /// Ends a task.
    pub fn close(&mut self, task: Task) -> Result<(), Fault> {
        if !self.cell.has(task.generation) {
            return Ok(());
        }
        self.cell.call("scorer.task.drop", |_, store| task.resource.resource_drop(store))
    }

    /// The verdicts on these samples. They may use the fuel of so many samples between them, up to that of a hundred.
    ///
    /// Verdicts that cannot be true are [`FaultKind::Lie`]: another number of them, of other samples, values that are infinite
    /// or outside [0, 1] where the scorer is not unbounded, a value where there is none, and the other way round.
    pub fn score(&mut self, task: &Task, samples: &[Sample]) -> Result<Scored, Fault> {
        let fuel = self.fuel_for(samples.len());
        self.score_for(fuel, task, &samples.iter().collect::<Vec<_>>())
    }

    /// The verdicts on these samples as [`Scorer::score`] gives them, for less fuel than one of them alone may use: who gets a verdict
    /// here would get it in a call of its own as well.
    pub fn score_together(&mut self, task: &Task, samples: &[&Sample]) -> Result<Scored, Fault> {
        self.score_for(self.fuel_per_sample() / 4, task, samples)
    }

    fn score_for(&mut self, fuel: u64, task: &Task, samples: &[&Sample]) -> Result<Scored, Fault> {
        let resource = self.living(task, SCORE)?;
        let score = |plugin: &Exports, store: &mut Store<State>| plugin.score(store, resource, samples);
        let (verdicts, fuel) = self.cell.metered(SCORE, fuel, score)?;
        self.accept(SCORE, verdicts::lie(&verdicts, samples, self.info.unbounded))?;
        Ok(Scored { verdicts, fuel })
    }

    /// The verdict on one sample as [`Scorer::score`] gives it, and the fuel that it used.
    pub fn score_one(&mut self, task: &Task, sample: &Sample) -> Result<(Verdict, u64), Fault> {
        let Scored { mut verdicts, fuel } = self.score(task, std::slice::from_ref(sample))?;
        match verdicts.pop() {
            Some(verdict) => Ok((verdict, fuel)),
            None => Err(self.cell.fault(SCORE, FaultKind::Lie("no verdict".to_owned()), Vec::new())),
        }
    }

    /// What to ask the judge about a sample; nothing where the verdict needs no judge.
    pub fn questions(&mut self, task: &Task, sample: &Sample) -> Result<Vec<Generation>, Fault> {
        const EXPORT: &str = "scorer.task.questions";
        let resource = self.living(task, EXPORT)?;
        let questions = self.cell.ask(EXPORT, |plugin, store| {
            plugin.typed.bench_plugin_scorer().task().call_questions(store, resource, sample)
        })?;
        let lie = (questions.len() > MOST_QUESTIONS)
            .then(|| format!("{} questions about one sample; at most {MOST_QUESTIONS} are asked", questions.len()));
        self.accept(EXPORT, lie)?;
        Ok(questions)
    }

    /// The verdict on a sample, given one opinion for each question, as one that [`Scorer::score`] could have given, and the
    /// fuel that it used.
    pub fn conclude(&mut self, task: &Task, sample: &Sample, opinions: &[Opinion]) -> Result<(Verdict, u64), Fault> {
        const EXPORT: &str = "scorer.task.conclude";
        let resource = self.living(task, EXPORT)?;
        let fuel = self.fuel_for(1);
        let (verdict, fuel) = self.cell.metered(EXPORT, fuel, |plugin, store| {
            plugin.typed.bench_plugin_scorer().task().call_conclude(store, resource, sample, opinions)
        })?;
        let lie = verdicts::lie_about(&verdict, sample, self.info.unbounded);
        self.accept(EXPORT, lie)?;
        Ok((verdict, fuel))
    }

    /// The task's metrics, the headline first. Adding up may use the fuel of so many samples, up to that of a hundred.
    pub fn aggregate(&mut self, task: &Task, graded: &[Graded]) -> Result<Vec<Estimate>, Fault> {
        const EXPORT: &str = "scorer.task.aggregate";
        let resource = self.living(task, EXPORT)?;
        let fuel = self.fuel_for(graded.len());
        let (estimates, _) = self.cell.metered(EXPORT, fuel, |plugin, store| {
            plugin.typed.bench_plugin_scorer().task().call_aggregate(store, resource, graded)
        })?;
        self.accept(EXPORT, verdicts::lie_of_estimates(&estimates))?;
        Ok(estimates)
    }

    fn fuel_for(&self, samples: usize) -> u64 {
        self.fuel_per_sample().saturating_mul(samples.clamp(1, MOST_SHARES) as u64)
    }

    fn living(&self, task: &Task, export: &'static str) -> Result<ResourceAny, Fault> {
        if self.cell.has(task.generation) {
            Ok(task.resource)
        } else {
            Err(self.cell.fault(export, FaultKind::Gone, Vec::new()))
        }
    }

    /// A scorer that was caught in a lie is not asked again on this instance.
    fn accept(&mut self, export: &'static str, lie: Option<String>) -> Result<(), Fault> {
        let Some(lie) = lie else { return Ok(()) };
        self.cell.drop_instance();
        Err(self.cell.fault(export, FaultKind::Lie(lie), Vec::new()))
    }
}

/// Of how many samples one call may use the fuel, whatever it is given. Else adding up a large task could take days.
const MOST_SHARES: usize = 100;

/// Questions that one sample may take; a few judges, each asked a few times.
const MOST_QUESTIONS: usize = 256;

impl std::fmt::Debug for Scorer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scorer").field("info", &self.info).finish_non_exhaustive()
    }
}
