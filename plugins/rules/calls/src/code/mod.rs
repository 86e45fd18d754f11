//! Calls written in Java or JavaScript, which the reference reads with tree-sitter: enough of both languages for expressions,
//! as a tree of nodes over the source.

mod brackets;
mod lex;
mod parse;

pub use parse::parse;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Java.
    Java,
    /// JavaScript.
    Javascript,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// A token that is nothing else of these.
    Token,
    /// A name.
    Identifier,
    /// `true`
    True,
    /// A text in double quotes, or in any quotes in JavaScript.
    Text,
    /// A character of Java.
    Character,
    /// A call: what is called, then the arguments.
    Call,
    /// Arguments in parentheses, which are tokens among the children.
    Arguments,
    /// The left side, `=`, the right side.
    Assignment,
    /// `a.b` or `a[0]`
    Access,
    /// `Name.class`
    ClassLiteral,
    /// `new T[]{…}`: the type and, where there is one, the initializer.
    ArrayCreation,
    /// `new T(…)`: the type, the arguments, and what else there is.
    ObjectCreation,
    /// Anything else, made of its children.
    Other,
}

/// A piece of source.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Byte at which it begins.
    pub start: usize,
    /// Byte after its last.
    pub end: usize,
    /// What it is made of.
    pub children: Vec<Node>,
    /// How many levels of nodes are in it.
    pub height: usize,
}
