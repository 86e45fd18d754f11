//! Looking over a registry: is it what was signed, is it whole, and how long does it last?

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use bench_registry::{Entry, INDEX_PATH, Index, ItemPath, hex, parse_data_path};
use jiff::Timestamp;
use serde::Serialize;
use tough::schema::{RoleType, Targets};

use crate::error::{RepositoryError, at};
use crate::files;
use crate::load::{self, Loaded, METADATA, TARGETS};
use crate::publish::needed_data;
use crate::repository::{INDEX_ROLE, TOP, entries_of, located};

/// The largest target that is read: 512 MiB.
const LARGEST_TARGET: u64 = 512 << 20;

/// A role as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleState {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u64,
    /// When it expires.
    pub expires: Timestamp,
    /// Ids of its keys.
    pub keys: Vec<String>,
    /// Signatures that it needs.
    pub threshold: u64,
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Verified {
    /// The roles.
    pub roles: Vec<RoleState>,
    /// The releases.
    pub entries: Vec<Entry>,
    /// What is wrong, in sentences. Empty when all is well.
    pub problems: Vec<String>,
}

/// Checks signatures and thresholds from the first root on, that snapshot and timestamp name what is there, that every target has its
/// length and digest and stands where its role may put it, that the index says the same, that nothing is there unlisted, and that
/// nothing has expired.
///
/// # Errors
/// When the metadata is not as it was signed.
pub fn verify(folder: &Path, now: Timestamp) -> Result<Verified, RepositoryError> {
    let loaded = load::load(folder)?;
    let mut problems = Vec::new();
    let roles = states(&loaded);
    for role in roles.iter().filter(|role| role.expires <= now) {
        problems.push(format!("`{}` expired at {}", role.name, role.expires));
    }
    let mut entries = Vec::new();
    let mut listed = Vec::new();
    for (name, role) in
        std::iter::once((TOP, &loaded.targets)).chain(loaded.roles.iter().map(|(name, role)| (name.as_str(), role)))
    {
        look(folder, name, &role.signed, &mut problems, &mut listed)?;
        entries.extend(entries_of(&role.signed));
    }
    entries.sort_by_key(|entry| entry.release.path());
    index(folder, &loaded, &entries, &mut problems)?;
    unlisted(&folder.join(TARGETS), "", &listed, &mut problems)?;
    Ok(Verified { roles, entries, problems })
}

fn states(loaded: &Loaded) -> Vec<RoleState> {
    let mut states = Vec::new();
    let top = [
        (RoleType::Root, loaded.root.signed.version.get(), loaded.root.signed.expires),
        (RoleType::Targets, loaded.targets.signed.version.get(), loaded.targets.signed.expires),
        (RoleType::Snapshot, loaded.snapshot.signed.version.get(), loaded.snapshot.signed.expires),
        (RoleType::Timestamp, loaded.timestamp.signed.version.get(), loaded.timestamp.signed.expires),
    ];
    for (kind, version, expires) in top {
        let role = loaded.root.signed.roles.get(&kind);
        states.push(RoleState {
            name: kind.to_string(),
            version,
            expires,
            keys: role.map(|role| role.keyids.iter().map(|id| hex(id)).collect()).unwrap_or_default(),
            threshold: role.map_or(0, |role| role.threshold.get()),
        });
    }
    let delegated = loaded.targets.signed.delegations.iter().flat_map(|delegations| &delegations.roles);
    for role in delegated {
        let Some(signed) = loaded.roles.get(&role.name) else { continue };
        states.push(RoleState {
            name: role.name.clone(),
            version: signed.signed.version.get(),
            expires: signed.signed.expires,
            keys: role.keyids.iter().map(|id| hex(id)).collect(),
            threshold: role.threshold.get(),
        });
    }
    states
}

/// One role's targets: their bytes, and whether the role may speak for them.
fn look(
    folder: &Path,
    role: &str,
    targets: &Targets,
    problems: &mut Vec<String>,
    listed: &mut Vec<String>,
) -> Result<(), RepositoryError> {
    let known = entries_of(targets);
    let needed = needed_data(targets);
    for path in needed.iter().filter(|path| !targets.targets.keys().any(|name| name.raw() == path.as_str())) {
        problems.push(format!("{path} is needed and not listed"));
    }
    for (name, target) in &targets.targets {
        let path = name.raw();
        match ItemPath::parse(path) {
            Ok(item) => {
                if item.name.publisher().unwrap_or(TOP) != role {
                    problems.push(format!("`{role}` lists {path}, for which another role speaks"));
                }
                if !known.iter().any(|entry| entry.release.path() == item) {
                    problems.push(format!("what `{role}` says of {path} is no release of that path"));
                }
            }
            Err(_)
                if needed.contains(path)
                    && parse_data_path(path).is_some_and(|(_, item, _)| item.publisher().unwrap_or(TOP) == role) => {}
            Err(_) if path == INDEX_PATH && (role == TOP || role == INDEX_ROLE) => {}
            Err(error) => problems.push(format!("`{role}` lists {path}: {error}")),
        }
        let sha256 = hex(&target.hashes.sha256);
        let file = located(folder, path, &sha256);
        let place = folder.join(TARGETS).join(&file);
        listed.push(file);
        if !place.is_file() {
            problems.push(format!("the bytes of {path} are missing"));
            continue;
        }
        let bytes = files::read(&place, LARGEST_TARGET)?;
        if bytes.len() as u64 != target.length || hex(digest(&SHA256, &bytes).as_ref()) != sha256 {
            problems.push(format!("the bytes of {path} are not those that were signed"));
        }
    }
    Ok(())
}

fn index(folder: &Path, loaded: &Loaded, entries: &[Entry], problems: &mut Vec<String>) -> Result<(), RepositoryError> {
    let holders = std::iter::once(&loaded.targets.signed).chain(loaded.roles.get(INDEX_ROLE).map(|role| &role.signed));
    let found = holders.flat_map(|role| &role.targets).find(|(name, _)| name.raw() == INDEX_PATH);
    let Some((_, target)) = found else {
        problems.push("there is no index".to_owned());
        return Ok(());
    };
    let place = folder.join(TARGETS).join(located(folder, INDEX_PATH, &hex(&target.hashes.sha256)));
    if place.is_file() && Index::parse(&files::read(&place, LARGEST_TARGET)?)?.entries != entries {
        problems.push("the index says something else than the roles".to_owned());
    }
    Ok(())
}

fn unlisted(folder: &Path, prefix: &str, listed: &[String], problems: &mut Vec<String>) -> Result<(), RepositoryError> {
    for entry in std::fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            unlisted(&path, &format!("{name}/"), listed, problems)?;
        } else if !listed.contains(&name) && !is_older(&name, listed) {
            problems.push(format!("targets/{name} is not listed"));
        }
    }
    Ok(())
}

/// An earlier index: served registries keep them for clients that are in the middle of a refresh.
fn is_older(name: &str, listed: &[String]) -> bool {
    let ending = |name: &str| {
        name.rsplit_once('/').and_then(|(folder, file)| Some((folder.to_owned(), file.split_once('.')?.1.to_owned())))
    };
    let own = ending(name);
    own.is_some() && listed.iter().any(|other| ending(other) == own)
}

/// The folder of metadata, for whoever serves or copies a registry.
#[must_use]
pub fn metadata_folder(folder: &Path) -> std::path::PathBuf {
    folder.join(METADATA)
}
