//! Runs a template over a row.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::calls::{Given, filtered, method, range, tested};
use super::operators;
use super::room::Room;
use super::syntax::{Arguments, Expr, Loop, Node, Step};
use super::value::{Val, push};

/// One rendering of a template.
pub(super) struct Rendering<'r> {
    fields: &'r Map<String, Value>,
    /// Fields that were asked for, as values.
    asked: HashMap<&'r str, Val>,
    /// Names that the template set, the innermost ones last.
    scopes: Vec<Vec<(&'r str, Val)>>,
    room: Room,
}

impl<'r> Rendering<'r> {
    pub(super) fn new(fields: &'r Map<String, Value>) -> Self {
        Self { fields, asked: HashMap::new(), scopes: vec![Vec::new()], room: Room::new() }
    }

    /// Adds what the nodes write to a text.
    pub(super) fn write(&mut self, nodes: &'r [Node], out: &mut String) -> Result<(), String> {
        for node in nodes {
            self.room.step(1)?;
            match node {
                Node::Text(text) => push(out, text, &self.room)?,
                Node::Output(expression) => self.value(expression)?.write(out, &self.room)?,
                Node::If(branches, otherwise) => {
                    let mut chosen = otherwise;
                    for (condition, body) in branches {
                        if self.value(condition)?.truth()? {
                            chosen = body;
                            break;
                        }
                    }
                    self.write(chosen, out)?;
                }
                Node::For(repeat) => self.repeat(repeat, out)?,
                Node::Set(names, expression) => {
                    let value = self.value(expression)?;
                    self.assign(names, value)?;
                }
                Node::Capture(name, body) => {
                    let mut text = String::new();
                    self.scopes.push(Vec::new());
                    self.write(body, &mut text)?;
                    self.scopes.pop();
                    let text = Val::text(&text, &self.room)?;
                    self.bind(name, text)?;
                }
            }
        }
        Ok(())
    }

    fn bind(&mut self, name: &'r str, value: Val) -> Result<(), String> {
        let Some(scope) = self.scopes.last_mut() else { return Ok(()) };
        self.room.look(scope.len())?;
        match scope.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            // A scope has no more names than the template sets.
            None => scope.push((name, value)),
        }
        Ok(())
    }

    fn assign(&mut self, names: &'r [String], value: Val) -> Result<(), String> {
        if let [name] = names {
            return self.bind(name, value);
        }
        let values = value.elements(&self.room)?;
        if values.len() != names.len() {
            return Err(format!("{} names and {} values", names.len(), values.len()));
        }
        names.iter().zip(values).try_for_each(|(name, value)| self.bind(name, value))
    }

    fn repeat(&mut self, repeat: &'r Loop, out: &mut String) -> Result<(), String> {
        let mut values = self.value(&repeat.list)?.elements(&self.room)?;
        if let Some(condition) = &repeat.condition {
            let mut kept = Vec::new();
            for value in values {
                self.scopes.push(Vec::new());
                self.assign(&repeat.targets, value.clone())?;
                let keep = self.value(condition)?.truth()?;
                self.scopes.pop();
                if keep {
                    kept.push(value);
                }
            }
            values = kept;
        }
        if values.is_empty() {
            return self.write(&repeat.otherwise, out);
        }
        let count = values.len();
        for index in 0..count {
            let at = |index: Option<usize>, name: &str| {
                let found = index.and_then(|index| values.get(index)).cloned();
                found.unwrap_or_else(|| Val::Undefined(name.into()))
            };
            let facts =
                self.facts(index, count, at(index.checked_sub(1), "previtem"), at(Some(index + 1), "nextitem"))?;
            let value = at(Some(index), "item");
            self.scopes.push(Vec::new());
            self.bind("loop", facts)?;
            self.assign(&repeat.targets, value)?;
            self.write(&repeat.body, out)?;
            self.scopes.pop();
        }
        Ok(())
    }

    /// What `loop` is. It lives as long as its turn of the loop, so its bytes are not spent.
    fn facts(&self, index: usize, count: usize, before: Val, after: Val) -> Result<Val, String> {
        let number = |number: usize| Val::Int(number as i128);
        let facts = [
            ("index", number(index + 1)),
            ("index0", number(index)),
            ("first", Val::Bool(index == 0)),
            ("last", Val::Bool(index + 1 == count)),
            ("length", number(count)),
            ("revindex", number(count - index)),
            ("revindex0", number(count - index - 1)),
            ("previtem", before),
            ("nextitem", after),
        ];
        self.room.step(facts.len() as u64)?;
        Val::unspent_map(facts.into_iter().map(|(name, value)| (Val::Text(name.into()), value)).collect())
    }

    fn name(&mut self, name: &'r str) -> Result<Val, String> {
        for scope in self.scopes.iter().rev() {
            self.room.look(scope.len())?;
            if let Some((_, value)) = scope.iter().find(|(known, _)| *known == name) {
                return Ok(value.clone());
            }
        }
        if let Some(value) = self.asked.get(name) {
            return Ok(value.clone());
        }
        match self.fields.get(name) {
            Some(value) => {
                let value = Val::from_json(value, &self.room)?;
                self.asked.insert(name, value.clone());
                Ok(value)
            }
            None => Ok(Val::Undefined(name.into())),
        }
    }

    fn values(&mut self, list: &'r [Expr]) -> Result<Vec<Val>, String> {
        list.iter().map(|expression| self.value(expression)).collect()
    }

    /// The value of an expression.
    fn value(&mut self, mut expression: &'r Expr) -> Result<Val, String> {
        self.room.step(1)?;
        while let Expr::If(parts) = expression {
            let (first, condition, second) = &**parts;
            expression = match (self.value(condition)?.truth()?, second) {
                (true, _) => first,
                (false, Some(second)) => second,
                (false, None) => return Ok(Val::Undefined("the value of an `if` without `else`".into())),
            };
        }
        match expression {
            Expr::Value(value) => Ok(value.clone()),
            Expr::Text(text) => Val::text(text, &self.room),
            Expr::Name(name) => self.name(name),
            Expr::List(list) => {
                let values = self.values(list)?;
                Val::list(values, &self.room)
            }
            Expr::Map(pairs) => self.map(pairs),
            Expr::Steps(value, steps) => self.steps(value, steps),
            Expr::Chain(first, rest) => {
                let mut value = self.value(first)?;
                for (operator, operand) in rest {
                    let operand = self.value(operand)?;
                    value = operators::apply(*operator, &value, &operand, &self.room)?;
                }
                Ok(value)
            }
            Expr::Concat(list) => {
                let mut out = String::new();
                for expression in list {
                    self.value(expression)?.write(&mut out, &self.room)?;
                }
                Val::text(&out, &self.room)
            }
            Expr::Compare(first, rest) => {
                let mut left = self.value(first)?;
                for (comparison, operand) in rest {
                    let right = self.value(operand)?;
                    if !operators::compare(*comparison, &left, &right, &self.room)? {
                        return Ok(Val::Bool(false));
                    }
                    left = right;
                }
                Ok(Val::Bool(true))
            }
            Expr::And(list) => self.first_with(list, false),
            Expr::Or(list) => self.first_with(list, true),
            Expr::Not(inner) => Ok(Val::Bool(!self.value(inner)?.truth()?)),
            Expr::Negative(inner) => operators::negate(&self.value(inner)?),
            Expr::Positive(inner) => operators::plus(self.value(inner)?),
            // Taken apart above.
            Expr::If(_) => Err("an `if` without an end".to_owned()),
        }
    }

    /// The first value whose truth is `wanted`, or the last one.
    fn first_with(&mut self, list: &'r [Expr], wanted: bool) -> Result<Val, String> {
        let mut value = Val::None;
        for expression in list {
            value = self.value(expression)?;
            if value.truth()? == wanted {
                break;
            }
        }
        Ok(value)
    }

    fn map(&mut self, pairs: &'r [(Expr, Expr)]) -> Result<Val, String> {
        let mut made: Vec<(Val, Val)> = Vec::new();
        for (key, value) in pairs {
            let key = self.value(key)?.defined()?;
            if matches!(key, Val::List(_) | Val::Map(_)) {
                return Err(format!("a {} as a key", key.kind()));
            }
            let value = self.value(value)?;
            self.room.look(made.len())?;
            let mut known = None;
            for (index, (name, _)) in made.iter().enumerate() {
                if name.equals(&key, &self.room)? {
                    known = Some(index);
                }
            }
            match known.and_then(|index| made.get_mut(index)) {
                Some((_, old)) => *old = value,
                None => made.push((key, value)),
            }
        }
        Val::map(made, &self.room)
    }

    fn steps(&mut self, first: &'r Expr, steps: &'r [Step]) -> Result<Val, String> {
        // Functions are no values, so a name with a call behind it is looked at here.
        let (mut value, rest) = match (first, steps) {
            (Expr::Name(name), [Step::Call(arguments), rest @ ..]) => (self.function(name, arguments)?, rest),
            _ => (self.value(first)?, steps),
        };
        for step in rest {
            self.room.step(1)?;
            value = match step {
                Step::Attribute(name) => operators::attribute(&value, name, &self.room)?,
                Step::Item(index) => {
                    let index = self.value(index)?;
                    operators::item(&value, &index, &self.room)?
                }
                Step::Slice(bounds) => {
                    let mut numbers = [None, None, None];
                    for (number, bound) in numbers.iter_mut().zip(bounds) {
                        let Some(bound) = bound else { continue };
                        *number = match self.value(bound)? {
                            Val::None => None,
                            bound => Some(bound.int().ok_or("the bound of a slice is no whole number")?),
                        };
                    }
                    operators::slice(&value, numbers, &self.room)?
                }
                Step::Method(name, arguments) => {
                    let given = self.given(arguments)?;
                    match first {
                        Expr::Name(known) if known == "loop" && name == "cycle" => cycle(&value, given, &self.room)?,
                        _ => method(&value, name, given, &self.room)?,
                    }
                }
                Step::Call(_) => return Err(format!("a {} is no function", value.kind())),
                Step::Filter(name, arguments) => {
                    let given = self.given(arguments)?;
                    filtered(value, name, given, &self.room)?
                }
                Step::Test(name, negated) => Val::Bool(tested(&value, name)? != *negated),
            };
        }
        Ok(value)
    }

    fn given(&mut self, arguments: &'r Arguments) -> Result<Given, String> {
        let positional = self.values(&arguments.positional)?;
        let named = arguments.named.iter().map(|(name, value)| Ok((name.clone(), self.value(value)?)));
        let named = named.collect::<Result<_, String>>()?;
        Ok(Given::new(positional, named))
    }

    fn function(&mut self, name: &str, arguments: &'r Arguments) -> Result<Val, String> {
        let given = self.given(arguments)?;
        match name {
            "range" => range(given, &self.room),
            other => Err(format!("the function `{other}` is not known here")),
        }
    }
}

/// The argument whose turn it is in a loop.
fn cycle(facts: &Val, given: Given, room: &Room) -> Result<Val, String> {
    let values = given.all();
    let index = operators::attribute(facts, "index0", room)?.int().unwrap_or_default();
    let count = values.len().max(1) as i128;
    let chosen = usize::try_from(index % count).ok().and_then(|index| values.into_iter().nth(index));
    chosen.ok_or_else(|| "`cycle` without a value".to_owned())
}

/// A rendering's text.
pub(super) fn render(nodes: &[Node], fields: &Map<String, Value>) -> Result<String, String> {
    let mut out = String::new();
    Rendering::new(fields).write(nodes, &mut out)?;
    Ok(out)
}

/// A template that was read, for all rows.
pub(super) type Template = Rc<Vec<Node>>;
