//! Names of entries.

use std::ffi::OsStr;
use std::path::{Component, Path};

use crate::FilesError;

/// What names of files begin with that are not complete yet.
const STAGED_PREFIX: &str = ".staged-";

/// Random bytes in the name of a staged file. Another user cannot guess it and occupy it before.
const RANDOM_BYTES: usize = 16;

/// The name, when it is one component and stays in its folder.
pub(crate) fn check_name(name: &OsStr) -> Result<&OsStr, FilesError> {
    let mut components = Path::new(name).components();
    match (components.next(), components.next()) {
        // `a/` and `a/.` have one component as well, so the whole is compared.
        (Some(Component::Normal(only)), None) if only == name => Ok(only),
        _ => Err(FilesError::BadName { name: name.into() }),
    }
}

/// A new random name for a file that is not complete yet. `folder` is for the message of an error.
///
/// # Errors
///
/// [`FilesError::Unwritable`] when the system gives no random numbers.
pub fn staged_name(folder: &Path) -> Result<String, FilesError> {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random)
        .map_err(|error| FilesError::unwritable(folder, std::io::Error::other(error.to_string())))?;
    let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{STAGED_PREFIX}{digits}"))
}

/// Whether the name is that of a staged file. After a crash such files stay behind.
pub(crate) fn is_staged(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(STAGED_PREFIX.as_bytes())
}
