//! Text literals and names of Python.

use crate::value::Value;

/// A text literal.
pub struct Literal {
    /// A text or bytes; `None` for a formatted text.
    pub value: Option<Value>,
    /// Bytes of source, prefix and quotes included.
    pub length: usize,
}

/// May a name begin with this?
pub fn starts_name(char: char) -> bool {
    char == '_' || char.is_alphabetic()
}

/// May a name go on with this?
pub fn continues_name(char: char) -> bool {
    starts_name(char) || char.is_numeric()
}

/// Can this stand before the quotes of a text?
pub fn is_prefix(name: &str) -> bool {
    matches!(name.to_ascii_lowercase().as_str(), "r" | "b" | "u" | "f" | "rb" | "br" | "fr" | "rf")
}

/// Reads the literal at the beginning of a source, whose first `prefix` bytes are its prefix.
///
/// # Errors
/// What is wrong with it.
pub fn read(source: &str, prefix: usize) -> Result<Literal, String> {
    let letters = source.get(..prefix).unwrap_or_default().to_ascii_lowercase();
    let body = source.get(prefix..).unwrap_or_default();
    let quote = body.get(..1).unwrap_or_default();
    let triple = quote.repeat(3);
    let delimiter = if body.starts_with(&triple) { triple.as_str() } else { quote };
    let inside = body.get(delimiter.len()..).unwrap_or_default();
    let length = end(inside, delimiter)?;
    let content = inside.get(..length).unwrap_or_default();
    let raw = letters.contains('r');
    let value = if letters.contains('f') {
        None
    } else if letters.contains('b') {
        Some(Value::Bytes(unescape_bytes(content, raw)?))
    } else if raw || !content.contains('\\') {
        Some(Value::Str(content.to_owned()))
    } else {
        Some(Value::Str(unescape(content)?))
    };
    Ok(Literal { value, length: prefix + delimiter.len() + length + delimiter.len() })
}

/// Where the closing delimiter is.
fn end(inside: &str, delimiter: &str) -> Result<usize, String> {
    let mut escaped = false;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'\n' if delimiter.len() == 1 => break,
            b'"' | b'\'' if inside.get(at..).is_some_and(|rest| rest.starts_with(delimiter)) => return Ok(at),
            _ => {}
        }
    }
    Err("a text without an end".to_owned())
}

fn unescape(content: &str) -> Result<String, String> {
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at).unwrap_or_default());
        let after = rest.get(at + 1..).unwrap_or_default();
        let (char, length) = escape(after)?;
        match char {
            Escape::Char(char) => out.push(char),
            Escape::Nothing => {}
            Escape::Unknown => out.push('\\'),
        }
        rest = after.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(out)
}

enum Escape {
    Char(char),
    Nothing,
    /// Not an escape: the backslash stays, and so does what follows.
    Unknown,
}

/// What stands after a backslash, and how long that is.
fn escape(after: &str) -> Result<(Escape, usize), String> {
    let Some(first) = after.chars().next() else { return Ok((Escape::Unknown, 0)) };
    let char = match first {
        '\n' => return Ok((Escape::Nothing, 1)),
        '\\' | '\'' | '"' => first,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '0'..='7' => {
            let length = after.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            let code = after.get(..length).and_then(|digits| u32::from_str_radix(digits, 8).ok());
            return Ok((Escape::Char(code.and_then(char::from_u32).unwrap_or('\0')), length));
        }
        'x' => return hexadecimal(after, 2),
        'u' => return hexadecimal(after, 4),
        'U' => return hexadecimal(after, 8),
        // The names of all characters are a table of a megabyte that no answer was ever seen to need.
        'N' => return Err("a character by name".to_owned()),
        _ => return Ok((Escape::Unknown, 0)),
    };
    Ok((Escape::Char(char), 1))
}

fn hexadecimal(after: &str, digits: usize) -> Result<(Escape, usize), String> {
    let text = after.get(1..=digits).filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let code = text.and_then(|text| u32::from_str_radix(text, 16).ok());
    let code = code.filter(|code| *code <= 0x0010_ffff).ok_or("a broken escape in a text")?;
    // A surrogate that stands alone, which Python keeps, becomes U+FFFD.
    Ok((Escape::Char(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)), digits + 1))
}

fn unescape_bytes(content: &str, raw: bool) -> Result<Vec<u8>, String> {
    if !content.is_ascii() {
        return Err("bytes that are not ASCII".to_owned());
    }
    if raw || !content.contains('\\') {
        return Ok(content.as_bytes().to_vec());
    }
    // `\u` and `\N` are no escapes here, and `\ooo` wraps at 256.
    let hidden = content.replace("\\u", "\\\\u").replace("\\U", "\\\\U").replace("\\N", "\\\\N");
    let bytes = |char| u8::try_from(u32::from(char) & 0xff).unwrap_or_default();
    Ok(unescape(&hidden)?.chars().map(bytes).collect())
}
