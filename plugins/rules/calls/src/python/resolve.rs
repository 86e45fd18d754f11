//! From an expression to calls and values, as the reference's `resolve_ast_call` and `resolve_ast_by_type` do it.

use crate::call::Call;
use crate::python::ast::{Argument, Expr, Trailer, Unary};
use crate::python::eval::{eval, unary};
use crate::python::unparse::{unparse, unparse_primary};
use crate::rules::Rules;
use crate::value::{Dict, Value};

/// The calls of an expression that is a call, or a list, tuple or set of calls.
///
/// # Errors
/// What in it is no call, or has no value.
pub fn calls(expr: &Expr, rules: Rules) -> Result<Vec<Call>, String> {
    match expr {
        Expr::Primary(base, trailers) if matches!(trailers.last(), Some(Trailer::Call(_))) => {
            Ok(vec![call(base, trailers, rules)?])
        }
        Expr::List(items) | Expr::Tuple(items) | Expr::Set(items) => {
            let item = |item: &Expr| match item {
                Expr::Primary(base, trailers) => call(base, trailers, rules),
                _ => Err("an item that is no call".to_owned()),
            };
            items.iter().map(item).collect()
        }
        _ => Err("neither a call nor a list of calls".to_owned()),
    }
}

fn call(base: &Expr, trailers: &[Trailer], rules: Rules) -> Result<Call, String> {
    let Some((Trailer::Call(arguments), function)) = trailers.split_last() else {
        return Err("an item that is no call".to_owned());
    };
    let mut parts = Vec::new();
    let mut before = function;
    while let Some((Trailer::Attribute(name), rest)) = before.split_last() {
        parts.push(name.as_str());
        before = rest;
    }
    if let (Expr::Name(name), []) = (base, before) {
        parts.push(name);
    }
    parts.reverse();
    let mut named = Dict::default();
    for argument in arguments {
        let (name, value) = match argument {
            Argument::Keyword(name, value) => (Value::Str(name.clone()), value),
            Argument::Unpacked(value) => (Value::None, value),
            Argument::Positional(_) if rules == Rules::Fixed => return Err("an argument without a name".to_owned()),
            Argument::Positional(_) => continue,
        };
        if rules == Rules::Fixed && named.get(&name).is_some() {
            return Err(format!("two arguments of the name {}", name.repr()));
        }
        let value = self::value(value, rules)?;
        // Names of arguments are texts or `None`, so that they always are keys.
        _ = named.insert(name, value);
    }
    Ok(Call { name: Value::Str(parts.join(".")), arguments: Value::Dict(named) })
}

fn value(expr: &Expr, rules: Rules) -> Result<Value, String> {
    let all = |items: &[Expr]| items.iter().map(|item| value(item, rules)).collect::<Result<Vec<_>, _>>();
    match expr {
        Expr::Constant(constant) => Ok(constant.clone()),
        Expr::Ellipsis => Ok(Value::Str("...".to_owned())),
        Expr::Unary(operator, operand) => match (operand.as_ref(), rules) {
            // Whatever the operator is.
            (Expr::Constant(constant), Rules::Reference) => unary(Unary::Minus, constant),
            (_, Rules::Reference) => Err("an operator before what is no literal".to_owned()),
            (operand, Rules::Fixed) => unary(*operator, &eval(operand)?),
        },
        Expr::List(items) => all(items).map(Value::List),
        Expr::Tuple(items) => all(items).map(Value::Tuple),
        Expr::Dict(entries) => {
            let mut dict = Dict::default();
            for (key, entry) in entries {
                let key = key.as_ref().ok_or("a dictionary unpacked in another")?;
                if !dict.insert(value(key, rules)?, value(entry, rules)?) {
                    return Err("a key that cannot be one".to_owned());
                }
            }
            Ok(Value::Dict(dict))
        }
        Expr::Binary(..) => eval(expr),
        Expr::Name(name) => Ok(Value::Str(name.clone())),
        Expr::Primary(base, trailers) => primary(expr, base, trailers, rules),
        Expr::Set(_) | Expr::Starred(_) | Expr::Opaque(_) => Err("an expression that is no value".to_owned()),
    }
}

fn primary(expr: &Expr, base: &Expr, trailers: &[Trailer], rules: Rules) -> Result<Value, String> {
    match trailers.split_last() {
        Some((Trailer::Call(arguments), _)) => {
            if arguments.iter().all(|argument| matches!(argument, Argument::Positional(_))) {
                return Ok(Value::Str(unparse(expr)));
            }
            let call = call(base, trailers, rules)?;
            let mut dict = Dict::default();
            _ = dict.insert(call.name, call.arguments);
            Ok(Value::Dict(dict))
        }
        Some((Trailer::Subscript(slice), before)) => {
            let before = if before.is_empty() { unparse(base) } else { unparse_primary(base, before) };
            Ok(Value::Str(format!("{before}[{}]", unparse(slice))))
        }
        _ => Err("an attribute as a value".to_owned()),
    }
}

/// The value of a literal, as `ast.literal_eval` has it.
///
/// # Errors
/// What in it is no literal.
pub fn literal(expr: &Expr) -> Result<Value, String> {
    let all = |items: &[Expr]| items.iter().map(literal).collect::<Result<Vec<_>, _>>();
    match expr {
        Expr::Constant(constant) => Ok(constant.clone()),
        Expr::Ellipsis => Ok(Value::Other("ellipsis")),
        Expr::List(items) => all(items).map(Value::List),
        Expr::Tuple(items) => all(items).map(Value::Tuple),
        Expr::Set(items) => match all(items)?.iter().all(|item| item.key().is_some()) {
            true => Ok(Value::Other("set")),
            false => Err("an item that cannot be in a set".to_owned()),
        },
        Expr::Primary(base, trailers) => match (base.as_ref(), trailers.as_slice()) {
            (Expr::Name(name), [Trailer::Call(arguments)]) if name == "set" && arguments.is_empty() => {
                Ok(Value::Other("set"))
            }
            _ => Err("a call in a literal".to_owned()),
        },
        Expr::Dict(entries) => {
            let mut dict = Dict::default();
            for (key, entry) in entries {
                let key = key.as_ref().ok_or("a dictionary unpacked in another")?;
                if !dict.insert(literal(key)?, literal(entry)?) {
                    return Err("a key that cannot be one".to_owned());
                }
            }
            Ok(Value::Dict(dict))
        }
        Expr::Unary(Unary::Minus | Unary::Plus, operand) => match operand.as_ref() {
            Expr::Constant(Value::Int(_) | Value::Float(_) | Value::Complex(..)) => eval(expr),
            _ => Err("an operator in a literal".to_owned()),
        },
        Expr::Binary(_, rest) => match rest.as_slice() {
            [(_, Expr::Constant(Value::Complex(..)))] => eval(expr),
            _ => Err("an operator in a literal".to_owned()),
        },
        Expr::Unary(..) | Expr::Name(_) | Expr::Starred(_) | Expr::Opaque(_) => {
            Err("a literal that is none".to_owned())
        }
    }
}
