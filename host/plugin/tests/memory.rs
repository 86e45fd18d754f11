//! What loading a plugin leaves in memory. The only test of its program, since it looks at the memory of all of it.

#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_plugin::{Host, HostOptions, Limits};

/// A line of what the kernel says about this process, in KiB.
fn kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches("kB").trim().parse().unwrap()
}

#[test]
fn what_compiling_takes_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::new(HostOptions { cache: Some(folder.path().to_owned()) });
    let component = concat!(env!("CARGO_MANIFEST_DIR"), "/../../registry/targets/scorer/numeric/0.1.0.wasm");
    let before = kib("RssAnon");
    let plugin = host.load(&std::fs::read(component).unwrap(), Limits::DEFAULT).unwrap();
    let (most, left) = (kib("VmHWM"), kib("RssAnon"));
    assert!(plugin.scorer().is_ok());
    let (taken, kept) = (most.saturating_sub(before), left.saturating_sub(before));
    assert!(kept * 4 < taken, "compiling took {taken} KiB, and {kept} KiB are still there");
}
