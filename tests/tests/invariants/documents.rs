//! That the documents say what is true.

use std::fs;

use crate::project::{FILES, PACKAGES, SOURCES, expect_none, read, root};

/// The command of the README that runs every test.
const TESTS: &str = "cargo test --workspace --locked";

/// The command of the README that builds the binary and does the main job.
const MAIN_JOB: &str = "cargo run --release -- run";

/// What stands between single backticks, outside fenced blocks.
fn quoted(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

#[test]
fn the_architecture_names_every_crate() {
    let named = quoted(&read("ARCHITECTURE.md"));
    let short = |name: &str| {
        ["driver-", "workload-", "scorer-", "guest-"].iter().find_map(|kind| name.strip_prefix(kind)).map(str::to_owned)
    };
    let missing = PACKAGES.iter().filter(|package| {
        let name = short(&package.name).unwrap_or_else(|| package.name.clone());
        !named.contains(&name)
    });
    let broken: Vec<String> = missing.map(|package| format!("{} ({})", package.name, package.folder)).collect();
    expect_none("add these crates to the code map of ARCHITECTURE.md:", &broken);
}

#[test]
fn documents_name_files_that_exist() {
    let mut broken = Vec::new();
    for document in ["ARCHITECTURE.md", "README.md"] {
        for name in quoted(&read(document)) {
            let is_pattern = name.contains(['*', '<', '{', ' ', ':']);
            let top = name.split('/').next().unwrap_or_default();
            // What a build leaves in `target` depends on which build it was.
            let is_path = name.contains('/') && !["", "target"].contains(&top) && root().join(top).exists();
            if is_path && !is_pattern && !root().join(&name).exists() {
                broken.push(format!("{document}: {name}"));
            }
        }
    }
    expect_none("the documents name files that do not exist (any more):", &broken);
}

#[test]
fn the_architecture_and_these_tests_name_the_same_rules() {
    let own = "tests/tests/invariants/";
    let mut tests = Vec::new();
    for source in SOURCES.iter().filter(|source| source.path.starts_with(own)) {
        let module = source.path.trim_start_matches(own).trim_end_matches(".rs");
        // Past `#[cfg(test)]` the tests are of the checker itself.
        let lines: Vec<&str> = source.shipped.lines().map(str::trim).collect();
        for pair in lines.windows(2).filter(|pair| pair[0] == "#[test]") {
            let name = pair[1].trim_start_matches("fn ").split('(').next().unwrap_or_default();
            tests.push(format!("{module}::{name}"));
        }
    }
    let named = quoted(&read("ARCHITECTURE.md"));
    let unexplained = tests.iter().filter(|test| !named.contains(test));
    let mut broken: Vec<String> = unexplained.map(|test| format!("ARCHITECTURE.md does not name {test}")).collect();
    let modules: Vec<&str> = tests.iter().filter_map(|test| test.split("::").next()).collect();
    let gone = named.iter().filter(|name| {
        name.split_once("::").is_some_and(|(module, _)| modules.contains(&module)) && !tests.contains(name)
    });
    broken.extend(gone.map(|name| format!("ARCHITECTURE.md names {name}, which is no test")));
    expect_none("every invariant has a sentence and a test:", &broken);
}

#[test]
fn the_readme_gives_the_two_commands_and_ci_runs_the_tests_by_the_same() {
    let readme = read("README.md");
    for command in [MAIN_JOB, TESTS] {
        assert!(readme.lines().any(|line| line.trim() == command), "README.md must have a line `{command}`");
    }
    assert!(read(".ci/run").contains(TESTS), ".ci/run must run the tests by the README's command, `{TESTS}`");
    let manifest = read("Cargo.toml");
    let by_default = manifest.lines().any(|line| line == "default-members = [\"host/bench\"]");
    assert!(by_default, "`cargo run` must mean the binary: Cargo.toml, default-members");
}

#[test]
fn a_licence_is_there_and_every_crate_inherits_it() {
    assert!(FILES.iter().any(|path| path == "LICENSE"), "there is no LICENSE");
    let others = PACKAGES.iter().filter(|package| !package.manifest.contains("license.workspace = true"));
    let broken: Vec<String> = others.map(|package| package.folder.clone()).collect();
    expect_none("add `license.workspace = true`:", &broken);
}

#[test]
fn the_table_of_codes_has_those_of_registries() {
    let explained = quoted(&read("docs/registry.md"));
    let mut missing = Vec::new();
    let sources = ["repository/src/error.rs", "repository/src/verify.rs", "install/src/error.rs", "oci/src/error.rs"];
    for path in sources.map(|path| format!("host/{path}")) {
        let text = read(&path);
        // A code stands alone in its literal: two words or more in kebab case.
        let literals = text.split('"').skip(1).step_by(2);
        let codes = literals
            .filter(|text| text.contains('-') && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
        missing.extend(
            codes.filter(|code| !explained.iter().any(|known| known == code)).map(|code| format!("{path}: {code}")),
        );
    }
    expect_none("explain these codes in docs/registry.md:", &missing);
}

/// Every line of a table under "What holds" ends in the tests that fail without its defence, as
/// `FILE::TEST`.
#[test]
fn the_threat_model_names_tests_that_exist() {
    let text = read("docs/security.md");
    let section = text.split("\n## ").find(|section| section.starts_with("What holds")).unwrap_or_default();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ") && !line.contains("---")).collect();
    let mut broken = Vec::new();
    for row in rows.iter().filter(|row| !row.ends_with("| test |")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let tests = quoted(cells.last().unwrap_or(&""));
        if tests.is_empty() {
            broken.push(format!("no test: {row}"));
        }
        for test in tests {
            let (path, name) = test.split_once("::").unwrap_or((test.as_str(), ""));
            let there = FILES.iter().any(|known| known == path) && read(path).contains(&format!("fn {name}("));
            if !there {
                broken.push(format!("{test} is no test"));
            }
        }
    }
    assert!(rows.len() > 20, "the threat model has {} lines", rows.len());
    expect_none("docs/security.md names tests that exist, for every line:", &broken);
}

#[test]
fn every_driver_has_a_page() {
    let index = read("docs/drivers/README.md");
    let drivers = fs::read_dir(root().join("plugins/drivers")).unwrap().map(|entry| entry.unwrap());
    let names: Vec<String> = drivers
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert!(!names.is_empty());
    let lacks = names.into_iter().filter(|name| {
        let page = fs::read_to_string(root().join(format!("docs/drivers/{name}.md"))).unwrap_or_default();
        let has = |heading: &str| page.contains(&format!("\n## {heading}"));
        let is_whole =
            ["Checked against", "What it measures", "Rules of the", "Parameters"].iter().all(|part| has(part));
        !is_whole || !index.contains(&format!("]({name}.md)"))
    });
    expect_none(
        "write the page of the driver in docs/drivers, with all sections, and its row in the index:",
        &lacks.collect::<Vec<_>>(),
    );
}
