//! A plugin's folder: which language it is in, and building it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{ForgeError, at};
use crate::{javascript, python, rust};

/// A language that plugins can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `Cargo.toml`.
    Rust,
    /// `app.py`.
    Python,
    /// `package.json`.
    JavaScript,
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
        })
    }
}

/// A component that was built.
#[derive(Debug)]
pub struct Built {
    /// Where it is: `plugin.wasm` of the folder.
    pub path: PathBuf,
    /// The language of its source.
    pub language: Language,
    /// The component.
    pub bytes: Vec<u8>,
}

/// The language of the plugin in `folder`.
///
/// # Errors
/// [`ForgeError::NoProject`].
pub fn language(folder: &Path) -> Result<Language, ForgeError> {
    [("Cargo.toml", Language::Rust), ("app.py", Language::Python), ("package.json", Language::JavaScript)]
        .into_iter()
        .find(|(file, _)| folder.join(file).is_file())
        .map(|(_, language)| language)
        .ok_or_else(|| ForgeError::NoProject(folder.to_owned()))
}

/// Builds the plugin in `folder` into its `plugin.wasm`. `world` is what a plugin in Python implements, such as `scorer-plugin`.
///
/// # Errors
/// Those of the language's tools.
pub fn build(folder: &Path, world: &str) -> Result<Built, ForgeError> {
    let language = language(folder)?;
    let bytes = match language {
        Language::Rust => rust::build(folder)?,
        Language::Python => python::build(folder, world)?,
        Language::JavaScript => javascript::build(folder)?,
    };
    let path = folder.join("plugin.wasm");
    if language == Language::Rust {
        std::fs::write(&path, &bytes).map_err(at(&path))?;
    }
    Ok(Built { path, language, bytes })
}
