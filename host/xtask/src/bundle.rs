//! Builds all guests and keeps `registry/` in step.
//!
//! `registry/bundle.json` lists what the binary embeds: kind, name, version, digest and size of each component, and the
//! compiler that built them, since another compiler yields other bytes.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::guests::{self, Guest, Place};
use crate::{Error, at, toolchain};

/// `registry/bundle.json`.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
struct Bundle {
    schema_version: u32,
    /// `rustc --version` of the compiler that built the components.
    compiler: String,
    components: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
struct Entry {
    kind: String,
    name: String,
    version: String,
    /// Relative to `registry/`.
    path: String,
    sha256: String,
    bytes: usize,
}

const MANIFEST: &str = "registry/bundle.json";
const TEST_MANIFEST: &str = "host/plugin/tests/guests/digests.json";

/// Digests of the test guests, by path.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
struct TestGuests {
    compiler: String,
    sha256: std::collections::BTreeMap<String, String>,
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    match fs::read(path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map(Some).map_err(|error| Error::Manifest(path.display().to_string(), error))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Plain structs of strings and numbers always serialise.
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Builds everything, then writes it or compares it.
pub fn run(check: bool) -> Result<(), Error> {
    let (root, guests) = guests::find()?;
    let recorded: Option<Bundle> = read(&root.join(MANIFEST))?;
    let toolchain = toolchain::choose(recorded.as_ref().map(|bundle| bundle.compiler.as_str()))?;
    println!("building {} components with {}", guests.len(), toolchain.version);
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into).join("guests");
    let packages: Vec<String> = guests.iter().map(|guest| guest.package.clone()).collect();
    let status = toolchain.build(&root, &target, &packages).status().map_err(at(&root))?;
    if !status.success() {
        return Err(Error::Failed("cargo build".to_owned()));
    }
    let mut files = Vec::new();
    let mut bundle = Bundle { schema_version: 1, compiler: toolchain.version.clone(), components: Vec::new() };
    let mut tests = TestGuests { compiler: toolchain.version.clone(), sha256: Default::default() };
    for guest in &guests {
        let bytes = guest.componentize(&target)?;
        record(guest, &bytes, &mut bundle, &mut tests);
        files.push((root.join(guest.path()), bytes));
    }
    files.push((root.join(MANIFEST), json(&bundle)));
    files.push((root.join(TEST_MANIFEST), json(&tests)));
    if !check {
        return write(&files);
    }
    let same_compiler = recorded.as_ref().is_some_and(|recorded| recorded.compiler == toolchain.version);
    if !same_compiler {
        println!("the committed components were built by another compiler; digests are not compared");
        return Ok(());
    }
    let stale: Vec<String> = files
        .iter()
        .filter(|(path, bytes)| fs::read(path).ok().as_ref() != Some(bytes))
        .map(|(path, _)| format!("  {}", path.strip_prefix(&root).unwrap_or(path).display()))
        .collect();
    if stale.is_empty() {
        println!("all {} components are as committed", guests.len());
        return Ok(());
    }
    Err(Error::Stale(stale))
}

fn record(guest: &Guest, bytes: &[u8], bundle: &mut Bundle, tests: &mut TestGuests) {
    match &guest.place {
        Place::Registry { kind, name } => bundle.components.push(Entry {
            kind: (*kind).to_owned(),
            name: name.clone(),
            version: guest.version.clone(),
            path: format!("targets/{kind}/{name}/{}.wasm", guest.version),
            sha256: digest(bytes),
            bytes: bytes.len(),
        }),
        Place::TestGuest { name } => {
            tests.sha256.insert(name.clone(), digest(bytes));
        }
    }
}

fn write(files: &[(std::path::PathBuf, Vec<u8>)]) -> Result<(), Error> {
    for (path, bytes) in files {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(at(folder))?;
        }
        fs::write(path, bytes).map_err(at(path))?;
    }
    println!("wrote {} files", files.len());
    Ok(())
}
