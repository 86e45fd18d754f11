//! Who may read a clock, open a socket, touch a file or talk to the terminal.

use crate::project::{SOURCES, Source, expect_none};

/// Every way to a clock, in the standard library and in the crates at hand. Time spans and `UNIX_EPOCH` are not clocks.
const CLOCKS: [&str; 9] = [
    "Instant",
    "SystemTime",
    "Timestamp::now",
    "clock_gettime",
    "gettimeofday",
    "now_utc",
    "now_local",
    "_rdtsc",
    ".elapsed(",
];

/// Every way to a socket.
const SOCKETS: [&str; 11] = [
    "TcpStream",
    "TcpListener",
    "TcpSocket",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "UnixDatagram",
    "tokio::net",
    "hyper::",
    "reqwest::",
    "socket2::",
];

/// What pure code has no use for.
const OUTSIDE: [&str; 7] = ["env", "fs", "net", "os", "process", "thread", "time"];

fn shipped() -> impl Iterator<Item = &'static Source> {
    SOURCES.iter().filter(|source| source.is_shipped())
}

fn is_in(source: &Source, folders: &[&str]) -> bool {
    folders.iter().any(|folder| source.path.starts_with(&format!("{folder}/")))
}

fn outside(source: &Source) -> Vec<String> {
    let modules = source.std_modules().into_iter().filter(|(_, module)| OUTSIDE.contains(&module.as_str()));
    modules.map(|(place, module)| format!("{place}: std::{module}")).collect()
}

/// The main function of programs that grade natively, for comparisons with other implementations.
const NATIVE_SCORING: &str = "plugins/scoring/src/native.rs";

#[test]
fn only_wire_load_and_sim_read_a_clock() {
    let mut broken = Vec::new();
    for source in shipped().filter(|source| !is_in(source, &["host/wire", "host/load", "host/sim"])) {
        let words: Vec<&str> = match source.path.as_str() {
            // The date of a run, which is no measurement.
            "host/run/src/side.rs" => CLOCKS.into_iter().filter(|word| *word != "now_utc").collect(),
            // What the native logic of scorers costs, beside which components are measured; it is in no component.
            NATIVE_SCORING => CLOCKS.into_iter().filter(|word| !["Instant", ".elapsed("].contains(word)).collect(),
            // How much of a core the machine takes away, for the figures; part of no program that is installed.
            "host/xtask/src/figures/process.rs" => CLOCKS.into_iter().filter(|word| *word != "Instant").collect(),
            // `Instantiate` is what the binary format calls making an instance.
            "host/meter/src/component.rs" | "host/meter/src/crossing.rs" => {
                CLOCKS.into_iter().filter(|word| *word != "Instant").collect()
            }
            // The age of a progress bar.
            "host/bench/src/live.rs" => CLOCKS.into_iter().filter(|word| *word != ".elapsed(").collect(),
            _ => CLOCKS.to_vec(),
        };
        broken.extend(source.find(&source.shipped, &words));
    }
    expect_none("times come from bench-wire, as `Stamp`s; take one as an argument:", &broken);
}

#[test]
fn only_wire_and_sim_open_sockets() {
    let mut broken = Vec::new();
    for source in shipped().filter(|source| !is_in(source, &["host/wire", "host/sim"])) {
        let words: Vec<&str> = match source.path.as_str() {
            // Finds a free port for an engine that is about to be started, and talks to nobody.
            "host/run/src/connect.rs" => SOCKETS.into_iter().filter(|word| *word != "TcpListener").collect(),
            // Serves files of a registry on the loopback address, and connects to itself alone, to end.
            "host/repository/src/serve.rs" => {
                SOCKETS.into_iter().filter(|word| !["TcpListener", "TcpStream"].contains(word)).collect()
            }
            _ => SOCKETS.to_vec(),
        };
        broken.extend(source.find(&source.shipped, &words));
    }
    expect_none("sockets are bench-wire's, where redirects, secrets and sizes are kept in check:", &broken);
}

#[test]
fn pure_crates_do_no_io() {
    let mut broken = Vec::new();
    for source in shipped().filter(|source| is_in(source, &["host/metrics", "host/report", "host/suite", "host/text"]))
    {
        // The one place that reads a suite's folder.
        let is_reader = source.path == "host/suite/src/load.rs";
        broken.extend(outside(source).into_iter().filter(|place| !(is_reader && place.ends_with("std::fs"))));
        broken.extend(source.find(&source.shipped, &["tokio", "libc::", "stdin("]));
    }
    expect_none("these crates are pure functions, so that anyone can compute a result again; pass values in:", &broken);
}

#[test]
fn plugins_reach_for_nothing_outside() {
    // Helpers of native tests; `lib.rs` compiles them for no component, which the next test sees to.
    let native = ["plugins/sdk/src/testkit.rs", "plugins/sdk/src/conformance.rs"];
    // Test guests misbehave on purpose.
    let plugins = shipped().filter(|source| is_in(source, &["plugins/sdk", "plugins/drivers", "plugins/workloads"]));
    let broken: Vec<String> =
        plugins.filter(|source| !native.contains(&source.path.as_str())).flat_map(outside).collect();
    expect_none("a plugin is a pure function; what it needs to know must come through its interface:", &broken);
}

#[test]
fn native_helpers_of_the_sdk_are_in_no_component() {
    let library = SOURCES.iter().find(|source| source.path == "plugins/sdk/src/lib.rs").unwrap();
    let lines: Vec<&str> = crate::project::read(&library.path).leak().lines().collect();
    for module in ["conformance", "testkit"] {
        let declared = lines.iter().position(|line| *line == format!("pub mod {module};")).unwrap();
        let guarded = declared > 0 && lines[declared - 1] == "#[cfg(not(target_arch = \"wasm32\"))]";
        assert!(guarded, "{}: `{module}` must stand under #[cfg(not(target_arch = \"wasm32\"))]", library.path);
    }
}

#[test]
fn only_the_binary_and_the_build_tool_print() {
    let words = ["print!", "println!", "eprint!", "eprintln!", "io::stdout", "io::stderr"];
    // What the tools print that `bench-forge` runs goes to the terminal.
    let spoken = ["host/bench", "host/xtask", "host/forge"];
    // The child that compiles gives the code to its parent over its standard output.
    let quiet = [NATIVE_SCORING, "host/plugin/src/compiler.rs"];
    let silent = shipped().filter(|source| !is_in(source, &spoken) && !quiet.contains(&source.path.as_str()));
    let broken: Vec<String> = silent.flat_map(|source| source.find(&source.shipped, &words)).collect();
    expect_none("libraries return values and report through `Reporter`; the binary prints:", &broken);
}
