//! What a plugin asks for, and which of it the user grants or takes back.

use std::collections::BTreeSet;

use bench_registry::{ItemKind, ItemName, PluginNeeds};
use serde::Serialize;

use crate::file::{Grant, GrantError, GrantSource, Grants};

/// What one plugin asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskedNeeds {
    /// The plugin's kind.
    pub kind: ItemKind,
    /// The plugin's name.
    pub name: ItemName,
    /// Where it came from; `None` for a plugin that the binary carries.
    pub source: Option<GrantSource>,
    /// Variables, addresses and programs.
    pub needs: PluginNeeds,
    /// Memory of one instance beyond the usual bound, in bytes.
    pub memory: Option<u64>,
}

/// A choice among what a plugin asks for. An empty choice means all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Environment variables.
    pub variables: BTreeSet<String>,
    /// Origins on other machines.
    pub addresses: BTreeSet<String>,
    /// Programs.
    pub programs: BTreeSet<String>,
    /// The extra memory.
    pub memory: bool,
}

impl Selection {
    fn is_all(&self) -> bool {
        !self.memory && self.variables.is_empty() && self.addresses.is_empty() && self.programs.is_empty()
    }

    fn needs(&self) -> PluginNeeds {
        PluginNeeds {
            variables: self.variables.clone(),
            addresses: self.addresses.clone(),
            programs: self.programs.clone(),
        }
    }
}

impl AskedNeeds {
    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.needs.is_empty() && self.memory.is_none()
    }

    /// Each need as a sentence for people.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let memory = self.memory.map(|bytes| format!("uses up to {} MiB of memory", bytes.div_ceil(1 << 20)));
        self.needs.sentences().into_iter().chain(memory).collect()
    }

    /// Where it came from.
    ///
    /// # Errors
    /// [`GrantError::Fixed`] for a carried plugin.
    pub fn required_source(&self) -> Result<&GrantSource, GrantError> {
        self.source.as_ref().ok_or_else(|| GrantError::Fixed { kind: self.kind, name: self.name.to_string() })
    }

    /// What it asks for and `grants` does not have.
    #[must_use]
    pub fn missing_from(&self, grants: &Grants) -> Self {
        let empty = PluginNeeds::default();
        let Some(source) = &self.source else { return Self { needs: empty, memory: None, ..self.clone() } };
        let grant = grants.get(self.kind, self.name.as_str(), source);
        let granted = grant.map(|grant| grant.needs()).unwrap_or_default();
        let enough = grant.and_then(|grant| grant.memory).unwrap_or_default();
        Self {
            needs: self.needs.beyond(&granted),
            memory: self.memory.filter(|memory| *memory > enough),
            ..self.clone()
        }
    }
}

impl Grants {
    /// Grants what the selection has of what the plugin asks for. Gives what is granted by this.
    ///
    /// # Errors
    /// [`GrantError::Fixed`] for a carried plugin, [`GrantError::NotAsked`] for a name that the plugin
    /// does not ask for.
    pub fn add(&mut self, asked: &AskedNeeds, selection: &Selection) -> Result<AskedNeeds, GrantError> {
        let source = asked.required_source()?;
        let chosen = if selection.is_all() {
            asked.clone()
        } else {
            let stray = selection.needs().beyond(&asked.needs);
            if !stray.is_empty() || (selection.memory && asked.memory.is_none()) {
                let what = if stray.is_empty() { "extra memory".to_owned() } else { stray.to_string() };
                return Err(GrantError::NotAsked { name: asked.name.to_string(), what });
            }
            let memory = asked.memory.filter(|_| selection.memory);
            AskedNeeds { needs: selection.needs(), memory, ..asked.clone() }
        };
        let known = self.get(asked.kind, asked.name.as_str(), source).cloned();
        let mut grant = known.unwrap_or_else(|| Grant::new(asked.kind, asked.name.clone(), source.clone()));
        grant.add_needs(&chosen.needs);
        grant.memory = chosen.memory.or(grant.memory);
        self.put(grant);
        Ok(chosen)
    }

    /// Takes back what the selection has of a plugin's grants. Gives what is left, if anything is.
    ///
    /// # Errors
    /// [`GrantError::NotGranted`] when there is nothing to take back.
    pub fn revoke(
        &mut self,
        kind: ItemKind,
        name: &str,
        source: &GrantSource,
        selection: &Selection,
    ) -> Result<Option<Grant>, GrantError> {
        let not_granted = || GrantError::NotGranted { name: name.to_owned() };
        if selection.is_all() {
            return self.remove(kind, name, source).map(|_| None).ok_or_else(not_granted);
        }
        let before = self.get(kind, name, source).cloned().ok_or_else(not_granted)?;
        let mut after = before.clone();
        after.remove_needs(&selection.needs());
        if selection.memory {
            after.memory = None;
        }
        if after == before {
            return Err(not_granted());
        }
        self.put(after);
        Ok(self.get(kind, name, source).cloned())
    }
}
