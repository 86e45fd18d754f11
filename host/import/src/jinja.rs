//! Templates of lm-eval, which are Jinja's over Python's values: texts, numbers and lists are written as `str` writes them there,
//! and methods of texts, lists and dictionaries are those that tasks use. What is not known is an error and never nothing.

use bench_samples::python;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind, from_args};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value as Jinja};
use serde_json::{Map, Value};

/// Steps of a template's program for one item. A prompt takes hundreds.
const FUEL: u64 = 1_000_000;

/// Largest text that a template may write, in bytes.
const LARGEST_TEXT: usize = 32 * 1024 * 1024;

/// What templates are rendered by.
pub struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// The environment of lm-eval.
    pub fn new() -> Self {
        let mut environment = Environment::empty();
        environment.set_syntax(SyntaxConfig::builder().keep_trailing_newline(true).build().unwrap_or_default());
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_unknown_method_callback(method);
        environment.set_formatter(|out, _, value| {
            if value.is_undefined() {
                return Err(Error::from(ErrorKind::UndefinedError));
            }
            out.write_str(&written(value)?).map_err(|_| Error::from(ErrorKind::BadSerialization))
        });
        use minijinja::{filters, functions, tests};
        environment.add_filter("string", |value: Jinja| written(&value));
        environment.add_filter("join", |values: Vec<Jinja>, with: Option<&str>| {
            let texts: Result<Vec<String>, Error> = values.iter().map(written).collect();
            texts.map(|texts| texts.join(with.unwrap_or_default()))
        });
        environment.add_filter("capitalize", |text: String| capitalised(&text));
        environment.add_filter("trim", filters::trim);
        environment.add_filter("length", filters::length);
        environment.add_filter("count", filters::length);
        environment.add_filter("upper", filters::upper);
        environment.add_filter("lower", filters::lower);
        environment.add_filter("replace", filters::replace);
        environment.add_filter("list", filters::list);
        environment.add_filter("first", filters::first);
        environment.add_filter("last", filters::last);
        environment.add_filter("int", filters::int);
        environment.add_filter("float", filters::float);
        environment.add_filter("round", filters::round);
        environment.add_filter("abs", filters::abs);
        environment.add_filter("map", filters::map);
        environment.add_filter("select", filters::select);
        environment.add_filter("reject", filters::reject);
        environment.add_filter("sort", filters::sort);
        environment.add_filter("reverse", filters::reverse);
        environment.add_filter("default", filters::default);
        environment.add_function("range", functions::range);
        environment.add_test("defined", tests::is_defined);
        environment.add_test("undefined", tests::is_undefined);
        environment.add_test("none", tests::is_none);
        environment.add_test("string", tests::is_string);
        environment.add_test("number", tests::is_number);
        environment.add_test("mapping", tests::is_mapping);
        environment.add_test("sequence", tests::is_sequence);
        environment.add_test("iterable", tests::is_iterable);
        environment.add_test("odd", tests::is_odd);
        environment.add_test("even", tests::is_even);
        Self { environment }
    }

    /// The text of a template for an item.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn render(&self, template: &str, fields: &Map<String, Value>) -> Result<String, String> {
        // Most templates of a task have none, and a text of a million bytes has no use for a parser.
        if !template.contains("{{") && !template.contains("{%") && !template.contains("{#") {
            return Ok(template.to_owned());
        }
        let text = self.environment.render_str(template, Jinja::from(Serde(fields))).map_err(|error| words(&error))?;
        if text.len() > LARGEST_TEXT {
            return Err(format!("it writes more than {LARGEST_TEXT} bytes"));
        }
        Ok(text)
    }
}

fn words(error: &Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

/// What Python's `str` gives.
fn written(value: &Jinja) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let json = serde_json::to_value(value)
        .map_err(|error| Error::new(ErrorKind::BadSerialization, format!("a value that is no text: {error}")))?;
    Ok(python::text(&json))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    first + &letters.as_str().to_lowercase()
}

fn unknown(method: &str, kind: ValueKind) -> Error {
    Error::new(ErrorKind::UnknownMethod, format!("{kind} has no method `{method}` here"))
}

fn invalid(reason: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason.to_owned())
}

fn method(_: &mut State, value: &Jinja, method: &str, args: &[Jinja]) -> Result<Jinja, Error> {
    match value.kind() {
        ValueKind::String => of_text(value.as_str().unwrap_or_default(), method, args),
        ValueKind::Seq => of_list(value, method, args),
        ValueKind::Map => of_map(value, method, args),
        kind => Err(unknown(method, kind)),
    }
}

fn of_text(text: &str, method: &str, args: &[Jinja]) -> Result<Jinja, Error> {
    let class = |letters: Option<String>| {
        move |letter: char| letters.as_ref().map_or_else(|| letter.is_whitespace(), |letters| letters.contains(letter))
    };
    Ok(match method {
        "strip" | "lstrip" | "rstrip" => {
            let (letters,): (Option<String>,) = from_args(args)?;
            let class = class(letters);
            Jinja::from(match method {
                "strip" => text.trim_matches(class),
                "lstrip" => text.trim_start_matches(class),
                _ => text.trim_end_matches(class),
            })
        }
        "upper" | "lower" | "capitalize" => {
            let () = from_args(args)?;
            Jinja::from(match method {
                "upper" => text.to_uppercase(),
                "lower" => text.to_lowercase(),
                _ => capitalised(text),
            })
        }
        "replace" => {
            let (old, new, count): (String, String, Option<usize>) = from_args(args)?;
            let replaced = count.map_or_else(|| text.replace(&old, &new), |count| text.replacen(&old, &new, count));
            if replaced.len() > LARGEST_TEXT {
                return Err(invalid("the text is too large"));
            }
            Jinja::from(replaced)
        }
        "split" => {
            let (separator, most): (Option<String>, Option<usize>) = from_args(args)?;
            let parts: Vec<&str> = match (separator.as_deref(), most) {
                (Some(""), _) => return Err(invalid("an empty separator")),
                (Some(separator), None) => text.split(separator).collect(),
                (Some(separator), Some(most)) => text.splitn(most.saturating_add(1), separator).collect(),
                (None, None) => text.split_whitespace().collect(),
                (None, Some(_)) => return Err(invalid("`split` with a number and no separator is not known here")),
            };
            Jinja::from_iter(parts.into_iter().map(str::to_owned))
        }
        "startswith" | "endswith" => {
            let (part,): (String,) = from_args(args)?;
            Jinja::from(if method == "startswith" { text.starts_with(&part) } else { text.ends_with(&part) })
        }
        "join" => {
            let (parts,): (Vec<String>,) = from_args(args)?;
            Jinja::from(parts.join(text))
        }
        "count" => {
            let (part,): (String,) = from_args(args)?;
            Jinja::from(text.matches(&part).count())
        }
        "find" | "index" => {
            let (part,): (String,) = from_args(args)?;
            let place = text.find(&part).and_then(|at| text.get(..at)).map(|before| before.chars().count());
            match place {
                Some(place) => Jinja::from(place),
                None if method == "find" => Jinja::from(-1),
                None => return Err(invalid("`index` of a text that does not occur")),
            }
        }
        "isdigit" => {
            let () = from_args(args)?;
            Jinja::from(!text.is_empty() && text.chars().all(char::is_numeric))
        }
        _ => return Err(unknown(method, ValueKind::String)),
    })
}

fn of_list(list: &Jinja, method: &str, args: &[Jinja]) -> Result<Jinja, Error> {
    let (wanted,): (Jinja,) = match method {
        "index" | "count" => from_args(args)?,
        _ => return Err(unknown(method, ValueKind::Seq)),
    };
    if method == "count" {
        return Ok(Jinja::from(list.try_iter()?.filter(|value| *value == wanted).count()));
    }
    let place = list.try_iter()?.position(|value| value == wanted);
    place.map(Jinja::from).ok_or_else(|| invalid("`index` of a value that is not in the list"))
}

fn of_map(map: &Jinja, method: &str, args: &[Jinja]) -> Result<Jinja, Error> {
    match method {
        "get" => {
            let (key, default): (Jinja, Option<Jinja>) = from_args(args)?;
            let found = map.get_item(&key)?;
            Ok(if found.is_undefined() { default.unwrap_or_else(|| Jinja::from(())) } else { found })
        }
        "keys" => Ok(Jinja::from_iter(map.try_iter()?)),
        "values" => map.try_iter()?.map(|key| map.get_item(&key)).collect::<Result<Vec<_>, _>>().map(Jinja::from),
        "items" => {
            let pairs = map.try_iter()?.map(|key| Ok(Jinja::from(vec![key.clone(), map.get_item(&key)?])));
            pairs.collect::<Result<Vec<_>, Error>>().map(Jinja::from)
        }
        _ => Err(unknown(method, ValueKind::Map)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(template: &str, fields: Value) -> Result<String, String> {
        Templates::new().render(template, fields.as_object().unwrap())
    }

    /// What Jinja 3.1.6 of Python 3.11 writes.
    #[test]
    fn templates_are_rendered_as_python_does() {
        let item = json!({
            "q": " Why? ", "n": 3, "f": 1.0, "none": null, "yes": true, "list": ["a", "it's"],
            "choices": {"text": ["red", "blue"], "label": ["A", "B"]}, "key": "B"
        });
        for (template, text) in [
            ("Q: {{q.strip()}}\nA:", "Q: Why?\nA:"),
            ("{{n}} {{f}} {{none}} {{yes}} {{list}}", "3 1.0 None True ['a', \"it's\"]"),
            ("{{choices.label.index(key)}}", "1"),
            ("{{choices.text}}", "['red', 'blue']"),
            ("{{ list|join(',') }} {{list[0]}} {{list|length}}", "a,it's a 2"),
            ("{% for c in list %}{{loop.index}}{{c}}{% endfor %}\n", "1a2it's\n"),
            ("{{n|string + '!'}}", "3!"),
            ("{% set p = 'x' %}{{p + q.split('?')[0]}}", "x Why"),
            ("{{'yes' if n == 3 else 'no'}}", "yes"),
            ("{{q[1:4]}}", "Why"),
            ("{{['no', 'yes'][yes]}}", "yes"),
            ("plain", "plain"),
        ] {
            assert_eq!(rendered(template, item.clone()).as_deref(), Ok(text), "{template}");
        }
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        let item = json!({"q": "x", "list": [1]});
        for (template, word) in [
            ("{{missing}}", "undefined"),
            ("{{q.encode()}}", "encode"),
            ("{{q|regex_replace('a', 'b')}}", "regex_replace"),
            ("{{q", "syntax"),
            ("{{list.index(2)}}", "not in the list"),
            ("{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}", "fuel"),
            ("{% include 'x' %}", ""),
        ] {
            let error = rendered(template, item.clone()).unwrap_err();
            assert!(error.contains(word), "{template}: {error}");
        }
    }
}
