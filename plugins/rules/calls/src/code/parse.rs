//! A recogniser of expressions of Java and JavaScript. It is stricter than a compiler nowhere, and laxer in what is inside of
//! functions and classes, which no value needs.

use crate::code::lex::{Token, TokenKind, tokens};
use crate::code::{Dialect, Node, NodeKind};
use crate::rules::Rules;

/// Deepest nesting that is read.
const DEEPEST: usize = 60;

/// Most levels of nodes, which accesses and calls behind a value add to as well.
const HIGHEST: usize = 300;

/// Most accesses and calls behind one value.
const LONGEST: usize = 100;

const JAVA_WORDS: [&str; 46] = [
    "abstract",
    "assert",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "default",
    "do",
    "else",
    "enum",
    "extends",
    "final",
    "finally",
    "for",
    "goto",
    "if",
    "implements",
    "import",
    "instanceof",
    "int",
    "interface",
    "long",
    "native",
    "new",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "short",
    "static",
    "switch",
    "synchronized",
    "throw",
    "throws",
    "try",
    "void",
    "volatile",
    "while",
    "boolean",
    "byte",
    "char",
    "double",
    "float",
];
const JAVASCRIPT_WORDS: [&str; 30] = [
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "export",
    "extends",
    "finally",
    "for",
    "function",
    "if",
    "import",
    "in",
    "instanceof",
    "new",
    "return",
    "switch",
    "throw",
    "try",
    "typeof",
    "var",
    "void",
    "while",
    "with",
];
const BINARY: [&str; 23] = [
    "+", "-", "*", "/", "%", "**", "==", "===", "!=", "!==", "<", ">", "<=", ">=", "&&", "||", "??", "&", "|", "^",
    "<<", ">>", ">>>",
];
const ASSIGNMENTS: [&str; 15] =
    ["+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", ">>>=", "**=", "&&=", "||=", "??="];

pub(super) type Parsed = Result<Node, String>;

/// The expressions that a source consists of, as statements of their own.
///
/// The reference's parser repairs some sources that are broken: it takes a bracket or a semicolon for there where one is
/// missing. Which ones it repairs is a matter of its tables and of what it finds cheapest, and is not imitated: a source that is
/// broken is refused.
///
/// # Errors
/// What is no expression.
pub fn parse(source: &str, dialect: Dialect, rules: Rules) -> Result<Vec<Node>, String> {
    let mut parser = Parser { source, tokens: tokens(source, dialect)?, at: 0, depth: 0, dialect };
    let mut statements = Vec::new();
    while parser.at < parser.tokens.len() {
        if parser.take(";") {
            continue;
        }
        if rules == Rules::Fixed && !statements.is_empty() {
            return Err(parser.wrong("something after the call"));
        }
        let statement = parser.expression()?;
        let next = parser.tokens.get(parser.at);
        let separate = next.is_none_or(|next| next.first && dialect == Dialect::Javascript);
        if !separate && !parser.take(";") {
            return Err(parser.wrong("something after an expression"));
        }
        statements.push(statement);
    }
    Ok(statements)
}

/// A source on its way to a tree.
pub(super) struct Parser<'s> {
    pub(super) source: &'s str,
    pub(super) tokens: Vec<Token>,
    pub(super) at: usize,
    depth: usize,
    pub(super) dialect: Dialect,
}

/// A node of others.
pub(super) fn branch(kind: NodeKind, children: Vec<Node>) -> Node {
    let start = children.first().map_or(0, |child| child.start);
    let end = children.last().map_or(start, |child| child.end);
    let height = children.iter().map(|child| child.height).max().unwrap_or(0) + 1;
    Node { kind, start, end, children, height }
}

impl Parser<'_> {
    pub(super) fn wrong(&self, what: &str) -> String {
        format!("{what} at byte {}", self.tokens.get(self.at).map_or(self.source.len(), |token| token.start))
    }

    pub(super) fn word_at(&self, ahead: usize) -> Option<&str> {
        let token = self.tokens.get(self.at + ahead).filter(|token| token.kind == TokenKind::Word)?;
        self.source.get(token.start..token.end)
    }

    pub(super) fn is_at(&self, ahead: usize, wanted: &str) -> bool {
        let kind = self.tokens.get(self.at + ahead).map(|token| token.kind);
        matches!(kind, Some(TokenKind::Operator(operator)) if operator == wanted)
    }

    pub(super) fn is(&self, wanted: &str) -> bool {
        self.is_at(0, wanted)
    }

    fn take(&mut self, wanted: &str) -> bool {
        let there = self.is(wanted);
        self.at += usize::from(there);
        there
    }

    fn kind(&self) -> Option<TokenKind> {
        self.tokens.get(self.at).map(|token| token.kind)
    }

    /// The next token as a node.
    pub(super) fn token(&mut self, kind: NodeKind) -> Parsed {
        let token = *self.tokens.get(self.at).ok_or_else(|| self.wrong("no end of the expression"))?;
        self.at += 1;
        Ok(Node { kind, start: token.start, end: token.end, children: Vec::new(), height: 1 })
    }

    pub(super) fn operator(&mut self, wanted: &str) -> Parsed {
        if self.is(wanted) { self.token(NodeKind::Token) } else { Err(self.wrong(&format!("no `{wanted}`"))) }
    }

    pub(super) fn nested(&mut self, read: fn(&mut Self) -> Parsed) -> Parsed {
        if self.depth >= DEEPEST {
            return Err(self.wrong("nested too deeply"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        match result {
            Ok(node) if node.height > HIGHEST => Err(self.wrong("nested too deeply")),
            result => result,
        }
    }

    pub(super) fn expression(&mut self) -> Parsed {
        self.nested(|parser| {
            let left = parser.condition()?;
            let assignment = parser.is("=");
            if !assignment && !ASSIGNMENTS.iter().any(|operator| parser.is(operator)) {
                return Ok(left);
            }
            let assignable =
                |node: &Node| matches!(node.kind, NodeKind::Identifier | NodeKind::Access | NodeKind::ClassLiteral);
            let kind = match () {
                () if assignable(&left) && (assignment || parser.dialect == Dialect::Java) => NodeKind::Assignment,
                // An assignment can be the last operand of an operation.
                () if assignable(&left) || left.children.last().is_some_and(assignable) => NodeKind::Other,
                () => return Err(parser.wrong("a value on the left of an assignment")),
            };
            let operator = parser.token(NodeKind::Token)?;
            let right = parser.expression()?;
            Ok(branch(kind, vec![left, operator, right]))
        })
    }

    fn condition(&mut self) -> Parsed {
        let mut children = vec![self.unary()?];
        loop {
            let operator = BINARY.iter().any(|operator| self.is(operator))
                || self.word_at(0) == Some("instanceof")
                || (self.word_at(0) == Some("in") && self.dialect == Dialect::Javascript);
            if !operator {
                break;
            }
            let types = self.word_at(0) == Some("instanceof") && self.dialect == Dialect::Java;
            children.push(self.token(NodeKind::Token)?);
            children.push(if types { self.type_name()? } else { self.unary()? });
        }
        if self.is("?") {
            children.push(self.token(NodeKind::Token)?);
            children.push(self.expression()?);
            children.push(self.operator(":")?);
            children.push(self.expression()?);
        }
        Ok(single_or(children, NodeKind::Other))
    }

    pub(super) fn unary(&mut self) -> Parsed {
        let prefix = ["+", "-", "!", "~", "++", "--"].iter().any(|operator| self.is(operator))
            || (self.dialect == Dialect::Javascript
                && matches!(self.word_at(0), Some("typeof" | "void" | "delete" | "await")));
        if prefix {
            let operator = self.token(NodeKind::Token)?;
            let operand = self.nested(Self::unary)?;
            return Ok(branch(NodeKind::Other, vec![operator, operand]));
        }
        if self.dialect == Dialect::Java && self.is("(") && self.is_cast() {
            let mut children = vec![self.token(NodeKind::Token)?, self.type_name()?, self.operator(")")?];
            children.push(self.nested(Self::unary)?);
            return Ok(branch(NodeKind::Other, children));
        }
        self.postfix()
    }

    pub(super) fn postfix(&mut self) -> Parsed {
        let mut node = self.primary()?;
        for _ in 0..LONGEST {
            if self.is(".") || self.is("?.") {
                let dot = self.token(NodeKind::Token)?;
                let class = self.dialect == Dialect::Java && self.word_at(0) == Some("class");
                if self.word_at(0).is_none() {
                    return Err(self.wrong("no name after a dot"));
                }
                let kind = if class { NodeKind::ClassLiteral } else { NodeKind::Access };
                let name = self.token(NodeKind::Identifier)?;
                node = branch(kind, vec![node, dot, name]);
            } else if self.is("::") {
                let colons = self.token(NodeKind::Token)?;
                let name = self.token(NodeKind::Identifier)?;
                node = branch(NodeKind::Other, vec![node, colons, name]);
            } else if self.is("(") {
                let callee = self.dialect == Dialect::Javascript || callable(&node);
                if !callee {
                    return Err(self.wrong("a call of what is no name"));
                }
                let arguments = self.nested(Self::arguments)?;
                node = branch(NodeKind::Call, vec![node, arguments]);
            } else if self.is("[") {
                let open = self.token(NodeKind::Token)?;
                if self.dialect == Dialect::Java && self.is("]") {
                    let close = self.token(NodeKind::Token)?;
                    node = branch(NodeKind::Other, vec![node, open, close]);
                    continue;
                }
                let index = self.expression()?;
                let close = self.operator("]")?;
                node = branch(NodeKind::Access, vec![node, open, index, close]);
            } else if self.is("++") || self.is("--") || self.kind() == Some(TokenKind::Text('`')) {
                let operator = self.token(NodeKind::Token)?;
                node = branch(NodeKind::Other, vec![node, operator]);
            } else {
                return Ok(node);
            }
        }
        Err(self.wrong("too long a chain"))
    }

    pub(super) fn primary(&mut self) -> Parsed {
        let Some(token) = self.tokens.get(self.at).copied() else { return Err(self.wrong("no end of the expression")) };
        match token.kind {
            TokenKind::Number | TokenKind::Regex => self.token(NodeKind::Token),
            TokenKind::Text('\'') if self.dialect == Dialect::Java => self.token(NodeKind::Character),
            TokenKind::Text('`') => self.token(NodeKind::Token),
            TokenKind::Text(_) => self.token(NodeKind::Text),
            TokenKind::Word => self.word(),
            TokenKind::Operator("(") => self.nested(Self::parentheses),
            TokenKind::Operator("[") if self.dialect == Dialect::Javascript => self.nested(Self::array),
            TokenKind::Operator("{") if self.dialect == Dialect::Javascript => self.nested(Self::object),
            TokenKind::Operator(_) => Err(self.wrong("no value")),
        }
    }

    fn word(&mut self) -> Parsed {
        let word = self.word_at(0).unwrap_or_default().to_owned();
        let arrow = if self.dialect == Dialect::Java { "->" } else { "=>" };
        if self.is_at(1, arrow) {
            let name = self.token(NodeKind::Identifier)?;
            return self.function(vec![name]);
        }
        match (self.dialect, word.as_str()) {
            (_, "true") => self.token(NodeKind::True),
            (_, "false" | "null" | "this" | "super") => self.token(NodeKind::Token),
            (Dialect::Java, "new") => self.nested(Self::creation),
            (Dialect::Javascript, "new") => {
                let mut children = vec![self.token(NodeKind::Token)?, self.nested(Self::constructor)?];
                if self.is("(") {
                    children.push(self.nested(Self::arguments)?);
                }
                Ok(branch(NodeKind::Other, children))
            }
            (Dialect::Javascript, "async") if self.word_at(1) == Some("function") || self.is_at(1, "(") => {
                let word = self.token(NodeKind::Token)?;
                let value = self.nested(Self::primary)?;
                Ok(branch(NodeKind::Other, vec![word, value]))
            }
            (Dialect::Javascript, "function" | "class") => {
                let mut children = vec![self.token(NodeKind::Token)?];
                while self.at < self.tokens.len() && !self.is("{") {
                    children.push(if self.is("(") { self.balanced()? } else { self.token(NodeKind::Token)? });
                }
                children.push(self.balanced()?);
                Ok(branch(NodeKind::Other, children))
            }
            (Dialect::Java, word) if JAVA_WORDS.contains(&word) => {
                let primitive = self.is_at(1, ".") || self.is_at(1, "[") || self.is_at(1, "::");
                if primitive {
                    self.token(NodeKind::Token)
                } else {
                    Err(self.wrong("a keyword where a value should be"))
                }
            }
            (Dialect::Javascript, word) if JAVASCRIPT_WORDS.contains(&word) => {
                Err(self.wrong("a keyword where a value should be"))
            }
            _ => self.token(NodeKind::Identifier),
        }
    }

    /// What follows the parameters of a function without a name.
    pub(super) fn function(&mut self, mut children: Vec<Node>) -> Parsed {
        children.push(self.token(NodeKind::Token)?);
        children.push(if self.is("{") { self.balanced()? } else { self.expression()? });
        Ok(branch(NodeKind::Other, children))
    }
}

/// Can parentheses after it make a call in Java: does it end with a name?
fn callable(node: &Node) -> bool {
    match node.kind {
        NodeKind::Identifier => true,
        NodeKind::Access => matches!(node.children.as_slice(), [_, _, _]),
        _ => false,
    }
}

/// A single child as it is, or all of them as one node.
fn single_or(mut children: Vec<Node>, kind: NodeKind) -> Node {
    match (children.len(), children.pop()) {
        (1, Some(only)) => only,
        (_, Some(last)) => {
            children.push(last);
            branch(kind, children)
        }
        (_, None) => branch(kind, children),
    }
}
