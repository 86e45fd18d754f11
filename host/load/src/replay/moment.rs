//! Times as Azure's traces have them.

use time::{Date, Month, PrimitiveDateTime, Time, UtcOffset};

/// Nanoseconds since 1970 of `2023-11-16 18:15:46.6805900`, with `T` instead of the blank and with `Z` or an offset such as
/// `+00:00` behind it. Without an offset the time is taken as UTC; only differences are used.
pub(super) fn nanos(text: &str) -> Option<i128> {
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let rest = rest.strip_prefix([' ', 'T'])?;
    let (clock, rest) = (rest.get(..8)?, rest.get(8..)?);
    let fraction_end = rest.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(rest.len());
    let (fraction, offset) = rest.split_at(fraction_end);
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(clock, ':')?.map(|number| u8::try_from(number).ok());
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()?;
    let time = Time::from_hms_nano(hour?, minute?, second?, sub_second(fraction)?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_offset(self::offset(offset)?).unix_timestamp_nanos())
}

/// Three numbers of digits alone.
fn numbers(text: &str, between: char) -> Option<[u32; 3]> {
    let mut parts = text.split(between).map(digits);
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

fn digits(text: &str) -> Option<u32> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// Nanoseconds of nothing, or of a point and up to nine digits.
fn sub_second(text: &str) -> Option<u32> {
    if text.is_empty() {
        return Some(0);
    }
    let fraction = text.strip_prefix('.').filter(|fraction| fraction.len() <= 9)?;
    Some(digits(fraction)? * 10_u32.pow(9 - fraction.len() as u32))
}

fn offset(text: &str) -> Option<UtcOffset> {
    if text.is_empty() || text == "Z" {
        return Some(UtcOffset::UTC);
    }
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let part = |text: &str| i8::try_from(digits(text)?).ok();
    UtcOffset::from_hms(sign * part(hours)?, sign * part(minutes)?, 0).ok()
}
