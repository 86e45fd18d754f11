//! How long a server asks to be left alone, in the forms that services are seen to use.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

/// Seconds since 1970 are larger than this, waits in seconds are smaller: 2001.
const EARLIEST_MOMENT: f64 = 1e9;

/// What an answer asks for: `retry-after-ms`, `retry-after` as seconds, a duration such as `1m30s`, a date or a moment in seconds
/// since 1970, and else what the message says (`try again in 7m12s`, `retryDelay: 34s`). A date counts from the answer's own
/// `date`, or from `now` where it has none. `None` where nothing can be read, and for a moment that has passed.
pub fn retry_after(headers: &[(String, String)], message: &str, now: OffsetDateTime) -> Option<Duration> {
    let header = |name: &str| headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.trim());
    // Some servers are more exact than the standard.
    if let Some(milliseconds) = header("retry-after-ms").and_then(|value| value.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(milliseconds / 1e3).ok();
    }
    let now = header("date").and_then(moment).unwrap_or(now);
    match header("retry-after") {
        Some(value) => wait(value, now),
        None => said(message),
    }
}

/// A wait by itself, or until a moment.
fn wait(value: &str, now: OffsetDateTime) -> Option<Duration> {
    if let Ok(number) = value.parse::<f64>() {
        let seconds = if number < EARLIEST_MOMENT { number } else { number - now.unix_timestamp() as f64 };
        return Duration::try_from_secs_f64(seconds).ok();
    }
    duration(value).or_else(|| Duration::try_from(moment(value)? - now).ok())
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim_matches('"');
    let mail = OffsetDateTime::parse(&text.replace("GMT", "+0000"), &Rfc2822);
    mail.or_else(|_| OffsetDateTime::parse(text, &Rfc3339)).ok()
}

/// Words after which services write how long to wait.
const BEFORE_A_WAIT: [&str; 6] =
    ["try again in ", "retry in ", "retry after ", "retrydelay\": \"", "retrydelay: ", "wait "];

fn said(message: &str) -> Option<Duration> {
    let message = message.to_ascii_lowercase();
    BEFORE_A_WAIT.iter().find_map(|words| {
        let (_, after) = message.split_once(words)?;
        let mut parts = after.split([' ', ',', '"', ')', ';']);
        let first = parts.next()?.trim_end_matches('.');
        // A number and its unit may stand apart.
        duration(first).or_else(|| duration(&format!("{first}{}", unit(parts.next()?)?)))
    })
}

/// The short form of a unit's name.
fn unit(name: &str) -> Option<&'static str> {
    let name = name.trim_end_matches('.');
    let short = match name.strip_suffix('s').unwrap_or(name) {
        _ if name == "ms" => "ms",
        "" | "sec" | "second" => "s",
        "millisecond" => "ms",
        "m" | "min" | "minute" => "m",
        "h" | "hour" => "h",
        "d" | "day" => "d",
        _ => return None,
    };
    Some(short)
}

/// A sum of numbers with units, such as `1h2m3.5s` or `250ms`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut seconds = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(after.len());
        let (name, left) = after.split_at(letters);
        let each = match name {
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * each;
        rest = left;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(784_111_777).unwrap()
    }

    fn read(headers: &[(&str, &str)], message: &str) -> Option<Duration> {
        let headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        retry_after(&headers, message, now())
    }

    #[test]
    fn headers_in_all_their_forms() {
        // The answer's own date is a minute before the client's.
        let date = ("date", "Sun, 06 Nov 1994 08:48:37 GMT");
        for (list, milliseconds) in [
            (vec![("retry-after", "3")], Some(3000)),
            (vec![("retry-after", "0.25")], Some(250)),
            (vec![("retry-after", "9"), ("retry-after-ms", "40")], Some(40)),
            (vec![("retry-after-ms", "40.5")], Some(40)),
            (vec![("retry-after", "1m30s")], Some(90_000)),
            (vec![("retry-after", "250ms")], Some(250)),
            (vec![("retry-after", "1d")], Some(86_400_000)),
            (vec![("retry-after", "86400")], Some(86_400_000)),
            (vec![("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"), date], Some(90_000)),
            (vec![("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], Some(30_000)),
            (vec![("retry-after", "1994-11-06T08:50:07Z")], Some(30_000)),
            (vec![("retry-after", "1994-11-06T09:50:07+01:00")], Some(30_000)),
            (vec![("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), date], None),
            (vec![("retry-after", "-1")], None),
            (vec![("retry-after", "soon")], None),
            (vec![("retry-after", "nan")], None),
            (vec![("retry-after", "1x")], None),
            (vec![("retry-after", "")], None),
            (vec![], None),
        ] {
            let found = read(&list, "").map(|wait| wait.as_millis());
            assert_eq!(found, milliseconds, "{list:?}");
        }
    }

    #[test]
    fn seconds_since_1970_are_a_moment() {
        let now = OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap();
        let headers = [("retry-after".to_owned(), "1790000045".to_owned())];
        assert_eq!(retry_after(&headers, "", now), Some(Duration::from_secs(45)));
    }

    #[test]
    fn messages_say_it_where_headers_do_not() {
        for (message, milliseconds) in [
            ("Rate limit reached. Please try again in 7m12s. Need more?", Some(432_000)),
            ("Please try again in 1.5s.", Some(1500)),
            ("Please try again in 20 seconds", Some(20_000)),
            ("please retry in 34.07s", Some(34_070)),
            ("{\"retryDelay\": \"34s\"}", Some(34_000)),
            ("Retry after 2 hours.", Some(7_200_000)),
            ("Please wait 3 minutes, then go on", Some(180_000)),
            ("Please wait a moment", None),
            ("try again in ", None),
            ("the model is overloaded", None),
        ] {
            let found = read(&[], message).map(|wait| wait.as_millis());
            assert_eq!(found, milliseconds, "{message}");
        }
    }
}
