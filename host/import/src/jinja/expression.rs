//! Words of an expression as a tree, by the ranks that operators have in Jinja.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::lexer::Token;
use super::syntax::{Arguments, Comparison, Expr, Operator, Step};
use super::value::Val;

/// Deepest nesting of brackets, `not`, signs and conditions.
const DEEPEST: usize = 48;

/// The words of one expression or tag.
pub(super) struct Words {
    tokens: Peekable<IntoIter<Token>>,
    depth: usize,
}

type Parsed = Result<Expr, String>;

impl Words {
    pub(super) fn new(tokens: Vec<Token>) -> Self {
        Self { tokens: tokens.into_iter().peekable(), depth: 0 }
    }

    pub(super) fn peek(&mut self) -> Option<&Token> {
        self.tokens.peek()
    }

    /// A name, which has to come.
    pub(super) fn name(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Name(name)) => Ok(name),
            other => Err(unexpected(other.as_ref(), "a name")),
        }
    }

    pub(super) fn take_name(&mut self, wanted: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Name(name) if name == wanted)).is_some()
    }

    pub(super) fn take_sign(&mut self, wanted: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Sign(sign) if *sign == wanted)).is_some()
    }

    fn sign(&mut self, wanted: &str) -> Result<(), String> {
        if self.take_sign(wanted) { Ok(()) } else { Err(unexpected(self.tokens.peek(), &format!("`{wanted}`"))) }
    }

    /// Nothing may come any more.
    pub(super) fn end(mut self) -> Result<(), String> {
        match self.tokens.next() {
            None => Ok(()),
            other => Err(unexpected(other.as_ref(), "the end")),
        }
    }

    /// One expression and nothing else.
    pub(super) fn whole(mut self) -> Parsed {
        let read = self.tuple()?;
        self.end()?;
        Ok(read)
    }

    /// An expression, or several between commas, which are a list.
    pub(super) fn tuple(&mut self) -> Parsed {
        let first = self.expression()?;
        if !matches!(self.tokens.peek(), Some(Token::Sign(","))) {
            return Ok(first);
        }
        let mut list = vec![first];
        while self.take_sign(",") {
            if matches!(self.tokens.peek(), None | Some(Token::Sign(")"))) {
                break;
            }
            list.push(self.expression()?);
        }
        Ok(Expr::List(list))
    }

    /// An expression.
    pub(super) fn expression(&mut self) -> Parsed {
        self.deeper(|words| {
            let mut branches = vec![words.either()?];
            let mut conditions = Vec::new();
            let mut otherwise = None;
            while words.take_name("if") {
                conditions.push(words.either()?);
                if !words.take_name("else") {
                    break;
                }
                branches.push(words.either()?);
            }
            if branches.len() > conditions.len() {
                otherwise = branches.pop();
            }
            if conditions.len() > DEEPEST {
                return Err(format!("syntax error: more than {DEEPEST} conditions"));
            }
            // From the last one to the first, since each stands in the `else` of the one before.
            for (branch, condition) in branches.into_iter().zip(conditions).rev() {
                otherwise = Some(Expr::If(Box::new((branch, condition, otherwise))));
            }
            otherwise.ok_or_else(|| "syntax error: an expression is missing".to_owned())
        })
    }

    /// An expression before an `if` that is not its own.
    pub(super) fn without_condition(&mut self) -> Parsed {
        let first = self.either()?;
        if !matches!(self.tokens.peek(), Some(Token::Sign(","))) {
            return Ok(first);
        }
        let mut list = vec![first];
        while self.take_sign(",") {
            list.push(self.either()?);
        }
        Ok(Expr::List(list))
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.depth >= DEEPEST {
            return Err(format!("syntax error: expressions are nested more than {DEEPEST} deep"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn either(&mut self) -> Parsed {
        let first = self.both()?;
        if !matches!(self.tokens.peek(), Some(Token::Name(name)) if name == "or") {
            return Ok(first);
        }
        let mut list = vec![first];
        while self.take_name("or") {
            list.push(self.both()?);
        }
        Ok(Expr::Or(list))
    }

    fn both(&mut self) -> Parsed {
        let first = self.negation()?;
        if !matches!(self.tokens.peek(), Some(Token::Name(name)) if name == "and") {
            return Ok(first);
        }
        let mut list = vec![first];
        while self.take_name("and") {
            list.push(self.negation()?);
        }
        Ok(Expr::And(list))
    }

    fn negation(&mut self) -> Parsed {
        if self.take_name("not") {
            return self.deeper(|words| Ok(Expr::Not(Box::new(words.negation()?))));
        }
        let first = self.sum()?;
        let mut rest = Vec::new();
        while let Some(comparison) = self.comparison()? {
            rest.push((comparison, self.sum()?));
        }
        Ok(if rest.is_empty() { first } else { Expr::Compare(Box::new(first), rest) })
    }

    fn comparison(&mut self) -> Result<Option<Comparison>, String> {
        let found = match self.tokens.peek() {
            Some(Token::Sign("==")) => Comparison::Equal,
            Some(Token::Sign("!=")) => Comparison::Unequal,
            Some(Token::Sign("<")) => Comparison::Less,
            Some(Token::Sign("<=")) => Comparison::LessOrEqual,
            Some(Token::Sign(">")) => Comparison::Greater,
            Some(Token::Sign(">=")) => Comparison::GreaterOrEqual,
            Some(Token::Name(name)) if name == "in" => Comparison::In,
            Some(Token::Name(name)) if name == "not" => {
                self.tokens.next();
                if !self.take_name("in") {
                    return Err("syntax error: `not` without `in`".to_owned());
                }
                return Ok(Some(Comparison::NotIn));
            }
            _ => return Ok(None),
        };
        self.tokens.next();
        Ok(Some(found))
    }

    fn chain(&mut self, operand: impl Fn(&mut Self) -> Parsed, operators: &[(&str, Operator)]) -> Parsed {
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Some((_, operator)) = operators.iter().find(|(sign, _)| self.take_sign(sign)) {
            rest.push((*operator, operand(self)?));
        }
        Ok(if rest.is_empty() { first } else { Expr::Chain(Box::new(first), rest) })
    }

    fn sum(&mut self) -> Parsed {
        self.chain(Self::concatenation, &[("+", Operator::Add), ("-", Operator::Subtract)])
    }

    fn concatenation(&mut self) -> Parsed {
        let first = self.product()?;
        if !matches!(self.tokens.peek(), Some(Token::Sign("~"))) {
            return Ok(first);
        }
        let mut list = vec![first];
        while self.take_sign("~") {
            list.push(self.product()?);
        }
        Ok(Expr::Concat(list))
    }

    fn product(&mut self) -> Parsed {
        let operators = [
            ("*", Operator::Multiply),
            ("//", Operator::DivideDown),
            ("/", Operator::Divide),
            ("%", Operator::Remainder),
        ];
        self.chain(Self::power, &operators)
    }

    fn power(&mut self) -> Parsed {
        self.chain(|words| words.signed(true), &[("**", Operator::Power)])
    }

    fn signed(&mut self, with_filters: bool) -> Parsed {
        let read = if self.take_sign("-") {
            self.deeper(|words| Ok(Expr::Negative(Box::new(words.signed(false)?))))?
        } else if self.take_sign("+") {
            self.deeper(|words| Ok(Expr::Positive(Box::new(words.signed(false)?))))?
        } else {
            self.primary()?
        };
        self.steps(read, with_filters)
    }

    fn primary(&mut self) -> Parsed {
        Ok(match self.tokens.next() {
            Some(Token::Name(name)) => match name.as_str() {
                "true" | "True" => Expr::Value(Val::Bool(true)),
                "false" | "False" => Expr::Value(Val::Bool(false)),
                "none" | "None" => Expr::Value(Val::None),
                "in" | "is" | "if" | "else" | "and" | "or" | "not" | "recursive" => {
                    return Err(format!("syntax error: `{name}` stands where a value should be"));
                }
                _ => Expr::Name(name),
            },
            Some(Token::Text(mut text)) => {
                // Texts that follow one another are one.
                while let Some(Token::Text(more)) = self.tokens.next_if(|token| matches!(token, Token::Text(_))) {
                    text.push_str(&more);
                }
                Expr::Text(text)
            }
            Some(Token::Int(number)) => Expr::Value(Val::Int(number)),
            Some(Token::Float(number)) => Expr::Value(Val::Float(number)),
            Some(Token::Sign("(")) => {
                if self.take_sign(")") {
                    return Ok(Expr::List(Vec::new()));
                }
                let read = self.tuple()?;
                self.sign(")")?;
                read
            }
            Some(Token::Sign("[")) => Expr::List(self.list("]")?),
            Some(Token::Sign("{")) => {
                let mut pairs = Vec::new();
                while !self.take_sign("}") {
                    let key = self.expression()?;
                    self.sign(":")?;
                    pairs.push((key, self.expression()?));
                    if !self.take_sign(",") {
                        self.sign("}")?;
                        break;
                    }
                }
                Expr::Map(pairs)
            }
            other => return Err(unexpected(other.as_ref(), "a value")),
        })
    }

    /// Expressions between commas, up to a bracket.
    fn list(&mut self, close: &str) -> Result<Vec<Expr>, String> {
        let mut list = Vec::new();
        while !self.take_sign(close) {
            list.push(self.expression()?);
            if !self.take_sign(",") {
                self.sign(close)?;
                break;
            }
        }
        Ok(list)
    }

    fn steps(&mut self, value: Expr, with_filters: bool) -> Parsed {
        let mut steps = Vec::new();
        loop {
            if self.take_sign(".") {
                steps.push(match self.tokens.next() {
                    Some(Token::Name(name)) if self.take_sign("(") => Step::Method(name, self.arguments()?),
                    Some(Token::Name(name)) => Step::Attribute(name),
                    Some(Token::Int(index)) => Step::Item(Expr::Value(Val::Int(index))),
                    other => return Err(unexpected(other.as_ref(), "a name")),
                });
            } else if self.take_sign("[") {
                steps.push(self.item()?);
            } else if self.take_sign("(") {
                steps.push(Step::Call(self.arguments()?));
            } else if with_filters && self.take_sign("|") {
                let name = self.name()?;
                let arguments = if self.take_sign("(") { self.arguments()? } else { Arguments::default() };
                steps.push(Step::Filter(name, arguments));
            } else if with_filters && self.take_name("is") {
                let negated = self.take_name("not");
                steps.push(Step::Test(self.name()?, negated));
            } else {
                return Ok(if steps.is_empty() { value } else { Expr::Steps(Box::new(value), steps) });
            }
        }
    }

    fn item(&mut self) -> Result<Step, String> {
        let mut bounds = [None, None, None];
        let mut colons = 0;
        loop {
            match self.tokens.peek() {
                Some(Token::Sign("]")) => {
                    self.tokens.next();
                    break;
                }
                Some(Token::Sign(":")) if colons < 2 => {
                    self.tokens.next();
                    colons += 1;
                }
                _ => match bounds.get_mut(colons) {
                    Some(bound @ None) => *bound = Some(self.expression()?),
                    _ => return Err(unexpected(self.tokens.peek(), "`]`")),
                },
            }
        }
        match (colons, bounds) {
            (0, [Some(index), ..]) => Ok(Step::Item(index)),
            (0, _) => Err("syntax error: `[]` without an index".to_owned()),
            (_, bounds) => Ok(Step::Slice(bounds)),
        }
    }

    fn arguments(&mut self) -> Result<Arguments, String> {
        let mut arguments = Arguments::default();
        while !self.take_sign(")") {
            let value = self.expression()?;
            if self.take_sign("=") {
                let Expr::Name(name) = value else { return Err("syntax error: `=` behind no name".to_owned()) };
                arguments.named.push((name, self.expression()?));
            } else if arguments.named.is_empty() {
                arguments.positional.push(value);
            } else {
                return Err("syntax error: an argument without a name stands behind one with a name".to_owned());
            }
            if !self.take_sign(",") {
                self.sign(")")?;
                break;
            }
        }
        Ok(arguments)
    }
}

fn unexpected(found: Option<&Token>, wanted: &str) -> String {
    let found = match found {
        None => "the end".to_owned(),
        Some(Token::Name(name)) => format!("`{name:.40}`"),
        Some(Token::Text(text)) => format!("the text {text:.40?}"),
        Some(Token::Int(number)) => format!("`{number}`"),
        Some(Token::Float(number)) => format!("`{number}`"),
        Some(Token::Sign(sign)) => format!("`{sign}`"),
    };
    format!("syntax error: {wanted} should stand where {found} is")
}
