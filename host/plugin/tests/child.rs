//! Components are compiled in children of this program. So it has a `main` of its own, which is also the compiler.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a failed test is a panic, and a test is listed by name")]

mod common;

use std::process::ExitCode;

use bench_plugin::{Compiler, Host, HostOptions, Limits, LoadError};
use common::guest;

fn main() -> ExitCode {
    if let Some(code) = bench_plugin::compile_worker() {
        return code;
    }
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--list") {
        if !arguments.iter().any(|argument| argument == "--ignored") {
            println!("components_are_compiled_in_children: test");
        }
        return ExitCode::SUCCESS;
    }
    a_child_compiles_what_the_parent_loads_and_keeps();
    what_is_no_component_is_said_by_the_child();
    #[cfg(target_os = "linux")]
    a_child_without_memory_is_an_error_and_no_end_of_the_parent();
    #[cfg(unix)]
    a_compiler_that_gives_no_answer_is_an_error();
    ExitCode::SUCCESS
}

fn a_child_compiles_what_the_parent_loads_and_keeps() {
    assert!(matches!(Compiler::of_this_program(), Compiler::Child { .. }));
    let folder = tempfile::tempdir().unwrap();
    let host = || Host::new(HostOptions { cache: Some(folder.path().to_owned()) });
    for _ in 0..2 {
        let plugin = host().load(&guest("ok"), Limits::DEFAULT).unwrap();
        assert_eq!(plugin.driver().unwrap().info().name, "test-guest");
        let plugin = host().load(&guest("scorer-moody"), Limits::SCORER).unwrap();
        assert_eq!(plugin.scorer().unwrap().info().name, "test-scorer");
    }
    let missing = Compiler::Child { program: "/missing/compiler".into(), arguments: Vec::new() };
    let cached = Host::compiling_with(HostOptions { cache: Some(folder.path().to_owned()) }, missing.clone());
    assert!(cached.load(&guest("ok"), Limits::DEFAULT).is_ok(), "what is kept needs no compiler");
    assert_eq!(refused(missing).code(), "engine-setup-failed");
}

fn what_is_no_component_is_said_by_the_child() {
    // It is read as far as its shape goes, and refused by the validation in the child.
    let text = r#"(component (core module (func (result i32))) (instance $d) (export "bench:plugin/driver@0.1.0" (instance $d)))"#;
    let host = Host::new(HostOptions::default());
    let error = host.load(&wat::parse_str(text).unwrap(), Limits::DEFAULT).unwrap_err();
    assert_eq!(error.code(), "plugin-invalid");
    assert!(error.to_string().contains("type mismatch"), "{error}");
}

/// Why a component is not compiled by this compiler.
fn refused(compiler: Compiler) -> LoadError {
    Host::compiling_with(HostOptions::default(), compiler).load(&guest("ok"), Limits::DEFAULT).unwrap_err()
}

#[cfg(target_os = "linux")]
fn a_child_without_memory_is_an_error_and_no_end_of_the_parent() {
    let Compiler::Child { program, mut arguments } = Compiler::of_this_program() else { panic!("a child") };
    assert_eq!(program, std::path::Path::new("/proc/self/exe"));
    // The link leads to the shell in the shell.
    let script = format!("ulimit -d 8000; exec {} \"$@\"", std::env::current_exe().unwrap().display());
    arguments.splice(0..0, ["-c".into(), script.into(), "sh".into()]);
    let error = refused(Compiler::Child { program: "/bin/sh".into(), arguments });
    assert_eq!(error.code(), "plugin-compile-limit");
    assert!(error.to_string().contains("4 GiB") && error.hint().is_some(), "{error}");
}

#[cfg(unix)]
fn a_compiler_that_gives_no_answer_is_an_error() {
    for program in ["/bin/true", "/bin/false", "/bin/cat"] {
        let error = refused(Compiler::Child { program: program.into(), arguments: Vec::new() });
        assert_eq!(error.code(), "engine-setup-failed", "{program}: {error}");
    }
}
