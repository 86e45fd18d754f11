//! `bench plugin add`, `remove`, `update`, `pin`, `search` and the like, and the same for suites.

use bench_install::{InstallError, Installer, Outcome, Request, Wanted};
use bench_registry::ItemKind;
use serde_json::json;

use super::{grants, runtime};
use crate::distribution::{AddArgs, AskArgs, ItemArgs, UpdateArgs};
use crate::downloads::{changes, installer, notes};
use crate::exit::Exit;
use crate::failure::Outcome as Ended;
use crate::numbers::bytes;
use crate::{output, results};

/// Installs plugins.
pub fn add(args: &AddArgs) -> Ended {
    let wanted: Vec<Wanted> = args.items.iter().map(|item| item.clone().of_kind(args.kind)).collect();
    let mut installer = installer(&args.ask)?;
    let outcome = runtime()?.block_on(installer.add(&wanted))?;
    let exit = ended(&outcome, args.ask.json);
    grants::settle(&outcome.asks, args.grant, args.ask.json)?;
    Ok(exit)
}

/// Installs suites.
pub fn add_suites(args: &ItemArgs) -> Ended {
    let wanted = of_kind(&args.items, args.kind.or(Some(ItemKind::Suite)));
    changing(&args.ask, async |installer| installer.add(&wanted).await)
}

/// Takes items out.
pub fn remove(args: &ItemArgs) -> Ended {
    let wanted = of_kind(&args.items, args.kind);
    changing(&args.ask, async |installer| installer.remove(&wanted).await)
}

/// Brings items up to date.
pub fn update(args: &UpdateArgs, kind: Option<ItemKind>) -> Ended {
    let wanted = of_kind(&args.items, kind);
    changing(&args.ask, async |installer| installer.update(&wanted).await)
}

/// Keeps items at their versions, or lets them go.
pub fn pin(args: &ItemArgs, undo: bool) -> Ended {
    let wanted = of_kind(&args.items, args.kind);
    changing(&args.ask, async |installer| installer.pin(&wanted, !undo).await)
}

/// Fetches what the lock lists.
pub fn sync(ask: &AskArgs) -> Ended {
    changing(ask, async |installer| installer.sync().await)
}

/// Returns to the set before.
pub fn rollback(ask: &AskArgs) -> Ended {
    changing(ask, async |installer| installer.rollback())
}

/// Shows what is newer.
pub fn outdated(ask: &AskArgs) -> Ended {
    changing(ask, async |installer| installer.outdated().await)
}

/// Looks for items.
pub fn search(words: &[String], ask: &AskArgs) -> Ended {
    let (hits, said) = runtime()?.block_on(installer(ask)?.search(&words.join(" ")))?;
    notes(&said);
    if ask.json {
        output::json(&json!({ "hits": hits, "notes": said }));
        return Ok(Exit::Success);
    }
    let mut table = results::table(&["registry", "kind", "name", "version", "size", "licence", "title"]);
    for hit in &hits {
        let release = &hit.entry.release;
        table.add_row(vec![
            hit.registry.clone(),
            release.kind.to_string(),
            release.name.to_string(),
            release.version.to_string(),
            bytes(hit.entry.bytes),
            release.licence.clone(),
            release.title.clone(),
        ]);
    }
    output::data(&table.to_string());
    Ok(Exit::Success)
}

/// Frees what no lock needs.
pub fn prune(dry_run: bool, ask: &AskArgs) -> Ended {
    let pruned = installer(ask)?.prune(dry_run)?;
    if ask.json {
        output::json(&pruned);
        return Ok(Exit::Success);
    }
    let mut table = results::table(&["sha256", "size", ""]);
    for file in &pruned.files {
        let word = if file.partial { "cut off" } else { "" };
        table.add_row([file.sha256.clone(), bytes(file.bytes), word.to_owned()]);
    }
    output::data(&table.to_string());
    let (verb, locks) = (if dry_run { "would free" } else { "freed" }, pruned.locks.len());
    output::say(&format!("{verb} {}; {locks} locks need the rest", bytes(pruned.bytes)));
    Ok(Exit::Success)
}

fn of_kind(items: &[Request], kind: Option<ItemKind>) -> Vec<Request> {
    items.iter().map(|item| item.clone().of_kind(kind)).collect()
}

fn changing(ask: &AskArgs, work: impl AsyncFnOnce(&mut Installer) -> Result<Outcome, InstallError>) -> Ended {
    let mut installer = installer(ask)?;
    let outcome = runtime()?.block_on(work(&mut installer))?;
    let exit = ended(&outcome, ask.json);
    grants::settle(&outcome.asks, false, ask.json)?;
    Ok(exit)
}

/// Prints what an installation came to.
fn ended(outcome: &Outcome, as_json: bool) -> Exit {
    if as_json {
        output::json(outcome);
    } else if outcome.changes.is_empty() {
        output::say("nothing changes");
    } else {
        output::data(&changes(&outcome.changes));
    }
    notes(outcome.notes.iter().chain(&outcome.failures));
    if outcome.failures.is_empty() { Exit::Success } else { Exit::Incomplete }
}
