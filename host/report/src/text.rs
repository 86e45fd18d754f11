//! Text and numbers on the page.

use std::fmt::{self, Write as _};

use bench_text::clean_text;

/// Writes formatted text to a string, which cannot fail.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {{
        use std::fmt::Write as _;
        let _ = write!($out, $($arg)*);
    }};
}
pub(crate) use put;

/// Characters of a text from outside that are shown.
const LONGEST: usize = 600;

/// A text of others that can stand anywhere in a page, in a double-quoted attribute too: without the power to be markup, to
/// turn the direction of what follows, or to fill the page. Line breaks are spaces, as a browser shows them.
pub(crate) fn esc(text: &str) -> Esc<'_> {
    Esc(text)
}

/// See [`esc`].
pub(crate) struct Esc<'a>(&'a str);

impl fmt::Display for Esc<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Markup(out), "{}", clean_text(Spaced(self.0), LONGEST))
    }
}

/// A text with spaces for line breaks and tabs.
struct Spaced<'a>(&'a str);

impl fmt::Display for Spaced<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, piece) in self.0.split(['\n', '\t']).enumerate() {
            if place > 0 {
                out.write_char(' ')?;
            }
            out.write_str(piece)?;
        }
        Ok(())
    }
}

/// Writes text so that no character of it is markup.
struct Markup<'o, 'f>(&'o mut fmt::Formatter<'f>);

impl fmt::Write for Markup<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|letter| match letter {
            '&' => self.0.write_str("&amp;"),
            '<' => self.0.write_str("&lt;"),
            '>' => self.0.write_str("&gt;"),
            '"' => self.0.write_str("&quot;"),
            '\'' => self.0.write_str("&#39;"),
            letter => self.0.write_char(letter),
        })
    }
}

/// Three significant digits, whole above a hundred, with thin groups of three; a dash for what is no number.
pub(crate) fn figure(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let magnitude = value.abs();
    if magnitude >= 99.95 {
        grouped(value)
    } else if magnitude >= 9.995 {
        format!("{value:.1}")
    } else if magnitude >= 0.0995 || value == 0.0 {
        format!("{value:.2}")
    } else if magnitude >= 0.0005 {
        format!("{value:.3}")
    } else {
        format!("{value:.1e}")
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value < 0.0 { "−" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A figure without zeros at its end, for numbers that were chosen and not measured.
pub(crate) fn round(value: f64) -> String {
    let text = figure(value);
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A figure, or a dash.
pub(crate) fn known(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), figure)
}

/// A whole number with thin groups of three.
pub(crate) fn count(value: u64) -> String {
    grouped(value as f64)
}

/// A share from 0 to 1 in percent.
pub(crate) fn percent(share: f64) -> String {
    let value = share * 100.0;
    if (99.95..99.995).contains(&value) || value > 0.0 && value < 0.05 {
        return format!("{value:.2} %");
    }
    if (value - value.round()).abs() < 0.005 { format!("{value:.0} %") } else { format!("{value:.1} %") }
}

/// `1 request`, `2 requests`.
pub(crate) fn counted(number: u64, word: &str) -> String {
    format!("{} {word}{}", count(number), if number == 1 { "" } else { "s" })
}
