//! Reading a schema: the shape of every keyword, where the resources and the named places are, the patterns.

use std::collections::{BTreeMap, BTreeSet};

use bench_scoring::python::{Flags, Regex};
use serde_json::Value;

use super::{Draft, Manner, Schema, uri};

/// What a keyword takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Schema,
    Schemas,
    SchemaMap,
    SchemaOrSchemas,
    Dependencies,
    Types,
    Number,
    Step,
    Count,
    Texts,
    TextsMap,
    Pattern,
    List,
    Truth,
    Text,
}

fn shape(keyword: &str, draft: Draft) -> Option<Shape> {
    let modern = draft >= Draft::Draft2019;
    Some(match keyword {
        "not" | "if" | "then" | "else" | "contains" | "additionalProperties" | "propertyNames" => Shape::Schema,
        "items" if draft == Draft::Draft2020 => Shape::Schema,
        "items" => Shape::SchemaOrSchemas,
        "additionalItems" if draft < Draft::Draft2020 => Shape::Schema,
        "unevaluatedItems" | "unevaluatedProperties" if modern => Shape::Schema,
        "prefixItems" if draft == Draft::Draft2020 => Shape::Schemas,
        "allOf" | "anyOf" | "oneOf" => Shape::Schemas,
        "properties" | "patternProperties" | "$defs" | "definitions" => Shape::SchemaMap,
        "dependentSchemas" if modern => Shape::SchemaMap,
        "dependentRequired" if modern => Shape::TextsMap,
        "dependencies" if !modern => Shape::Dependencies,
        "type" => Shape::Types,
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => Shape::Number,
        "multipleOf" => Shape::Step,
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => Shape::Count,
        "minContains" | "maxContains" if modern => Shape::Count,
        "required" => Shape::Texts,
        "pattern" => Shape::Pattern,
        "enum" => Shape::List,
        "uniqueItems" => Shape::Truth,
        "$ref" | "$id" | "$anchor" | "$dynamicAnchor" | "$dynamicRef" | "$recursiveRef" => Shape::Text,
        _ => return None,
    })
}

struct Reader {
    schema: Schema,
    seen: BTreeSet<String>,
    /// References that are still to be followed, with the address they are seen from.
    references: Vec<(String, String)>,
}

/// Reads a schema whose draft is known.
pub fn read(root: Value, draft: Draft, manner: Manner) -> Result<Schema, String> {
    let schema = Schema {
        root: Value::Null,
        draft,
        manner,
        resources: BTreeMap::from([(String::new(), String::new())]),
        anchors: BTreeMap::new(),
        dynamic: BTreeMap::new(),
        patterns: BTreeMap::new(),
    };
    let mut reader = Reader { schema, seen: BTreeSet::new(), references: Vec::new() };
    reader.visit(&root, "", "")?;
    reader.schema.root = root;
    while let Some((reference, base)) = reader.references.pop() {
        let (pointer, base) = reader.schema.resolve(&reference, &base)?;
        let base = base.to_owned();
        if let Some(place) = reader.schema.root.pointer(&pointer).filter(|_| !reader.seen.contains(&pointer)).cloned() {
            reader.visit(&place, &pointer, &base)?;
        }
    }
    Ok(reader.schema)
}

impl Reader {
    fn visit(&mut self, schema: &Value, pointer: &str, base: &str) -> Result<(), String> {
        self.seen.insert(pointer.to_owned());
        let keywords = match schema {
            Value::Bool(_) => return Ok(()),
            Value::Object(keywords) => keywords,
            _ => return Err(format!("`{pointer}` is neither an object nor a truth value")),
        };
        let alone = self.schema.draft == Draft::Seven && keywords.contains_key("$ref");
        let mut base = base.to_owned();
        if let Some(id) = keywords.get("$id").and_then(Value::as_str).filter(|_| !alone) {
            if let Some(name) = id.strip_prefix('#') {
                self.schema.anchors.insert(format!("{base}#{name}"), pointer.to_owned());
            } else {
                base = uri::join(&base, id);
                self.schema.resources.insert(base.clone(), pointer.to_owned());
            }
        }
        for keyword in ["$anchor", "$dynamicAnchor"] {
            if let Some(name) = keywords.get(keyword).and_then(Value::as_str) {
                self.schema.anchors.insert(format!("{base}#{name}"), pointer.to_owned());
                if keyword == "$dynamicAnchor" {
                    self.schema.dynamic.insert(format!("{base}#{name}"), pointer.to_owned());
                }
            }
        }
        for (keyword, value) in keywords {
            if let Some(shape) = shape(keyword, self.schema.draft) {
                let place = format!("{pointer}/{}", escaped(keyword));
                self.keyword(shape, keyword, value, &place, &base)?;
            }
        }
        Ok(())
    }

    fn keyword(&mut self, shape: Shape, keyword: &str, value: &Value, place: &str, base: &str) -> Result<(), String> {
        let is_texts = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        let fits = match (shape, value) {
            (Shape::Schema, _) => return self.visit(value, place, base),
            (Shape::SchemaOrSchemas, Value::Object(_) | Value::Bool(_)) => return self.visit(value, place, base),
            (Shape::Schemas | Shape::SchemaOrSchemas, Value::Array(list)) => {
                for (index, schema) in list.iter().enumerate() {
                    self.visit(schema, &format!("{place}/{index}"), base)?;
                }
                shape == Shape::SchemaOrSchemas || !list.is_empty()
            }
            (Shape::SchemaMap | Shape::Dependencies, Value::Object(map)) => {
                for (name, schema) in map {
                    if shape == Shape::Dependencies && is_texts(schema) {
                        continue;
                    }
                    if keyword == "patternProperties" {
                        self.pattern(name, place)?;
                    }
                    self.visit(schema, &format!("{place}/{}", escaped(name)), base)?;
                }
                true
            }
            (Shape::Types, Value::String(name)) => is_type(name),
            (Shape::Types, Value::Array(list)) => {
                !list.is_empty() && list.iter().all(|name| name.as_str().is_some_and(is_type))
            }
            (Shape::Step, Value::Number(step)) => step.as_f64().is_some_and(|step| step > 0.0),
            (Shape::Count, Value::Number(count)) => {
                count.as_f64().is_some_and(|count| count >= 0.0 && count.fract() == 0.0)
            }
            (Shape::Texts, list) => is_texts(list),
            (Shape::TextsMap, Value::Object(map)) => map.values().all(is_texts),
            (Shape::Pattern, Value::String(pattern)) => {
                self.pattern(pattern, place)?;
                true
            }
            (Shape::Text, Value::String(text)) => {
                if matches!(keyword, "$ref" | "$dynamicRef" | "$recursiveRef") {
                    self.references.push((text.clone(), base.to_owned()));
                }
                true
            }
            (Shape::Number, Value::Number(_)) | (Shape::List, Value::Array(_)) | (Shape::Truth, Value::Bool(_)) => true,
            _ => false,
        };
        if fits { Ok(()) } else { Err(format!("`{place}` has a value that the keyword does not take")) }
    }

    fn pattern(&mut self, pattern: &str, place: &str) -> Result<(), String> {
        if !self.schema.patterns.contains_key(pattern) {
            let regex = Regex::new(pattern, Flags::default()).map_err(|error| format!("`{place}`: {error}"))?;
            self.schema.patterns.insert(pattern.to_owned(), regex);
        }
        Ok(())
    }
}

fn is_type(name: &str) -> bool {
    matches!(name, "null" | "boolean" | "object" | "array" | "number" | "integer" | "string")
}

/// A key as a JSON pointer writes it.
pub fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
