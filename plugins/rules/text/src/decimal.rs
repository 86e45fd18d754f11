//! Decimal numbers in prose, in a form in which equal numbers are equal texts.

/// The first number of a text.
pub fn first(text: &str) -> Option<String> {
    Numbers { text, at: 0 }.next()
}

/// The last number of a text.
pub fn last(text: &str) -> Option<String> {
    Numbers { text, at: 0 }.last()
}

/// The numbers of a text, from left to right: digits with or without commas between thousands, and a fraction where a digit
/// follows the point. A minus sign counts where no digit, letter or closing bracket is before it, also before a `$`.
struct Numbers<'t> {
    text: &'t str,
    at: usize,
}

fn digits(text: &[u8], at: usize) -> usize {
    text.iter().skip(at).take_while(|b| b.is_ascii_digit()).count()
}

impl Iterator for Numbers<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let bytes = self.text.as_bytes();
        let first = self.at + bytes.get(self.at..)?.iter().position(u8::is_ascii_digit)?;
        let mut end = first + digits(bytes, first);
        let mut whole = self.text.get(first..end)?.to_owned();
        // Thousands come in threes, behind one to three digits.
        if end - first <= 3 {
            while bytes.get(end) == Some(&b',') && digits(bytes, end + 1) == 3 {
                whole += self.text.get(end + 1..end + 4)?;
                end += 4;
            }
        }
        // A point before the digits, as in `.5`, unless it ends a word or belongs to another number.
        let point_before = first.checked_sub(1).filter(|&point| bytes.get(point) == Some(&b'.'));
        let leading_point = point_before
            .filter(|&point| point.checked_sub(1).and_then(|at| bytes.get(at)).is_none_or(|b| b" \t\n$-(".contains(b)));
        let mut fraction = "";
        let mut begin = first;
        if let Some(point) = leading_point {
            fraction = self.text.get(first..first + digits(bytes, first))?;
            whole.clear();
            end = first + fraction.len();
            begin = point;
        } else if bytes.get(end) == Some(&b'.') && digits(bytes, end + 1) > 0 {
            let length = digits(bytes, end + 1);
            fraction = self.text.get(end + 1..end + 1 + length)?;
            end += 1 + length;
        }
        self.at = end;
        let before = self.text.get(..begin)?.trim_end_matches('$');
        let negative = before.strip_suffix(['-', '\u{2212}']).is_some_and(|before| {
            !before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || matches!(c, ')' | ']' | '}'))
        });
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let sign = if negative && !(whole.is_empty() && fraction.is_empty()) { "-" } else { "" };
        let whole = if whole.is_empty() { "0" } else { whole };
        Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
    }
}

#[cfg(test)]
mod tests {
    use super::{first, last};

    #[test]
    fn equal_numbers_are_equal_texts() {
        for (text, number) in [
            ("$29.00", "29"),
            ("It costs $1,234.50.", "1234.5"),
            ("1,234,567", "1234567"),
            ("72...", "72"),
            ("-$5", "-5"),
            ("5-3", "3"),
            ("x = -0.0", "0"),
            ("007", "7"),
            (".5", "0.5"),
            ("$.50", "0.5"),
            ("\u{2212}8", "-8"),
            ("1,23", "23"),
            ("**18**", "18"),
            ("3.", "3"),
            ("1,000,00", "0"),
            ("12,3456", "3456"),
            ("v1.2.3", "3"),
            ("100%", "100"),
        ] {
            assert_eq!(last(text).as_deref(), Some(number), "{text}");
        }
        assert_eq!(first("12 or 13").as_deref(), Some("12"));
        assert_eq!(last("... , $ -"), None);
    }
}
