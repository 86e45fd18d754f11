//! Files of a registry: read within bounds, written in one piece, so that a reader who comes in between finds the old one whole.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;

use bench_files::open_regular;

use crate::error::{RepositoryError, at};

/// Reads a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, RepositoryError> {
    let mut bytes = Vec::new();
    let file = open_regular(path)?;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(at(path))?;
    if bytes.len() as u64 > limit {
        return Err(RepositoryError::BadMetadata {
            file: path.display().to_string(),
            problem: format!("it has more than {limit} bytes"),
        });
    }
    Ok(bytes)
}

/// Writes a file beside its place and moves it there.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), RepositoryError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(at(folder))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(at(folder))?;
    file.write_all(bytes).map_err(at(path))?;
    file.as_file().sync_all().map_err(at(path))?;
    // A web server runs as another user; what is in a registry is public.
    #[cfg(unix)]
    fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).map_err(at(path))?;
    file.persist(path).map(drop).map_err(|error| RepositoryError::Io { path: path.to_owned(), error: error.error })
}
