//! Numbers of JSON: order, equality, multiples.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::Manner;

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::NAN)
}

/// The order of two numbers, exactly, whichever way each is written.
pub fn order(one: &Number, other: &Number) -> Ordering {
    match (integer(one), integer(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        (Some(one), None) => against_float(one, float(other)),
        (None, Some(other)) => against_float(other, float(one)).reverse(),
        (None, None) => float(one).partial_cmp(&float(other)).unwrap_or(Ordering::Equal),
    }
}

fn against_float(integer: i128, number: f64) -> Ordering {
    // Every integer here fits 64 bits, so that a float beyond 2^65 is beyond it.
    if number.abs() > 3.7e19 {
        return if number > 0.0 { Ordering::Less } else { Ordering::Greater };
    }
    let floor = number.floor();
    integer.cmp(&(floor as i128)).then(if number > floor { Ordering::Less } else { Ordering::Equal })
}

/// Whether a number has no fraction, as in `1.0`.
pub fn is_integer(number: &Number) -> bool {
    integer(number).is_some() || float(number).fract() == 0.0
}

/// Equality of JSON values: 1 is 1.0, and `true` is not 1.
pub fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => order(one, other) == Ordering::Equal,
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| equal(value, other)))
        }
        (one, other) => one == other,
    }
}

/// Whether `number` is a multiple of `step`, which is above 0.
pub fn is_multiple(number: &Number, step: &Number, manner: Manner) -> bool {
    if let (Some(number), Some(step)) = (integer(number), integer(step)) {
        return number % step == 0;
    }
    if manner == Manner::Exact
        && let Some(exact) = decimal_multiple(number, step)
    {
        return exact;
    }
    if integer(step).is_some() {
        return float(number) % float(step) == 0.0;
    }
    let quotient = float(number) / float(step);
    if quotient.is_infinite() { float(number) % float(step) == 0.0 } else { quotient.fract() == 0.0 }
}

fn decimal_multiple(number: &Number, step: &Number) -> Option<bool> {
    let (number, step) = (decimal(number)?, decimal(step)?);
    let exponent = number.1.min(step.1);
    let scaled = |(digits, own): (i128, i32)| {
        let power = 10_i128.checked_pow(u32::try_from(own - exponent).ok()?)?;
        digits.checked_mul(power)
    };
    Some(scaled(number)?.checked_rem(scaled(step)?)? == 0)
}

/// Digits and exponent of the shortest decimal that is this number.
fn decimal(number: &Number) -> Option<(i128, i32)> {
    let text = number.to_string();
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    Some((digits, exponent - i32::try_from(fraction.len()).ok()?))
}
