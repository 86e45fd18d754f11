//! Characters, escapes, classes and references.

use super::super::pattern::{Flags, PatternError};
use super::{Parser, Piece, Sort};

/// A member of a class or an escape outside one.
#[derive(Debug, Clone, Copy)]
enum Member {
    Char(char),
    Category(char),
}

/// The four letters that differ by a dot only, which Python takes for the same when case is ignored.
const DOTTED: [char; 4] = ['i', 'I', '\u{130}', '\u{131}'];

fn escaped(c: char) -> String {
    match c {
        '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => format!("\\{c}"),
        _ => c.to_string(),
    }
}

fn in_class(c: char) -> String {
    if c.is_ascii() && !c.is_ascii_alphanumeric() { format!("\\x{:02X}", u32::from(c)) } else { c.to_string() }
}

impl Parser<'_> {
    pub(super) fn literal(&self, c: char, flags: Flags) -> Piece {
        Piece::character(match flags {
            Flags { ignore_case: false, .. } => escaped(c),
            Flags { ascii: true, .. } if c.is_ascii_alphabetic() => {
                format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase())
            }
            Flags { ascii: true, .. } => escaped(c),
            _ if DOTTED.contains(&c) => "[iI\u{130}\u{131}]".into(),
            _ if c.is_alphabetic() || !c.is_ascii() => format!("(?i:[{}])", in_class(c)),
            _ => escaped(c),
        })
    }

    /// The characters of a class such as `\w`, as they are written between brackets.
    fn category(&mut self, letter: char, flags: Flags) -> &'static str {
        let wide = !flags.ascii && self.kind.wide;
        self.depends.wide |= !flags.ascii;
        match (letter, wide) {
            ('d', false) => "0-9",
            ('D', false) => "[^0-9]",
            ('d', true) => r"\p{Nd}",
            ('D', true) => r"[^\p{Nd}]",
            ('w', false) => "0-9A-Za-z_",
            ('W', false) => "[^0-9A-Za-z_]",
            ('w', true) => r"\p{L}\p{N}_",
            ('W', true) => r"[^\p{L}\p{N}_]",
            ('s', false) if flags.ascii => r"\x09-\x0D\x20",
            ('S', false) if flags.ascii => r"[^\x09-\x0D\x20]",
            ('s', false) => r"\x09-\x0D\x1C-\x20",
            ('S', false) => r"[^\x09-\x0D\x1C-\x20]",
            ('s', _) => {
                "\\x09-\\x0D\\x1C-\\x20\u{85}\u{a0}\u{1680}\u{2000}-\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}"
            }
            (_, _) => {
                "[^\\x09-\\x0D\\x1C-\\x20\u{85}\u{a0}\u{1680}\u{2000}-\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}]"
            }
        }
    }

    fn boundary(&mut self, inside: bool, flags: Flags) -> Piece {
        self.depends.wide = true;
        // In a text of ASCII alone, everybody agrees what a word is. CPython finds no boundary in an empty text, nor its absence.
        if !self.kind.wide {
            return Piece::anchor(if inside { r"(?:\B(?!\A\z))" } else { r"\b" });
        }
        let word = format!("[{}]", self.category('w', flags));
        let (open, shut) = if inside { ("(?=", "(?!") } else { ("(?!", "(?=") };
        Piece::anchor(&format!("(?:(?<={word}){open}{word})|(?<!{word}){shut}{word}))"))
    }

    pub(super) fn escape(&mut self, flags: Flags) -> Result<Piece, PatternError> {
        let Some(c) = self.peek() else { return Err(self.error("bad escape (end of pattern)")) };
        let boundary = match c {
            'A' => Some(Piece::anchor(r"\A")),
            'Z' => Some(Piece::anchor(r"\z")),
            'b' | 'B' => Some(self.boundary(c == 'B', flags)),
            _ => None,
        };
        if let Some(piece) = boundary {
            self.at += 1;
            return Ok(piece);
        }
        if matches!(c, '1'..='9') {
            return self.numbered(flags);
        }
        Ok(match self.member()? {
            Member::Char(c) => self.literal(c, flags),
            Member::Category(letter) => Piece::character(format!("[{}]", self.category(letter, flags))),
        })
    }

    /// A reference to a group, or a character by three octal digits.
    fn numbered(&mut self, flags: Flags) -> Result<Piece, PatternError> {
        let three: String = self.chars.iter().skip(self.at).take(3).collect();
        if three.len() == 3 && three.chars().all(|c| c.is_digit(8)) {
            self.at += 3;
            return self.octal(&three).map(|c| self.literal(c, flags));
        }
        let digits = self.run(2, |c| c.is_ascii_digit());
        let group = digits.parse().unwrap_or(usize::MAX);
        self.reference(group, flags)
    }

    fn octal(&self, digits: &str) -> Result<char, PatternError> {
        let code = u32::from_str_radix(digits, 8).unwrap_or(u32::MAX);
        char::from_u32(code)
            .filter(|_| code <= 0o377)
            .ok_or_else(|| self.error(format!("octal escape value \\{digits} outside of range 0-0o377")))
    }

    pub(super) fn reference(&self, group: usize, flags: Flags) -> Result<Piece, PatternError> {
        let width = match self.widths.get(group) {
            Some(Some(width)) if group > 0 => *width,
            Some(_) if group > 0 => return Err(self.error("cannot refer to an open group")),
            _ => return Err(self.error(format!("invalid group reference {group}"))),
        };
        let text = if flags.ignore_case { format!("(?i:\\{group})") } else { format!("(?:\\{group})") };
        Ok(Piece::new(text, width, Sort::Atom))
    }

    /// A character or category behind a backslash, where both contexts agree.
    fn member(&mut self) -> Result<Member, PatternError> {
        let Some(c) = self.next() else { return Err(self.error("bad escape (end of pattern)")) };
        let c = match c {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => return Ok(Member::Category(c)),
            'a' => '\u{7}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => self.hexadecimal(2)?,
            'u' => self.hexadecimal(4)?,
            'U' => self.hexadecimal(8)?,
            '0' => {
                let digits = self.run(2, |c| c.is_digit(8));
                self.octal(&format!("0{digits}"))?
            }
            c if c.is_ascii_alphanumeric() => return Err(self.error(format!("bad escape \\{c}"))),
            c => c,
        };
        Ok(Member::Char(c))
    }

    fn hexadecimal(&mut self, digits: usize) -> Result<char, PatternError> {
        let text = self.run(digits, |c| c.is_ascii_hexdigit());
        let code = u32::from_str_radix(&text, 16).ok().filter(|_| text.len() == digits);
        code.and_then(char::from_u32).ok_or_else(|| self.error("incomplete escape, or no character"))
    }

    pub(super) fn class(&mut self, flags: Flags) -> Result<Piece, PatternError> {
        let negated = self.eat('^');
        let mut text = String::new();
        let mut cased = false;
        let mut dotted = false;
        loop {
            let Some(c) = self.next() else { return Err(self.error("unterminated character set")) };
            if c == ']' && !text.is_empty() {
                break;
            }
            let low = self.class_member(c)?;
            let range = self.peek() == Some('-') && self.chars.get(self.at + 1).is_none_or(|&c| c != ']');
            let high = if range {
                self.at += 1;
                let Some(c) = self.next() else { return Err(self.error("unterminated character set")) };
                self.class_member(c)?
            } else {
                low
            };
            match (low, high) {
                (Member::Category(letter), _) if !range => text += self.category(letter, flags),
                (Member::Char(low), Member::Char(high)) if low <= high => {
                    cased = cased || low != high || low.is_alphabetic() || !low.is_ascii();
                    dotted = dotted || DOTTED.iter().any(|dotted| (low..=high).contains(dotted));
                    text += &if flags.ignore_case && flags.ascii { both_cases(low, high) } else { span(low, high) };
                }
                _ => return Err(self.error("bad character range")),
            }
        }
        if flags.ignore_case && !flags.ascii && dotted {
            text += "iI\u{130}\u{131}";
        }
        let class = format!("[{}{text}]", if negated { "^" } else { "" });
        let folded = flags.ignore_case && !flags.ascii && cased;
        Ok(Piece::character(if folded { format!("(?i:{class})") } else { class }))
    }

    fn class_member(&mut self, c: char) -> Result<Member, PatternError> {
        if c != '\\' {
            return Ok(Member::Char(c));
        }
        match self.peek() {
            Some('b') => {
                self.at += 1;
                Ok(Member::Char('\u{8}'))
            }
            Some('0'..='7') => {
                let digits = self.run(3, |c| c.is_digit(8));
                self.octal(&digits).map(Member::Char)
            }
            _ => self.member(),
        }
    }
}

fn span(low: char, high: char) -> String {
    if low == high { in_class(low) } else { format!("{}-{}", in_class(low), in_class(high)) }
}

/// A range with the other case of the ASCII letters in it.
fn both_cases(low: char, high: char) -> String {
    let mut text = span(low, high);
    for letter in (b'A'..=b'Z').chain(b'a'..=b'z').map(char::from).filter(|letter| (low..=high).contains(letter)) {
        text.push(if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() });
    }
    text
}
