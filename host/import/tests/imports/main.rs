//! What is imported, and what is refused: each import over small files that are made here.

#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod bfcl;
mod code;
mod hostile;
mod inspect;
mod lm_eval;
mod plain;

use std::fs;
use std::path::{Path, PathBuf};

use bench_import::{ImportError, Imported, Options};
use bench_suite::{Suite, TaskEntry};
use serde_json::{Map, Value};
use tempfile::TempDir;

/// A folder to read from and write to.
pub struct Desk(TempDir);

impl Default for Desk {
    fn default() -> Self {
        Self(TempDir::new().unwrap())
    }
}

impl Desk {
    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file into it.
    #[track_caller]
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Options that write here.
    pub fn options(&self) -> Options {
        Options { out: Some(self.path("suite")), ..Options::default() }
    }
}

/// The suite that was made, with the entry and the items of its only task.
pub fn only(made: &Imported) -> (TaskEntry, Vec<Map<String, Value>>) {
    let suite = Suite::load(&made.folder).unwrap();
    let [task] = suite.manifest().tasks.as_slice() else { panic!("{} tasks", suite.manifest().tasks.len()) };
    let (_, data) = suite.task(&task.name).unwrap();
    (task.clone(), data.items.iter().map(|item| item.document.clone()).collect())
}

/// The error has this code and says these words, and nothing was written.
#[track_caller]
pub fn refused(desk: &Desk, result: Result<Imported, ImportError>, code: &str, words: &[&str]) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{error} does not say {word}");
    }
    assert!(error.hint().is_some() || code == "import-refused", "{error}");
    assert!(!desk.path("suite").exists());
}

/// A file of a suite.
pub fn texts(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}
