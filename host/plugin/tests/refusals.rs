//! What is refused before any guest code runs, each with a sentence that says what to do.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod common;

use bench_plugin::{Host, HostOptions, Kind, Limits, LoadError};
use common::{HOST, guest};

fn refusal(bytes: &[u8]) -> LoadError {
    HOST.load(bytes, Limits::DEFAULT).unwrap_err()
}

#[test]
fn text_is_not_wasm() {
    let error = refusal(b"#!/bin/sh\necho gotcha\n");
    assert_eq!(error.code(), "plugin-not-wasm");
    assert!(error.hint().unwrap().contains("component"));
    assert_eq!(refusal(b"").code(), "plugin-not-wasm");
}

#[test]
fn a_core_module_is_recognised_as_such() {
    let error = refusal(b"\0asm\x01\0\0\0");
    assert_eq!(error.code(), "plugin-core-module");
    assert!(error.hint().unwrap().contains("wasm-tools component new"));
}

#[test]
fn a_component_cut_short_is_invalid() {
    let whole = guest("ok");
    assert_eq!(refusal(&whole[..whole.len() / 2]).code(), "plugin-invalid");
}

#[test]
fn somebody_elses_world_is_named_back() {
    let error = refusal(&guest("wrong-world"));
    assert_eq!(error.code(), "plugin-no-world");
    assert!(error.to_string().contains("acme:tool/run@1.0.0"), "{error}");
}

#[test]
fn an_old_interface_version_says_who_must_move() {
    let error = refusal(&guest("old-version"));
    assert_eq!(error.code(), "plugin-wrong-version");
    assert!(error.to_string().contains("0.0.7"), "{error}");
    assert!(error.hint().unwrap().contains("update the plugin"), "{error}");
}

#[test]
fn an_unknown_import_is_named() {
    let error = refusal(&guest("forbidden-import"));
    assert_eq!(error.code(), "plugin-unknown-import");
    assert!(error.to_string().contains("acme:files/read@1.0.0"), "{error}");
}

#[test]
fn a_driver_is_not_a_workload() {
    let plugin = HOST.load(&guest("ok"), Limits::DEFAULT).unwrap();
    assert_eq!(plugin.contract().kind, Kind::Driver);
    assert!(!plugin.contract().wasi);
    assert_eq!(plugin.workload().unwrap_err().code(), "plugin-wrong-kind");
}

#[test]
fn a_component_with_wasi_says_so_in_its_contract() {
    let plugin = HOST.load(&guest("wasi"), Limits::DEFAULT).unwrap();
    assert!(plugin.contract().wasi);
    assert!(plugin.contract().imports.iter().any(|import| import.starts_with("wasi:random/random@")));
}

fn entries(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let engine = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    std::fs::read_dir(engine).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_damaged_cache_entry_is_a_miss_and_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let host = || Host::new(HostOptions { cache: Some(folder.path().join("compiled")) });
    host().load(&guest("ok"), Limits::DEFAULT).unwrap().driver().unwrap();
    let [entry] = entries(&folder.path().join("compiled")).try_into().unwrap();
    let sound = std::fs::read(&entry).unwrap();
    for damaged in [Vec::new(), sound[..sound.len() - 1].to_vec(), flipped(&sound)] {
        std::fs::write(&entry, &damaged).unwrap();
        host().load(&guest("ok"), Limits::DEFAULT).unwrap().driver().unwrap();
        assert_eq!(std::fs::read(&entry).unwrap().len(), sound.len());
    }
}

#[cfg(unix)]
#[test]
fn a_sound_cache_entry_is_used_and_left_alone() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("compiled");
    let host = || Host::new(HostOptions { cache: Some(cache.clone()) });
    let loaded = host().load(&guest("ok"), Limits::DEFAULT).unwrap();
    let [entry] = entries(&cache).try_into().unwrap();
    let file = || std::fs::metadata(&entry).unwrap().ino();
    let before = file();
    // A component whose digest is known is the same component.
    let again = host().load_known(&guest("ok"), loaded.digest(), Limits::DEFAULT).unwrap();
    again.driver().unwrap();
    assert_eq!(file(), before);
}

fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut copy = bytes.to_vec();
    let middle = copy.len() / 2;
    copy[middle] ^= 1;
    copy
}

#[cfg(unix)]
#[test]
fn a_cache_that_others_can_write_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("compiled");
    let host = || Host::new(HostOptions { cache: Some(cache.clone()) });
    host().load(&guest("ok"), Limits::DEFAULT).unwrap();
    let engine = std::fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    std::fs::set_permissions(&engine, std::fs::Permissions::from_mode(0o777)).unwrap();
    let host = host();
    host.load(&guest("ok"), Limits::DEFAULT).unwrap();
    assert!(host.cache_problem().unwrap().contains("can be written by others"));
}
