//! Texts with fields: `Question: {question}` and an item make a prompt.
//!
//! A field is a name in braces, `{choices.0}` goes into lists and objects, `{{` and `}}` are braces. A filter after a bar says how
//! a value becomes text: `{choices|letters}`. There are no conditions and no loops: a prompt that needs them is made when the
//! data is, where everybody can read what came out.

use bench_text::{clean_name, clean_sentence};
use serde_json::{Map, Value};
use thiserror::Error;

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field { path: Vec<String>, filter: Option<Filter> },
}

/// How a value becomes text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    /// As compact JSON.
    Json,
    /// Each element of a list on a line, after `A. `, `B. ` and so on.
    Letters,
    /// Each element of a list on a line.
    Lines,
    /// Without white space around it.
    Trim,
}

const FILTERS: [(&str, Filter); 4] =
    [("json", Filter::Json), ("letters", Filter::Letters), ("lines", Filter::Lines), ("trim", Filter::Trim)];

/// Why a template cannot be used, or not with an item.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// A brace that opens or closes nothing.
    #[error("the brace at byte {at} has no other one")]
    Brace {
        /// Offset in bytes.
        at: usize,
    },
    /// Braces without a name that can be one.
    #[error("`{{{inside}}}` at byte {at} names no field", inside = clean_name(.inside))]
    NoField {
        /// What stands in them.
        inside: String,
        /// Offset in bytes.
        at: usize,
    },
    /// A filter that does not exist.
    #[error("there is no filter `{name}`; there are json, letters, lines and trim", name = clean_name(.name))]
    UnknownFilter {
        /// Its name.
        name: String,
    },
    /// A field that the item does not have.
    #[error(
        "there is no field `{field}`; there are {}",
        clean_sentence(.known.join(", ")),
        field = clean_name(.field),
    )]
    UnknownField {
        /// The field.
        field: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// A filter for lists on something else.
    #[error("the field `{field}` is no list", field = clean_name(.field))]
    NotAList {
        /// The field.
        field: String,
    },
}

impl TemplateError {
    /// A stable identifier in kebab case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Brace { .. } => "template-brace",
            Self::NoField { .. } => "template-no-field",
            Self::UnknownFilter { .. } => "template-unknown-filter",
            Self::UnknownField { .. } => "template-unknown-field",
            Self::NotAList { .. } => "template-not-a-list",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Brace { .. } | Self::NoField { .. } => "write {{ and }} for braces that belong to the text",
            Self::UnknownFilter { .. } | Self::NotAList { .. } => "write {name} or {name|filter}",
            Self::UnknownField { .. } => "correct the name, or give every item of the data such a field",
        };
        Some(hint.to_owned())
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`TemplateError::Brace`], [`TemplateError::NoField`] and [`TemplateError::UnknownFilter`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(place) = rest.find(['{', '}']) {
            let at = text.len() - rest.len() + place;
            let (before, from) = rest.split_at(place);
            plain.push_str(before);
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                plain.push_str(&from[..1]);
                rest = after;
                continue;
            }
            let inside = from.strip_prefix('{').ok_or(TemplateError::Brace { at })?;
            let end = inside.find(['{', '}']).filter(|end| inside[*end..].starts_with('}'));
            let end = end.ok_or(TemplateError::Brace { at })?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(field(&inside[..end], at)?);
            rest = &inside[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts })
    }

    /// The fields that it names, without what is inside them.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field { path, .. } => path.first().map(String::as_str),
            Part::Text(_) => None,
        })
    }

    /// The text for these fields.
    ///
    /// # Errors
    /// [`TemplateError::UnknownField`] and [`TemplateError::NotAList`].
    pub fn render(&self, fields: &Map<String, Value>) -> Result<String, TemplateError> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Field { path, filter } => text.push_str(&written(find(fields, path)?, *filter, path)?),
            }
        }
        Ok(text)
    }
}

fn field(inside: &str, at: usize) -> Result<Part, TemplateError> {
    let (name, filter) = match inside.split_once('|') {
        Some((name, filter)) => {
            let known = FILTERS.iter().find(|(known, _)| *known == filter.trim());
            let filter = known.ok_or_else(|| TemplateError::UnknownFilter { name: filter.trim().to_owned() })?;
            (name, Some(filter.1))
        }
        None => (inside, None),
    };
    let path: Vec<String> = name.trim().split('.').map(str::to_owned).collect();
    if path.iter().any(|part| part.is_empty() || part.contains(char::is_whitespace)) {
        return Err(TemplateError::NoField { inside: inside.chars().take(80).collect(), at });
    }
    Ok(Part::Field { path, filter })
}

fn find<'v>(fields: &'v Map<String, Value>, path: &[String]) -> Result<&'v Value, TemplateError> {
    let unknown = || {
        let mut known: Vec<String> = fields.keys().cloned().collect();
        known.sort();
        TemplateError::UnknownField { field: path.join("."), known }
    };
    let (first, inner) = path.split_first().ok_or_else(unknown)?;
    inner.iter().try_fold(fields.get(first).ok_or_else(unknown)?, |value, part| match value {
        Value::Object(fields) => fields.get(part).ok_or_else(unknown),
        Value::Array(list) => part.parse::<usize>().ok().and_then(|place| list.get(place)).ok_or_else(unknown),
        _ => Err(unknown()),
    })
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn written(value: &Value, filter: Option<Filter>, path: &[String]) -> Result<String, TemplateError> {
    let list = || value.as_array().ok_or_else(|| TemplateError::NotAList { field: path.join(".") });
    Ok(match filter {
        None => plain(value),
        Some(Filter::Json) => value.to_string(),
        Some(Filter::Trim) => plain(value).trim().to_owned(),
        Some(Filter::Lines) => list()?.iter().map(plain).collect::<Vec<_>>().join("\n"),
        Some(Filter::Letters) => {
            let line = |(place, value): (usize, &Value)| format!("{}. {}", letter(place), plain(value));
            list()?.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
        }
    })
}

/// `A` to `Z`, and numbers after these.
fn letter(place: usize) -> String {
    u8::try_from(place)
        .ok()
        .filter(|place| *place < 26)
        .map_or_else(|| (place + 1).to_string(), |place| char::from(b'A' + place).to_string())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn rendered(template: &str, fields: Value) -> Result<String, TemplateError> {
        Template::parse(template)?.render(fields.as_object().unwrap())
    }

    #[test]
    fn fields_filters_and_braces() {
        let item = json!({"q": "Why?", "n": 3, "choices": ["red", "blue"], "deep": {"list": [1, "two"]}});
        for (template, text) in [
            ("{q}", "Why?"),
            ("a {q} b {n}", "a Why? b 3"),
            ("{{q}} {q}}}", "{q} Why?}"),
            ("{choices}", r#"["red","blue"]"#),
            ("{choices|letters}", "A. red\nB. blue"),
            ("{ choices | lines }", "red\nblue"),
            ("{choices.1}{deep.list.1}", "bluetwo"),
            ("{q|json}", "\"Why?\""),
            ("", ""),
        ] {
            assert_eq!(rendered(template, item.clone()).unwrap(), text, "{template}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let item = json!({"q": "Why?", "a": "so"});
        for (template, code, word) in [
            ("{q", "template-brace", "0"),
            ("q}", "template-brace", "1"),
            ("{q{a}}", "template-brace", "0"),
            ("{}", "template-no-field", "{}"),
            ("{a b}", "template-no-field", "a b"),
            ("{a..b}", "template-no-field", "a..b"),
            ("{q|shout}", "template-unknown-filter", "shout"),
            ("{question}", "template-unknown-field", "there are a, q"),
            ("{q.0}", "template-unknown-field", "q.0"),
            ("{q|letters}", "template-not-a-list", "q"),
        ] {
            let error = rendered(template, item.clone()).unwrap_err();
            assert_eq!(error.code(), code, "{template}");
            assert!(error.to_string().contains(word) && error.hint().is_some(), "{template}: {error}");
        }
        assert_eq!((letter(0), letter(25), letter(26)), ("A".to_owned(), "Z".to_owned(), "27".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_is_a_template_or_an_error(text in "[{}|a-c. é]{0,40}") {
            if let Ok(template) = Template::parse(&text) {
                let _ = template.render(&Map::new());
            }
        }

        #[test]
        fn text_without_braces_stays(text in "[^{}]{0,80}") {
            prop_assert_eq!(Template::parse(&text).unwrap().render(&Map::new()).unwrap(), text);
        }
    }
}
