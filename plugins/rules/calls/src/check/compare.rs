//! Is a value one of those that are accepted?

use bench_scoring::python;

use crate::check::{Checked, Fault};
use crate::rules::{Rules, Stop};
use crate::value::{Dict, Value};

/// What a text is compared by: without blanks and without `,./-_*^`, in lower case, with one kind of quotes.
fn loose(text: &str) -> String {
    let kept: String =
        text.chars().filter(|char| !matches!(char, ' ' | ',' | '.' | '/' | '-' | '_' | '*' | '^')).collect();
    python::lower(&kept).replace('\'', "\"")
}

/// A value whose own text is made loose. Texts within it stay as they are.
fn loose_value(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| Value::Str(loose(text)))
}

/// Is a text one of the accepted ones?
pub fn text(value: &str, accepted: &[Value], rules: Rules) -> Result<(), Fault> {
    let wanted = loose(value);
    let same = |other: &str| loose(other) == wanted && (rules == Rules::Reference || numbers(other) == numbers(value));
    if accepted.iter().filter_map(Value::as_str).any(same) {
        return Ok(());
    }
    Err(Fault::new(
        "value_error:string",
        format!("{} is none of the accepted texts", Value::Str(value.to_owned()).repr()),
    ))
}

/// The numbers in a text, so that `1.5` is not `15` and `-3` is not `3`: digits with their point and sign. Commas that group
/// thousands do not count, nor do points and signs that stand for something else, such as in a date.
fn numbers(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    let group = |at: usize| digit(at + 1) && digit(at + 2) && digit(at + 3) && !digit(at + 4);
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if !digit(at) {
            at += 1;
            continue;
        }
        let mut number = String::new();
        let before = at.checked_sub(2).and_then(|before| chars.get(before));
        if at > 0 && chars.get(at - 1) == Some(&'-') && before.is_none_or(|before| !before.is_alphanumeric()) {
            number.push('-');
        }
        let mut pointed = false;
        while let Some(&char) = chars.get(at) {
            if char.is_ascii_digit() {
                number.push(char);
            } else if char == '.' && !pointed && digit(at + 1) {
                pointed = true;
                number.push(char);
            } else if char != ',' || pointed || !group(at) {
                break;
            }
            at += 1;
        }
        found.push(number);
    }
    found
}

/// Is a list one of the accepted ones?
///
/// # Errors
/// What is accepted has no length.
pub fn list(value: &[Value], accepted: &[Value], rules: Rules) -> Checked {
    let fault = || {
        Fault::new(
            "value_error:list/tuple",
            format!("{} is none of the accepted lists", Value::List(value.to_vec()).repr()),
        )
    };
    if rules == Rules::Fixed {
        let found = accepted.iter().filter_map(Value::as_list).any(|accepted| same_items(value, accepted));
        return Ok(if found { Ok(()) } else { Err(fault()) });
    }
    let value: Vec<Value> = value.iter().map(loose_value).collect();
    let mut found = false;
    for accepted in accepted {
        // The reference makes all of them loose before it looks for one, so that any may stop it.
        let accepted: Vec<Value> = match accepted {
            Value::List(items) => items.iter().map(loose_value).collect(),
            // A text is a list of characters, and none is the empty list.
            Value::Str(text) => text.chars().map(|char| Value::Str(loose(char.encode_utf8(&mut [0; 4])))).collect(),
            Value::Dict(dict) if dict.is_empty() => Vec::new(),
            Value::Dict(_) => return Err(Stop::Task("a dictionary is accepted where a list is expected".to_owned())),
            _ => return Err(Stop::Task("a value without length is accepted where a list is expected".to_owned())),
        };
        found |= value.len() == accepted.len() && value.iter().zip(&accepted).all(|(a, b)| a.equals(b));
    }
    Ok(if found { Ok(()) } else { Err(fault()) })
}

/// Equality as it is meant: texts loosely at any depth, tuples as lists, truth values apart from numbers.
fn same(value: &Value, accepted: &Value) -> bool {
    match (value, accepted) {
        (Value::Str(a), Value::Str(b)) => loose(a) == loose(b) && numbers(a) == numbers(b),
        (Value::List(a) | Value::Tuple(a), Value::List(b) | Value::Tuple(b)) => same_items(a, b),
        (Value::Dict(a), Value::Dict(b)) => {
            let literally = a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|accepted| same(value, accepted)));
            literally || matches!(dict_fixed(a, b), Ok(()))
        }
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Bool(_), _) | (_, Value::Bool(_)) => false,
        (a, b) => a.equals(b),
    }
}

fn same_items(value: &[Value], accepted: &[Value]) -> bool {
    value.len() == accepted.len() && value.iter().zip(accepted).all(|(a, b)| same(a, b))
}

/// Is a dictionary one of the accepted ones, each of which has a list of accepted values for each key?
///
/// # Errors
/// What is accepted is no such dictionary.
pub fn dict(value: &Dict, accepted: &[Value], rules: Rules) -> Checked {
    let mut last = Fault::new("dict_checker:unclear", "no dictionary is accepted");
    for accepted in accepted {
        if accepted.is_empty_text() {
            continue;
        }
        let accepted = accepted.as_dict().ok_or_else(|| Stop::Task("what is accepted is no dictionary".to_owned()))?;
        let found = if rules == Rules::Fixed { dict_fixed(value, accepted) } else { dict_reference(value, accepted)? };
        match found {
            Ok(()) => return Ok(Ok(())),
            Err(fault) => last = fault,
        }
    }
    Ok(Err(last))
}

fn unexpected(key: &Value) -> Fault {
    Fault::new("value_error:dict_key", format!("the key {} is not expected", key.repr()))
}

fn missing(key: &Value) -> Fault {
    Fault::new("value_error:dict_key", format!("the key {} is missing", key.repr()))
}

fn unaccepted(key: &Value, value: &Value) -> Fault {
    Fault::new("value_error:dict_value", format!("{} is not accepted for the key {}", value.repr(), key.repr()))
}

fn dict_reference(value: &Dict, accepted: &Dict) -> Checked {
    let mut fault = None;
    for (key, value) in value.iter() {
        let Some(accepted) = accepted.get(key) else {
            fault = Some(unexpected(key));
            break;
        };
        let value_loose = loose_value(value);
        let matches = match accepted {
            Value::List(items) => items.iter().any(|item| value_loose.equals(&loose_value(item))),
            Value::Str(text) => {
                text.chars().any(|char| value_loose.equals(&Value::Str(loose(char.encode_utf8(&mut [0; 4])))))
            }
            Value::Dict(dict) if dict.is_empty() => false,
            _ => return Err(Stop::Task(format!("what is accepted for the key {} is no list", key.repr()))),
        };
        if !matches {
            fault = Some(unaccepted(key, value));
            break;
        }
    }
    // A missing key is reported before anything else that is wrong.
    for (key, accepted) in accepted.iter() {
        if value.get(key).is_none() && !optional(accepted)? {
            return Ok(Err(missing(key)));
        }
    }
    Ok(fault.map_or(Ok(()), Err))
}

/// May a key be left out?
fn optional(accepted: &Value) -> Result<bool, Stop> {
    match accepted {
        Value::List(items) => Ok(items.iter().any(Value::is_empty_text)),
        // The empty text is part of every text.
        Value::Str(_) => Ok(true),
        Value::Dict(dict) => Ok(dict.find("").is_some()),
        _ => Err(Stop::Task("what is accepted for a key is no list".to_owned())),
    }
}

fn dict_fixed(value: &Dict, accepted: &Dict) -> Result<(), Fault> {
    for (key, value) in value.iter() {
        let accepted = accepted.get(key).ok_or_else(|| unexpected(key))?;
        let matches = match accepted {
            Value::List(items) => items.iter().any(|item| same(value, item)) || same(value, accepted),
            single => same(value, single),
        };
        if !matches {
            return Err(unaccepted(key, value));
        }
    }
    for (key, accepted) in accepted.iter() {
        let optional = accepted.as_list().is_some_and(|items| items.iter().any(Value::is_empty_text));
        if value.get(key).is_none() && !optional {
            return Err(missing(key));
        }
    }
    Ok(())
}

/// Is a list of dictionaries one of the accepted ones?
///
/// # Errors
/// What is accepted is no list of dictionaries, or an answer stops the reference.
pub fn dicts(value: &[Value], accepted: &[Value], rules: Rules) -> Checked {
    let mut last = Fault::new("list_dict_checker:unclear", "no list of dictionaries is accepted");
    for accepted in accepted {
        let (items, length) = match accepted {
            Value::List(items) => (items.as_slice(), items.len()),
            _ if rules == Rules::Fixed => continue,
            // These have a length as well, and only the items that they lack stop the reference.
            Value::Str(text) => (&[][..], python::len(text)),
            Value::Dict(dict) => (&[][..], dict.len()),
            _ => return Err(Stop::Task("what is accepted is no list of dictionaries".to_owned())),
        };
        if value.len() != length {
            last = Fault::new("value_error:list_dict_count", "another number of dictionaries is accepted");
            continue;
        }
        if items.len() != length {
            return Err(Stop::Task("what is accepted is no list of dictionaries".to_owned()));
        }
        let mut fault = None;
        for (item, accepted) in value.iter().zip(items) {
            let result = match item.as_dict() {
                Some(item) => dict(item, std::slice::from_ref(accepted), rules)?,
                None if rules == Rules::Reference && !accepted.is_empty_text() => {
                    return Err(Stop::Answer(format!("{} is no dictionary", item.repr())));
                }
                None => Err(Fault::new("value_error:dict_value", format!("{} is no dictionary", item.repr()))),
            };
            if let Err(found) = result {
                fault = Some(found);
                break;
            }
        }
        match fault {
            None => return Ok(Ok(())),
            Some(fault) => last = fault,
        }
    }
    Ok(Err(last))
}
