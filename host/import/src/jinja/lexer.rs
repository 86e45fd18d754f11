//! A template as pieces: text, and the words of expressions and tags.

/// Longest template, in bytes.
const LONGEST: usize = 1 << 20;

/// A word of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    Text(String),
    Int(i128),
    Float(f64),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    /// `{{ … }}`.
    Output(Vec<Token>),
    /// `{% … %}`.
    Tag(Vec<Token>),
}

/// Signs, each before those that it begins with.
const SIGNS: [&str; 30] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".",
    ":", "|", ",", ";", "!", "&", "@", "$",
];

/// Takes a template apart.
pub(super) fn pieces(template: &str) -> Result<Vec<Piece>, String> {
    if template.len() > LONGEST {
        return Err(format!("syntax error: the template has more than {LONGEST} bytes"));
    }
    let template = template.replace("\r\n", "\n").replace('\r', "\n");
    let mut pieces = Vec::new();
    let mut rest = template.as_str();
    let mut strip_next = false;
    loop {
        let begin = next_mark(rest);
        let (text, from) = rest.split_at(begin.unwrap_or(rest.len()));
        let text = if strip_next { text.trim_start() } else { text };
        let control = from.as_bytes().get(2).copied();
        let text = if control == Some(b'-') { text.trim_end() } else { text };
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        let Some(kind) = from.as_bytes().get(1) else { return Ok(pieces) };
        let inner = from.get(2..).unwrap_or_default();
        let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner);
        if *kind == b'#' {
            let end = inner.find("#}").ok_or("syntax error: a comment has no end")?;
            let (comment, after) = inner.split_at(end);
            strip_next = comment.ends_with('-');
            rest = after.get(2..).unwrap_or_default();
            continue;
        }
        let close = if *kind == b'{' { "}}" } else { "%}" };
        let mut words = Words { rest: inner, tokens: Vec::new(), open: Vec::new() };
        strip_next = words.read(close)?;
        rest = words.rest;
        if *kind == b'{' {
            pieces.push(Piece::Output(words.tokens));
        } else if words.tokens == [Token::Name("raw".to_owned())] {
            let (raw, strip_raw, after) = raw_text(rest)?;
            let raw = if strip_next { raw.trim_start() } else { raw };
            pieces.push(Piece::Text(raw.to_owned()));
            (strip_next, rest) = (strip_raw, after);
        } else {
            pieces.push(Piece::Tag(words.tokens));
        }
    }
}

/// Where the next `{{`, `{%` or `{#` is. It looks at no byte behind that, so that all marks are found in one pass.
fn next_mark(text: &str) -> Option<usize> {
    text.as_bytes().windows(2).position(|pair| matches!(pair, [b'{', b'{' | b'%' | b'#']))
}

/// The text up to `{% endraw %}`, whether white space after that goes, and what follows.
fn raw_text(text: &str) -> Result<(&str, bool, &str), String> {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("{%")) {
        let at = from + at;
        let inner = text.get(at + 2..).unwrap_or_default();
        let strips_before = inner.starts_with('-');
        let word = inner.strip_prefix(['-', '+']).unwrap_or(inner).trim_start();
        if let Some(after) = word.strip_prefix("endraw") {
            let after = after.trim_start();
            let strips_after = after.starts_with('-');
            let after = after.strip_prefix(['-', '+']).unwrap_or(after);
            if let Some(after) = after.strip_prefix("%}") {
                let raw = text.get(..at).unwrap_or_default();
                return Ok((if strips_before { raw.trim_end() } else { raw }, strips_after, after));
            }
        }
        from = at + 2;
    }
    Err("syntax error: `raw` has no `endraw`".to_owned())
}

struct Words<'t> {
    rest: &'t str,
    tokens: Vec<Token>,
    /// Brackets that are open.
    open: Vec<&'static str>,
}

impl Words<'_> {
    /// Reads up to `close`, and says whether white space behind it goes.
    fn read(&mut self, close: &str) -> Result<bool, String> {
        loop {
            self.rest = self.rest.trim_start();
            if self.open.is_empty() {
                for (control, strips) in [("-", true), ("+", false), ("", false)] {
                    if let Some(after) = self.rest.strip_prefix(control).and_then(|rest| rest.strip_prefix(close)) {
                        self.rest = after;
                        return Ok(strips);
                    }
                }
            }
            let letter = self.rest.chars().next().ok_or_else(|| format!("syntax error: there is no `{close}`"))?;
            let token = match letter {
                '\'' | '"' => self.text(letter)?,
                '0'..='9' => self.number()?,
                letter if letter == '_' || letter.is_alphabetic() => self.name(),
                _ => self.sign()?,
            };
            self.tokens.push(token);
        }
    }

    fn take(&mut self, length: usize) -> &str {
        let (taken, after) = self.rest.split_at(length);
        self.rest = after;
        taken
    }

    fn name(&mut self) -> Token {
        let end = self.rest.find(|letter: char| letter != '_' && !letter.is_alphanumeric());
        Token::Name(self.take(end.unwrap_or(self.rest.len())).to_owned())
    }

    fn sign(&mut self) -> Result<Token, String> {
        let sign = SIGNS.into_iter().find(|sign| self.rest.starts_with(sign));
        let sign = sign.ok_or_else(|| format!("syntax error: `{}`", self.rest.chars().take(10).collect::<String>()))?;
        self.take(sign.len());
        match sign {
            "(" | "[" | "{" => self.open.push(sign),
            ")" | "]" | "}" => {
                let wanted = match self.open.pop() {
                    Some("(") => ")",
                    Some("[") => "]",
                    Some(_) => "}",
                    None => "",
                };
                if sign != wanted {
                    return Err(format!("syntax error: `{sign}` closes no bracket"));
                }
            }
            _ => {}
        }
        Ok(Token::Sign(sign))
    }

    fn number(&mut self) -> Result<Token, String> {
        let broken = |text: &str| format!("syntax error: `{text}` is no number");
        let digits =
            |text: &str| text.find(|letter: char| !letter.is_ascii_digit() && letter != '_').unwrap_or(text.len());
        let mut end = digits(self.rest);
        let mut is_float = false;
        let after = |end: usize| self.rest.get(end..).unwrap_or_default();
        if let Some(fraction) = after(end).strip_prefix('.')
            && fraction.starts_with(|letter: char| letter.is_ascii_digit())
        {
            is_float = true;
            end += 1 + digits(fraction);
        }
        if let Some(exponent) = after(end).strip_prefix(['e', 'E']) {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if unsigned.starts_with(|letter: char| letter.is_ascii_digit()) {
                is_float = true;
                end += 1 + exponent.len() - unsigned.len() + digits(unsigned);
            }
        }
        let text = self.take(end).replace('_', "");
        if is_float {
            return text.parse().map(Token::Float).map_err(|_| broken(&text));
        }
        text.parse().map(Token::Int).map_err(|_| broken(&text))
    }

    fn text(&mut self, quote: char) -> Result<Token, String> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices().skip(1);
        loop {
            let (at, letter) = letters.next().ok_or("syntax error: a text has no end")?;
            match letter {
                letter if letter == quote => {
                    self.take(at + quote.len_utf8());
                    return Ok(Token::Text(text));
                }
                '\\' => {
                    let (_, escaped) = letters.next().ok_or("syntax error: a text has no end")?;
                    let digits = match escaped {
                        'x' => 2,
                        'u' => 4,
                        'U' => 8,
                        _ => 0,
                    };
                    if digits > 0 {
                        let code: String = letters.by_ref().take(digits).map(|(_, letter)| letter).collect();
                        let letter = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                        text.push(letter.ok_or_else(|| format!("syntax error: `\\{escaped}{code}` is no letter"))?);
                    } else {
                        escape(&mut text, escaped)?;
                    }
                }
                letter => text.push(letter),
            }
        }
    }
}

/// What a backslash and a letter stand for, as Python reads them.
fn escape(text: &mut String, letter: char) -> Result<(), String> {
    match letter {
        'n' => text.push('\n'),
        't' => text.push('\t'),
        'r' => text.push('\r'),
        'a' => text.push('\u{7}'),
        'b' => text.push('\u{8}'),
        'f' => text.push('\u{c}'),
        'v' => text.push('\u{b}'),
        '\\' | '\'' | '"' => text.push(letter),
        '\n' => {}
        '0'..='7' | 'N' => return Err(format!("syntax error: the escape `\\{letter}` is not known here")),
        other => {
            text.push('\\');
            text.push(other);
        }
    }
    Ok(())
}
