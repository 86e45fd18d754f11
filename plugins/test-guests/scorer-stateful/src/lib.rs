//! Every other verdict of an instance is a mistake, which no one could ever grade again.

#[cfg(target_arch = "wasm32")]
mod component {
    use std::sync::atomic::{AtomicU32, Ordering};

    static GRADED: AtomicU32 = AtomicU32::new(0);

    guest_scorer_stub::scorer!(score: |samples: Vec<Sample>| {
        let grade = |sample| {
            let odd = GRADED.fetch_add(1, Ordering::Relaxed) % 2;
            guest_scorer_stub::verdict(sample, f64::from(odd))
        };
        samples.iter().map(grade).collect()
    });
}
