//! Every way a guest can misbehave, each against a component built for the case (`plugins/test-guests/`). Whatever a guest
//! does, the host gets a typed fault that names the plugin and the export, and the next call works on a fresh instance.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use std::ops::ControlFlow;
use std::time::Duration;

use bench_plugin::{Fault, FaultKind, Limits, Profile};
use common::{driver, driver_under, encode};

fn fault_of(case: &str, limits: Limits, profile: Profile) -> Fault {
    let mut driver = driver_under(case, limits, profile).unwrap();
    let fault = encode(&mut driver, "any").unwrap_err();
    assert_eq!(fault.plugin, "test-guest 0.1.0");
    assert_eq!(fault.export, "driver.encode");
    assert_eq!(fault.digest, driver.digest());
    assert!(fault.hint().is_some());
    fault
}

const QUICK: Limits = Limits { deadline: Duration::from_millis(50), fuel: 50_000_000, ..Limits::DEFAULT };

#[test]
fn a_sound_guest_answers_and_locates_its_events() {
    let mut driver = driver("ok").unwrap();
    assert_eq!(encode(&mut driver, "tiny").unwrap().request.path, "/tiny");
    let events = driver.decode(&[], b"onetwothree", &[3, 6, 11]).unwrap();
    let texts: Vec<_> = events.iter().map(|event| (event.read, common::text(event))).collect();
    assert_eq!(texts, [(0, "one"), (1, "two"), (2, "three")]);
}

#[test]
fn a_body_larger_than_one_batch_keeps_its_read_numbers() {
    let mut driver = driver("ok").unwrap();
    let body = vec![b'x'; 3 << 20];
    let ends: Vec<u32> = (1..=3072).map(|read| read * 1024).collect();
    let events = driver.decode(&[], &body, &ends).unwrap();
    assert_eq!(events.len(), 3072);
    assert!(events.iter().zip(0..).all(|(event, read)| event.read == read && common::text(event).len() == 1024));
}

#[test]
fn a_decoding_that_is_given_up_leaves_the_driver_as_it_was() {
    let mut driver = driver("ok").unwrap();
    let mut taken = 0;
    let mut each = |_| {
        taken += 1;
        if taken == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    driver.decode_each(&[], b"onetwothree", &[3, 6, 11], &mut each).unwrap();
    assert_eq!(taken, 2);
    assert_eq!(driver.decode(&[], b"onetwothree", &[3, 6, 11]).unwrap().len(), 3);
}

#[test]
fn a_body_of_single_bytes_goes_in_several_batches() {
    let mut driver = driver("ok").unwrap();
    let body = vec![b'x'; 200_000];
    let ends: Vec<u32> = (1..=200_000).collect();
    let events = driver.decode(&[], &body, &ends).unwrap();
    assert_eq!(events.len(), 200_000);
    assert!(events.iter().zip(0..).all(|(event, read)| event.read == read));
}

#[test]
fn a_trap_ends_the_call_and_not_the_driver() {
    let mut driver = driver("trap").unwrap();
    let fault = encode(&mut driver, "panic").unwrap_err();
    assert!(matches!(&fault.kind, FaultKind::Trap(_)), "{fault:?}");
    assert_eq!(fault.code(), "plugin-trap");
    assert_eq!(encode(&mut driver, "calm").unwrap().request.path, "/recovered");
}

#[test]
fn an_endless_loop_meets_its_deadline() {
    assert_eq!(fault_of("endless-loop", QUICK, Profile::Codec).kind, FaultKind::Deadline);
}

#[test]
fn an_endless_loop_runs_out_of_fuel() {
    assert_eq!(fault_of("endless-loop", QUICK, Profile::Scorer).kind, FaultKind::Fuel);
}

#[test]
fn memory_is_bounded_and_the_fault_says_by_how_much() {
    let FaultKind::Memory { wanted, allowed } = fault_of("memory-hog", Limits::DEFAULT, Profile::Codec).kind else {
        panic!("not a memory fault")
    };
    assert_eq!(allowed, 64 << 20);
    assert!(wanted > allowed);
}

#[test]
fn a_manifest_may_ask_for_more_memory_up_to_a_bound() {
    assert_eq!(Limits::DEFAULT.with_memory(256 << 20).memory, 256 << 20);
    assert_eq!(Limits::DEFAULT.with_memory(usize::MAX).memory, 512 << 20);
}

#[test]
fn deep_recursion_is_a_stack_fault() {
    for profile in [Profile::Codec, Profile::Scorer] {
        assert_eq!(fault_of("deep-recursion", Limits::DEFAULT, profile).kind, FaultKind::Stack);
    }
}

#[test]
fn a_huge_value_is_refused_before_it_is_copied() {
    let limits = Limits { copied: 1 << 20, ..Limits::DEFAULT };
    assert!(matches!(fault_of("huge-value", limits, Profile::Codec).kind, FaultKind::BadValue(_)));
    let mut generous = driver("huge-value").unwrap();
    assert_eq!(encode(&mut generous, "any").unwrap().request.body.len(), 16 << 20);
}

#[test]
fn a_string_that_is_not_utf8_is_a_bad_value() {
    let FaultKind::BadValue(what) = fault_of("invalid-utf8", Limits::DEFAULT, Profile::Codec).kind else {
        panic!("not a bad value")
    };
    assert!(what.contains("utf-8"), "{what}");
}

#[test]
fn an_event_that_names_an_unknown_read_is_a_lie() {
    let mut driver = driver("liar").unwrap();
    let failure = driver.decode(&[], b"abc", &[3]).unwrap_err();
    assert!(failure.events.is_empty());
    assert_eq!(failure.fault.code(), "plugin-lie");
    assert_eq!(failure.fault.kind, FaultKind::Lie("an event names read 1 of 1".to_owned()));
}

#[test]
fn a_problem_is_an_answer_and_keeps_the_guests_own_code() {
    let mut driver = driver("ok").unwrap();
    let options =
        bench_plugin::driver_types::LaunchOptions { port: 1, context: None, slots: None, params: "{}".into() };
    let fault = driver.launch("any", &options).unwrap_err();
    assert_eq!(fault.problem().unwrap().code, "not-supported");
}

#[test]
fn wasi_is_an_empty_world_with_frozen_clocks_and_fixed_randomness() {
    let mut first = driver("wasi").unwrap();
    let mut second = driver("wasi").unwrap();
    let seen =
        |driver: &mut bench_plugin::Driver| String::from_utf8(encode(driver, "look").unwrap().request.body).unwrap();
    let report = seen(&mut first);
    assert!(report.starts_with("environment=0 arguments=0 monotonic=0 wall=0 random=["), "{report}");
    assert_eq!(report, seen(&mut second));
}

#[test]
fn waiting_is_refused_instead_of_waited_out() {
    let mut driver = driver("wasi").unwrap();
    assert_eq!(encode(&mut driver, "wait").unwrap_err().kind, FaultKind::Waited);
}
