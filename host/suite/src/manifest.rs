//! The `suite.toml` of a suite.
//!
//! ```toml
//! schema = 1                       # of this file
//! name = "suite-v1"                # kebab case
//! version = "1.0.0"                # semver of the suite: any change of text or parameters is a new version
//! title = "The first suite"
//! licence = "CC0-1.0"              # SPDX expression of the suite's own files
//! min-host = ">=0.1.0"             # versions of bench that may run it
//!
//! [corpora.prose]                  # the name that workloads know the text by
//! file = "corpora/prose.txt"       # relative to this file; UTF-8
//! sha256 = "…"                     # 64 lower-case hexadecimal digits
//! licence = "CC0-1.0"
//! source = "Where the text is from."
//!
//! [[workloads]]                    # in the order in which they run
//! label = "W1"                     # unique in the suite; `--workload W1`
//! plugin = "chat-short"
//! version = "^0.1"                 # of the plugin
//! [workloads.params]               # passed to the plugin; its own defaults stand for the rest
//! prompt-tokens = 128
//! [workloads.quick]                # on top of params in a quick run
//! answer-tokens = 32
//! ```
//!
//! A suite has workloads, eval tasks ([`TaskEntry`]), or both. Unknown keys are refused by name, with their line and the known keys.

use std::collections::{BTreeMap, BTreeSet};

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::task::TaskEntry;
use crate::{Digest, SuiteError, path};

/// The only version of the manifest's shape so far.
const SCHEMA: u32 = 1;

/// Most corpora, most workloads and most tasks of a suite.
const MOST_ENTRIES: usize = 256;

/// The contents of a `suite.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// Version of this file's shape; 1.
    pub schema: u32,
    /// Name in kebab case.
    pub name: String,
    /// Version of the suite. Any change of text or parameters is a new one.
    pub version: Version,
    /// Name for people.
    pub title: String,
    /// SPDX expression of the suite's own files.
    pub licence: String,
    /// Versions of the host that may run the suite.
    pub min_host: VersionReq,
    /// The texts, by the name that workloads know them by.
    #[serde(default)]
    pub corpora: BTreeMap<String, CorpusEntry>,
    /// The workloads, in the order in which they run.
    #[serde(default)]
    pub workloads: Vec<WorkloadEntry>,
    /// The eval tasks, in the order in which they run, after the workloads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskEntry>,
}

/// A text of a suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CorpusEntry {
    /// Path relative to the suite's folder.
    pub file: String,
    /// Digest of the file.
    pub sha256: Digest,
    /// SPDX expression.
    pub licence: String,
    /// Where the text is from.
    pub source: String,
}

/// A workload of a suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorkloadEntry {
    /// Short name, unique in the suite, such as `W1`.
    pub label: String,
    /// Name of the plugin.
    pub plugin: String,
    /// Versions of the plugin that the suite was made for.
    pub version: VersionReq,
    /// Parameters of the plugin.
    #[serde(default)]
    pub params: Map<String, Value>,
    /// Parameters that replace those of [`params`](Self::params) in a quick run.
    #[serde(default)]
    pub quick: Map<String, Value>,
}

impl WorkloadEntry {
    /// The parameters of a full or a quick run.
    pub fn effective_params(&self, in_quick_run: bool) -> Map<String, Value> {
        let mut params = self.params.clone();
        if in_quick_run {
            params.extend(self.quick.clone());
        }
        params
    }
}

impl Manifest {
    /// Reads the text of a `suite.toml` and checks every value.
    ///
    /// # Errors
    /// [`SuiteError::Syntax`] for what is no manifest, with line and column, [`SuiteError::Value`] for a value that makes
    /// no sense and [`SuiteError::Path`] for a file outside the suite's folder.
    pub fn parse(text: &str) -> Result<Self, SuiteError> {
        let manifest: Self = toml::from_str(text).map_err(|error| syntax("suite.toml", text, &error))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), SuiteError> {
        require(self.schema == SCHEMA, "schema", || format!("{} is unknown; this host reads {SCHEMA}", self.schema))?;
        identifier("name", &self.name)?;
        line("title", &self.title)?;
        line("licence", &self.licence)?;
        require(self.corpora.len() <= MOST_ENTRIES, "corpora", || format!("more than {MOST_ENTRIES}"))?;
        for (name, corpus) in &self.corpora {
            identifier("corpora", name)?;
            path::check(&corpus.file)?;
            line(&format!("corpora.{name}.licence"), &corpus.licence)?;
            line(&format!("corpora.{name}.source"), &corpus.source)?;
        }
        let count = self.workloads.len();
        require(count <= MOST_ENTRIES, "workloads", || format!("{count}, more than {MOST_ENTRIES}"))?;
        let tasks = self.tasks.len();
        require(tasks <= MOST_ENTRIES, "tasks", || format!("{tasks}, more than {MOST_ENTRIES}"))?;
        require(count + tasks > 0, "workloads", || "neither workloads nor tasks".to_owned())?;
        let mut labels = BTreeSet::new();
        for workload in &self.workloads {
            identifier("workloads.label", &workload.label.to_ascii_lowercase())?;
            identifier("workloads.plugin", &workload.plugin)?;
            // Labels are matched whatever their case, as on a command line.
            require(labels.insert(workload.label.to_ascii_lowercase()), "workloads.label", || {
                format!("`{}` is there twice", workload.label)
            })?;
        }
        let mut names = BTreeSet::new();
        for task in &self.tasks {
            task.check()?;
            require(names.insert(&task.name), "tasks.name", || format!("`{}` is there twice", task.name))?;
            if let Some(needle) = &task.needle {
                require(self.corpora.contains_key(&needle.corpus), "tasks.needle.corpus", || {
                    format!("there is no corpus `{}`", needle.corpus)
                })?;
            }
        }
        Ok(())
    }
}

/// A TOML error with its place. The parser's message names an unknown key and the known ones.
pub fn syntax(file: &str, text: &str, error: &toml::de::Error) -> SuiteError {
    let at = error.span().map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or("");
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    SuiteError::Syntax {
        file: file.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).map_or(0, |rest| rest.chars().count()) + 1,
        message: error.message().trim().to_owned(),
    }
}

pub(crate) fn require(holds: bool, what: &str, why: impl FnOnce() -> String) -> Result<(), SuiteError> {
    if holds { Ok(()) } else { Err(SuiteError::Value { what: what.to_owned(), why: why() }) }
}

/// Names are used in paths, on command lines and in records.
pub(crate) fn identifier(what: &str, name: &str) -> Result<(), SuiteError> {
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let framed = name.starts_with('-') || name.ends_with('-');
    require(plain && !framed && (1..=64).contains(&name.len()), what, || {
        format!("{name:?} is not a name of 1 to 64 lower-case letters, digits and inner hyphens")
    })
}

/// Texts for people are shown on one line of a terminal.
pub(crate) fn line(what: &str, text: &str) -> Result<(), SuiteError> {
    let bounded = !text.trim().is_empty() && text.len() <= 500;
    require(bounded && !text.chars().any(char::is_control), what, || {
        "not one line of 1 to 500 bytes without control characters".to_owned()
    })
}
