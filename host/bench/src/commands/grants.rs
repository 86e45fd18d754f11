//! `bench plugin grants`, and the question that `bench plugin add` asks.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use bench_grants::{AskedNeeds, Grant, GrantSource, Grants, Selection};
use bench_registry::ItemKind;
use bench_text::{clean_name, clean_sentence};
use serde_json::json;

use crate::distribution::{GrantArgs, GrantsCommand};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::{folders, output, results};

/// Lists, adds or revokes grants.
pub fn grants(command: Option<&GrantsCommand>, as_json: bool) -> Outcome {
    match command {
        None => list(as_json),
        Some(GrantsCommand::List { json }) => list(as_json || *json),
        Some(GrantsCommand::Add(args)) => add(args),
        Some(GrantsCommand::Revoke(args)) => revoke(args),
    }
}

fn list(as_json: bool) -> Outcome {
    let grants = folders::folders().grants()?;
    let all: Vec<&Grant> = grants.iter().collect();
    if as_json {
        output::json(&all);
        return Ok(Exit::Success);
    }
    if all.is_empty() {
        output::say("no plugin has a grant; drivers that are part of bench have fixed ones");
        return Ok(Exit::Success);
    }
    let mut table = results::table(&["kind", "plugin", "from", "may have"]);
    for grant in all {
        let memory = grant.memory.map(|bytes| format!("memory {} MiB", bytes >> 20));
        let parts = Some(grant.needs()).filter(|needs| !needs.is_empty()).map(|needs| needs.to_string());
        let parts: Vec<String> = parts.into_iter().chain(memory).collect();
        table.add_row([grant.kind.to_string(), grant.name.to_string(), grant.source.to_string(), parts.join("; ")]);
    }
    output::data(&table.to_string());
    Ok(Exit::Success)
}

fn add(args: &GrantArgs) -> Outcome {
    let asked = folders::catalog()?.asked_needs(&args.plugin)?;
    let data = folders::folders().runs;
    let mut grants = Grants::read(&data)?;
    let granted = grants.add(&asked, &selection(args))?;
    grants.write(&data)?;
    print_granted(&granted, args.json);
    Ok(Exit::Success)
}

fn print_granted(granted: &AskedNeeds, as_json: bool) {
    if as_json {
        output::json(granted);
    } else if granted.is_empty() {
        output::say(&format!("the {} {} asks for nothing", granted.kind, granted.name));
    } else {
        output::say(&format!("granted: the {} {}", granted.kind, granted.name));
        granted.sentences().iter().for_each(|sentence| output::say(&format!("  {}", clean_sentence(sentence))));
    }
}

fn revoke(args: &GrantArgs) -> Outcome {
    let data = folders::folders().runs;
    let mut grants = Grants::read(&data)?;
    let mut left = Vec::new();
    for (kind, name, source) in find_granted(&grants, &args.plugin)? {
        left.extend(grants.revoke(kind, &name, &source, &selection(args))?);
    }
    grants.write(&data)?;
    if args.json {
        output::json(&json!({ "plugin": args.plugin, "left": left }));
    } else {
        let rest: Vec<String> = left.iter().map(|grant| grant.needs().to_string()).collect();
        let rest = if rest.is_empty() { "nothing".to_owned() } else { rest.join("; ") };
        let (plugin, rest) = (clean_name(&args.plugin), clean_sentence(rest));
        output::say(&format!("revoked; {plugin} now may have: {rest}"));
    }
    Ok(Exit::Success)
}

/// The grants that the user means: by the plugin's name, from wherever it came, or by a component's
/// file. The plugin itself may be gone already.
fn find_granted(grants: &Grants, plugin: &str) -> Result<Vec<(ItemKind, String, GrantSource)>, Failure> {
    let named = grants.iter().filter(|grant| grant.name.as_str() == plugin);
    let named: Vec<_> = named.map(|grant| (grant.kind, grant.name.to_string(), grant.source.clone())).collect();
    if !named.is_empty() {
        return Ok(named);
    }
    let asked = folders::catalog()?.asked_needs(plugin)?;
    let source = asked.required_source()?.clone();
    Ok(vec![(asked.kind, asked.name.to_string(), source)])
}

fn selection(args: &GrantArgs) -> Selection {
    Selection {
        variables: args.variables.iter().cloned().collect(),
        addresses: args.addresses.iter().cloned().collect(),
        programs: args.programs.iter().cloned().collect(),
        memory: args.memory,
    }
}

/// Shows what installed plugins ask for, and grants it when the user says yes: by `grant`, or by an
/// answer on a terminal.
pub fn settle(asks: &[AskedNeeds], grant: bool, as_json: bool) -> Result<(), Failure> {
    for asked in asks {
        let command = format!("bench plugin grants add {}", asked.name);
        if !as_json || !grant {
            output::say(&format!("the {} {} asks for more than a plugin has by itself; it", asked.kind, asked.name));
            asked.sentences().iter().for_each(|sentence| output::say(&format!("  {}", clean_sentence(sentence))));
        }
        if grant || (!as_json && agrees()) {
            let data = folders::folders().runs;
            let mut grants = Grants::read(&data)?;
            grants.add(asked, &Selection::default())?;
            grants.write(&data)?;
            output::say("granted");
        } else {
            output::say(&format!("not granted: it is installed and has none of this; `{command}` grants it"));
        }
    }
    Ok(())
}

/// Asks on a terminal. Anything but a yes is a no, and so is a pipe.
fn agrees() -> bool {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return false;
    }
    let mut err = std::io::stderr().lock();
    let mut answer = String::new();
    let asked = write!(err, "grant this? [y/N] ").and_then(|()| err.flush());
    asked.and_then(|()| std::io::stdin().lock().read_line(&mut answer)).is_ok()
        && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
