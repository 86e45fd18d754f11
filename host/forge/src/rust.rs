//! From a core module to a component, and from a package of its own to a module.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{MetadataCommand, Package};
use wit_component::ComponentEncoder;

use crate::error::{ForgeError, at};
use crate::toolchain::{self, Job, TARGET};

/// Wraps the core module in `path`, which carries the description of its interface, as a component.
///
/// # Errors
/// [`ForgeError::Io`], and [`ForgeError::Encode`] for a module that implements no interface.
pub fn encode(path: &Path) -> Result<Vec<u8>, ForgeError> {
    let module = fs::read(path).map_err(at(path))?;
    let wrapped = ComponentEncoder::default().validate(true).module(&module).and_then(|encoder| encoder.encode());
    wrapped.map_err(|error| ForgeError::Encode { path: path.to_owned(), why: format!("{error:#}") })
}

/// Builds the package in `folder` and wraps what came out.
pub(crate) fn build(folder: &Path) -> Result<Vec<u8>, ForgeError> {
    let manifest = folder.join("Cargo.toml");
    let bad = |why: String| ForgeError::BadProject { path: manifest.clone(), why };
    let metadata = MetadataCommand::new()
        .manifest_path(&manifest)
        .no_deps()
        .exec()
        .map_err(|error| bad(error.to_string().trim().to_owned()))?;
    let here = folder.canonicalize().map_err(at(folder))?;
    let is_here = |package: &&Package| package.manifest_path.as_std_path().parent() == Some(here.as_path());
    let package = metadata
        .packages
        .iter()
        .find(is_here)
        .ok_or_else(|| bad("it is a workspace; name the folder of a plugin in it".to_owned()))?;
    if !package.targets.iter().any(cargo_metadata::Target::is_cdylib) {
        return Err(bad("`[lib] crate-type` does not have \"cdylib\"".to_owned()));
    }
    let target: PathBuf = metadata.target_directory.clone().into_std_path_buf();
    let name = package.name.to_string();
    let toolchain = toolchain::choose(None)?;
    let job = Job {
        folder: &here,
        target: &target,
        profile: "release",
        packages: std::slice::from_ref(&name),
        locked: false,
    };
    run(toolchain.command(&job), "cargo build")?;
    encode(&target.join(TARGET).join("release").join(format!("{}.wasm", name.replace('-', "_"))))
}

/// Runs a tool whose words go to the terminal.
pub(crate) fn run(mut command: Command, name: &str) -> Result<(), ForgeError> {
    let program = PathBuf::from(command.get_program());
    // What is said goes to standard error: standard output is for what `bench` has to say.
    command.stdout(std::io::stderr());
    match command.status().map_err(at(&program))?.success() {
        true => Ok(()),
        false => Err(ForgeError::Failed(name.to_owned())),
    }
}
