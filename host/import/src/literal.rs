//! Python's literals as values: what a template of lm-eval writes is often the text of a list.

use serde_json::{Map, Number, Value};

/// Deepest nesting.
const DEEPEST: usize = 64;

/// Longest text that is read, in bytes. Its values take up to a hundred times as much memory.
const LONGEST: usize = 1 << 20;

/// What `ast.literal_eval` gives for a text, where JSON has a value for it; tuples and sets are lists.
pub fn evaluate(text: &str) -> Option<Value> {
    if text.len() > LONGEST {
        return None;
    }
    let mut reader = Reader { rest: text.trim() };
    let value = reader.value(0)?;
    reader.space();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, word: &str) -> bool {
        self.space();
        let after = self.rest.strip_prefix(word);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.space();
        if depth > DEEPEST {
            return None;
        }
        match self.rest.chars().next()? {
            '[' => self.list('[', ']', depth).map(|(list, _)| Value::Array(list)),
            '(' => match self.list('(', ')', depth)? {
                // Parentheses around one value are no tuple.
                (mut list, false) if list.len() == 1 => list.pop(),
                (list, _) => Some(Value::Array(list)),
            },
            '{' => self.braces(depth),
            '\'' | '"' => {
                let mut text = self.string()?;
                // Texts that follow one another are one.
                loop {
                    self.space();
                    if !self.rest.starts_with(['\'', '"']) {
                        return Some(Value::String(text));
                    }
                    text.push_str(&self.string()?);
                }
            }
            _ => self.word(),
        }
    }

    /// The elements, and whether a comma stands after the last one.
    fn list(&mut self, open: char, close: char, depth: usize) -> Option<(Vec<Value>, bool)> {
        self.rest = self.rest.strip_prefix(open)?;
        let mut list = Vec::new();
        let mut comma = false;
        loop {
            if self.take(close.encode_utf8(&mut [0; 4])) {
                return Some((list, comma));
            }
            if !list.is_empty() && !comma {
                return None;
            }
            list.push(self.value(depth + 1)?);
            comma = self.take(",");
        }
    }

    fn braces(&mut self, depth: usize) -> Option<Value> {
        self.rest = self.rest.strip_prefix('{')?;
        let (mut fields, mut list, mut comma) = (Map::new(), Vec::new(), true);
        loop {
            if self.take("}") {
                return Some(if list.is_empty() { Value::Object(fields) } else { Value::Array(list) });
            }
            if !comma {
                return None;
            }
            let key = self.value(depth + 1)?;
            match (self.take(":"), key) {
                (true, Value::String(key)) if list.is_empty() => {
                    fields.insert(key, self.value(depth + 1)?);
                }
                (false, value) if fields.is_empty() => list.push(value),
                _ => return None,
            }
            comma = self.take(",");
        }
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.rest.chars().next()?;
        let mut letters = self.rest.char_indices().skip(1);
        let mut text = String::new();
        loop {
            let (at, letter) = letters.next()?;
            match letter {
                letter if letter == quote => {
                    self.rest = self.rest.get(at + 1..)?;
                    return Some(text);
                }
                '\n' => return None,
                '\\' => match letters.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    '\n' => {}
                    escaped @ ('\\' | '\'' | '"') => text.push(escaped),
                    'x' => text.push(hexadecimal(&mut letters, 2)?),
                    'u' => text.push(hexadecimal(&mut letters, 4)?),
                    'U' => text.push(hexadecimal(&mut letters, 8)?),
                    // The others are rare, and what is not known is not guessed.
                    _ => return None,
                },
                letter => text.push(letter),
            }
        }
    }

    fn word(&mut self) -> Option<Value> {
        let end = self.rest.find(|letter: char| !letter.is_ascii_alphanumeric() && !"+-._".contains(letter));
        let (word, after) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = after;
        match word {
            "None" => return Some(Value::Null),
            "True" => return Some(Value::Bool(true)),
            "False" => return Some(Value::Bool(false)),
            _ => {}
        }
        let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
        if !digits.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.') {
            return None;
        }
        match word.parse::<i64>() {
            // Python takes no whole number that begins with a zero.
            Ok(_) if digits.len() > 1 && digits.starts_with('0') => None,
            Ok(number) => Some(Value::from(number)),
            Err(_) => Number::from_f64(word.parse().ok()?).map(Value::Number),
        }
    }
}

fn hexadecimal(letters: &mut impl Iterator<Item = (usize, char)>, digits: usize) -> Option<char> {
    let text: String = letters.take(digits).map(|(_, letter)| letter).collect();
    char::from_u32(u32::from_str_radix(&text, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn literals_of_python() {
        for (text, value) in [
            (r#"['a', "b's", 'c\n']"#, json!(["a", "b's", "c\n"])),
            ("[1, -2.5, None, True]", json!([1, -2.5, null, true])),
            ("('a', )", json!(["a"])),
            ("('a')", json!("a")),
            ("{'a': [1], 'b': {}}", json!({"a": [1], "b": {}})),
            (r"'\x41\u00e9' 'b'", json!("Aéb")),
            ("[]", json!([])),
        ] {
            assert_eq!(evaluate(text), Some(value), "{text}");
        }
        for text in ["", "[", "[1 2]", "a", "__import__('os')", "[1]]", "'a", "007", "{1: 2}", &"[".repeat(5000)] {
            assert_eq!(evaluate(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_value_or_none(text in "[\\[\\](){}'\",:0-9a\\\\xTrue é.-]{0,60}") {
            let _ = evaluate(&text);
        }
    }
}
