//! LaTeX, and the plain notation that models write instead, cut into tokens. What only concerns looks is dropped here.

#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// Digits with an optional decimal point.
    Number(String),
    /// A letter, with its subscript where it has one.
    Letter(String),
    /// A command without its backslash.
    Command(String),
    /// Words: `\text{no solution}`, or a run of letters that is no product.
    Text(String),
    Sign(char),
    /// `\begin{pmatrix}` and the like.
    Begin(String),
    End,
    /// `\\` between rows.
    Row,
}

/// Commands that only concern looks.
const LOOKS: &[&str] = &[
    "left",
    "right",
    "big",
    "Big",
    "bigg",
    "Bigg",
    "bigl",
    "bigr",
    "Bigl",
    "Bigr",
    "displaystyle",
    "textstyle",
    "quad",
    "qquad",
    "limits",
    "mathopen",
    "mathclose",
    "bold",
    "hspace",
    "vspace",
    "phantom",
    "hfill",
];

/// Commands whose argument is words.
const WORDS: &[&str] =
    &["text", "textbf", "textit", "textrm", "mathrm", "mathbf", "mathit", "mbox", "operatorname", "rm", "bf"];

const FUNCTIONS: &[&str] = &[
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "ln", "log", "exp",
    "sqrt",
];

/// The tokens of `text`; `None` where it is cut within a command.
pub fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut lexer = Lexer { rest: text.trim(), found: Vec::new() };
    while let Some(first) = lexer.rest.chars().next() {
        lexer.next(first)?;
    }
    Some(lexer.found)
}

struct Lexer<'t> {
    rest: &'t str,
    found: Vec<Token>,
}

impl<'t> Lexer<'t> {
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn push_command(&mut self, name: &str) {
        self.found.push(Token::Command(name.to_owned()));
    }

    fn next(&mut self, first: char) -> Option<()> {
        match first {
            '\\' => return self.command(),
            '0'..='9' | '.' => return self.number(first),
            'a'..='z' | 'A'..='Z' => {
                self.letters();
                return Some(());
            }
            _ => {}
        }
        self.skip(first.len_utf8());
        match first {
            _ if first.is_whitespace() => {}
            '$' | '~' | '°' | '"' | '€' | '£' => {}
            '−' | '–' | '—' => self.found.push(Token::Sign('-')),
            '×' | '·' | '⋅' | '∗' => self.found.push(Token::Sign('*')),
            '÷' => self.found.push(Token::Sign('/')),
            '≤' => self.push_command("le"),
            '≥' => self.push_command("ge"),
            '≠' => self.push_command("ne"),
            '±' => self.push_command("pm"),
            '∪' => self.push_command("cup"),
            '∩' => self.push_command("cap"),
            '∈' => self.push_command("in"),
            '∞' => self.push_command("infty"),
            '∅' => self.push_command("emptyset"),
            'π' => self.push_command("pi"),
            '√' => self.push_command("sqrt"),
            '²' | '³' => {
                let exponent = if first == '²' { "2" } else { "3" };
                self.found.extend([Token::Sign('^'), Token::Number(exponent.to_owned())]);
            }
            '½' | '¼' | '¾' => {
                let (above, below) = match first {
                    '½' => ("1", "2"),
                    '¼' => ("1", "4"),
                    _ => ("3", "4"),
                };
                self.push_command("frac");
                for part in [above, below] {
                    self.found.extend([Token::Sign('{'), Token::Number(part.to_owned()), Token::Sign('}')]);
                }
            }
            'α'..='ω' | 'Α'..='Ω' => self.found.push(Token::Letter(first.to_string())),
            _ if first.is_alphabetic() => {
                let end = self.rest.find(|next: char| !next.is_alphabetic()).unwrap_or(self.rest.len());
                self.found.push(Token::Text(format!("{first}{}", &self.rest[..end])));
                self.skip(end);
            }
            _ => self.found.push(Token::Sign(first)),
        }
        Some(())
    }

    fn number(&mut self, first: char) -> Option<()> {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let mut plain = String::new();
        let whole = digits(self.rest);
        plain.push_str(&self.rest[..whole]);
        self.skip(whole);
        if (1..=3).contains(&whole) {
            loop {
                let separator =
                    ["{,}", "\\,", "\\!,", ",\\!", ","].into_iter().find(|mark| self.rest.starts_with(mark));
                let Some(separator) = separator.filter(|mark| digits(&self.rest[mark.len()..]) == 3) else { break };
                self.skip(separator.len());
                plain.push_str(&self.rest[..3]);
                self.skip(3);
            }
        }
        if self.rest.starts_with('.') {
            let decimals = digits(&self.rest[1..]);
            if decimals > 0 {
                plain.push('.');
                plain.push_str(&self.rest[1..=decimals]);
                self.skip(1 + decimals);
            } else if whole > 0 {
                // `5.` at the end of a sentence.
                self.skip(1);
            }
        }
        if plain.is_empty() {
            self.skip(first.len_utf8());
            self.found.push(Token::Sign(first));
        } else {
            self.found.push(Token::Number(plain));
        }
        Some(())
    }

    /// Letters without a backslash: a function, a product of variables, or words.
    fn letters(&mut self) {
        let end = self.rest.find(|next: char| !next.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        if let Some(function) = FUNCTIONS.iter().find(|function| word == **function) {
            self.push_command(function);
        } else if word == "pi" || word == "infty" || word == "infinity" || word == "oo" {
            self.push_command(if word == "pi" { "pi" } else { "infty" });
        } else if matches!(word, "and" | "or") {
            self.found.push(Token::Sign(','));
        } else if end > 3 {
            self.found.push(Token::Text(word.to_owned()));
        } else {
            self.skip(end - 1);
            for letter in word[..end - 1].chars() {
                self.found.push(Token::Letter(letter.to_string()));
            }
            let last = &word[end - 1..];
            self.skip(1);
            let subscript = self.subscript();
            self.found.push(Token::Letter(format!("{last}{subscript}")));
            return;
        }
        self.skip(end);
    }

    /// `_1`, `_{12}`: part of the name.
    fn subscript(&mut self) -> String {
        let Some(after) = self.rest.strip_prefix('_') else { return String::new() };
        let inside = match crate::extract::braced(after) {
            Some(inside) if after.starts_with('{') => {
                self.skip(inside.len() + 3);
                inside
            }
            _ => {
                let length = after.chars().next().map_or(0, char::len_utf8);
                self.skip(1 + length);
                &after[..length]
            }
        };
        format!("_{}", inside.replace(' ', ""))
    }

    fn command(&mut self) -> Option<()> {
        let after = &self.rest[1..];
        let first = after.chars().next()?;
        if !first.is_ascii_alphabetic() {
            self.skip(1 + first.len_utf8());
            match first {
                '\\' => self.found.push(Token::Row),
                '{' | '}' => self.push_command(if first == '{' { "lbrace" } else { "rbrace" }),
                '%' | '|' => self.found.push(Token::Sign(first)),
                _ => {}
            }
            return Some(());
        }
        let end = after.find(|next: char| !next.is_ascii_alphabetic()).unwrap_or(after.len());
        let name = &after[..end];
        self.skip(1 + end);
        match name {
            _ if LOOKS.contains(&name) => {}
            _ if WORDS.contains(&name) => {
                let open = self.rest.trim_start();
                let inside = crate::extract::braced(open).filter(|_| open.starts_with('{'))?;
                self.skip(self.rest.len() - open.len() + inside.len() + 2);
                self.words(inside.trim());
            }
            "begin" => {
                let inside = crate::extract::braced(self.rest)?;
                self.skip(inside.len() + 2);
                // The columns of an array.
                if inside == "array" && self.rest.starts_with('{') {
                    let columns = crate::extract::braced(self.rest)?;
                    self.skip(columns.len() + 2);
                }
                self.found.push(Token::Begin(inside.to_owned()));
            }
            "end" => {
                let inside = crate::extract::braced(self.rest)?;
                self.skip(inside.len() + 2);
                self.found.push(Token::End);
            }
            "times" | "cdot" | "ast" => self.found.push(Token::Sign('*')),
            "div" => self.found.push(Token::Sign('/')),
            "dfrac" | "tfrac" | "cfrac" => self.push_command("frac"),
            "leq" | "leqslant" => self.push_command("le"),
            "geq" | "geqslant" => self.push_command("ge"),
            "neq" => self.push_command("ne"),
            "lt" => self.found.push(Token::Sign('<')),
            "gt" => self.found.push(Token::Sign('>')),
            "lvert" | "rvert" | "vert" | "mid" => self.found.push(Token::Sign('|')),
            "varnothing" => self.push_command("emptyset"),
            "circ" | "degree" => {
                // `^\circ`: degrees are a unit.
                if self.found.last() == Some(&Token::Sign('^')) {
                    self.found.pop();
                } else if self.found.ends_with(&[Token::Sign('^'), Token::Sign('{')]) {
                    self.found.truncate(self.found.len() - 2);
                    self.rest = self.rest.trim_start().strip_prefix('}').unwrap_or(self.rest);
                }
            }
            _ => self.push_command(name),
        }
        Some(())
    }

    fn words(&mut self, inside: &str) {
        let mut characters = inside.chars();
        match (characters.next(), characters.next()) {
            (None, _) => {}
            (Some(letter), None) if letter.is_alphabetic() => self.found.push(Token::Letter(letter.to_string())),
            _ if matches!(inside, "and" | "or" | ", and") => self.found.push(Token::Sign(',')),
            _ if FUNCTIONS.contains(&inside) => self.push_command(inside),
            _ => self.found.push(Token::Text(inside.to_owned())),
        }
    }
}
