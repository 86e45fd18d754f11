//! What a plugin asks the user for: environment variables, addresses, programs.
//!
//! A release states it in signed metadata, the component states it through its own functions, and
//! only the user grants it. A component that asks for more than its release states is refused.

use std::collections::BTreeSet;
use std::fmt;

use bench_plugin::driver_types::{Capability, LaunchOptions, Probe};
use bench_plugin::{Driver, Fault};
use bench_text::{clean_sentence, spell_name};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The most names of each kind that a plugin may ask for.
const MOST_NAMES: usize = 16;
/// The most characters of a name.
const LONGEST_NAME: usize = 128;

/// What a plugin asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginNeeds {
    /// Environment variables: it has the host send their values as secrets, or asks whether they are set.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub variables: BTreeSet<String>,
    /// Origins of servers on other machines that it wants to reach without the user naming them, such
    /// as `https://api.example.com`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub addresses: BTreeSet<String>,
    /// Programs that it starts or looks for, as bare names.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub programs: BTreeSet<String>,
}

/// Needs that no plugin may have.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NeedsError {
    /// The plugin failed when it was asked.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// A name that no plugin may ask for.
    #[error("it asks for the {what} `{name}`, which no plugin may have: {reason}", name = clean_sentence(.name))]
    Forbidden {
        /// `environment variable`, `address` or `program`.
        what: &'static str,
        /// The name, made printable.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// More names than a plugin may ask for.
    #[error("it asks for {count} {what}; a plugin may ask for {MOST_NAMES}")]
    TooMany {
        /// `environment variables`, `addresses` or `programs`.
        what: &'static str,
        /// How many.
        count: usize,
    },
}

impl NeedsError {
    /// Stable identifier.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Fault(fault) => fault.code(),
            Self::Forbidden { .. } | Self::TooMany { .. } => "plugin-needs-forbidden",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Fault(fault) => fault.hint(),
            Self::Forbidden { .. } | Self::TooMany { .. } => Some(
                "do not install it; if it is your own, see docs/security.md for what a plugin may ask for".to_owned(),
            ),
        }
    }
}

impl PluginNeeds {
    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty() && self.addresses.is_empty() && self.programs.is_empty()
    }

    /// What a driver asks for, by its own functions: the secrets and addresses that it describes, the
    /// programs and variables that it looks for, and the program that it would launch.
    ///
    /// A driver can answer otherwise later, so every use is checked against the grant again. Programs
    /// that no plugin may start, such as shells, are left out: no grant could cover them.
    ///
    /// # Errors
    /// When the driver fails, or asks for something that no plugin may have.
    pub fn ask_driver(driver: &mut Driver) -> Result<Self, NeedsError> {
        let info = driver.info();
        let mut needs = Self::default();
        needs.variables.extend(info.secrets.iter().map(|secret| secret.environment.clone()));
        for endpoint in &info.endpoints {
            needs.addresses.extend(remote_origin(endpoint)?);
        }
        let launches = info.capabilities.contains(&Capability::Launch);
        for probe in driver.probes()? {
            match probe {
                Probe::Binary(name) => drop(needs.programs.insert(name)),
                Probe::Environment(name) => drop(needs.variables.insert(name)),
                Probe::Http(_) | Probe::Other(_) => {}
            }
        }
        if launches {
            // Nothing is started. A driver may refuse a model that is not there.
            let options = LaunchOptions { port: 8080, context: None, slots: None, params: "{}".to_owned() };
            match driver.launch("/models/model.gguf", &options) {
                Ok(plan) => drop(needs.programs.insert(plan.program)),
                Err(fault) if fault.problem().is_some() => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        needs.programs.retain(|name| bad_program(name).is_none());
        needs.check()?;
        Ok(needs)
    }

    /// Checks that every name is a name, and one that a plugin may ask for.
    ///
    /// # Errors
    /// [`NeedsError::Forbidden`] or [`NeedsError::TooMany`].
    pub fn check(&self) -> Result<(), NeedsError> {
        let lists =
            [("environment variables", &self.variables), ("addresses", &self.addresses), ("programs", &self.programs)];
        if let Some((what, list)) = lists.into_iter().find(|(_, list)| list.len() > MOST_NAMES) {
            return Err(NeedsError::TooMany { what, count: list.len() });
        }
        let forbidden = |what, name: &str, reason| NeedsError::Forbidden { what, name: spell_name(name), reason };
        for name in &self.variables {
            if let Some(reason) = bad_variable(name) {
                return Err(forbidden("environment variable", name, reason));
            }
        }
        for name in &self.programs {
            if let Some(reason) = bad_program(name) {
                return Err(forbidden("program", name, reason));
            }
        }
        for address in &self.addresses {
            if remote_origin(address)?.as_ref() != Some(address) {
                return Err(forbidden("address", address, "it is not written as scheme, host and port"));
            }
        }
        Ok(())
    }

    /// What is in these needs and not in `granted`.
    #[must_use]
    pub fn beyond(&self, granted: &Self) -> Self {
        let beyond =
            |asked: &BTreeSet<String>, granted: &BTreeSet<String>| asked.difference(granted).cloned().collect();
        Self {
            variables: beyond(&self.variables, &granted.variables),
            addresses: beyond(&self.addresses, &granted.addresses),
            programs: beyond(&self.programs, &granted.programs),
        }
    }

    /// These needs and those of `other`.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let both = |one: &BTreeSet<String>, other: &BTreeSet<String>| one.union(other).cloned().collect();
        Self {
            variables: both(&self.variables, &other.variables),
            addresses: both(&self.addresses, &other.addresses),
            programs: both(&self.programs, &other.programs),
        }
    }

    /// Each need as a sentence for people.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let variables = self.variables.iter().map(|name| format!("reads the environment variable {name}"));
        let addresses = self.addresses.iter().map(|origin| format!("sends requests to {origin}"));
        let programs = self.programs.iter().map(|name| format!("starts the program {name} on this machine"));
        variables.chain(addresses).chain(programs).collect()
    }
}

impl fmt::Display for PluginNeeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        let named = [("environment", &self.variables), ("addresses", &self.addresses), ("programs", &self.programs)];
        let parts: Vec<String> = named
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(word, names)| format!("{word} {}", list(names)))
            .collect();
        f.write_str(if parts.is_empty() { "nothing" } else { "" })?;
        f.write_str(&parts.join("; "))
    }
}

/// The origin of an address on another machine; `None` for an address on this machine.
///
/// # Errors
/// For an address that cannot be read, and for a link-local address: cloud machines answer there with
/// their own secrets.
pub fn remote_origin(address: &str) -> Result<Option<String>, NeedsError> {
    let forbidden = |reason| NeedsError::Forbidden { what: "address", name: spell_name(address), reason };
    let with_scheme = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let url = Url::parse(&with_scheme).map_err(|_| forbidden("it is no HTTP address"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(forbidden("it is no HTTP address"));
    }
    let Some(host) = url.host() else { return Err(forbidden("it has no host")) };
    match reach(&host) {
        Reach::ThisMachine => Ok(None),
        Reach::LinkLocal => Err(forbidden("it is link-local, where cloud machines serve their secrets")),
        Reach::Other => Ok(Some(url.origin().ascii_serialization())),
    }
}

/// Where a host is, as far as its text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    ThisMachine,
    LinkLocal,
    Other,
}

fn reach(host: &Host<&str>) -> Reach {
    let of_v4 = |address: &std::net::Ipv4Addr| match address {
        address if address.is_loopback() => Reach::ThisMachine,
        address if address.is_link_local() || address.is_unspecified() => Reach::LinkLocal,
        _ => Reach::Other,
    };
    match host {
        Host::Domain(name) if name.trim_end_matches('.').eq_ignore_ascii_case("localhost") => Reach::ThisMachine,
        Host::Domain(_) => Reach::Other,
        Host::Ipv4(address) => of_v4(address),
        Host::Ipv6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => of_v4(&mapped),
            None if address.is_loopback() => Reach::ThisMachine,
            None if address.is_unicast_link_local() || address.is_unspecified() => Reach::LinkLocal,
            // AWS serves its metadata at this unique local address.
            None if address.segments()[..2] == [0xfd00, 0xec2] => Reach::LinkLocal,
            None => Reach::Other,
        },
    }
}

/// Whether an address is on this machine and can be tried without the user naming it.
#[must_use]
pub fn is_on_this_machine(address: &str) -> bool {
    matches!(remote_origin(address), Ok(None))
}

/// Why no plugin may have an environment variable of this name.
#[must_use]
pub fn bad_variable(name: &str) -> Option<&'static str> {
    let mut bytes = name.bytes();
    let begins = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if !begins || name.len() > LONGEST_NAME || !bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Some("it is not a name of letters, digits and underscores");
    }
    None
}

/// Programs that run other programs or code: a plugin that may start them may do anything.
const INTERPRETERS: [&str; 66] = [
    "ash",
    "awk",
    "bash",
    "bun",
    "busybox",
    "cargo",
    "cmd",
    "csh",
    "curl",
    "dash",
    "dd",
    "deno",
    "doas",
    "docker",
    "env",
    "expect",
    "find",
    "fish",
    "gawk",
    "gdb",
    "git",
    "java",
    "ksh",
    "lua",
    "make",
    "mawk",
    "nawk",
    "nc",
    "ncat",
    "netcat",
    "nice",
    "node",
    "nohup",
    "npm",
    "npx",
    "nsenter",
    "open",
    "osascript",
    "parallel",
    "perl",
    "php",
    "pip",
    "pipx",
    "podman",
    "powershell",
    "pwsh",
    "pypy",
    "python",
    "rsync",
    "ruby",
    "scp",
    "script",
    "sed",
    "setsid",
    "sh",
    "socat",
    "ssh",
    "sudo",
    "su",
    "systemd-run",
    "tar",
    "tclsh",
    "toybox",
    "uv",
    "xargs",
    "zsh",
];
/// The same where a suffix is usual, such as `uvx`, `tcsh` and `busybox-static`.
const MORE_INTERPRETERS: [&str; 20] = [
    "at", "batch", "chroot", "crontab", "ed", "emacs", "ex", "flock", "ld", "ncl", "sqlite3", "strace", "stdbuf",
    "tcsh", "time", "timeout", "unshare", "uvx", "vim", "wget",
];

/// Why no plugin from elsewhere may start a program of this name.
#[must_use]
pub fn bad_program(name: &str) -> Option<&'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+');
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(plain) || name.starts_with(['-', '.']) {
        return Some("it is not the bare name of a program");
    }
    let lower = name.to_ascii_lowercase();
    let stem = lower.strip_suffix(".exe").unwrap_or(&lower);
    // `python3.11` and `lua5.4` are `python` and `lua`.
    let family = stem.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
    let known = |list: &[&str]| list.contains(&stem) || list.contains(&family);
    if known(&INTERPRETERS) || known(&MORE_INTERPRETERS) || stem.ends_with(".bat") || stem.ends_with(".cmd") {
        return Some("it runs any code that it is given");
    }
    None
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn needs(variables: &[&str], addresses: &[&str], programs: &[&str]) -> PluginNeeds {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        PluginNeeds { variables: set(variables), addresses: set(addresses), programs: set(programs) }
    }

    #[test]
    fn addresses_of_other_machines_become_origins() {
        for (address, origin) in [
            ("https://api.example.com/v1", Some("https://api.example.com")),
            ("http://10.0.0.7:8000", Some("http://10.0.0.7:8000")),
            ("http://127.0.0.1:8080", None),
            ("localhost:8080", None),
            ("http://[::1]:1", None),
            ("http://[::ffff:127.0.0.1]:1", None),
            ("http://evil.localhost", Some("http://evil.localhost")),
        ] {
            assert_eq!(remote_origin(address).unwrap().as_deref(), origin, "{address}");
        }
    }

    #[test]
    fn link_local_addresses_are_never_a_need() {
        for address in [
            "http://169.254.169.254",
            "http://169.254.1.1:80/latest",
            "http://[fe80::1]",
            "http://[fd00:ec2::254]",
            "http://[::ffff:169.254.169.254]",
            "http://0xa9fea9fe",
            "http://2852039166",
            "http://0.0.0.0",
            "file:///etc/passwd",
        ] {
            assert_eq!(remote_origin(address).unwrap_err().code(), "plugin-needs-forbidden", "{address}");
        }
    }

    #[test]
    fn interpreters_and_paths_are_no_programs_of_plugins() {
        for name in [
            "sh",
            "/bin/sh",
            "python3",
            "Python3.11",
            "env",
            "ENV.exe",
            "../x",
            "",
            "a b",
            "-c",
            "lua5.4",
            "uvx",
            "x\n",
        ] {
            assert!(bad_program(name).is_some(), "{name}");
        }
        for name in ["llama-server", "vllm", "mlx_lm.server", "trtllm-serve", "ollama", "fast-engine2"] {
            assert_eq!(bad_program(name), None, "{name}");
        }
    }

    #[test]
    fn what_goes_beyond_a_grant_is_named() {
        let asked = needs(&["A", "B"], &["https://a.example"], &["fast"]);
        let granted = needs(&["A"], &["https://a.example"], &[]);
        let beyond = asked.beyond(&granted);
        assert_eq!(beyond, needs(&["B"], &[], &["fast"]));
        assert!(asked.beyond(&granted.with(&beyond)).is_empty());
        assert_eq!(beyond.to_string(), "environment B; programs fast");
        assert_eq!(PluginNeeds::default().to_string(), "nothing");
    }

    #[test]
    fn forbidden_names_and_long_lists_are_refused() {
        assert!(needs(&["A_KEY"], &["https://a.example"], &["fast"]).check().is_ok());
        for bad in [
            needs(&["A KEY"], &[], &[]),
            needs(&["1A"], &[], &[]),
            needs(&[], &["https://a.example/path"], &[]),
            needs(&[], &["http://169.254.169.254"], &[]),
            needs(&[], &[], &["bash"]),
        ] {
            assert_eq!(bad.check().unwrap_err().code(), "plugin-needs-forbidden", "{bad}");
        }
        let many: Vec<String> = (0..17).map(|number| format!("V{number}")).collect();
        let many = PluginNeeds { variables: many.into_iter().collect(), ..PluginNeeds::default() };
        assert!(many.check().unwrap_err().to_string().contains("17"));
    }

    proptest! {
        #[test]
        fn any_address_is_read_or_refused(text in "\\PC{0,60}") {
            if let Ok(Some(origin)) = remote_origin(&text) {
                // An origin is the same origin when it is read again.
                prop_assert_eq!(remote_origin(&origin).unwrap(), Some(origin));
            }
        }
    }
}
