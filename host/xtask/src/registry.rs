//! Signs the project's own registry. The work is the binary's; here is only what it is asked to do, in which order.

use std::path::Path;
use std::process::Command;

use crate::{Error, at, guests};

/// The registry's folder.
const FOLDER: &str = "registry";

/// Makes the registry where there is none, publishes what the binary carries, extends what expires soon, and looks it over.
pub fn run(keys: &Path) -> Result<(), Error> {
    let (root, _) = guests::find()?;
    let keys = std::path::absolute(keys).map_err(at(keys))?;
    let keys = keys.to_string_lossy();
    if !root.join(FOLDER).join("metadata/timestamp.json").exists() {
        bench(&root, &["registry", "init", FOLDER, "--long", "--keys", &keys])?;
    }
    let signed = ["--tidy", "--keys", &keys];
    bench(
        &root,
        &[&["registry", "publish", FOLDER, "--carried", "--replace", "--licence", "Apache-2.0"], &signed[..]].concat(),
    )?;
    bench(&root, &[&["registry", "refresh", FOLDER], &signed[..]].concat())?;
    bench(&root, &["registry", "verify", FOLDER])
}

fn bench(root: &Path, args: &[&str]) -> Result<(), Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).args(["run", "--quiet", "--package", "bench", "--"]).args(args);
    match command.status().map_err(at(root))? {
        status if status.success() => Ok(()),
        _ => Err(Error::Failed(format!("bench {}", args.join(" ")))),
    }
}
