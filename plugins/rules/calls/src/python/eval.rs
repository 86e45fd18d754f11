//! Arithmetic between literals.
//!
//! The reference hands such an expression to `eval`, with all that Python can reach, so a model's answer can run code there.
//! Here it is computed, and anything but literals and operators has no value.

use num_bigint::{BigInt, Sign};

use crate::python::ast::{Binary, Expr, Unary};
use crate::value::{Dict, Value, whole};

/// Most bits of an integer, and most bytes or items of a sequence, that are computed.
const LARGEST: u64 = 1 << 16;

/// The value of an expression of literals.
///
/// # Errors
/// What has none.
pub fn eval(expr: &Expr) -> Result<Value, String> {
    match expr {
        Expr::Constant(value) => Ok(value.clone()),
        Expr::Unary(operator, operand) => unary(*operator, &eval(operand)?),
        Expr::Binary(first, rest) => {
            let mut left = eval(first)?;
            for (operator, right) in rest {
                left = binary(*operator, &left, &eval(right)?)?;
            }
            Ok(left)
        }
        Expr::List(items) => items.iter().map(eval).collect::<Result<_, _>>().map(Value::List),
        Expr::Tuple(items) => items.iter().map(eval).collect::<Result<_, _>>().map(Value::Tuple),
        Expr::Dict(entries) => {
            let mut dict = Dict::default();
            for (key, value) in entries {
                let key = key.as_ref().ok_or("a dictionary unpacked in arithmetic")?;
                if !dict.insert(eval(key)?, eval(value)?) {
                    return Err("a key that cannot be one".to_owned());
                }
            }
            Ok(Value::Dict(dict))
        }
        Expr::Ellipsis | Expr::Name(_) | Expr::Primary(..) | Expr::Set(_) | Expr::Starred(_) | Expr::Opaque(_) => {
            Err("arithmetic with what is no literal".to_owned())
        }
    }
}

/// An operator before a value, as Python means it.
///
/// # Errors
/// The value takes no such operator.
pub fn unary(operator: Unary, value: &Value) -> Result<Value, String> {
    if operator == Unary::Not {
        return Ok(Value::Bool(!truth(value)));
    }
    let result = match (operator, value) {
        (Unary::Minus, Value::Float(number)) => Value::Float(-number),
        (Unary::Plus, Value::Float(number)) => Value::Float(*number),
        (Unary::Minus, Value::Complex(real, imaginary)) => Value::Complex(-real, -imaginary),
        (Unary::Plus, Value::Complex(real, imaginary)) => Value::Complex(*real, *imaginary),
        (_, value) => {
            let number = value.as_integer().ok_or("an operator before what is no number")?;
            Value::Int(match operator {
                Unary::Minus => -number,
                Unary::Invert => !number,
                Unary::Plus | Unary::Not => number,
            })
        }
    };
    Ok(result)
}

fn truth(value: &Value) -> bool {
    match value {
        Value::None => false,
        Value::Bool(truth) => *truth,
        Value::Int(number) => number.sign() != Sign::NoSign,
        Value::Float(number) => *number != 0.0,
        Value::Complex(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
        Value::Str(text) => !text.is_empty(),
        Value::Bytes(bytes) => !bytes.is_empty(),
        Value::List(items) | Value::Tuple(items) => !items.is_empty(),
        Value::Dict(dict) => !dict.is_empty(),
        Value::Other(_) => true,
    }
}

fn binary(operator: Binary, left: &Value, right: &Value) -> Result<Value, String> {
    let unsupported = || format!("`{}` between values that take no such operator", operator.symbol());
    match (operator, left, right) {
        (Binary::Add, Value::Str(a), Value::Str(b)) => {
            bounded(a.len() + b.len()).map(|()| Value::Str(format!("{a}{b}")))
        }
        (Binary::Add, Value::List(a), Value::List(b)) => Ok(Value::List([a.as_slice(), b].concat())),
        (Binary::Add, Value::Tuple(a), Value::Tuple(b)) => Ok(Value::Tuple([a.as_slice(), b].concat())),
        (Binary::Multiply, Value::Str(_) | Value::List(_) | Value::Tuple(_), count) => {
            repeat(left, &count.as_integer().ok_or_else(unsupported)?)
        }
        (Binary::Multiply, count, Value::Str(_) | Value::List(_) | Value::Tuple(_)) => {
            repeat(right, &count.as_integer().ok_or_else(unsupported)?)
        }
        (Binary::And | Binary::Or | Binary::Xor, Value::Bool(a), Value::Bool(b)) => Ok(Value::Bool(match operator {
            Binary::And => a & b,
            Binary::Or => a | b,
            _ => a ^ b,
        })),
        _ => match (left.as_integer(), right.as_integer()) {
            (Some(a), Some(b)) => integers(operator, &a, &b),
            _ if matches!(left, Value::Complex(..)) || matches!(right, Value::Complex(..)) => {
                let (a, b) = (complex(left).ok_or_else(unsupported)?, complex(right).ok_or_else(unsupported)?);
                match operator {
                    Binary::Add => Ok(Value::Complex(a.0 + b.0, a.1 + b.1)),
                    Binary::Subtract => Ok(Value::Complex(a.0 - b.0, a.1 - b.1)),
                    _ => Err(unsupported()),
                }
            }
            _ => floats(operator, float(left).ok_or_else(unsupported)?, float(right).ok_or_else(unsupported)?),
        },
    }
}

fn bounded(size: usize) -> Result<(), String> {
    if u64::try_from(size).is_ok_and(|size| size <= LARGEST) { Ok(()) } else { Err("a value too large".to_owned()) }
}

fn repeat(value: &Value, count: &BigInt) -> Result<Value, String> {
    let count =
        if count.sign() == Sign::Minus { 0 } else { usize::try_from(count).map_err(|_| "a value too large")? };
    let length = match value {
        Value::Str(text) => text.len(),
        Value::List(items) | Value::Tuple(items) => items.len(),
        _ => 0,
    };
    bounded(length.saturating_mul(count))?;
    Ok(match value {
        Value::Str(text) => Value::Str(text.repeat(count)),
        Value::List(items) => Value::List(std::iter::repeat_n(items.clone(), count).flatten().collect()),
        Value::Tuple(items) => Value::Tuple(std::iter::repeat_n(items.clone(), count).flatten().collect()),
        other => other.clone(),
    })
}

/// An integer as a double; `None` where Python says that it is too large.
pub fn to_float(number: &BigInt) -> Option<f64> {
    number.to_string().parse().ok().filter(|number: &f64| number.is_finite())
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        other => to_float(&other.as_integer()?),
    }
}

fn complex(value: &Value) -> Option<(f64, f64)> {
    match value {
        Value::Complex(real, imaginary) => Some((*real, *imaginary)),
        other => float(other).map(|real| (real, 0.0)),
    }
}

/// Quotient and remainder, rounded down.
fn floored(a: &BigInt, b: &BigInt) -> (BigInt, BigInt) {
    let (quotient, remainder) = (a / b, a % b);
    if remainder.sign() != Sign::NoSign && remainder.sign() != b.sign() {
        (quotient - 1, remainder + b)
    } else {
        (quotient, remainder)
    }
}

fn integers(operator: Binary, a: &BigInt, b: &BigInt) -> Result<Value, String> {
    let zero = b.sign() == Sign::NoSign;
    let value = match operator {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide | Binary::FloorDivide | Binary::Modulo if zero => return Err("a division by zero".to_owned()),
        Binary::FloorDivide => floored(a, b).0,
        Binary::Modulo => floored(a, b).1,
        Binary::Divide => {
            let (a, b) = (to_float(a).ok_or("an integer too large")?, to_float(b).ok_or("an integer too large")?);
            return Ok(Value::Float(a / b));
        }
        Binary::Power if b.sign() == Sign::Minus => {
            let (a, b) = (to_float(a).ok_or("an integer too large")?, to_float(b).ok_or("an integer too large")?);
            return floats(Binary::Power, a, b);
        }
        Binary::Power => {
            let exponent = u32::try_from(b).map_err(|_| "an integer too large")?;
            if a.bits().saturating_mul(u64::from(exponent)) > LARGEST {
                return Err("an integer too large".to_owned());
            }
            a.pow(exponent)
        }
        Binary::ShiftLeft | Binary::ShiftRight => {
            let by = u64::try_from(b).ok().filter(|by| *by <= LARGEST).ok_or("a shift too far")?;
            if operator == Binary::ShiftLeft { a << by } else { a >> by }
        }
        Binary::And => a & b,
        Binary::Or => a | b,
        Binary::Xor => a ^ b,
        Binary::MatrixMultiply => return Err("`@` between numbers".to_owned()),
    };
    if value.bits() > LARGEST {
        return Err("an integer too large".to_owned());
    }
    Ok(Value::Int(value))
}

fn floats(operator: Binary, a: f64, b: f64) -> Result<Value, String> {
    let value = match operator {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide | Binary::FloorDivide | Binary::Modulo if b == 0.0 => {
            return Err("a division by zero".to_owned());
        }
        Binary::Divide => a / b,
        Binary::FloorDivide => libm::floor((a - modulo(a, b)) / b + 0.5),
        Binary::Modulo => modulo(a, b),
        Binary::Power => {
            if (a == 0.0 && b < 0.0) || (a < 0.0 && whole(b).is_none()) {
                return Err("a power that is no real number".to_owned());
            }
            libm::pow(a, b)
        }
        _ => return Err(format!("`{}` between floats", operator.symbol())),
    };
    if value.is_infinite() && a.is_finite() && b.is_finite() && operator == Binary::Power {
        return Err("a number too large".to_owned());
    }
    Ok(Value::Float(value))
}

fn modulo(a: f64, b: f64) -> f64 {
    let remainder = libm::fmod(a, b);
    if remainder != 0.0 && (remainder < 0.0) != (b < 0.0) { remainder + b } else { remainder }
}
