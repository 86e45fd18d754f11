//! A number as `format(x, ".5g")` writes it, which is how the reference decides whether two numbers are the same.

/// `number` to five significant digits, as C's `%g` writes it: without trailing zeros, and with an exponent of two digits where
/// it is below -4 or above 4. `number` is finite.
pub fn general(number: f64) -> String {
    let scientific = format!("{number:.4e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..5).contains(&exponent) {
        let decimals = usize::try_from(4 - exponent).unwrap_or_default();
        return trimmed(&format!("{number:.decimals$}")).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(mantissa), exponent.unsigned_abs())
}

fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::general;

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (42.0, "42"),
            (0.5, "0.5"),
            (1.0 / 3.0, "0.33333"),
            (99999.0, "99999"),
            (99_999.5, "1e+05"),
            (100_005.0, "1e+05"),
            (100_015.0, "1.0002e+05"),
            (123_456.0, "1.2346e+05"),
            (0.0001, "0.0001"),
            (0.000_099_999_99, "0.0001"),
            (0.000_01, "1e-05"),
            (-2.5, "-2.5"),
            (1e300, "1e+300"),
            (5e-324, "4.9407e-324"),
        ];
        for (number, text) in cases {
            assert_eq!(general(number), text);
        }
    }
}
