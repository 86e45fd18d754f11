//! `edit-format`: the answer is a change to a file, in one of the formats that coding agents use, and the changed file is
//! compared with the expected one.
//!
//! A change fails in three ways that say different things about a model, and the reasons keep them apart: it is not of the
//! format (`invalid-format`), it is of the format and does not fit the file (`does-not-apply`), and it fits and gives another
//! file than the expected one (`wrong`).

mod blocks;
mod diff;

use bench_scoring::{About, Grade, MetricAbout, Problem, Reason, Sample, Scorer, metadata, problem, target_texts};
use serde::Deserialize;

use crate::fences;

/// How the change is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Blocks of `<<<<<<< SEARCH`, `=======`, `>>>>>>> REPLACE`.
    #[default]
    SearchReplace,
    /// A unified diff of one file.
    UnifiedDiff,
    /// The whole changed file, in the only fenced block of the answer or without any.
    Whole,
}

/// What white space counts when files are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whitespace {
    /// All of it.
    Exact,
    /// Not that at the end of lines, nor blank lines at the end of the file.
    #[default]
    Trailing,
}

/// How the lines that are to be changed are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// By their text; of several places the first, or for a diff the one closest to the line that it names.
    #[default]
    Text,
    /// By their text, which has to be in one place only; and a diff's line numbers and counts have to be right.
    Strict,
}

/// Configuration of [`EditFormat`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct EditFormatConfig {
    /// How the change is written.
    pub format: Format,
    /// The item's field that has the file before the change.
    pub file_field: String,
    /// What white space counts when files are compared.
    pub whitespace: Whitespace,
    /// How the lines that are to be changed are found.
    pub placement: Placement,
}

impl Default for EditFormatConfig {
    fn default() -> Self {
        Self {
            format: Format::SearchReplace,
            file_field: "file".to_owned(),
            whitespace: Whitespace::Trailing,
            placement: Placement::Text,
        }
    }
}

/// Why a change gives no file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Broken {
    /// It is not of the format.
    Malformed(String),
    /// It does not fit the file.
    Misplaced(String),
}

/// The answer's edits turn a file into the expected one.
#[derive(Debug)]
pub struct EditFormat(EditFormatConfig);

impl EditFormat {
    fn changed(&self, file: &str, answer: &str) -> Result<String, Broken> {
        match self.0.format {
            Format::SearchReplace => blocks::apply(file, answer, self.0.placement),
            Format::UnifiedDiff => diff::apply(file, answer, self.0.placement),
            Format::Whole => whole(answer),
        }
    }

    fn same(&self, one: &str, other: &str) -> bool {
        match self.0.whitespace {
            Whitespace::Exact => one == other,
            Whitespace::Trailing => {
                let lines = |text: &str| -> Vec<String> {
                    let mut lines: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
                    lines.truncate(lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1));
                    lines
                };
                lines(one) == lines(other)
            }
        }
    }
}

fn whole(answer: &str) -> Result<String, Broken> {
    match fences::blocks(answer).as_slice() {
        [block] => Ok(block.body.to_owned()),
        [] if answer.lines().any(|line| line.starts_with("```")) => {
            Err(Broken::Malformed("the block of the file is never closed".into()))
        }
        [] if answer.trim().is_empty() => Err(Broken::Malformed("there is no file".into())),
        [] => Ok(answer.to_owned()),
        blocks => Err(Broken::Malformed(format!("there are {} fenced blocks, and one file is wanted", blocks.len()))),
    }
}

impl Scorer for EditFormat {
    const ABOUT: About = About {
        name: "edit-format",
        version: env!("CARGO_PKG_VERSION"),
        summary: "The answer's edits turn a file into the expected one.",
        reference: "",
        config: r#"{
            "format": { "enum": ["search-replace", "unified-diff", "whole"], "default": "search-replace",
                "description": "How the change is written." },
            "file-field": { "type": "string", "default": "file",
                "description": "The item's field that has the file before the change." },
            "whitespace": { "enum": ["exact", "trailing"], "default": "trailing",
                "description": "Whether white space at the end of lines and of the file counts." },
            "placement": { "enum": ["text", "strict"], "default": "text",
                "description": "Whether the place of a change has to be the only one, with a diff's numbers right." }
        }"#,
        metrics: &[
            MetricAbout {
                name: "accuracy",
                summary: "Share of the changes that give the expected file.",
                unit: "ratio",
                higher_is_better: Some(true),
            },
            MetricAbout {
                name: "well-formed",
                summary: "Share of the answers that are of the format.",
                unit: "ratio",
                higher_is_better: Some(true),
            },
            MetricAbout {
                name: "applies",
                summary: "Share of the answers that are of the format and fit the file.",
                unit: "ratio",
                higher_is_better: Some(true),
            },
        ],
        unbounded: false,
        needs_judge: false,
        needs_likelihoods: false,
    };
    type Config = EditFormatConfig;

    fn new(config: EditFormatConfig) -> Result<Self, Problem> {
        Ok(Self(config))
    }

    fn grade(&self, sample: &Sample) -> Grade {
        let file = metadata(sample).and_then(|fields| {
            let file = fields.get(&self.0.file_field).and_then(|file| file.as_str()).map(str::to_owned);
            file.ok_or_else(|| {
                let message = format!("sample `{}` has no text in its field `{}`", sample.id, self.0.file_field);
                problem("no-file", message, "name the field that has the file with `file-field`")
            })
        });
        let (file, expected) = match file.and_then(|file| Ok((file, target_texts(sample)?))) {
            Ok(given) => given,
            Err(problem) => return Grade::failed(problem),
        };
        let scored =
            |grade: Grade, well_formed, applies| grade.with("well-formed", well_formed).with("applies", applies);
        match self.changed(&file, sample.answer.as_deref().unwrap_or_default()) {
            Err(Broken::Malformed(why)) => scored(Grade::zero(Reason::InvalidFormat).explained(why), 0.0, 0.0),
            Err(Broken::Misplaced(why)) => {
                scored(Grade::zero(Reason::Other("does-not-apply".into())).explained(why), 1.0, 0.0)
            }
            Ok(changed) => {
                let right = expected.iter().any(|expected| self.same(&changed, expected));
                scored(Grade::binary(right).extracted(changed), 1.0, 1.0)
            }
        }
    }
}
