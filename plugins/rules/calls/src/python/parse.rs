//! A parser for expressions of Python.
//!
//! It accepts what CPython's does, as far as answers of models go, so that what fails to parse there fails here. What
//! can never have a value, such as a comprehension, is recognised and kept as source.

use crate::python::ast::{Binary, Expr, Trailer, Unary};
use crate::python::lex::{Token, TokenKind, tokens};
use crate::rules::Rules;
use crate::value::Value;

/// Deepest nesting of anything in anything, of which each bracket takes two. A component has a stack of half a megabyte.
const DEEPEST: usize = 220;

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// How strongly each operator binds, weakest first; what a condition or a lambda is made of binds weaker than all.
pub(super) const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARISON: u8 = 4;
pub(super) const BIT_OR: u8 = 5;
const POWER: u8 = 12;
const UNARY: u8 = 11;

/// Parses a source that is one expression, as `ast.parse(source, mode="eval")` does.
///
/// # Errors
/// What is wrong with the source.
pub fn parse(source: &str, rules: Rules) -> Result<Expr, String> {
    if source.contains('\0') {
        return Err("a null byte".to_owned());
    }
    if source.starts_with([' ', '\t', '\u{c}']) {
        return Err("unexpected indentation".to_owned());
    }
    let unified;
    let source = if source.contains('\r') {
        unified = source.replace("\r\n", "\n").replace('\r', "\n");
        &unified
    } else {
        source
    };
    let mut parser = Parser { source, tokens: tokens(source)?, at: 0, depth: 0, rules };
    let expr = parser.expressions()?;
    while matches!(parser.peek(), Some(TokenKind::Newline)) {
        parser.at += 1;
    }
    if parser.at < parser.tokens.len() {
        return Err(parser.wrong("something after the expression"));
    }
    Ok(expr)
}

pub(super) type Parsed<T> = Result<T, String>;

/// A source on its way to an expression.
pub(super) struct Parser<'s> {
    source: &'s str,
    tokens: Vec<Token<'s>>,
    pub(super) at: usize,
    depth: usize,
    pub(super) rules: Rules,
}

impl<'s> Parser<'s> {
    pub(super) fn wrong(&self, what: &str) -> String {
        let at = self.tokens.get(self.at).map_or(self.source.len(), |token| token.start);
        format!("{what} at byte {at}")
    }

    pub(super) fn peek(&self) -> Option<&TokenKind<'s>> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    pub(super) fn operator(&self) -> Option<&'static str> {
        match self.peek() {
            Some(TokenKind::Operator(operator)) => Some(operator),
            _ => None,
        }
    }

    pub(super) fn is_operator_at(&self, ahead: usize, wanted: &str) -> bool {
        let kind = self.tokens.get(self.at + ahead).map(|token| &token.kind);
        matches!(kind, Some(TokenKind::Operator(operator)) if *operator == wanted)
    }

    pub(super) fn take(&mut self, operator: &str) -> bool {
        let there = self.is_operator_at(0, operator);
        self.at += usize::from(there);
        there
    }

    pub(super) fn expect(&mut self, operator: &str) -> Parsed<()> {
        if self.take(operator) { Ok(()) } else { Err(self.wrong(&format!("no `{operator}`"))) }
    }

    pub(super) fn is_word_at(&self, ahead: usize, word: &str) -> bool {
        let kind = self.tokens.get(self.at + ahead).map(|token| &token.kind);
        matches!(kind, Some(TokenKind::Name(name)) if *name == word)
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let there = self.is_word_at(0, word);
        self.at += usize::from(there);
        there
    }

    /// The source from a token on, up to the token that comes next.
    pub(super) fn since(&self, from: usize) -> Expr {
        let start = self.tokens.get(from).map_or(0, |token| token.start);
        let end = self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(start, |token| token.end);
        Expr::Opaque(self.source.get(start..end).unwrap_or_default().to_owned())
    }

    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEEPEST {
            return Err(self.wrong("nested too deeply"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Expressions with commas between them, which are a tuple.
    pub(super) fn expressions(&mut self) -> Parsed<Expr> {
        let first = self.starred()?;
        if !self.is_operator_at(0, ",") {
            return match first {
                Expr::Starred(_) => Err(self.wrong("a star outside of a list")),
                single => Ok(single),
            };
        }
        let mut items = vec![first];
        while self.take(",") {
            if self.at >= self.tokens.len() || matches!(self.peek(), Some(TokenKind::Newline)) || self.ends() {
                break;
            }
            items.push(self.starred()?);
        }
        Ok(Expr::Tuple(items))
    }

    /// Does what comes next end a list of expressions?
    fn ends(&self) -> bool {
        matches!(self.operator(), Some(")" | "]" | "}" | "=" | ":"))
    }

    /// An expression, or one with a star before it.
    pub(super) fn starred(&mut self) -> Parsed<Expr> {
        if self.take("*") {
            return Ok(Expr::Starred(Box::new(self.nested(|parser| parser.binary(BIT_OR))?)));
        }
        self.named()
    }

    /// An expression, or one with a name for it.
    fn named(&mut self) -> Parsed<Expr> {
        let from = self.at;
        if matches!(self.peek(), Some(TokenKind::Name(_))) && self.is_operator_at(1, ":=") {
            self.name()?;
            self.at += 1;
            self.expression()?;
            return Ok(self.since(from));
        }
        self.expression()
    }

    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.nested(|parser| {
            let from = parser.at;
            if parser.is_word_at(0, "lambda") {
                return parser.lambda();
            }
            let value = parser.binary(OR)?;
            if !parser.take_word("if") {
                return Ok(value);
            }
            parser.binary(OR)?;
            if !parser.take_word("else") {
                return Err(parser.wrong("no `else`"));
            }
            parser.expression()?;
            Ok(parser.since(from))
        })
    }

    fn lambda(&mut self) -> Parsed<Expr> {
        let from = self.at;
        self.at += 1;
        while !self.take(":") {
            if !self.take("**") {
                self.take("*");
            }
            if !self.take("/") && !self.is_operator_at(0, ",") {
                self.name()?;
                if self.take("=") {
                    self.expression()?;
                }
            }
            if !self.take(",") && !self.is_operator_at(0, ":") {
                return Err(self.wrong("no `:`"));
            }
        }
        self.expression()?;
        Ok(self.since(from))
    }

    pub(super) fn name(&mut self) -> Parsed<String> {
        match self.peek() {
            Some(TokenKind::Name(name)) if !KEYWORDS.contains(name) => {
                let name = (*name).to_owned();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.wrong("no name")),
        }
    }

    /// The operator that comes next, with how strongly it binds, and how many tokens it has.
    fn infix(&self) -> Option<(u8, Option<Binary>, usize)> {
        let found = match self.operator() {
            Some("|") => (BIT_OR, Some(Binary::Or), 1),
            Some("^") => (6, Some(Binary::Xor), 1),
            Some("&") => (7, Some(Binary::And), 1),
            Some("<<") => (8, Some(Binary::ShiftLeft), 1),
            Some(">>") => (8, Some(Binary::ShiftRight), 1),
            Some("+") => (9, Some(Binary::Add), 1),
            Some("-") => (9, Some(Binary::Subtract), 1),
            Some("*") => (10, Some(Binary::Multiply), 1),
            Some("/") => (10, Some(Binary::Divide), 1),
            Some("//") => (10, Some(Binary::FloorDivide), 1),
            Some("%") => (10, Some(Binary::Modulo), 1),
            Some("@") => (10, Some(Binary::MatrixMultiply), 1),
            Some("**") => (POWER, Some(Binary::Power), 1),
            Some("<" | ">" | "<=" | ">=" | "==" | "!=") => (COMPARISON, None, 1),
            Some(_) => return None,
            None if self.is_word_at(0, "or") => (OR, None, 1),
            None if self.is_word_at(0, "and") => (AND, None, 1),
            None if self.is_word_at(0, "in") => (COMPARISON, None, 1),
            None if self.is_word_at(0, "is") => (COMPARISON, None, 1 + usize::from(self.is_word_at(1, "not"))),
            None if self.is_word_at(0, "not") && self.is_word_at(1, "in") => (COMPARISON, None, 2),
            None => return None,
        };
        Some(found)
    }

    /// Operands and operators that bind at least this strongly.
    pub(super) fn binary(&mut self, least: u8) -> Parsed<Expr> {
        let from = self.at;
        let mut left = self.operand(least)?;
        while let Some((strength, operator, length)) = self.infix() {
            if strength < least {
                break;
            }
            self.at += length;
            // Powers bind to the right, and take an operator before their right side.
            let right = match strength {
                POWER => self.nested(|parser| parser.binary(UNARY))?,
                _ => self.nested(|parser| parser.binary(strength + 1))?,
            };
            left = match (operator, left) {
                (None, _) => self.since(from),
                (Some(operator), Expr::Binary(first, mut rest)) if chains(&rest, operator, strength) => {
                    rest.push((operator, right));
                    Expr::Binary(first, rest)
                }
                (Some(operator), left) => Expr::Binary(Box::new(left), vec![(operator, right)]),
            };
        }
        Ok(left)
    }

    fn operand(&mut self, least: u8) -> Parsed<Expr> {
        if self.is_word_at(0, "not") {
            if least > NOT {
                return Err(self.wrong("`not` after an operator"));
            }
            self.at += 1;
            let operand = self.nested(|parser| parser.binary(NOT))?;
            return Ok(Expr::Unary(Unary::Not, Box::new(operand)));
        }
        let operator = match self.operator() {
            Some("-") => Unary::Minus,
            Some("+") => Unary::Plus,
            Some("~") => Unary::Invert,
            _ => return self.primary(),
        };
        self.at += 1;
        let operand = self.nested(|parser| parser.binary(UNARY))?;
        Ok(Expr::Unary(operator, Box::new(operand)))
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let from = self.at;
        if self.take_word("await") {
            self.nested(Self::primary)?;
            return Ok(self.since(from));
        }
        let atom = self.nested(Self::atom)?;
        let mut trailers = Vec::new();
        loop {
            if self.take(".") {
                trailers.push(Trailer::Attribute(self.name()?));
            } else if self.take("(") {
                trailers.push(Trailer::Call(self.arguments()?));
            } else if self.take("[") {
                trailers.push(Trailer::Subscript(Box::new(self.subscript()?)));
            } else if trailers.is_empty() {
                return Ok(atom);
            } else {
                return Ok(Expr::Primary(Box::new(atom), trailers));
            }
        }
    }

    fn atom(&mut self) -> Parsed<Expr> {
        let from = self.at;
        let Some(token) = self.peek().cloned() else { return Err(self.wrong("no end of the expression")) };
        self.at += 1;
        match token {
            TokenKind::Number(value) => Ok(Expr::Constant(value)),
            TokenKind::Text(_) | TokenKind::Formatted => self.texts(from),
            TokenKind::Name(name) => match name {
                "True" => Ok(Expr::Constant(Value::Bool(true))),
                "False" => Ok(Expr::Constant(Value::Bool(false))),
                "None" => Ok(Expr::Constant(Value::None)),
                word if KEYWORDS.contains(&word) => {
                    self.at = from;
                    Err(self.wrong("a keyword where a value should be"))
                }
                _ => Ok(Expr::Name(name.to_owned())),
            },
            TokenKind::Operator("...") => Ok(Expr::Ellipsis),
            TokenKind::Operator("(") => self.group(from),
            TokenKind::Operator("[") => self.items(None, "]", from).map(|items| items.unwrap_or_else(Expr::List)),
            TokenKind::Operator("{") => self.braces(from),
            TokenKind::Operator(_) | TokenKind::Newline => {
                self.at = from;
                Err(self.wrong("no value"))
            }
        }
    }
}

/// Does an operator continue a chain of its own precedence? Powers do not chain, they nest.
fn chains(rest: &[(Binary, Expr)], operator: Binary, strength: u8) -> bool {
    let group = |operator| match operator {
        Binary::Or => BIT_OR,
        Binary::Xor => 6,
        Binary::And => 7,
        Binary::ShiftLeft | Binary::ShiftRight => 8,
        Binary::Add | Binary::Subtract => 9,
        Binary::Power => POWER,
        _ => 10,
    };
    strength != POWER && rest.last().is_some_and(|(last, _)| group(*last) == group(operator))
}
