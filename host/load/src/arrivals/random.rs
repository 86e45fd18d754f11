//! Random gaps, the same on every machine.
//!
//! The generator is xoshiro256** 1.0, its state filled by SplitMix64 as its authors advise (Blackman and Vigna, "Scrambled
//! linear pseudorandom number generators", ACM Trans. Math. Softw. 47, 2021; reference code at prng.di.unimi.it). It is
//! written out here because a library may change its stream from one version to the next, and a recorded seed must not.
//! Logarithm and exponential come from `libm`, since those of the platform differ in the last bit.

use crate::spec::Arrivals;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(super) struct Random([u64; 4]);

impl Random {
    /// The stream of this seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut state = seed;
        Self(std::array::from_fn(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }))
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// Evenly from (0, 1], in steps of 2^-53, so that its logarithm is finite.
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// From the normal distribution, by Marsaglia's polar method.
    fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * libm::log(square) / square).sqrt();
            }
        }
    }

    /// From the gamma distribution of this shape and of scale 1, by the method of Marsaglia and Tsang ("A simple method for
    /// generating gamma variables", ACM Trans. Math. Softw. 26, 2000), shapes below 1 by its section 6.
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = libm::exp(libm::log(self.unit()) / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = 1.0 + c * x;
            if v <= 0.0 {
                continue;
            }
            let v = v * v * v;
            if libm::log(self.unit()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    /// A gap between arrivals with mean 1.
    pub(super) fn gap(&mut self, arrivals: Arrivals) -> f64 {
        match arrivals {
            Arrivals::Constant => 1.0,
            Arrivals::Poisson => -libm::log(self.unit()),
            Arrivals::Gamma { burstiness } => self.gamma(burstiness) / burstiness,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // The first outputs for the state (1, 2, 3, 4) follow from the definition by hand: 2 · 5 rotated by 7 is 1280, times 9.
        let mut random = Random([1, 2, 3, 4]);
        assert_eq!(random.next(), 11_520);
        assert_eq!(random.0, [7, 0, 262_146, 6 << 45]);
        assert_eq!(random.next(), 0);
    }

    /// Mean and variance of many gaps.
    fn moments(arrivals: Arrivals) -> (f64, f64) {
        let mut random = Random::new(7);
        let gaps: Vec<f64> = (0..200_000).map(|_| random.gap(arrivals)).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        (mean, gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64)
    }

    #[test]
    fn gaps_have_the_mean_and_the_variance_of_their_distribution() {
        for (arrivals, variance) in [
            (Arrivals::Constant, 0.0),
            (Arrivals::Poisson, 1.0),
            (Arrivals::Gamma { burstiness: 1.0 }, 1.0),
            (Arrivals::Gamma { burstiness: 0.25 }, 4.0),
            (Arrivals::Gamma { burstiness: 20.0 }, 0.05),
        ] {
            let (mean, measured) = moments(arrivals);
            assert!((mean - 1.0).abs() < 0.02, "{arrivals:?}: mean {mean}");
            assert!((measured - variance).abs() <= 0.05 * variance, "{arrivals:?}: variance {measured}");
        }
    }
}
