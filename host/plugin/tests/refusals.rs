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
    let problem = host.cache_problem().unwrap();
    assert!(problem.contains("is not private: other users can write"), "{problem}");
}

#[cfg(unix)]
#[test]
fn a_cache_below_a_folder_that_others_can_write_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let above = folder.path().join("above");
    std::fs::create_dir(&above).unwrap();
    std::fs::set_permissions(&above, std::fs::Permissions::from_mode(0o777)).unwrap();
    let host = Host::new(HostOptions { cache: Some(above.join("compiled")) });
    host.load(&guest("ok"), Limits::DEFAULT).unwrap().driver().unwrap();
    let problem = host.cache_problem().unwrap();
    assert!(problem.contains(above.to_str().unwrap()), "{problem}");
    assert!(!above.join("compiled").exists() || entries(&above.join("compiled")).is_empty());
}

#[cfg(unix)]
#[test]
fn an_exchange_of_a_folder_above_an_open_cache_has_no_effect() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let host = Host::new(HostOptions { cache: Some(cache.clone()) });
    host.load(&guest("ok"), Limits::DEFAULT).unwrap();
    let [entry] = entries(&cache).try_into().unwrap();
    // The folder that has the name now holds nothing that could be run under the name of the second component.
    std::fs::rename(&cache, folder.path().join("moved")).unwrap();
    std::fs::create_dir_all(entry.parent().unwrap()).unwrap();
    std::fs::write(&entry, "code of another user").unwrap();
    host.load(&guest("ok"), Limits::DEFAULT).unwrap().driver().unwrap();
    host.load(&guest("trap"), Limits::DEFAULT).unwrap().driver().unwrap();
    assert_eq!(std::fs::read(&entry).unwrap(), b"code of another user", "it was neither used nor replaced");
    assert_eq!(entries(&folder.path().join("moved")).len(), 2);
}

#[cfg(unix)]
#[test]
fn an_entry_that_others_can_write_or_that_has_a_second_name_is_a_miss_and_is_replaced() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("compiled");
    let load = || Host::new(HostOptions { cache: Some(cache.clone()) }).load(&guest("ok"), Limits::DEFAULT).unwrap();
    load();
    let [entry] = entries(&cache).try_into().unwrap();
    let inode = || std::fs::metadata(&entry).unwrap().ino();
    let doubtful: [&dyn Fn(); 3] = [
        &|| std::fs::set_permissions(&entry, std::fs::Permissions::from_mode(0o666)).unwrap(),
        &|| std::fs::hard_link(&entry, folder.path().join(inode().to_string())).unwrap(),
        // Only root can give a file away; for others there is no such entry in a folder of their own.
        &|| drop(std::os::unix::fs::chown(&entry, Some(65_534), None)),
    ];
    for (case, spoil) in doubtful.iter().enumerate() {
        let before = inode();
        spoil();
        let spoilt = case < 2 || std::fs::metadata(&entry).unwrap().uid() == 65_534;
        load();
        assert_eq!(inode() != before, spoilt, "case {case}");
    }
}

#[test]
fn what_is_too_complex_is_refused_before_it_is_compiled() {
    let nested = format!("{}{}", "(loop ".repeat(900), ")".repeat(900));
    let world = r#"(instance $d) (export "bench:plugin/driver@0.1.0" (instance $d))"#;
    let text = format!("(component (core module (func {nested})) {world})");
    // A compiler that is not there shows that none is asked.
    let missing = bench_plugin::Compiler::Child { program: "/missing".into(), arguments: Vec::new() };
    let host = Host::compiling_with(HostOptions { cache: None }, missing);
    let component = wat::parse_str(text).unwrap();
    for error in [host.load(&component, Limits::DEFAULT).unwrap_err(), host.interface(&component).unwrap_err()] {
        assert_eq!(error.code(), "plugin-too-complex");
        assert!(error.to_string().contains("function 0 has 65 nested loops"), "{error}");
        assert!(error.hint().is_some());
    }
    assert_eq!(host.load(&guest("wrong-world"), Limits::DEFAULT).unwrap_err().code(), "plugin-no-world");
    assert_eq!(host.load(&guest("forbidden-import"), Limits::DEFAULT).unwrap_err().code(), "plugin-unknown-import");
}
