//! The eval tasks of a run: the engine as an eval sees it, and the order of tasks.

use bench_eval::policy::Failure;
use bench_eval::{Backend, Budget, Clock, EvalError, Evals, Prices, Scorers};
use bench_plugin::types::Generation;
use bench_record::{EvalRecord, Store};
use bench_suite::{Suite, TaskEntry};
use bench_wire::{Client, Exchange, Prepared};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::assemble;
use crate::catalog::Catalog;
use crate::connect::Connected;
use crate::engine::Engine;
use crate::error::RunError;
use crate::judge;
use crate::keep::save_record;
use crate::options::RunOptions;
use crate::report::{Reporter, Update};
use crate::side::{House, Side};

/// The largest price list that is read: 4 MiB.
const LARGEST_PRICES: u64 = 4 << 20;

/// The tasks of a run, checked before anything is asked.
pub(crate) struct Tasks<'s> {
    pub(crate) chosen: Vec<&'s TaskEntry>,
    pub(crate) scorers: Scorers,
    prices: Prices,
}

impl<'s> Tasks<'s> {
    /// Chooses the tasks and loads what grades them.
    pub(crate) fn load(suite: &'s Suite, catalog: &Catalog, options: &RunOptions) -> Result<Self, RunError> {
        let chosen = bench_eval::chosen(suite, &options.evals)?;
        let scorers = Scorers::load(catalog.host(), catalog.shelf(), &chosen, &options.scorers)?;
        for task in &chosen {
            bench_eval::check(suite, task, &scorers, options.judge.is_some())?;
        }
        let bad = |reason: String| EvalError::Prices { reason };
        let own = match bench_files::read_bounded(&options.folders.prices, LARGEST_PRICES) {
            Ok(bytes) => Some(String::from_utf8(bytes).map_err(|_| bad("the list is not UTF-8".to_owned()))?),
            Err(error) if error.is_missing() => None,
            Err(error) => return Err(bad(error.to_string()).into()),
        };
        let prices = Prices::new(own.as_deref())?;
        Ok(Self { chosen, scorers, prices })
    }

    /// Who grades, for the record.
    pub(crate) fn identities(&self, catalog: &Catalog) -> Vec<bench_record::PluginIdentity> {
        let one = |(name, loaded): (&str, &bench_eval::LoadedScorer)| {
            let (source, version) = (loaded.source.clone(), &loaded.info.version);
            assemble::plugin(&catalog.identity(name, &loaded.plugin, source, name, version))
        };
        self.scorers.iter().map(one).collect()
    }
}

/// Runs the tasks on one side. Each is in the record as soon as it is over.
pub(crate) async fn run(
    house: &House<'_>,
    tasks: &Tasks<'_>,
    side: &mut Side<'_>,
    judge: Option<&mut Connected>,
    clock: Clock,
    reporter: &mut dyn Reporter,
) -> Result<(), RunError> {
    let store = side.store();
    let mut judge = judge.map(|connected| &mut connected.engine);
    let options = side.record.eval_options.clone();
    let folder = store.directory(&side.record.id);
    let mut budget = Budget::new(options.max_cost, options.max_seconds);
    let evals = Evals {
        suite: house.suite,
        scorers: &tasks.scorers,
        prices: &tasks.prices,
        seed: side.seed,
        quick: side.record.suite.quick,
        options: &options,
        folder: &folder,
        stop: house.stop,
        clock,
    };
    for (place, task) in tasks.chosen.iter().enumerate() {
        if house.stop.is_stopped() {
            break;
        }
        let forms = house.suite.task(&task.name).map_or(0, |(_, data)| data.forms.len());
        let finished = side.record.evals.iter().filter(|eval| eval.task == task.name).count();
        if forms > 0 && finished == forms {
            continue;
        }
        reporter.update(Update::Task {
            name: &task.name,
            title: &task.title,
            number: place + 1,
            of: tasks.chosen.len(),
        });
        let mut tell = |progress: bench_eval::Progress| {
            reporter.update(Update::Samples { done: progress.done, of: progress.of });
        };
        let records = bench_eval::run(&evals, task, side.engine, judge.as_deref_mut(), &mut budget, &mut tell).await;
        keep(side, &store, records, reporter)?;
    }
    Ok(())
}

fn keep(
    side: &mut Side<'_>,
    store: &Store,
    records: Vec<EvalRecord>,
    reporter: &mut dyn Reporter,
) -> Result<(), RunError> {
    for mut record in records {
        if let Some(problem) = &mut record.problem {
            problem.message = side.engine.redact(&problem.message);
            problem.hint = problem.hint.as_deref().map(|hint| side.engine.redact(hint));
        }
        reporter.update(Update::TaskDone { eval: &record });
        side.record.evals.retain(|eval| (&eval.task, &eval.format) != (&record.task, &record.format));
        side.record.evals.push(record);
    }
    save_record(store, side.engine.client.secrets(), &side.record)
}

impl Backend for Engine {
    fn driver(&self) -> &str {
        &self.line.driver.info().name
    }

    fn model(&self) -> &str {
        &self.model.id
    }

    fn endpoint(&self) -> String {
        self.line.endpoint.to_string()
    }

    fn client(&self) -> Client {
        // Measured requests run on threads of their own, and a connection belongs to the thread that it was opened on.
        self.client.sibling()
    }

    fn context_length(&self) -> Option<u64> {
        self.model.context_length
    }

    fn takes_fields(&self) -> bool {
        let schema: Value = serde_json::from_str(&self.line.driver.info().params_schema).unwrap_or_default();
        schema.pointer("/properties/extra").is_some()
    }

    fn encode(&mut self, generation: &Generation, fields: &Map<String, Value>) -> Result<Prepared, Failure> {
        let encoded = self.encode_with(generation, fields).map_err(|error| failure(self, &error))?;
        let request = self.line.request(encoded.request);
        self.client.prepare(request).map_err(|error| failure(self, &error.into()))
    }

    fn decode(&mut self, exchange: &Exchange, now: OffsetDateTime) -> Result<bench_eval::Answer, Failure> {
        judge::eval_answer(self, exchange, now)
    }

    async fn count(&mut self, generation: &Generation) -> Result<Option<u64>, Failure> {
        let counted = Engine::count(self, generation).await;
        counted.map_err(|error| failure(self, &error))
    }
}

fn failure(engine: &Engine, error: &RunError) -> Failure {
    Failure {
        code: error.code().to_owned(),
        message: engine.redact(&error.to_string()),
        hint: error.hint().map(|hint| engine.redact(&hint)),
        status: None,
        retry_after: None,
    }
}
