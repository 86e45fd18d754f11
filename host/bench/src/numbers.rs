//! Numbers as people read and type them: three significant digits, and a dash for what is not known.

use std::time::Duration;

/// Three significant digits; whole numbers above a thousand.
pub fn figure(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let magnitude = value.abs();
    if magnitude >= 100.0 {
        grouped(value)
    } else if magnitude >= 10.0 {
        format!("{value:.1}")
    } else if magnitude >= 0.095 || value == 0.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.4}")
    }
}

/// A whole number with thin groups of three.
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

/// An amount of US dollars, as typed.
pub fn dollars(text: &str) -> Result<f64, String> {
    let amount: f64 = text.trim_start_matches('$').parse().map_err(|_| format!("{text} is no amount such as 2.50"))?;
    if amount.is_finite() && amount > 0.0 { Ok(amount) } else { Err("an amount is more than nothing".to_owned()) }
}

/// A figure, or a dash.
pub fn known(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), figure)
}

/// Milliseconds, or microseconds where those are few.
pub fn short(ms: f64) -> String {
    if ms.abs() < 0.1 { format!("{:.0} µs", ms * 1e3) } else { format!("{} ms", figure(ms)) }
}

/// Seconds as minutes and seconds.
pub fn lasting(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    if whole < 60 { format!("{whole} s") } else { format!("{} min {:02} s", whole / 60, whole % 60) }
}

/// Bytes in binary multiples.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{} {}", figure(value), UNITS[unit]) }
}

/// A time as people type it: a number and one of `us`, `ms`, `s`, `m` and `h`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let parts = bench_run::split_time(text);
    parts.iter().try_fold(Duration::ZERO, |sum, part| {
        sum.checked_add(one_duration(part)?).ok_or_else(|| "it is out of range".to_owned())
    })
}

fn one_duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(split).unwrap_or((text, ""));
    let scale = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "" => return Err("it has no unit; write 30s, 500ms, 5m or 1h".to_owned()),
        other => return Err(format!("`{other}` is no unit; there are us, ms, s, m and h")),
    };
    let number: f64 = number.parse().map_err(|_| format!("`{number}` is no number"))?;
    Duration::try_from_secs_f64(number * scale).map_err(|_| "it is out of range".to_owned())
}

/// A name and its share of a mix.
pub fn share(text: &str) -> Result<(String, f64), String> {
    let (name, share) = text.rsplit_once('=').ok_or("write NAME=SHARE, such as base=3")?;
    match share.parse::<f64>() {
        Ok(share) if share.is_finite() && share > 0.0 && !name.is_empty() => Ok((name.to_owned(), share)),
        _ => Err(format!("`{share}` is no share; write a number above 0")),
    }
}
