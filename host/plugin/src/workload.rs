//! The handle on a workload.

use wasmtime::component::ResourceAny;

use crate::bindings::workload::WorkloadPlugin;
use crate::cell::Cell;
use crate::driver::describe_error;
use crate::error::{Fault, FaultKind, LoadError};
use crate::plugin::Plugin;
use crate::workload_types::{Facts, Info, Outcome, Phase, PhaseMeasures, SessionKey, Step, Summary};

/// A workload component, ready to be called. Calls take `&mut self`: one at a time, by the one owner.
pub struct Workload {
    cell: Cell<WorkloadPlugin>,
    info: Info,
}

/// A session of a workload. It belongs to the [`Workload`] that began it and dies with that workload's instance.
#[derive(Debug)]
pub struct Session {
    resource: ResourceAny,
    generation: u64,
}

impl Workload {
    pub(crate) fn new(plugin: &Plugin) -> Result<Workload, LoadError> {
        let mut cell = Cell::new(plugin, |store, instance| WorkloadPlugin::new(store, instance));
        let info = cell
            .call("workload.describe", |plugin, store| plugin.bench_plugin_workload().call_describe(store))
            .map_err(describe_error)?;
        cell.name = format!("{} {}", info.name, info.version);
        Ok(Workload { cell, info })
    }

    /// What the workload says about itself.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// SHA-256 of the component, in hex.
    pub fn digest(&self) -> &str {
        self.cell.digest()
    }

    /// The phases for a model. `params` is a JSON object.
    pub fn plan(&mut self, params: &str, facts: &Facts) -> Result<Vec<Phase>, Fault> {
        self.cell.ask("workload.plan", |plugin, store| plugin.bench_plugin_workload().call_plan(store, params, facts))
    }

    /// Begins a session.
    pub fn begin(&mut self, params: &str, facts: &Facts, key: &SessionKey) -> Result<Session, Fault> {
        let resource = self.cell.call("workload.session.constructor", |plugin, store| {
            plugin.bench_plugin_workload().session().call_constructor(store, params, facts, key)
        })?;
        Ok(Session { resource, generation: self.cell.generation() })
    }

    /// The next turn of a session, given what came of the last.
    pub fn next(&mut self, session: &Session, previous: Option<&Outcome>) -> Result<Step, Fault> {
        const EXPORT: &str = "workload.session.next";
        if !self.cell.has(session.generation) {
            return Err(self.cell.fault(EXPORT, FaultKind::Gone, Vec::new()));
        }
        let resource = session.resource;
        self.cell
            .ask(EXPORT, |plugin, store| plugin.bench_plugin_workload().session().call_next(store, resource, previous))
    }

    /// Ends a session.
    pub fn end(&mut self, session: Session) -> Result<(), Fault> {
        if !self.cell.has(session.generation) {
            return Ok(());
        }
        self.cell.call("workload.session.drop", |_, store| session.resource.resource_drop(store))
    }

    /// What the workload says in a few numbers.
    pub fn summarise(&mut self, phases: &[PhaseMeasures]) -> Result<Summary, Fault> {
        self.cell
            .ask("workload.summarise", |plugin, store| plugin.bench_plugin_workload().call_summarise(store, phases))
    }
}

impl std::fmt::Debug for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workload").field("info", &self.info).finish_non_exhaustive()
    }
}
