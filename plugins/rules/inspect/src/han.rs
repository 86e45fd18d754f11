//! Chinese numerals, as the reference reads them.

use bench_scoring::python;

use crate::unicode::any_digit;

pub const NEGATIVE: &str = "负負";
pub const POSITIVE: char = '正';

const POINTS: &str = "点點";

/// The value of a Chinese digit.
pub fn digit(character: char) -> Option<u8> {
    Some(match character {
        '零' | '〇' | '○' => 0,
        '一' | '壹' | '幺' => 1,
        '二' | '贰' | '貳' | '两' | '兩' => 2,
        '三' | '叁' | '參' => 3,
        '四' | '肆' => 4,
        '五' | '伍' => 5,
        '六' | '陆' | '陸' => 6,
        '七' | '柒' => 7,
        '八' | '捌' => 8,
        '九' | '玖' => 9,
        _ => return None,
    })
}

fn tens(character: char) -> Option<f64> {
    Some(match character {
        '廿' => 20.0,
        '卅' => 30.0,
        '卌' => 40.0,
        _ => return None,
    })
}

fn small_unit(character: char) -> Option<f64> {
    Some(match character {
        '十' | '拾' => 10.0,
        '百' | '佰' => 100.0,
        '千' | '仟' => 1000.0,
        _ => return None,
    })
}

fn large_unit(character: char) -> Option<f64> {
    Some(match character {
        '万' | '萬' => 1e4,
        '亿' | '億' => 1e8,
        '兆' => 1e12,
        _ => return None,
    })
}

fn is_unit(character: char) -> bool {
    small_unit(character).is_some() || large_unit(character).is_some() || tens(character).is_some()
}

/// Whether anything in `text` is Chinese.
pub fn looks_like(text: &str) -> bool {
    text.chars().any(|character| {
        digit(character).is_some()
            || is_unit(character)
            || POINTS.contains(character)
            || NEGATIVE.contains(character)
            || character == POSITIVE
    })
}

/// A number without a sign: digits alone or digits with units, and decimals after a point.
pub fn number(text: &str) -> Option<f64> {
    let point = ['点', '點', '．', '.'].into_iter().find_map(|point| text.split_once(point));
    let (integer, decimals) = point.unwrap_or((text, ""));
    let mut value = if integer.chars().any(is_unit) { with_units(integer)? } else { digits_alone(integer)? };
    let mut weight = 0.1;
    for character in decimals.chars().filter(|character| !python::is_space(*character)) {
        value += f64::from(any_digit(character)?) * weight;
        weight /= 10.0;
    }
    Some(value)
}

fn digits_alone(text: &str) -> Option<f64> {
    let mut digits = String::with_capacity(text.len());
    for character in text.chars().filter(|character| !python::is_space(*character)) {
        digits.push(char::from(b'0' + any_digit(character)?));
    }
    if digits.is_empty() { Some(0.0) } else { digits.parse().ok() }
}

fn with_units(text: &str) -> Option<f64> {
    let (mut total, mut section, mut digit_before) = (0.0, 0.0, 0.0);
    for character in text.chars().filter(|character| !python::is_space(*character)) {
        if let Some(value) = tens(character) {
            section += value;
        } else if matches!(character, '零' | '〇' | '○') {
        } else if let Some(value) = any_digit(character) {
            digit_before = f64::from(value);
        } else if let Some(unit) = small_unit(character) {
            section += if digit_before == 0.0 { unit } else { digit_before * unit };
            digit_before = 0.0;
        } else {
            total += (section + digit_before) * large_unit(character)?;
            (section, digit_before) = (0.0, 0.0);
        }
    }
    Some(total + section + digit_before)
}
