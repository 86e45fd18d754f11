//! The real binary, from the command line to the files that it leaves, against simulated engines and servers that misbehave.
//!
//! Every test has a home folder of its own and talks to the loopback only. Nothing is asserted about how long anything
//! took: the engines keep exact schedules, the machine that runs the tests does not.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod answers;
mod calibration;
mod cli;
mod evals;
mod faults;
mod files;
#[cfg(unix)]
mod foreign;
mod grants;
mod imports;
mod input;
mod interrupts;
mod loads;
mod models;
mod objectives;
mod oci;
#[path = "../../host/oci/tests/oci/registry.rs"]
mod oci_registry;
mod outputs;
mod reach;
mod recompute;
mod registries;
mod replays;
mod samples;
mod secrets;
mod services;
mod sides;
mod stamps;
mod support;
mod tasks;
mod workloads;
