//! What tokens cost.

use bench_samples::UsageRecord;
use serde::Deserialize;

use crate::backend::CacheWrites;
use crate::error::EvalError;

/// The list that the program brings.
const OWN: &str = include_str!("../prices.toml");

/// A list of prices, the first fitting entry counting.
#[derive(Debug, Clone, Default)]
pub struct Prices(Vec<Price>);

/// What a model's tokens cost, in US dollars per million.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The model; `*` stands for any run of characters.
    pub model: String,
    /// Tokens of prompts.
    pub input: f64,
    /// Tokens produced.
    pub output: f64,
    /// Tokens of prompts that came from a cache.
    pub cached: Option<f64>,
    /// Tokens of prompts that were written to a cache for some minutes; 1.25 times `input` where it is not given.
    pub cache_write: Option<f64>,
    /// Tokens of prompts that were written to a cache for an hour; twice `input` where it is not given.
    pub cache_write_1h: Option<f64>,
    /// The first day of this price.
    pub from: Option<String>,
    /// Its last day.
    pub until: Option<String>,
    /// Where it stands.
    pub source: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    prices: Vec<Price>,
}

impl Prices {
    /// The user's own prices, where there are some, and after them the list that the program brings.
    ///
    /// # Errors
    /// [`EvalError::Prices`] for a file that is no price list.
    pub fn new(own: Option<&str>) -> Result<Self, EvalError> {
        let mut prices = own.map(read).transpose()?.unwrap_or_default();
        prices.extend(read(OWN)?);
        Ok(Self(prices))
    }

    /// The price of a model on a day, written as ISO 8601 does. A part before a slash is the seller's and not the model's.
    pub fn of(&self, model: &str, day: &str) -> Option<&Price> {
        let bare = model.rsplit('/').next().unwrap_or(model);
        let fits = |price: &&Price| {
            (matches(&price.model, model) || matches(&price.model, bare))
                && price.from.as_deref().is_none_or(|from| day >= from)
                && price.until.as_deref().is_none_or(|until| day <= until)
        };
        self.0.iter().find(fits)
    }
}

fn read(text: &str) -> Result<Vec<Price>, EvalError> {
    let bad = |reason: String| EvalError::Prices { reason };
    let File { prices } = toml::from_str(text).map_err(|error| bad(error.to_string().trim().to_owned()))?;
    for price in &prices {
        let numbers = [Some(price.input), Some(price.output), price.cached, price.cache_write, price.cache_write_1h];
        if numbers.into_iter().flatten().any(|number| !number.is_finite() || number < 0.0) {
            return Err(bad(format!("a price of {} is negative or no number", price.model)));
        }
        for day in [&price.from, &price.until].into_iter().flatten() {
            if !bench_suite::is_date(day) {
                return Err(bad(format!("{day:?} is no date such as 2026-01-31")));
            }
        }
    }
    Ok(prices)
}

/// What Anthropic charges for writing to its cache, as multiples of the price of input: for five minutes, and for an hour. It is
/// the service that reports such tokens (its documentation of prompt caching).
const CACHE_WRITES: [f64; 2] = [1.25, 2.0];

impl Price {
    /// What a request cost, in US dollars; `None` where the backend reported no counts.
    pub fn cost(&self, usage: &UsageRecord, writes: CacheWrites) -> Option<f64> {
        let (prompt, completion) = (usage.prompt?, usage.completion?);
        let cached = usage.cached.unwrap_or(0).min(prompt);
        let written = writes.all.min(prompt - cached);
        let for_an_hour = writes.for_an_hour.min(written);
        let [minutes, hour] = CACHE_WRITES;
        let tokens = [
            (prompt - cached - written, self.input),
            (cached, self.cached.unwrap_or(self.input)),
            (written - for_an_hour, self.cache_write.unwrap_or(self.input * minutes)),
            (for_an_hour, self.cache_write_1h.unwrap_or(self.input * hour)),
            (completion, self.output),
        ];
        Some(tokens.into_iter().map(|(count, price)| count as f64 * price).sum::<f64>() / 1e6)
    }
}

/// Whether a pattern with `*` fits the whole of a text. Steps back to the last star only, so the time is at most the product of the
/// lengths.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut place) = (0, 0);
    let mut star = None;
    while at < text.len() {
        match pattern.get(place) {
            Some('*') => {
                star = Some((place, at));
                place += 1;
            }
            Some(character) if text.get(at) == Some(character) => {
                at += 1;
                place += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    (place, at) = (after + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(place).all(|character| *character == '*')
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("gpt-4o", "gpt-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-4o*", "gpt-4o-mini", true),
            ("*mini*", "gpt-4o-mini", true),
            ("*a*b", "aab", true),
            ("*a*b", "aabc", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
        assert!(!matches(&"*a".repeat(200), &"b".repeat(20_000)), "ends in time");
    }

    #[test]
    fn the_users_prices_come_first_and_days_count() {
        let own = "[[prices]]\nmodel = \"gpt-4.1\"\ninput = 1\noutput = 2\nuntil = \"2025-12-31\"\n";
        let prices = Prices::new(Some(own)).unwrap();
        assert_eq!(prices.of("gpt-4.1", "2025-06-01").unwrap().input, 1.0);
        assert_eq!(prices.of("openai/gpt-4.1", "2026-06-01").unwrap().input, 2.0);
        assert!(prices.of("gpt-4.1", "2020-01-01").is_some_and(|price| price.input == 1.0));
        assert!(Prices::new(None).unwrap().of("a-model-of-mine", "2026-06-01").is_none());
        for bad in ["prices", "[[prices]]\nmodel = \"x\"\ninput = -1\noutput = 0", "[[prices]]\nmodle = \"x\""] {
            assert_eq!(Prices::new(Some(bad)).unwrap_err().code(), "bad-prices");
        }
    }

    #[test]
    fn cached_tokens_have_a_price_of_their_own() {
        let price = Price {
            model: String::new(),
            input: 2.0,
            output: 8.0,
            cached: Some(0.5),
            cache_write: None,
            cache_write_1h: Some(3.0),
            from: None,
            until: None,
            source: None,
        };
        let usage =
            UsageRecord { prompt: Some(1_000_000), cached: Some(500_000), completion: Some(250_000), reasoning: None };
        let cost = |all, for_an_hour| price.cost(&usage, CacheWrites { all, for_an_hour }).unwrap();
        assert!((cost(0, 0) - (1.0 + 0.25 + 2.0)).abs() < 1e-12);
        // Half of what was not in the cache was written to it, a fifth of that for an hour.
        assert!((cost(250_000, 50_000) - (0.5 + 0.25 + 0.2 * 2.5 + 0.05 * 3.0 + 2.0)).abs() < 1e-12);
        // More than the prompt has cannot be written.
        assert!((cost(u64::MAX, 0) - (0.25 + 0.5 * 2.5 + 2.0)).abs() < 1e-12);
        assert_eq!(price.cost(&UsageRecord::default(), CacheWrites::default()), None);
    }
}
