//! The tokens of Java and JavaScript.

use crate::code::Dialect;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A name or a keyword.
    Word,
    /// A number.
    Number,
    /// A text, by its quote.
    Text(char),
    /// A regular expression of JavaScript.
    Regex,
    /// An operator or a delimiter.
    Operator(&'static str),
}

/// A token.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Byte at which it begins.
    pub start: usize,
    /// Byte after its last.
    pub end: usize,
    /// It is the first of its line.
    pub first: bool,
}

/// Longer ones first.
const OPERATORS: [&str; 55] = [
    ">>>=", "...", "===", "!==", "**=", "<<=", ">>=", "&&=", "||=", "??=", "=>", "->", "::", "?.", "??", "**", "++",
    "--", "<<", "<=", ">=", "==", "!=", "&&", "||", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "+", "-", "*", "/",
    "%", "<", ">", "=", "!", "~", "&", "|", "^", "?", ":", ";", ",", ".", "(", ")", "[", "]",
];
const BRACES: [&str; 3] = ["{", "}", "@"];

/// Splits a source into tokens.
///
/// # Errors
/// What cannot be one.
pub fn tokens(source: &str, dialect: Dialect) -> Result<Vec<Token>, String> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    let mut first = true;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let char = rest.chars().next().unwrap_or_default();
        if char.is_whitespace() {
            first |= char == '\n';
            at += char.len_utf8();
            continue;
        }
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        if rest.starts_with("/*") {
            at += rest.find("*/").ok_or("no end of a comment")? + 2;
            continue;
        }
        let operand = tokens.last().is_none_or(|last| match last.kind {
            TokenKind::Operator(operator) => !matches!(operator, ")" | "]" | "}"),
            _ => false,
        });
        let (kind, length) = token(rest, char, dialect, operand)?;
        tokens.push(Token { kind, start: at, end: at + length, first });
        first = false;
        at += length;
    }
    Ok(tokens)
}

fn token(rest: &str, first: char, dialect: Dialect, operand: bool) -> Result<(TokenKind, usize), String> {
    let continues = |char: char| char.is_alphanumeric() || matches!(char, '_' | '$');
    let point = first == '.' && rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    if first.is_ascii_digit() || point {
        return Ok((TokenKind::Number, number(rest)));
    }
    if first.is_alphabetic() || matches!(first, '_' | '$') {
        return Ok((TokenKind::Word, rest.find(|char| !continues(char)).unwrap_or(rest.len())));
    }
    if matches!(first, '"' | '\'') || (first == '`' && dialect == Dialect::Javascript) {
        return text(rest, first, dialect).map(|length| (TokenKind::Text(first), length));
    }
    if first == '/' && operand && dialect == Dialect::Javascript {
        return regex(rest).map(|length| (TokenKind::Regex, length));
    }
    let operator = OPERATORS.iter().chain(&BRACES).find(|operator| rest.starts_with(**operator));
    operator
        .map(|operator| (TokenKind::Operator(operator), operator.len()))
        .ok_or_else(|| format!("the character {first:?}"))
}

fn number(rest: &str) -> usize {
    let mut before = '0';
    let hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
    let stops = |char: char| {
        let exponent = !hexadecimal && matches!(before, 'e' | 'E') && matches!(char, '+' | '-');
        before = char;
        !(char.is_ascii_alphanumeric() || matches!(char, '.' | '_') || exponent)
    };
    rest.find(stops).unwrap_or(rest.len())
}

fn text(rest: &str, quote: char, dialect: Dialect) -> Result<usize, String> {
    if dialect == Dialect::Java && rest.starts_with("\"\"\"") {
        let end = rest.get(3..).and_then(|rest| rest.find("\"\"\""));
        return end.map(|end| end + 6).ok_or_else(|| "no end of a text".to_owned());
    }
    let mut escaped = false;
    for (at, char) in rest.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' if quote != '`' => break,
            char if char == quote && (at > 1 || quote != '\'' || dialect == Dialect::Javascript) => return Ok(at + 1),
            _ => {}
        }
    }
    Err("no end of a text".to_owned())
}

fn regex(rest: &str) -> Result<usize, String> {
    let (mut escaped, mut class) = (false, false);
    for (at, char) in rest.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '\n' => break,
            '/' if !class => {
                let flags = rest.get(at + 1..).unwrap_or_default();
                return Ok(at + 1 + flags.find(|char: char| !char.is_ascii_lowercase()).unwrap_or(flags.len()));
            }
            _ => {}
        }
    }
    Err("no end of a regular expression".to_owned())
}
