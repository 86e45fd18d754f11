//! The shape of the code: sizes, errors, and a binary without logic.

use crate::project::{SOURCES, Source, expect_none};

/// Lines of a module. Longer ones hold two ideas.
const MOST_LINES: usize = 600;

/// Lines of a subcommand, which parses, calls and prints.
const MOST_COMMAND_LINES: usize = 150;

/// Crates of the project that one subcommand may name: the one that does the work, and those whose values it prints.
const MOST_COMMAND_CRATES: usize = 3;

#[test]
fn modules_are_short() {
    let long = SOURCES.iter().filter(|source| source.lines > MOST_LINES);
    let broken: Vec<String> = long.map(|source| format!("{} has {} lines", source.path, source.lines)).collect();
    expect_none(&format!("at most {MOST_LINES} lines; split by responsibility:"), &broken);
}

#[test]
fn nothing_is_left_unfinished() {
    let words = ["todo!", "unimplemented!", "dbg!", "#[ignore"];
    let broken: Vec<String> = SOURCES.iter().flat_map(|source| source.find(&source.code, &words)).collect();
    expect_none("finish it or take it out:", &broken);
}

#[test]
fn subcommands_have_no_logic() {
    let words = [
        "fs::write",
        "fs::create",
        "fs::remove",
        "File::",
        "TcpStream",
        "TcpListener",
        "Command::new",
        "thread::",
        "unsafe",
    ];
    let mut broken = Vec::new();
    for source in SOURCES.iter().filter(|source| source.path.starts_with("host/bench/src/commands/")) {
        if source.lines > MOST_COMMAND_LINES {
            broken.push(format!("{} has {} lines, at most {MOST_COMMAND_LINES}", source.path, source.lines));
        }
        let mut crates = project_crates(source);
        // How a text of others is shown is part of printing.
        crates.retain(|name| name != "bench_text");
        if crates.len() > MOST_COMMAND_CRATES {
            broken.push(format!("{} names {}, at most {MOST_COMMAND_CRATES} crates", source.path, crates.join(", ")));
        }
        broken.extend(source.find(&source.shipped, &words));
    }
    expect_none("a subcommand parses, calls one crate and prints; move the rest into that crate:", &broken);
}

fn project_crates(source: &Source) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (at, _) in source.shipped.match_indices("bench_") {
        let name: String = source.shipped[at..]
            .chars()
            .take_while(|character| character.is_alphanumeric() || *character == '_')
            .collect();
        let is_path = source.shipped[at + name.len()..].starts_with("::");
        if is_path && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[test]
fn public_errors_have_a_code_and_a_hint() {
    let mut broken = Vec::new();
    for source in SOURCES.iter().filter(|source| source.is_shipped() && source.path.starts_with("host/")) {
        for name in public_errors(&source.shipped) {
            for method in ["fn code(", "fn hint("] {
                if !source.shipped.contains(method) {
                    broken.push(format!("{}: {name} has no `{method}..)`", source.path));
                }
            }
        }
    }
    expect_none("an error says what happened, has a stable code, and says what to do next:", &broken);
}

/// Names of the public types that derive an error.
fn public_errors(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut derives = false;
    for line in code.lines().map(str::trim) {
        if line.starts_with("#[derive(") {
            derives = line.contains("Error");
        } else if let Some(rest) = line.strip_prefix("pub enum ").or_else(|| line.strip_prefix("pub struct ")) {
            if derives {
                found.push(rest.split(|character: char| !character.is_alphanumeric()).next().unwrap_or(rest));
            }
            derives = false;
        } else if !line.is_empty() && !line.starts_with("#[") && !line.ends_with(")]") {
            derives = false;
        }
    }
    found
}
