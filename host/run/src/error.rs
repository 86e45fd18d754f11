//! Everything that can end a run before its first workload, or a workload before its end.

use bench_eval::EvalError;
use bench_machine::launch::LaunchError;
use bench_plugin::types::Problem;
use bench_plugin::{Fault, LoadError};
use bench_record::RecordError;
use bench_registry::RegistryError;
use bench_suite::SuiteError;
use bench_text::{clean_name, clean_sentence};
use bench_wire::WireError;

/// What kind of failure an error is; the binary turns it into its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// What the user asked for makes no sense or does not exist.
    Usage,
    /// A suite, plugin or record that cannot be used.
    Input,
    /// The engine is not there, is not what was expected, or refuses.
    Engine,
    /// A plugin failed.
    Plugin,
    /// This machine: a file, a process, memory.
    Machine,
}

/// Why a run could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A plugin that cannot be loaded.
    #[error("cannot load the plugin `{reference}`: {error}", reference = clean_sentence(.reference))]
    Load {
        /// What the user or the suite named.
        reference: String,
        /// Why.
        error: LoadError,
    },
    /// A plugin or suite that cannot be found.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A suite that cannot be used.
    #[error(transparent)]
    Suite(#[from] SuiteError),
    /// The suite wants another version of a workload.
    #[error(
        "the suite needs the workload `{plugin}` {wanted}; this one is {found}",
        plugin = clean_name(.plugin),
        wanted = clean_name(.wanted),
        found = clean_name(.found),
    )]
    WorkloadVersion {
        /// The workload.
        plugin: String,
        /// The suite's requirement.
        wanted: String,
        /// The version at hand.
        found: String,
    },
    /// The engine cannot be talked to.
    #[error("{0}")]
    Wire(#[from] WireError),
    /// A plugin failed.
    #[error("{0}")]
    Plugin(#[from] Fault),
    /// The engine could not be started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The record could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The simulated engine could not be started.
    #[error("the simulated engine cannot be started: {0}")]
    Sim(#[from] bench_sim::SimError),
    /// Something answers, but it is not the engine that the driver is for.
    #[error(
        "what answers at {endpoint} is not recognised as {title}",
        endpoint = clean_sentence(.endpoint),
        title = clean_name(.title),
    )]
    NotRecognised {
        /// The address.
        endpoint: String,
        /// The driver's name for people.
        title: String,
    },
    /// The driver has no address to try.
    #[error(
        "the driver `{driver}` found no engine: {tried}",
        driver = clean_name(.driver),
        tried = clean_sentence(.tried),
    )]
    NoEngine {
        /// The driver.
        driver: String,
        /// Which addresses were tried, and what happened.
        tried: String,
    },
    /// A model that the engine does not serve.
    #[error("the engine serves no model `{wanted}`", wanted = clean_name(.wanted))]
    ModelNotFound {
        /// What the user asked for.
        wanted: String,
        /// What there is.
        served: Vec<String>,
    },
    /// The engine names no model and the user neither.
    #[error("the engine at {endpoint} lists no model", endpoint = clean_sentence(.endpoint))]
    NoModel {
        /// The address.
        endpoint: String,
    },
    /// A key that the driver needs.
    #[error(
        "the driver `{driver}` needs a key, and the environment variable {variable} is not set",
        driver = clean_name(.driver),
        variable = clean_name(.variable),
    )]
    MissingSecret {
        /// The driver.
        driver: String,
        /// The variable that was looked at.
        variable: String,
    },
    /// A key that the driver needs and that was not granted to it.
    #[error(
        "the plugin `{driver}` needs the environment variable {variable}, which was not granted to it",
        driver = clean_name(.driver),
        variable = clean_name(.variable),
    )]
    KeyNotGranted {
        /// The driver.
        driver: String,
        /// The variable.
        variable: String,
        /// The command that grants it.
        command: String,
    },
    /// A key that the driver needs and that must not be sent over this connection.
    #[error(
        "the key in {variable} was not sent: {reason}",
        variable = clean_name(.variable),
        reason = clean_sentence(.reason),
    )]
    KeyWithheld {
        /// The variable.
        variable: String,
        /// Why.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// A server that answers nothing without a key, while the user named no driver whose key it could get.
    #[error(
        "the server at {endpoint} wants an API key, and no key is sent to a server that no driver recognises",
        endpoint = clean_sentence(.endpoint),
    )]
    KeyWanted {
        /// The address.
        endpoint: String,
    },
    /// An address that a plugin from elsewhere must not talk to.
    #[error(
        "the plugin `{plugin}` must not talk to {endpoint}: it is link-local",
        plugin = clean_name(.plugin),
        endpoint = clean_sentence(.endpoint),
    )]
    AddressClosed {
        /// The plugin.
        plugin: String,
        /// The address.
        endpoint: String,
    },
    /// A probe that could change the server.
    #[error(
        "the plugin `{plugin}` looks for a server with a {method} request; only GET and HEAD are sent",
        plugin = clean_name(.plugin),
        method = clean_name(.method),
    )]
    BadProbe {
        /// The plugin.
        plugin: String,
        /// The method.
        method: String,
    },
    /// A program that may not be started for this plugin.
    #[error(
        "the plugin `{plugin}` wants to start `{program}`, which it may not: {reason}",
        plugin = clean_name(.plugin),
        program = clean_name(.program),
        reason = clean_sentence(.reason),
    )]
    LaunchNotGranted {
        /// The plugin.
        plugin: String,
        /// The program, made printable.
        program: String,
        /// Why.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
    /// A plugin that asks for what no plugin may have.
    #[error("the plugin `{reference}` cannot be used: {error}", reference = clean_sentence(.reference))]
    Needs {
        /// What the user named.
        reference: String,
        /// Why.
        error: bench_registry::NeedsError,
    },
    /// The user's grants cannot be used.
    #[error(transparent)]
    Grants(#[from] bench_grants::GrantError),
    /// A workload that the suite does not have.
    #[error("the suite {suite} has no workload `{wanted}`", suite = clean_name(.suite), wanted = clean_name(.wanted))]
    UnknownWorkload {
        /// The suite.
        suite: String,
        /// What the user asked for.
        wanted: String,
        /// What there is, as `label name`.
        known: Vec<String>,
    },
    /// A workload needs texts that the suite does not have.
    #[error(
        "the workload `{workload}` needs the corpus `{corpus}`, which the suite {suite} does not have",
        workload = clean_name(.workload),
        corpus = clean_name(.corpus),
        suite = clean_name(.suite),
    )]
    NoCorpus {
        /// The workload.
        workload: String,
        /// The suite.
        suite: String,
        /// The corpus.
        corpus: String,
    },
    /// A `--param` that cannot be used.
    #[error(
        "the parameter `{text}` cannot be used: {reason}",
        text = clean_sentence(.text),
        reason = clean_sentence(.reason),
    )]
    BadParam {
        /// As the user wrote it.
        text: String,
        /// Why.
        reason: String,
    },
    /// The engine answered, and the answer is an error.
    #[error("{}", clean_sentence(&.problem.message))]
    Refused {
        /// The driver's reading of the answer.
        problem: Problem,
        /// The status of the answer.
        status: u16,
    },
    /// A number of the host's own that cannot be.
    #[error(
        "the workload `{workload}` planned something that cannot be run: {reason}",
        workload = clean_name(.workload),
        reason = clean_sentence(.reason),
    )]
    BadPlan {
        /// The workload.
        workload: String,
        /// What is wrong.
        reason: String,
    },
    /// The load that was asked for cannot be made.
    #[error(transparent)]
    Demand(#[from] bench_load::LoadError),
    /// The trace to replay cannot be read.
    #[error(
        "the trace {path} cannot be read: {reason}",
        path = clean_sentence(.path),
        reason = clean_sentence(.reason),
    )]
    Trace {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// Threads could not be started.
    #[error("the threads that send and receive cannot be started: {text}", text = clean_sentence(.0))]
    Threads(String),
    /// The capture of packets could not be started.
    #[error(transparent)]
    Capture(#[from] bench_wire::packet::CaptureError),
    /// The simulation answered nothing that could be timed.
    #[error("the simulation answered none of {requests} requests in a way that can be timed, {failed} failed")]
    NotCalibrated {
        /// Requests sent.
        requests: u64,
        /// Those without a whole answer.
        failed: u64,
    },
    /// Randomness could not be had from the operating system.
    #[error("the operating system gives no random bytes: {text}", text = clean_sentence(.0))]
    Random(String),
    /// An eval task that cannot be run.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// The run to go on with is of something else.
    #[error(
        "the run {run} cannot be gone on with: its {what} is {before}, and now it is {now}",
        run = clean_name(.run),
        before = clean_name(.before),
        now = clean_name(.now),
    )]
    ResumeDiffers {
        /// The run.
        run: String,
        /// What differs.
        what: &'static str,
        /// As the record has it.
        before: String,
        /// As it was found.
        now: String,
    },
    /// Two engines in turns were asked to go on with one run.
    #[error("a run of two engines in turns cannot be gone on with")]
    ResumeSides,
    /// The record would hold a part of a key. It is not written.
    #[error("the record of run `{run}` holds 12 or more characters of a key in a row, so it is not written", run = clean_name(.run))]
    KeyInRecord {
        /// The run.
        run: String,
    },
    /// The user stopped the run.
    #[error("the run was stopped")]
    Stopped,
}

/// Names that a hint lists.
const MOST_NAMES: usize = 20;

/// The first names, and how many there are beyond them.
pub(crate) fn list_names(names: &[String]) -> String {
    let mut listed: Vec<String> = names.iter().take(MOST_NAMES).map(|name| clean_name(name).to_string()).collect();
    if let Some(more @ 1..) = names.len().checked_sub(MOST_NAMES) {
        listed.push(format!("and {more} more"));
    }
    listed.join(", ")
}

impl RunError {
    /// Stable identifier.
    pub fn code(&self) -> &str {
        match self {
            RunError::Load { error, .. } => error.code(),
            RunError::Registry(error) => error.code(),
            RunError::Suite(error) => error.code(),
            RunError::WorkloadVersion { .. } => "workload-version",
            RunError::Wire(error) => error.code(),
            RunError::Plugin(fault) => fault.problem().map_or(fault.code(), |problem| &problem.code),
            RunError::Launch(error) => error.code(),
            RunError::Record(error) => error.code(),
            RunError::Sim(error) => error.code(),
            RunError::NotRecognised { .. } => "backend-not-recognised",
            RunError::NoEngine { .. } => "no-engine",
            RunError::ModelNotFound { .. } => "model-not-found",
            RunError::NoModel { .. } => "no-model",
            RunError::MissingSecret { .. } => "missing-secret",
            RunError::KeyNotGranted { .. } => "key-not-granted",
            RunError::KeyWithheld { .. } => "key-withheld",
            RunError::KeyWanted { .. } => "key-wanted",
            RunError::AddressClosed { .. } => "address-closed",
            RunError::BadProbe { .. } => "bad-probe",
            RunError::LaunchNotGranted { .. } => "launch-not-granted",
            RunError::Needs { error, .. } => error.code(),
            RunError::Grants(error) => error.code(),
            RunError::UnknownWorkload { .. } => "unknown-workload",
            RunError::NoCorpus { .. } => "no-corpus",
            RunError::BadParam { .. } => "bad-param",
            RunError::Refused { problem, .. } => &problem.code,
            RunError::BadPlan { .. } => "bad-plan",
            RunError::Demand(error) => error.code(),
            RunError::Trace { .. } => "no-trace-file",
            RunError::Threads(_) => "no-threads",
            RunError::Capture(error) => error.code(),
            RunError::NotCalibrated { .. } => "not-calibrated",
            RunError::Random(_) => "no-randomness",
            RunError::Eval(error) => error.code(),
            RunError::ResumeDiffers { .. } => "resume-differs",
            RunError::ResumeSides => "resume-sides",
            RunError::KeyInRecord { .. } => "key-in-record",
            RunError::Stopped => "stopped",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            RunError::Load { error, .. } => error.hint(),
            RunError::Registry(error) => error.hint(),
            RunError::Suite(error) => error.hint(),
            RunError::WorkloadVersion { .. } => Some("use the suite that ships with this version of bench".to_owned()),
            RunError::Wire(error) => error.hint(),
            RunError::Plugin(fault) => fault.hint(),
            RunError::Launch(error) => error.hint(),
            RunError::Record(error) => error.hint(),
            RunError::Sim(error) => error.hint(),
            RunError::NotRecognised { .. } => {
                Some("`bench detect --endpoint URL` tells what it is; `--plugin openai` works with any OpenAI-compatible server".to_owned())
            }
            RunError::NoEngine { .. } => {
                Some("start the engine, name its address with --endpoint, or let bench start it with --launch --model PATH".to_owned())
            }
            RunError::ModelNotFound { served, .. } if served.is_empty() => None,
            RunError::ModelNotFound { served, .. } => Some(format!("it serves {}", list_names(served))),
            RunError::NoModel { .. } => Some("name one with --model".to_owned()),
            RunError::MissingSecret { variable, .. } => {
                Some(format!("set {variable}, or name another variable with --api-key-env"))
            }
            RunError::KeyNotGranted { command, variable, .. } => {
                Some(format!("grant it with `{command}`, or name {variable} with --api-key-env for this run"))
            }
            RunError::KeyWithheld { hint, .. } => Some(hint.clone()),
            RunError::KeyWanted { .. } => {
                Some("if you trust the server, name its driver, such as `--plugin openai`".to_owned())
            }
            RunError::AddressClosed { .. } => {
                Some("use a driver that bench carries, or another address of the server".to_owned())
            }
            RunError::BadProbe { .. } => Some("report it to the plugin's author".to_owned()),
            RunError::LaunchNotGranted { hint, .. } => hint.clone(),
            RunError::Needs { error, .. } => error.hint(),
            RunError::Grants(error) => error.hint(),
            RunError::UnknownWorkload { known, .. } => Some(format!("it has {}", list_names(known))),
            RunError::NoCorpus { .. } => Some("name a suite that has it with --suite".to_owned()),
            RunError::BadParam { .. } => {
                Some("write KEY=VALUE for the driver or LABEL.KEY=VALUE for a workload, such as W3.contexts=[1024,2048]".to_owned())
            }
            RunError::Refused { problem, .. } => {
                problem.hint.as_ref().map(|hint| clean_sentence(hint).to_string())
            }
            RunError::BadPlan { .. } => Some("report it to the plugin's author".to_owned()),
            RunError::Demand(error) => error.hint(),
            RunError::Capture(error) => error.hint(),
            RunError::Trace { .. } => Some("check the path after `replay:`".to_owned()),
            RunError::NotCalibrated { .. } => {
                Some("check that the address is that of `bench sim`, and look at what it says".to_owned())
            }
            RunError::Eval(error) => error.hint(),
            RunError::ResumeDiffers { what, .. } => {
                Some(format!("name the {what} that the run began with, with --{what}, or begin another run"))
            }
            RunError::ResumeSides => Some("leave --ab or --resume out".to_owned()),
            RunError::KeyInRecord { .. } => Some(
                "take the key out of parameters, names and paths; where the server repeats it, report it to its maintainers"
                    .to_owned(),
            ),
            RunError::Threads(_) | RunError::Random(_) | RunError::Stopped => None,
        }
    }

    /// What kind of failure this is.
    pub fn category(&self) -> Category {
        match self {
            RunError::UnknownWorkload { .. }
            | RunError::BadParam { .. }
            | RunError::Demand(_)
            | RunError::ResumeSides
            | RunError::KeyNotGranted { .. }
            | RunError::AddressClosed { .. }
            | RunError::LaunchNotGranted { .. }
            | RunError::Eval(EvalError::UnknownTask { .. } | EvalError::NoJudge { .. }) => Category::Usage,
            RunError::Eval(_) | RunError::ResumeDiffers { .. } => Category::Input,
            RunError::Load { .. }
            | RunError::Needs { .. }
            | RunError::Registry(_)
            | RunError::Suite(_)
            | RunError::WorkloadVersion { .. }
            | RunError::NoCorpus { .. }
            | RunError::Trace { .. }
            | RunError::BadPlan { .. } => Category::Input,
            RunError::Wire(_)
            | RunError::NotRecognised { .. }
            | RunError::NoEngine { .. }
            | RunError::ModelNotFound { .. }
            | RunError::NoModel { .. }
            | RunError::MissingSecret { .. }
            | RunError::KeyWithheld { .. }
            | RunError::KeyWanted { .. }
            | RunError::NotCalibrated { .. }
            | RunError::Refused { .. } => Category::Engine,
            RunError::Plugin(fault) if fault.problem().is_some() => Category::Engine,
            RunError::Plugin(_) | RunError::BadProbe { .. } => Category::Plugin,
            RunError::Grants(_) => Category::Machine,
            RunError::Launch(_)
            | RunError::Record(_)
            | RunError::Sim(_)
            | RunError::Threads(_)
            | RunError::Capture(_)
            | RunError::Random(_)
            | RunError::KeyInRecord { .. }
            | RunError::Stopped => Category::Machine,
        }
    }
}
