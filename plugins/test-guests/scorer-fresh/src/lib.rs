//! Says that each sample needs an instance of its own, and traps on an instance that has graded before.

#[cfg(target_arch = "wasm32")]
mod component {
    use std::sync::atomic::{AtomicBool, Ordering};

    static USED: AtomicBool = AtomicBool::new(false);

    guest_scorer_stub::scorer!(fresh: true, score: |samples: Vec<Sample>| {
        assert!(samples.len() == 1 && !USED.swap(true, Ordering::Relaxed), "an instance of its own was asked for");
        samples.iter().map(guest_scorer_stub::equality).collect()
    });
}
