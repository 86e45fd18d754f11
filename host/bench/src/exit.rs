//! Exit codes. One table, from which the help text and the tests are made.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All that was asked for was done.
    Success,
    /// Something of this machine's failed.
    Failure,
    /// The command line makes no sense. Clap ends with this code as well.
    Usage,
    /// The run is over, and some of it failed; what succeeded is in the record.
    Incomplete,
    /// The engine cannot be reached, is not what was expected, or refuses.
    Engine,
    /// A plugin failed.
    Plugin,
    /// A suite, plugin, record or other file cannot be used.
    Input,
    /// The user stopped the run.
    Interrupted,
}

impl Exit {
    /// All of them, with the sentence that documents each.
    pub const TABLE: [(Exit, &'static str); 8] = [
        (Exit::Success, "everything that was asked for was done"),
        (Exit::Failure, "something of this machine's failed, such as a file that cannot be written"),
        (Exit::Usage, "the command line makes no sense"),
        (Exit::Incomplete, "the run is over and some of it failed; what succeeded is in the record"),
        (Exit::Engine, "the engine cannot be reached, is not what was expected, or refuses"),
        (Exit::Plugin, "a plugin failed"),
        (Exit::Input, "a suite, plugin, record or other file cannot be used"),
        (Exit::Interrupted, "the run was stopped; what was finished is in the record"),
    ];

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Failure => 1,
            Exit::Usage => 2,
            Exit::Incomplete => 3,
            Exit::Engine => 4,
            Exit::Plugin => 5,
            Exit::Input => 6,
            Exit::Interrupted => 130,
        }
    }

    /// The table as text for the help.
    pub fn help() -> String {
        let lines = Exit::TABLE.iter().map(|(exit, meaning)| format!("  {:>3}  {meaning}", exit.code()));
        format!("Exit codes:\n{}", lines.collect::<Vec<_>>().join("\n"))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
