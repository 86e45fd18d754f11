//! The handle on a driver.

use std::ops::ControlFlow;

use wasmtime::Store;
use wasmtime::component::{Instance, ResourceAny};

use crate::bindings::driver::DriverPlugin;
use crate::cell::{Cell, State};
use crate::contract::SUPPORTED_VERSION;
use crate::driver_types::{
    Backend, CountStep, Counter, Encoded, Info, LaunchOptions, LaunchPlan, LocatedEvent, Probe, ProbeAnswer, Target,
};
use crate::error::{Fault, FaultKind, LoadError};
use crate::plugin::Plugin;
use crate::rules::{Adjusted, Rules};
use crate::types::{Generation, HttpRequest, HttpResponse, Problem, ResponseHeader};

/// Bytes of a body that are handed to a decoder at once. Bodies are decoded in batches after the window, so that the cost
/// of entering the sandbox is spread over thousands of events.
const BATCH: usize = 256 << 10;

/// Reads that are handed to a decoder at once. A server can send a byte at a time, and each read has a place in the guest's memory.
const BATCH_READS: usize = 64 << 10;

/// A driver component, ready to be called. Calls take `&mut self`: one at a time, by the one owner.
pub struct Driver {
    cell: Cell<Exports>,
    info: Info,
}

/// What a driver exports.
struct Exports {
    typed: DriverPlugin,
    /// What models do not take, where the driver knows.
    rules: Option<Rules>,
}

impl Exports {
    fn bind(store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<Exports> {
        let typed = DriverPlugin::new(&mut *store, instance)?;
        let rules = Rules::find(store, instance, &SUPPORTED_VERSION.to_string())?;
        Ok(Exports { typed, rules })
    }
}

/// A body that could not be decoded to its end. What was decoded before is kept.
#[derive(Debug)]
pub struct DecodeError {
    /// The events before the failure.
    pub events: Vec<LocatedEvent>,
    /// The failure.
    pub fault: Fault,
}

impl Driver {
    pub(crate) fn new(plugin: &Plugin) -> Result<Driver, LoadError> {
        // Bindings are looked up before the first call, so that a component of the wrong shape is refused as such.
        let mut cell = Cell::new(plugin, Exports::bind);
        let info = cell
            .call("driver.describe", |plugin, store| plugin.typed.bench_plugin_driver().call_describe(store))
            .map_err(describe_error)?;
        cell.name = format!("{} {}", info.name, info.version);
        Ok(Driver { cell, info })
    }

    /// What the driver says about itself.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// SHA-256 of the component, in hex.
    pub fn digest(&self) -> &str {
        self.cell.digest()
    }

    /// Ends the instance with all its state; the next call makes another.
    pub fn restart(&mut self) {
        self.cell.drop_instance();
    }

    /// What to look at to find the backend.
    pub fn probes(&mut self) -> Result<Vec<Probe>, Fault> {
        self.cell.call("driver.probes", |plugin, store| plugin.typed.bench_plugin_driver().call_probes(store))
    }

    /// Whether the answers are this backend's.
    pub fn recognise(&mut self, answers: &[ProbeAnswer]) -> Result<Option<Backend>, Fault> {
        self.cell
            .call("driver.recognise", |plugin, store| plugin.typed.bench_plugin_driver().call_recognise(store, answers))
    }

    /// How to start the backend with these weights.
    pub fn launch(&mut self, model: &str, options: &LaunchOptions) -> Result<LaunchPlan, Fault> {
        self.cell
            .ask("driver.launch", |plugin, store| plugin.typed.bench_plugin_driver().call_launch(store, model, options))
    }

    /// The request for a generation.
    pub fn encode(&mut self, generation: &Generation, target: &Target) -> Result<Encoded, Fault> {
        self.cell.ask("driver.encode", |plugin, store| {
            plugin.typed.bench_plugin_driver().call_encode(store, generation, target)
        })
    }

    /// The request for a generation without the fields of its body in `omit`, and what it leaves out. A driver without
    /// `driver-rules` leaves nothing out.
    ///
    /// # Errors
    /// What the driver says against the generation, or what it did wrong.
    pub fn adjust(&mut self, generation: &Generation, target: &Target, omit: &[String]) -> Result<Adjusted, Fault> {
        self.cell.ask("driver.encode", |plugin, store| match &plugin.rules {
            Some(rules) => rules.adjust(store, generation, target, omit),
            None => {
                let encoded = plugin.typed.bench_plugin_driver().call_encode(store, generation, target)?;
                Ok(encoded.map(|encoded| Adjusted { encoded, left_out: Vec::new() }))
            }
        })
    }

    /// The fields of a request's body that a refusal names; none of a driver without `driver-rules`.
    ///
    /// # Errors
    /// What the driver did wrong.
    pub fn refused_fields(&mut self, response: &HttpResponse) -> Result<Vec<String>, Fault> {
        self.cell.call("driver-rules.refused-fields", |plugin, store| match &plugin.rules {
            Some(rules) => rules.refused_fields(store, response),
            None => Ok(Vec::new()),
        })
    }

    /// What an answer with a status other than 2xx says.
    pub fn explain(&mut self, response: &HttpResponse) -> Result<Problem, Fault> {
        self.cell
            .call("driver.explain", |plugin, store| plugin.typed.bench_plugin_driver().call_explain(store, response))
    }

    /// Decodes a whole body and keeps its events. For bodies that are known to be small; see [`Driver::decode_each`].
    ///
    /// # Errors
    /// As for [`Driver::decode_each`], with the events before the failure.
    pub fn decode(
        &mut self,
        headers: &[ResponseHeader],
        body: &[u8],
        ends: &[u32],
    ) -> Result<Vec<LocatedEvent>, DecodeError> {
        let mut events: Vec<LocatedEvent> = Vec::new();
        let mut keep = |event| {
            events.push(event);
            ControlFlow::Continue(())
        };
        match self.decode_each(headers, body, ends, &mut keep) {
            Ok(()) => Ok(events),
            Err(fault) => Err(DecodeError { events, fault }),
        }
    }

    /// Decodes a body and hands each event to `each`, which may end the decoding: what an answer holds is the server's choice, and
    /// its events can take several times the memory of its body. `ends` has one entry per read: the offset in `body` after its last byte, ascending.
    ///
    /// The events' read indices are checked: they must not decrease and must name a read that was handed over.
    ///
    /// # Errors
    /// What the plugin did wrong. Events before it have been handed over.
    pub fn decode_each(
        &mut self,
        headers: &[ResponseHeader],
        body: &[u8],
        ends: &[u32],
        each: &mut dyn FnMut(LocatedEvent) -> ControlFlow<()>,
    ) -> Result<(), Fault> {
        let decoder = self.cell.call("driver.decoder.constructor", |plugin, store| {
            plugin.typed.bench_plugin_driver().decoder().call_constructor(store, headers)
        })?;
        let mut start = 0usize;
        let mut handed = 0usize;
        let mut previous = 0;
        while handed < ends.len() {
            let (count, end) = batch(&ends[handed..], start, body.len());
            let bytes = &body[start..end];
            let relative: Vec<u32> =
                ends[handed..handed + count].iter().map(|offset| offset.saturating_sub(start as u32)).collect();
            let more = self.cell.ask("driver.decoder.push", |plugin, store| {
                plugin.typed.bench_plugin_driver().decoder().call_push(store, decoder, bytes, &relative)
            })?;
            start = end;
            handed += count;
            self.check_reads(&more, handed, &mut previous)?;
            if more.into_iter().try_for_each(&mut *each).is_break() {
                return self.cell.call("driver.decoder.drop", |_, store| decoder.resource_drop(store));
            }
        }
        let last = self.cell.ask("driver.decoder.finish", |plugin, store| {
            plugin.typed.bench_plugin_driver().decoder().call_finish(store, decoder)
        })?;
        self.check_reads(&last, handed, &mut previous)?;
        // There is nothing after these that could be left out.
        let _ = last.into_iter().try_for_each(each);
        self.cell.call("driver.decoder.drop", |_, store| decoder.resource_drop(store))
    }

    /// A read index is the only link from an event to a time, so one that cannot be true ends the plugin's credit.
    /// `previous` is the read of the event before.
    fn check_reads(&mut self, more: &[LocatedEvent], reads: usize, previous: &mut u32) -> Result<(), Fault> {
        for event in more {
            let lie = if event.read as usize >= reads {
                Some(format!("an event names read {} of {reads}", event.read))
            } else if event.read < *previous {
                Some(format!("an event names read {} after one of read {previous}", event.read))
            } else {
                None
            };
            if let Some(lie) = lie {
                self.cell.drop_instance();
                return Err(self.cell.fault("driver.decoder", FaultKind::Lie(lie), Vec::new()));
            }
            *previous = event.read;
        }
        Ok(())
    }

    /// Begins to count the tokens of a prompt as the backend would see it.
    pub fn begin_count(&mut self, generation: &Generation, target: &Target) -> Result<Count, Fault> {
        let resource = self.cell.call("driver.count.constructor", |plugin, store| {
            plugin.typed.bench_plugin_driver().count().call_constructor(store, generation, target)
        })?;
        Ok(Count { resource, generation: self.cell.generation(), steps: 0 })
    }

    /// The next step of a count, given the answer to the last request. A count that does not end after
    /// [`MOST_COUNT_STEPS`] steps is a fault.
    pub fn step_count(&mut self, count: &mut Count, previous: Option<&HttpResponse>) -> Result<CountStep, Fault> {
        const EXPORT: &str = "driver.count.step";
        if !self.cell.has(count.generation) {
            return Err(self.cell.fault(EXPORT, FaultKind::Gone, Vec::new()));
        }
        let resource = count.resource;
        count.steps += 1;
        if count.steps > MOST_COUNT_STEPS {
            self.cell.drop_instance();
            let lie = FaultKind::Lie(format!("counting one prompt took more than {MOST_COUNT_STEPS} requests"));
            return Err(self.cell.fault(EXPORT, lie, Vec::new()));
        }
        let step = self.cell.ask(EXPORT, |plugin, store| {
            plugin.typed.bench_plugin_driver().count().call_step(store, resource, previous)
        })?;
        if matches!(step, CountStep::Done(_)) {
            self.cell.call("driver.count.drop", |_, store| resource.resource_drop(store))?;
        }
        Ok(step)
    }

    /// What to request to read the backend's counters.
    pub fn telemetry(&mut self) -> Result<Vec<HttpRequest>, Fault> {
        self.cell.call("driver.telemetry", |plugin, store| plugin.typed.bench_plugin_driver().call_telemetry(store))
    }

    /// The counters in the answers to [`Driver::telemetry`].
    pub fn counters(&mut self, answers: &[Option<HttpResponse>]) -> Result<Vec<Counter>, Fault> {
        self.cell
            .call("driver.counters", |plugin, store| plugin.typed.bench_plugin_driver().call_counters(store, answers))
    }
}

/// Requests that one count may take; a template and a tokenizer call are two.
pub const MOST_COUNT_STEPS: u32 = 8;

/// A count in progress. It belongs to the [`Driver`] that began it and dies with that driver's instance.
#[derive(Debug)]
pub struct Count {
    resource: ResourceAny,
    generation: u64,
    steps: u32,
}

/// How many of the reads go into the next call, and where they end. At least one read goes, whatever its size; an end that
/// is not inside the body is cut to it.
fn batch(ends: &[u32], start: usize, body: usize) -> (usize, usize) {
    let limit = start.saturating_add(BATCH);
    let count = ends.iter().take(BATCH_READS).take_while(|end| **end as usize <= limit).count().max(1);
    let end = ends.get(count - 1).map_or(body, |end| *end as usize).clamp(start, body.max(start));
    (count, end)
}

pub(crate) fn describe_error(fault: Fault) -> LoadError {
    LoadError::Describe(fault)
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("info", &self.info).finish_non_exhaustive()
    }
}
