//! Filters, tests and functions of Jinja, and what their arguments are.

use std::cmp::Ordering;

use super::operators;
use super::room::Room;
use super::texts;
use super::value::{Val, push};

pub(super) use super::methods::method;

/// Most numbers of one `range`.
const LONGEST_RANGE: i128 = 100_000;

/// The arguments of a call.
pub(super) struct Given {
    positional: Vec<Option<Val>>,
    named: Vec<(String, Val)>,
}

impl Given {
    pub(super) fn new(positional: Vec<Val>, named: Vec<(String, Val)>) -> Self {
        Self { positional: positional.into_iter().map(Some).collect(), named }
    }

    /// All that are given by position.
    pub(super) fn all(self) -> Vec<Val> {
        self.positional.into_iter().flatten().collect()
    }

    /// Takes the argument at a position, or of a name.
    pub(super) fn take(&mut self, index: usize, name: &str) -> Option<Val> {
        if let Some(value) = self.positional.get_mut(index).and_then(Option::take) {
            return Some(value);
        }
        let found = self.named.iter().position(|(known, _)| known == name)?;
        Some(self.named.swap_remove(found).1)
    }

    /// Takes an argument that has to be there.
    pub(super) fn need(&mut self, index: usize, name: &str) -> Result<Val, String> {
        self.take(index, name).ok_or_else(|| format!("the argument `{name}` is missing"))?.defined()
    }

    /// Takes a text that has to be there.
    pub(super) fn need_text(&mut self, index: usize, name: &str) -> Result<std::rc::Rc<str>, String> {
        match self.need(index, name)? {
            Val::Text(text) => Ok(text),
            other => Err(format!("the argument `{name}` is a {} and no text", other.kind())),
        }
    }

    /// Takes a text that may be missing or `none`.
    pub(super) fn take_text(&mut self, index: usize, name: &str) -> Result<Option<std::rc::Rc<str>>, String> {
        match self.take(index, name) {
            None | Some(Val::None) => Ok(None),
            Some(Val::Text(text)) => Ok(Some(text)),
            Some(other) => Err(format!("the argument `{name}` is a {} and no text", other.defined()?.kind())),
        }
    }

    /// Takes a whole number that may be missing or `none`.
    pub(super) fn take_int(&mut self, index: usize, name: &str) -> Result<Option<i128>, String> {
        match self.take(index, name) {
            None | Some(Val::None) => Ok(None),
            Some(value) => match value.int() {
                Some(number) => Ok(Some(number)),
                None => Err(format!("the argument `{name}` is a {} and no whole number", value.defined()?.kind())),
            },
        }
    }

    /// Takes a truth value that may be missing.
    fn take_truth(&mut self, index: usize, name: &str, usual: bool) -> Result<bool, String> {
        self.take(index, name).map_or(Ok(usual), |value| value.truth())
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Result<(), String> {
        if let Some((name, _)) = self.named.first() {
            return Err(format!("the argument `{name}` is not known here"));
        }
        if self.positional.iter().any(Option::is_some) {
            Err("there are too many arguments".to_owned())
        } else {
            Ok(())
        }
    }
}

/// `range(start, stop, step)`.
pub(super) fn range(mut given: Given, room: &Room) -> Result<Val, String> {
    let numbers = [given.take_int(0, "")?, given.take_int(1, "")?, given.take_int(2, "")?];
    given.end()?;
    let (start, stop, step) = match numbers {
        [Some(stop), None, None] => (0, stop, 1),
        [Some(start), Some(stop), step] => (start, stop, step.unwrap_or(1)),
        _ => return Err("`range` takes one to three whole numbers".to_owned()),
    };
    if step == 0 {
        return Err("the step of `range` is 0".to_owned());
    }
    let inside = |number: &i128| if step > 0 { *number < stop } else { *number > stop };
    let mut values = Vec::new();
    let numbers = std::iter::successors(Some(start), |number: &i128| number.checked_add(step)).take_while(inside);
    for (number, index) in numbers.zip(0..) {
        if index >= LONGEST_RANGE {
            return Err(format!("`range` gives more than {LONGEST_RANGE} numbers"));
        }
        values.push(Val::Int(number));
    }
    Val::list(values, room)
}

/// `value is name`.
pub(super) fn tested(value: &Val, name: &str) -> Result<bool, String> {
    let parity = || value.int().map(|number| number.rem_euclid(2));
    Ok(match name {
        "defined" => !matches!(value, Val::Undefined(_)),
        "undefined" => matches!(value, Val::Undefined(_)),
        "none" => matches!(value, Val::None),
        "string" => matches!(value, Val::Text(_)),
        "number" => value.float().is_some(),
        "mapping" => matches!(value, Val::Map(_)),
        "sequence" | "iterable" => matches!(value, Val::List(_) | Val::Map(_) | Val::Text(_)),
        "odd" => parity() == Some(1),
        "even" => parity() == Some(0),
        other => return Err(format!("the test `{other}` is not known here")),
    })
}

/// `value|name(arguments)`.
pub(super) fn filtered(value: Val, name: &str, mut given: Given, room: &Room) -> Result<Val, String> {
    if name == "default" {
        let usual = given.take(0, "default_value").map_or_else(|| Val::text("", room), Ok)?;
        let also_false = given.take_truth(1, "boolean", false)?;
        given.end()?;
        let missing = matches!(value, Val::Undefined(_)) || (also_false && !value.truth()?);
        return Ok(if missing { usual } else { value });
    }
    let value = value.defined()?;
    let text = || value.to_text(room);
    let made = match name {
        "string" => Val::Text(text()?),
        "join" => {
            let between =
                given.take(0, "d").map_or_else(|| Ok("".into()), |between| between.defined()?.to_text(room))?;
            joined(&value.elements(room)?, &between, room)?
        }
        "capitalize" => Val::text(&texts::capitalised(&text()?), room)?,
        "upper" => Val::text(&text()?.to_uppercase(), room)?,
        "lower" => Val::text(&text()?.to_lowercase(), room)?,
        "trim" => {
            let letters = given.take_text(0, "chars")?;
            Val::text(texts::stripped(&text()?, letters.as_deref(), true, true), room)?
        }
        "replace" => {
            let (old, new) = (given.need(0, "old")?.to_text(room)?, given.need(1, "new")?.to_text(room)?);
            let count = given.take_int(2, "count")?;
            texts::replaced(&text()?, &old, &new, count, room)?
        }
        "length" | "count" => Val::Int(value.length(room)? as i128),
        "list" => Val::list(value.elements(room)?, room)?,
        "first" => {
            value.elements(room)?.into_iter().next().unwrap_or_else(|| Val::Undefined("the first element".into()))
        }
        "last" => value.elements(room)?.pop().unwrap_or_else(|| Val::Undefined("the last element".into())),
        "reverse" => match &value {
            Val::Text(text) => Val::text(&text.chars().rev().collect::<String>(), room)?,
            other => {
                let mut values = other.elements(room)?;
                values.reverse();
                Val::list(values, room)?
            }
        },
        "int" => whole(&value, given.take(0, "default"))?,
        "float" => {
            let usual = given.take(0, "default").unwrap_or(Val::Float(0.0));
            let parsed = value.as_text().and_then(|text| text.trim().replace('_', "").parse().ok());
            value.float().or(parsed).map_or(usual, Val::Float)
        }
        "round" => {
            round(&value, given.take_int(0, "precision")?.unwrap_or(0), given.take_text(1, "method")?.as_deref())?
        }
        "abs" => match (&value, value.int()) {
            (Val::Float(number), _) => Val::Float(number.abs()),
            (_, Some(number)) => Val::Int(number.checked_abs().ok_or("a whole number is too large")?),
            _ => return Err(format!("`abs` of a {}", value.kind())),
        },
        "map" => return mapped(&value, given, room),
        "select" | "reject" => selected(&value, name == "select", &mut given, room)?,
        "sort" => sorted(&value, &mut given, room)?,
        other => return Err(format!("the filter `{other}` is not known here")),
    };
    given.end()?;
    Ok(made)
}

/// Texts of values with a text between them.
pub(super) fn joined(values: &[Val], between: &str, room: &Room) -> Result<Val, String> {
    let mut out = String::new();
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            push(&mut out, between, room)?;
        }
        value.write(&mut out, room)?;
    }
    Val::text(&out, room)
}

fn whole(value: &Val, usual: Option<Val>) -> Result<Val, String> {
    let parsed = match value {
        Val::Float(number) if number.is_finite() => Some(number.trunc() as i128),
        Val::Text(text) => {
            let text = text.trim().replace('_', "");
            let fraction = || text.parse::<f64>().ok().filter(|number| number.is_finite());
            text.parse().ok().or_else(|| fraction().map(|number| number.trunc() as i128))
        }
        other => other.int(),
    };
    Ok(parsed.map_or(usual.unwrap_or(Val::Int(0)), Val::Int))
}

fn round(value: &Val, precision: i128, method: Option<&str>) -> Result<Val, String> {
    let number = value.float().ok_or_else(|| format!("`round` of a {}", value.kind()))?;
    let precision =
        i32::try_from(precision).ok().filter(|places| places.abs() <= 300).ok_or("`round` to too many places")?;
    let scale = 10_f64.powi(precision);
    Ok(Val::Float(match method.unwrap_or("common") {
        // Python rounds the decimal number that is meant, so this goes over its text.
        "common" if precision >= 0 => {
            let places = usize::try_from(precision.min(40)).unwrap_or_default();
            format!("{number:.places$}").parse().unwrap_or(number)
        }
        "common" => (number * scale).round_ties_even() / scale,
        "ceil" => (number * scale).ceil() / scale,
        "floor" => (number * scale).floor() / scale,
        other => return Err(format!("the method `{other}` of `round` is not known")),
    }))
}

fn mapped(value: &Val, mut given: Given, room: &Room) -> Result<Val, String> {
    let values = value.elements(room)?;
    if let Some(name) = given.take_text(usize::MAX, "attribute")? {
        let usual = given.take(usize::MAX, "default");
        given.end()?;
        let field = |value: Val| match operators::attribute(&value, &name, room)? {
            Val::Undefined(_) => usual.clone().map_or_else(|| Ok(Val::Undefined(name.clone())), Ok),
            found => Ok(found),
        };
        return Val::list(values.into_iter().map(field).collect::<Result<_, String>>()?, room);
    }
    let name = given.need_text(0, "filter")?;
    let rest: Vec<Val> = given.positional.into_iter().flatten().collect();
    let mut made = Vec::new();
    for value in values {
        // A filter of a filter of a filter would nest without an end.
        if &*name == "map" {
            return Err("`map` of `map` is not known here".to_owned());
        }
        room.spend(64 * (1 + rest.len() + given.named.len()) as u64)?;
        made.push(filtered(value, &name, Given::new(rest.clone(), given.named.clone()), room)?);
    }
    Val::list(made, room)
}

fn selected(value: &Val, wanted: bool, given: &mut Given, room: &Room) -> Result<Val, String> {
    let test = given.take_text(0, "test")?;
    let mut kept = Vec::new();
    for value in value.elements(room)? {
        let holds = match &test {
            Some(test) => tested(&value, test)?,
            None => value.truth()?,
        };
        if holds == wanted {
            kept.push(value);
        }
    }
    Val::list(kept, room)
}

fn sorted(value: &Val, given: &mut Given, room: &Room) -> Result<Val, String> {
    let reverse = given.take_truth(0, "reverse", false)?;
    let exact = given.take_truth(1, "case_sensitive", false)?;
    let attribute = given.take_text(2, "attribute")?;
    let mut keyed = Vec::new();
    for value in value.elements(room)? {
        let key = match &attribute {
            Some(name) => operators::attribute(&value, name, room)?.defined()?,
            None => value.clone(),
        };
        let key = match &key {
            Val::Text(text) if !exact => Val::text(&text.to_lowercase(), room)?,
            _ => key,
        };
        room.spend(2 * size_of::<Val>() as u64)?;
        keyed.push((key, value));
    }
    let mut failed = None;
    keyed.sort_by(|(a, _), (b, _)| match a.order(b, room) {
        Ok(order) if reverse => order.reverse(),
        Ok(order) => order,
        Err(error) => {
            failed = Some(error);
            Ordering::Equal
        }
    });
    match failed {
        Some(error) => Err(error),
        None => Val::list(keyed.into_iter().map(|(_, value)| value).collect(), room),
    }
}
