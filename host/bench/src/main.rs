//! The `bench` program: parses what the user typed, calls one crate, prints. Each subcommand is a file in `commands/`.
//!
//! Data goes to standard output, everything else to standard error, so that output can be piped.

mod cli;
mod commands;
mod distribution;
mod downloads;
mod exit;
mod failure;
mod folders;
mod live;
mod locks;
mod numbers;
mod output;
mod plot;
mod results;
mod wishes;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // This program also compiles components, in children of itself, which know nothing of its command line.
    if let Some(code) = bench_plugin::compile_worker() {
        return code;
    }
    let cli = cli::Cli::parse();
    let allowed = cli.max_memory.map(|mib| mib << 20);
    if let Some(bytes) = allowed.or_else(|| bench_machine::memory::room().map(bench_json::memory_share)) {
        bench_json::set_memory(bytes);
    }
    match commands::dispatch(cli.command) {
        Ok(code) => code.into(),
        Err(failure) => {
            output::failure(&failure);
            failure.exit.into()
        }
    }
}
