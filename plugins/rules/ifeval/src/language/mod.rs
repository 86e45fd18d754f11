//! Which language a text is in: the detector of `langdetect` 1.0.9 with `DetectorFactory.seed = 0`.
//!
//! It is S. Nakatani's naive Bayes over n-grams of one to three characters, sampled at random in seven trials until one language is
//! near certain. Unseeded it answers differently from run to run; with the seed it is a function of the text, and this one is the same
//! function: the same cleaning, the same n-grams in the same order, the same random numbers, the same order of operations on floating
//! point numbers. Two things it does not take over, since the reference itself does not fix them: the order of languages, there that
//! of a folder's listing and here the alphabet, and with it the last bits of sums.

mod clean;
mod profiles;
mod random;

use std::sync::OnceLock;

use profiles::{LANGUAGES, Profiles};
use random::Random;

use crate::reader::Damaged;

/// Probability at which a trial ends.
const CONVERGED: f64 = 0.99999;
/// Steps at which it ends anyway.
const MOST_STEPS: usize = 1_000;
/// Probability that an answer needs.
const LEAST: f64 = 0.1;
const TRIALS: usize = 7;
/// Smoothing, how much it varies between trials, and the frequency that it is a share of.
const ALPHA: f64 = 0.5;
const ALPHA_WIDTH: f64 = 0.05;
const BASE_FREQUENCY: f64 = 10_000.0;

/// What a language is called that no profile is near enough to.
const UNKNOWN: &str = "unknown";

/// A detector of languages.
#[derive(Debug)]
pub(crate) struct Detector {
    /// Unpacked when a text is first asked about: it takes as long as grading a thousand answers, and few instructions need it.
    profiles: OnceLock<Result<Profiles, Damaged>>,
    /// The sequence that each detection draws from, at its start.
    random: Random,
}

impl Detector {
    /// A detector with the 55 profiles of the reference.
    pub(crate) fn new() -> Self {
        Self { profiles: OnceLock::new(), random: Random::seeded(0) }
    }

    /// The code of the text's language; nothing where the text has no n-gram that any language has, which is where the reference
    /// raises.
    ///
    /// # Errors
    /// The profiles are damaged.
    pub(crate) fn detect(&self, text: &str) -> Result<Option<&str>, Damaged> {
        let profiles = self.profiles.get_or_init(Profiles::load).as_ref().map_err(|&damaged| damaged)?;
        let grams = profiles.grams(&clean::cleaned(text));
        if grams.is_empty() {
            return Ok(None);
        }
        let languages = profiles.names().len();
        let mut random = self.random.clone();
        let mut mean = [0.0; LANGUAGES];
        for _ in 0..TRIALS {
            let mut likely = [1.0 / languages as f64; LANGUAGES];
            let weight = (ALPHA + random.gauss() * ALPHA_WIDTH) / BASE_FREQUENCY;
            for step in 0.. {
                let gram = grams.get(random.index(grams.len())).copied().unwrap_or_default();
                let factors = profiles.factors(gram, weight);
                likely.iter_mut().zip(&factors).for_each(|(likely, factor)| *likely *= factor);
                if step % 5 == 0 && (normalised(&mut likely) > CONVERGED || step >= MOST_STEPS) {
                    break;
                }
            }
            mean.iter_mut().zip(&likely).for_each(|(mean, likely)| *mean += likely / TRIALS as f64);
        }
        let mut best: Option<(&str, f64)> = None;
        for (name, &likely) in profiles.names().iter().zip(&mean) {
            if likely > LEAST && best.is_none_or(|(_, best)| best < likely) {
                best = Some((name, likely));
            }
        }
        Ok(Some(best.map_or(UNKNOWN, |(name, _)| name)))
    }
}

/// Makes the sum 1, and says what the largest is then.
fn normalised(likely: &mut [f64]) -> f64 {
    let sum: f64 = likely.iter().sum();
    let mut largest = 0.0;
    for likely in likely {
        *likely /= sum;
        if largest < *likely {
            largest = *likely;
        }
    }
    largest
}
