//! Python's `random.Random`, as far as examples are drawn with it: MT19937 seeded by a whole number, and `sample`.
//!
//! The generator and its seeding by a list of words are those of Matsumoto and Nishimura, "Mersenne Twister" (ACM TOMACS 8, 1998)
//! and their revision of 2002; how a draw of places is made of it is CPython's, the same since 3.2.

const SIZE: usize = 624;
const SHIFT: usize = 397;

/// The generator.
pub struct Random {
    state: [u32; SIZE],
    next: usize,
}

impl Random {
    /// As `random.Random(seed)` begins.
    pub fn new(seed: u32) -> Self {
        let mut state = [0_u32; SIZE];
        let mut last = 19_650_218_u32;
        for (place, word) in state.iter_mut().enumerate() {
            if place > 0 {
                last = 1_812_433_253_u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(counted(place));
            }
            *word = last;
        }
        let mut at = 1;
        let mut step = |state: &mut [u32; SIZE], factor: u32, change: &dyn Fn(u32, usize) -> u32| {
            let before = state[at - 1];
            state[at] = change(state[at] ^ (before ^ (before >> 30)).wrapping_mul(factor), at);
            at += 1;
            if at >= SIZE {
                state[0] = state[SIZE - 1];
                at = 1;
            }
        };
        for _ in 0..SIZE {
            step(&mut state, 1_664_525, &|word, _| word.wrapping_add(seed));
        }
        for _ in 1..SIZE {
            step(&mut state, 1_566_083_941, &|word, at| word.wrapping_sub(counted(at)));
        }
        state[0] = 0x8000_0000;
        Self { state, next: SIZE }
    }

    fn word(&mut self) -> u32 {
        if self.next >= SIZE {
            for place in 0..SIZE {
                let mixed = (self.state[place] & 0x8000_0000) | (self.state[(place + 1) % SIZE] & 0x7fff_ffff);
                let odd = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[place] = self.state[(place + SHIFT) % SIZE] ^ (mixed >> 1) ^ odd;
            }
            self.next = 0;
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// A number below `bound`, which is at most 2^32 - 1; 0 where it is 0.
    fn below(&mut self, bound: usize) -> usize {
        let bits = usize::BITS - bound.leading_zeros();
        if bits == 0 || bits > 32 {
            return 0;
        }
        loop {
            let drawn = (self.word() >> (32 - bits)) as usize;
            if drawn < bound {
                return drawn;
            }
        }
    }

    /// The places that `sample(population, count)` draws of a population of `size`; nothing where there are fewer.
    pub fn sample(&mut self, size: usize, count: usize) -> Option<Vec<usize>> {
        if count > size {
            return None;
        }
        let mut table = 21_usize;
        if count > 5 {
            let mut power = 1_usize;
            while power < count.saturating_mul(3) {
                power = power.saturating_mul(4);
            }
            table = table.saturating_add(power);
        }
        let mut drawn = Vec::with_capacity(count);
        if size <= table {
            let mut pool: Vec<usize> = (0..size).collect();
            for place in 0..count {
                let at = self.below(size - place);
                drawn.push(pool.swap_remove(at));
            }
        } else {
            while drawn.len() < count {
                let at = self.below(size);
                if !drawn.contains(&at) {
                    drawn.push(at);
                }
            }
        }
        Some(drawn)
    }
}

/// A place in the state, as the generator counts with it.
fn counted(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    /// What CPython 3.11 draws.
    #[test]
    fn samples_are_those_of_python() {
        let mut random = Random::new(1234);
        assert_eq!(random.sample(10, 3).unwrap(), [7, 1, 0]);
        assert_eq!(random.sample(7473, 6).unwrap(), [742, 7462, 6610, 4769, 286, 5501]);
        assert_eq!(random.sample(30, 6).unwrap(), [22, 2, 3, 24, 11, 7]);
        assert_eq!(random.sample(1319, 5).unwrap(), [35, 63, 32, 708, 1276]);
        assert_eq!(random.sample(5, 5).unwrap(), [3, 4, 0, 2, 1]);
        assert_eq!(
            random.sample(1000, 20).unwrap(),
            [730, 117, 865, 14, 515, 498, 901, 988, 255, 66, 683, 554, 934, 477, 70, 615, 691, 91, 527, 592]
        );
        assert_eq!(random.sample(2, 3), None);
        assert_eq!(Random::new(0).sample(100, 4).unwrap(), [49, 97, 53, 5]);
    }
}
