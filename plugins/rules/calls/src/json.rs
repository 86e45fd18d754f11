//! JSON as Python's `json.loads` reads it: integers without limit, integers apart from floats, `NaN` and `Infinity`, the last
//! of two equal keys, keys in order.

use num_bigint::BigInt;

use crate::value::{Dict, Value};

/// Deepest nesting that is read.
const DEEPEST: usize = 200;

/// Most digits of an integer, as in CPython.
pub const MOST_DIGITS: usize = 4300;

/// Reads a text that is one JSON value.
///
/// # Errors
/// What is wrong, and at which byte.
pub fn parse(text: &str) -> Result<Value, String> {
    parse_without(text, &[])
}

/// Reads a text that is one JSON value, without properties of these names unless they are objects. Most of what is said about a
/// function is for the model alone.
///
/// # Errors
/// What is wrong, and at which byte.
pub fn parse_without(text: &str, unwanted: &[&str]) -> Result<Value, String> {
    let mut reader = Reader { text, at: 0, depth: 0, unwanted };
    reader.skip_space();
    let value = reader.value()?;
    reader.end()?;
    Ok(value)
}

/// The properties of an object, whose values are not read yet.
///
/// # Errors
/// The text is no object.
pub fn fields(text: &str) -> Result<Vec<(String, &str)>, String> {
    let mut reader = Reader { text, at: 0, depth: 0, unwanted: &[] };
    let mut fields = Vec::new();
    reader.skip_space();
    if !reader.take("{") {
        return Err(reader.wrong("no object"));
    }
    reader.skip_space();
    while !reader.take("}") {
        if !fields.is_empty() && !reader.take(",") {
            return Err(reader.wrong("no comma"));
        }
        let key = reader.key()?;
        fields.push((key, reader.raw()?));
        reader.skip_space();
    }
    reader.end()?;
    Ok(fields)
}

/// The items of a list, which are not read yet.
///
/// # Errors
/// The text is no list.
pub fn items(text: &str) -> Result<Vec<&str>, String> {
    let mut reader = Reader { text, at: 0, depth: 0, unwanted: &[] };
    let mut items = Vec::new();
    reader.skip_space();
    if !reader.take("[") {
        return Err(reader.wrong("no list"));
    }
    reader.skip_space();
    while !reader.take("]") {
        if !items.is_empty() && !reader.take(",") {
            return Err(reader.wrong("no comma"));
        }
        reader.skip_space();
        items.push(reader.raw()?);
        reader.skip_space();
    }
    reader.end()?;
    Ok(items)
}

struct Reader<'t, 'u> {
    text: &'t str,
    at: usize,
    depth: usize,
    unwanted: &'u [&'u str],
}

impl<'t> Reader<'t, '_> {
    fn wrong(&self, what: &str) -> String {
        format!("{what} at byte {}", self.at)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.rest().starts_with(word);
        self.at += if there { word.len() } else { 0 };
        there
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.peek() {
            Some(b'"') => self.text().map(Value::Str),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.take("null") => Ok(Value::None),
            _ if self.take("true") => Ok(Value::Bool(true)),
            _ if self.take("false") => Ok(Value::Bool(false)),
            _ if self.take("NaN") => Ok(Value::Float(f64::NAN)),
            _ if self.take("Infinity") => Ok(Value::Float(f64::INFINITY)),
            _ => Err(self.wrong("no value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, String>) -> Result<Value, String> {
        if self.depth >= DEEPEST {
            return Err(self.wrong("nested too deeply"));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Result<Value, String> {
        let mut dict = Dict::default();
        self.skip_space();
        if self.take("}") {
            return Ok(Value::Dict(dict));
        }
        loop {
            let key = self.key()?;
            if self.unwanted.contains(&key.as_str()) && self.peek() != Some(b'{') {
                self.raw()?;
            } else {
                let value = self.value()?;
                dict.set(key, value);
            }
            self.skip_space();
            if self.take("}") {
                return Ok(Value::Dict(dict));
            }
            if !self.take(",") {
                return Err(self.wrong("no comma"));
            }
        }
    }

    /// The name of a property, and what is before its value.
    fn key(&mut self) -> Result<String, String> {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return Err(self.wrong("no name of a property"));
        }
        let key = self.text()?;
        self.skip_space();
        if !self.take(":") {
            return Err(self.wrong("no colon"));
        }
        self.skip_space();
        Ok(key)
    }

    fn end(&mut self) -> Result<(), String> {
        self.skip_space();
        if self.at < self.text.len() { Err(self.wrong("something after the value")) } else { Ok(()) }
    }

    /// A value as it is written. Only where it ends is looked for.
    fn raw(&mut self) -> Result<&'t str, String> {
        let from = self.at;
        let bytes = self.text.as_bytes();
        let mut open = 0_usize;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'"' => self.skip_text()?,
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                }
                b'}' | b']' | b',' if open == 0 => break,
                b'}' | b']' => {
                    open -= 1;
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
        let raw = self.text.get(from..self.at).unwrap_or_default();
        if open > 0 || raw.trim().is_empty() { Err(self.wrong("no value")) } else { Ok(raw) }
    }

    fn skip_text(&mut self) -> Result<(), String> {
        let bytes = self.text.as_bytes();
        self.at += 1;
        loop {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let Some(length) = memchr::memchr2(b'"', b'\\', rest) else {
                return Err(self.wrong("no end of a text"));
            };
            self.at += length + 1;
            if rest.get(length) == Some(&b'"') {
                return Ok(());
            }
            self.at += 1;
        }
    }

    fn array(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        self.skip_space();
        if self.take("]") {
            return Ok(Value::List(items));
        }
        loop {
            self.skip_space();
            items.push(self.value()?);
            self.skip_space();
            if self.take("]") {
                return Ok(Value::List(items));
            }
            if !self.take(",") {
                return Err(self.wrong("no comma"));
            }
        }
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - from
    }

    fn number(&mut self) -> Result<Value, String> {
        let from = self.at;
        let negative = self.take("-");
        if negative && self.take("Infinity") {
            return Ok(Value::Float(f64::NEG_INFINITY));
        }
        if !self.take("0") && self.digits() == 0 {
            return Err(self.wrong("no digits"));
        }
        let whole = self.at;
        if self.take(".") && self.digits() == 0 {
            self.at = whole;
        }
        let mantissa = self.at;
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                self.at = mantissa;
            }
        }
        let text = self.text.get(from..self.at).unwrap_or_default();
        if self.at > whole {
            return text.parse().map(Value::Float).map_err(|_| self.wrong("no number"));
        }
        if text.len() - usize::from(negative) > MOST_DIGITS {
            return Err(self.wrong("too many digits"));
        }
        text.parse::<BigInt>().map(Value::Int).map_err(|_| self.wrong("no number"))
    }

    fn text(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=31);
            let plain = rest.as_bytes().iter().position(special).unwrap_or(rest.len());
            out.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => self.escape(&mut out)?,
                Some(_) => return Err(self.wrong("a control character in a text")),
                None => return Err(self.wrong("no end of a text")),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), String> {
        self.at += 1;
        let char = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                out.push(self.unicode()?);
                return Ok(());
            }
            _ => return Err(self.wrong("an unknown escape")),
        };
        self.at += 1;
        out.push(char);
        Ok(())
    }

    /// A code unit in hexadecimal, or a pair of surrogates. What stands alone, which Python keeps, becomes U+FFFD.
    fn unicode(&mut self) -> Result<char, String> {
        let high = self.unit()?;
        if (0xd800..0xdc00).contains(&high) && self.rest().starts_with("\\u") {
            let before = self.at;
            self.at += 2;
            match self.unit() {
                Ok(low) if (0xdc00..0xe000).contains(&low) => {
                    let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                _ => self.at = before,
            }
        }
        Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn unit(&mut self) -> Result<u32, String> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.wrong("no four hexadecimal digits"))?;
        self.at += 4;
        Ok(unit)
    }
}
