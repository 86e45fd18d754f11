//! What a look at the world found.
//!
//! A missing tool, a tool that failed and a value are three different facts, and a record that shows an empty string for
//! all of them cannot be disputed. Every probe of this crate therefore ends in a [`Found`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The outcome of one probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Found<T> {
    /// The probe gave a value.
    Present {
        /// The value.
        value: T,
    },
    /// The thing does not exist here.
    NotPresent {
        /// The tool, file or setting that was looked for.
        looked_for: String,
    },
    /// The thing exists and could not be read or understood.
    Failed {
        /// One sentence, without anything that identifies the machine.
        reason: String,
    },
}

impl<T> Found<T> {
    /// A value.
    pub const fn present(value: T) -> Self {
        Self::Present { value }
    }

    /// Nothing of that name exists here.
    pub fn not_present(looked_for: impl Into<String>) -> Self {
        Self::NotPresent { looked_for: looked_for.into() }
    }

    /// It exists, but reading or understanding it failed.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into() }
    }

    /// `Present` where there is a value, else `NotPresent`.
    pub fn from_option(value: Option<T>, looked_for: &str) -> Self {
        value.map_or_else(|| Self::not_present(looked_for), Self::present)
    }

    /// The value, where there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Present { value } => Some(value),
            Self::NotPresent { .. } | Self::Failed { .. } => None,
        }
    }

    /// The value by itself, where there is one.
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Present { value } => Some(value),
            Self::NotPresent { .. } | Self::Failed { .. } => None,
        }
    }

    /// Whether there is a value.
    pub const fn is_present(&self) -> bool {
        matches!(self, Self::Present { .. })
    }

    /// Changes the value, keeps the absence or the failure.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Found<U> {
        match self {
            Self::Present { value } => Found::Present { value: change(value) },
            Self::NotPresent { looked_for } => Found::NotPresent { looked_for },
            Self::Failed { reason } => Found::Failed { reason },
        }
    }

    /// Parses the value; a parser's complaint becomes `Failed`.
    pub fn parse<U>(self, parse: impl FnOnce(T) -> Result<U, String>) -> Found<U> {
        match self {
            Self::Present { value } => match parse(value) {
                Ok(value) => Found::Present { value },
                Err(reason) => Found::Failed { reason },
            },
            Self::NotPresent { looked_for } => Found::NotPresent { looked_for },
            Self::Failed { reason } => Found::Failed { reason },
        }
    }
}
