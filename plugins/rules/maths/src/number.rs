//! Numbers in running text: signs, thousands, fractions, mixed numbers, powers of ten, percent, currency.

/// A number and what was said with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number<'t> {
    /// As written: 50 for `50%`.
    pub value: f64,
    /// A percent sign or the word follows.
    pub percent: bool,
    /// The text of it.
    pub text: &'t str,
    /// What follows, where a unit would be.
    pub rest: &'t str,
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// `1.234,5` rather than `1,234.5`.
    pub decimal_comma: bool,
}

/// The numbers of `text`, in order.
pub fn numbers(text: &str, style: Style) -> Vec<Number<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut before = None;
    while let Some(character) = text[at..].chars().next() {
        // The digits of `x2` and the rest of `1.2.3` are no numbers.
        let within = before.is_some_and(|before: char| before.is_alphanumeric() || before == '_');
        let number = if within { None } else { number(&text[at..], style) };
        match number {
            Some(number) => {
                at += number.text.len();
                before = number.text.chars().next_back();
                found.push(number);
            }
            None => {
                at += character.len_utf8();
                before = Some(character);
            }
        }
    }
    found
}

/// The number that `text` begins with.
fn number(text: &str, style: Style) -> Option<Number<'_>> {
    let mut reader = Reader { rest: text, style };
    let negative = reader.sign();
    reader.currency();
    let negative = negative || reader.sign();
    let mut value = reader.magnitude()?;
    if let Some(power) = reader.power_of_ten() {
        value *= power;
    }
    let percent = reader.percent();
    let value = if negative { -value } else { value };
    let length = text.len() - reader.rest.len();
    Some(Number { value, percent, text: &text[..length], rest: reader.rest }).filter(|number| number.value.is_finite())
}

#[derive(Clone, Copy)]
struct Reader<'t> {
    rest: &'t str,
    style: Style,
}

impl<'t> Reader<'t> {
    fn take(&mut self, prefix: &str) -> bool {
        self.rest.strip_prefix(prefix).map(|rest| self.rest = rest).is_some()
    }

    fn take_any(&mut self, prefixes: &[&str]) -> bool {
        prefixes.iter().any(|prefix| self.take(prefix))
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\u{a0}', '\u{202f}', '\u{2009}']);
    }

    fn sign(&mut self) -> bool {
        if self.take_any(&["-", "−", "–"]) {
            return true;
        }
        self.take("+");
        false
    }

    fn currency(&mut self) {
        if self.take_any(&["\\$", "$", "€", "£", "¥", "₹"]) {
            self.spaces();
        }
    }

    fn digits(&mut self) -> &'t str {
        let end = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits
    }

    /// A number without a sign: decimal, fraction, or a whole number and a fraction.
    fn magnitude(&mut self) -> Option<f64> {
        if let Some(value) = self.latex_fraction().or_else(|| self.vulgar()) {
            return Some(value);
        }
        let (value, is_whole) = self.decimal()?;
        if let Some(fraction) = self.vulgar() {
            return Some(value + fraction);
        }
        let start = *self;
        if is_whole {
            self.spaces();
            if let Some(fraction) = self.latex_fraction() {
                return Some(value + fraction);
            }
            if self.rest.len() < start.rest.len()
                && let Some((numerator, true)) = self.decimal()
                && let Some(denominator) = self.over()
            {
                return Some(value + numerator / denominator);
            }
        }
        *self = start;
        Some(self.over().map_or(value, |denominator| value / denominator))
    }

    /// What a slash divides by. A date has two slashes.
    fn over(&mut self) -> Option<f64> {
        let start = *self;
        self.spaces();
        if self.take("/") {
            self.spaces();
            if let Some((denominator, _)) = self.decimal()
                && denominator != 0.0
                && !self.rest.starts_with('/')
            {
                return Some(denominator);
            }
        }
        *self = start;
        None
    }

    fn decimal(&mut self) -> Option<(f64, bool)> {
        let (point, separators) = if self.style.decimal_comma {
            (",", [".", "\u{202f}", "\u{2009}", "'"])
        } else {
            (".", [",", "\u{202f}", "\u{2009}", "'"])
        };
        let start = *self;
        let mut plain = self.digits().to_owned();
        if (1..=3).contains(&plain.len()) {
            // A separator, three digits, and no digit after them.
            loop {
                let before = *self;
                let separated = self.take("{,}") || self.take("\\,") || self.take_any(&separators);
                let group = self.digits();
                if !separated || group.len() != 3 {
                    *self = before;
                    break;
                }
                plain.push_str(group);
            }
        }
        let whole_digits = plain.len();
        let before = *self;
        if self.take(point) {
            let decimals = self.digits();
            if decimals.is_empty() {
                *self = before;
            } else {
                plain.push('.');
                plain.push_str(decimals);
            }
        }
        if plain.is_empty() || plain == "." {
            *self = start;
            return None;
        }
        let is_whole = plain.len() == whole_digits;
        let before = *self;
        if self.take_any(&["e", "E"]) {
            let sign = if self.sign() { "-" } else { "" };
            let exponent = self.digits();
            if exponent.is_empty() || exponent.len() > 4 || self.rest.starts_with(char::is_alphanumeric) {
                *self = before;
            } else {
                plain.push('e');
                plain.push_str(sign);
                plain.push_str(exponent);
            }
        }
        Some((plain.parse().ok()?, is_whole))
    }

    fn latex_fraction(&mut self) -> Option<f64> {
        let start = *self;
        if self.take_any(&["\\frac", "\\dfrac", "\\tfrac"])
            && let Some(numerator) = self.group()
            && let Some(denominator) = self.group().filter(|denominator| *denominator != 0.0)
        {
            return Some(numerator / denominator);
        }
        *self = start;
        None
    }

    fn group(&mut self) -> Option<f64> {
        if self.take("{") {
            let negative = self.sign();
            let (value, _) = self.decimal()?;
            return self.take("}").then_some(if negative { -value } else { value });
        }
        let digit = self.rest.chars().next()?.to_digit(10)?;
        self.rest = &self.rest[1..];
        Some(f64::from(digit))
    }

    fn vulgar(&mut self) -> Option<f64> {
        let first = self.rest.chars().next()?;
        let (numerator, denominator) = match first {
            '½' => (1, 2),
            '⅓' => (1, 3),
            '⅔' => (2, 3),
            '¼' => (1, 4),
            '¾' => (3, 4),
            '⅕' => (1, 5),
            '⅖' => (2, 5),
            '⅗' => (3, 5),
            '⅘' => (4, 5),
            '⅙' => (1, 6),
            '⅚' => (5, 6),
            '⅛' => (1, 8),
            '⅜' => (3, 8),
            '⅝' => (5, 8),
            '⅞' => (7, 8),
            _ => return None,
        };
        self.rest = &self.rest[first.len_utf8()..];
        Some(f64::from(numerator) / f64::from(denominator))
    }

    /// `× 10^5`, `x10^{-5}`, `\times 10⁵`.
    fn power_of_ten(&mut self) -> Option<f64> {
        let start = *self;
        self.spaces();
        let exponent = if self.take_any(&["×", "x", "X", "*", "·", "⋅", "\\times", "\\cdot"]) {
            self.spaces();
            if self.take("10") { self.exponent() } else { None }
        } else {
            None
        };
        if exponent.is_none() {
            *self = start;
        }
        exponent.map(|exponent| libm::exp10(f64::from(exponent)))
    }

    fn exponent(&mut self) -> Option<i16> {
        if self.take("^") || self.take("**") {
            let braced = self.take_any(&["{", "("]);
            let negative = self.sign();
            let digits: i16 = self.digits().parse().ok()?;
            if braced && !self.take_any(&["}", ")"]) {
                return None;
            }
            return Some(if negative { -digits } else { digits });
        }
        let negative = self.take("⁻");
        let mut value: Option<i16> = None;
        while let Some(digit) =
            self.rest.chars().next().and_then(|first| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|digit| digit == first))
        {
            let first = self.rest.chars().next().map_or(0, char::len_utf8);
            self.rest = &self.rest[first..];
            value = value.unwrap_or(0).checked_mul(10)?.checked_add(i16::try_from(digit).ok()?);
        }
        value.map(|value| if negative { -value } else { value })
    }

    fn percent(&mut self) -> bool {
        let start = *self;
        self.spaces();
        if self.take_any(&["%", "\\%", "percent", "per cent", "pct"]) {
            return true;
        }
        *self = start;
        false
    }
}
