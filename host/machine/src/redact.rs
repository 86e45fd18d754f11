//! Takes secrets and names of people out of command lines and environments before they enter a record.
//!
//! The rule is to mask too much rather than too little: a masked harmless value costs a fact, a leaked key costs the user.

/// What stands in a masked place.
pub const MASK: &str = "<redacted>";

/// Words that make an option or a variable a secret. `tokens` is not among them: `--max-tokens` is a setting.
const SECRET_WORDS: [&str; 20] = [
    "key",
    "keys",
    "apikey",
    "apikeys",
    "token",
    "hft",
    "secret",
    "secrets",
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "credential",
    "credentials",
    "auth",
    "authorization",
    "bearer",
    "cookie",
    "pat",
];
/// Beginnings of well-known kinds of keys.
const SECRET_PREFIXES: [&str; 12] =
    ["hf_", "sk-", "ghp_", "gho_", "github_pat_", "glpat-", "xoxb-", "nvapi-", "gsk_", "AKIA", "AIza", "eyJ"];
/// A secret is at least this long; shorter matches are ordinary words.
const KEY_LENGTH: usize = 16;
const ARGUMENT_LIMIT: usize = 512;
const LENGTH_LIMIT: usize = 4096;

/// Whether an option or a variable of this name holds a secret.
pub fn is_secret_name(name: &str) -> bool {
    let mut words = vec![String::new()];
    let mut previous_lower = false;
    for c in name.chars() {
        let boundary = c.is_uppercase() && previous_lower;
        if boundary || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        previous_lower = c.is_lowercase();
    }
    words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()))
}

/// A command line without secrets and home directories. Long lines are cut.
pub fn command_line(arguments: &[String]) -> Vec<String> {
    let mut clean = Vec::new();
    // An option may take several values, so masking lasts until the next option.
    let mut masking = false;
    for argument in arguments.iter().take(ARGUMENT_LIMIT) {
        let is_option = argument.starts_with('-') && argument.len() > 1;
        if masking && !is_option {
            clean.push(MASK.to_owned());
            continue;
        }
        masking = is_option && !argument.contains('=') && is_secret_name(argument);
        // A header option is harmless by name; its value says what it is.
        clean.push(text(argument));
    }
    clean
}

/// One argument or value without secrets and home directories.
pub fn text(argument: &str) -> String {
    let argument: String = argument.chars().take(LENGTH_LIMIT).collect();
    if let Some(clean) = json(&argument) {
        return clean;
    }
    // A setting whose value is JSON, such as `extra={"api_key": "abc"}`.
    if let Some((name, value)) = argument.split_once('=')
        && !is_secret_name(name)
        && let Some(clean) = json(value)
    {
        return format!("{name}={clean}");
    }
    if let Some((name, value)) = argument.split_once(['=', ':'])
        && !value.is_empty()
        && !value.starts_with("//")
        && !name.contains(char::is_whitespace)
        && is_secret_name(name)
    {
        let separator = &argument[name.len()..=name.len()];
        return format!("{name}{separator}{MASK}");
    }
    if argument.contains(char::is_whitespace) {
        return sentence(&argument);
    }
    if let Some((name, value)) = argument.split_once('=')
        && !value.is_empty()
    {
        return format!("{name}={}", word(value));
    }
    word(&argument)
}

/// Words of a longer argument, such as the script of `sh -c`.
fn sentence(argument: &str) -> String {
    let words: Vec<String> = argument.split_whitespace().map(str::to_owned).collect();
    let mut clean: Vec<String> = Vec::with_capacity(words.len());
    let mut masking = false;
    for word in &words {
        let bare = word.trim_matches(['"', '\'']);
        if masking && !bare.starts_with('-') {
            clean.push(MASK.to_owned());
            continue;
        }
        // `Authorization: Bearer abc` and `--api-key abc` both announce what follows.
        let announces = bare.starts_with('-') && !bare.contains('=') || bare.ends_with(':');
        masking = (announces && is_secret_name(bare)) || bare.eq_ignore_ascii_case("bearer");
        clean.push(text(bare));
    }
    clean.join(" ")
}

fn word(word: &str) -> String {
    if is_key(word) {
        return MASK.to_owned();
    }
    home(&url(word))
}

fn is_key(word: &str) -> bool {
    word.len() >= KEY_LENGTH && SECRET_PREFIXES.iter().any(|prefix| word.starts_with(prefix)) || is_uuid(word)
}

/// Whether the text holds a UUID, as `GPU-…` identifiers do.
fn is_uuid(word: &str) -> bool {
    word.split(|c: char| !(c.is_ascii_hexdigit() || c == '-')).any(|part| {
        let lengths: Vec<usize> = part.split('-').map(str::len).collect();
        lengths.ends_with(&[8, 4, 4, 4, 12])
    })
}

/// Masks the account of `scheme://user:secret@host` and secret parameters of a query.
fn url(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{MASK}@{host}"),
        None => authority.to_owned(),
    };
    let path = match path.split_once('?') {
        None => path.to_owned(),
        Some((path, query)) => {
            let pairs: Vec<String> = query
                .split('&')
                .map(|pair| match pair.split_once('=') {
                    Some((name, value)) if is_secret_name(name) || is_key(value) => format!("{name}={MASK}"),
                    _ => pair.to_owned(),
                })
                .collect();
            format!("{path}?{}", pairs.join("&"))
        }
    };
    format!("{scheme}://{authority}{path}")
}

/// Replaces home directories by `~`: they carry the name of an account.
fn home(word: &str) -> String {
    let parents = ["/home/", "/Users/", "C:\\Users\\"];
    let first = parents.into_iter().filter_map(|parent| Some((word.find(parent)?, parent.len()))).min();
    let Some((at, length)) = first else { return word.to_owned() };
    let rest = &word[at + length..];
    let end = rest.find(['/', '\\', ':', ',']).unwrap_or(rest.len());
    format!("{}~{}", &word[..at], home(&rest[end..]))
}

fn looks_like_json(argument: &str) -> bool {
    argument.starts_with('{') || argument.starts_with('[')
}

/// A JSON document without secrets; `None` for a text that is none.
fn json(text: &str) -> Option<String> {
    let mut value: serde_json::Value = looks_like_json(text).then(|| serde_json::from_str(text).ok())??;
    mask_json(&mut value);
    Some(value.to_string())
}

fn mask_json(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                if is_secret_name(name) && !value.is_boolean() {
                    *value = MASK.into();
                } else {
                    mask_json(value);
                }
            }
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(mask_json),
        serde_json::Value::String(text) => *text = word(text),
        _ => {}
    }
}
