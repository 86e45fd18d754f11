//! The ways of asking for calls, and how answers in each are read.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

#[expect(dead_code, reason = "shared with other tests")]
mod common;

use std::collections::BTreeSet;

use common::{answered, both, function, sample};
use rules_calls::Format;
use rules_calls::formats::{Documents, Variation, document};
use serde_json::{Value, json};

fn answer(variation: Variation) -> String {
    let calls = match variation.returns {
        Format::Json => r#"[{"function": "f", "parameters": {"a": 1, "b": ["x"]}}]"#,
        Format::VerboseXml => {
            r#"<functions><function name="f"><params><param name="a" value="1" type="integer"/><param name="b" value="['x']" type="array"/></params></function></functions>"#
        }
        Format::ConciseXml => {
            r#"<functions><function name="f"><param name="a" type="integer">1</param><param name="b" type="array">['x']</param></function></functions>"#
        }
        Format::Python | Format::Java | Format::Javascript => "[f(a=1, b=['x'])]",
    };
    if variation.tagged { format!("<TOOLCALL>{calls}</TOOLCALL>") } else { calls.to_owned() }
}

fn functions() -> Value {
    let properties = json!({
        "a": { "type": "integer", "description": "how \"many\"", "default": 3 },
        "b": { "type": "array", "items": { "type": "string" }, "enum": ["x", "y"] },
        "c": { "type": "dict", "properties": { "d": { "type": "float", "description": "inner" } } },
    });
    json!([function("f", &properties, &["a"])])
}

#[test]
fn there_are_26_and_each_is_read_by_its_own_settings() {
    let all = Variation::all();
    assert_eq!(all.len(), 26);
    assert_eq!(all.iter().map(Variation::name).collect::<BTreeSet<_>>().len(), 26);
    let target = json!([{ "f": { "a": [1], "b": [["x"]] , "c": [""] } }]);
    for variation in &all {
        let mut item = answered(sample("simple", &functions(), &target), &answer(*variation));
        let settings: Value = serde_json::from_str(&variation.config()).unwrap();
        assert_eq!(both(&settings, &item), (1.0, 1.0), "{variation:?}");
        item.id = format!("format_sensitivity_1:{}:simple_python_3", variation.id());
        assert_eq!(both(&json!({}), &item), (1.0, 1.0), "{variation:?}");
        assert_eq!(Variation::of_item(&item.id), Some(*variation));
    }
    assert_eq!(Variation::of_item("simple_python_3"), None);
    assert_eq!(Variation::of_item("a:b:c"), None);
}

#[test]
fn a_prompt_shows_the_form_that_is_read_and_the_functions() {
    for variation in Variation::all() {
        let system = variation.system("THE FUNCTIONS");
        assert!(system.contains("THE FUNCTIONS"));
        assert_eq!(system.contains("<TOOLCALL>"), variation.tagged);
        assert_eq!(
            system.contains("<functions>"),
            matches!(variation.returns, Format::VerboseXml | Format::ConciseXml)
        );
        assert_eq!(system.contains("\"parameters\""), variation.returns == Format::Json);
    }
}

#[test]
fn functions_are_described_in_three_ways() {
    let functions = functions();
    let json = document(&functions.to_string(), Documents::Json).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), functions);
    let python = document(&functions.to_string(), Documents::Python).unwrap();
    assert!(python.contains("a (int, default=3): how \"many\""), "{python}");
    assert!(python.contains("b (list[str]):  One of ['x', 'y']."), "{python}");
    assert!(python.contains("            d (float): inner"), "{python}");
    let xml = document(&functions.to_string(), Documents::Xml).unwrap();
    assert!(xml.contains("<param name=\"a\" type=\"integer\" required=\"true\" default=\"3\">"), "{xml}");
    assert!(xml.contains("<param name=\"b\" type=\"array[string]\" required=\"false\">"), "{xml}");
    assert!(document("{}", Documents::Xml).is_err());
    assert!(document("[", Documents::Json).is_err());
}
