//! YAML as lm-eval's tasks are written in it, read as PyYAML reads it: by the rules of YAML 1.1, in which `no` is false and `1e5` a
//! text. `!function` is kept for what it is, a name; nothing is looked up, let alone run.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

use crate::error::ImportError;

/// Most values of a file, those included that an alias repeats.
const MOST_VALUES: u64 = 200_000;

/// Most bytes of the texts of a file, those included that an alias repeats. Lists, mappings and keys count too.
const MOST_BYTES: u64 = 16 << 20;

/// What a file may have.
const LIMIT: Size = Size { values: MOST_VALUES, bytes: MOST_BYTES };

/// Bytes that a value counts for beside its text.
const VALUE_BYTES: u64 = 32;

/// Deepest nesting.
const DEEPEST: usize = 64;

/// A value of a YAML file.
#[derive(Debug, Clone, PartialEq)]
pub enum Yaml {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Yaml>),
    /// Keys with their values, in the order of the file.
    Map(Vec<(String, Yaml)>),
    /// The name of a Python function.
    Function(String),
}

impl Yaml {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(pairs) => pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// As JSON; the name of the first function where there is one.
    pub fn json(&self) -> Result<Value, String> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.clone()),
            Self::List(list) => Value::Array(list.iter().map(Self::json).collect::<Result<_, _>>()?),
            Self::Map(pairs) => {
                let pairs = pairs.iter().map(|(key, value)| Ok((key.clone(), value.json()?)));
                Value::Object(pairs.collect::<Result<Map<_, _>, String>>()?)
            }
            Self::Function(name) => return Err(name.clone()),
        })
    }

    /// A function in it, wherever it stands.
    pub fn function(&self) -> Option<&str> {
        match self {
            Self::Function(name) => Some(name),
            Self::List(list) => list.iter().find_map(Self::function),
            Self::Map(pairs) => pairs.iter().find_map(|(_, value)| value.function()),
            _ => None,
        }
    }

    /// Bytes that it and what is in it count for.
    pub fn bytes(&self) -> u64 {
        self.size().bytes
    }

    /// What a copy of it takes.
    fn size(&self) -> Size {
        let own = |text: &str| Size { values: 1, bytes: VALUE_BYTES + text.len() as u64 };
        match self {
            Self::List(list) => list.iter().fold(own(""), |sum, value| sum.plus(value.size())),
            Self::Map(pairs) => pairs.iter().fold(own(""), |sum, (key, value)| sum.plus(own(key)).plus(value.size())),
            Self::Text(text) | Self::Function(text) => own(text),
            _ => own(""),
        }
    }
}

/// What values take.
#[derive(Debug, Clone, Copy)]
struct Size {
    values: u64,
    bytes: u64,
}

impl Size {
    const fn plus(self, other: Self) -> Self {
        Self { values: self.values.saturating_add(other.values), bytes: self.bytes.saturating_add(other.bytes) }
    }
}

/// Reads a file of one document.
///
/// # Errors
/// [`ImportError::Unreadable`] with the place.
pub fn parse(name: &str, text: &str) -> Result<Yaml, ImportError> {
    let broken = |reason: String| ImportError::unreadable(name, reason);
    let mut builder = Builder { anchors: HashMap::new(), open: Vec::new(), root: None, left: LIMIT };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| broken(error.to_string()))?;
        let place = || format!("line {}", span.start.line());
        builder.take(event).map_err(|reason| broken(format!("{}: {reason}", place())))?;
    }
    builder.root.ok_or_else(|| broken("it is empty".to_owned()))
}

enum Open {
    List(Vec<Yaml>),
    Map(OpenMap),
}

/// A mapping that has not ended.
#[derive(Default)]
struct OpenMap {
    pairs: Vec<(String, Yaml)>,
    /// Where each key stands in `pairs`.
    indices: HashMap<String, usize>,
    /// A key that has no value yet.
    key: Option<String>,
}

impl OpenMap {
    /// Puts a value under a key. As in Python, the last one of several counts.
    fn insert(&mut self, key: String, value: Yaml) {
        match self.indices.get(&key).and_then(|index| self.pairs.get_mut(*index)) {
            Some((_, old)) => *old = value,
            None => {
                self.indices.insert(key.clone(), self.pairs.len());
                self.pairs.push((key, value));
            }
        }
    }
}

struct Builder {
    /// Values with an anchor, and what a copy of each takes.
    anchors: HashMap<usize, (Yaml, Size)>,
    open: Vec<(Open, usize)>,
    root: Option<Yaml>,
    /// What may still come.
    left: Size,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => Err("a second document begins".to_owned()),
            Event::Scalar(text, style, anchor, tag) => {
                self.spend(Size { values: 1, bytes: VALUE_BYTES + text.len() as u64 })?;
                let value = scalar(&text, style, tag.as_deref())?;
                self.put(value, anchor)
            }
            Event::Alias(anchor) => {
                // What a copy takes is spent before there is one.
                let (_, size) = self.anchors.get(&anchor).ok_or("an alias of nothing")?;
                self.spend(*size)?;
                let value = self.anchors.get(&anchor).map(|(value, _)| value.clone()).unwrap_or(Yaml::Null);
                self.put(value, 0)
            }
            Event::SequenceStart(anchor, tag) => self.begin(Open::List(Vec::new()), anchor, tag.as_deref()),
            Event::MappingStart(anchor, tag) => self.begin(Open::Map(OpenMap::default()), anchor, tag.as_deref()),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some((Open::List(list), anchor)) => self.put(Yaml::List(list), anchor),
                Some((Open::Map(map), anchor)) => self.put(Yaml::Map(map.pairs), anchor),
                None => Err("something ends that did not begin".to_owned()),
            },
            _ => Ok(()),
        }
    }

    fn spend(&mut self, size: Size) -> Result<(), String> {
        let values = self.left.values.checked_sub(size.values);
        let bytes = self.left.bytes.checked_sub(size.bytes);
        self.left = Size {
            values: values.ok_or_else(|| format!("more than {MOST_VALUES} values, those of aliases included"))?,
            bytes: bytes.ok_or_else(|| format!("more than {MOST_BYTES} bytes of values, those of aliases included"))?,
        };
        Ok(())
    }

    fn begin(&mut self, open: Open, anchor: usize, tag: Option<&Tag>) -> Result<(), String> {
        let known = |tag: &&Tag| tag.is_yaml_core_schema() && ["seq", "map"].contains(&tag.suffix.as_str());
        if let Some(tag) = tag.filter(|tag| !known(tag)) {
            return Err(format!("the tag {tag} on a list or mapping is not known"));
        }
        if self.open.len() >= DEEPEST {
            return Err(format!("nested more than {DEEPEST} deep"));
        }
        self.spend(Size { values: 1, bytes: VALUE_BYTES })?;
        self.open.push((open, anchor));
        Ok(())
    }

    fn put(&mut self, value: Yaml, anchor: usize) -> Result<(), String> {
        if anchor > 0 {
            let size = value.size();
            self.spend(size)?;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some((Open::List(list), _)) => list.push(value),
            Some((Open::Map(map @ OpenMap { key: None, .. }), _)) => {
                map.key = Some(match value {
                    Yaml::Text(text) if text == "<<" => return Err("merge keys (<<) are not known".to_owned()),
                    Yaml::Text(text) => text,
                    Yaml::Number(number) => number.to_string(),
                    Yaml::Bool(truth) => if truth { "True" } else { "False" }.to_owned(),
                    _ => return Err("a key that is no text".to_owned()),
                });
            }
            Some((Open::Map(map), _)) => {
                let key = map.key.take().unwrap_or_default();
                map.insert(key, value);
            }
        }
        Ok(())
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Yaml, String> {
    let as_text = || Ok(Yaml::Text(text.to_owned()));
    if let Some(tag) = tag {
        return match (tag.handle.as_str(), tag.suffix.as_str()) {
            ("!", "function") => Ok(Yaml::Function(text.to_owned())),
            ("!", "") => as_text(),
            (_, "str") if tag.is_yaml_core_schema() => as_text(),
            (_, "int" | "float" | "bool" | "null") if tag.is_yaml_core_schema() => Ok(plain(text)),
            _ => Err(format!("the tag {tag} is not known")),
        };
    }
    if style == ScalarStyle::Plain { Ok(plain(text)) } else { as_text() }
}

/// What an unquoted word is, by YAML 1.1.
fn plain(text: &str) -> Yaml {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Yaml::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Yaml::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Yaml::Bool(false),
        _ => {}
    }
    number(text).map_or_else(|| Yaml::Text(text.to_owned()), Yaml::Number)
}

fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.') {
        return None;
    }
    let bare = text.replace('_', "");
    if digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') {
        // A number that begins with a zero is octal there; no task means that, and a wrong number is worse than a text.
        let sound = digits == "0" || !digits.starts_with('0');
        return sound.then(|| bare.parse::<i64>().ok()).flatten().map(Number::from);
    }
    // With a point and with a sign in the exponent, or it is a text.
    let (mantissa, exponent) = bare.split_once(['e', 'E']).unwrap_or((&bare, "+0"));
    let sound = mantissa.contains('.') && exponent.starts_with(['+', '-']);
    sound.then(|| bare.parse::<f64>().ok()).flatten().and_then(Number::from_f64)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn words_are_what_pyyaml_takes_them_for() {
        let text = "a: [yes, 'no', Off, ~, 1, -2.5, 1e5, 1.0e+2, 007, x]\nb: |\n  one\n  two\nc: \"t\\n\"\nd: &x {k: 1}\ne: *x\na2: no";
        let expected = json!({
            "a": [true, "no", false, null, 1, -2.5, "1e5", 100.0, "007", "x"],
            "b": "one\ntwo\n", "c": "t\n", "d": {"k": 1}, "e": {"k": 1}, "a2": false
        });
        assert_eq!(parse("x.yaml", text).unwrap().json().unwrap(), expected);
    }

    #[test]
    fn functions_are_names() {
        let read = parse("x.yaml", "a: 1\nb:\n  - c: !function utils.docs\n").unwrap();
        assert_eq!((read.function(), read.json()), (Some("utils.docs"), Err("utils.docs".to_owned())));
    }

    #[test]
    fn what_is_hostile_is_refused() {
        let bomb: String = (0..40).fold("a0: &a0 [x]\n".to_owned(), |text, n| {
            format!("{text}a{}: &a{} [*a{n}, *a{n}, *a{n}]\n", n + 1, n + 1)
        });
        let deep = format!("a: {}{}", "[".repeat(500), "]".repeat(500));
        for text in [
            bomb.as_str(),
            &deep,
            "a: *nothing",
            "a: [",
            "a: !!python/object/apply:os.system [x]",
            "a: 1\n---\nb: 2",
            "",
        ] {
            assert_eq!(parse("x.yaml", text).unwrap_err().code(), "import-unreadable", "{text:.80}");
        }
    }

    #[test]
    fn a_long_text_is_not_repeated_by_aliases() {
        let text = "x".repeat(2_000_000);
        let repeated = |aliases: usize| format!("a: &a {text}\nb: [{}*a]\n", "*a, ".repeat(aliases - 1));
        assert!(parse("x.yaml", &repeated(4)).is_ok());
        for aliases in [10, 1_000, 5_000] {
            let error = parse("x.yaml", &repeated(aliases)).unwrap_err();
            assert!(error.to_string().contains("bytes of values, those of aliases included"), "{error:.200}");
        }
        let list = format!("a: &a [{}x]\nb: [{}*a]\n", "\u{e9}, ".repeat(999), "*a, ".repeat(250));
        assert!(parse("x.yaml", &list).unwrap_err().to_string().contains("values, those of aliases included"));
    }

    #[test]
    fn the_last_of_equal_keys_counts_among_many() {
        let text: String = (0..60_000).map(|n| format!("k{}: {n}\n", n % 30_000)).collect();
        let Yaml::Map(pairs) = parse("x.yaml", &text).unwrap() else { panic!("no mapping") };
        assert_eq!(pairs.len(), 30_000);
        assert_eq!(pairs.first(), Some(&("k0".to_owned(), Yaml::Number(30_000.into()))));
    }

    proptest! {
        #[test]
        fn any_text_is_a_value_or_an_error(text in "[-\\[\\]{}:,&*!|>'\"#\n a-c0-9.]{0,80}") {
            let _ = parse("x.yaml", &text);
        }
    }
}
