//! Values of templates: those of Python, as far as JSON has them.

use std::cmp::Ordering;
use std::rc::Rc;

use bench_samples::python;
use serde_json::Value;

use super::room::Room;

/// Deepest nesting of lists and mappings. Values are dropped by recursion, so this bounds the stack.
const DEEPEST: usize = 160;

/// Bytes that an element of a list takes.
const ELEMENT: u64 = size_of::<Val>() as u64;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Val {
    /// The value of a name or field that is not there, with the name.
    Undefined(Rc<str>),
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Rc<str>),
    List(Rc<List>),
    Map(Rc<Map>),
}

/// A list or a tuple.
#[derive(Debug)]
pub(super) struct List {
    pub(super) values: Vec<Val>,
    depth: usize,
}

/// Keys with their values, in order.
#[derive(Debug)]
pub(super) struct Map {
    pub(super) pairs: Vec<(Val, Val)>,
    depth: usize,
}

fn depth_of(value: &Val) -> usize {
    match value {
        Val::List(list) => list.depth,
        Val::Map(map) => map.depth,
        _ => 0,
    }
}

fn deeper(depth: usize) -> Result<usize, String> {
    if depth >= DEEPEST { Err(format!("its lists are nested more than {DEEPEST} deep")) } else { Ok(depth + 1) }
}

impl Val {
    /// A text, whose bytes are spent.
    pub(super) fn text(text: &str, room: &Room) -> Result<Self, String> {
        room.text(text.len())?;
        Ok(Self::Text(text.into()))
    }

    /// A list, whose elements are spent.
    pub(super) fn list(values: Vec<Self>, room: &Room) -> Result<Self, String> {
        room.spend(ELEMENT * values.len() as u64 + 64)?;
        let depth = deeper(values.iter().map(depth_of).max().unwrap_or_default())?;
        Ok(Self::List(Rc::new(List { values, depth })))
    }

    /// A mapping, whose pairs are spent.
    pub(super) fn map(pairs: Vec<(Self, Self)>, room: &Room) -> Result<Self, String> {
        room.spend(2 * ELEMENT * pairs.len() as u64 + 64)?;
        Self::unspent_map(pairs)
    }

    /// A mapping that is dropped soon.
    pub(super) fn unspent_map(pairs: Vec<(Self, Self)>) -> Result<Self, String> {
        let depth = deeper(pairs.iter().map(|(_, value)| depth_of(value)).max().unwrap_or_default())?;
        Ok(Self::Map(Rc::new(Map { pairs, depth })))
    }

    /// A value of a row.
    pub(super) fn from_json(value: &Value, room: &Room) -> Result<Self, String> {
        room.step(1)?;
        Ok(match value {
            Value::Null => Self::None,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => Self::Int(number.into()),
                (None, Some(number)) => Self::Int(number.into()),
                (None, None) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => Self::text(text, room)?,
            Value::Array(list) => {
                Self::list(list.iter().map(|value| Self::from_json(value, room)).collect::<Result<_, _>>()?, room)?
            }
            Value::Object(fields) => {
                let pair =
                    |(key, value): (&String, &Value)| Ok((Self::text(key, room)?, Self::from_json(value, room)?));
                Self::map(fields.iter().map(pair).collect::<Result<_, String>>()?, room)?
            }
        })
    }

    /// The value itself, which has to be one.
    pub(super) fn defined(self) -> Result<Self, String> {
        match self {
            Self::Undefined(name) => Err(format!("undefined value: there is no `{name}`")),
            value => Ok(value),
        }
    }

    /// What kind of value it is, in a word.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "undefined",
            Self::None => "none",
            Self::Bool(_) => "boolean",
            Self::Int(_) | Self::Float(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "sequence",
            Self::Map(_) => "map",
        }
    }

    /// Whether it counts as true.
    pub(super) fn truth(&self) -> Result<bool, String> {
        Ok(match self {
            Self::Undefined(_) => return self.clone().defined().map(|_| false),
            Self::None => false,
            Self::Bool(truth) => *truth,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.values.is_empty(),
            Self::Map(map) => !map.pairs.is_empty(),
        })
    }

    /// The whole number that it is; truth values are 0 and 1.
    pub(super) const fn int(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Bool(truth) => Some(*truth as i128),
            _ => None,
        }
    }

    /// The number that it is.
    pub(super) fn float(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            other => other.int().map(|number| number as f64),
        }
    }

    /// The text that it is.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What a loop over it gives: elements, keys or letters.
    pub(super) fn elements(&self, room: &Room) -> Result<Vec<Self>, String> {
        match self {
            Self::List(list) => {
                room.spend(ELEMENT * list.values.len() as u64)?;
                Ok(list.values.clone())
            }
            Self::Map(map) => {
                room.spend(ELEMENT * map.pairs.len() as u64)?;
                Ok(map.pairs.iter().map(|(key, _)| key.clone()).collect())
            }
            Self::Text(text) => {
                let letters = text.chars().map(|letter| {
                    room.spend(ELEMENT)?;
                    Self::text(letter.encode_utf8(&mut [0; 4]), room)
                });
                letters.collect()
            }
            Self::Undefined(_) => Err(self.clone().defined().err().unwrap_or_default()),
            other => Err(format!("a {} has no elements", other.kind())),
        }
    }

    /// How many elements, keys or letters it has.
    pub(super) fn length(&self, room: &Room) -> Result<usize, String> {
        match self {
            Self::List(list) => Ok(list.values.len()),
            Self::Map(map) => Ok(map.pairs.len()),
            Self::Text(text) => {
                room.look(text.len())?;
                Ok(text.chars().count())
            }
            other => Err(format!("a {} has no length", other.clone().defined()?.kind())),
        }
    }

    /// Whether two values are equal, as Python compares them.
    pub(super) fn equals(&self, other: &Self, room: &Room) -> Result<bool, String> {
        room.step(1)?;
        Ok(match (self, other) {
            (Self::Undefined(_), _) => return self.clone().defined().map(|_| false),
            (_, Self::Undefined(_)) => return other.clone().defined().map(|_| false),
            (Self::None, Self::None) => true,
            (Self::Text(a), Self::Text(b)) => {
                room.look(a.len().min(b.len()))?;
                a == b
            }
            (Self::List(a), Self::List(b)) => {
                if a.values.len() != b.values.len() {
                    return Ok(false);
                }
                for (a, b) in a.values.iter().zip(&b.values) {
                    if !a.equals(b, room)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Self::Map(a), Self::Map(b)) => {
                if a.pairs.len() != b.pairs.len() {
                    return Ok(false);
                }
                for (key, value) in &a.pairs {
                    match b.get(key, room)? {
                        Some(found) if value.equals(found, room)? => {}
                        _ => return Ok(false),
                    }
                }
                true
            }
            (a, b) => match (a.int(), b.int(), a.float(), b.float()) {
                (Some(a), Some(b), ..) => a == b,
                (_, _, Some(a), Some(b)) => a == b,
                _ => false,
            },
        })
    }

    /// Which of two values comes first.
    pub(super) fn order(&self, other: &Self, room: &Room) -> Result<Ordering, String> {
        room.step(1)?;
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => {
                room.look(a.len().min(b.len()))?;
                Ok(a.cmp(b))
            }
            (Self::List(a), Self::List(b)) => {
                for (a, b) in a.values.iter().zip(&b.values) {
                    if !a.equals(b, room)? {
                        return a.order(b, room);
                    }
                }
                Ok(a.values.len().cmp(&b.values.len()))
            }
            (a, b) => {
                let found = match (a.int(), b.int(), a.float(), b.float()) {
                    (Some(a), Some(b), ..) => Some(a.cmp(&b)),
                    (_, _, Some(a), Some(b)) => a.partial_cmp(&b),
                    _ => None,
                };
                found.ok_or_else(|| format!("a {} and a {} have no order", a.kind(), b.kind()))
            }
        }
    }

    /// Adds what Python's `str` gives to a text.
    pub(super) fn write(&self, out: &mut String, room: &Room) -> Result<(), String> {
        match self {
            Self::Text(text) => push(out, text, room),
            other => other.write_quoted(out, room),
        }
    }

    /// What Python's `str` gives.
    pub(super) fn to_text(&self, room: &Room) -> Result<Rc<str>, String> {
        if let Self::Text(text) = self {
            return Ok(Rc::clone(text));
        }
        let mut out = String::new();
        self.write(&mut out, room)?;
        Ok(out.into())
    }

    fn write_quoted(&self, out: &mut String, room: &Room) -> Result<(), String> {
        room.step(1)?;
        match self {
            Self::Undefined(_) => self.clone().defined().map(drop),
            Self::None => push(out, "None", room),
            Self::Bool(truth) => push(out, if *truth { "True" } else { "False" }, room),
            Self::Int(number) => push(out, &number.to_string(), room),
            Self::Float(number) => push(out, &python::float(*number), room),
            Self::Text(text) => {
                // A letter becomes four at most.
                room.spend(3 * text.len() as u64)?;
                push(out, &python::quoted(text), room)
            }
            Self::List(list) => {
                push(out, "[", room)?;
                for (index, value) in list.values.iter().enumerate() {
                    push(out, if index > 0 { ", " } else { "" }, room)?;
                    value.write_quoted(out, room)?;
                }
                push(out, "]", room)
            }
            Self::Map(map) => {
                push(out, "{", room)?;
                for (index, (key, value)) in map.pairs.iter().enumerate() {
                    push(out, if index > 0 { ", " } else { "" }, room)?;
                    key.write_quoted(out, room)?;
                    push(out, ": ", room)?;
                    value.write_quoted(out, room)?;
                }
                push(out, "}", room)
            }
        }
    }
}

impl Map {
    /// The value of a key.
    pub(super) fn get(&self, key: &Val, room: &Room) -> Result<Option<&Val>, String> {
        room.look(self.pairs.len())?;
        for (name, value) in &self.pairs {
            let found = match (name, key) {
                (Val::Text(a), Val::Text(b)) => a == b,
                _ => name.equals(key, room)?,
            };
            if found {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

/// Adds a text to another one.
pub(super) fn push(out: &mut String, text: &str, room: &Room) -> Result<(), String> {
    room.spend(text.len() as u64)?;
    out.push_str(text);
    Ok(())
}
