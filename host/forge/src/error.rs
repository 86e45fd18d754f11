//! What can go wrong.

use std::path::{Path, PathBuf};

/// Why a component was not built.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The file system refused.
    #[error("{path}: {error}")]
    Io {
        /// Which file or program.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Nothing here compiles to WebAssembly.
    #[error("no toolchain can build for wasm32-unknown-unknown")]
    NoToolchain,
    /// A tool that the language needs is not installed.
    #[error("`{tool}` is not installed")]
    NoTool {
        /// Its name.
        tool: &'static str,
        /// How to get it.
        install: String,
    },
    /// The folder holds no plugin in a language that is known.
    #[error("{0} holds no plugin: neither Cargo.toml nor app.py nor package.json is there")]
    NoProject(PathBuf),
    /// The package cannot be read, or makes no component.
    #[error("{path}: {why}")]
    BadProject {
        /// Where.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A tool ended with an error, which it has printed.
    #[error("`{0}` failed")]
    Failed(String),
    /// What was compiled is no component.
    #[error("{path}: not a component: {why}")]
    Encode {
        /// The module.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl ForgeError {
    /// Stable name of the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::NoToolchain => "no-wasm-toolchain",
            Self::NoTool { .. } => "tool-missing",
            Self::NoProject(_) => "no-plugin-here",
            Self::BadProject { .. } => "bad-plugin-project",
            Self::Failed(_) => "build-failed",
            Self::Encode { .. } => "not-a-component",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoToolchain => Some(
                "run `rustup target add wasm32-unknown-unknown`, or install Debian's rustc-web, cargo-web and rust-web-src"
                    .to_owned(),
            ),
            Self::NoTool { install, .. } => Some(install.clone()),
            Self::NoProject(_) => Some("make one with `bench plugin new scorer NAME --lang rust`".to_owned()),
            Self::Failed(_) => Some("read what the tool said above".to_owned()),
            Self::Io { .. } | Self::BadProject { .. } | Self::Encode { .. } => None,
        }
    }
}

/// Adds the path to an I/O error.
pub(crate) fn at(path: &Path) -> impl Fn(std::io::Error) -> ForgeError {
    let path = path.to_owned();
    move |error| ForgeError::Io { path: path.clone(), error }
}
