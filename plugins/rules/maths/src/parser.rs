//! Tokens to what they mean: expressions, and the sets, tuples, intervals, matrices and relations made of them.

use crate::lexer::{Token, tokens};

/// How deep brackets may nest.
const MOST_DEPTH: usize = 48;
/// How many parts may be tried; what begins like a tuple may have to be read again as a product.
const MOST_STEPS: usize = 20_000;
/// Longer than this, and it is not a result.
const MOST_BYTES: usize = 4096;

#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A number, and whether it was written with a decimal point.
    Number(f64, bool),
    Variable(String),
    Constant(Constant),
    Sum(Box<Self>, Box<Self>),
    Difference(Box<Self>, Box<Self>),
    Product(Box<Self>, Box<Self>),
    Quotient(Box<Self>, Box<Self>),
    Power(Box<Self>, Box<Self>),
    Negative(Box<Self>),
    Root(Box<Self>, Box<Self>),
    Call(String, Box<Self>),
    Logarithm(Box<Self>, Box<Self>),
    Absolute(Box<Self>),
    Factorial(Box<Self>),
    Binomial(Box<Self>, Box<Self>),
    /// A hundredth.
    Percent(Box<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constant {
    Pi,
    E,
    I,
    Infinity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    Equal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    NotEqual,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    Expr(Expr),
    /// `a = b < c`: the sides and what is between them.
    Chain(Vec<Expr>, Vec<Relation>),
    /// `(a, b)`, which is a point or an open interval.
    Tuple(Vec<Self>),
    /// `a, b`: results without an order, as far as anyone can tell.
    List(Vec<Self>),
    Set(Vec<Self>),
    Interval {
        low: Box<Self>,
        high: Box<Self>,
        closed: (bool, bool),
    },
    Union(Vec<Self>),
    Matrix(Vec<Vec<Expr>>),
    Text(String),
}

/// What `text` means; `None` where it is not understood.
pub fn meaning(text: &str) -> Option<Meaning> {
    if text.len() > MOST_BYTES {
        return None;
    }
    let tokens = tokens(text)?;
    if let Some(words) = words(&tokens) {
        return Some(Meaning::Text(words));
    }
    let (mut list, both_signs) = parsed(&tokens, true)?;
    if both_signs {
        list.extend(parsed(&tokens, false)?.0);
    }
    if list.len() == 1 { list.pop() } else { Some(Meaning::List(list)) }
}

/// All of `tokens`, with `\pm` read as one of its signs, and whether there is one.
fn parsed(tokens: &[Token], plus: bool) -> Option<(Vec<Meaning>, bool)> {
    let mut parser = Parser { tokens, at: 0, depth: 0, steps: 0, bars: 0, plus, both_signs: false };
    let list = parser.list()?;
    parser.units();
    (parser.at == tokens.len()).then_some((list, parser.both_signs))
}

/// Words and nothing else.
fn words(tokens: &[Token]) -> Option<String> {
    let mut words = String::new();
    let mut any = false;
    for token in tokens {
        match token {
            Token::Text(text) => {
                any = true;
                words.push_str(text);
            }
            Token::Letter(letter) => words.push_str(letter),
            Token::Sign('(' | ')' | '.' | ',' | '\'' | '-') => {}
            _ => return None,
        }
    }
    words.retain(|character| character.is_alphanumeric());
    any.then(|| words.to_lowercase())
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
    steps: usize,
    /// How many `|` are open.
    bars: usize,
    /// How `\pm` is read.
    plus: bool,
    /// A `\pm` was read.
    both_signs: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn sign(&mut self, sign: char) -> bool {
        let found = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(found);
        found
    }

    fn command(&mut self, name: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Command(command)) if command == name);
        self.at += usize::from(found);
        found
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.depth += 1;
        self.steps += 1;
        let parsed = if self.depth > MOST_DEPTH || self.steps > MOST_STEPS { None } else { parse(self) };
        self.depth -= 1;
        parsed
    }

    /// Words at the end are a unit.
    fn units(&mut self) {
        while matches!(self.peek(), Some(Token::Text(_) | Token::Sign('.' | ';'))) {
            self.at += 1;
            // An exponent of the unit.
            if self.sign('^') && self.peek().is_some() {
                self.at += 1;
            }
        }
    }

    fn list(&mut self) -> Option<Vec<Meaning>> {
        let mut items = vec![self.union()?];
        loop {
            self.units();
            if !self.sign(',') {
                return Some(items);
            }
            // An Oxford comma: `1, 2, and 3`.
            self.sign(',');
            items.push(self.union()?);
        }
    }

    fn union(&mut self) -> Option<Meaning> {
        let first = self.single()?;
        let mut parts = vec![first];
        while self.command("cup") {
            parts.push(self.single()?);
        }
        if parts.len() == 1 { parts.pop() } else { Some(Meaning::Union(parts)) }
    }

    fn single(&mut self) -> Option<Meaning> {
        let start = self.at;
        if let Some(group) = self.deeper(Self::group) {
            // `(1 + 2) x` begins like a tuple of one.
            let ends =
                matches!(self.peek(), None | Some(Token::Sign(',' | ')' | ']' | '}' | ';' | '.') | Token::Text(_)))
                    || matches!(self.peek(), Some(Token::Command(name)) if name == "cup" || name == "rbrace");
            if ends {
                return Some(group);
            }
        }
        self.at = start;
        if let Some(Token::Text(text)) = self.peek() {
            let text = text.clone();
            self.at += 1;
            return Some(Meaning::Text(text.to_lowercase().replace(' ', "")));
        }
        self.chain()
    }

    fn group(&mut self) -> Option<Meaning> {
        match self.peek()? {
            Token::Begin(_) => self.matrix(),
            Token::Command(name) if name == "emptyset" => {
                self.at += 1;
                Some(Meaning::Set(Vec::new()))
            }
            Token::Command(name) if name == "lbrace" => {
                self.at += 1;
                if self.command("rbrace") {
                    return Some(Meaning::Set(Vec::new()));
                }
                let items = self.list()?;
                self.command("rbrace").then_some(Meaning::Set(items))
            }
            Token::Sign(open @ ('(' | '[')) => {
                let open = *open;
                self.at += 1;
                let mut items = self.list()?;
                let close = if self.sign(')') {
                    ')'
                } else if self.sign(']') {
                    ']'
                } else {
                    return None;
                };
                match (open, close, items.len()) {
                    ('(', ')', 1) => items.pop(),
                    ('(', ')', _) | ('[', ']', 3..) => Some(Meaning::Tuple(items)),
                    (_, _, 2) => {
                        let (high, low) = (items.pop()?, items.pop()?);
                        let closed = (open == '[', close == ']');
                        Some(Meaning::Interval { low: Box::new(low), high: Box::new(high), closed })
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn matrix(&mut self) -> Option<Meaning> {
        let Some(Token::Begin(name)) = self.peek() else { return None };
        if !matches!(name.as_str(), "pmatrix" | "bmatrix" | "matrix" | "Bmatrix" | "vmatrix" | "smallmatrix" | "array")
        {
            return None;
        }
        self.at += 1;
        let mut rows = vec![Vec::new()];
        loop {
            if self.peek() == Some(&Token::End) {
                self.at += 1;
                rows.retain(|row| !row.is_empty());
                return Some(Meaning::Matrix(rows));
            }
            let row = rows.last_mut()?;
            row.push(self.deeper(Self::expr)?);
            if self.peek() == Some(&Token::Row) {
                self.at += 1;
                rows.push(Vec::new());
            } else if !self.sign('&') && self.peek() != Some(&Token::End) {
                return None;
            }
        }
    }

    fn chain(&mut self) -> Option<Meaning> {
        let mut sides = vec![self.expr()?];
        let mut relations = Vec::new();
        loop {
            if self.command("in") {
                return self.union();
            }
            let Some(relation) = self.relation() else { break };
            // `S = \{1, 2\}` and `x = (1, 2)`.
            if relation == Relation::Equal && sides.len() == 1 {
                let start = self.at;
                if let Some(meaning) = self.deeper(Self::union)
                    && !matches!(meaning, Meaning::Expr(_) | Meaning::Chain(..))
                {
                    return Some(meaning);
                }
                self.at = start;
            }
            relations.push(relation);
            sides.push(self.expr()?);
        }
        if relations.is_empty() { sides.pop().map(Meaning::Expr) } else { Some(Meaning::Chain(sides, relations)) }
    }

    fn relation(&mut self) -> Option<Relation> {
        let relation = match self.peek()? {
            Token::Sign('=') => Relation::Equal,
            Token::Sign('<') => Relation::Less,
            Token::Sign('>') => Relation::More,
            Token::Command(name) => match name.as_str() {
                "le" => Relation::LessOrEqual,
                "ge" => Relation::MoreOrEqual,
                "ne" => Relation::NotEqual,
                "approx" | "equiv" => Relation::Equal,
                _ => return None,
            },
            _ => return None,
        };
        self.at += 1;
        let or_equal = matches!(relation, Relation::Less | Relation::More) && self.sign('=');
        Some(match relation {
            Relation::Less if or_equal => Relation::LessOrEqual,
            Relation::More if or_equal => Relation::MoreOrEqual,
            relation => relation,
        })
    }

    fn expr(&mut self) -> Option<Expr> {
        let mut left = if self.command("pm") {
            self.both_signs = true;
            let term = self.term()?;
            if self.plus { term } else { Expr::Negative(Box::new(term)) }
        } else if self.sign('-') {
            Expr::Negative(Box::new(self.term()?))
        } else {
            self.sign('+');
            self.term()?
        };
        loop {
            let make = if self.sign('+') {
                Expr::Sum
            } else if self.sign('-') {
                Expr::Difference
            } else if self.command("pm") {
                self.both_signs = true;
                if self.plus { Expr::Sum } else { Expr::Difference }
            } else {
                return Some(left);
            };
            left = make(Box::new(left), Box::new(self.term()?));
        }
    }

    fn term(&mut self) -> Option<Expr> {
        let mut left = self.factor()?;
        loop {
            if self.sign('*') {
                left = Expr::Product(Box::new(left), Box::new(self.signed_factor()?));
            } else if self.sign('/') {
                left = Expr::Quotient(Box::new(left), Box::new(self.signed_factor()?));
            } else if self.begins_factor() {
                // `3\frac{1}{2}` is three and a half.
                let mixed = matches!(left, Expr::Number(_, false))
                    && matches!(self.peek(), Some(Token::Command(name)) if name == "frac")
                    && matches!(self.tokens.get(self.at.wrapping_sub(1)), Some(Token::Number(_)));
                let right = self.factor()?;
                let plain = matches!(&right, Expr::Quotient(above, below)
                    if matches!((above.as_ref(), below.as_ref()), (Expr::Number(..), Expr::Number(..))));
                let make = if mixed && plain { Expr::Sum } else { Expr::Product };
                left = make(Box::new(left), Box::new(right));
            } else {
                return Some(left);
            }
        }
    }

    fn signed_factor(&mut self) -> Option<Expr> {
        if self.sign('-') {
            return Some(Expr::Negative(Box::new(self.factor()?)));
        }
        self.factor()
    }

    fn begins_factor(&self) -> bool {
        match self.peek() {
            Some(Token::Number(_) | Token::Letter(_) | Token::Sign('(' | '{')) => true,
            Some(Token::Sign('|')) => self.bars == 0,
            Some(Token::Command(name)) => !matches!(
                name.as_str(),
                "le" | "ge"
                    | "ne"
                    | "cup"
                    | "cap"
                    | "in"
                    | "pm"
                    | "rbrace"
                    | "lbrace"
                    | "approx"
                    | "equiv"
                    | "emptyset"
                    | "to"
            ),
            _ => false,
        }
    }

    fn factor(&mut self) -> Option<Expr> {
        let mut base = self.deeper(Self::atom)?;
        loop {
            if self.sign('^') || self.double_star() {
                let exponent = self.deeper(Self::exponent)?;
                base = Expr::Power(Box::new(base), Box::new(exponent));
            } else if self.sign('!') {
                base = Expr::Factorial(Box::new(base));
            } else if self.sign('%') {
                base = Expr::Percent(Box::new(base));
            } else {
                return Some(base);
            }
        }
    }

    fn double_star(&mut self) -> bool {
        let found =
            self.tokens.get(self.at..).is_some_and(|rest| rest.starts_with(&[Token::Sign('*'), Token::Sign('*')]));
        self.at += if found { 2 } else { 0 };
        found
    }

    fn exponent(&mut self) -> Option<Expr> {
        if self.sign('-') {
            return Some(Expr::Negative(Box::new(self.deeper(Self::exponent)?)));
        }
        let base = self.argument()?;
        // Powers bind to the right.
        if self.sign('^') {
            let exponent = self.deeper(Self::exponent)?;
            return Some(Expr::Power(Box::new(base), Box::new(exponent)));
        }
        Some(base)
    }

    /// What a command takes: a group in braces, or one token. Of a number it is the first digit, as in `\frac12`.
    fn argument(&mut self) -> Option<Expr> {
        if self.sign('{') {
            let inside = self.expr()?;
            return self.sign('}').then_some(inside);
        }
        self.atom()
    }

    fn atom(&mut self) -> Option<Expr> {
        let token = self.peek()?.clone();
        self.at += 1;
        match token {
            Token::Number(digits) => Some(Expr::Number(digits.parse().ok()?, digits.contains('.'))),
            Token::Letter(name) => Some(match name.as_str() {
                "e" => Expr::Constant(Constant::E),
                "i" => Expr::Constant(Constant::I),
                _ => Expr::Variable(name),
            }),
            Token::Sign('(') => self.closed(')'),
            Token::Sign('[') => self.closed(']'),
            Token::Sign('{') => self.closed('}'),
            Token::Sign('|') => {
                self.bars += 1;
                let inside = self.expr();
                self.bars -= 1;
                let inside = inside?;
                self.sign('|').then(|| Expr::Absolute(Box::new(inside)))
            }
            Token::Command(name) => self.call(&name),
            _ => None,
        }
    }

    fn closed(&mut self, close: char) -> Option<Expr> {
        let bars = std::mem::take(&mut self.bars);
        let inside = self.expr();
        self.bars = bars;
        let inside = inside?;
        self.sign(close).then_some(inside)
    }

    fn call(&mut self, name: &str) -> Option<Expr> {
        match name {
            "pi" => Some(Expr::Constant(Constant::Pi)),
            "infty" => Some(Expr::Constant(Constant::Infinity)),
            "frac" | "binom" => {
                let (above, below) = self.two()?;
                let make = if name == "frac" { Expr::Quotient } else { Expr::Binomial };
                Some(make(Box::new(above), Box::new(below)))
            }
            "sqrt" => {
                let degree = if self.sign('[') { self.closed(']')? } else { Expr::Number(2.0, false) };
                let inside = self.argument()?;
                Some(Expr::Root(Box::new(inside), Box::new(degree)))
            }
            "log" if self.sign('_') => {
                let base = self.argument()?;
                Some(Expr::Logarithm(Box::new(base), Box::new(self.operand()?)))
            }
            "sin" | "cos" | "tan" | "cot" | "sec" | "csc" | "arcsin" | "arccos" | "arctan" | "sinh" | "cosh"
            | "tanh" | "ln" | "log" | "exp" => {
                let power = if self.sign('^') { Some(self.deeper(Self::exponent)?) } else { None };
                let call = Expr::Call(name.to_owned(), Box::new(self.operand()?));
                Some(match power {
                    None => call,
                    Some(power) => Expr::Power(Box::new(call), Box::new(power)),
                })
            }
            "alpha" | "beta" | "gamma" | "delta" | "epsilon" | "theta" | "lambda" | "mu" | "nu" | "phi" | "varphi"
            | "psi" | "rho" | "sigma" | "tau" | "omega" | "ell" | "Delta" | "Omega" => {
                Some(Expr::Variable(name.to_owned()))
            }
            _ => None,
        }
    }

    /// Both parts of a fraction. `\frac12` is a half, and the lexer has made one number of the digits.
    fn two(&mut self) -> Option<(Expr, Expr)> {
        if let Some(Token::Number(digits)) = self.peek().cloned()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.len() >= 2
        {
            self.at += 1;
            let part = |text: &str| text.parse().ok().map(|value| Expr::Number(value, false));
            return Some((part(&digits[..1])?, part(&digits[1..])?)).filter(|_| digits.len() == 2);
        }
        Some((self.argument()?, self.argument()?))
    }

    /// What a function is of: a group, or the factors up to the next sign.
    fn operand(&mut self) -> Option<Expr> {
        if matches!(self.peek(), Some(Token::Sign('(' | '{'))) {
            return self.deeper(Self::factor);
        }
        let mut product = self.deeper(Self::factor)?;
        while matches!(self.peek(), Some(Token::Number(_) | Token::Letter(_)))
            || matches!(self.peek(), Some(Token::Command(name)) if name == "pi")
        {
            product = Expr::Product(Box::new(product), Box::new(self.deeper(Self::factor)?));
        }
        Some(product)
    }
}
