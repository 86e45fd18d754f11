//! Builds all guests and keeps `registry/` in step.
//!
//! `registry/bundle.json` lists what the binary embeds: kind, name, version, digest and size of each component, and the
//! compiler that built them, since another compiler yields other bytes.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::guests::{self, Guest, Place};
use bench_forge::Job;

use crate::{Error, at};

/// `registry/bundle.json`.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
struct Bundle {
    schema_version: u32,
    /// `rustc --version` of the compiler that built the components.
    compiler: String,
    components: Vec<Entry>,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
struct Entry {
    kind: String,
    name: String,
    version: String,
    /// Relative to `registry/`.
    path: String,
    sha256: String,
    bytes: usize,
    /// Digest of what it was built from, where the same sources yield other bytes each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sources: Option<String>,
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
    hex(&Sha256::digest(bytes))
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Builds everything, then writes it or compares it.
pub fn run(check: bool) -> Result<(), Error> {
    let (root, guests) = guests::find()?;
    let recorded: Option<Bundle> = read(&root.join(MANIFEST))?;
    let toolchain = bench_forge::choose(recorded.as_ref().map(|bundle| bundle.compiler.as_str()))?;
    println!("building {} components with {}", guests.len(), toolchain.version);
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into).join("guests");
    let packages: Vec<String> = guests.iter().map(|guest| guest.package.clone()).collect();
    let job = Job { folder: &root, target: &target, profile: "guest", packages: &packages, locked: true };
    let status = toolchain.command(&job).status().map_err(at(&root))?;
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
    match code_exec(&root, &target, recorded.as_ref(), check)? {
        CodeExec::AsCommitted(entry) => bundle.components.push(entry),
        CodeExec::Built(entry, bytes) => {
            files.push((root.join("registry").join(&entry.path), bytes));
            bundle.components.push(entry);
        }
        CodeExec::Absent => {}
    }
    bundle.components.sort_by(|one, other| one.path.cmp(&other.path));
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

enum CodeExec {
    AsCommitted(Entry),
    Built(Entry, Vec<u8>),
    Absent,
}

/// The scorer written in Python: as it is while its sources are, else built again, where the tool for it is installed.
fn code_exec(root: &Path, target: &Path, recorded: Option<&Bundle>, check: bool) -> Result<CodeExec, Error> {
    use crate::code_exec::{NAME, Sources, VERSION};
    let sources = Sources::read(root)?;
    let path = format!("targets/scorer/{NAME}/{VERSION}.wasm");
    let file = root.join("registry").join(&path);
    let committed = recorded.and_then(|bundle| bundle.components.iter().find(|entry| entry.path == path));
    let same = |entry: &&Entry| fs::read(&file).is_ok_and(|bytes| digest(&bytes) == entry.sha256);
    if let Some(entry) = committed.filter(same).filter(|entry| entry.sources.as_ref() == Some(&sources.digest())) {
        return Ok(CodeExec::AsCommitted(entry.clone()));
    }
    if check {
        return Err(Error::Stale(vec![format!("  registry/{path}: its sources have changed")]));
    }
    if let Some(bytes) = sources.build(target)? {
        let entry = Entry {
            kind: "scorer".to_owned(),
            name: NAME.to_owned(),
            version: VERSION.to_owned(),
            path,
            sha256: digest(&bytes),
            bytes: bytes.len(),
            sources: Some(sources.digest()),
        };
        return Ok(CodeExec::Built(entry, bytes));
    }
    println!(
        "{NAME} is left as committed, though its sources have changed: componentize-py {} is not installed",
        bench_forge::COMPONENTIZE_PY
    );
    Ok(committed.cloned().map_or(CodeExec::Absent, CodeExec::AsCommitted))
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
            sources: None,
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
