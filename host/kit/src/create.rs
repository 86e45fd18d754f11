//! New plugins from templates. What is written is a project of its own: it builds without this repository.

use std::fs;
use std::path::{Path, PathBuf};

use bench_forge::Language;
use bench_plugin::Kind;

use crate::embedded::{PACKED, SDK, TEMPLATES, WIT};
use crate::error::{KitError, at};

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// The kind of plugin.
    pub kind: Kind,
    /// The language.
    pub language: Language,
}

/// What was made.
#[derive(Debug)]
pub struct Created {
    /// The plugin's folder.
    pub folder: PathBuf,
    /// Its files, relative to it.
    pub files: Vec<String>,
}

impl Template {
    /// The template's folder; `None` where there is none.
    fn folder(self) -> Option<&'static str> {
        match (self.kind, self.language) {
            (Kind::Scorer, Language::Rust) => Some("rust-scorer/"),
            (Kind::Scorer, Language::Python) => Some("python-scorer/"),
            (Kind::Scorer, Language::JavaScript) => Some("javascript-scorer/"),
            (Kind::Driver, Language::Rust) => Some("rust-driver/"),
            (Kind::Workload, Language::Rust) => Some("rust-workload/"),
            (Kind::Publisher, Language::Rust) => Some("rust-publisher/"),
            _ => None,
        }
    }

    /// Is it built on the SDK?
    fn uses_sdk(self) -> bool {
        matches!(self.kind, Kind::Driver | Kind::Workload)
    }
}

/// Writes a new plugin into `folder`, which must not be there yet.
///
/// # Errors
/// [`KitError::BadName`], [`KitError::NoTemplate`], [`KitError::Exists`], [`KitError::Io`].
pub fn create(template: Template, name: &str, folder: &Path) -> Result<Created, KitError> {
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if !plain || !begins || name.ends_with('-') || name.len() > 64 {
        return Err(KitError::BadName(name.to_owned()));
    }
    let from = template.folder().ok_or_else(|| KitError::NoTemplate {
        kind: template.kind.to_string(),
        language: template.language.to_string(),
    })?;
    if folder.exists() {
        return Err(KitError::Exists(folder.to_owned()));
    }
    let mut files: Vec<(String, String)> =
        WIT.iter().map(|(path, text)| (format!("wit/{path}"), (*text).to_owned())).collect();
    let own = TEMPLATES.iter().filter_map(|(path, text)| Some((path.strip_prefix(from)?, text)));
    files.extend(own.map(|(path, text)| (path.to_owned(), filled(text, name))));
    if template.language == Language::Rust {
        files.push(("Cargo.toml".to_owned(), manifest(template, name)));
        files.push((".gitignore".to_owned(), "/target\n/plugin.wasm\n".to_owned()));
    } else {
        files.push((".gitignore".to_owned(), "/.venv\n/node_modules\n/plugin.wasm\n__pycache__\n".to_owned()));
    }
    if template.uses_sdk() {
        files.extend(SDK.iter().map(|(path, text)| (format!("vendor/sdk/src/{path}"), (*text).to_owned())));
        files.push(("vendor/sdk/Cargo.toml".to_owned(), text_of("sdk-Cargo.toml.in").to_owned()));
        files.extend(PACKED.iter().map(|(path, text)| (format!("vendor/packed/src/{path}"), (*text).to_owned())));
        files.push(("vendor/packed/Cargo.toml".to_owned(), text_of("packed-Cargo.toml.in").to_owned()));
    }
    if template.kind == Kind::Scorer {
        files.push(("cases/words.json".to_owned(), text_of("cases/words.json").to_owned()));
    }
    files.sort();
    for (path, text) in &files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        fs::write(&path, text).map_err(at(&path))?;
    }
    Ok(Created { folder: folder.to_owned(), files: files.into_iter().map(|(path, _)| path).collect() })
}

fn text_of(path: &str) -> &'static str {
    TEMPLATES.iter().find(|(known, _)| *known == path).map_or("", |(_, text)| text)
}

fn filled(text: &str, name: &str) -> String {
    text.replace("{name}", name)
}

fn manifest(template: Template, name: &str) -> String {
    let text = filled(text_of("Cargo.toml.in"), name);
    if !template.uses_sdk() {
        return text;
    }
    // The SDK brings the bindings along.
    let bindings = text.lines().find(|line| line.starts_with("wit-bindgen")).unwrap_or_default();
    text.replace(bindings, "bench-sdk = { path = \"vendor/sdk\" }")
}
