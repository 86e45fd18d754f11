//! An expression as source, the way `ast.unparse` writes it.

use std::fmt::Write as _;

use crate::python::ast::{Argument, Binary, Expr, Trailer, Unary};
use crate::value::Value;

/// The source of an expression.
pub fn unparse(expr: &Expr) -> String {
    let mut out = String::new();
    write(expr, &mut out);
    out
}

/// The source of what stands before the last trailers of a primary.
pub fn unparse_primary(base: &Expr, trailers: &[Trailer]) -> String {
    let mut out = String::new();
    primary(base, trailers, &mut out);
    out
}

fn write(expr: &Expr, out: &mut String) {
    match expr {
        Expr::Constant(value) => constant(value, out),
        Expr::Ellipsis => out.push_str("..."),
        Expr::Name(name) | Expr::Opaque(name) => out.push_str(name),
        Expr::Primary(base, trailers) => primary(base, trailers, out),
        Expr::List(items) => list("[", items, "]", out),
        Expr::Tuple(items) if items.len() == 1 => list("(", items, ",)", out),
        Expr::Tuple(items) => list("(", items, ")", out),
        Expr::Set(items) => list("{", items, "}", out),
        Expr::Dict(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                match key {
                    Some(key) => {
                        write(key, out);
                        out.push_str(": ");
                    }
                    None => out.push_str("**"),
                }
                write(value, out);
            }
            out.push('}');
        }
        Expr::Unary(operator, operand) => {
            out.push_str(match operator {
                Unary::Minus => "-",
                Unary::Plus => "+",
                Unary::Invert => "~",
                Unary::Not => "not ",
            });
            operand_of(operand, strength(expr), out);
        }
        Expr::Binary(first, rest) => {
            // Powers bind to the right, everything else to the left.
            let own = strength(expr);
            let (left, right) = if own == POWER { (POWER + 1, UNARY) } else { (own, own + 1) };
            operand_of(first, left, out);
            for (operator, operand) in rest {
                _ = write!(out, " {} ", operator.symbol());
                operand_of(operand, right, out);
            }
        }
        Expr::Starred(inner) => {
            out.push('*');
            write(inner, out);
        }
    }
}

const OPAQUE: u8 = 0;
const NOT: u8 = 1;
const UNARY: u8 = 8;
const POWER: u8 = 9;
const ATOM: u8 = 11;

/// How strongly an expression holds together.
fn strength(expr: &Expr) -> u8 {
    match expr {
        Expr::Opaque(source) if source.ends_with(['"', '\'', ')', ']', '}']) && !source.contains(' ') => ATOM,
        Expr::Opaque(_) => OPAQUE,
        Expr::Unary(Unary::Not, _) => NOT,
        Expr::Unary(..) => UNARY,
        Expr::Binary(_, rest) => rest.first().map_or(OPAQUE, |(operator, _)| match operator {
            Binary::Or => 2,
            Binary::Xor => 3,
            Binary::And => 4,
            Binary::ShiftLeft | Binary::ShiftRight => 5,
            Binary::Add | Binary::Subtract => 6,
            Binary::Power => POWER,
            _ => 7,
        }),
        _ => ATOM,
    }
}

/// An operand, in parentheses where it would fall apart without.
fn operand_of(expr: &Expr, least: u8, out: &mut String) {
    let inner = strength(expr) < least;
    out.push_str(if inner { "(" } else { "" });
    write(expr, out);
    out.push_str(if inner { ")" } else { "" });
}

fn primary(base: &Expr, trailers: &[Trailer], out: &mut String) {
    operand_of(base, ATOM, out);
    for trailer in trailers {
        match trailer {
            Trailer::Attribute(name) => {
                out.push('.');
                out.push_str(name);
            }
            Trailer::Call(arguments) => {
                out.push('(');
                for (index, argument) in arguments.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    match argument {
                        Argument::Positional(value) => write(value, out),
                        Argument::Keyword(name, value) => {
                            out.push_str(name);
                            out.push('=');
                            write(value, out);
                        }
                        Argument::Unpacked(value) => {
                            out.push_str("**");
                            write(value, out);
                        }
                    }
                }
                out.push(')');
            }
            Trailer::Subscript(slice) => {
                out.push('[');
                match slice.as_ref() {
                    Expr::Tuple(items) if items.len() > 1 => list("", items, "", out),
                    slice => write(slice, out),
                }
                out.push(']');
            }
        }
    }
}

fn list(open: &str, items: &[Expr], close: &str, out: &mut String) {
    out.push_str(open);
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index > 0 { ", " } else { "" });
        write(item, out);
    }
    out.push_str(close);
}

fn constant(value: &Value, out: &mut String) {
    match value {
        Value::Float(number) if number.is_infinite() => out.push_str("1e309"),
        other => out.push_str(&other.repr()),
    }
}
