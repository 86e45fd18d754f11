//! Templates of lm-eval: the part of Jinja that tasks are written in, over Python's values.
//!
//! A template comes with a task from anywhere, and a line such as `{% set a = a ~ a %}` doubles a text each time it stands there. So
//! this is an interpreter of its own, in which each operation asks for the bytes of its result before it makes it; see
//! [`room::Room`]. A library's interpreter bounds steps and not bytes. What is not known is an error and never nothing.

mod calls;
mod expression;
mod lexer;
mod methods;
mod operators;
mod parser;
mod render;
mod room;
mod syntax;
mod texts;
mod value;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use render::Template;

/// Most templates that are kept for further rows. A task has about ten.
const MOST_KEPT: usize = 16;

/// Templates that were read.
#[derive(Default)]
pub struct Templates {
    kept: RefCell<HashMap<String, Template>>,
}

impl Templates {
    /// No template yet.
    pub fn new() -> Self {
        Self::default()
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
        render::render(&self.read(template)?, fields)
    }

    fn read(&self, template: &str) -> Result<Template, String> {
        let mut kept = self.kept.borrow_mut();
        if let Some(known) = kept.get(template) {
            return Ok(Rc::clone(known));
        }
        let read: Template = Rc::new(parser::parse(template)?);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(template.to_owned(), Rc::clone(&read));
        Ok(read)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;
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
            ("a {{- n -}} b{#- gone -#} c {%- if yes %} d {% endif -%} e", "a3bc d e"),
            ("{% raw %}{{ q }}{% endraw %}{{ n ~ yes ~ none }}", "{{ q }}3TrueNone"),
            ("{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 3 }} {{ 'ab' * 2 }}", "3 -4 2 3.5 8 abab"),
            ("{{ 'b' in list or 'a' in list and not none }}", "True"),
            ("{% for a in list if a != 'a' %}{{ loop.length }}{{ a }}{% else %}x{% endfor %}", "1it's"),
            ("{% set x %}<{{ n }}>{% endset %}{{ x|upper }}{{ x[::-1] }}", "<3>>3<"),
            ("{{ missing is defined }} {{ missing|default('d') }} {{ n is not none }}", "False d True"),
            ("{{ {'a': 1}.a }} {{ {'a': [1, 2]}['a'][-1] }} {{ (1, 2)|last }}", "1 2 2"),
            ("{{ ['b', 'A']|sort|join }} {{ [1, 2]|map('string')|list }} {{ 1 < 2 < 3 }}", "Ab ['1', '2'] True"),
            ("{% for k, v in choices.items() %}{{ k }}={{ v|first }};{% endfor %}", "text=red;label=A;"),
            ("{% if n > 5 %}a{% elif n == 3 %}b{% else %}c{% endif %}", "b"),
            ("{{ 2.5|round }} {{ 2.567|round(1) }} {{ '12'|int + 1 }} {{ \"a\\tb\" }}", "2.0 2.6 13 a\tb"),
        ] {
            assert_eq!(rendered(template, item.clone()).as_deref(), Ok(text), "{template}");
        }
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        let item = json!({"q": "x", "list": [1]});
        for (template, word) in [
            ("{{missing}}", "undefined"),
            ("{{missing.x}}", "undefined"),
            ("{% if missing %}x{% endif %}", "undefined"),
            ("{{q.encode()}}", "encode"),
            ("{{q|regex_replace('a', 'b')}}", "regex_replace"),
            ("{{q", "syntax"),
            ("{% if q %}x", "syntax"),
            ("{{ (q }}", "syntax"),
            ("{{list.index(2)}}", "not in the list"),
            (
                "{% for a in range(9000) %}{% for b in range(900) %}{% if a == b %}x{% endif %}{% endfor %}{% endfor %}",
                "fuel",
            ),
            ("{% include 'x' %}", "include"),
            ("{% macro x() %}{% endmacro %}", "macro"),
        ] {
            let error = rendered(template, item.clone()).unwrap_err();
            assert!(error.contains(word), "{template}: {error}");
        }
    }

    #[test]
    fn no_operation_makes_more_than_its_room() {
        let many =
            |line: &str| format!("{{% set a = 'xxxxxxxx' %}}{{% set l = [a, a] %}}{}{{{{ a }}}}", line.repeat(60));
        for template in [
            many("{% set a = a ~ a %}"),
            many("{% set a = a + a %}"),
            many("{% set a = a * 2 %}"),
            many("{% set a = a|replace('x', a) %}"),
            many("{% set a = a.replace('', a) %}"),
            many("{% set a = a|join(a) %}"),
            many("{% set a = a.join([a, a]) %}"),
            many("{% set a %}{{ a }}{{ a }}{% endset %}"),
            many("{% set a = [a, a]|string %}"),
            many("{% set l = l + l %}"),
            many("{% set l = l * 3 %}"),
            many("{% set l = [l, l] %}") + "{{ l }}",
            many("{% set l = [l, l] %}") + "{{ l == l }}",
            many("{% set l = {'a': l, 'b': l} %}") + "{{ l }}",
            many("{% set l = (l|list) + (l|list)|sort|reverse|map('upper')|list %}"),
            many("{% set l = a.split('x') + l %}{% set a = l|join('x') ~ a %}"),
            "{{ 'x' * 10 ** 30 }}".to_owned(),
            "{{ [1] * 10 ** 12 }}".to_owned(),
            "{{ range(100000)|map('replace', '', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')|list }}".to_owned(),
            format!("{{% for a in range(100000) %}}{}{{% endfor %}}", "x".repeat(100_000)),
            format!("{{% set b %}}{{% for a in range(100000) %}}{}{{% endfor %}}{{% endset %}}", "x".repeat(100_000)),
        ] {
            let error = rendered(&template, json!({})).unwrap_err();
            assert!(error.contains("bytes") || error.contains("fuel"), "{template:.100}: {error}");
        }
        // What nests is no deeper than the stack.
        for template in [
            format!("{{{{ {}1{} }}}}", "(".repeat(50_000), ")".repeat(50_000)),
            format!("{{{{ {}1 }}}}", "not ".repeat(50_000)),
            format!("{{{{ {}1 }}}}", "-".repeat(50_000)),
            "{% if 1 %}".repeat(50_000),
            format!("{{{{ {}1 }}}}", "1 if 0 else ".repeat(50_000)),
            format!("{{% set a = [] %}}{}", "{% set a = [a] %}".repeat(40_000)),
        ] {
            assert!(rendered(&template, json!({})).unwrap_err().contains("deep") || template.contains("else"));
        }
        let long = format!("{{{{ 0{} }}}}", " + 1".repeat(100_000));
        assert_eq!(rendered(&long, json!({})).unwrap(), "100000");
    }

    proptest! {
        #[test]
        fn any_text_is_a_template_or_an_error(
            text in "(\\{\\{|\\}\\}|\\{%|%\\}|\\{#|#\\}| if | else | for a in b |set a = |end|[a-c0-9 ()\\[\\]{}|.:,~+*/%'\"\\\\é-]){0,20}"
        ) {
            let _ = rendered(&text, json!({"a": [1, "x"], "b": {"c": null}, "c": "é"}));
        }
    }
}
