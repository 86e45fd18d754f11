//! Any order of fragments of tool calls: each gets one call's index, no byte of the arguments is lost or moved, and names and ids
//! are given once for each call.
//!
//! A fragment is four bytes: which index, id and name it has, if any, and which piece of JSON it brings.
#![no_main]

use std::collections::{HashMap, HashSet};

use bench_sdk::tools::ToolCalls;
use bench_sdk::types::ToolCallDelta;
use libfuzzer_sys::fuzz_target;

const PIECES: [&str; 12] = ["", "{", "}", "{}", "\"", "\\", "[", "]", "{\"a\":1}", "\"}", " ", "é"];

fuzz_target!(|input: &[u8]| {
    let mut calls = ToolCalls::default();
    let mut of_id: HashMap<String, u32> = HashMap::new();
    let (mut named, mut with_id) = (HashSet::new(), HashSet::new());
    for fragment in input.as_chunks::<4>().0 {
        let [index, id, name, piece] = *fragment;
        let id = (id % 8 != 0).then(|| format!("call-{}", id % 8));
        let name = (name % 4 != 0).then(|| format!("tool-{}", name % 4));
        let arguments = PIECES[usize::from(piece) % PIECES.len()].to_owned();
        let mut delta =
            ToolCallDelta { index: u32::from(index % 4), id: id.clone(), name, arguments: arguments.clone() };
        calls.assign(&mut delta);
        assert_eq!(delta.arguments, arguments, "fragments stay as they are");
        if let Some(id) = id {
            let first = *of_id.entry(id).or_insert(delta.index);
            assert_eq!(first, delta.index, "an id is one call's");
        }
        assert!(delta.name.is_none() || named.insert(delta.index), "a call has one name");
        assert!(delta.id.is_none() || with_id.insert(delta.index), "a call has one id");
    }
});
