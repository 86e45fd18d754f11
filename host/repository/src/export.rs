//! A registry as one file, for machines without a network. It holds what is signed, so it is installed from with the same checks.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use bench_registry::{Files, hex, pack};

use crate::error::RepositoryError;
use crate::files;
use crate::load::{self, METADATA, TARGETS};
use crate::repository::{TOP, located, prefixed};

/// The current metadata, all roots, and every target that is listed, as one archive.
///
/// # Errors
/// When the registry is not as it was signed, or files are missing.
pub fn export(folder: &Path) -> Result<Vec<u8>, RepositoryError> {
    let loaded = load::load(folder)?;
    let metadata = folder.join(METADATA);
    let mut names = vec!["timestamp.json".to_owned(), format!("{}.snapshot.json", loaded.snapshot.signed.version)];
    names.extend(load::root_versions(&metadata)?.iter().map(|version| format!("{version}.root.json")));
    let roles =
        || std::iter::once((TOP, &loaded.targets)).chain(loaded.roles.iter().map(|(name, role)| (name.as_str(), role)));
    names.extend(roles().map(|(name, role)| format!("{}.{name}.json", role.signed.version)));
    let mut content = Files::new();
    for name in names {
        let bytes = files::read(&metadata.join(&name), 16 << 20)?;
        content.insert(format!("{METADATA}/{name}"), bytes);
    }
    for (path, target) in roles().flat_map(|(_, role)| &role.signed.targets) {
        let sha256 = hex(&target.hashes.sha256);
        let file = prefixed(path.raw(), &sha256);
        let place = folder.join(TARGETS).join(located(folder, path.raw(), &sha256));
        let bytes = files::read(&place, target.length)?;
        if hex(digest(&SHA256, &bytes).as_ref()) != sha256 {
            let problem = "it has another digest than the metadata says".to_owned();
            return Err(RepositoryError::BadMetadata { file, problem });
        }
        content.insert(format!("{TARGETS}/{file}"), bytes);
    }
    Ok(pack(&content)?)
}

/// Writes [`export`]'s archive to a file.
///
/// # Errors
/// As [`export`], and when the file cannot be written.
pub fn write_bundle(folder: &Path, file: &Path) -> Result<(), RepositoryError> {
    files::write(file, &export(folder)?)
}
