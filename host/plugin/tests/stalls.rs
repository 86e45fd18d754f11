//! Work that is not done by a scorer's own code ends with its fuel as well, and the clock comes last.
//!
//! The components here do their work in the start function of a core module, while they are made, so they need none of
//! the functions of a scorer.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use std::time::Duration;

use bench_plugin::{FaultKind, Limits, LoadError};
use common::HOST;

/// What ended a component while it was made.
fn ended(items: &str, limits: Limits) -> FaultKind {
    let world = r#"(instance $world) (export "bench:plugin/scorer@0.1.0" (instance $world))"#;
    let component = wat::parse_str(format!("(component {items} {world})")).unwrap();
    match HOST.load(&component, limits).unwrap().scorer().unwrap_err() {
        LoadError::Describe(fault) => fault.kind,
        other => panic!("{other}"),
    }
}

/// A component that calls a WASI function for ever.
fn calling(interface: &str, name: &str, kind: &str, core: &str, call: &str) -> String {
    format!(
        r#"(import "{interface}@0.2.0" (instance $wasi (export "{name}" (func {kind}))))
        (alias export $wasi "{name}" (func $f))
        (core module $memory (memory (export "memory") 3)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
        (core instance $memory (instantiate $memory))
        (alias core export $memory "memory" (core memory $m))
        (alias core export $memory "realloc" (core func $r))
        (core func $f (canon lower (func $f) (memory $m) (realloc $r)))
        (core module $loop
            (import "wasi" "f" (func $f {core}))
            (func $start (loop $turn {call} (br $turn)))
            (start $start))
        (core instance (instantiate $loop (with "wasi" (instance (export "f" (func $f))))))"#
    )
}

/// What a component may use while it is made: less than usual, since the host is not optimised here.
const LIMITS: Limits = Limits { fuel: 20_000_000, ..Limits::SCORER };

fn random(bytes: u32) -> String {
    calling(
        "wasi:random/random",
        "get-random-bytes",
        r#"(param "len" u64) (result (list u8))"#,
        "(param i64 i32)",
        &format!("(call $f (i64.const {bytes}) (i32.const 8))"),
    )
}

fn time() -> String {
    calling("wasi:clocks/monotonic-clock", "now", "(result u64)", "(result i64)", "(drop (call $f))")
}

#[test]
fn random_bytes_without_end_use_up_the_fuel() {
    assert_eq!(ended(&random(60_000), LIMITS), FaultKind::Fuel);
    assert_eq!(ended(&random(1), LIMITS), FaultKind::Fuel);
}

#[test]
fn more_random_bytes_than_a_call_gives_are_refused() {
    let FaultKind::BadValue(what) = ended(&random(60_000_000), Limits::SCORER) else { panic!("not refused") };
    assert!(what.contains("60000000"), "{what}");
}

#[test]
fn looking_at_the_clock_without_end_uses_up_the_fuel() {
    assert_eq!(ended(&time(), LIMITS), FaultKind::Fuel);
}

#[test]
fn a_deadline_ends_what_calls_into_the_host_and_is_no_matter_of_fuel() {
    let limits =
        Limits { scorer_deadline: Duration::ZERO, program_deadline: Duration::ZERO, fuel: u64::MAX, ..Limits::SCORER };
    assert_eq!(ended(&time(), limits), FaultKind::Deadline);
}

#[test]
fn texts_that_pass_between_components_without_end_use_up_the_fuel() {
    let text = r#"(component $lender
            (core module $m (memory (export "memory") 20)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
                (func (export "take") (param i32 i32)))
            (core instance $i (instantiate $m))
            (func (export "take") (param "text" string)
                (canon lift (core func $i "take") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
        (component $user
            (import "take" (func $take (param "text" string)))
            (core module $memory (memory (export "memory") 20))
            (core instance $memory (instantiate $memory))
            (core func $take (canon lower (func $take) (memory (core memory $memory "memory"))))
            (core module $m
                (import "other" "take" (func $take (param i32 i32)))
                (func $start (loop $turn (call $take (i32.const 0) (i32.const 1000000)) (br $turn)))
                (start $start))
            (core instance (instantiate $m (with "other" (instance (export "take" (func $take)))))))
        (instance $lender (instantiate $lender))
        (instance (instantiate $user (with "take" (func $lender "take"))))"#;
    assert_eq!(ended(text, LIMITS), FaultKind::Fuel);
}
