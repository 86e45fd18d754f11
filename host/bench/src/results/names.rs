//! Names of plugins' interfaces as people read them.

use serde_json::Value;

/// Names of the interface as the interface writes them: `final-usage`, not `FinalUsage`.
pub fn in_kebab_case(mut description: Value) -> Value {
    let kebab = |name: &str| {
        let mut text = String::new();
        for (place, letter) in name.char_indices() {
            if letter.is_ascii_uppercase() && place > 0 {
                text.push('-');
            }
            text.push(letter.to_ascii_lowercase());
        }
        Value::String(text)
    };
    for key in ["locality", "evidence", "capabilities"] {
        match description.get_mut(key) {
            Some(Value::Array(names)) => {
                names.iter_mut().for_each(|name| *name = name.as_str().map_or(Value::Null, kebab));
            }
            Some(name) => *name = name.as_str().map_or(Value::Null, kebab),
            None => {}
        }
    }
    description
}
