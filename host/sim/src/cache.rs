//! A prefix cache in the manner of paged attention: prompts are cut into blocks of a fixed number of tokens, a block is
//! known by a hash over itself and everything before it, and the longest run of known blocks from the start is free.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Known blocks, the least recently used of which makes room for a new one.
#[derive(Debug)]
pub(crate) struct BlockCache {
    block_tokens: usize,
    capacity: usize,
    used: HashMap<u64, u64>,
    oldest: BTreeMap<u64, u64>,
    tick: u64,
}

impl BlockCache {
    pub(crate) fn new(block_tokens: u32, capacity: u32) -> Self {
        Self {
            block_tokens: usize::try_from(block_tokens).unwrap_or(usize::MAX).max(1),
            capacity: usize::try_from(capacity).unwrap_or(usize::MAX),
            used: HashMap::new(),
            oldest: BTreeMap::new(),
            tick: 0,
        }
    }

    /// How many of the prompt's first tokens are in the cache: whole blocks only, and never the last token, which has to
    /// be evaluated to get the first answer token.
    pub(crate) fn lookup(&mut self, tokens: &[u32], salt: Option<&str>) -> usize {
        let usable = tokens.len().saturating_sub(1) / self.block_tokens;
        let mut found = 0;
        for hash in hashes(tokens, self.block_tokens, salt).take(usable) {
            if !self.used.contains_key(&hash) {
                break;
            }
            self.touch(hash);
            found += 1;
        }
        found * self.block_tokens
    }

    /// Remembers every whole block of `tokens`.
    pub(crate) fn insert(&mut self, tokens: &[u32], salt: Option<&str>) {
        for hash in hashes(tokens, self.block_tokens, salt) {
            self.touch(hash);
            if self.used.len() > self.capacity
                && let Some((_, evicted)) = self.oldest.pop_first()
            {
                self.used.remove(&evicted);
            }
        }
    }

    fn touch(&mut self, hash: u64) {
        self.tick += 1;
        if let Some(before) = self.used.insert(hash, self.tick) {
            self.oldest.remove(&before);
        }
        self.oldest.insert(self.tick, hash);
    }
}

/// The chained hashes of the whole blocks. The salt is part of the first block and so of all of them.
fn hashes(tokens: &[u32], block_tokens: usize, salt: Option<&str>) -> impl Iterator<Item = u64> {
    let mut chain = DefaultHasher::new();
    salt.hash(&mut chain);
    tokens.chunks_exact(block_tokens).map(move |block| {
        block.hash(&mut chain);
        chain.finish()
    })
}

#[cfg(test)]
mod tests {
    use super::BlockCache;

    fn prompt(length: u32) -> Vec<u32> {
        (0..length).collect()
    }

    #[test]
    fn a_seen_prompt_hits_but_for_its_last_block() {
        let mut cache = BlockCache::new(4, 100);
        assert_eq!(cache.lookup(&prompt(8), None), 0);
        cache.insert(&prompt(8), None);
        assert_eq!(cache.lookup(&prompt(8), None), 4);
        assert_eq!(cache.lookup(&prompt(9), None), 8);
        assert_eq!(cache.lookup(&prompt(3), None), 0);
    }

    #[test]
    fn a_block_is_known_by_all_that_precedes_it() {
        let mut cache = BlockCache::new(4, 100);
        cache.insert(&prompt(8), None);
        let mut other = prompt(9);
        if let Some(first) = other.first_mut() {
            *first = 99;
        }
        assert_eq!(cache.lookup(&other, None), 0);
    }

    #[test]
    fn salts_keep_prompts_apart() {
        let mut cache = BlockCache::new(4, 100);
        cache.insert(&prompt(8), Some("a"));
        assert_eq!(cache.lookup(&prompt(9), None), 0);
        assert_eq!(cache.lookup(&prompt(9), Some("b")), 0);
        assert_eq!(cache.lookup(&prompt(9), Some("a")), 8);
    }

    #[test]
    fn the_least_recently_used_block_goes_first() {
        let mut cache = BlockCache::new(1, 2);
        cache.insert(&[1], None);
        cache.insert(&[2], None);
        assert_eq!(cache.lookup(&[1, 0], None), 1);
        cache.insert(&[3], None);
        assert_eq!(cache.lookup(&[1, 0], None), 1);
        assert_eq!(cache.lookup(&[2, 0], None), 0);
        assert_eq!(cache.lookup(&[3, 0], None), 1);
    }
}
