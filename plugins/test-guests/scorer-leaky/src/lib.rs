//! Never gives memory back, so that sooner or later a sample that is no different from the others meets the limit. The answer
//! `greedy` leaks so much at once that no instance has room for it.

guest_scorer_stub::scorer!(score: |samples: Vec<Sample>| {
    for sample in &samples {
        let bytes = if sample.answer.as_deref() == Some("greedy") { 128 << 20 } else { 4 << 20 };
        std::mem::forget(std::hint::black_box(vec![1_u8; bytes]));
    }
    samples.iter().map(guest_scorer_stub::equality).collect()
});
