//! Any bytes as a component, and real components with some bytes changed: reading the contract, the bounds and the count
//! of fuel never panic, take little memory, and what is counted is still a component.
#![no_main]

use bench_meter::{Outline, Shape, metered};
use libfuzzer_sys::fuzz_target;

const REAL: [&[u8]; 4] = [
    include_bytes!("../../host/plugin/tests/guests/ok.wasm"),
    include_bytes!("../../host/plugin/tests/guests/wasi.wasm"),
    include_bytes!("../../host/plugin/tests/guests/old-version.wasm"),
    include_bytes!("../../host/plugin/tests/guests/scorer-moody.wasm"),
];

/// Which real component, what to change in it, and bytes of their own.
type Input<'a> = (u8, Vec<(u32, u8)>, &'a [u8]);

fuzz_target!(|input: Input<'_>| {
    let (real, changes, own) = input;
    let mut changed = REAL[usize::from(real) % REAL.len()].to_vec();
    for (at, byte) in changes {
        let at = at as usize % changed.len();
        changed[at] = byte;
    }
    // Bytes of their own begin as a component does, or nothing would get beyond the first eight.
    let own = [b"\0asm\x0d\0\x01\0", own].concat();
    for component in [changed, own] {
        check(&component);
    }
});

fn check(component: &[u8]) {
    let outline = Outline::of(component);
    if Shape::of(component).is_err() {
        return;
    }
    if let Ok(counted) = metered(component) {
        let (before, after) = (outline.expect("a sound component has an outline"), Outline::of(&counted));
        let after = after.expect("what is counted is still a component");
        assert_eq!(after.imports, before.imports);
        assert!(after.exports.starts_with(&before.exports));
    }
}
