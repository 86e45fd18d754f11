//! A simulated OpenAI-compatible engine with an exact emission schedule.
//!
//! It stands in for an engine in tests, in a first run on a machine without one, and in calibration: every event says when
//! it was due and when its write began, on a clock that other processes of the machine share, so the difference to a
//! client's receive stamp is that client's error.
//!
//! A request goes `http` (bytes in) → `protocol` (what is asked) → `cache` → `schedule` (what is due when; pure) →
//! `render` (bytes of each write; pure) → `pacer` (writes, at absolute times). Answers of the other
//! addresses are made by `routes`.
//!
//! Every event's JSON carries `"bench_sim": {"seq": k, "due_ns": .., "emitted_ns": ..}`: its place in the stream and two
//! times in nanoseconds of [`now_ns`]'s clock. The same object is in the body of an answer that is not streamed.

mod alarm;
mod answer;
mod cache;
mod config;
mod counters;
mod error;
mod faults;
mod generate;
mod http;
mod pacer;
mod protocol;
mod render;
mod routes;
pub mod schedule;
mod server;
mod stamp;
pub mod tokenizer;

pub use config::{
    Canned, Framing, Head, Jitter, LineEnds, Pace, PrefixCache, ReasoningField, RoleChunk, SimConfig, UsageMode,
};
pub use counters::Counters;
pub use error::SimError;
pub use faults::{Fault, FaultKind, When};
pub use server::{Sim, SimHandle};
pub use stamp::now_ns;
