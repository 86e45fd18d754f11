//! Any bytes as a log of samples, of this program and of others, and honest logs with some bytes changed. Run it with
//! `-rss_limit_mb=512`.
#![no_main]

use bench_fuzz::{Changes, Scratch, change};
use bench_samples::{Limits, import::import, load};
use libfuzzer_sys::fuzz_target;

const INSPECT: [&[u8]; 2] = [
    include_bytes!("../../host/samples/tests/fixtures/inspect/sums.eval"),
    include_bytes!("../../host/samples/tests/fixtures/inspect/sums-deflate.eval"),
];
const JSON: &[u8] = include_bytes!("../../host/samples/tests/fixtures/inspect/sums.json");
const LM_EVAL: &[u8] =
    include_bytes!("../../host/samples/tests/fixtures/lm-eval/samples_sums_2026-11-22T07-13-54.022014.jsonl");
const OWN: &[u8] = b"{\"schema\": 1, \"task\": \"t\", \"id\": \"1\", \"epoch\": 0, \"document_sha256\": \"\", \"document\": {}}\n";

const STARTS: [&str; 3] = [
    "",
    "{\"version\": 2, \"status\": \"success\", \"eval\": {\"task\": \"t\"}, \"samples\": [{\"id\": 1, \"input\": ",
    "{\"doc_id\": 1, \"arguments\": [[\"x\", {}]], \"resps\": [[\"y\"]], \"doc\": ",
];

thread_local! {
    static SCRATCH: Scratch = Scratch::default();
}

/// Which log, how it begins, the rest of it, and changes of an honest log.
type Input<'a> = (u8, u8, &'a [u8], Changes, Option<u32>);

fuzz_target!(|input: Input<'_>| {
    let (log, start, rest, changes, cut) = input;
    let (name, honest) = match log % 5 {
        0 => ("log.eval", INSPECT[0]),
        1 => ("log.eval", INSPECT[1]),
        2 => ("log.json", JSON),
        3 => ("samples_sums_2026-01-01T00-00-00.jsonl", LM_EVAL),
        _ => ("t.jsonl", OWN),
    };
    let bytes = if changes.is_empty() && cut.is_none() {
        [STARTS[usize::from(start) % STARTS.len()].as_bytes(), rest].concat()
    } else {
        change(honest, &changes, cut)
    };
    SCRATCH.with(|scratch| {
        let path = scratch.write(name, &bytes);
        let _ = import(&path, Limits::default());
        let _ = load(&path, Limits::default());
    });
});
