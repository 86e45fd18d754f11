//! The decoders of all drivers on hostile streams: no panic, reads that exist and ascend, the same events in the same reads
//! however the reads are batched, and the same from the fast path as from the full parse.
//!
//! The first byte picks the driver, the second the sizes of the reads, the third whether the rest is the stream itself or
//! changes to a recorded one: random bytes alone would seldom get past the framing.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use bench_sdk::driver::{Decode, Driver};
use bench_sdk::testkit::{OverProtocol, Recording, Said, assert_fast_path_is_exact, fuzz_decoder, run};
use libfuzzer_sys::fuzz_target;

const DRIVERS: [fn(&[u8], &[u32]); 15] = [
    check::<driver_anthropic::Anthropic>,
    check::<driver_fireworks::Plugin>,
    check::<driver_groq::Plugin>,
    check::<driver_llama_cpp::Plugin>,
    check::<driver_lm_studio::Plugin>,
    check::<driver_mlx::Plugin>,
    check::<driver_ollama::Ollama>,
    check::<driver_openai::Plugin>,
    check::<driver_openai_api::Plugin>,
    check::<driver_openrouter::Plugin>,
    check::<driver_sglang::Plugin>,
    check::<driver_tabby::Plugin>,
    check::<driver_tensorrt_llm::Plugin>,
    check::<driver_together::Plugin>,
    check::<driver_vllm::Plugin>,
];

/// The bodies of all recordings, of all drivers: a decoder must live with another backend's stream as well.
static BODIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let drivers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/drivers");
    let folders =
        drivers.read_dir().expect("the drivers' folder").filter_map(|entry| Some(entry.ok()?.path().join("fixtures")));
    let mut files: Vec<_> = folders.filter_map(|folder| folder.read_dir().ok()).flatten().flatten().collect();
    files.sort_by_key(std::fs::DirEntry::path);
    files.iter().filter_map(|file| Recording::load(file.path()).ok()).map(|recording| recording.body()).collect()
});

fuzz_target!(|input: &[u8]| {
    let [driver, step, source, rest @ ..] = input else { return };
    let body = match usize::from(*source) {
        0 => rest.to_vec(),
        number => changed(&BODIES[number % BODIES.len()], rest),
    };
    let mut ends: Vec<u32> =
        (1..).map(|read| read * (u32::from(*step) + 1)).take_while(|end| (*end as usize) < body.len()).collect();
    if !body.is_empty() {
        ends.push(body.len() as u32);
    }
    DRIVERS[usize::from(*driver) % DRIVERS.len()](&body, &ends);
});

/// A copy with changes, five bytes each: where (two bytes), what to do, and two bytes for it.
fn changed(body: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    for change in changes.as_chunks::<5>().0 {
        let [high, low, kind, value, length] = *change;
        let at = usize::from(u16::from_be_bytes([high, low])) % (body.len() + 1);
        let end = (at + usize::from(length)).min(body.len());
        match kind % 5 {
            0 => body.truncate(at),
            1 => drop(body.drain(at..end)),
            2 => body.extend_from_within(at..end),
            3 => body.insert(at, value),
            _ => {
                if let Some(byte) = body.get_mut(at) {
                    *byte = value;
                }
            }
        }
    }
    body
}

fn check<D: Driver<Decoder: OverProtocol>>(body: &[u8], ends: &[u32]) {
    let batch = run::<D::Decoder>(&[], [(body.to_vec(), ends.to_vec())]);
    assert!(batch.0.is_sorted_by_key(|located| located.read), "reads ascend");
    assert!(batch.0.last().is_none_or(|located| (located.read as usize) < ends.len()), "reads exist");
    same(&batch, &read_by_read::<D::Decoder>(body, ends));
    fuzz_decoder::<D::Decoder>(body);
    assert_fast_path_is_exact::<<D::Decoder as OverProtocol>::Protocol>(body);
}

fn read_by_read<D: Decode>(body: &[u8], ends: &[u32]) -> Said {
    let mut start = 0;
    let batches = ends.iter().map(|end| {
        let read = body[start..*end as usize].to_vec();
        start = *end as usize;
        let length = read.len() as u32;
        (read, vec![length])
    });
    run::<D>(&[], batches)
}

/// As text, because a hostile log-probability may be no number and so unequal to itself.
fn same(one: &Said, other: &Said) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"), "batching makes no difference");
}
