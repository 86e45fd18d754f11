//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::distribution::{
    AddArgs, AskArgs, GrantsCommand, ItemArgs, PushArgs, RegistryCommand, SelfUpdateArgs, UpdateArgs,
};
use crate::exit::Exit;

mod import;
mod route;

pub use import::{CallsForm, Common, ImportCommand};
pub use route::RouteArgs;

/// Benchmark and evaluation host for language-model servers.
#[derive(Debug, Parser)]
#[command(name = "bench", version, about, long_about = None, after_help = Exit::help(), max_term_width = 110)]
pub struct Cli {
    /// Memory that the values of one input file may take, in MiB [default: an eighth of what is free, 192 to 1024]
    #[arg(long, global = true, value_name = "MIB", env = "BENCH_MAX_MEMORY",
        value_parser = clap::value_parser!(u64).range(16..=1 << 24), hide_short_help = true)]
    pub max_memory: Option<u64>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a suite against an engine and store the record
    Run(Box<RunArgs>),
    /// Show the machine and the engines that answer
    Detect(DetectArgs),
    /// List the models that the engines serve
    #[command(visible_alias = "list-models")]
    Models(DetectArgs),
    /// List the stored runs
    Runs(JsonArgs),
    /// Show a stored run
    Show(ShowArgs),
    /// Write a stored run as a page for a browser
    Report(ReportArgs),
    /// Grade a log of samples, from this program or another tool, without asking a model
    Score(ScoreArgs),
    /// Grade the eval tasks of a stored run again, and show what changed
    Rescore(RescoreArgs),
    /// Compare stored runs side by side
    Compare(CompareArgs),
    /// Install plugins, look at them, write them
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Install suites and look at them
    #[command(subcommand)]
    Suite(SuiteCommand),
    /// Bring what is installed up to date, and the program itself
    SelfUpdate(SelfUpdateArgs),
    /// Make, fill and look after a registry of plugins and suites
    #[command(subcommand)]
    Registry(Box<RegistryCommand>),
    /// Measure the client's own error against the simulated engine
    Calibrate(CalibrateArgs),
    /// Serve the simulated engine
    Sim(SimArgs),
    /// Print the completions for a shell
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// `bench run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Driver: a name, or the path of a component [default: the one that recognises the engine]
    #[arg(long, value_name = "NAME|FILE")]
    pub plugin: Option<String>,
    /// Base address of the engine [default: the driver's usual ones]
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Model to ask for, or with --launch the weights to serve [default: the first that the engine serves]
    #[arg(long, value_name = "REF")]
    pub model: Option<String>,
    /// Suite: a name, or a folder with a suite.toml [default: suite-v1]
    #[arg(long, value_name = "NAME|DIR")]
    pub suite: Option<String>,
    /// Workloads to run, by label or name [default: all]
    #[arg(long, value_name = "W1,W2", value_delimiter = ',')]
    pub workload: Vec<String>,
    /// A short run: fewer repeats and shorter prompts, and not publishable
    #[arg(long)]
    pub quick: bool,
    /// Repeats of every phase, and of every item of a task [default: the suite's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeats: Option<u32>,
    /// Parameter of the driver (KEY=VALUE) or of a workload (W3.KEY=VALUE); may be given several times
    #[arg(long = "param", value_name = "K=V")]
    pub params: Vec<String>,
    /// Write the record to this file as well; `-` is standard output
    #[arg(long, value_name = "PATH")]
    pub json: Option<PathBuf>,
    /// Start the engine, and stop it afterwards
    #[arg(long)]
    pub launch: bool,
    /// How the server is reached.
    #[command(flatten)]
    pub route: RouteArgs,
    /// Seed of the prompts [default: random]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How requests follow one another, in place of the workloads' own shapes, such as poisson:10/s; `--load help` lists all
    #[arg(long, value_name = "SHAPE")]
    pub load: Option<String>,
    /// How long that load lasts, such as 30s or 5m [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = crate::numbers::duration, requires = "load")]
    pub duration: Option<std::time::Duration>,
    /// How many requests it has
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=2_000_000), requires = "load")]
    pub requests: Option<u32>,
    /// Most requests in flight at once under an open load; the others wait, and the result says how many [default: as many as
    /// the process may have connections]
    #[arg(long, value_name = "N")]
    pub max_in_flight: Option<std::num::NonZeroU32>,
    /// What a request has to keep within to count as good, such as ttft=200ms,itl=30ms
    #[arg(long, value_name = "LIMITS")]
    pub slo: Option<bench_metrics::Slo>,
    /// Whose stamps of reads to take
    #[arg(long, value_enum, default_value = "kernel")]
    pub stamps: Stamps,
    /// Most threads that send and receive; a small load takes fewer [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// Keep a processor per thread busy rather than let it sleep between events: nearer stamps where the kernel takes none, such as
    /// under TLS; not for an engine on the same machine
    #[arg(long)]
    pub busy_poll: bool,
    /// Ask several models, each with its share, such as base=3,adapter=1
    #[arg(long, value_name = "NAME=SHARE,..", value_delimiter = ',', value_parser = crate::numbers::share)]
    pub mix: Vec<(String, f64)>,
    /// Look at the engine's own metrics every so often while it is measured; 0s for never
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = crate::numbers::duration)]
    pub watch: std::time::Duration,
    /// Measure two engines in turns and compare them
    #[arg(long, value_name = "URL,URL", value_delimiter = ',', conflicts_with_all = ["endpoint", "launch"])]
    pub ab: Vec<String>,
    /// The options of eval tasks.
    #[command(flatten)]
    pub evals: EvalArgs,
    /// Allow the lock file in the suite's folder, which replaces the user's, as `bench suite trust` does
    #[arg(long)]
    pub trust_lock: bool,
    /// Keep the record on this machine. Nothing is uploaded in this version in any case
    #[arg(long)]
    pub no_upload: bool,
}

/// What `bench run` does of eval tasks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Eval tasks")]
pub struct EvalArgs {
    /// Tasks to run, by name; without --workload no workloads then [default: all, after the workloads]
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    pub task: Vec<String>,
    /// Leave the workloads out
    #[arg(long, conflicts_with = "no_evals")]
    pub only_evals: bool,
    /// Leave the tasks out
    #[arg(long, conflicts_with = "task")]
    pub no_evals: bool,
    /// Ask about the first items of each task only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Most requests at once; lowered and raised again as the engine asks for it [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub concurrency: Option<u32>,
    /// Let the engine answer from its prefix cache: faster, but what is in there depends on what was asked before, and with some
    /// engines so do answers
    #[arg(long)]
    pub reuse_prefixes: bool,
    /// Stop asking when so many US dollars are spent, by the price list
    #[arg(long, value_name = "USD", value_parser = crate::numbers::dollars)]
    pub max_cost: Option<f64>,
    /// Stop asking after this time
    #[arg(long, value_name = "TIME", value_parser = crate::numbers::duration)]
    pub max_time: Option<std::time::Duration>,
    /// Address of the model that grades where a scorer wants an opinion, and that plays the user of conversations
    #[arg(long, value_name = "URL")]
    pub judge: Option<String>,
    /// Its name there [default: the first that is served]
    #[arg(long, value_name = "NAME", requires = "judge")]
    pub judge_model: Option<String>,
    /// Its driver [default: the one that recognises it]
    #[arg(long, value_name = "NAME|FILE", requires = "judge")]
    pub judge_plugin: Option<String>,
    /// A component that grades in place of the scorer of the same name; may be given several times
    #[arg(long = "scorer", value_name = "FILE")]
    pub scorers: Vec<String>,
    /// Go on with a run that was stopped, killed or ended by a limit: its id, the beginning of it, or `latest`
    #[arg(long, value_name = "RUN", conflicts_with_all = ["ab", "seed", "quick", "task", "limit", "repeats"])]
    pub resume: Option<String>,
}

/// `bench detect` and `bench models`.
#[derive(Debug, Args)]
pub struct DetectArgs {
    /// Look at this address only
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Commands that only print.
#[derive(Debug, Args)]
pub struct JsonArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A format to print in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables for people.
    Table,
    /// JSON.
    Json,
    /// Comma-separated values.
    Csv,
    /// Markdown tables.
    Markdown,
    /// The result file of `vllm bench serve`.
    Vllm,
    /// The samples as lm-eval logs them.
    LmEval,
    /// The samples as inspect logs them.
    Inspect,
    /// The samples as a Parquet file.
    Parquet,
    /// The scores and samples as the LocalMaxxing leaderboard takes them.
    Localmaxxing,
}

/// `bench show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Id, its beginning, `latest`, or the path of a run.json
    #[arg(default_value = "latest")]
    pub run: String,
    /// Restate it by the definitions of another tool, such as vllm or aiperf
    #[arg(long = "as", value_name = "TOOL", conflicts_with = "format")]
    pub peer: Option<String>,
    /// Print the record as JSON
    #[arg(long)]
    pub json: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "table", conflicts_with = "json")]
    pub format: Format,
    /// The samples of its eval tasks
    #[arg(long, conflicts_with = "peer")]
    pub samples: bool,
    /// Those samples that went wrong, and how
    #[arg(long, conflicts_with = "peer")]
    pub failures: bool,
    /// Write samples to this file, or for lm-eval and inspect to this folder
    #[arg(long, value_name = "PATH", conflicts_with = "peer")]
    pub out: Option<PathBuf>,
}

/// `bench score`.
#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// A log or a folder of logs: this program's samples/*.jsonl, lm-eval's samples_*.jsonl or results_*.json, inspect's .eval or .json
    pub log: PathBuf,
    /// Scorer: a name, NAME@VERSION, or the path of a component
    #[arg(long, value_name = "NAME|FILE")]
    pub scorer: String,
    /// Its configuration: a JSON object, or a file with one [default: the scorer's own]
    #[arg(long, value_name = "JSON|FILE")]
    pub config: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Write the samples with their new verdicts to this file: .jsonl, .eval, .csv or .parquet
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
}

/// `bench rescore`.
#[derive(Debug, Args)]
pub struct RescoreArgs {
    /// Id, its beginning, `latest`, or the path of a run.json
    #[arg(default_value = "latest")]
    pub run: String,
    /// Grade by this scorer alone: the tasks that it graded before, or where it graded none, all of them [default: each task's own]
    #[arg(long, value_name = "NAME@VERSION|FILE")]
    pub scorer: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Write the samples with their new verdicts to this file: .jsonl, .eval, .csv or .parquet
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
}

/// `bench report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Id, its beginning, `latest`, or the path of a run.json
    #[arg(default_value = "latest")]
    pub run: String,
    /// Write the page to this file; `-` is standard output [default: report.html beside the record]
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
}

/// `bench compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Ids, their beginnings, `latest`, or paths; the first is the reference
    #[arg(required = true, num_args = 2..)]
    pub runs: Vec<String>,
    /// Show every metric, not only the usual ones
    #[arg(long)]
    pub all: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `bench plugin`.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// List the plugins that are installed and those that the binary carries
    List {
        /// Only what registries have newer versions of
        #[arg(long)]
        outdated: bool,
        /// How to ask.
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Look for plugins and suites in the registries
    Search {
        /// Words of the name or title [default: all]
        words: Vec<String>,
        /// How to ask.
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Install plugins
    Add(AddArgs),
    /// Push a plugin to an OCI registry, and print its place there by digest
    Push(PushArgs),
    /// Take plugins out of the installed set
    Remove(ItemArgs),
    /// Bring installed plugins up to date
    Update(UpdateArgs),
    /// Keep plugins at their versions
    Pin {
        /// Let them go again
        #[arg(long)]
        undo: bool,
        /// Which.
        #[command(flatten)]
        items: ItemArgs,
    },
    /// Fetch what the lock lists and is not here
    Sync(AskArgs),
    /// Return to the set before the last change
    Rollback(AskArgs),
    /// Free the space of what no lock needs: this one, the user's, any other that was filled from the same store, or the one before each
    Prune {
        /// Say what would be freed, and free nothing
        #[arg(long)]
        dry_run: bool,
        /// How to ask.
        #[command(flatten)]
        ask: AskArgs,
    },
    /// List, add or revoke what plugins may have: environment variables, addresses, programs, memory
    Grants {
        /// What to do [default: list]
        #[command(subcommand)]
        command: Option<GrantsCommand>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what a plugin is, can do, asks for and imports
    Inspect {
        /// A name, or the path of a component.
        plugin: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Begin a new plugin in a folder of its own
    New {
        /// What it is to be.
        kind: PluginKind,
        /// Its name, such as my-scorer.
        name: String,
        /// The language to write it in
        #[arg(long, value_enum, default_value = "rust")]
        lang: PluginLanguage,
        /// Its folder [default: its name]
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
    /// Build the plugin in a folder into its plugin.wasm
    Build {
        /// The plugin's folder.
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Try a scorer on the cases of a folder, in the host that grades
    Test {
        /// The plugin's folder, or a component.
        #[arg(default_value = ".")]
        plugin: PathBuf,
        /// The cases [default: cases/ of the plugin's folder]
        #[arg(long, value_name = "FOLDER")]
        cases: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Look at a component as a registry would: world, imports, size, the same verdicts twice
    Check {
        /// The plugin's folder, or a component.
        #[arg(default_value = ".")]
        plugin: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Kinds of plugin, as they are typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PluginKind {
    /// Talks to a backend.
    Driver,
    /// Says what to ask.
    Workload,
    /// Grades answers.
    Scorer,
    /// Hands results to a leaderboard.
    Publisher,
}

impl From<PluginKind> for bench_plugin::Kind {
    fn from(kind: PluginKind) -> Self {
        match kind {
            PluginKind::Driver => Self::Driver,
            PluginKind::Workload => Self::Workload,
            PluginKind::Scorer => Self::Scorer,
            PluginKind::Publisher => Self::Publisher,
        }
    }
}

/// Languages that plugins are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PluginLanguage {
    /// Any kind of plugin.
    Rust,
    /// Scorers.
    Python,
    /// Scorers.
    #[value(alias = "js")]
    Javascript,
}

impl From<PluginLanguage> for bench_kit::Language {
    fn from(language: PluginLanguage) -> Self {
        match language {
            PluginLanguage::Rust => Self::Rust,
            PluginLanguage::Python => Self::Python,
            PluginLanguage::Javascript => Self::JavaScript,
        }
    }
}

/// `bench suite`.
#[derive(Debug, Subcommand)]
pub enum SuiteCommand {
    /// List the suites that the binary carries
    List(JsonArgs),
    /// Install suites
    Add(ItemArgs),
    /// Bring installed suites up to date
    Update(UpdateArgs),
    /// Show what a suite runs
    Show {
        /// A name, or a folder with a suite.toml.
        #[arg(default_value = "suite-v1")]
        suite: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Allow the lock file in a suite's folder: it chooses which versions of plugins the suite runs with
    Trust {
        /// The suite's folder
        folder: PathBuf,
    },
    /// Make a suite of files or installed packages; no Python is run and nothing is downloaded
    #[command(subcommand)]
    Import(Box<ImportCommand>),
}

/// Whose stamps of reads to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stamps {
    /// The kernel's, where it offers them.
    Kernel,
    /// The client's own.
    User,
    /// Those of a capture of packets, which needs CAP_NET_RAW.
    Packet,
}

impl From<Stamps> for bench_run::StampMode {
    fn from(stamps: Stamps) -> Self {
        match stamps {
            Stamps::Kernel => Self::Kernel,
            Stamps::User => Self::UserSpace,
            Stamps::Packet => Self::Packet,
        }
    }
}

/// `bench calibrate`.
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// Streams at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub streams: u32,
    /// Events per stream
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub events: u32,
    /// Time between two events of a stream, in microseconds
    #[arg(long, value_name = "US", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub gap_us: u64,
    /// Time from a request to its first event, in microseconds
    #[arg(long, value_name = "US", default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(0..=60_000_000))]
    pub ttft_us: u64,
    /// A `bench sim` that runs already, with a schedule of its own [default: one in this process]
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Whose stamps of reads to take
    #[arg(long, value_enum, default_value = "kernel")]
    pub stamps: Stamps,
    /// Most threads that send and receive; a small load takes fewer [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// Keep a processor per thread busy rather than let it sleep between events: nearer stamps where the kernel takes none, such as
    /// under TLS; not for an engine on the same machine
    #[arg(long)]
    pub busy_poll: bool,
    /// Requests per second at times of their own, instead of streams that follow one another
    #[arg(long, value_name = "PER_SECOND")]
    pub rate: Option<f64>,
    /// How long to keep it up [default: each stream once, or a second]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: Option<u64>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `bench sim`.
#[derive(Debug, Args)]
pub struct SimArgs {
    /// Port on the loopback address; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 8089)]
    pub port: u16,
    /// Schedule and faults as JSON; `bench sim --print-config` shows the defaults
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print the configuration and end
    #[arg(long)]
    pub print_config: bool,
}
