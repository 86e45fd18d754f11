//! The ratio of two medians and how sure it is.

use bench_metrics::{Distribution, t_quantile};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A 95 % confidence interval of a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatioInterval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// `value / reference`; `None` unless both are positive.
pub(super) fn of(reference: f64, value: f64) -> Option<f64> {
    let ratio = value / reference;
    (reference > 0.0 && value > 0.0 && ratio.is_finite()).then_some(ratio)
}

/// The interval of `value / reference`, or `None` where one of them has fewer than three repeats.
///
/// The logarithm of the ratio is taken for normal; its variance is the sum of the squared relative standard errors (the
/// delta method), its degrees of freedom follow Welch and Satterthwaite, rounded down. The standard error of each side comes
/// from the spread of its repeats' medians.
pub fn ratio_interval(reference: &Distribution, value: &Distribution) -> Option<RatioInterval> {
    let ratio = of(reference.median, value.median)?;
    let (a, a_degrees) = relative_variance(reference)?;
    let (b, b_degrees) = relative_variance(value)?;
    let variance = a + b;
    if variance == 0.0 {
        return Some(RatioInterval { low: ratio, high: ratio });
    }
    let degrees = variance.powi(2) / (a.powi(2) / a_degrees + b.powi(2) / b_degrees);
    let reach = t_quantile((degrees.floor() as usize).max(1)) * variance.sqrt();
    let (low, high) = (ratio * (-reach).exp(), ratio * reach.exp());
    high.is_finite().then_some(RatioInterval { low, high })
}

/// The squared relative standard error and its degrees of freedom.
fn relative_variance(of: &Distribution) -> Option<(f64, f64)> {
    let degrees = usize::try_from(of.repeats).ok()?.checked_sub(1).filter(|degrees| *degrees >= 2)?;
    let error = of.half_width? / t_quantile(degrees) / of.median;
    error.is_finite().then(|| (error.powi(2), degrees as f64))
}
