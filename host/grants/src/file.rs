//! The user's grants, in `grants.toml` of the data folder.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bench_files::{FilesError, PrivateFolder};
use bench_registry::{ItemKind, ItemName, PluginNeeds, Source};
use bench_text::{clean_name, clean_sentence};
use serde::{Deserialize, Serialize};

use crate::carried::carried_permit;
use crate::permit::Permit;

/// The file's name in the data folder.
pub const GRANTS_FILE: &str = "grants.toml";
/// The largest file that is read: 1 MiB.
const LARGEST: u64 = 1 << 20;
const LAYOUT: u32 = 1;

/// Where a plugin came from, as far as a grant depends on it. A grant to a plugin of one registry says
/// nothing about a plugin of the same name from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum GrantSource {
    /// A registry, by its name in the configuration, or a repository of an OCI registry.
    Registry(String),
    /// One component, by its SHA-256 in hex: a file that the user named.
    Component(String),
}

const DIGEST: &str = "sha256:";

impl GrantSource {
    /// The source of an installed item. A digest at the end of an OCI reference does not count: the
    /// user names each digest when it is installed.
    #[must_use]
    pub fn of_registry(registry: &str) -> Self {
        let repository = registry.split_once('@').map_or(registry, |(repository, _)| repository);
        Self::Registry(repository.to_owned())
    }

    /// The source of a plugin; `None` for one that the binary carries.
    #[must_use]
    pub fn of_plugin(source: &Source, sha256: &str) -> Option<Self> {
        match source {
            Source::Bundle => None,
            Source::File(_) => Some(Self::Component(sha256.to_owned())),
            Source::Lock { registry, .. } => Some(Self::of_registry(registry)),
        }
    }
}

impl fmt::Display for GrantSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(name) => f.write_str(name),
            Self::Component(sha256) => write!(f, "{DIGEST}{sha256}"),
        }
    }
}

impl TryFrom<String> for GrantSource {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.strip_prefix(DIGEST) {
            Some(sha256) if bench_registry::is_digest(sha256) => Ok(Self::Component(sha256.to_owned())),
            Some(_) => Err("a digest is 64 hexadecimal digits".to_owned()),
            None => Ok(Self::Registry(text)),
        }
    }
}

impl From<GrantSource> for String {
    fn from(source: GrantSource) -> Self {
        source.to_string()
    }
}

/// An environment variable, and the other machines that its value may go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariableGrant {
    /// The variable's name.
    pub name: String,
    /// Origins on other machines, such as `https://api.example.com`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub origins: BTreeSet<String>,
}

/// What the user granted to one plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The plugin's kind.
    pub kind: ItemKind,
    /// The plugin's name.
    pub name: ItemName,
    /// Where it came from.
    pub source: GrantSource,
    /// Extra memory of one instance, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Origins on other machines that it may reach without the user naming them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub addresses: BTreeSet<String>,
    /// Programs that it may have started.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub programs: BTreeSet<String>,
    /// Environment variables that it may read.
    #[serde(default, rename = "variable", skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<VariableGrant>,
}

impl Grant {
    /// A grant of nothing.
    #[must_use]
    pub fn new(kind: ItemKind, name: ItemName, source: GrantSource) -> Self {
        let (addresses, programs, variables) = Default::default();
        Self { kind, name, source, memory: None, addresses, programs, variables }
    }

    /// Adds needs. All variables may go to all addresses of these needs.
    pub fn add_needs(&mut self, needs: &PluginNeeds) {
        self.addresses.extend(needs.addresses.iter().cloned());
        self.programs.extend(needs.programs.iter().cloned());
        for name in &needs.variables {
            if !self.variables.iter().any(|granted| granted.name == *name) {
                self.variables.push(VariableGrant { name: name.clone(), origins: self.addresses.clone() });
            }
        }
        for variable in &mut self.variables {
            variable.origins.extend(needs.addresses.iter().cloned());
        }
    }

    /// The names in this grant as needs.
    #[must_use]
    pub fn needs(&self) -> PluginNeeds {
        self.permit().needs()
    }

    /// Takes needs back.
    pub fn remove_needs(&mut self, needs: &PluginNeeds) {
        self.addresses.retain(|origin| !needs.addresses.contains(origin));
        self.programs.retain(|program| !needs.programs.contains(program));
        self.variables.retain(|variable| !needs.variables.contains(&variable.name));
        for variable in &mut self.variables {
            variable.origins.retain(|origin| !needs.addresses.contains(origin));
        }
    }

    fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.programs.is_empty() && self.variables.is_empty() && self.memory.is_none()
    }

    fn permit(&self) -> Permit {
        let variables = self.variables.iter().map(|it| (it.name.clone(), it.origins.clone())).collect();
        Permit {
            variables,
            addresses: self.addresses.clone(),
            programs: self.programs.clone(),
            memory: self.memory,
            carried: false,
        }
    }
}

/// Why the grants cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// The folder or the file is open to other users.
    #[error("the grants are not used: {0}")]
    NotPrivate(#[from] FilesError),
    /// A plugin that the binary carries.
    #[error("the {kind} {name} is part of bench, and its grants are fixed", name = clean_name(.name))]
    Fixed {
        /// Its kind.
        kind: ItemKind,
        /// Its name.
        name: String,
    },
    /// Something that the plugin does not ask for.
    #[error("the plugin {name} does not ask for {what}", name = clean_name(.name), what = clean_name(.what))]
    NotAsked {
        /// The plugin.
        name: String,
        /// What was to be granted.
        what: String,
    },
    /// Nothing to take back.
    #[error("the plugin {name} has no such grant", name = clean_name(.name))]
    NotGranted {
        /// The plugin.
        name: String,
    },
    /// The file is damaged.
    #[error(
        "the grants in {} cannot be used: {problem}",
        clean_sentence(path.display()),
        problem = clean_sentence(.problem),
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl GrantError {
    /// Stable identifier.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotPrivate(error) => error.code(),
            Self::Fixed { .. } => "grants-fixed",
            Self::NotAsked { .. } => "grant-not-asked",
            Self::NotGranted { .. } => "grant-not-there",
            Self::Damaged { .. } => "grants-damaged",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NotPrivate(error) => return error.hint(),
            Self::Fixed { .. } => "`bench plugin inspect` shows them",
            Self::NotAsked { name, .. } => {
                return Some(format!("`bench plugin inspect {name}` shows what it asks for"));
            }
            Self::NotGranted { .. } => "`bench plugin grants` shows what is granted",
            Self::Damaged { .. } => {
                "remove the file and grant again with `bench plugin grants add`; without it, plugins have no grants"
            }
        };
        Some(text.to_owned())
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layout {
    layout: u32,
    #[serde(default, rename = "grant")]
    grants: Vec<Grant>,
}

/// All grants of the user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants {
    grants: Vec<Grant>,
}

impl Grants {
    /// Reads the grants in the data folder. No file means no grants.
    ///
    /// # Errors
    /// When there is a file that cannot be used: a plugin must not silently have more or less than
    /// the user granted.
    pub fn read(data: &Path) -> Result<Self, GrantError> {
        let path = data.join(GRANTS_FILE);
        let damaged = |problem: String| GrantError::Damaged { path: path.clone(), problem };
        // A folder without the file grants nothing, whoever owns it.
        if std::fs::symlink_metadata(&path).is_err() {
            return Ok(Self::default());
        }
        let bytes = PrivateFolder::open(data)?.read_entry_bounded(GRANTS_FILE, LARGEST)?;
        let text = String::from_utf8(bytes).map_err(|_| damaged("it is not UTF-8".to_owned()))?;
        let layout: Layout = toml::from_str(&text).map_err(|error| damaged(error.message().to_owned()))?;
        if layout.layout != LAYOUT {
            return Err(damaged(format!("its layout is {}; this version reads {LAYOUT}", layout.layout)));
        }
        Ok(Self { grants: layout.grants })
    }

    /// Writes the grants to the data folder, in one step.
    ///
    /// # Errors
    /// When the folder is open to other users, or cannot be written.
    pub fn write(&self, data: &Path) -> Result<(), GrantError> {
        let mut file = PrivateFolder::open_or_create(data)?.stage(GRANTS_FILE)?;
        let path = data.join(GRANTS_FILE);
        file.write_all(self.text().as_bytes())
            .map_err(|error| GrantError::Damaged { path, problem: error.to_string() })?;
        file.persist_synced()?;
        Ok(())
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> String {
        // Plain structs of strings and numbers always serialise.
        let body = toml::to_string(&Layout { layout: LAYOUT, grants: self.grants.clone() }).unwrap_or_default();
        format!("# What plugins may have. Written by `bench plugin grants`.\n{body}")
    }

    /// All grants, by kind, name and source.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter()
    }

    /// The grant to this plugin.
    #[must_use]
    pub fn get(&self, kind: ItemKind, name: &str, source: &GrantSource) -> Option<&Grant> {
        self.grants.iter().find(|grant| grant.kind == kind && grant.name.as_str() == name && grant.source == *source)
    }

    /// Puts a grant in the place of an earlier one to the same plugin. A grant of nothing is removed.
    pub fn put(&mut self, grant: Grant) {
        let key = |grant: &Grant| (grant.kind, grant.name.clone(), grant.source.clone());
        self.grants.retain(|other| key(other) != key(&grant));
        if !grant.is_empty() {
            self.grants.push(grant);
        }
        self.grants.sort_by_key(key);
    }

    /// Removes all grants to this plugin.
    pub fn remove(&mut self, kind: ItemKind, name: &str, source: &GrantSource) -> Option<Grant> {
        let same = |grant: &Grant| grant.kind == kind && grant.name.as_str() == name && grant.source == *source;
        let index = self.grants.iter().position(same)?;
        Some(self.grants.remove(index))
    }

    /// What the plugin may have. A carried plugin has its fixed grants; a plugin without a grant has
    /// nothing.
    #[must_use]
    pub fn permit(&self, kind: ItemKind, name: &str, source: &Source, sha256: &str) -> Permit {
        match GrantSource::of_plugin(source, sha256) {
            None if kind == ItemKind::Driver => carried_permit(name),
            None => Permit { carried: true, ..Permit::default() },
            Some(source) => self.get(kind, name, &source).map(Grant::permit).unwrap_or_default(),
        }
    }
}
