//! The tokens of an expression of Python.

use num_bigint::BigInt;

use crate::json::MOST_DIGITS;
use crate::python::text;
use crate::value::Value;

/// A token with where it is in the source.
#[derive(Debug, Clone)]
pub struct Token<'s> {
    /// What it is.
    pub kind: TokenKind<'s>,
    /// Byte at which it begins.
    pub start: usize,
    /// Byte after its last.
    pub end: usize,
}

/// What a token is.
#[derive(Debug, Clone)]
pub enum TokenKind<'s> {
    /// A name or a keyword.
    Name(&'s str),
    /// A number.
    Number(Value),
    /// A text or bytes.
    Text(Value),
    /// A formatted text, which has no value here.
    Formatted,
    /// An operator or a delimiter.
    Operator(&'static str),
    /// The end of a line outside of brackets.
    Newline,
}

/// Operators, longer ones first.
const OPERATORS: [&str; 36] = [
    "...", "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "->", ":=", "+", "-", "*", "/", "%", "@", "&", "|", "^",
    "~", "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", ";", "=", "!", "\\",
];

/// Most brackets inside each other. CPython stops at 200; what lies between is no answer to anything.
const MOST_BRACKETS: usize = 100;

/// Splits a source, whose lines end in `\n`, into tokens.
///
/// # Errors
/// What cannot be a token.
pub fn tokens(source: &str) -> Result<Vec<Token<'_>>, String> {
    let mut lexer = Lexer { source, at: 0, open: Vec::new(), tokens: Vec::new() };
    while lexer.at < source.len() {
        lexer.step()?;
    }
    Ok(lexer.tokens)
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    open: Vec<&'static str>,
    tokens: Vec<Token<'s>>,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn wrong(&self, what: &str) -> String {
        format!("{what} at byte {}", self.at)
    }

    fn push(&mut self, kind: TokenKind<'s>, length: usize) {
        self.tokens.push(Token { kind, start: self.at, end: self.at + length });
        self.at += length;
    }

    fn step(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(()) };
        match first {
            ' ' | '\t' | '\u{c}' => self.at += 1,
            '\n' if self.open.is_empty() => self.push(TokenKind::Newline, 1),
            '\n' => self.at += 1,
            '#' => self.at += rest.find('\n').unwrap_or(rest.len()),
            '\\' => match rest.get(1..2) {
                Some("\n") if rest.len() > 2 => self.at += 2,
                _ => return Err(self.wrong("something after a backslash")),
            },
            '0'..='9' => self.number()?,
            '.' if rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit) => self.number()?,
            '"' | '\'' => self.text(0)?,
            char if text::starts_name(char) => self.name()?,
            _ => self.operator()?,
        }
        Ok(())
    }

    fn name(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let length = rest.find(|char| !text::continues_name(char)).unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or_default();
        if rest.get(length..).is_some_and(|rest| rest.starts_with(['"', '\''])) && text::is_prefix(name) {
            return self.text(length);
        }
        self.push(TokenKind::Name(name), length);
        Ok(())
    }

    fn text(&mut self, prefix: usize) -> Result<(), String> {
        let literal = text::read(self.rest(), prefix).map_err(|what| self.wrong(&what))?;
        self.push(literal.value.map_or(TokenKind::Formatted, TokenKind::Text), literal.length);
        Ok(())
    }

    fn number(&mut self) -> Result<(), String> {
        let (value, length) = number(self.rest()).map_err(|what| self.wrong(what))?;
        let after = self.rest().get(length..).unwrap_or_default();
        let word =
            after.get(..after.find(|char| !text::continues_name(char)).unwrap_or(after.len())).unwrap_or_default();
        // `1if x else 2` is deprecated and still read; `1abc` never was.
        if !word.is_empty() && !["and", "else", "for", "if", "in", "is", "not", "or"].contains(&word) {
            return Err(self.wrong("a letter after a number"));
        }
        self.push(TokenKind::Number(value), length);
        Ok(())
    }

    fn operator(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let first = rest.as_bytes().first();
        let found =
            OPERATORS.iter().find(|operator| operator.as_bytes().first() == first && rest.starts_with(**operator));
        let Some(operator) = found else {
            return Err(self.wrong("a character that is not Python"));
        };
        match *operator {
            "(" | "[" | "{" => {
                if self.open.len() >= MOST_BRACKETS {
                    return Err(self.wrong("too many brackets inside each other"));
                }
                self.open.push(operator);
            }
            ")" | "]" | "}" => {
                let opening = self.open.pop().unwrap_or_default();
                if !matches!((opening, *operator), ("(", ")") | ("[", "]") | ("{", "}")) {
                    return Err(self.wrong("a bracket that closes nothing"));
                }
            }
            _ => {}
        }
        self.push(TokenKind::Operator(operator), operator.len());
        Ok(())
    }
}

/// The length of digits with single underscores between them.
fn digits(text: &str, radix: u32) -> usize {
    let mut length = 0;
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let digit = char::from(byte).is_digit(radix);
        let underscore =
            byte == b'_' && length > 0 && bytes.peek().is_some_and(|next| char::from(*next).is_digit(radix));
        if !digit && !underscore {
            break;
        }
        length += 1;
    }
    length
}

fn number(text: &str) -> Result<(Value, usize), &'static str> {
    let radix = match text.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => return decimal(text),
    };
    let mut rest = text.get(2..).unwrap_or_default();
    let underscore = usize::from(rest.starts_with('_'));
    rest = rest.get(underscore..).unwrap_or_default();
    let length = digits(rest, radix);
    let plain = rest.get(..length).unwrap_or_default().replace('_', "");
    let number = BigInt::parse_bytes(plain.as_bytes(), radix).ok_or("a number without digits")?;
    Ok((Value::Int(number), 2 + underscore + length))
}

fn decimal(text: &str) -> Result<(Value, usize), &'static str> {
    let whole = digits(text, 10);
    let mut length = whole;
    if text.get(length..).is_some_and(|rest| rest.starts_with('.')) {
        length += 1;
        length += text.get(length..).map_or(0, |rest| digits(rest, 10));
    }
    if text.get(length..).is_some_and(|rest| rest.starts_with(['e', 'E'])) {
        let signed = text.get(length + 1..).is_some_and(|rest| rest.starts_with(['+', '-']));
        let from = length + 1 + usize::from(signed);
        let exponent = text.get(from..).map_or(0, |rest| digits(rest, 10));
        if exponent > 0 {
            length = from + exponent;
        }
    }
    let plain = text.get(..length).unwrap_or_default().replace('_', "");
    if text.get(length..).is_some_and(|rest| rest.starts_with(['j', 'J'])) {
        let imaginary = plain.parse().map_err(|_| "a number that is none")?;
        return Ok((Value::Complex(0.0, imaginary), length + 1));
    }
    if length > whole {
        return plain.parse().map(|number| (Value::Float(number), length)).map_err(|_| "a number that is none");
    }
    if plain.len() > 1 && plain.starts_with('0') && plain.bytes().any(|byte| byte != b'0') {
        return Err("a number with leading zeros");
    }
    if plain.len() > MOST_DIGITS {
        return Err("a number of too many digits");
    }
    let number = plain.parse::<BigInt>().map_err(|_| "a number that is none")?;
    Ok((Value::Int(number), length))
}
