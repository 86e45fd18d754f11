//! `bench registry`.

use std::path::Path;

use bench_install::now;
use bench_repository::{
    KeyChange, Keys, Policy, PublicKey, Repository, RepositoryError, SigningKey, Verified, serve, verify, write_bundle,
};

use super::{conformance, publish};
use crate::distribution::{KeyArgs, RegistryCommand, RoleArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::{output, results};

/// What is done with a registry.
pub fn registry(command: &RegistryCommand) -> Outcome {
    match command {
        RegistryCommand::Init { folder, generate, long, keys } => init(folder, *generate, *long, keys),
        RegistryCommand::Key { name, keys } => {
            output::data(&SigningKey::generate(keys, name)?.public().hex());
            Ok(Exit::Success)
        }
        RegistryCommand::AddKey(args) | RegistryCommand::Rotate(args) => change(args),
        RegistryCommand::Delegate { folder, publisher, public, threshold, keys: at_hand } => {
            let mut repository = opened(folder)?;
            repository.delegate(publisher, &publics(public)?, *threshold, &keys(at_hand)?, now())?;
            shown(folder)
        }
        RegistryCommand::Publish(args) => publish::publish(args),
        RegistryCommand::Yank { folder, path, reason, undo, keys: at_hand } => {
            let path = Repository::path(path)?;
            let reason = reason.as_deref().filter(|_| !undo);
            opened(folder)?.yank(&path, reason, &keys(at_hand)?, now())?;
            shown(folder)
        }
        RegistryCommand::Withdraw { folder, paths, keys: at_hand } => {
            let paths = paths.iter().map(|path| Repository::path(path)).collect::<Result<Vec<_>, _>>()?;
            opened(folder)?.withdraw(&paths, &keys(at_hand)?, now())?;
            shown(folder)
        }
        RegistryCommand::Refresh { folder, tidy, keys: at_hand } => {
            let mut repository = opened(folder)?;
            repository.refresh(&keys(at_hand)?, now())?;
            if *tidy {
                repository.tidy()?;
            }
            shown(folder)
        }
        RegistryCommand::Verify { folder, json } => verified(folder, *json),
        RegistryCommand::Serve { folder, port } => {
            let serving = serve(folder, *port)?;
            output::data(&serving.url());
            output::say("serving until it is stopped");
            serving.wait();
            Ok(Exit::Success)
        }
        RegistryCommand::Export { folder, bundle } => {
            write_bundle(folder, bundle)?;
            output::data(&bundle.display().to_string());
            Ok(Exit::Success)
        }
        RegistryCommand::Conformance(args) => conformance::conformance(args),
    }
}

/// The keys at hand.
pub fn keys(args: &KeyArgs) -> Result<Keys, Failure> {
    Ok(Keys::gather(args.keys.as_deref(), &args.files, &args.variables)?)
}

/// A registry to change.
pub fn opened(folder: &Path) -> Result<Repository, Failure> {
    Ok(Repository::open(folder, &|| output::say("another process is changing this registry; waiting for it"))?)
}

fn publics(texts: &[String]) -> Result<Vec<PublicKey>, RepositoryError> {
    texts.iter().map(|text| PublicKey::parse(text)).collect()
}

fn init(folder: &Path, generate: bool, long: bool, args: &KeyArgs) -> Outcome {
    if let Some(place) = args.keys.as_deref().filter(|_| generate) {
        Keys::generate(place)?;
    }
    let policy = if long { Policy::long() } else { Policy::default() };
    Repository::init(folder, &keys(args)?, &policy, now())?;
    output::say(&format!("clients pin {}", folder.join("metadata").join("1.root.json").display()));
    shown(folder)
}

fn change(args: &RoleArgs) -> Outcome {
    let change = KeyChange { add: publics(&args.public)?, remove: args.remove.clone(), threshold: args.threshold };
    opened(&args.folder)?.change_keys(&args.role, &change, &keys(&args.keys)?, now())?;
    shown(&args.folder)
}

fn shown(folder: &Path) -> Outcome {
    output::data(&roles(&verify(folder, now())?));
    Ok(Exit::Success)
}

fn verified(folder: &Path, as_json: bool) -> Outcome {
    let found = verify(folder, now())?;
    if as_json {
        output::json(&found);
    } else {
        let mut table = results::table(&["path", "bytes", "sha256", ""]);
        for entry in &found.entries {
            let yanked = entry.release.yanked.as_ref().map(|reason| format!("yanked: {reason}")).unwrap_or_default();
            let sha256 = entry.sha256.chars().take(16).collect();
            table.add_row([entry.release.path().to_string(), entry.bytes.to_string(), sha256, yanked]);
        }
        output::data(&format!("{}\n\n{table}", roles(&found)));
        for problem in &found.problems {
            output::note(&problem.text, problem.code, None);
        }
    }
    Ok(if found.problems.is_empty() { Exit::Success } else { Exit::Input })
}

fn roles(found: &Verified) -> String {
    let mut table = results::table(&["role", "version", "expires", "signatures", "keys"]);
    for role in &found.roles {
        let keys: Vec<&str> = role.keys.iter().map(|id| id.get(..12).unwrap_or(id)).collect();
        table.add_row([
            role.name.clone(),
            role.version.to_string(),
            role.expires.to_string(),
            format!("{} of {}", role.threshold, role.keys.len()),
            keys.join(" "),
        ]);
    }
    table.to_string()
}
