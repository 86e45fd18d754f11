//! Randomness that can be had again: everything is derived from the run's seed and the sample's place.

use sha2::{Digest as _, Sha256};

/// A number from parts. Each part counts by itself: `("ab", "c")` gives another one than `("a", "bc")`.
pub(crate) fn derive(seed: u64, parts: &[&str]) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_le_bytes());
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The seed that a backend is given for one repeat of an item. 31 bits: some backends take no more, and the largest 32-bit number
/// means a random one to others. Formats of a task share it, so that they differ in nothing else.
pub(crate) fn of_sample(seed: u64, task: &str, id: &str, epoch: u32) -> u64 {
    derive(seed, &["sample", task, id, &epoch.to_string()]) >> 33
}

/// `count` places of a list of `length`, each at most once, in the order in which they were drawn.
pub(crate) fn draw(seed: u64, length: usize, count: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..length).collect();
    let mut drawn = Vec::new();
    for turn in 0..count.min(length) {
        let left = length - turn;
        let place = (derive(seed, &["draw", &turn.to_string()]) % left as u64) as usize;
        drawn.push(places.swap_remove(place));
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_count_by_themselves_and_samples_have_seeds_of_their_own() {
        assert_ne!(derive(1, &["ab", "c"]), derive(1, &["a", "bc"]));
        assert_ne!(derive(1, &["a"]), derive(2, &["a"]));
        let seeds: std::collections::BTreeSet<u64> = (0..100).map(|epoch| of_sample(7, "sums", "1", epoch)).collect();
        assert_eq!(seeds.len(), 100);
        assert!(seeds.iter().all(|seed| *seed < 1 << 31));
        assert_eq!(of_sample(7, "sums", "1", 0), of_sample(7, "sums", "1", 0));
    }

    #[test]
    fn nothing_is_drawn_twice() {
        let drawn = draw(5, 10, 10);
        let mut sorted = drawn.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..10).collect::<Vec<_>>());
        assert_ne!(drawn, sorted);
        assert_eq!(draw(5, 3, 10).len(), 3);
        assert!(draw(5, 0, 2).is_empty());
    }
}
