//! Did an answer try to call something, though what it wrote cannot be read as a call?
//!
//! An answer that declines names no function with arguments, and has none of the marks in which models wrap calls.

use bench_scoring::python;

/// What models put around calls.
const MARKS: [&str; 12] = [
    "<tool_call",
    "<toolcall>",
    "<function=",
    "<function_call",
    "<functions>",
    "<invoke",
    "[tool_calls]",
    "<|tool_call",
    "<|python_tag|>",
    "<tool▁call",
    "functools[",
    "<|start_function_call",
];

/// Names of properties that hold the name of a function.
const PROPERTIES: [&str; 4] = ["\"name\"", "\"function\"", "'name'", "'function'"];

/// How far the first argument of a call is looked for.
const LONGEST: usize = 200;

/// Does a text try to call one of these functions, or anything in a way that is unmistakable?
pub fn is_attempt(answer: &str, functions: &[String]) -> bool {
    let lower = python::lower(answer);
    if MARKS.iter().any(|mark| lower.contains(mark)) {
        return true;
    }
    functions.iter().any(|name| !name.is_empty() && names(answer, name))
}

/// Is a function named the way a call does it: with arguments, as all there is, or as a property?
fn names(answer: &str, name: &str) -> bool {
    let called = |rest: &str| python::lstrip(rest).starts_with('(');
    let whole = python::strip_chars(answer, "`\n []");
    if whole.strip_prefix(name).is_some_and(called) && (whole.ends_with(')') || !whole.contains(')')) {
        return true;
    }
    answer.match_indices(name).any(|(at, _)| {
        let before = answer.get(..at).unwrap_or_default();
        let after = answer.get(at + name.len()..).unwrap_or_default();
        if before.ends_with(|char: char| char.is_alphanumeric() || char == '_') {
            return false;
        }
        if called(after) {
            // In prose a name may be followed by empty parentheses, and not by arguments.
            let inside = python::lstrip(after).chars().take(LONGEST).take_while(|char| !matches!(char, ')' | '\n'));
            return inside.into_iter().any(|char| matches!(char, '=' | ':'));
        }
        let quoted = before.ends_with(['"', '\'']) && after.starts_with(['"', '\'']);
        let property = python::rstrip(before.trim_end_matches(['"', '\'']));
        quoted && property.ends_with(':') && {
            let key = python::rstrip(property.trim_end_matches(':'));
            PROPERTIES.iter().any(|property| key.ends_with(property))
        }
    })
}
