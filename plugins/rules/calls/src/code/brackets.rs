//! What stands in brackets, and behind `new`.

use crate::code::lex::TokenKind;
use crate::code::parse::{Parsed, Parser, branch};
use crate::code::{Dialect, Node, NodeKind};

impl Parser<'_> {
    pub(super) fn arguments(&mut self) -> Parsed {
        let mut children = vec![self.operator("(")?];
        while !self.is(")") {
            if self.dialect == Dialect::Javascript && self.is("...") {
                let dots = self.token(NodeKind::Token)?;
                let value = self.expression()?;
                children.push(branch(NodeKind::Other, vec![dots, value]));
            } else {
                children.push(self.expression()?);
            }
            if self.is(",") {
                children.push(self.token(NodeKind::Token)?);
                if self.is(")") && self.dialect == Dialect::Java {
                    return Err(self.wrong("a comma before the end"));
                }
            } else if !self.is(")") {
                return Err(self.wrong("no comma between arguments"));
            }
        }
        children.push(self.token(NodeKind::Token)?);
        Ok(branch(NodeKind::Arguments, children))
    }

    pub(super) fn parentheses(&mut self) -> Parsed {
        let from = self.at;
        let parameters = self.balanced()?;
        let arrow = if self.dialect == Dialect::Java { "->" } else { "=>" };
        if self.is(arrow) {
            return self.function(vec![parameters]);
        }
        self.at = from;
        let mut children = vec![self.token(NodeKind::Token)?, self.expression()?];
        while self.dialect == Dialect::Javascript && self.is(",") {
            children.push(self.token(NodeKind::Token)?);
            children.push(self.expression()?);
        }
        children.push(self.operator(")")?);
        Ok(branch(NodeKind::Other, children))
    }

    pub(super) fn array(&mut self) -> Parsed {
        let mut children = vec![self.token(NodeKind::Token)?];
        while !self.is("]") {
            if self.is(",") || self.is("...") {
                children.push(self.token(NodeKind::Token)?);
                continue;
            }
            children.push(self.expression()?);
            if !self.is(",") && !self.is("]") {
                return Err(self.wrong("no comma between items"));
            }
        }
        children.push(self.token(NodeKind::Token)?);
        Ok(branch(NodeKind::Other, children))
    }

    pub(super) fn object(&mut self) -> Parsed {
        let mut children = vec![self.token(NodeKind::Token)?];
        while !self.is("}") {
            if self.is("...") {
                children.push(self.token(NodeKind::Token)?);
                children.push(self.expression()?);
            } else {
                while matches!(self.word_at(0), Some("get" | "set" | "async" | "static"))
                    && !["(", ":", ",", "}"].iter().any(|operator| self.is_at(1, operator))
                {
                    children.push(self.token(NodeKind::Token)?);
                }
                let key = self.tokens.get(self.at).map(|token| token.kind);
                let shorthand = key == Some(TokenKind::Word);
                children.push(match key {
                    Some(TokenKind::Operator("[")) => self.balanced()?,
                    Some(TokenKind::Word | TokenKind::Text('"' | '\'') | TokenKind::Number) => {
                        self.token(NodeKind::Token)?
                    }
                    _ => return Err(self.wrong("no key")),
                });
                if self.is("(") {
                    children.push(self.balanced()?);
                    children.push(self.balanced()?);
                } else if self.is(":") || (shorthand && self.is("=")) {
                    children.push(self.token(NodeKind::Token)?);
                    children.push(self.expression()?);
                } else if !shorthand {
                    return Err(self.wrong("a key without a value"));
                }
            }
            if self.is(",") {
                children.push(self.token(NodeKind::Token)?);
            } else if !self.is("}") {
                return Err(self.wrong("no comma between entries"));
            }
        }
        children.push(self.token(NodeKind::Token)?);
        Ok(branch(NodeKind::Other, children))
    }

    /// Everything from an opening bracket to the one that closes it.
    pub(super) fn balanced(&mut self) -> Parsed {
        let mut children = Vec::new();
        let mut open = Vec::new();
        loop {
            let token = self.tokens.get(self.at).copied().ok_or_else(|| self.wrong("no end of a bracket"))?;
            match token.kind {
                TokenKind::Operator(operator @ ("(" | "[" | "{")) => open.push(operator),
                TokenKind::Operator(operator @ (")" | "]" | "}")) => {
                    let opening = open.pop().unwrap_or_default();
                    if !matches!((opening, operator), ("(", ")") | ("[", "]") | ("{", "}")) {
                        return Err(self.wrong("a bracket that closes nothing"));
                    }
                }
                _ if open.is_empty() => return Err(self.wrong("no bracket")),
                _ => {}
            }
            children.push(self.token(NodeKind::Token)?);
            if open.is_empty() {
                return Ok(branch(NodeKind::Other, children));
            }
        }
    }

    /// A type of Java, with its arguments.
    pub(super) fn type_name(&mut self) -> Parsed {
        let mut children = Vec::new();
        loop {
            if self.word_at(0).is_none() {
                return Err(self.wrong("no type"));
            }
            children.push(self.token(NodeKind::Token)?);
            if self.is("<") {
                self.type_arguments(&mut children)?;
            }
            if !self.is(".") {
                break;
            }
            children.push(self.token(NodeKind::Token)?);
        }
        while self.is("[") && self.is_at(1, "]") {
            children.push(self.token(NodeKind::Token)?);
            children.push(self.token(NodeKind::Token)?);
        }
        Ok(branch(NodeKind::Other, children))
    }

    fn type_arguments(&mut self, children: &mut Vec<Node>) -> Result<(), String> {
        let mut open = 0_usize;
        loop {
            let token = self.tokens.get(self.at).copied().ok_or_else(|| self.wrong("no end of a type"))?;
            let close = match token.kind {
                TokenKind::Operator("<") => {
                    open += 1;
                    0
                }
                TokenKind::Operator(">") => 1,
                TokenKind::Operator(">>") => 2,
                TokenKind::Word | TokenKind::Operator("," | "." | "?" | "[" | "]" | "&") => 0,
                _ => return Err(self.wrong("no end of a type")),
            };
            open = open.checked_sub(close).ok_or_else(|| self.wrong("a bracket that closes nothing"))?;
            children.push(self.token(NodeKind::Token)?);
            if open == 0 {
                return Ok(());
            }
        }
    }

    /// What follows `new` in Java.
    pub(super) fn creation(&mut self) -> Parsed {
        let new = self.token(NodeKind::Token)?;
        let mut name = self.type_name()?;
        let dimensions = name.children.iter().rev().take_while(|child| self.is_bracket(child)).count();
        if dimensions > 0 {
            name.children.truncate(name.children.len() - dimensions);
            let name = branch(NodeKind::Other, name.children);
            let initializer = self.nested(Self::initializer)?;
            return Ok(branch(NodeKind::ArrayCreation, vec![new, name, initializer]));
        }
        if self.is("[") {
            // No initializer: the reference finds none and gives up.
            self.token(NodeKind::Token)?;
            self.expression()?;
            let close = self.operator("]")?;
            return Ok(branch(NodeKind::ArrayCreation, vec![new, name, close]));
        }
        let mut children = vec![new, name, self.nested(Self::arguments)?];
        if self.is("{") {
            children.push(self.balanced()?);
        }
        Ok(branch(NodeKind::ObjectCreation, children))
    }

    fn is_bracket(&self, node: &Node) -> bool {
        matches!(self.source.get(node.start..node.end), Some("[" | "]"))
    }

    /// The items of a new array.
    pub(super) fn initializer(&mut self) -> Parsed {
        let mut children = vec![self.operator("{")?];
        while !self.is("}") {
            children.push(if self.is("{") { self.nested(Self::initializer)? } else { self.expression()? });
            if self.is(",") {
                children.push(self.token(NodeKind::Token)?);
            } else if !self.is("}") {
                return Err(self.wrong("no comma between items"));
            }
        }
        children.push(self.token(NodeKind::Token)?);
        Ok(branch(NodeKind::Other, children))
    }

    /// Is what is in these parentheses a type, with an operand behind it?
    pub(super) fn is_cast(&self) -> bool {
        let mut ahead = 1;
        loop {
            let Some(token) = self.tokens.get(self.at + ahead) else { return false };
            match token.kind {
                TokenKind::Word | TokenKind::Operator("." | "<" | ">" | "," | "[" | "]" | "?" | ">>") => ahead += 1,
                TokenKind::Operator(")") if ahead > 1 => break,
                _ => return false,
            }
        }
        let after = self.tokens.get(self.at + ahead + 1).map(|token| token.kind);
        matches!(after, Some(TokenKind::Number | TokenKind::Text(_) | TokenKind::Operator("(" | "!" | "~")))
            || self.word_at(ahead + 1).is_some_and(|word| word != "instanceof")
    }

    /// What `new` of JavaScript makes: a value with its properties, before any arguments.
    pub(super) fn constructor(&mut self) -> Parsed {
        let mut node = self.primary()?;
        while self.is(".") {
            let dot = self.token(NodeKind::Token)?;
            if self.word_at(0).is_none() {
                return Err(self.wrong("no name after a dot"));
            }
            let name = self.token(NodeKind::Identifier)?;
            node = branch(NodeKind::Access, vec![node, dot, name]);
            if node.children.first().is_some_and(|child| child.end - child.start > 500) {
                return Err(self.wrong("too long a chain"));
            }
        }
        Ok(node)
    }
}
