//! What is committed ready-made: components, suites, interfaces.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use bench_suite::{Digest, Suite};
use serde::Deserialize;
use wasmparser::{Parser, Payload};

use crate::project::{FILES, PACKAGES, below, expect_none, read, root};

#[derive(Deserialize)]
struct Bundle {
    compiler: String,
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    kind: String,
    name: String,
    version: String,
    path: String,
    sha256: String,
    bytes: usize,
}

#[derive(Deserialize)]
struct TestGuests {
    compiler: String,
    sha256: BTreeMap<String, String>,
}

const REBUILD: &str = "run `cargo xtask plugins` and commit what it writes:";

fn bundle() -> Bundle {
    serde_json::from_str(&read("registry/bundle.json")).unwrap()
}

fn test_guests() -> TestGuests {
    serde_json::from_str(&read("host/plugin/tests/guests/digests.json")).unwrap()
}

fn bytes(path: &str) -> Vec<u8> {
    fs::read(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_bundle_lists_what_is_there_and_nothing_else() {
    let mut broken = Vec::new();
    let mut listed = BTreeSet::new();
    for component in bundle().components {
        let path = format!("registry/{}", component.path);
        let bytes = bytes(&path);
        if Digest::of(&bytes).to_string() != component.sha256 || bytes.len() != component.bytes {
            broken.push(format!("{path} has another digest or size than bundle.json says"));
        }
        listed.insert(path);
    }
    // Suites, the index and earlier versions stand beside them; that all of it is signed is the next test's.
    let verified = bench_repository::verify(&root().join("registry"), SIGNED_DAY.parse().unwrap()).unwrap();
    listed.extend(verified.entries.iter().map(|entry| format!("registry/targets/{}", entry.release.path())));
    let components = below("registry/targets").filter(|path| path.ends_with(".wasm"));
    broken.extend(components.filter(|path| !listed.contains(*path)).map(|path| format!("{path} is not listed")));
    expect_none(REBUILD, &broken);
}

/// The day on which the committed signatures are looked at. They have to be right on any day; whether they still hold today is the
/// pipeline's to ask, which has a clock.
pub const SIGNED_DAY: &str = "2026-12-01T00:00:00Z";

#[test]
fn the_registry_is_signed_and_lists_what_the_binary_carries() {
    let verified = bench_repository::verify(&root().join("registry"), SIGNED_DAY.parse().unwrap()).unwrap();
    let mut broken: Vec<String> = verified.problems.iter().map(ToString::to_string).collect();
    for component in bundle().components {
        let path = format!("{}/{}/{}.wasm", component.kind, component.name, component.version);
        let listed = verified.entries.iter().find(|entry| entry.release.path().to_string() == path);
        if listed.is_none_or(|entry| entry.sha256 != component.sha256) {
            broken.push(format!("{path} is not listed with its digest"));
        }
    }
    for path in below("suites").filter(|path| path.ends_with("/suite.toml")) {
        let suite = Suite::load(root().join(path).parent().unwrap()).unwrap();
        let manifest = suite.manifest();
        let path = format!("suite/{}/{}.zip", manifest.name, manifest.version);
        if !verified.entries.iter().any(|entry| entry.release.path().to_string() == path) {
            broken.push(format!("{path} is not listed"));
        }
    }
    let thresholds: Vec<u64> = verified.roles.iter().take(4).map(|role| role.threshold).collect();
    assert_eq!(thresholds, [2, 2, 1, 1], "root, targets, snapshot, timestamp");
    expect_none("run `cargo xtask registry --keys FOLDER` and commit what it writes:", &broken);
}

#[test]
fn the_published_suites_are_the_committed_ones() {
    let verified = bench_repository::verify(&root().join("registry"), SIGNED_DAY.parse().unwrap()).unwrap();
    let mut broken = Vec::new();
    for entry in verified.entries.iter().filter(|entry| entry.release.kind == bench_registry::ItemKind::Suite) {
        let path = entry.release.path().to_string();
        let archive = bytes(&format!("registry/targets/{path}"));
        let files = bench_registry::unpack(&archive, bench_registry::ArchiveLimits::suite()).unwrap();
        let folder = root().join("suites").join(entry.release.name.as_str());
        if Suite::from_files(&files).unwrap().digest() != Suite::load(&folder).unwrap().digest() {
            broken.push(format!("{path} is not what is in suites/"));
        }
    }
    expect_none("run `cargo xtask registry --keys FOLDER` and commit what it writes:", &broken);
}

#[test]
fn the_bundle_has_every_plugin_of_the_workspace() {
    let listed: BTreeSet<(String, String)> = bundle()
        .components
        .into_iter()
        .map(|component| (format!("{}-{}", component.kind, component.name), component.version))
        .collect();
    let written: BTreeSet<(String, String)> = PACKAGES
        .iter()
        .filter(|package| {
            ["plugins/drivers/", "plugins/workloads/", "plugins/scorers/"]
                .iter()
                .any(|kind| package.folder.starts_with(kind))
        })
        .map(|package| (package.name.clone(), package.version.clone()))
        .chain([(format!("scorer-{IN_PYTHON}"), "0.1.0".to_owned())])
        .collect();
    assert_eq!(listed, written, "{REBUILD}");
}

#[test]
fn test_guests_are_as_listed_and_built_by_the_bundles_compiler() {
    let guests = test_guests();
    assert_eq!(guests.compiler, bundle().compiler, "{REBUILD}");
    let found: BTreeMap<String, String> = below("host/plugin/tests/guests")
        .filter_map(|path| {
            let name = path.rsplit('/').next()?.strip_suffix(".wasm")?;
            Some((name.to_owned(), Digest::of(&bytes(path)).to_string()))
        })
        .collect();
    assert_eq!(found, guests.sha256, "{REBUILD}");
}

/// The component that is a whole CPython: no package of the workspace, and it imports a WASI that the host leaves empty. Paths of
/// the machine where CPython was built for its tool are in it.
const IN_PYTHON: &str = "code-exec";

#[test]
fn bundled_components_import_nothing_but_types() {
    let mut broken = Vec::new();
    for component in bundle().components {
        let bytes = bytes(&format!("registry/{}", component.path));
        let is_known = |import: &str| {
            import.starts_with("bench:plugin/types@") || component.name == IN_PYTHON && import.starts_with("wasi:")
        };
        let foreign = imports(&bytes).into_iter().filter(|import| !is_known(import));
        broken.extend(foreign.map(|import| format!("{} {} imports {import}", component.kind, component.name)));
    }
    expect_none("a plugin is given nothing, so it must not ask; find the dependency that does:", &broken);
}

/// Names that a component imports. Components nested in it can only import what it passes on.
fn imports(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                found.extend(section.into_iter().map(|import| import.unwrap().name.name.to_owned()));
            }
            _ => {}
        }
    }
    found
}

#[test]
fn suites_load_and_hold_nothing_unlisted() {
    let folders: BTreeSet<&str> = below("suites").filter_map(|path| path.split('/').nth(1)).collect();
    assert!(!folders.is_empty(), "there is no suite");
    let mut broken = Vec::new();
    for name in folders {
        // Loading checks every file against the digest that the manifest states.
        let suite =
            Suite::load(&root().join("suites").join(name)).unwrap_or_else(|error| panic!("suites/{name}: {error}"));
        assert_eq!(suite.manifest().name, name, "suites/{name}/suite.toml has another name than its folder");
        let manifest = suite.manifest();
        let corpora = manifest.corpora.values().map(|corpus| &corpus.file);
        let data = manifest.tasks.iter().map(|task| &task.data.file);
        let examples = manifest.tasks.iter().filter_map(|task| task.template.few_shot_file.as_ref());
        let listed = corpora.chain(data).chain(examples.map(|entry| &entry.file));
        let files: BTreeSet<String> = listed.map(|file| format!("suites/{name}/{file}")).collect();
        let known = |path: &str| {
            files.contains(path)
                || path.starts_with(&format!("suites/{name}/licences/"))
                || ["suite.toml", "README.md"].iter().any(|file| path == format!("suites/{name}/{file}"))
        };
        broken.extend(below(&format!("suites/{name}")).filter(|path| !known(path)).cloned());
    }
    expect_none("name these files in suite.toml with their digests, or remove them:", &broken);
}

#[test]
fn suites_name_workloads_and_scorers_that_the_bundle_has() {
    let named = |kind: &str| -> Vec<String> {
        let components = bundle().components.into_iter();
        components.filter(|component| component.kind == kind).map(|component| component.name).collect()
    };
    let (workloads, scorers) = (named("workload"), named("scorer"));
    let mut broken = Vec::new();
    for path in below("suites").filter(|path| path.ends_with("/suite.toml")) {
        let suite = Suite::load(root().join(path).parent().unwrap()).unwrap();
        let unknown = suite.manifest().workloads.iter().filter(|entry| !workloads.contains(&entry.plugin));
        broken.extend(unknown.map(|entry| format!("{path}: {}", entry.plugin)));
        let unknown = suite.manifest().tasks.iter().filter(|entry| !scorers.contains(&entry.scorer.plugin));
        broken.extend(unknown.map(|entry| format!("{path}: {}", entry.scorer.plugin)));
    }
    expect_none("a suite that the binary carries must run without a download:", &broken);
}

#[test]
fn interfaces_share_one_version() {
    let interfaces: Vec<&String> = below("wit").filter(|path| path.ends_with(".wit")).collect();
    assert!(!interfaces.is_empty(), "there are no interfaces in wit/");
    let declared = |path: &str| read(path).lines().find(|line| line.starts_with("package ")).map(str::to_owned);
    let versions: BTreeSet<Option<String>> = interfaces.iter().map(|path| declared(path)).collect();
    assert_eq!(versions.len(), 1, "every file in wit/ must declare the same package and version: {versions:?}");
}

#[test]
fn no_file_names_this_machine() {
    let home = |variable: &str| std::env::var(variable).ok();
    let places = [Some(root().to_string_lossy().into_owned()), home("HOME"), home("CARGO_HOME"), home("RUSTUP_HOME")];
    let places: Vec<String> = places
        .into_iter()
        .flatten()
        .filter(|place| place.len() > 1)
        .map(|place| format!("{}/", place.trim_end_matches('/')))
        .collect();
    let mut broken = Vec::new();
    for path in FILES.iter().filter(|path| !path.contains(&format!("/{IN_PYTHON}/0.1.0.wasm"))) {
        let bytes = bytes(path);
        let named = places.iter().filter(|place| bytes.windows(place.len()).any(|window| window == place.as_bytes()));
        broken.extend(named.map(|place| format!("{path} has {place}")));
    }
    expect_none("what is committed must be the same wherever it was made; remap or remove the path:", &broken);
}
