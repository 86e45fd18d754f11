//! What the tests share: the binary, an engine to point it at, and what it left behind.

mod bench;
mod component;
mod record;
mod server;
mod suite;
mod tap;
#[cfg(unix)]
mod terminal;

use std::net::{Ipv4Addr, SocketAddr};

use bench_sim::{FaultKind, Sim, SimConfig, SimHandle};
use sha2::{Digest as _, Sha256};

pub use bench::{Bench, Ran};
pub use component::changed;
pub use record::{check_schema, measured, phase, phases, problem_code, requests, sent, workload};
pub use server::{Answer, Asked, Server};
pub use suite::suite_of;
pub use tap::Tap;
#[cfg(unix)]
pub use terminal::{Screen, run_on_terminal};

/// An address where nothing listens: port 1 is nobody's.
pub const NOBODY: &str = "http://127.0.0.1:1";

/// A configuration that wastes no time, with answers long enough for every workload's quick form.
pub fn quick() -> SimConfig {
    SimConfig { ttft_us: 5_000, prefill_ns_per_token: 2_000, gap_us: 1_000, ..SimConfig::default() }
}

/// SHA-256 in hex.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A simulated engine.
#[track_caller]
pub fn engine(config: SimConfig) -> SimHandle {
    Sim::start(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap()
}

/// A simulated engine whose first request, which a run makes before it measures, goes well, and every later one does not.
#[track_caller]
pub fn engine_that_breaks(kind: FaultKind) -> SimHandle {
    engine(SimConfig { faults: vec![bench_sim::Fault { when: bench_sim::When::From(2), kind }], ..quick() })
}

/// What an engine has done, once it is idle.
pub fn settled(engine: &SimHandle) -> bench_sim::Counters {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(engine.settled())
}
