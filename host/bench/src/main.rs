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
    match commands::dispatch(cli.command) {
        Ok(code) => code.into(),
        Err(failure) => {
            output::failure(&failure);
            failure.exit.into()
        }
    }
}
