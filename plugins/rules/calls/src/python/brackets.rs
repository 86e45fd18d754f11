//! What stands in brackets: arguments, subscripts, lists, dictionaries, comprehensions.

use crate::python::ast::{Argument, Expr};
use crate::python::lex::TokenKind;
use crate::python::parse::{BIT_OR, OR, Parsed, Parser};
use crate::rules::Rules;
use crate::value::Value;

impl Parser<'_> {
    pub(super) fn subscript(&mut self) -> Parsed<Expr> {
        let from = self.at;
        let mut items = Vec::new();
        let mut commas = 0;
        while !self.is_operator_at(0, "]") {
            let start = self.at;
            let mut item = if self.is_operator_at(0, ":") { self.since(start) } else { self.starred()? };
            if self.is_operator_at(0, ":") {
                while self.take(":") {
                    if !matches!(self.operator(), Some(":" | "]" | ",")) {
                        self.expression()?;
                    }
                }
                item = self.since(start);
            }
            items.push(item);
            if !self.take(",") {
                break;
            }
            commas += 1;
        }
        if items.is_empty() {
            return Err(self.wrong("nothing in brackets"));
        }
        let single = if commas == 0 { items.pop() } else { None };
        let slice = match single {
            Some(Expr::Starred(_)) => self.since(from),
            Some(item) => item,
            None => Expr::Tuple(items),
        };
        self.expect("]")?;
        Ok(slice)
    }

    /// The arguments of a call, after its opening bracket.
    pub(super) fn arguments(&mut self) -> Parsed<Vec<Argument>> {
        let mut arguments = Vec::new();
        let (mut named, mut unpacked) = (false, false);
        while !self.take(")") {
            if self.take("**") {
                arguments.push(Argument::Unpacked(self.expression()?));
                unpacked = true;
            } else if matches!(self.peek(), Some(TokenKind::Name(_))) && self.is_operator_at(1, "=") {
                let name = self.argument_name()?;
                self.at += 1;
                arguments.push(Argument::Keyword(name, self.expression()?));
                named = true;
            } else {
                let from = self.at;
                let value = self.starred()?;
                let star = matches!(value, Expr::Starred(_));
                if unpacked || (named && !star) {
                    return Err(self.wrong("an argument by position after one by name"));
                }
                if self.starts_comprehension() {
                    self.comprehension()?;
                    if star || !arguments.is_empty() || !self.is_operator_at(0, ")") {
                        return Err(self.wrong("a generator among other arguments"));
                    }
                    arguments.push(Argument::Positional(self.since(from)));
                } else {
                    arguments.push(Argument::Positional(value));
                }
            }
            if !self.take(",") && !self.is_operator_at(0, ")") {
                return Err(self.wrong("no comma between arguments"));
            }
        }
        Ok(arguments)
    }

    /// A keyword of the language is no name in Python, so the reference refuses it, and yet functions have such parameters.
    fn argument_name(&mut self) -> Parsed<String> {
        match (self.rules, self.peek()) {
            (Rules::Fixed, Some(TokenKind::Name(name))) => {
                let name = (*name).to_owned();
                self.at += 1;
                Ok(name)
            }
            _ => self.name(),
        }
    }

    fn starts_comprehension(&self) -> bool {
        self.is_word_at(0, "for") || (self.is_word_at(0, "async") && self.is_word_at(1, "for"))
    }

    /// What follows the element of a comprehension.
    fn comprehension(&mut self) -> Parsed<()> {
        while self.starts_comprehension() {
            self.take_word("async");
            self.at += 1;
            loop {
                self.take("*");
                self.nested(|parser| parser.binary(BIT_OR))?;
                if !self.take(",") || self.is_word_at(0, "in") {
                    break;
                }
            }
            if !self.take_word("in") {
                return Err(self.wrong("no `in`"));
            }
            self.nested(|parser| parser.binary(OR))?;
            while self.take_word("if") {
                self.nested(|parser| parser.binary(OR))?;
            }
        }
        Ok(())
    }

    /// Text literals side by side, which are one text.
    pub(super) fn texts(&mut self, from: usize) -> Parsed<Expr> {
        self.at = from;
        let mut joined: Option<Value> = None;
        let (mut formatted, mut bytes, mut plain) = (false, false, false);
        loop {
            match self.peek() {
                Some(TokenKind::Formatted) => (formatted, plain) = (true, true),
                Some(TokenKind::Text(value)) => {
                    let next = value.clone();
                    match &next {
                        Value::Bytes(_) => bytes = true,
                        _ => plain = true,
                    }
                    joined = Some(match (joined, next) {
                        (Some(Value::Str(a)), Value::Str(b)) => Value::Str(a + &b),
                        (Some(Value::Bytes(a)), Value::Bytes(b)) => Value::Bytes([a, b].concat()),
                        (_, next) => next,
                    });
                }
                _ => break,
            }
            self.at += 1;
        }
        if bytes && plain {
            return Err(self.wrong("bytes beside a text"));
        }
        match joined {
            Some(value) if !formatted => Ok(Expr::Constant(value)),
            _ => Ok(self.since(from)),
        }
    }

    /// What is in parentheses, after the opening one.
    pub(super) fn group(&mut self, from: usize) -> Parsed<Expr> {
        if self.take(")") {
            return Ok(Expr::Tuple(Vec::new()));
        }
        if self.take_word("yield") {
            self.take_word("from");
            if !self.is_operator_at(0, ")") {
                self.expressions()?;
            }
            self.expect(")")?;
            return Ok(self.since(from));
        }
        let first = self.starred()?;
        if self.starts_comprehension() {
            self.comprehension()?;
            self.expect(")")?;
            return Ok(self.since(from));
        }
        if self.is_operator_at(0, ",") {
            let mut items = vec![first];
            while self.take(",") && !self.is_operator_at(0, ")") {
                items.push(self.starred()?);
            }
            self.expect(")")?;
            return Ok(Expr::Tuple(items));
        }
        self.expect(")")?;
        match first {
            Expr::Starred(_) => Err(self.wrong("a star outside of a list")),
            single => Ok(single),
        }
    }

    /// The items of a list or a set after the first one, up to a closing bracket, or a comprehension.
    pub(super) fn items(&mut self, first: Option<Expr>, closing: &str, from: usize) -> Parsed<Result<Expr, Vec<Expr>>> {
        let mut items = Vec::new();
        let mut next = first;
        while next.is_some() || !self.take(closing) {
            match next.take() {
                Some(item) => items.push(item),
                None => items.push(self.starred()?),
            }
            if items.len() == 1 && self.starts_comprehension() {
                self.comprehension()?;
                self.expect(closing)?;
                return Ok(Ok(self.since(from)));
            }
            if !self.take(",") && !self.is_operator_at(0, closing) {
                return Err(self.wrong("no comma between items"));
            }
        }
        Ok(Err(items))
    }

    /// What is in braces, after the opening one.
    pub(super) fn braces(&mut self, from: usize) -> Parsed<Expr> {
        if self.take("}") {
            return Ok(Expr::Dict(Vec::new()));
        }
        let mut key = None;
        if !self.is_operator_at(0, "**") {
            let first = self.starred()?;
            if !self.is_operator_at(0, ":") {
                return self.items(Some(first), "}", from).map(|items| items.unwrap_or_else(Expr::Set));
            }
            key = Some(first);
        }
        let mut entries = Vec::new();
        while key.is_some() || !self.take("}") {
            if key.is_none() && self.take("**") {
                entries.push((None, self.nested(|parser| parser.binary(BIT_OR))?));
            } else {
                let key = match key.take() {
                    Some(key) => key,
                    None => self.expression()?,
                };
                self.expect(":")?;
                entries.push((Some(key), self.expression()?));
                if entries.len() == 1 && self.starts_comprehension() {
                    self.comprehension()?;
                    self.expect("}")?;
                    return Ok(self.since(from));
                }
            }
            if !self.take(",") && !self.is_operator_at(0, "}") {
                return Err(self.wrong("no comma between entries"));
            }
        }
        Ok(Expr::Dict(entries))
    }
}
