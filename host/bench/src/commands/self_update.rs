//! `bench self-update`.

use bench_install::Program;

use super::{grants, runtime};
use crate::distribution::SelfUpdateArgs;
use crate::downloads::{changes, installer, notes};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output;

/// Brings everything up to date, says what would change, or returns to what was.
pub fn self_update(args: &SelfUpdateArgs) -> Outcome {
    let file = std::env::current_exe().map_err(|error| Failure::machine("cannot find this program's file", &error))?;
    let program = Program { file, allow_downgrade: args.allow_downgrade };
    let mut installer = installer(&args.ask)?;
    let runtime = runtime()?;
    let done = match (args.check, args.rollback) {
        (true, _) => runtime.block_on(installer.self_check(&program))?,
        (_, true) => installer.self_rollback(&program)?,
        _ => runtime.block_on(installer.self_update(&program))?,
    };
    if args.ask.json {
        output::json(&done);
    } else if done.outcome.changes.is_empty() && done.program.is_none() && !done.program_returned {
        output::say("everything is up to date");
    } else {
        if !done.outcome.changes.is_empty() {
            output::data(&changes(&done.outcome.changes));
        }
        if let Some(program) = &done.program {
            output::data(&format!("bench {} to {}", program.from, program.to));
        }
        if done.program_returned {
            output::data("the program before is back in its place");
        }
    }
    grants::settle(&done.outcome.asks, false, args.ask.json)?;
    notes(done.outcome.notes.iter().chain(&done.outcome.failures));
    Ok(if done.outcome.failures.is_empty() { Exit::Success } else { Exit::Incomplete })
}
