//! What a component takes and gives, in words that two versions of it can be compared by. Types are compared by their structure, since a
//! component does not keep the names of all of them; interfaces by their names and the versions that are compatible with each other.

use std::collections::BTreeMap;
use std::fmt;

use bench_text::clean_name;
use semver::Version;
use wasmtime::Engine;
use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem};
use wasmtime::component::{Component, ResourceType, Type};

/// Most characters that are written of one item. The types of a component are bounded by its validation; this is for messages and memory.
const LONGEST: usize = 64 << 10;
/// Characters of either side that a message shows where they differ.
const SHOWN: usize = 80;

/// The items that a component takes and gives. A name is `INTERFACE@TRACK item`, where the track is what compatible versions share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    imports: BTreeMap<String, String>,
    exports: BTreeMap<String, String>,
}

/// Why a component cannot take the place of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incompatibility {
    /// It asks for something that the earlier one did without.
    NewImport(String),
    /// It asks for the same in another shape.
    ChangedImport(String, Difference),
    /// It no longer gives something.
    GoneExport(String),
    /// It gives the same in another shape.
    ChangedExport(String, Difference),
}

/// Two shapes of an item, from where they begin to differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The earlier one.
    pub before: String,
    /// The later one.
    pub after: String,
}

impl fmt::Display for Incompatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewImport(name) => write!(f, "it imports `{}`, which the earlier one does not", clean_name(name)),
            Self::ChangedImport(name, change) => {
                write!(f, "it imports `{name}` in another shape: {change}", name = clean_name(name))
            }
            Self::GoneExport(name) => write!(f, "it does not export `{}` any more", clean_name(name)),
            Self::ChangedExport(name, change) => {
                write!(f, "it exports `{name}` in another shape: {change}", name = clean_name(name))
            }
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` became `{}`", clean_name(&self.before), clean_name(&self.after))
    }
}

impl Interface {
    /// Reads the types of a component.
    pub(crate) fn of(component: &Component, engine: &Engine) -> Self {
        let kind = component.component_type();
        let mut reader = Reader { engine, resources: Vec::new() };
        let imports = reader.items(kind.imports(engine).map(|(name, item)| (name.to_owned(), item.ty)).collect());
        // What the host put in is no part of what a plugin offers.
        let own = kind.exports(engine).filter(|(name, _)| !name.starts_with(bench_meter::EXPORTS));
        let exports = reader.items(own.map(|(name, item)| (name.to_owned(), item.ty)).collect());
        Self { imports, exports }
    }

    /// Everything for which this is no compatible successor of `earlier`: a host that satisfies the earlier one has to satisfy this one, and
    /// whoever uses the earlier one has to be able to use this one. More exports and fewer imports are fine.
    #[must_use]
    pub fn incompatibilities(&self, earlier: &Self) -> Vec<Incompatibility> {
        let mut found = Vec::new();
        for (name, now) in &self.imports {
            match earlier.imports.get(name) {
                None => found.push(Incompatibility::NewImport(name.clone())),
                Some(before) if before != now => {
                    found.push(Incompatibility::ChangedImport(name.clone(), difference(before, now)));
                }
                Some(_) => {}
            }
        }
        for (name, before) in &earlier.exports {
            match self.exports.get(name) {
                None => found.push(Incompatibility::GoneExport(name.clone())),
                Some(now) if before != now => {
                    found.push(Incompatibility::ChangedExport(name.clone(), difference(before, now)));
                }
                Some(_) => {}
            }
        }
        found
    }
}

/// Two texts from a little before the place where they part.
fn difference(before: &str, after: &str) -> Difference {
    let same = before.chars().zip(after.chars()).take_while(|(one, other)| one == other).count().saturating_sub(20);
    let part = |text: &str| {
        let ahead = if same > 0 { "…" } else { "" };
        let shown: String = text.chars().skip(same).take(SHOWN).collect();
        let behind = if text.chars().nth(same + SHOWN).is_some() { "…" } else { "" };
        format!("{ahead}{shown}{behind}")
    };
    Difference { before: part(before), after: part(after) }
}

/// A name with the part of its version that compatible ones share: `a:b/c@0.1.7` is `a:b/c@0.1`, and `a:b/c@2.1.0` is `a:b/c@2`.
fn on_track(name: &str) -> String {
    let Some((interface, version)) = name.split_once('@') else { return name.to_owned() };
    match Version::parse(version) {
        Ok(version) if !version.pre.is_empty() => name.to_owned(),
        Ok(version) if version.major > 0 => format!("{interface}@{}", version.major),
        Ok(version) if version.minor > 0 => format!("{interface}@0.{}", version.minor),
        _ => name.to_owned(),
    }
}

struct Reader<'e> {
    engine: &'e Engine,
    /// Resources by the name under which they were first seen.
    resources: Vec<(ResourceType, String)>,
}

impl Reader<'_> {
    fn items(&mut self, named: Vec<(String, ComponentItem)>) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for (name, item) in named {
            let name = on_track(&name);
            match item {
                ComponentItem::ComponentInstance(instance) => self.instance(&name, &instance, &mut found),
                item => {
                    let text = self.item(&name, &item);
                    found.insert(name, text);
                }
            }
        }
        found
    }

    /// The instance itself, and each of its items.
    fn instance(&mut self, name: &str, instance: &ComponentInstance, found: &mut BTreeMap<String, String>) {
        found.insert(name.to_owned(), "interface".to_owned());
        let items: Vec<_> =
            instance.exports(self.engine).map(|(inner, item)| (format!("{name} {inner}"), item.ty)).collect();
        // Functions name resources that stand after them.
        for (inner, item) in &items {
            if let ComponentItem::Resource(resource) = item {
                self.know(resource, inner);
            }
        }
        for (inner, item) in items {
            let text = self.item(&inner, &item);
            found.insert(inner, text);
        }
    }

    fn know(&mut self, resource: &ResourceType, name: &str) {
        if !self.resources.iter().any(|(known, _)| known == resource) {
            self.resources.push((*resource, name.to_owned()));
        }
    }

    fn item(&mut self, name: &str, item: &ComponentItem) -> String {
        let mut text = String::new();
        match item {
            ComponentItem::ComponentFunc(function) => self.function(function, &mut text),
            ComponentItem::Type(kind) => self.kind(kind, &mut text),
            ComponentItem::Resource(resource) => {
                self.know(resource, name);
                text.push_str("resource");
            }
            ComponentItem::ComponentInstance(_) => text.push_str("interface"),
            ComponentItem::Component(_) => text.push_str("component"),
            ComponentItem::Module(_) => text.push_str("module"),
            ComponentItem::CoreFunc(_) => text.push_str("core function"),
        }
        text
    }

    fn function(&self, function: &ComponentFunc, text: &mut String) {
        text.push_str(if function.async_() { "async func" } else { "func" });
        self.named(function.params(), text);
        for result in function.results() {
            text.push_str(" -> ");
            self.kind(&result, text);
        }
    }

    fn named<'n>(&self, parts: impl Iterator<Item = (&'n str, Type)>, text: &mut String) {
        text.push('(');
        for (number, (name, kind)) in parts.enumerate() {
            text.push_str(if number > 0 { ", " } else { "" });
            text.push_str(name);
            text.push_str(": ");
            self.kind(&kind, text);
        }
        text.push(')');
    }

    fn several(&self, word: &str, parts: impl Iterator<Item = Option<Type>>, text: &mut String) {
        text.push_str(word);
        text.push('<');
        for (number, kind) in parts.enumerate() {
            text.push_str(if number > 0 { ", " } else { "" });
            match kind {
                Some(kind) => self.kind(&kind, text),
                None => text.push('_'),
            }
        }
        text.push('>');
    }

    fn handle(&self, word: &str, resource: &ResourceType, text: &mut String) {
        let known = self.resources.iter().find(|(known, _)| known == resource);
        text.push_str(&format!("{word}<{}>", known.map_or("resource", |(_, name)| name)));
    }

    fn kind(&self, kind: &Type, text: &mut String) {
        if text.len() > LONGEST {
            return;
        }
        match kind {
            Type::Bool => text.push_str("bool"),
            Type::S8 => text.push_str("s8"),
            Type::U8 => text.push_str("u8"),
            Type::S16 => text.push_str("s16"),
            Type::U16 => text.push_str("u16"),
            Type::S32 => text.push_str("s32"),
            Type::U32 => text.push_str("u32"),
            Type::S64 => text.push_str("s64"),
            Type::U64 => text.push_str("u64"),
            Type::Float32 => text.push_str("f32"),
            Type::Float64 => text.push_str("f64"),
            Type::Char => text.push_str("char"),
            Type::String => text.push_str("string"),
            Type::ErrorContext => text.push_str("error-context"),
            Type::List(list) => self.several("list", [Some(list.ty())].into_iter(), text),
            Type::FixedLengthList(list) => {
                self.several(&format!("list of {}", list.len()), [Some(list.ty())].into_iter(), text);
            }
            Type::Map(map) => self.several("map", [Some(map.key()), Some(map.value())].into_iter(), text),
            Type::Option(inner) => self.several("option", [Some(inner.ty())].into_iter(), text),
            Type::Result(inner) => self.several("result", [inner.ok(), inner.err()].into_iter(), text),
            Type::Future(inner) => self.several("future", [inner.ty()].into_iter(), text),
            Type::Stream(inner) => self.several("stream", [inner.ty()].into_iter(), text),
            Type::Tuple(tuple) => self.several("tuple", tuple.types().map(Some), text),
            Type::Record(record) => {
                text.push_str("record");
                self.named(record.fields().map(|field| (field.name, field.ty)), text);
            }
            Type::Variant(variant) => {
                text.push_str("variant(");
                for (number, case) in variant.cases().enumerate() {
                    text.push_str(if number > 0 { ", " } else { "" });
                    text.push_str(case.name);
                    if let Some(inner) = case.ty {
                        self.several("", [Some(inner)].into_iter(), text);
                    }
                }
                text.push(')');
            }
            Type::Enum(names) => text.push_str(&format!("enum({})", names.names().collect::<Vec<_>>().join(", "))),
            Type::Flags(names) => text.push_str(&format!("flags({})", names.names().collect::<Vec<_>>().join(", "))),
            Type::Own(resource) => self.handle("own", resource, text),
            Type::Borrow(resource) => self.handle("borrow", resource, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compatible_versions_are_on_one_track() {
        for (name, track) in [
            ("bench:plugin/driver@0.1.7", "bench:plugin/driver@0.1"),
            ("wasi:io/streams@2.1.0", "wasi:io/streams@2"),
            ("a:b/c@0.0.3", "a:b/c@0.0.3"),
            ("a:b/c@1.0.0-rc.1", "a:b/c@1.0.0-rc.1"),
            ("a:b/c", "a:b/c"),
            ("a:b/c@nonsense", "a:b/c@nonsense"),
        ] {
            assert_eq!(on_track(name), track);
        }
    }

    #[test]
    fn a_difference_is_shown_from_where_it_begins() {
        let long = "x".repeat(500);
        let change = difference(&format!("{long}u32{long}"), &format!("{long}s64{long}"));
        assert!(change.before.contains("u32") && change.after.contains("s64"), "{change}");
        assert!(change.to_string().chars().count() < 250);
        assert_eq!(difference("u8", "s8").to_string(), "`u8` became `s8`");
    }
}
