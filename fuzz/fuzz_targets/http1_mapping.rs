//! Any bytes, cut into any reads: no panic, and the reads bear on nothing but which read a byte came in.
#![no_main]

use bench_wire::http1::{End, map};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], Vec<u8>, bool, bool)| {
    let (raw, steps, eof, bodiless) = input;
    let mut ends = Vec::new();
    let mut end = 0;
    for step in steps {
        end += usize::from(step).max(1);
        if end < raw.len() {
            ends.push(end);
        }
    }
    ends.push(raw.len());

    let cut = map(raw, &ends, eof, bodiless);
    let whole = map(raw, &[raw.len()], eof, bodiless);
    assert_eq!((&cut.body, cut.end), (&whole.body, whole.end));
    assert!(cut.reads.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
    assert_eq!(cut.reads.last().map_or(0, |read| read.0 as usize), cut.body.len());
    // No read brings more of the body than it has bytes.
    let mut before = 0;
    for (end, read) in &cut.reads {
        let start = read.checked_sub(1).map_or(0, |previous| ends[previous]);
        assert!((*end - before) as usize <= ends[*read] - start);
        before = *end;
    }

    // Bytes that are cut off never change what came before them.
    let kept = raw.len() / 2;
    let part = map(&raw[..kept], &[kept], false, bodiless);
    assert!(whole.body.starts_with(&part.body));
    if let End::Complete { extra } = part.end {
        assert_eq!(whole.end, End::Complete { extra: extra + raw.len() - kept });
    }
});
