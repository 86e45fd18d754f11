//! The lock file in a suite's folder: it counts only after the user has allowed it.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::Path;

use bench_registry::{Lock, is_lock_trusted, trust_lock};
use bench_text::{clean_name, clean_sentence};

use crate::failure::Failure;
use crate::{folders, output};

/// Allows the lock file in the folder of `suite` when the user says so: by `--trust-lock`, or by the answer to a question
/// where there is a terminal. Without that nothing is allowed, and a run with the suite ends with an error.
pub fn allow_suite_lock(suite: &str, is_allowed: bool) -> Result<(), Failure> {
    let folders = folders::folders();
    let Some(lock) = folders.suite_lock(Some(suite)) else { return Ok(()) };
    if is_lock_trusted(&folders.runs, &lock)? {
        return Ok(());
    }
    if is_allowed || ask(&lock)? {
        trust_lock(&folders.runs, &lock)?;
    }
    Ok(())
}

/// Shows what the lock file chooses, and asks whether it may.
fn ask(path: &Path) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    output::warning(
        &format!("the suite's lock file {} replaces yours. It chooses:", clean_sentence(path.display())),
        None,
    );
    for item in Lock::read(path)?.items() {
        let registry = clean_name(&item.registry);
        output::say(&format!("  {} {} {} from {registry}", item.kind, item.name, item.version));
    }
    output::say("Allow this lock file? It is asked for again when it changes. [y/N]");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::machine("cannot read the answer", &error))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
