//! The random numbers of CPython's `random`, as far as language detection draws them.
//!
//! The reference samples n-grams with a Mersenne Twister, so a grade is the same only with the same numbers in the same order:
//! `gauss` and `choice` draw from one sequence, and `gauss` keeps the second number of each pair that it makes.

/// Size of the state, and distance of the words that are mixed: M. Matsumoto and T. Nishimura, 1998.
const WORDS: usize = 624;
const DISTANCE: usize = 397;

/// A Mersenne Twister (MT19937) with the derived distributions of CPython.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: [u32; WORDS],
    next: usize,
    spare: Option<f64>,
}

/// Bits of the word before, mixed as both seeding rounds do.
fn mixed(before: u32) -> u32 {
    before ^ (before >> 30)
}

impl Random {
    /// The sequence behind `random.seed(seed)`, for a seed that fits one word.
    pub(crate) fn seeded(seed: u32) -> Self {
        let mut state = [0_u32; WORDS];
        let mut before = 19_650_218;
        for (index, word) in (0_u32..).zip(&mut state) {
            *word = if index == 0 { before } else { mixed(before).wrapping_mul(1_812_433_253).wrapping_add(index) };
            before = *word;
        }
        // Seeding from an array of one word: a round over all words and one over all but one, each beginning at the second.
        let mut index = 1;
        let mut round = |steps: usize, step: fn(u32, u32, u32, u32) -> u32, state: &mut [u32; WORDS]| {
            for _ in 0..steps {
                state[index] =
                    step(state[index], mixed(state[index - 1]), seed, u32::try_from(index).unwrap_or_default());
                index += 1;
                if index == WORDS {
                    state[0] = state[WORDS - 1];
                    index = 1;
                }
            }
        };
        round(WORDS, |word, mixed, seed, _| (word ^ mixed.wrapping_mul(1_664_525)).wrapping_add(seed), &mut state);
        round(
            WORDS - 1,
            |word, mixed, _, index| (word ^ mixed.wrapping_mul(1_566_083_941)).wrapping_sub(index),
            &mut state,
        );
        state[0] = 0x8000_0000;
        Self { state, next: WORDS, spare: None }
    }

    fn refill(&mut self) {
        for index in 0..WORDS {
            let joined = (self.state[index] & 0x8000_0000) | (self.state[(index + 1) % WORDS] & 0x7fff_ffff);
            let odd = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[index] = self.state[(index + DISTANCE) % WORDS] ^ (joined >> 1) ^ odd;
        }
        self.next = 0;
    }

    fn word(&mut self) -> u32 {
        if self.next == WORDS {
            self.refill();
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// `random()`: in [0, 1), of 53 bits.
    pub(crate) fn unit(&mut self) -> f64 {
        let high = f64::from(self.word() >> 5);
        let low = f64::from(self.word() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    /// `gauss(0, 1)`. Its logarithm and sine may differ from those of a C library in the last bit, which is too little to turn
    /// what a text's language is.
    pub(crate) fn gauss(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let angle = self.unit() * std::f64::consts::TAU;
        let radius = (-2.0 * libm::log(1.0 - self.unit())).sqrt();
        self.spare = Some(libm::sin(angle) * radius);
        libm::cos(angle) * radius
    }

    /// The index that `choice` takes of a sequence of `len` items; 0 for an empty one.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        let Some(len) = u32::try_from(len).ok().filter(|&len| len > 0) else { return 0 };
        let unused = len.leading_zeros();
        loop {
            let drawn = self.word() >> unused;
            if drawn < len {
                return usize::try_from(drawn).unwrap_or_default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn draws_what_cpython_draws() {
        // `random.seed(0)`, then: gauss(0, 1), five times choice(range(10)), gauss(0, 1), random(), gauss(0, 1).
        let mut random = Random::seeded(0);
        let first = random.gauss();
        let chosen: Vec<usize> = (0..5).map(|_| random.index(10)).collect();
        let second = random.gauss();
        let unit = random.unit();
        let third = random.gauss();
        let near = |drawn: f64, expected: f64| (drawn - expected).abs() < 1e-15;
        assert_eq!(chosen, [6, 0, 4, 8, 7]);
        assert!(
            near(first, 0.941_715_404_680_664_4)
                && near(second, -1.396_578_104_701_149_8)
                && near(third, 0.179_196_487_274_856_87),
            "{first} {second} {third}"
        );
        assert_eq!(unit.to_bits(), 0.404_934_137_450_414_3_f64.to_bits());
    }
}
