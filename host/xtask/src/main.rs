//! Project automation, run as `cargo xtask`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a build tool talks to its terminal")]

mod bundle;
mod code_exec;
mod figures;
mod guests;
mod registry;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(about = "Project automation")]
enum Command {
    /// Builds every component and refreshes `registry/` and the test guests.
    Plugins {
        /// Changes nothing: builds, compares with what is committed, and fails on a difference. Digests are compared only
        /// under the compiler that built the committed components.
        #[arg(long)]
        check: bool,
    },
    /// Signs `registry/` again: publishes what the binary carries, and extends what expires.
    Registry {
        /// The folder with the release keys
        #[arg(long)]
        keys: std::path::PathBuf,
    },
    /// Measures what the project claims of itself, and judges each claim.
    Figures(figures::FiguresArgs),
    /// Keeps a core busy for `figures`.
    #[command(hide = true)]
    Spin {
        /// Seconds at most.
        seconds: u64,
    },
    /// Sees for `figures` how much of a core's time is taken by others.
    #[command(hide = true)]
    Watch {
        /// How long.
        millis: u64,
    },
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Plugins { check } => bundle::run(check).map(|()| true),
        Command::Registry { keys } => registry::run(&keys).map(|()| true),
        Command::Figures(args) => figures::run(&args),
        Command::Spin { seconds } => {
            figures::spin(seconds);
            Ok(true)
        }
        Command::Watch { millis } => {
            println!("{}", serde_json::json!(figures::watch(millis)));
            Ok(true)
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{what}: {error}")]
    Io { what: String, error: std::io::Error },
    #[error("cargo metadata: {0}")]
    Metadata(#[from] cargo_metadata::Error),
    #[error("{error}{}", .error.hint().map_or_else(String::new, |hint| format!("\n\nhint: {hint}")))]
    Forge {
        #[from]
        error: bench_forge::ForgeError,
    },
    #[error("`{0}` failed")]
    Failed(String),
    #[error("`{command}` {problem}")]
    Child { command: String, problem: String },
    #[error("code-exec: {0}")]
    CodeExec(String),
    #[error("{0} is not readable: {1}")]
    Manifest(String, serde_json::Error),
    #[error("the committed components are stale:\n{}\n\nhint: run `cargo xtask plugins` and commit the result", .0.join("\n"))]
    Stale(Vec<String>),
}

/// Adds the path to an I/O error.
fn at(path: &std::path::Path) -> impl Fn(std::io::Error) -> Error {
    let what = path.display().to_string();
    move |error| Error::Io { what: what.clone(), error }
}
