//! Operators, as Python has them.

use std::cmp::Ordering;

use super::room::Room;
use super::syntax::{Comparison, Operator};
use super::value::Val;

/// Largest exponent of a whole number.
const LARGEST_EXPONENT: u32 = 128;

/// The value of an operator.
pub(super) fn apply(operator: Operator, left: &Val, right: &Val, room: &Room) -> Result<Val, String> {
    for value in [left, right] {
        if let Val::Undefined(_) = value {
            return value.clone().defined();
        }
    }
    match (operator, left, right) {
        (Operator::Add, Val::Text(a), Val::Text(b)) => {
            room.text(a.len() + b.len())?;
            return Ok(Val::Text([&**a, &**b].concat().into()));
        }
        (Operator::Add, Val::List(a), Val::List(b)) => {
            room.spend(size_of::<Val>() as u64 * (a.values.len() + b.values.len()) as u64)?;
            return Val::list(a.values.iter().chain(&b.values).cloned().collect(), room);
        }
        (Operator::Multiply, Val::Text(_) | Val::List(_), count)
        | (Operator::Multiply, count, Val::Text(_) | Val::List(_)) => {
            let count = count.int().ok_or_else(|| impossible(left, right))?;
            return repeated(if left.int().is_some() { right } else { left }, count, room);
        }
        _ => {}
    }
    match (left.int(), right.int(), left.float(), right.float()) {
        (Some(a), Some(b), ..) => whole(operator, a, b),
        (_, _, Some(a), Some(b)) => fraction(operator, a, b).map(Val::Float),
        _ => Err(impossible(left, right)),
    }
}

fn impossible(left: &Val, right: &Val) -> String {
    format!("an operator stands between a {} and a {}, which it is not known for here", left.kind(), right.kind())
}

/// A text or list `count` times.
fn repeated(value: &Val, count: i128, room: &Room) -> Result<Val, String> {
    let times = |size: usize| u64::try_from(count.max(0)).unwrap_or(u64::MAX).saturating_mul(size as u64);
    // What is spent fits in memory, so it fits in a `usize`.
    let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
    match value {
        Val::Text(text) => {
            room.spend(times(text.len()))?;
            Val::text(&if text.is_empty() { String::new() } else { text.repeat(count) }, room)
        }
        Val::List(list) => {
            room.spend(times(list.values.len() * size_of::<Val>()))?;
            let values = if list.values.is_empty() { Vec::new() } else { repeat_values(&list.values, count) };
            Val::list(values, room)
        }
        other => Err(format!("a {} cannot be repeated", other.kind())),
    }
}

fn repeat_values(values: &[Val], count: usize) -> Vec<Val> {
    std::iter::repeat_n(values, count).flatten().cloned().collect()
}

fn whole(operator: Operator, a: i128, b: i128) -> Result<Val, String> {
    let by_zero = || "a division by zero".to_owned();
    let too_large = || "a whole number is too large".to_owned();
    // Python rounds towards minus infinity.
    let divided = || -> Option<(i128, i128)> {
        let (quotient, rest) = (a.checked_div(b)?, a.checked_rem(b)?);
        let adjust = rest != 0 && (rest < 0) != (b < 0);
        Some(if adjust { (quotient - 1, rest + b) } else { (quotient, rest) })
    };
    Ok(Val::Int(match operator {
        Operator::Add => a.checked_add(b).ok_or_else(too_large)?,
        Operator::Subtract => a.checked_sub(b).ok_or_else(too_large)?,
        Operator::Multiply => a.checked_mul(b).ok_or_else(too_large)?,
        Operator::Divide if b == 0 => return Err(by_zero()),
        Operator::Divide => return Ok(Val::Float(a as f64 / b as f64)),
        Operator::DivideDown if b == 0 => return Err(by_zero()),
        Operator::DivideDown => divided().ok_or_else(too_large)?.0,
        Operator::Remainder if b == 0 => return Err(by_zero()),
        Operator::Remainder => divided().ok_or_else(too_large)?.1,
        Operator::Power if b < 0 => return Ok(Val::Float((a as f64).powf(b as f64))),
        Operator::Power => {
            let exponent = u32::try_from(b).ok().filter(|exponent| *exponent <= LARGEST_EXPONENT);
            exponent.and_then(|exponent| a.checked_pow(exponent)).ok_or_else(too_large)?
        }
    }))
}

fn fraction(operator: Operator, a: f64, b: f64) -> Result<f64, String> {
    if b == 0.0 && matches!(operator, Operator::Divide | Operator::DivideDown | Operator::Remainder) {
        return Err("a division by zero".to_owned());
    }
    let remainder = || {
        let rest = a % b;
        if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
    };
    Ok(match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::DivideDown => ((a - remainder()) / b).round(),
        Operator::Remainder => remainder(),
        Operator::Power => a.powf(b),
    })
}

/// `-value`.
pub(super) fn negate(value: &Val) -> Result<Val, String> {
    match (value, value.int()) {
        (_, Some(number)) => number.checked_neg().map(Val::Int).ok_or_else(|| "a whole number is too large".to_owned()),
        (Val::Float(number), None) => Ok(Val::Float(-number)),
        _ => Err(format!("`-` before a {}", value.clone().defined()?.kind())),
    }
}

/// `+value`.
pub(super) fn plus(value: Val) -> Result<Val, String> {
    match (value.int(), value) {
        (Some(number), _) => Ok(Val::Int(number)),
        (None, value @ Val::Float(_)) => Ok(value),
        (None, value) => Err(format!("`+` before a {}", value.defined()?.kind())),
    }
}

/// Whether a comparison holds.
pub(super) fn compare(comparison: Comparison, left: &Val, right: &Val, room: &Room) -> Result<bool, String> {
    let order = || left.order(right, room);
    Ok(match comparison {
        Comparison::Equal => left.equals(right, room)?,
        Comparison::Unequal => !left.equals(right, room)?,
        Comparison::Less => order()? == Ordering::Less,
        Comparison::LessOrEqual => order()? != Ordering::Greater,
        Comparison::Greater => order()? == Ordering::Greater,
        Comparison::GreaterOrEqual => order()? != Ordering::Less,
        Comparison::In => contains(right, left, room)?,
        Comparison::NotIn => !contains(right, left, room)?,
    })
}

fn contains(whole: &Val, wanted: &Val, room: &Room) -> Result<bool, String> {
    match whole {
        Val::Text(text) => {
            let wanted = wanted.as_text().ok_or_else(|| format!("a {} is in no text", wanted.kind()))?;
            room.look(text.len())?;
            Ok(text.contains(wanted))
        }
        Val::List(list) => {
            for value in &list.values {
                if value.equals(wanted, room)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Val::Map(map) => Ok(map.get(wanted, room)?.is_some()),
        other => Err(format!("nothing is in a {}", other.clone().defined()?.kind())),
    }
}

/// `value.name`.
pub(super) fn attribute(value: &Val, name: &str, room: &Room) -> Result<Val, String> {
    match value {
        Val::Undefined(_) => value.clone().defined(),
        Val::Map(map) => {
            room.look(map.pairs.len())?;
            let found = map.pairs.iter().find(|(key, _)| key.as_text() == Some(name));
            Ok(found.map_or_else(|| Val::Undefined(name.into()), |(_, value)| value.clone()))
        }
        _ => Ok(Val::Undefined(name.into())),
    }
}

/// `value[index]`.
pub(super) fn item(value: &Val, index: &Val, room: &Room) -> Result<Val, String> {
    let missing = || {
        Val::Undefined(match index {
            Val::Text(text) => text.clone(),
            Val::Int(number) => number.to_string().into(),
            other => other.kind().into(),
        })
    };
    if let Val::Undefined(_) = index {
        return index.clone().defined();
    }
    let place = |length: usize| -> Option<usize> {
        let index = index.int()?;
        usize::try_from(if index < 0 { index + length as i128 } else { index }).ok()
    };
    Ok(match value {
        Val::Undefined(_) => return value.clone().defined(),
        Val::Map(map) => map.get(index, room)?.cloned().unwrap_or_else(missing),
        Val::List(list) => {
            place(list.values.len()).and_then(|place| list.values.get(place)).cloned().unwrap_or_else(missing)
        }
        Val::Text(text) => {
            let letter = place(value.length(room)?).and_then(|place| text.chars().nth(place));
            match letter {
                Some(letter) => Val::text(letter.encode_utf8(&mut [0; 4]), room)?,
                None => missing(),
            }
        }
        _ => missing(),
    })
}

/// `value[start:stop:step]`.
pub(super) fn slice(value: &Val, bounds: [Option<i128>; 3], room: &Room) -> Result<Val, String> {
    let places = |length: usize| slice_places(length as i128, bounds);
    match value {
        Val::List(list) => {
            room.spend(size_of::<Val>() as u64 * list.values.len() as u64)?;
            let values = places(list.values.len())?.filter_map(|place| list.values.get(place)).cloned().collect();
            Val::list(values, room)
        }
        Val::Text(text) => {
            // A letter takes four bytes, where a text takes one.
            room.spend(4 * text.len() as u64)?;
            let letters: Vec<char> = text.chars().collect();
            let sliced: String = places(letters.len())?.filter_map(|place| letters.get(place)).collect();
            Val::text(&sliced, room)
        }
        other => Err(format!("a {} has no slices", other.clone().defined()?.kind())),
    }
}

/// The places of a slice, in order.
fn slice_places(length: i128, [start, stop, step]: [Option<i128>; 3]) -> Result<impl Iterator<Item = usize>, String> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err("the step of a slice is 0".to_owned());
    }
    let (lowest, highest) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let clamped = |bound: i128| (if bound < 0 { bound.saturating_add(length) } else { bound }).clamp(lowest, highest);
    let start = start.map_or(if step > 0 { lowest } else { highest }, clamped);
    let stop = stop.map_or(if step > 0 { highest } else { lowest }, clamped);
    let inside = move |place: &i128| if step > 0 { *place < stop } else { *place > stop };
    let places = std::iter::successors(Some(start), move |place| place.checked_add(step));
    Ok(places.take_while(inside).filter_map(|place| usize::try_from(place).ok()))
}
