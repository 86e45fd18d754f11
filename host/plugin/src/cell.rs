//! One instance of a plugin, and what happens when a call into it goes wrong.
//!
//! The instance lives in a store of its own. Any failure of the host's making or the guest's drops the store, so that a
//! half-finished guest is never called again; the next call starts a fresh instance.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Instance, InstancePre, ResourceTable, TypedFunc};
use wasmtime::{Store, Trap, WasmBacktrace};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::engine::Profile;
use crate::error::{Fault, FaultKind, MemoryExceeded, OutOfTime, TriedToWait};
use crate::guard::{self, Guard};
use crate::limits::{Limiter, Limits};
use crate::plugin::Plugin;
use crate::room::with_room;
use crate::ticker::Ticker;
use crate::types::Problem;
use crate::wasi;

/// What a store carries: the limiter, an empty WASI for the components that import one, and what ends a scorer's call.
pub(crate) struct State {
    limiter: Limiter,
    /// Made by the first call of a WASI import; most components have none.
    wasi: Option<WasiCtx>,
    table: ResourceTable,
    guard: Guard,
}

impl State {
    /// Adds to what the guest used that the host does for it.
    pub(crate) fn charge(&mut self, fuel: u64) {
        self.guard.charge(fuel);
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        // Each call of a WASI function asks for its context once.
        self.guard.charge(wasi::PRICE);
        WasiCtxView { ctx: self.wasi.get_or_insert_with(wasi::empty_context), table: &mut self.table }
    }
}

/// One of the functions of [`bench_meter::export`]: sets a counter, which rises towards 0, and returns what it was.
type Exchange = TypedFunc<(i64,), (i64,)>;

/// An instance that can be called.
struct Live<B> {
    store: Store<State>,
    bindings: B,
    /// One for each counter; none under [`Profile::Codec`].
    counters: Vec<Exchange>,
}

impl<B> Live<B> {
    /// Sets what the next call may use.
    fn arm(&mut self, fuel: u64, deadline: Duration) -> wasmtime::Result<()> {
        if self.counters.is_empty() {
            self.store.set_epoch_deadline(Ticker::ticks(deadline));
        }
        self.store.data_mut().guard.arm(fuel, deadline);
        for exchange in &self.counters {
            exchange.call(&mut self.store, (0i64.saturating_sub_unsigned(fuel),))?;
        }
        Ok(())
    }

    /// What the last call used of so much fuel; 0 where none is counted. Until it is armed again, the instance can do nothing.
    ///
    /// Components inside a component have counters of their own, and each may bring its own to the end; together with what the
    /// host did for them they may not use more either.
    fn used(&mut self, fuel: u64) -> wasmtime::Result<u64> {
        if self.counters.is_empty() {
            return Ok(0);
        }
        let mut used = self.store.data().guard.charged();
        for exchange in &self.counters {
            let (counter,) = exchange.call(&mut self.store, (0,))?;
            used = used.saturating_add(fuel.saturating_add_signed(counter));
        }
        if used > fuel {
            return Err(Trap::OutOfFuel.into());
        }
        Ok(used)
    }
}

/// The functions over an instance's counters.
fn counters(store: &mut Store<State>, instance: &Instance) -> wasmtime::Result<Vec<Exchange>> {
    let mut counters = vec![instance.get_typed_func(&mut *store, bench_meter::export(0))?];
    while let Some(more) = instance.get_func(&mut *store, bench_meter::export(counters.len() as u32)) {
        counters.push(more.typed(&*store)?);
    }
    Ok(counters)
}

/// An instance together with the typed bindings `B` made over it.
pub(crate) struct Cell<B> {
    pre: InstancePre<State>,
    bind: fn(&mut Store<State>, &Instance) -> wasmtime::Result<B>,
    live: Option<Live<B>>,
    /// Counts instances, so that a resource handle of a dropped one is recognised.
    generation: u64,
    limits: Limits,
    /// Linear memory of the instance after its last call, in bytes.
    memory: usize,
    profile: Profile,
    ticker: Arc<Ticker>,
    /// Name and version for faults; the digest's beginning until the plugin has described itself.
    pub(crate) name: String,
    digest: String,
}

impl<B: Send> Cell<B> {
    pub(crate) fn new(plugin: &Plugin, bind: fn(&mut Store<State>, &Instance) -> wasmtime::Result<B>) -> Cell<B> {
        Cell::within(plugin, plugin.limits, bind)
    }

    /// Like [`Cell::new`], under limits other than the plugin's.
    pub(crate) fn within(
        plugin: &Plugin,
        limits: Limits,
        bind: fn(&mut Store<State>, &Instance) -> wasmtime::Result<B>,
    ) -> Cell<B> {
        Cell {
            pre: plugin.pre.clone(),
            bind,
            live: None,
            generation: 0,
            limits,
            memory: 0,
            profile: plugin.profile,
            ticker: plugin.ticker.clone(),
            name: plugin.digest.chars().take(12).collect(),
            digest: plugin.digest.clone(),
        }
    }

    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    /// Which instance is live; a resource made now belongs to it.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Is the instance of this generation still there?
    pub(crate) fn has(&self, generation: u64) -> bool {
        self.live.is_some() && self.generation == generation
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Linear memory of the instance that the last call ran on, all memories together, in bytes; also of one that is gone.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }

    /// How long a call may take that may use so much fuel.
    fn deadline(&self, fuel: u64) -> Duration {
        match self.profile {
            Profile::Codec => self.limits.deadline,
            Profile::Scorer if fuel <= self.limits.fuel => self.limits.scorer_deadline,
            Profile::Scorer => self.limits.program_deadline,
        }
    }

    fn instantiate(&mut self) -> wasmtime::Result<Live<B>> {
        let mut guard = Guard::new(&self.ticker, self.limits.copied);
        let fuel = self.limits.fuel.min(bench_meter::TO_START.unsigned_abs());
        guard.arm(fuel, self.deadline(fuel));
        let state = State { limiter: Limiter::new(self.limits), wasi: None, table: ResourceTable::new(), guard };
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(self.limits.copied);
        store.call_hook(|mut store, transition| guard::pass(&mut store, transition, |state| &mut state.guard));
        if self.profile == Profile::Codec {
            store.set_epoch_deadline(Ticker::ticks(self.limits.deadline));
        }
        let instance = self.pre.instantiate(&mut store)?;
        let bindings = (self.bind)(&mut store, &instance)?;
        let counters = match self.profile {
            Profile::Codec => Vec::new(),
            Profile::Scorer => counters(&mut store, &instance)?,
        };
        self.generation += 1;
        Ok(Live { store, bindings, counters })
    }

    /// Runs one call. `export` names it in the fault.
    pub(crate) fn call<R: Send>(
        &mut self,
        export: &'static str,
        call: impl FnOnce(&B, &mut Store<State>) -> wasmtime::Result<R> + Send,
    ) -> Result<R, Fault> {
        self.metered(export, self.limits.fuel, call).map(|(value, _)| value)
    }

    /// Like [`Cell::call`] with a bound of the call's own on the fuel, and with the fuel that it used; 0 where the engine counts
    /// none. What making an instance takes is not part of it.
    pub(crate) fn metered<R: Send>(
        &mut self,
        export: &'static str,
        fuel: u64,
        call: impl FnOnce(&B, &mut Store<State>) -> wasmtime::Result<R> + Send,
    ) -> Result<(R, u64), Fault> {
        match self.profile {
            Profile::Codec => self.metered_here(export, fuel, call),
            Profile::Scorer => with_room(|| self.metered_here(export, fuel, call)),
        }
    }

    fn metered_here<R>(
        &mut self,
        export: &'static str,
        fuel: u64,
        call: impl FnOnce(&B, &mut Store<State>) -> wasmtime::Result<R>,
    ) -> Result<(R, u64), Fault> {
        let _running = self.ticker.enter();
        let live = match self.live.take() {
            Some(live) => Ok(live),
            None => self.instantiate(),
        };
        let result = live.and_then(|mut live| {
            live.arm(fuel, self.deadline(fuel))?;
            let value = call(&live.bindings, &mut live.store);
            self.memory = live.store.data().limiter.memory();
            let value = value?;
            let used = live.used(fuel)?;
            self.live = Some(live);
            Ok((value, used))
        });
        result.map_err(|error| self.fault(export, classify(&error), frames(&error)))
    }

    /// Like [`Cell::call`] for an export that can answer with a problem. A problem is the guest's considered answer, so the
    /// instance lives on.
    pub(crate) fn ask<R: Send>(
        &mut self,
        export: &'static str,
        call: impl FnOnce(&B, &mut Store<State>) -> wasmtime::Result<Result<R, Problem>> + Send,
    ) -> Result<R, Fault> {
        let answer = self.call(export, call)?;
        answer.map_err(|problem| self.fault(export, FaultKind::Problem(problem), Vec::new()))
    }

    pub(crate) fn fault(&self, export: &'static str, kind: FaultKind, frames: Vec<String>) -> Fault {
        Fault { plugin: self.name.clone(), digest: self.digest.clone(), export, kind, frames }
    }

    /// Ends the instance, for what it returned or for a clean start; the next call makes another.
    pub(crate) fn drop_instance(&mut self) {
        self.live = None;
    }
}

fn classify(error: &wasmtime::Error) -> FaultKind {
    if let Some(exceeded) = error.downcast_ref::<MemoryExceeded>() {
        return FaultKind::Memory { wanted: exceeded.wanted, allowed: exceeded.allowed };
    }
    if error.downcast_ref::<TriedToWait>().is_some() {
        return FaultKind::Waited;
    }
    if error.downcast_ref::<OutOfTime>().is_some() {
        return FaultKind::Deadline;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => FaultKind::Stack,
        Some(Trap::Interrupt) => FaultKind::Deadline,
        // How a metered component ends that has used up what it may.
        Some(Trap::BadConversionToInteger | Trap::OutOfFuel) => FaultKind::Fuel,
        Some(trap) => FaultKind::Trap(trap.to_string()),
        None if lacks_memory(error) => FaultKind::Machine(error.root_cause().to_string()),
        // Without a trap the failure is in what crossed the boundary.
        None => FaultKind::BadValue(error.root_cause().to_string()),
    }
}

/// Whether the system did not give the memory that an instance reserves, 4 GiB of address space for each of its memories.
fn lacks_memory(error: &wasmtime::Error) -> bool {
    let refused = std::io::Error::from_raw_os_error(OUT_OF_MEMORY).to_string();
    error.root_cause().to_string() == refused
}

/// `ENOMEM`, which has this number on every Unix.
const OUT_OF_MEMORY: i32 = 12;

fn frames(error: &wasmtime::Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    backtrace.frames().iter().filter_map(|frame| frame.func_name().map(str::to_owned)).take(8).collect()
}
