//! Calls written in JavaScript, whose values stay texts.

use crate::call::Call;
use crate::code::{Dialect, Node, NodeKind, parse};
use crate::java::is_separator;
use crate::rules::Rules;
use crate::value::{Dict, Value};

/// The first statement that is a call; `None` where there is none.
///
/// # Errors
/// The source is not JavaScript, or names an argument twice.
pub fn calls(source: &str, rules: Rules) -> Result<Option<Vec<Call>>, String> {
    let statements = parse(source, Dialect::Javascript, rules)?;
    let text = |node: &Node| source.get(node.start..node.end).unwrap_or_default();
    let Some(call) = statements.iter().find(|statement| statement.kind == NodeKind::Call) else { return Ok(None) };
    let [callee, arguments] = call.children.as_slice() else { return Ok(None) };
    let mut given = Dict::default();
    for argument in &arguments.children {
        let (name, value) = match (argument.kind, argument.children.as_slice()) {
            (NodeKind::Assignment, [name, _, value]) => (Value::Str(text(name).to_owned()), unquoted(text(value))),
            (NodeKind::Identifier | NodeKind::True, _) if rules == Rules::Reference => (Value::None, text(argument)),
            _ if is_separator(source, argument) => continue,
            _ if rules == Rules::Fixed => return Err("an argument without a name".to_owned()),
            _ => continue,
        };
        if given.get(&name).is_some() {
            return Err(format!("two arguments of the name {}", name.repr()));
        }
        // Names are texts or `None`.
        _ = given.insert(name, Value::Str(value.to_owned()));
    }
    Ok(Some(vec![Call { name: Value::Str(text(callee).to_owned()), arguments: Value::Dict(given) }]))
}

/// Without the quotes that it begins and ends with, whether or not they belong to each other.
pub fn unquoted(text: &str) -> &str {
    let within = |quote| text.strip_prefix(quote).map(|rest| rest.strip_suffix(quote).unwrap_or(rest));
    if text.starts_with('"') && text.ends_with('"') {
        return within('"').unwrap_or(text);
    }
    if text.starts_with('\'') && text.ends_with('\'') {
        return within('\'').unwrap_or(text);
    }
    text
}
