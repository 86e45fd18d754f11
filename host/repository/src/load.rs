//! Reading a registry's metadata back, with every signature checked. A change is only ever built on what was signed: signing on top of
//! something tampered with would make it genuine.

use std::collections::BTreeMap;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use tough::schema::{Metafile, Root, Signed, Snapshot, Targets, Timestamp};

use crate::document::{read, read_with_bytes};
use crate::error::{RepositoryError, at};
use crate::files;

/// The folder of metadata within a registry.
pub(crate) const METADATA: &str = "metadata";
/// The folder of targets within a registry.
pub(crate) const TARGETS: &str = "targets";

/// All metadata of a registry, verified from its latest root down.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub root: Signed<Root>,
    pub targets: Signed<Targets>,
    /// Delegated roles that have signed something, by name.
    pub roles: BTreeMap<String, Signed<Targets>>,
    pub snapshot: Signed<Snapshot>,
    pub timestamp: Signed<Timestamp>,
}

fn bad(file: &str, problem: impl ToString) -> RepositoryError {
    RepositoryError::BadMetadata { file: file.to_owned(), problem: problem.to_string() }
}

/// The versions of root that there are, without gaps.
pub(crate) fn root_versions(metadata: &Path) -> Result<Vec<u64>, RepositoryError> {
    let mut versions = Vec::new();
    for entry in std::fs::read_dir(metadata).map_err(at(metadata))? {
        let name = entry.map_err(at(metadata))?.file_name();
        let version: Option<u64> =
            name.to_str().and_then(|name| name.strip_suffix(".root.json")).and_then(|version| version.parse().ok());
        versions.extend(version);
    }
    versions.sort_unstable();
    if versions.is_empty() {
        return Err(bad("root.json", format!("there is none in {}", metadata.display())));
    }
    match versions.windows(2).find(|pair| pair[1] != pair[0] + 1) {
        Some(pair) => Err(bad(&format!("{}.root.json", pair[0] + 1), "it is missing")),
        None => Ok(versions),
    }
}

/// The last root of an unbroken chain of signatures.
fn latest_root(metadata: &Path) -> Result<Signed<Root>, RepositoryError> {
    let mut root: Option<Signed<Root>> = None;
    for version in root_versions(metadata)? {
        let file = format!("{version}.root.json");
        let next: Signed<Root> = read(metadata, &file)?;
        if next.signed.version.get() != version {
            return Err(bad(&file, "it holds another version"));
        }
        next.signed.verify_role(&next).map_err(|error| bad(&file, error))?;
        if let Some(before) = &root {
            before.signed.verify_role(&next).map_err(|error| bad(&file, error))?;
        }
        root = Some(next);
    }
    root.ok_or_else(|| bad("root.json", "there is none"))
}

/// Where the timestamp of a new root is kept, beside the metadata, from before that root is there until its timestamp is.
pub(crate) fn next_timestamp(root: u64) -> String {
    format!("{root}.timestamp.next")
}

/// Ends a change of the root that was cut off between the root and its timestamp. Only a timestamp that was made for the latest root
/// and signed by its keys takes the other's place; one whose root never came is thrown away.
pub(crate) fn finish(folder: &Path) -> Result<(), RepositoryError> {
    let metadata = folder.join(METADATA);
    let root = latest_root(&metadata)?;
    let version = root.signed.version.get();
    let name = next_timestamp(version);
    if folder.join(&name).is_file() {
        let (next, bytes): (Signed<Timestamp>, _) = read_with_bytes(folder, &name)?;
        root.signed.verify_role(&next).map_err(|error| bad(&name, error))?;
        let current: Signed<Timestamp> = read(&metadata, "timestamp.json")?;
        if current.signed.version < next.signed.version {
            files::write(&metadata.join("timestamp.json"), &bytes)?;
        }
    }
    for version in [version, version + 1] {
        let left = folder.join(next_timestamp(version));
        if left.is_file() {
            std::fs::remove_file(&left).map_err(at(&left))?;
        }
    }
    Ok(())
}

/// Reads and verifies all of it. Expiry is not looked at: what has expired can be signed again.
pub(crate) fn load(folder: &Path) -> Result<Loaded, RepositoryError> {
    let metadata = folder.join(METADATA);
    let root = latest_root(&metadata)?;
    let timestamp: Signed<Timestamp> = read(&metadata, "timestamp.json")?;
    root.signed.verify_role(&timestamp).map_err(|error| bad("timestamp.json", error))?;
    let (snapshot, snapshot_file): (Signed<Snapshot>, _) = pinned(&metadata, "snapshot", &timestamp.signed.meta)?;
    root.signed.verify_role(&snapshot).map_err(|error| bad(&snapshot_file, error))?;
    let (targets, targets_file): (Signed<Targets>, _) = pinned(&metadata, "targets", &snapshot.signed.meta)?;
    root.signed.verify_role(&targets).map_err(|error| bad(&targets_file, error))?;
    let mut roles = BTreeMap::new();
    for name in
        snapshot.signed.meta.keys().filter_map(|file| file.strip_suffix(".json")).filter(|name| *name != "targets")
    {
        let (role, file): (Signed<Targets>, _) = pinned(&metadata, name, &snapshot.signed.meta)?;
        let delegations = targets.signed.delegations.as_ref().ok_or_else(|| bad(&file, "nobody delegates to it"))?;
        delegations.verify_role(&role, name).map_err(|error| bad(&file, error))?;
        roles.insert(name.to_owned(), role);
    }
    Ok(Loaded { root, targets, roles, snapshot, timestamp })
}

/// A file that other metadata names by version, length and digest.
fn pinned<T: serde::de::DeserializeOwned>(
    metadata: &Path,
    name: &str,
    meta: &std::collections::HashMap<String, Metafile>,
) -> Result<(Signed<T>, String), RepositoryError> {
    let pin = meta.get(&format!("{name}.json")).ok_or_else(|| bad(&format!("{name}.json"), "nothing names it"))?;
    let file = format!("{}.{name}.json", pin.version);
    let (role, bytes) = read_with_bytes(metadata, &file)?;
    let right_length = pin.length.is_none_or(|length| length == bytes.len() as u64);
    let sha256 = digest(&SHA256, &bytes);
    if !right_length || pin.hashes.as_ref().is_some_and(|hashes| *hashes.sha256 != *sha256.as_ref()) {
        return Err(bad(&file, "it has another length or digest than the metadata above it says"));
    }
    Ok((role, file))
}
