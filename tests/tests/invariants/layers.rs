//! Which crate may know which.

use crate::project::{PACKAGES, Package, expect_none};

/// What each crate of the host may depend on, in the order of the pipeline: a crate names only crates above it. What is not
/// listed is forbidden, so a new arrow is a decision that is made here, and explained in `ARCHITECTURE.md`.
const ALLOWED: &[(&str, &[&str])] = &[
    // How text of others is shown, which every crate asks that puts such text into a sentence or a table.
    ("bench-text", &[]),
    ("bench-metrics", &[]),
    ("bench-files", &["bench-text"]),
    // What is read of JSON, archives and Parquet from outside, within a budget of memory.
    ("bench-json", &[]),
    ("bench-unpack", &["bench-text"]),
    ("bench-suite", &["bench-json", "bench-text"]),
    ("bench-wire", &["bench-text"]),
    ("bench-machine", &["bench-files", "bench-text"]),
    ("bench-sim", &[]),
    ("bench-meter", &[]),
    // How samples and verdicts are packed for the sandbox's boundary is the one thing that both sides of it share as code.
    ("bench-packed", &[]),
    ("bench-plugin", &["bench-files", "bench-meter", "bench-packed", "bench-text"]),
    ("bench-forge", &[]),
    ("xtask", &["bench-forge"]),
    // No guest can run in a timed window: the crate that opens windows does not know what a guest is.
    ("bench-load", &["bench-text", "bench-wire"]),
    // Knows bytes and digests, and not what a component is.
    ("bench-oci", &["bench-files", "bench-text", "bench-wire"]),
    ("bench-record", &["bench-files", "bench-json", "bench-machine", "bench-metrics", "bench-text", "bench-unpack"]),
    ("bench-samples", &["bench-files", "bench-json", "bench-text", "bench-unpack"]),
    ("bench-import", &["bench-files", "bench-json", "bench-samples", "bench-suite", "bench-text", "bench-unpack"]),
    ("bench-grade", &["bench-plugin", "bench-text"]),
    ("bench-kit", &["bench-files", "bench-forge", "bench-grade", "bench-plugin", "bench-text", "bench-wire"]),
    ("bench-report", &["bench-metrics", "bench-record", "bench-text"]),
    ("bench-registry", &["bench-files", "bench-json", "bench-plugin", "bench-text", "bench-unpack"]),
    // The rules for what a plugin may have, and the user's file of them.
    ("bench-grants", &["bench-files", "bench-registry", "bench-text"]),
    // Publishing looks at components as their authors do, with the kit.
    ("bench-repository", &["bench-files", "bench-kit", "bench-plugin", "bench-registry", "bench-suite", "bench-text"]),
    (
        "bench-install",
        &[
            "bench-files",
            "bench-grants",
            "bench-oci",
            "bench-plugin",
            "bench-registry",
            "bench-suite",
            "bench-text",
            "bench-wire",
        ],
    ),
    (
        "bench-eval",
        &[
            "bench-grade",
            "bench-metrics",
            "bench-plugin",
            "bench-record",
            "bench-registry",
            "bench-samples",
            "bench-suite",
            "bench-text",
            "bench-wire",
        ],
    ),
    (
        "bench-rescore",
        &[
            "bench-eval",
            "bench-files",
            "bench-grade",
            "bench-json",
            "bench-plugin",
            "bench-record",
            "bench-registry",
            "bench-samples",
            "bench-text",
        ],
    ),
    (
        "bench-run",
        &[
            "bench-eval",
            "bench-files",
            "bench-grants",
            "bench-load",
            "bench-machine",
            "bench-metrics",
            "bench-plugin",
            "bench-record",
            "bench-registry",
            "bench-sim",
            "bench-suite",
            "bench-text",
            "bench-wire",
        ],
    ),
    // Neither `bench-wire` nor `bench-load`: the binary measures nothing.
    (
        "bench",
        &[
            "bench-files",
            "bench-grants",
            "bench-import",
            "bench-install",
            "bench-json",
            "bench-kit",
            "bench-machine",
            "bench-metrics",
            "bench-oci",
            "bench-plugin",
            "bench-record",
            "bench-registry",
            "bench-report",
            "bench-repository",
            "bench-rescore",
            "bench-run",
            "bench-samples",
            "bench-sim",
            "bench-suite",
            "bench-text",
        ],
    ),
];

/// Everything that a plugin may be built from: parsers and glue, nothing that reaches outside.
const GUEST_MAY_USE: [&str; 16] = [
    "bench-packed",
    "bench-scoring",
    "bench-sdk",
    "fancy-regex",
    "guest-scorer-stub",
    "guest-stub",
    "libm",
    "memchr",
    "miniz_oxide",
    "num-bigint",
    "regex-automata",
    "regex-syntax",
    "serde",
    "serde_json",
    "sha2",
    "wit-bindgen",
];

/// What the rules of scorers, which several components share, begin with.
const RULES: &str = "rules-";

/// Crates that only these packages may name, by the beginning of their names.
const EXCLUSIVE: [(&str, &[&str]); 12] = [
    ("wasmtime", &["bench-plugin"]),
    ("cranelift", &["bench-plugin"]),
    ("hyper", &["bench-wire"]),
    ("reqwest", &["bench-wire"]),
    ("rustls", &["bench-wire"]),
    ("tokio-rustls", &["bench-wire"]),
    ("socket2", &["bench-wire"]),
    ("parquet", &["bench-import", "bench-record", "bench-samples", "bench-unpack"]),
    // Who writes a registry and who reads it share no code that checks signatures.
    ("tough", &["bench-repository"]),
    ("aws-lc-rs", &["bench-repository"]),
    ("sigstore-tuf", &["bench-install"]),
    ("wit-component", &["bench-forge", "xtask"]),
];

fn is_project(name: &str) -> bool {
    PACKAGES.iter().any(|package| package.name == name)
}

fn package(name: &str) -> &'static Package {
    PACKAGES.iter().find(|package| package.name == name).unwrap_or_else(|| panic!("there is no package {name}"))
}

#[test]
fn host_crates_depend_only_on_what_the_table_allows() {
    let mut broken = Vec::new();
    // Tests may look at everything; that nobody depends on them follows from the table.
    for package in PACKAGES.iter().filter(|package| package.folder.starts_with("host/")) {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == package.name) else {
            broken.push(format!("{} is not in the table", package.name));
            continue;
        };
        for needed in package.needs().filter(|needed| is_project(needed) && !allowed.contains(needed)) {
            broken.push(format!("{} must not depend on {needed}", package.name));
        }
    }
    expect_none(
        "data goes one way, see `ALLOWED` in layers.rs; move the code, or change the table and ARCHITECTURE.md:",
        &broken,
    );
}

#[test]
fn the_table_names_crates_that_exist_and_only_those_above() {
    for (place, (name, allowed)) in ALLOWED.iter().enumerate() {
        package(name);
        for needed in *allowed {
            let above = ALLOWED[..place].iter().any(|(name, _)| name == needed);
            assert!(above, "`ALLOWED` in layers.rs: {needed} must stand above {name}");
        }
    }
}

#[test]
fn guests_are_built_from_nothing_that_reaches_outside() {
    let mut broken = Vec::new();
    for package in PACKAGES.iter().filter(|package| package.is_guest()) {
        let foreign = package.needs().filter(|needed| !GUEST_MAY_USE.contains(needed) && !needed.starts_with(RULES));
        broken.extend(foreign.map(|needed| format!("{} depends on {needed}", package.name)));
        let host = package
            .dependencies
            .iter()
            .filter(|dependency| is_project(&dependency.name) && !self::package(&dependency.name).is_guest());
        broken.extend(host.map(|dependency| format!("{} knows the host crate {}", package.name, dependency.name)));
    }
    expect_none("a plugin knows the SDK and a few parsers; put shared code into plugins/sdk:", &broken);
}

#[test]
fn some_dependencies_have_one_owner() {
    let mut broken = Vec::new();
    for package in PACKAGES.iter() {
        for needed in package.needs() {
            let owners = EXCLUSIVE.iter().find(|(begin, _)| needed.starts_with(begin)).map(|(_, owners)| *owners);
            if owners.is_some_and(|owners| !owners.contains(&package.name.as_str())) {
                broken.push(format!("{} depends on {needed}", package.name));
            }
        }
    }
    expect_none("sandbox, sockets and file formats have one owner each, see `EXCLUSIVE` in layers.rs:", &broken);
}

#[test]
fn every_crate_keeps_the_lints_of_the_workspace() {
    let lax = PACKAGES.iter().filter(|package| !package.manifest.contains("[lints]\nworkspace = true"));
    let broken: Vec<String> = lax.map(|package| format!("{}/Cargo.toml", package.folder)).collect();
    expect_none("add `[lints]` with `workspace = true`:", &broken);
}
