//! `cargo xtask figures`: measures again what this project claims of itself, and judges each claim.
//!
//! The simulated engine has one core to itself, the client another. Every scenario runs several times and the best round
//! counts, because whatever else the machine does can only make a client look worse; all rounds are in the JSON.

mod benches;
mod judge;
mod machine;
mod peers;
mod process;
mod report;
mod scenario;
mod table;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args;

use crate::Error;
use judge::{Figure, Measured};
use machine::Cores;
use report::Report;
use scenario::Bench;

/// Longest time that building may take.
const BUILD: Duration = Duration::from_secs(3600);

/// Rounds after which decoding is measured again: it takes a minute.
const DECODING_EVERY: u32 = 3;

/// What to measure.
#[derive(Debug, Args)]
pub struct FiguresArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Also hold 1,000 streams for ten minutes and watch the client's memory
    #[arg(long)]
    long: bool,
    /// Rounds of every scenario, the best of which counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// Seconds that the streams of a round last
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Only the parts with these names: quiet, few, busy, open, decode, capacity, peers, streams, memory
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    only: Vec<Part>,
    /// A `bench` that is already built, instead of `cargo build --release`
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// A part that can be asked for by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// 1,000 streams on an idle core, with stamps of the kernel and of user space.
    Quiet,
    /// 10 streams.
    Few,
    /// 1,000 streams with a busy loop on the client's core.
    Busy,
    /// 2,000 requests a second, whatever becomes of them.
    Open,
    /// What a token costs with decoding in the sandbox and without one.
    Decode,
    /// Most events and requests per second.
    Capacity,
    /// 1,000 and 100 streams beside another client's figures.
    Peers,
    /// Memory of an open stream, and of an answer that is over.
    Streams,
    /// Ten minutes of 1,000 streams; needs `--long` where not named.
    Memory,
}

/// Measures and judges. False when a claim does not hold or could not be measured.
pub fn run(args: &FiguresArgs) -> Result<bool, Error> {
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().exec()?;
    let target = metadata.target_directory.as_std_path();
    let binary = match &args.binary {
        Some(binary) => binary.clone(),
        None => build(metadata.workspace_root.as_std_path(), target)?,
    };
    let cores = Cores::find();
    let before = machine::state(&cores);
    if !args.json {
        table::heading(&cores, &before);
    }
    let bench = Bench { binary, folder: target.join("figures"), cores, seconds: args.seconds };
    std::fs::create_dir_all(&bench.folder).map_err(crate::at(&bench.folder))?;
    let wanted = |part: Part| match args.only.as_slice() {
        [] => part != Part::Memory || args.long,
        only => only.contains(&part),
    };
    let mut measured = Measured::default();
    let workspace = metadata.workspace_root.as_std_path();
    scenarios(&bench, args.rounds, &wanted, &mut measured, workspace);
    measure(&bench, &wanted, &mut measured, workspace);
    let figures: Vec<Figure> = judge::judge(&measured).into_iter().filter(|figure| wanted(figure.part)).collect();
    let compared = if wanted(Part::Peers) { peers::compare(&measured) } else { Vec::new() };
    let met = figures.iter().all(Figure::holds) && compared.iter().all(peers::Row::holds);
    let after = machine::state(&bench.cores);
    if args.json {
        table::json(&bench.cores, [&before, &after], &figures, &compared, &measured);
    } else {
        table::print(&figures, &compared, &measured);
        table::ending(&before, &after);
    }
    Ok(met)
}

/// A round of every scenario that is wanted, then the next round of each: a machine that is not as fast in one minute as in the next is
/// so for all of them. A scenario beside a busy loop follows its quiet twin. What one cannot do is noted and the others go on.
fn scenarios(bench: &Bench, rounds: u32, wanted: &dyn Fn(Part) -> bool, measured: &mut Measured, workspace: &Path) {
    type Round<'b> = &'b dyn Fn() -> Result<Report, Error>;
    let all: [(&str, &[Part], Round<'_>); 10] = [
        ("loaded-kernel", &[Part::Quiet, Part::Peers], &|| bench.streams(1000, "kernel")),
        ("loaded-user", &[Part::Quiet, Part::Peers], &|| bench.streams(1000, "user")),
        ("few-kernel", &[Part::Few], &|| bench.streams(10, "kernel")),
        ("few-user", &[Part::Few], &|| bench.streams(10, "user")),
        ("few-polled", &[Part::Few], &|| bench.polled_streams(10)),
        ("quiet-kernel", &[Part::Busy], &|| bench.streams(1000, "kernel")),
        ("busy-kernel", &[Part::Busy], &|| bench.beside_a_busy_loop(1000, "kernel")),
        ("open", &[Part::Open], &|| bench.open_loop(2000)),
        ("hundred-kernel", &[Part::Peers], &|| bench.streams(100, "kernel")),
        ("hundred-user", &[Part::Peers], &|| bench.streams(100, "user")),
    ];
    for number in 1..=rounds {
        table::progress(number, rounds);
        for (name, parts, round) in &all {
            if parts.iter().any(|part| wanted(*part)) && !measured.has_failed(name) {
                measured.take(name, round());
            }
        }
        let decodes = wanted(Part::Decode) || wanted(Part::Peers);
        if decodes && (number == rounds || number % DECODING_EVERY == 1) && !measured.has_failed("decode") {
            measured.take_overall(benches::overall(workspace));
        }
    }
}

/// Runs every other part that is wanted. What one part cannot do is noted and the others go on.
fn measure(bench: &Bench, wanted: &dyn Fn(Part) -> bool, measured: &mut Measured, workspace: &Path) {
    if wanted(Part::Capacity) {
        measured.take_capacity(benches::capacity(workspace));
    }
    if wanted(Part::Streams) {
        measured.take_per_stream(bench.memory_of_a_stream());
        measured.take_per_answer(bench.memory_of_an_answer());
    }
    if wanted(Part::Memory) {
        measured.take_memory(bench.memory(1000, 600));
    }
}

fn build(workspace: &Path, target: &Path) -> Result<PathBuf, Error> {
    let mut command = Command::new(cargo());
    command.current_dir(workspace).args(["build", "--release", "--locked"]);
    process::output(command, BUILD)?;
    Ok(target.join("release").join(format!("bench{}", std::env::consts::EXE_SUFFIX)))
}

fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

pub use process::{spin, watch};
