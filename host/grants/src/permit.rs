//! The rules: what a plugin may have, given what was granted to it.

use std::collections::{BTreeMap, BTreeSet};

use bench_registry::{PluginNeeds, is_on_this_machine, remote_origin};
use serde::Serialize;

/// What one plugin may have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Permit {
    /// Environment variables by name, each with the origins on other machines to which its value may
    /// go. It may also go to this machine and to a server that the user named.
    pub variables: BTreeMap<String, BTreeSet<String>>,
    /// Origins on other machines that it may reach without the user naming them.
    pub addresses: BTreeSet<String>,
    /// Programs that it may have started, as bare names.
    pub programs: BTreeSet<String>,
    /// Memory of one instance beyond the usual bound, in bytes; `None` for the usual bound.
    pub memory: Option<u64>,
    /// Whether the binary carries the plugin, so that its grants are fixed.
    pub carried: bool,
}

/// The server that a key would go to.
#[derive(Debug, Clone, Copy)]
pub struct KeyTarget<'a> {
    /// Address of the server.
    pub address: &'a str,
    /// Whether the user named this address.
    pub named: bool,
}

impl Permit {
    /// The permit of a carried plugin.
    #[must_use]
    pub fn carried(needs: PluginNeeds) -> Self {
        Self { carried: true, ..Self::granted(needs, None) }
    }

    /// The permit of a plugin to which the user granted these needs. A variable may go to all of the
    /// granted addresses.
    #[must_use]
    pub fn granted(needs: PluginNeeds, memory: Option<u64>) -> Self {
        let variables = needs.variables.into_iter().map(|name| (name, needs.addresses.clone())).collect();
        Self { variables, addresses: needs.addresses, programs: needs.programs, memory, carried: false }
    }

    /// The same names as needs.
    #[must_use]
    pub fn needs(&self) -> PluginNeeds {
        PluginNeeds {
            variables: self.variables.keys().cloned().collect(),
            addresses: self.addresses.clone(),
            programs: self.programs.clone(),
        }
    }

    /// Whether the plugin may learn if this environment variable is set.
    #[must_use]
    pub fn may_see_variable(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    /// Whether the value of this environment variable may go to the server.
    #[must_use]
    pub fn may_send_variable(&self, name: &str, target: KeyTarget<'_>) -> bool {
        let Some(origins) = self.variables.get(name) else { return false };
        match remote_origin(target.address) {
            Ok(None) => true,
            Ok(Some(origin)) => target.named || origins.contains(&origin),
            // Only a carried driver may talk to a link-local address, and only where the user named it.
            Err(_) => self.carried && target.named,
        }
    }

    /// Whether the plugin may be asked what answers at this address, which it named itself.
    #[must_use]
    pub fn may_reach(&self, address: &str) -> bool {
        match remote_origin(address) {
            Ok(None) => true,
            Ok(Some(origin)) => self.addresses.contains(&origin),
            Err(_) => false,
        }
    }

    /// Whether the plugin may talk to this address, which the user named. A link-local address is
    /// open to carried drivers alone.
    #[must_use]
    pub fn may_reach_named(&self, address: &str) -> bool {
        self.carried || remote_origin(address).is_ok()
    }

    /// Whether a search for servers may try this address, which the plugin named itself.
    #[must_use]
    pub fn may_survey(&self, address: &str) -> bool {
        is_on_this_machine(address)
    }

    /// Whether this program may be started, or looked for, for the plugin.
    #[must_use]
    pub fn may_launch(&self, program: &str) -> bool {
        self.programs.contains(program)
    }
}
