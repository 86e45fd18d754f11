//! Recurses without end. The result of each level depends on the next in a way that no optimiser turns into a loop, and
//! nothing is kept in linear memory, so that it is the machine's stack that runs out.

#[cfg(target_arch = "wasm32")]
mod component {
    #[inline(never)]
    fn deeper(depth: u64) -> u64 {
        if depth == u64::MAX { depth } else { deeper(depth + 1).rotate_left(3) ^ depth }
    }

    guest_stub::driver!(encode: |generation: Generation, _| {
        let depth = deeper(u64::from(generation.max_tokens));
        Ok(guest_stub::encoded(depth.to_string(), Vec::new()))
    });
}
