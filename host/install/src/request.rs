//! What a user asks for, as it is typed: `name`, `publisher/name`, `name@^1.2`, `registry:name`, `oci://host/repository@sha256:digest`.

use std::fmt;
use std::str::FromStr;

use bench_oci::{Reference, SCHEME};
use bench_registry::{ItemKind, ItemName, NameError};
use semver::VersionReq;

use crate::error::InstallError;

/// An item to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The registry to look in; by default all of them, in their order.
    pub registry: Option<String>,
    /// What it is; by default whatever has the name.
    pub kind: Option<ItemKind>,
    /// Its name.
    pub name: ItemName,
    /// The versions that will do. `None`: any, and the first number of the one that is taken stays.
    pub range: Option<VersionReq>,
}

impl Request {
    /// The same for one kind.
    #[must_use]
    pub fn of_kind(self, kind: Option<ItemKind>) -> Self {
        Self { kind, ..self }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Some(kind) => write!(f, "{kind} {}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}

impl FromStr for Request {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (rest, range) = match text.split_once('@') {
            Some((rest, range)) => {
                // A bare version means that one and no other.
                let exact = range.starts_with(|first: char| first.is_ascii_digit()) && range.matches('.').count() >= 2;
                let range = if exact { format!("={range}") } else { range.to_owned() };
                let bad = |_| NameError {
                    text: range.chars().take(80).collect(),
                    problem: "is no range of versions such as ^1.2",
                };
                (rest, Some(VersionReq::parse(&range).map_err(bad)?))
            }
            None => (text, None),
        };
        let (registry, name) = match rest.split_once(':') {
            Some((registry, name)) => (Some(ItemName::parse(registry)?.to_string()), name),
            None => (None, rest),
        };
        Ok(Self { registry, kind: None, name: ItemName::parse(name)?, range })
    }
}

/// Something to install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// By its name in a registry.
    Named(Request),
    /// By its place in an OCI registry.
    Pulled(Reference),
}

impl Wanted {
    /// The same for one kind. What is pulled says itself what it is.
    #[must_use]
    pub fn of_kind(self, kind: Option<ItemKind>) -> Self {
        match self {
            Self::Named(request) => Self::Named(request.of_kind(kind)),
            Self::Pulled(reference) => Self::Pulled(reference),
        }
    }
}

impl From<Request> for Wanted {
    fn from(request: Request) -> Self {
        Self::Named(request)
    }
}

impl FromStr for Wanted {
    type Err = InstallError;

    fn from_str(text: &str) -> Result<Self, InstallError> {
        Ok(match text.starts_with(SCHEME) {
            true => Self::Pulled(text.parse()?),
            false => Self::Named(text.parse()?),
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_they_are_typed() {
        for (text, registry, name, range) in [
            ("fast", None, "fast", None),
            ("acme/fast@^1.2", None, "acme/fast", Some("^1.2")),
            ("main:acme/fast@1.2.3", Some("main"), "acme/fast", Some("=1.2.3")),
            ("fast@1.2", None, "fast", Some("^1.2")),
            ("fast@>=1, <3", None, "fast", Some(">=1, <3")),
        ] {
            let request: Request = text.parse().unwrap();
            assert_eq!(request.registry.as_deref(), registry);
            assert_eq!(request.name.as_str(), name);
            assert_eq!(request.range, range.map(|range| VersionReq::parse(range).unwrap()), "{text}");
        }
        for text in ["", "../x", "a:b:c", "fast@", "fast@nonsense", "a b", ":fast", "MAIN:fast"] {
            assert!(text.parse::<Request>().is_err(), "{text}");
        }
    }
}
