//! What a template says.

use super::value::Val;

/// A part of a template.
#[derive(Debug)]
pub(super) enum Node {
    /// A text as it is.
    Text(String),
    /// `{{ expression }}`.
    Output(Expr),
    /// `{% if %}`: conditions with what belongs to each, and what comes else.
    If(Vec<(Expr, Vec<Node>)>, Vec<Node>),
    /// `{% for %}`.
    For(Box<Loop>),
    /// `{% set name = expression %}`; several names take a list apart.
    Set(Vec<String>, Expr),
    /// `{% set name %}…{% endset %}`.
    Capture(String, Vec<Node>),
}

/// `{% for targets in list if condition %}…{% else %}…{% endfor %}`.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) targets: Vec<String>,
    pub(super) list: Expr,
    pub(super) condition: Option<Expr>,
    pub(super) body: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

/// An expression. What stands one behind the other is a list and no nesting, so that only brackets nest.
#[derive(Debug)]
pub(super) enum Expr {
    Value(Val),
    /// The text of a constant.
    Text(String),
    Name(String),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    /// A value and what is done with it, in order.
    Steps(Box<Expr>, Vec<Step>),
    /// Operators of one rank, from left to right.
    Chain(Box<Expr>, Vec<(Operator, Expr)>),
    /// Texts that are put together by `~`.
    Concat(Vec<Expr>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Positive(Box<Expr>),
    /// `first if condition else second`.
    If(Box<(Expr, Expr, Option<Expr>)>),
}

/// Something that is done with a value.
#[derive(Debug)]
pub(super) enum Step {
    /// `.name`.
    Attribute(String),
    /// `[expression]`.
    Item(Expr),
    /// `[start:stop:step]`.
    Slice([Option<Expr>; 3]),
    /// `.name(arguments)`.
    Method(String, Arguments),
    /// `(arguments)`.
    Call(Arguments),
    /// `|name(arguments)`.
    Filter(String, Arguments),
    /// `is name` or, with true, `is not name`.
    Test(String, bool),
}

/// Arguments of a call: those by position, then those by name.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) positional: Vec<Expr>,
    pub(super) named: Vec<(String, Expr)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    DivideDown,
    Remainder,
    Power,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}
