//! Components from Python, by `componentize-py`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{ForgeError, at};
use crate::rust::run;

/// The release of `componentize-py` that the project builds and tests with.
pub const COMPONENTIZE_PY: &str = "0.25.1";

/// Where `componentize-py` is: what `BENCH_COMPONENTIZE_PY` names, else `.venv` of the plugin, else the path.
pub fn find_componentize_py(folder: &Path) -> Option<PathBuf> {
    let named = std::env::var_os("BENCH_COMPONENTIZE_PY").map(PathBuf::from);
    let own = [folder.join(".venv/bin/componentize-py"), folder.join(".venv/Scripts/componentize-py.exe")];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let everywhere = std::env::split_paths(&path).map(|folder| folder.join("componentize-py"));
    named.into_iter().chain(own).chain(everywhere).find(|program| program.is_file())
}

/// Builds the module `app` of `folder`, with the interfaces of `wit`, into `out`.
///
/// # Errors
/// [`ForgeError::NoTool`] without `componentize-py`, [`ForgeError::Failed`] where it fails.
pub fn componentize(folder: &Path, wit: &Path, world: &str, out: &Path) -> Result<(), ForgeError> {
    let program = find_componentize_py(folder).ok_or_else(|| ForgeError::NoTool {
        tool: "componentize-py",
        install: format!(
            "run `python3 -m venv .venv && .venv/bin/pip install componentize-py=={COMPONENTIZE_PY}` in the plugin's folder"
        ),
    })?;
    // The file is made beside its place, so that a failure leaves the last one alone.
    let made = out.with_extension("wasm.new");
    let mut command = Command::new(&program);
    command
        .current_dir(folder)
        .arg("-d")
        .arg(wit)
        .args(["-w", world, "componentize", "-p", ".", "app", "-o"])
        .arg(&made);
    run(command, "componentize-py")?;
    std::fs::rename(&made, out).map_err(at(out))
}

/// Builds the plugin in `folder`.
pub(crate) fn build(folder: &Path, world: &str) -> Result<Vec<u8>, ForgeError> {
    let folder = folder.canonicalize().map_err(at(folder))?;
    let out = folder.join("plugin.wasm");
    componentize(&folder, &folder.join("wit"), world, &out)?;
    std::fs::read(&out).map_err(at(&out))
}
