//! The empty world that components from Python and JavaScript toolchains are linked against.
//!
//! Their runtimes import WASI whether the plugin uses it or not. Each import is satisfied by a world with no files, no
//! environment, no arguments and no network, whose clocks stand still and whose randomness is a fixed sequence. Waiting is
//! refused instead of answered: under a frozen clock it would never end.
//!
//! Each call costs a scorer fuel, since nothing in it is counted, and hands over or takes a bounded number of bytes.

use std::time::Duration;

use wasmtime::Result;
use wasmtime::component::Linker;
use wasmtime_wasi::p2::bindings::random::{insecure, random};
use wasmtime_wasi::random::{Deterministic, WasiRandomCtx};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiView as _};

use crate::cell::State;
use crate::error::TriedToWait;

/// Bytes that one call takes from a guest or gives to it, at most: 64 KiB. It is also what a stream says that it takes at
/// a time, so no honest runtime wants to write more.
pub(crate) const MOST_BYTES: usize = 64 << 10;

/// Units of fuel that a call costs: one for 16 bytes of the most that it may move.
pub(crate) const PRICE: u64 = (MOST_BYTES / 16) as u64;

struct FrozenClock;

impl HostWallClock for FrozenClock {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl HostMonotonicClock for FrozenClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        0
    }
}

/// A fixed byte sequence for every random import: the same run gives the same bytes on every machine. The multiplier and
/// increment are Knuth's MMIX linear congruential generator; nothing here needs unpredictability.
fn fixed_bytes() -> Deterministic {
    let mut state: u64 = 0x6265_6e63_6800_0001;
    let bytes = (0..4096)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect();
    Deterministic::new(bytes)
}

/// The context of one instance.
pub(crate) fn empty_context() -> WasiCtx {
    WasiCtx::builder()
        .wall_clock(FrozenClock)
        .monotonic_clock(FrozenClock)
        .secure_random(fixed_bytes())
        .insecure_random(fixed_bytes())
        .insecure_random_seed(0)
        .max_random_size(MOST_BYTES as u64)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .build()
}

/// Links all of WASI 0.2 to the empty world.
pub(crate) fn link(linker: &mut Linker<State>) -> Result<()> {
    wasmtime_wasi::p2::add_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    let mut poll = linker.instance(POLL)?;
    for function in ["poll", "[method]pollable.block"] {
        poll.func_new(function, |_, _, _, _| Err(TriedToWait.into()))?;
    }
    // Making up bytes takes the host far longer than moving them, so each costs units of its own beside the call.
    linker.instance(RANDOM)?.func_wrap("get-random-bytes", |mut store, (length,): (u64,)| {
        Ok((random::Host::get_random_bytes(charged(store.data_mut(), length), length)?,))
    })?;
    linker.instance(INSECURE)?.func_wrap("get-insecure-random-bytes", |mut store, (length,): (u64,)| {
        Ok((insecure::Host::get_insecure_random_bytes(charged(store.data_mut(), length), length)?,))
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Units of fuel that a random byte costs. The generator makes a byte in some nanoseconds, in which code spends about as many
/// units.
const RANDOM_BYTE: u64 = 16;

/// The source of random bytes, where so many have been paid for.
fn charged(state: &mut State, bytes: u64) -> &mut WasiRandomCtx {
    state.charge(bytes.saturating_mul(RANDOM_BYTE));
    state.ctx().ctx.random()
}

/// The interfaces of random bytes, as below.
const RANDOM: &str = "wasi:random/random@0.2.12";
const INSECURE: &str = "wasi:random/insecure@0.2.12";

/// The polling interface in the version that wasmtime-wasi links; components that import an earlier 0.2 version resolve to
/// it as well.
const POLL: &str = "wasi:io/poll@0.2.12";
