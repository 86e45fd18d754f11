//! Helpers to look at the world and to make sense of the answers.

use serde_json::Value;

use crate::driver::{HttpProbe, Model, Probe, ProbeAnswer};
use crate::http;
use crate::types::{Header, HttpRequest, HttpResponse};

/// A probe with a request.
pub fn http_probe(id: &str, request: HttpRequest) -> Probe {
    Probe::Http(HttpProbe { id: id.to_owned(), request })
}

/// A probe that gets `path`, with these headers.
pub fn get_probe(id: &str, path: &str, headers: Vec<Header>) -> Probe {
    http_probe(id, HttpRequest { headers, ..http::get(path) })
}

/// The answers to a driver's probes.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'a>(pub &'a [ProbeAnswer]);

impl<'a> Answers<'a> {
    /// What the endpoint answered to the probe `id`, whatever the status.
    pub fn response(&self, id: &str) -> Option<&'a HttpResponse> {
        self.0.iter().find_map(|answer| match answer {
            ProbeAnswer::Http(answer) if answer.id == id => answer.response.as_ref(),
            _ => None,
        })
    }

    /// The document that the endpoint answered to the probe `id` with success.
    pub fn json(&self, id: &str) -> Option<Value> {
        let response = self.response(id).filter(|response| http::is_success(response))?;
        let body = response.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&response.body);
        serde_json::from_slice(body).ok()
    }

    /// A header of the answer to the probe `id`; `name` in lower case.
    pub fn header(&self, id: &str, name: &str) -> Option<&'a str> {
        http::find(&self.response(id)?.headers, name)
    }

    /// Where the program is, if it is on the search path.
    pub fn binary(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find_map(|answer| match answer {
            ProbeAnswer::Binary(answer) if answer.name == name => answer.path.as_deref(),
            _ => None,
        })
    }

    /// Whether the environment variable is set.
    pub fn environment(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|answer| matches!(answer, ProbeAnswer::Environment(answer) if answer.name == name && answer.set))
    }
}

/// A model of which only the identifier is known.
pub fn model(id: impl Into<String>) -> Model {
    Model { id: id.into(), context_length: None, quantization: None, digest: None, path: None, parameters: None }
}

/// Most models that are taken from a list: hosted catalogues hold some hundreds.
const MOST: usize = 2000;

/// The entries of a model list as OpenAI's `/v1/models` gives them, `{"data": [{"id"}]}`, or as servers write it instead: a bare
/// list, a list under `models`, names alone, an object with a name for each key. Each is turned into a model with what `more`
/// finds in it. `None` where the document is no such list.
pub fn models(document: &Value, more: impl Fn(&Value, &mut Model)) -> Option<Vec<Model>> {
    let list: Vec<&Value> = match document.get("data").or_else(|| document.get("models")).unwrap_or(document) {
        Value::Array(list) => list.iter().collect(),
        Value::Object(entries) if document.get("data").is_some() => entries.values().collect(),
        _ => return None,
    };
    let name = |entry: &Value| {
        let named = ["id", "model", "name"].iter().find_map(|field| entry.get(field)?.as_str());
        entry.as_str().or(named).map(str::to_owned)
    };
    let entries = list.into_iter().take(MOST).filter_map(|entry| {
        let mut model = model(name(entry)?);
        more(entry, &mut model);
        Some(model)
    });
    Some(entries.collect())
}

/// The text of a field, where it is text and not empty.
pub fn text(document: &Value, pointer: &str) -> Option<String> {
    document.pointer(pointer)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The value of a field, where it is a non-negative integer, or the text of one.
pub fn number(document: &Value, pointer: &str) -> Option<u64> {
    let value = document.pointer(pointer)?;
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::models;

    #[test]
    fn lists_of_models_have_many_forms() {
        for document in [
            json!({"object": "list", "data": [{"id": "m"}]}),
            json!([{"id": "m"}]),
            json!({"models": [{"name": "m", "model": "m"}]}),
            json!({"data": ["m"]}),
            json!({"data": {"m": {"id": "m"}}}),
        ] {
            let names: Option<Vec<String>> =
                models(&document, |_, _| {}).map(|list| list.into_iter().map(|model| model.id).collect());
            assert_eq!(names, Some(vec!["m".to_owned()]), "{document}");
        }
        for document in [json!({"error": "no"}), json!("m"), json!({"data": 1}), json!({"id": "m"})] {
            assert!(models(&document, |_, _| {}).is_none(), "{document}");
        }
    }
}
