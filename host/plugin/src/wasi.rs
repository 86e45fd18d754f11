//! The empty world that components from Python and JavaScript toolchains are linked against.
//!
//! Their runtimes import WASI whether the plugin uses it or not. Each import is satisfied by a world with no files, no
//! environment, no arguments and no network, whose clocks stand still and whose randomness is a fixed sequence. Waiting is
//! refused instead of answered: under a frozen clock it would never end.

use std::time::Duration;

use wasmtime::Result;
use wasmtime::component::Linker;
use wasmtime_wasi::random::Deterministic;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx};

use crate::cell::State;
use crate::error::TriedToWait;

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
    linker.allow_shadowing(false);
    Ok(())
}

/// The polling interface in the version that wasmtime-wasi links; components that import an earlier 0.2 version resolve to
/// it as well.
const POLL: &str = "wasi:io/poll@0.2.12";
