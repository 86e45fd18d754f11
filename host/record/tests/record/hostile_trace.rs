//! Damaged and malicious traces are errors, never a panic.

use bench_record::trace::{TraceLimits, TraceRead, TraceRequest, read_trace};
use proptest::prelude::*;

use super::trace::{example, write};

fn valid() -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trace.parquet");
    write(&path, &[example(0), example(1), example(2)]).unwrap();
    std::fs::read(&path).unwrap()
}

fn code(bytes: &[u8], limits: TraceLimits) -> Option<&'static str> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trace.parquet");
    std::fs::write(&path, bytes).unwrap();
    read_trace(&path, limits).err().map(|error| error.code())
}

#[test]
fn limits_hold_before_anything_is_decoded() {
    let bytes = valid();
    let all = TraceLimits::default();
    assert_eq!(code(&bytes, all), None);
    assert_eq!(code(&bytes, TraceLimits { rows: 8, ..all }), Some("bad-trace"));
    assert_eq!(code(&bytes, TraceLimits { content_bytes: 50, ..all }), Some("bad-trace"));
    assert_eq!(code(&bytes, TraceLimits { file_bytes: 50, ..all }), Some("record-too-large"));
}

#[test]
fn what_is_no_trace_is_an_error() {
    for bytes in [&b""[..], b"PAR1", b"PAR1PAR1", b"PAR1\xff\xff\xff\x7fPAR1", &[0; 4096]] {
        assert_eq!(code(bytes, TraceLimits::default()), Some("bad-trace"));
    }
    let missing = read_trace(std::path::Path::new("/nonexistent/trace.parquet"), TraceLimits::default()).unwrap_err();
    assert_eq!(missing.code(), "record-io");
}

#[test]
fn another_layout_is_refused() {
    let bytes = valid();
    let key = b"bench.trace.layout";
    let at = bytes.windows(key.len()).position(|window| window == key).unwrap();
    let mut changed = bytes.clone();
    changed[at] = b'B';
    assert_eq!(code(&changed, TraceLimits::default()), Some("bad-trace"));
}

#[test]
fn a_page_that_claims_to_unpack_to_more_than_it_can_is_refused_unread() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trace.parquet");
    let reads = (0..40).map(|_| TraceRead { end: 18, at_ns: 100 }).collect();
    write(&path, &[TraceRequest { reads, ..example(0) }]).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    // The first page's header follows the magic: type, then the size unpacked, a two-byte varint here.
    assert!(bytes[4] == 0x15 && bytes[6] == 0x15 && bytes[7] >= 0x80 && bytes[8] < 0x80);
    bytes[7..9].copy_from_slice(&[0xfe, 0x7f]);
    std::fs::write(&path, &bytes).unwrap();
    let error = read_trace(&path, TraceLimits::default()).unwrap_err();
    assert!(error.to_string().contains("claims to unpack to 8191"), "{error}");
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = valid();
    for length in (0..bytes.len()).step_by(7) {
        assert_eq!(code(&bytes[..length], TraceLimits::default()), Some("bad-trace"), "{length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn flipped_bytes_never_panic(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = valid();
        for (index, value) in flips {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        // A flip in the data itself can go unnoticed here; the digest in the record notices.
        let limits = TraceLimits { content_bytes: 1 << 20, ..TraceLimits::default() };
        let found = code(&bytes, limits);
        prop_assert!(matches!(found, None | Some("bad-trace")));
    }
}
