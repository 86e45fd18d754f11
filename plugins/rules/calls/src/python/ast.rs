//! What an expression of Python is made of, as far as calls need it.
//!
//! Chains of one precedence, and of what follows a primary, are flat: a long chain is a long list and no deep tree.

use crate::value::Value;

/// An expression.
#[derive(Debug, Clone)]
pub enum Expr {
    /// A literal, `True`, `False` or `None`.
    Constant(Value),
    /// `...`
    Ellipsis,
    /// A name.
    Name(String),
    /// What follows something: attributes, calls, subscripts; at least one.
    Primary(Box<Expr>, Vec<Trailer>),
    /// `[…]`
    List(Vec<Expr>),
    /// `(…,)`, or without parentheses.
    Tuple(Vec<Expr>),
    /// `{…}`
    Set(Vec<Expr>),
    /// `{…: …}`; an entry without a key is `**…`.
    Dict(Vec<(Option<Expr>, Expr)>),
    /// An operator before its operand.
    Unary(Unary, Box<Expr>),
    /// Operators of one precedence, from left to right.
    Binary(Box<Expr>, Vec<(Binary, Expr)>),
    /// `*…`
    Starred(Box<Expr>),
    /// What has no value here: its source. Comparisons, conditions, comprehensions, lambdas, formatted texts.
    Opaque(String),
}

/// What follows a primary.
#[derive(Debug, Clone)]
pub enum Trailer {
    /// `.name`
    Attribute(String),
    /// `(…)`
    Call(Vec<Argument>),
    /// `[…]`
    Subscript(Box<Expr>),
}

/// An argument of a call.
#[derive(Debug, Clone)]
pub enum Argument {
    /// By position, `*…` included.
    Positional(Expr),
    /// By name.
    Keyword(String, Expr),
    /// `**…`
    Unpacked(Expr),
}

/// An operator before its operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unary {
    /// `-`
    Minus,
    /// `+`
    Plus,
    /// `~`
    Invert,
    /// `not`
    Not,
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `//`
    FloorDivide,
    /// `%`
    Modulo,
    /// `@`
    MatrixMultiply,
    /// `**`
    Power,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
    /// `&`
    And,
    /// `^`
    Xor,
    /// `|`
    Or,
}

impl Binary {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Binary::Add => "+",
            Binary::Subtract => "-",
            Binary::Multiply => "*",
            Binary::Divide => "/",
            Binary::FloorDivide => "//",
            Binary::Modulo => "%",
            Binary::MatrixMultiply => "@",
            Binary::Power => "**",
            Binary::ShiftLeft => "<<",
            Binary::ShiftRight => ">>",
            Binary::And => "&",
            Binary::Xor => "^",
            Binary::Or => "|",
        }
    }
}
