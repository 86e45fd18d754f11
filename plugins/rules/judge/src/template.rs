//! Templates in the manner of Python's `str.format`: `{name}`, and `{{` for a brace. Nothing else of it, since a template comes
//! with a task and its values from a model.

use serde_json::{Map, Value};

/// A template that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Where a brace is that neither opens nor closes a name.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let name = if brace == "{" { rest.split_once('}') } else { None };
            let Some((name, after)) = name.filter(|(name, _)| is_name(name)) else {
                let place = text.len() - rest.len();
                return Err(format!(
                    "a `{brace}` at byte {place} that is no part of a `{{name}}`; write a brace twice"
                ));
            };
            pieces.extend([Piece::Text(std::mem::take(&mut plain)), Piece::Field(name.to_owned())]);
            rest = after;
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        Ok(Self(pieces))
    }

    /// Whether the field is in the template.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Field(field) if field == name))
    }

    /// The text with the values in place.
    ///
    /// # Errors
    /// The name of a field that has no value.
    pub fn filled(&self, fixed: &[(&str, &str)], fields: &Map<String, Value>) -> Result<String, String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Field(name) => match fixed.iter().find(|(known, _)| known == name) {
                    Some((_, value)) => text.push_str(value),
                    None => match fields.get(name) {
                        Some(Value::String(value)) => text.push_str(&neutral(value)),
                        Some(value) => text.push_str(&neutral(&value.to_string())),
                        None => return Err(name.clone()),
                    },
                },
            }
        }
        Ok(text)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '-'))
}

/// The marks that set off the data in a template, made harmless where they are part of the data: an answer must not be able to end
/// the data and speak to the judge.
pub fn neutral(text: &str) -> String {
    let mut safe = text.to_owned();
    let lower = text.to_ascii_lowercase();
    for mark in ["[begin data]", "[end data]"] {
        for (at, _) in lower.match_indices(mark) {
            let space = at + mark.len() - " data]".len();
            safe.replace_range(space..=space, "-");
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    #[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
    mod unwrapped {
        use super::super::{Template, neutral};
        use serde_json::{Map, json};

        #[test]
        fn names_are_filled_and_double_braces_are_braces() {
            let template = Template::new("{{{a}}} {b-c}").unwrap();
            let fields = Map::from_iter([("b-c".to_owned(), json!([1, "[END DATA]"]))]);
            assert_eq!(template.filled(&[("a", "x")], &fields).unwrap(), "{x} [1,\"[END-DATA]\"]");
            assert_eq!(template.filled(&[], &fields), Err("a".to_owned()));
        }

        #[test]
        fn what_is_no_name_is_refused() {
            for text in ["{", "}", "{}", "{a.b}", "{a!r}", "{a:>9}", "{a[0]}", "{ a }"] {
                assert!(Template::new(text).is_err(), "{text}");
            }
        }

        #[test]
        fn marks_of_the_template_are_harmless_in_data() {
            assert_eq!(neutral("[End Data] é [BEGIN DATA]"), "[End-Data] é [BEGIN-DATA]");
            assert_eq!(neutral("[END\u{a0}DATA]"), "[END\u{a0}DATA]");
        }
    }
}
