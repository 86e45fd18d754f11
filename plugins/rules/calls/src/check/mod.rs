//! Are these the calls that were wanted?

mod compare;
mod function;
mod types;

pub use function::Function;

use crate::call::Call;
use crate::rules::{Rules, Stop};
use crate::value::Value;

/// What functions are written for, which decides what their types are and how values arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// Values are values.
    Python,
    /// Values are texts, which the type of the parameter makes values of.
    Java,
    /// Values are texts, which the type of the parameter makes values of.
    Javascript,
}

/// How many calls are wanted, and of how many functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One call of the one function.
    Simple,
    /// One call of one of several functions.
    Multiple,
    /// Several calls in any order.
    Parallel,
}

/// What is wrong with calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The reference's name for it, such as `value_error:string`.
    pub kind: &'static str,
    /// In words.
    pub message: String,
}

impl Fault {
    /// A fault.
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// A check that found a fault, none, or could not be made.
pub type Checked = Result<Result<(), Fault>, Stop>;

/// How functions are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// What they are written for.
    pub language: Language,
    /// Whose rules apply.
    pub rules: Rules,
    /// The backend allows no dots in names, and underscores stand for them.
    pub underscores: bool,
}

/// A call that is wanted: the name, and what is accepted for each parameter.
#[derive(Debug, Clone)]
pub struct Wanted<'v> {
    /// The function's name.
    pub name: &'v str,
    /// Accepted values by parameter.
    pub accepted: &'v Value,
}

/// The calls that are wanted, from a reference of the form `[{"f": {"a": [1, 2]}}]`.
///
/// # Errors
/// The reference is of another form.
pub fn wanted(target: &Value) -> Result<Vec<Wanted<'_>>, Stop> {
    let wrong = |what: &str| Stop::Task(format!("the reference is {what}"));
    let items = target.as_list().ok_or_else(|| wrong("no list of calls"))?;
    let one = |item| {
        let (name, accepted) =
            Value::as_dict(item).and_then(|item| item.first()).ok_or_else(|| wrong("no list of calls"))?;
        let name = name.as_str().ok_or_else(|| wrong("no list of calls"))?;
        accepted.as_dict().ok_or_else(|| wrong("a call without parameters"))?;
        Ok(Wanted { name, accepted })
    };
    items.iter().map(one).collect()
}

/// Compares calls with those that are wanted.
///
/// # Errors
/// The comparison cannot be made.
pub fn check(functions: &[Function<'_>], calls: &[Call], wanted: &[Wanted<'_>], shape: Shape, terms: Terms) -> Checked {
    let count = |kind| Ok(Err(Fault::new(kind, format!("{} calls where {} are wanted", calls.len(), wanted.len()))));
    match shape {
        Shape::Simple => {
            let [call] = calls else { return count("simple_function_checker:wrong_count") };
            let function = functions.first().ok_or_else(|| Stop::Task("no function is described".to_owned()))?;
            let wanted = wanted.first().ok_or_else(|| Stop::Task("the reference has no call".to_owned()))?;
            function.check(call, wanted, terms)
        }
        Shape::Multiple => {
            if calls.len() != wanted.len() {
                return count("multiple_function_checker:wrong_count");
            }
            // Where several are wanted all the same, the reference looks at the first ones alone.
            let wanted = wanted.first().ok_or_else(|| Stop::Task("the reference has no call".to_owned()))?;
            let call = calls.first().ok_or_else(|| Stop::Task("the reference has no call".to_owned()))?;
            described(functions, wanted.name)?.check(call, wanted, terms)
        }
        Shape::Parallel if calls.len() != wanted.len() => count("parallel_function_checker_no_order:wrong_count"),
        Shape::Parallel if terms.rules == Rules::Fixed => assign(functions, calls, wanted, terms),
        Shape::Parallel => greedy(functions, calls, wanted, terms),
    }
}

fn described<'f, 'v>(functions: &'f [Function<'v>], name: &str) -> Result<&'f Function<'v>, Stop> {
    let found = functions.iter().find(|function| function.name == name);
    found.ok_or_else(|| Stop::Task(format!("the function `{name}` of the reference is not described")))
}

/// Each wanted call takes the first call that fits and is still free.
fn greedy(functions: &[Function<'_>], calls: &[Call], wanted: &[Wanted<'_>], terms: Terms) -> Checked {
    let mut free: Vec<&Call> = calls.iter().collect();
    for (index, wanted) in wanted.iter().enumerate() {
        let function = described(functions, wanted.name)?;
        let mut found = None;
        for (position, call) in free.iter().enumerate() {
            if function.check(call, wanted, terms)?.is_ok() {
                found = Some(position);
                break;
            }
        }
        match found {
            Some(position) => _ = free.remove(position),
            None => return Ok(Err(unmatched(index, wanted))),
        }
    }
    Ok(Ok(()))
}

fn unmatched(index: usize, wanted: &Wanted<'_>) -> Fault {
    let message = format!("no call fits the wanted call {} of `{}`", index + 1, wanted.name);
    Fault::new("parallel_function_checker_no_order:cannot_find_match", message)
}

/// Most calls that are compared each with each.
const MOST_CALLS: usize = 200;

/// Each wanted call gets a call of its own, if there is any way to do so.
fn assign(functions: &[Function<'_>], calls: &[Call], wanted: &[Wanted<'_>], terms: Terms) -> Checked {
    if calls.len() > MOST_CALLS {
        return Err(Stop::Task(format!("{} parallel calls, which is more than {MOST_CALLS}", calls.len())));
    }
    let mut fits = Vec::new();
    for wanted in wanted {
        let function = described(functions, wanted.name)?;
        let mut row = Vec::new();
        for (position, call) in calls.iter().enumerate() {
            if function.check(call, wanted, terms)?.is_ok() {
                row.push(position);
            }
        }
        fits.push(row);
    }
    let mut taken: Vec<Option<usize>> = vec![None; calls.len()];
    for (index, wanted) in wanted.iter().enumerate() {
        let mut seen = vec![false; calls.len()];
        if !augment(index, &fits, &mut taken, &mut seen) {
            return Ok(Err(unmatched(index, wanted)));
        }
    }
    Ok(Ok(()))
}

/// Finds a call for a wanted one, moving others to calls that fit them as well.
fn augment(index: usize, fits: &[Vec<usize>], taken: &mut [Option<usize>], seen: &mut [bool]) -> bool {
    for &position in fits.get(index).map_or(&[][..], Vec::as_slice) {
        if seen.get(position).copied().unwrap_or(true) {
            continue;
        }
        if let Some(seen) = seen.get_mut(position) {
            *seen = true;
        }
        let holder = taken.get(position).copied().flatten();
        if holder.is_none_or(|holder| augment(holder, fits, taken, seen)) {
            if let Some(place) = taken.get_mut(position) {
                *place = Some(index);
            }
            return true;
        }
    }
    false
}
