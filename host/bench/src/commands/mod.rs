//! One file per subcommand.

mod author;
mod calibrate;
mod compare;
mod conformance;
mod detect;
mod grants;
mod import;
mod install;
mod models;
mod plugin;
mod publish;
mod push;
mod registry;
mod report;
mod rescore;
mod run;
mod runs;
mod samples;
mod score;
mod self_update;
mod show;
mod sim;
mod suite;

use clap::CommandFactory as _;

use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output;

/// Runs a subcommand.
pub fn dispatch(command: Command) -> Outcome {
    match command {
        Command::Run(args) => run::run(&args),
        Command::Detect(args) => detect::detect(&args),
        Command::Models(args) => models::models(&args),
        Command::Runs(args) => runs::runs(&args),
        Command::Show(args) => show::show(&args),
        Command::Report(args) => report::report(&args),
        Command::Score(args) => score::score(&args),
        Command::Rescore(args) => rescore::rescore(&args),
        Command::Compare(args) => compare::compare(&args),
        Command::Plugin(command) => plugin::plugin(&command),
        Command::Suite(command) => suite::suite(&command),
        Command::SelfUpdate(args) => self_update::self_update(&args),
        Command::Registry(command) => registry::registry(&command),
        Command::Calibrate(args) => calibrate::calibrate(&args),
        Command::Sim(args) => sim::sim(&args),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "bench", &mut text);
            output::data(&String::from_utf8_lossy(&text));
            Ok(Exit::Success)
        }
        Command::Man => {
            let mut text = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut text)
                .map_err(|error| Failure::machine("cannot make the manual page", &error))?;
            output::data(&String::from_utf8_lossy(&text));
            Ok(Exit::Success)
        }
    }
}

/// What threads do between events.
pub fn waiting(busy_poll: bool) -> bench_run::Waiting {
    if busy_poll { bench_run::Waiting::Poll } else { bench_run::Waiting::Sleep }
}

/// A runtime on this thread: measuring wants no second thread that it could wait for.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::machine("cannot start the runtime", &error))
}
