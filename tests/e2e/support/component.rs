//! Components that say something else of themselves.

use std::path::Path;

use bench_plugin::{Host, HostOptions, Kind, Limits};

/// An embedded component with another name or version of as many characters. Where it keeps that is found by trying.
#[track_caller]
pub fn changed(kind: Kind, name: &str, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let component = bench_registry::components().iter().find(|it| it.kind == kind && it.name == name).unwrap();
    let places = component.bytes.windows(from.len()).enumerate().filter(|(_, window)| *window == from.as_bytes());
    let compiled = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    let host = Host::new(HostOptions { cache: Some(compiled) });
    for (place, _) in places {
        let mut changed = component.bytes.to_vec();
        changed[place..place + to.len()].copy_from_slice(to.as_bytes());
        let Ok(plugin) = host.load(&changed, Limits::DEFAULT) else { continue };
        if plugin.about().is_ok_and(|about| [about.name, about.version].iter().any(|said| said == to)) {
            return changed;
        }
    }
    panic!("{name} keeps {from} nowhere");
}
