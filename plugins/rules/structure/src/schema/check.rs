//! An instance against a schema.

use std::collections::BTreeSet;

use bench_scoring::python;
use serde_json::{Map, Number, Value};

use super::index::escaped;
use super::{Draft, Manner, Schema, Unchecked, Violation, number, uri};

/// How deep schemas may lead, references included, before it is taken for endless.
const MOST_DEPTH: usize = 160;
/// How many schemas may be looked at for one instance.
const MOST_STEPS: usize = 2_000_000;

/// Which parts of an instance a schema has spoken of.
#[derive(Debug, Default)]
struct Spoken {
    properties: BTreeSet<String>,
    items: BTreeSet<usize>,
}

impl Spoken {
    fn and(&mut self, other: Self) {
        self.properties.extend(other.properties);
        self.items.extend(other.items);
    }
}

enum Failure {
    Violation(Violation),
    Unchecked(Unchecked),
}

type Outcome = Result<Spoken, Failure>;

struct Check<'a> {
    schema: &'a Schema,
    /// Addresses of the resources on the way here, the outermost first.
    scope: Vec<&'a str>,
    /// Keys and positions on the way here.
    path: Vec<String>,
    depth: usize,
    steps: usize,
}

pub fn violation(schema: &Schema, instance: &Value) -> Result<Option<Violation>, Unchecked> {
    let mut check = Check { schema, scope: Vec::new(), path: Vec::new(), depth: 0, steps: 0 };
    match check.schema(&schema.root, "", instance) {
        Ok(_) => Ok(None),
        Err(Failure::Violation(violation)) => Ok(Some(violation)),
        Err(Failure::Unchecked(unchecked)) => Err(unchecked),
    }
}

impl<'a> Check<'a> {
    fn wrong<T>(&self, message: impl Into<String>) -> Result<T, Failure> {
        let path: String = self.path.iter().map(|part| format!("/{}", escaped(part))).collect();
        Err(Failure::Violation(Violation { path, message: message.into() }))
    }

    fn demand(&self, holds: bool, message: impl Fn() -> String) -> Result<(), Failure> {
        if holds { Ok(()) } else { self.wrong(message()) }
    }

    /// What became of a subschema, where a violation is no failure.
    fn tried(outcome: Outcome) -> Result<Option<Spoken>, Failure> {
        match outcome {
            Ok(spoken) => Ok(Some(spoken)),
            Err(Failure::Violation(_)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn try_schema(&mut self, schema: &'a Value, base: &'a str, instance: &Value) -> Result<Option<Spoken>, Failure> {
        let depth = self.path.len();
        let outcome = self.schema(schema, base, instance);
        self.path.truncate(depth);
        Self::tried(outcome)
    }

    fn schema(&mut self, schema: &'a Value, base: &'a str, instance: &Value) -> Outcome {
        self.steps += 1;
        if self.depth >= MOST_DEPTH || self.steps > MOST_STEPS {
            return Err(Failure::Unchecked(Unchecked::TooHard));
        }
        let keywords = match schema {
            Value::Bool(true) => return Ok(Spoken::default()),
            Value::Object(keywords) => keywords,
            _ => return self.wrong("nothing is allowed here"),
        };
        let mut base = base;
        let alone = self.schema.draft == Draft::Seven && keywords.contains_key("$ref");
        if let Some(id) = keywords.get("$id").and_then(Value::as_str).filter(|id| !alone && !id.starts_with('#'))
            && let Some((address, _)) = self.schema.resources.get_key_value(&uri::join(base, id))
        {
            base = address;
        }
        self.depth += 1;
        self.scope.push(base);
        let outcome =
            if alone { self.reference(keywords, base, instance) } else { self.keywords(keywords, base, instance) };
        self.scope.pop();
        self.depth -= 1;
        outcome
    }

    fn keywords(&mut self, keywords: &'a Map<String, Value>, base: &'a str, instance: &Value) -> Outcome {
        let mut spoken = self.reference(keywords, base, instance)?;
        self.any(keywords, instance)?;
        match instance {
            Value::Number(number) => self.number(keywords, number)?,
            Value::String(text) => self.text(keywords, text)?,
            Value::Array(items) => spoken.and(self.array(keywords, base, items)?),
            Value::Object(object) => spoken.and(self.object(keywords, base, object)?),
            Value::Null | Value::Bool(_) => {}
        }
        spoken.and(self.combined(keywords, base, instance)?);
        self.unevaluated(keywords, base, instance, &mut spoken)?;
        Ok(spoken)
    }

    fn reference(&mut self, keywords: &'a Map<String, Value>, base: &'a str, instance: &Value) -> Outcome {
        let mut spoken = Spoken::default();
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let Some(reference) = keywords.get(keyword).and_then(Value::as_str) else { continue };
            let bad = |message| Failure::Unchecked(Unchecked::Schema(message));
            let (mut pointer, mut target_base) = self.schema.resolve(reference, base).map_err(bad)?;
            if keyword == "$dynamicRef"
                && let Some((_, name)) = reference.split_once('#')
                && self.schema.dynamic.get(&format!("{target_base}#{name}")) == Some(&pointer)
            {
                let outermost =
                    self.scope.iter().find_map(|address| self.schema.dynamic.get(&format!("{address}#{name}")));
                pointer = outermost.unwrap_or(&pointer).clone();
                target_base = self.schema.base(&pointer);
            }
            if keyword == "$recursiveRef" {
                let root = |address: &str| self.schema.root.pointer(self.schema.resources.get(address)?);
                let recursive = |address: &str| {
                    root(address).and_then(|root| root.get("$recursiveAnchor")).and_then(Value::as_bool) == Some(true)
                };
                if recursive(target_base)
                    && let Some(outermost) = self.scope.iter().copied().find(|address| recursive(address))
                {
                    pointer = self.schema.resources.get(outermost).cloned().unwrap_or(pointer);
                    target_base = outermost;
                }
            }
            if let Some(target) = self.schema.root.pointer(&pointer) {
                spoken.and(self.schema(target, target_base, instance)?);
            }
        }
        Ok(spoken)
    }

    fn any(&self, keywords: &Map<String, Value>, instance: &Value) -> Result<(), Failure> {
        if let Some(types) = keywords.get("type") {
            let fits = |name: &Value| name.as_str().is_some_and(|name| is_a(instance, name));
            let holds = types.as_array().map_or_else(|| fits(types), |list| list.iter().any(fits));
            self.demand(holds, || format!("is not of type {types}"))?;
        }
        if let Some(list) = keywords.get("enum").and_then(Value::as_array) {
            self.demand(list.iter().any(|value| number::equal(value, instance)), || {
                "is not one of the values of `enum`".into()
            })?;
        }
        if let Some(value) = keywords.get("const") {
            self.demand(number::equal(value, instance), || "is not the value of `const`".into())?;
        }
        Ok(())
    }

    fn number(&self, keywords: &Map<String, Value>, value: &Number) -> Result<(), Failure> {
        let bound = |keyword: &str| match keywords.get(keyword) {
            Some(Value::Number(bound)) => Some((number::order(value, bound), bound)),
            _ => None,
        };
        if let Some((order, bound)) = bound("minimum") {
            self.demand(order.is_ge(), || format!("is less than {bound}"))?;
        }
        if let Some((order, bound)) = bound("maximum") {
            self.demand(order.is_le(), || format!("is more than {bound}"))?;
        }
        if let Some((order, bound)) = bound("exclusiveMinimum") {
            self.demand(order.is_gt(), || format!("is not more than {bound}"))?;
        }
        if let Some((order, bound)) = bound("exclusiveMaximum") {
            self.demand(order.is_lt(), || format!("is not less than {bound}"))?;
        }
        if let Some(Value::Number(step)) = keywords.get("multipleOf") {
            let holds = number::is_multiple(value, step, self.schema.manner);
            self.demand(holds, || format!("is not a multiple of {step}"))?;
        }
        Ok(())
    }

    fn text(&self, keywords: &Map<String, Value>, text: &str) -> Result<(), Failure> {
        self.count(keywords, python::len(text), ["minLength", "maxLength"], "characters")?;
        if let Some(pattern) = keywords.get("pattern").and_then(Value::as_str) {
            self.demand(self.is_match(pattern, text)?, || format!("does not match `{pattern}`"))?;
        }
        Ok(())
    }

    fn is_match(&self, pattern: &str, text: &str) -> Result<bool, Failure> {
        let Some(regex) = self.schema.patterns.get(pattern) else { return Ok(false) };
        regex.search(text).map(|found| found.is_some()).map_err(|_| Failure::Unchecked(Unchecked::TooHard))
    }

    fn count(&self, keywords: &Map<String, Value>, count: usize, limits: [&str; 2], of: &str) -> Result<(), Failure> {
        let [least, most] = limits.map(|keyword| keywords.get(keyword).and_then(Value::as_f64));
        self.demand(least.is_none_or(|least| count as f64 >= least), || format!("has too few {of}"))?;
        self.demand(most.is_none_or(|most| count as f64 <= most), || format!("has too many {of}"))
    }

    fn item(&mut self, schema: &'a Value, base: &'a str, index: usize, item: &Value) -> Result<(), Failure> {
        self.path.push(index.to_string());
        self.schema(schema, base, item)?;
        self.path.pop();
        Ok(())
    }

    fn array(&mut self, keywords: &'a Map<String, Value>, base: &'a str, items: &[Value]) -> Outcome {
        let mut spoken = Spoken::default();
        self.count(keywords, items.len(), ["minItems", "maxItems"], "items")?;
        if keywords.get("uniqueItems") == Some(&Value::Bool(true)) {
            for (index, item) in items.iter().enumerate() {
                self.steps += index / 16;
                if self.steps > MOST_STEPS {
                    return Err(Failure::Unchecked(Unchecked::TooHard));
                }
                let twice = items.iter().take(index).any(|before| number::equal(before, item));
                self.demand(!twice, || format!("has item {index} twice"))?;
            }
        }
        let (prefix, rest) = match (self.schema.draft, keywords.get("items")) {
            (Draft::Draft2020, rest) => (keywords.get("prefixItems"), rest),
            (_, Some(list @ Value::Array(_))) => (Some(list), keywords.get("additionalItems")),
            (_, rest) => (None, rest),
        };
        let prefix = prefix.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (index, (schema, item)) in prefix.iter().zip(items).enumerate() {
            self.item(schema, base, index, item)?;
            spoken.items.insert(index);
        }
        if let Some(schema) = rest {
            for (index, item) in items.iter().enumerate().skip(prefix.len()) {
                self.item(schema, base, index, item)?;
                spoken.items.insert(index);
            }
        }
        if let Some(schema) = keywords.get("contains") {
            let counts = self.schema.draft == Draft::Draft2020 || self.schema.manner == Manner::Reference;
            let mut found = 0;
            for (index, item) in items.iter().enumerate() {
                if self.try_schema(schema, base, item)?.is_some() {
                    found += 1;
                    if counts {
                        spoken.items.insert(index);
                    }
                }
            }
            let limit = |keyword: &str| {
                keywords.get(keyword).and_then(Value::as_f64).filter(|_| self.schema.draft > Draft::Seven)
            };
            let enough = f64::from(found) >= limit("minContains").unwrap_or(1.0);
            self.demand(enough, || "has too few of the items of `contains`".into())?;
            let not_too_many = limit("maxContains").is_none_or(|most| f64::from(found) <= most);
            self.demand(not_too_many, || "has too many of the items of `contains`".into())?;
        }
        Ok(spoken)
    }

    fn object(&mut self, keywords: &'a Map<String, Value>, base: &'a str, object: &Map<String, Value>) -> Outcome {
        let mut spoken = Spoken::default();
        self.count(keywords, object.len(), ["minProperties", "maxProperties"], "properties")?;
        self.required(keywords.get("required"), object)?;
        let properties = keywords.get("properties").and_then(Value::as_object);
        let patterns = keywords.get("patternProperties").and_then(Value::as_object);
        let others = keywords.get("additionalProperties");
        let names = keywords.get("propertyNames");
        for (name, value) in object {
            self.path.push(name.clone());
            let mut known = false;
            if let Some(schema) = properties.and_then(|properties| properties.get(name)) {
                self.schema(schema, base, value)?;
                known = true;
            }
            for (pattern, schema) in patterns.into_iter().flatten() {
                if self.is_match(pattern, name)? {
                    self.schema(schema, base, value)?;
                    known = true;
                }
            }
            if let Some(schema) = others.filter(|_| !known) {
                self.schema(schema, base, value)?;
                known = self.speaks_of(schema, name);
            }
            if let Some(schema) = names {
                self.schema(schema, base, &Value::String(name.clone()))?;
            }
            if known {
                spoken.properties.insert(name.clone());
            }
            self.path.pop();
        }
        for keyword in ["dependentRequired", "dependentSchemas", "dependencies"] {
            let current = (keyword == "dependencies") == (self.schema.draft == Draft::Seven);
            for (name, dependency) in
                keywords.get(keyword).and_then(Value::as_object).filter(|_| current).into_iter().flatten()
            {
                if !object.contains_key(name) {
                } else if dependency.is_array() {
                    self.required(Some(dependency), object)?;
                } else {
                    spoken.and(self.schema(dependency, base, &Value::Object(object.clone()))?);
                }
            }
        }
        Ok(spoken)
    }

    /// Whether a schema for all other properties counts as having spoken of one. The reference's code for draft 2019-09 looks for the
    /// property's name among the keywords of the schema instead.
    fn speaks_of(&self, schema: &Value, name: &str) -> bool {
        let quirk = self.schema.draft == Draft::Draft2019 && self.schema.manner == Manner::Reference;
        !quirk || !schema.is_object() || schema.get(name).is_some()
    }

    fn required(&self, names: Option<&Value>, object: &Map<String, Value>) -> Result<(), Failure> {
        for name in names.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            self.demand(object.contains_key(name), || format!("lacks `{name}`"))?;
        }
        Ok(())
    }

    fn combined(&mut self, keywords: &'a Map<String, Value>, base: &'a str, instance: &Value) -> Outcome {
        let mut spoken = Spoken::default();
        let list = |keyword: &str| keywords.get(keyword).and_then(Value::as_array);
        for schema in list("allOf").into_iter().flatten() {
            spoken.and(self.schema(schema, base, instance)?);
        }
        for (keyword, most) in [("anyOf", usize::MAX), ("oneOf", 1)] {
            let Some(schemas) = list(keyword) else { continue };
            let mut fitting = 0;
            for schema in schemas {
                if let Some(more) = self.try_schema(schema, base, instance)? {
                    fitting += 1;
                    spoken.and(more);
                }
            }
            self.demand((1..=most).contains(&fitting), || format!("fits {fitting} of the schemas of `{keyword}`"))?;
        }
        if let Some(schema) = keywords.get("not") {
            let fits = self.try_schema(schema, base, instance)?.is_some();
            self.demand(!fits, || "fits the schema of `not`".into())?;
        }
        if let Some(condition) = keywords.get("if") {
            let holds = self.try_schema(condition, base, instance)?;
            let branch = keywords.get(if holds.is_some() { "then" } else { "else" });
            spoken.and(holds.unwrap_or_default());
            if let Some(schema) = branch {
                spoken.and(self.schema(schema, base, instance)?);
            }
        }
        Ok(spoken)
    }

    fn unevaluated(
        &mut self,
        keywords: &'a Map<String, Value>,
        base: &'a str,
        instance: &Value,
        spoken: &mut Spoken,
    ) -> Result<(), Failure> {
        if self.schema.draft == Draft::Seven {
            return Ok(());
        }
        if let (Some(schema), Value::Object(object)) = (keywords.get("unevaluatedProperties"), instance) {
            for (name, value) in object {
                if !spoken.properties.contains(name) {
                    self.path.push(name.clone());
                    self.schema(schema, base, value)?;
                    self.path.pop();
                    if self.speaks_of(schema, name) {
                        spoken.properties.insert(name.clone());
                    }
                }
            }
        }
        if let (Some(schema), Value::Array(items)) = (keywords.get("unevaluatedItems"), instance) {
            for (index, item) in items.iter().enumerate() {
                if spoken.items.insert(index) {
                    self.item(schema, base, index, item)?;
                }
            }
        }
        Ok(())
    }
}

fn is_a(instance: &Value, name: &str) -> bool {
    match (name, instance) {
        ("integer", Value::Number(number)) => number::is_integer(number),
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("object", Value::Object(_))
        | ("array", Value::Array(_))
        | ("number", Value::Number(_))
        | ("string", Value::String(_)) => true,
        _ => false,
    }
}
