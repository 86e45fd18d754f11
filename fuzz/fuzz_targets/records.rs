//! Any bytes as a record or a trace, and honest ones with some bytes changed. Run it with `-rss_limit_mb=512`.
#![no_main]

use std::sync::LazyLock;

use bench_fuzz::{Changes, Scratch, change, trace};
use bench_record::trace::{TraceLimits, read_trace};
use libfuzzer_sys::fuzz_target;

const RECORD: &[u8] = include_bytes!("../../host/record/tests/golden/run-v1.json");

static TRACE: LazyLock<Vec<u8>> = LazyLock::new(|| trace(&Scratch::default()));

thread_local! {
    static SCRATCH: Scratch = Scratch::default();
}

/// Whether it is a trace, any bytes, and changes of an honest file.
type Input<'a> = (bool, &'a [u8], Changes, Option<u32>);

fuzz_target!(|input: Input<'_>| {
    let (is_trace, bytes, changes, cut) = input;
    let honest = if is_trace { TRACE.as_slice() } else { RECORD };
    let bytes = if changes.is_empty() && cut.is_none() { bytes.to_vec() } else { change(honest, &changes, cut) };
    if is_trace {
        SCRATCH.with(|scratch| {
            let _ = read_trace(&scratch.write("trace.parquet", &bytes), TraceLimits::default());
        });
    } else {
        let _ = bench_record::parse(&bytes, "the record");
    }
});
