//! Calls written in Java, whose values stay texts, as the reference puts them together from the nodes of its tree.

use crate::call::Call;
use crate::code::{Dialect, Node, NodeKind, parse};
use crate::rules::Rules;
use crate::value::{Dict, Value};

/// A call without a semicolon is no statement of Java. The reference's parser puts it in, unless it is cheaper to drop all of the
/// source, so that it refuses every call of fewer bytes than this.
const SHORTEST: usize = 11;

/// The first call of a source; `None` where there is none.
///
/// # Errors
/// The source is not Java, or names an argument twice.
pub fn calls(source: &str, rules: Rules) -> Result<Option<Vec<Call>>, String> {
    if rules == Rules::Reference && source.len() < SHORTEST && !source.contains(';') {
        return Err("a call too short to be worth a semicolon".to_owned());
    }
    let statements = parse(source, Dialect::Java, rules)?;
    let text = Text::new(source, rules);
    let Some(call) = statements.iter().find_map(first_call) else { return Ok(None) };
    let [callee, arguments] = call.children.as_slice() else { return Ok(None) };
    let name = match callee.children.as_slice() {
        [object, _, method] => format!("{}.{}", text.of(object), text.of(method)),
        _ => text.of(callee),
    };
    let mut given = Dict::default();
    for argument in &arguments.children {
        let (name, value) = match (argument.kind, argument.children.as_slice()) {
            (NodeKind::Assignment, [name, _, value]) => (Value::Str(text.of(name)), text.value(value, false)?),
            (NodeKind::Identifier | NodeKind::ClassLiteral, _) if rules == Rules::Reference => {
                (Value::None, text.of(argument))
            }
            _ if is_separator(source, argument) => continue,
            _ if rules == Rules::Fixed => return Err("an argument without a name".to_owned()),
            _ => continue,
        };
        if given.get(&name).is_some() {
            return Err(format!("two arguments of the name {}", name.repr()));
        }
        // Names are texts or `None`.
        _ = given.insert(name, Value::Str(value));
    }
    Ok(Some(vec![Call { name: Value::Str(name), arguments: Value::Dict(given) }]))
}

/// Is this what stands around and between arguments?
pub fn is_separator(source: &str, node: &Node) -> bool {
    matches!(source.get(node.start..node.end), Some("," | "(" | ")"))
}

fn first_call(node: &Node) -> Option<&Node> {
    if node.kind == NodeKind::Call { Some(node) } else { node.children.iter().find_map(first_call) }
}

/// The source of nodes.
struct Text<'s> {
    source: &'s str,
    /// The reference takes bytes for characters, which shifts all that comes after one that is not ASCII.
    chars: Option<Vec<char>>,
    rules: Rules,
}

impl<'s> Text<'s> {
    fn new(source: &'s str, rules: Rules) -> Self {
        let shifted = rules == Rules::Reference && !source.is_ascii();
        Self { source, chars: shifted.then(|| source.chars().collect()), rules }
    }

    fn of(&self, node: &Node) -> String {
        match &self.chars {
            None => self.source.get(node.start..node.end).unwrap_or_default().to_owned(),
            Some(chars) => {
                let end = node.end.min(chars.len());
                chars.get(node.start.min(end)..end).unwrap_or_default().iter().collect()
            }
        }
    }

    /// A value without blanks between its tokens, and a text alone without its quotes.
    fn value(&self, node: &Node, nested: bool) -> Result<String, String> {
        match (node.kind, node.children.as_slice()) {
            (NodeKind::Text | NodeKind::Character, _) => {
                let text = self.of(node);
                Ok(if nested { text } else { without_ends(&text) })
            }
            (NodeKind::Identifier | NodeKind::ClassLiteral | NodeKind::Call, _) => Ok(self.of(node)),
            (NodeKind::ArrayCreation, [_, name, initializer]) => {
                if initializer.kind == NodeKind::Token {
                    return Err("a new array without items".to_owned());
                }
                Ok(format!("new {}[]{}", self.value(name, true)?, self.value(initializer, true)?))
            }
            (NodeKind::ObjectCreation, [_, name, arguments, body @ ..]) => {
                let arguments = arguments.children.iter().filter(|node| !is_separator(self.source, node));
                let arguments = arguments.map(|node| self.value(node, true)).collect::<Result<Vec<_>, _>>()?.join(", ");
                // The reference leaves the body of an anonymous class out, and with it what fills a collection.
                let body = match self.rules {
                    Rules::Reference => String::new(),
                    Rules::Fixed => body.iter().map(|body| format!(" {}", self.of(body))).collect(),
                };
                Ok(format!("new {}({arguments}){body}", self.value(name, true)?))
            }
            (_, []) => Ok(self.of(node)),
            (_, children) => children.iter().map(|child| self.value(child, true)).collect(),
        }
    }
}

fn without_ends(text: &str) -> String {
    let mut chars = text.chars();
    chars.next();
    chars.next_back();
    chars.as_str().to_owned()
}
