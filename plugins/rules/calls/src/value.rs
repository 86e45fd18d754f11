//! Values as Python has them, since the reference compares those: `1 == 1.0 == True`, a list is no tuple, integers have no
//! limit, and a dictionary keeps the order of its keys.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bench_scoring::python;
use num_bigint::BigInt;

/// A value.
#[derive(Debug, Clone)]
pub enum Value {
    /// `None`.
    None,
    /// `bool`.
    Bool(bool),
    /// `int`.
    Int(BigInt),
    /// `float`.
    Float(f64),
    /// `complex`, real and imaginary part.
    Complex(f64, f64),
    /// `str`.
    Str(String),
    /// `bytes`.
    Bytes(Vec<u8>),
    /// `list`.
    List(Vec<Value>),
    /// `tuple`.
    Tuple(Vec<Value>),
    /// `dict`.
    Dict(Dict),
    /// A value of a type that equals nothing a reference can hold, such as `set`.
    Other(&'static str),
}

/// The type of a [`Value`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `NoneType`.
    None,
    /// `bool`.
    Bool,
    /// `int`.
    Int,
    /// `float`.
    Float,
    /// `complex`.
    Complex,
    /// `str`.
    Str,
    /// `bytes`.
    Bytes,
    /// `list`.
    List,
    /// `tuple`.
    Tuple,
    /// `dict`.
    Dict,
    /// Any other.
    Other,
}

impl Value {
    /// Its type.
    pub fn kind(&self) -> Kind {
        match self {
            Value::None => Kind::None,
            Value::Bool(_) => Kind::Bool,
            Value::Int(_) => Kind::Int,
            Value::Float(_) => Kind::Float,
            Value::Complex(..) => Kind::Complex,
            Value::Str(_) => Kind::Str,
            Value::Bytes(_) => Kind::Bytes,
            Value::List(_) => Kind::List,
            Value::Tuple(_) => Kind::Tuple,
            Value::Dict(_) => Kind::Dict,
            Value::Other(_) => Kind::Other,
        }
    }

    /// The text of a `str`.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a `list`.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a `dict`.
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Value::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// A `bool` or `int` as an integer.
    pub fn as_integer(&self) -> Option<BigInt> {
        match self {
            Value::Bool(truth) => Some(BigInt::from(u8::from(*truth))),
            Value::Int(number) => Some(number.clone()),
            _ => None,
        }
    }

    /// Python's `==`.
    pub fn equals(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::None, Value::None) => true,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals(b))
            }
            (Value::Dict(a), Value::Dict(b)) => {
                a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| value.equals(other)))
            }
            (Value::Float(a), Value::Float(b)) => a == b,
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
        }
    }

    /// Is this the empty text that marks a parameter as optional?
    pub fn is_empty_text(&self) -> bool {
        matches!(self, Value::Str(text) if text.is_empty())
    }

    /// A form in which equal numbers are equal; `None` for what is no number, or not a number.
    fn number(&self) -> Option<Number> {
        match self {
            Value::Bool(_) | Value::Int(_) => self.as_integer().map(Number::Whole),
            Value::Float(number) => Number::of(*number),
            Value::Complex(real, imaginary) if *imaginary == 0.0 => Number::of(*real),
            Value::Complex(real, imaginary) => Some(Number::Complex(real.to_bits(), imaginary.to_bits())),
            _ => None,
        }
    }

    /// What a dictionary finds it by; `None` where Python says that it is not hashable.
    pub fn key(&self) -> Option<Key> {
        match self {
            Value::None => Some(Key::None),
            Value::Str(text) => Some(Key::Text(text.clone())),
            Value::Bytes(bytes) => Some(Key::Bytes(bytes.clone())),
            Value::Tuple(items) => items.iter().map(Value::key).collect::<Option<Vec<_>>>().map(Key::Tuple),
            Value::List(_) | Value::Dict(_) | Value::Other(_) => None,
            Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Complex(..) => {
                Some(Key::Number(self.number().unwrap_or(Number::Nan)))
            }
        }
    }

    /// Roughly Python's `repr`, for people.
    pub fn repr(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) {
        match self {
            Value::None => out.push_str("None"),
            Value::Bool(true) => out.push_str("True"),
            Value::Bool(false) => out.push_str("False"),
            Value::Int(number) => _ = write!(out, "{number}"),
            Value::Float(number) => out.push_str(&python::repr_float(*number)),
            Value::Complex(real, imaginary) => {
                let part = |number: f64| python::repr_float(number).trim_end_matches(".0").to_owned();
                let sign = if imaginary.is_sign_negative() { "" } else { "+" };
                _ = match *real == 0.0 && real.is_sign_positive() {
                    true => write!(out, "{}j", part(*imaginary)),
                    false => write!(out, "({}{sign}{}j)", part(*real), part(*imaginary)),
                };
            }
            Value::Str(text) => write_text(text, out),
            Value::Bytes(bytes) => {
                out.push('b');
                write_text(&String::from_utf8_lossy(bytes), out);
            }
            Value::List(items) => write_items("[", items, "]", out),
            Value::Tuple(items) if items.len() == 1 => write_items("(", items, ",)", out),
            Value::Tuple(items) => write_items("(", items, ")", out),
            Value::Dict(dict) => {
                out.push('{');
                for (index, (key, value)) in dict.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    key.write(out);
                    out.push_str(": ");
                    value.write(out);
                }
                out.push('}');
            }
            Value::Other(name) => _ = write!(out, "<{name}>"),
        }
    }
}

fn write_items(open: &str, items: &[Value], close: &str, out: &mut String) {
    out.push_str(open);
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index > 0 { ", " } else { "" });
        item.write(out);
    }
    out.push_str(close);
}

/// Python's `repr` of a text, but for characters that cannot be printed.
pub fn write_text(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for char in text.chars() {
        match char {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            char if char == quote => {
                out.push('\\');
                out.push(char);
            }
            char => out.push(char),
        }
    }
    out.push(quote);
}

/// A number such that equal ones are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Number {
    /// Without a fraction.
    Whole(BigInt),
    /// With a fraction, or infinite: the bits of the double.
    Double(u64),
    /// With an imaginary part.
    Complex(u64, u64),
    /// Not a number.
    Nan,
}

impl Number {
    fn of(number: f64) -> Option<Self> {
        if number.is_nan() {
            return None;
        }
        Some(whole(number).map_or(Number::Double(number.to_bits()), Number::Whole))
    }
}

/// The integer that a double is, if it is one.
pub fn whole(number: f64) -> Option<BigInt> {
    if !number.is_finite() || libm::trunc(number) != number {
        return None;
    }
    if number.abs() < 9e15 {
        #[expect(clippy::cast_possible_truncation, reason = "smaller than 2^53, and without a fraction")]
        return Some(BigInt::from(number as i64));
    }
    let bits = number.to_bits();
    let mantissa = BigInt::from((bits & ((1 << 52) - 1)) | (1 << 52));
    let shift = ((bits >> 52) & 0x7ff).saturating_sub(1075);
    let magnitude = mantissa << shift;
    Some(if number < 0.0 { -magnitude } else { magnitude })
}

/// What a dictionary finds a key by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `None`.
    None,
    /// Any number.
    Number(Number),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A tuple of keys.
    Tuple(Vec<Key>),
}

/// A dictionary: entries in the order in which their keys first came.
#[derive(Debug, Clone, Default)]
pub struct Dict {
    entries: Vec<(Value, Value)>,
    /// Where each key is; only kept once there are many, since most dictionaries have a handful of entries.
    index: BTreeMap<Key, usize>,
}

/// From how many entries on a dictionary keeps an index.
const MANY: usize = 12;

impl Dict {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The first entry.
    pub fn first(&self) -> Option<(&Value, &Value)> {
        self.iter().next()
    }

    /// The value of a key.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        let position = if self.index.is_empty() {
            self.entries.iter().position(|(other, _)| other.equals(key))
        } else {
            key.key().and_then(|key| self.index.get(&key).copied())
        };
        position.and_then(|position| self.entries.get(position)).map(|(_, value)| value)
    }

    /// The value of a text as a key.
    pub fn find(&self, key: &str) -> Option<&Value> {
        if self.index.is_empty() {
            return self.iter().find(|(other, _)| other.as_str() == Some(key)).map(|(_, value)| value);
        }
        self.get(&Value::Str(key.to_owned()))
    }

    /// Adds an entry, or replaces the value of an equal key. False where Python says that the key is not hashable.
    #[must_use]
    pub fn insert(&mut self, key: Value, value: Value) -> bool {
        let Some(found) = key.key() else { return false };
        if self.index.is_empty() && self.entries.len() >= MANY {
            let keys = self.entries.iter().enumerate();
            self.index = keys.filter_map(|(position, (key, _))| Some((key.key()?, position))).collect();
        }
        let position = if self.index.is_empty() {
            self.entries.iter().position(|(other, _)| other.equals(&key))
        } else {
            self.index.get(&found).copied()
        };
        match position.and_then(|position| self.entries.get_mut(position)) {
            Some(entry) => entry.1 = value,
            None => {
                if !self.index.is_empty() {
                    self.index.insert(found, self.entries.len());
                }
                self.entries.push((key, value));
            }
        }
        true
    }

    /// Adds an entry under a text.
    pub fn set(&mut self, key: impl Into<String>, value: Value) {
        _ = self.insert(Value::Str(key.into()), value);
    }
}
