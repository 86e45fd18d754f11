//! The two distributions that the intervals need, for any degrees of freedom and any probability.
//!
//! [`crate::t_quantile`] has the one point that most intervals need from a table; comparing runs needs fractional degrees of freedom
//! (Welch) and other probabilities (power).

use std::f64::consts::PI;

/// Most terms of a series or fraction; both end long before.
const TERMS: usize = 500;

/// The distribution function of Student's t with `degrees` (above 0) degrees of freedom, from the regularised incomplete beta
/// function (Abramowitz and Stegun 26.7.1).
pub fn t_cdf(t: f64, degrees: f64) -> f64 {
    let tail = 0.5 * beta(degrees / (degrees + t * t), degrees / 2.0, 0.5);
    if t < 0.0 { tail } else { 1.0 - tail }
}

/// The value that Student's t with `degrees` degrees of freedom exceeds with probability 1 − `p`. Infinite for no degrees of
/// freedom; `p` is kept within 10⁻⁹ of 0 and 1.
pub fn t_quantile_at(p: f64, degrees: f64) -> f64 {
    if degrees.is_nan() || degrees <= 0.0 {
        return f64::INFINITY;
    }
    let p = p.clamp(1e-9, 1.0 - 1e-9);
    if p < 0.5 {
        return -t_quantile_at(1.0 - p, degrees);
    }
    let mut high = 1.0;
    while t_cdf(high, degrees) < p && high < 1e300 {
        high *= 2.0;
    }
    bisect(0.0, high, |t| t_cdf(t, degrees) < p)
}

/// The distribution function of the normal distribution, by its series (Abramowitz and Stegun 26.2.11); 0 or 1 beyond eight
/// standard deviations.
pub fn normal_cdf(z: f64) -> f64 {
    if z.abs() > 8.0 {
        return if z < 0.0 { 0.0 } else { 1.0 };
    }
    let mut term = z;
    let mut sum = z;
    for n in 1..TERMS {
        term *= z * z / (2 * n + 1) as f64;
        sum += term;
        if term.abs() < 1e-17 * sum.abs() {
            break;
        }
    }
    0.5 + sum * (-z * z / 2.0).exp() / (2.0 * PI).sqrt()
}

/// The value that a normal variable exceeds with probability 1 − `p`, within eight standard deviations.
pub fn normal_quantile(p: f64) -> f64 {
    bisect(-8.0, 8.0, |z| normal_cdf(z) < p)
}

/// Where `below` turns from true to false between two values.
fn bisect(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..200 {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if below(middle) { low = middle } else { high = middle }
    }
    low + (high - low) / 2.0
}

/// The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22) with the symmetry 8.17.4 where that
/// converges faster.
fn beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta(1.0 - x, b, a);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp() / a;
    front * fraction(x, a, b)
}

/// The continued fraction of DLMF 8.17.22, evaluated from the front by the modified method of Lentz (Thompson and Barnett, J.
/// Comput. Phys. 64, 1986).
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let away_from_zero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let coefficient = |n: usize| {
        let m = (n / 2) as f64;
        if n.is_multiple_of(2) {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        }
    };
    let mut c = 1.0;
    let mut d = 0.0;
    // The fraction is 1 / (1 + d1 / (1 + d2 / …)); Lentz builds the denominator, whose inverse is wanted.
    let mut value = 1.0;
    for n in 1..TERMS {
        let factor = coefficient(n);
        d = 1.0 / away_from_zero(1.0 + factor * d);
        c = away_from_zero(1.0 + factor / c);
        let change = c * d;
        value *= change;
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    1.0 / value
}

/// The logarithm of the gamma function for arguments above 0, by Stirling's series (DLMF 5.11.1) after raising the argument to at
/// least 10 with the recurrence 5.5.1.
fn ln_gamma(x: f64) -> f64 {
    let mut x = x;
    let mut lowered = 0.0;
    while x < 10.0 {
        lowered += x.ln();
        x += 1.0;
    }
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5)) - 1.0 / (1680.0 * x.powi(7))
        + 1.0 / (1188.0 * x.powi(9));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * PI).ln() + series - lowered
}
