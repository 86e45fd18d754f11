//! Looking over a registry: is it what was signed, is it whole, and how long does it last?

use std::fmt;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use bench_registry::{Entry, INDEX_PATH, Index, ItemPath, hex, is_digest, parse_data_path};
use bench_text::clean_sentence;
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

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable identifier.
    pub code: &'static str,
    /// A sentence.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        clean_sentence(&self.text).fmt(f)
    }
}

impl Problem {
    fn new(code: &'static str, text: String) -> Self {
        Self { code, text }
    }
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Verified {
    /// The roles.
    pub roles: Vec<RoleState>,
    /// The releases.
    pub entries: Vec<Entry>,
    /// What is wrong. Empty when all is well.
    pub problems: Vec<Problem>,
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
        problems.push(Problem::new("role-expired", format!("`{}` expired at {}", role.name, role.expires)));
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
    unlisted_metadata(folder, &roles, &mut problems)?;
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
    problems: &mut Vec<Problem>,
    listed: &mut Vec<String>,
) -> Result<(), RepositoryError> {
    let known = entries_of(targets);
    let needed = needed_data(targets);
    for path in needed.iter().filter(|path| !targets.targets.keys().any(|name| name.raw() == path.as_str())) {
        problems.push(Problem::new("data-unlisted", format!("{path} is needed and not listed")));
    }
    for (name, target) in &targets.targets {
        let path = name.raw();
        match ItemPath::parse(path) {
            Ok(item) => {
                if item.name.publisher().unwrap_or(TOP) != role {
                    problems.push(Problem::new(
                        "target-misplaced",
                        format!("`{role}` lists {path}, for which another role speaks"),
                    ));
                }
                if !known.iter().any(|entry| entry.release.path() == item) {
                    problems.push(Problem::new(
                        "target-misdescribed",
                        format!("what `{role}` says of {path} is no release of that path"),
                    ));
                }
            }
            Err(_)
                if needed.contains(path)
                    && parse_data_path(path).is_some_and(|(_, item, _)| item.publisher().unwrap_or(TOP) == role) => {}
            Err(_) if path == INDEX_PATH && (role == TOP || role == INDEX_ROLE) => {}
            Err(error) => problems.push(Problem::new("target-misplaced", format!("`{role}` lists {path}: {error}"))),
        }
        let sha256 = hex(&target.hashes.sha256);
        let file = located(folder, path, &sha256);
        let place = folder.join(TARGETS).join(&file);
        listed.push(file);
        if !place.is_file() {
            problems.push(Problem::new("target-missing", format!("the bytes of {path} are missing")));
            continue;
        }
        let bytes = files::read(&place, LARGEST_TARGET)?;
        if bytes.len() as u64 != target.length || hex(digest(&SHA256, &bytes).as_ref()) != sha256 {
            problems
                .push(Problem::new("target-changed", format!("the bytes of {path} are not those that were signed")));
        }
    }
    Ok(())
}

fn index(
    folder: &Path,
    loaded: &Loaded,
    entries: &[Entry],
    problems: &mut Vec<Problem>,
) -> Result<(), RepositoryError> {
    let holders = std::iter::once(&loaded.targets.signed).chain(loaded.roles.get(INDEX_ROLE).map(|role| &role.signed));
    let found = holders.flat_map(|role| &role.targets).find(|(name, _)| name.raw() == INDEX_PATH);
    let Some((_, target)) = found else {
        problems.push(Problem::new("index-missing", "there is no index".to_owned()));
        return Ok(());
    };
    let place = folder.join(TARGETS).join(located(folder, INDEX_PATH, &hex(&target.hashes.sha256)));
    if place.is_file() && Index::parse(&files::read(&place, LARGEST_TARGET)?)?.entries != entries {
        problems.push(Problem::new("index-stale", "the index says something else than the roles".to_owned()));
    }
    Ok(())
}

fn unlisted(
    folder: &Path,
    prefix: &str,
    listed: &[String],
    problems: &mut Vec<Problem>,
) -> Result<(), RepositoryError> {
    for entry in std::fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            unlisted(&path, &format!("{name}/"), listed, problems)?;
        } else if !listed.contains(&name) && !is_earlier(&path, &name, listed)? {
            problems.push(Problem::new("file-unlisted", format!("targets/{name} is not listed")));
        }
    }
    Ok(())
}

/// Whether this is what a listed path held before, such as the last index: served registries keep that for clients that are in the middle of
/// a refresh. Such a file is named by the digest that it had, and still has.
fn is_earlier(path: &Path, name: &str, listed: &[String]) -> Result<bool, RepositoryError> {
    let parts = |name: &str| {
        let (folder, file) = name.rsplit_once('/')?;
        let (sha256, plain) = file.split_once('.').filter(|(sha256, _)| is_digest(sha256))?;
        Some((sha256.to_owned(), format!("{folder}/{plain}")))
    };
    let Some((sha256, plain)) = parts(name) else { return Ok(false) };
    let known = listed.iter().any(|other| *other == plain || parts(other).is_some_and(|(_, other)| other == plain));
    Ok(known && hex(digest(&SHA256, &files::read(path, LARGEST_TARGET)?).as_ref()) == sha256)
}

/// Metadata that no role has now or has had: a file of another name, or of a version that is still to come.
fn unlisted_metadata(folder: &Path, roles: &[RoleState], problems: &mut Vec<Problem>) -> Result<(), RepositoryError> {
    let metadata = folder.join(METADATA);
    for entry in std::fs::read_dir(&metadata).map_err(at(&metadata))? {
        let name = entry.map_err(at(&metadata))?.file_name().to_string_lossy().into_owned();
        let was = name.strip_suffix(".json").and_then(|stem| stem.split_once('.')).is_some_and(|(version, role)| {
            let current = roles.iter().find(|state| state.name == role && role != "timestamp");
            current.is_some_and(|state| {
                version.parse::<u64>().is_ok_and(|number| number <= state.version && number.to_string() == version)
            })
        });
        if !was && name != "timestamp.json" {
            problems.push(Problem::new("file-unlisted", format!("metadata/{name} is not listed")));
        }
    }
    Ok(())
}

/// The folder of metadata, for whoever serves or copies a registry.
#[must_use]
pub fn metadata_folder(folder: &Path) -> std::path::PathBuf {
    folder.join(METADATA)
}
