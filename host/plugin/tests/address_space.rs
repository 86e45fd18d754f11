//! A machine that does not give what an instance reserves. The only test of its program, since it limits all of it.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_plugin::{FaultKind, Host, HostOptions, Limits, LoadError};

#[test]
fn a_machine_without_address_space_is_no_fault_of_the_plugin() {
    let host = Host::new(HostOptions { cache: None });
    let component = concat!(env!("CARGO_MANIFEST_DIR"), "/../../registry/targets/scorer/numeric/0.1.0.wasm");
    let plugin = host.load(&std::fs::read(component).unwrap(), Limits::SCORER).unwrap();
    let limit = libc::rlimit { rlim_cur: 2 << 30, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the call reads the structure, which lives through it.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) }, 0);
    let LoadError::Describe(fault) = plugin.scorer().unwrap_err() else { panic!("another error") };
    assert!(matches!(fault.kind, FaultKind::Machine(_)), "{fault}");
    assert_eq!(fault.code(), "plugin-machine");
    assert!(fault.hint().unwrap().contains("address space"));
}
