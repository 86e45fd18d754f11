//! Pieces of a template as a tree.

use std::vec::IntoIter;

use super::expression::Words;
use super::lexer::{Piece, Token, pieces};
use super::syntax::{Expr, Loop, Node};

/// Deepest nesting of tags.
const DEEPEST: usize = 32;

/// Reads a template.
pub(super) fn parse(template: &str) -> Result<Vec<Node>, String> {
    let mut parser = Parser { pieces: pieces(template)?.into_iter(), depth: 0 };
    let (nodes, end) = parser.nodes(&[])?;
    match end {
        None => Ok(nodes),
        Some((name, _)) => Err(format!("syntax error: `{name}` ends nothing")),
    }
}

struct Parser {
    pieces: IntoIter<Piece>,
    depth: usize,
}

/// The tag that ended a part, and its words.
type End = Option<(String, Words)>;

impl Parser {
    /// The nodes up to one of the tags `ends`.
    fn nodes(&mut self, ends: &[&str]) -> Result<(Vec<Node>, End), String> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            match piece {
                Piece::Text(text) => nodes.push(Node::Text(text)),
                Piece::Output(tokens) => nodes.push(Node::Output(Words::new(tokens).whole()?)),
                Piece::Tag(tokens) => {
                    let mut words = Words::new(tokens);
                    let name = words.name()?;
                    if ends.contains(&name.as_str()) {
                        return Ok((nodes, Some((name, words))));
                    }
                    if self.depth >= DEEPEST {
                        return Err(format!("syntax error: tags are nested more than {DEEPEST} deep"));
                    }
                    self.depth += 1;
                    nodes.push(self.tag(&name, words)?);
                    self.depth -= 1;
                }
            }
        }
        if ends.is_empty() {
            Ok((nodes, None))
        } else {
            Err(format!("syntax error: there is no `{}`", ends.join("` or `")))
        }
    }

    /// The nodes up to one of the tags `ends`, which has to come.
    fn body(&mut self, ends: &[&str]) -> Result<(Vec<Node>, String, Words), String> {
        match self.nodes(ends)? {
            (nodes, Some((name, words))) => Ok((nodes, name, words)),
            (_, None) => Err("syntax error: the template ends in a tag".to_owned()),
        }
    }

    fn tag(&mut self, name: &str, words: Words) -> Result<Node, String> {
        match name {
            "if" => self.condition(words),
            "for" => self.repeat(words),
            "set" => self.set(words),
            other => Err(format!("syntax error: the tag `{other}` is not known here")),
        }
    }

    fn condition(&mut self, words: Words) -> Result<Node, String> {
        let mut branches = Vec::new();
        let mut condition = words.whole()?;
        loop {
            let (body, name, words) = self.body(&["elif", "else", "endif"])?;
            branches.push((condition, body));
            match name.as_str() {
                "elif" => condition = words.whole()?,
                "else" => {
                    words.end()?;
                    let (otherwise, _, words) = self.body(&["endif"])?;
                    words.end()?;
                    return Ok(Node::If(branches, otherwise));
                }
                _ => {
                    words.end()?;
                    return Ok(Node::If(branches, Vec::new()));
                }
            }
        }
    }

    fn repeat(&mut self, mut words: Words) -> Result<Node, String> {
        let targets = targets(&mut words)?;
        if !words.take_name("in") {
            return Err("syntax error: `for` has no `in`".to_owned());
        }
        let list = words.without_condition()?;
        let condition = if words.take_name("if") { Some(words.expression()?) } else { None };
        words.end()?;
        let (body, name, words) = self.body(&["else", "endfor"])?;
        words.end()?;
        let mut otherwise = Vec::new();
        if name == "else" {
            let (nodes, _, words) = self.body(&["endfor"])?;
            words.end()?;
            otherwise = nodes;
        }
        Ok(Node::For(Box::new(Loop { targets, list, condition, body, otherwise })))
    }

    fn set(&mut self, mut words: Words) -> Result<Node, String> {
        let mut names = targets(&mut words)?;
        if words.take_sign("=") {
            let value: Expr = words.tuple()?;
            words.end()?;
            return Ok(Node::Set(names, value));
        }
        words.end()?;
        let (body, _, end) = self.body(&["endset"])?;
        end.end()?;
        match (names.pop(), names.is_empty()) {
            (Some(name), true) => Ok(Node::Capture(name, body)),
            _ => Err("syntax error: `set` without a value takes one name".to_owned()),
        }
    }
}

/// Names between commas, in parentheses or not.
fn targets(words: &mut Words) -> Result<Vec<String>, String> {
    let framed = words.take_sign("(");
    let mut names = vec![words.name()?];
    while words.take_sign(",") {
        if !matches!(words.peek(), Some(Token::Name(name)) if name != "in") {
            break;
        }
        names.push(words.name()?);
    }
    if framed && !words.take_sign(")") {
        return Err("syntax error: `)` is missing".to_owned());
    }
    if names.iter().any(|name| name == "loop") {
        return Err("syntax error: `loop` has its own meaning".to_owned());
    }
    Ok(names)
}
