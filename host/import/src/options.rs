//! What every import is told.

use std::path::PathBuf;

use bench_suite::DatesEntry;

use crate::error::ImportError;

/// What every import is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Name of the suite and its task, in kebab case; by default made of what is imported.
    pub name: Option<String>,
    /// The folder to write, which must not be there; by default the name, in the current folder.
    pub out: Option<PathBuf>,
    /// Most items of each task.
    pub limit: Option<usize>,
    /// Fixes which items these are; the first ones where there is none.
    pub seed: Option<u64>,
    /// The data's licence, where the user knows it.
    pub licence: Option<String>,
    /// Only items from these days.
    pub window: Option<Window>,
}

/// A window of days, both ends included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    /// The field that has the day; by default the one that the form of the data has.
    pub field: Option<String>,
    /// The first day, such as `2026-01-31`.
    pub from: Option<String>,
    /// The last day.
    pub to: Option<String>,
}

impl Options {
    /// The window as a manifest states it, with the field of its days. `usual` is the one that this form of data has.
    pub(crate) fn dates(&self, usual: Option<&str>) -> Result<Option<(String, DatesEntry)>, ImportError> {
        let Some(window) = &self.window else { return Ok(None) };
        let field = window.field.as_deref().or(usual).ok_or_else(|| {
            ImportError::option("--after, --before", "no field is known that has the day", "name it with --date-field")
        })?;
        Ok(Some((field.to_owned(), DatesEntry { from: window.from.clone(), to: window.to.clone() })))
    }
}

/// A name in kebab case out of any text.
pub(crate) fn kebab(text: &str) -> String {
    let mut name = String::new();
    for letter in text.chars() {
        match letter.to_ascii_lowercase() {
            letter if letter.is_ascii_alphanumeric() => name.push(letter),
            _ if !name.ends_with('-') && !name.is_empty() => name.push('-'),
            _ => {}
        }
    }
    name.truncate(60);
    let name = name.trim_end_matches('-');
    if name.is_empty() { "imported".to_owned() } else { name.to_owned() }
}
