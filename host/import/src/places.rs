//! Where installed Python packages are, by looking at the file system alone.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::ImportError;
use crate::tree::Tree;

/// The tree in which `package` is a folder: `from`, or one of the usual places.
///
/// `from` may be the package's own folder, the folder that it is in, a virtual environment, or a wheel.
///
/// # Errors
/// [`ImportError::NoPackage`] with the places, and what opening one of them gives.
pub fn locate(package: &'static str, from: Option<&Path>) -> Result<Tree, ImportError> {
    let mut looked = Vec::new();
    if let Some(from) = from.filter(|from| from.is_file()) {
        let tree = Tree::archive(from)?;
        if tree.files(package)?.is_empty() {
            return Err(ImportError::NoPackage { package, looked: vec![tree.name()] });
        }
        return Ok(tree);
    }
    let places = match from {
        Some(from) if from.file_name().is_some_and(|name| name == package) && !from.join(package).is_dir() => {
            vec![from.parent().map_or_else(PathBuf::new, Path::to_owned)]
        }
        Some(from) => [vec![from.to_owned()], site_packages(from)].concat(),
        None => usual(),
    };
    for place in places {
        if place.join(package).is_dir() {
            return Tree::folder(&place);
        }
        looked.push(place.display().to_string());
    }
    if looked.is_empty() {
        looked.push("the usual places, of which there is none".to_owned());
    }
    Err(ImportError::NoPackage { package, looked })
}

/// The folders of packages below the root of an environment.
fn site_packages(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for library in ["lib", "lib64"] {
        for entry in fs::read_dir(root.join(library)).into_iter().flatten().flatten() {
            if !entry.file_name().to_string_lossy().starts_with("python3") {
                continue;
            }
            for name in ["site-packages", "dist-packages"] {
                found.push(entry.path().join(name));
            }
        }
    }
    // As Windows has it.
    found.push(root.join("Lib").join("site-packages"));
    found.retain(|place| place.is_dir());
    found.sort();
    found
}

/// The active environment, the user's own packages, and the system's.
fn usual() -> Vec<PathBuf> {
    let roots = env::var_os("VIRTUAL_ENV")
        .or_else(|| env::var_os("CONDA_PREFIX"))
        .map(PathBuf::from)
        .into_iter()
        .chain(env::var_os("HOME").map(|home| Path::new(&home).join(".local")))
        .chain(["/usr/local", "/usr", "/opt/homebrew"].map(PathBuf::from));
    let mut places: Vec<PathBuf> = roots.flat_map(|root| site_packages(&root)).collect();
    places.push(PathBuf::from("/usr/lib/python3/dist-packages"));
    places.retain(|place| place.is_dir());
    places
}
