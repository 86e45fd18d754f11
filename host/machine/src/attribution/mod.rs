//! Whose numbers are these? A result belongs to the local machine only when the process that answers runs on it.
//!
//! A loopback address is necessary and not sufficient: `ssh -L`, `kubectl port-forward` and a gateway all listen on
//! loopback and answer from elsewhere. So the process behind the port is looked up and named.

mod process;
mod sockets;

pub use process::{ListeningProcess, parse_stat_start};
pub use sockets::{Listener, parse_proc_net_tcp, pick};

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Found;

/// Where the numbers of a run come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "origin", rename_all = "kebab-case")]
pub enum Attribution {
    /// The engine runs on the machine of the fingerprint.
    LocalMachine,
    /// The engine runs elsewhere: the fingerprint is the client's and says nothing about the result.
    Remote {
        /// Why.
        reason: String,
    },
    /// It cannot be told; the fingerprint must not be credited with the result.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// How the endpoint is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// A loopback address or `localhost`.
    Loopback,
    /// Any other address, also this machine's own.
    Network,
}

/// Where the driver says its backend runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locality {
    /// On a machine of the user's.
    SelfHosted,
    /// A service of somebody else's.
    Hosted,
}

/// Programs that pass connections on to somewhere else.
const FORWARDERS: [&str; 40] = [
    "ssh",
    "sshd",
    "sshd-session",
    "autossh",
    "mosh-client",
    "kubectl",
    "oc",
    "k9s",
    "docker-proxy",
    "rootlessport",
    "slirp4netns",
    "pasta",
    "passt",
    "gvproxy",
    "vpnkit",
    "com.docker.backend",
    "wslrelay",
    "socat",
    "ncat",
    "nc",
    "netcat",
    "rinetd",
    "redir",
    "stunnel",
    "stunnel4",
    "chisel",
    "frpc",
    "ngrok",
    "cloudflared",
    "tailscaled",
    "tsh",
    "session-manager-plugin",
    "haproxy",
    "nginx",
    "envoy",
    "traefik",
    "caddy",
    "litellm",
    "systemd-socket-proxyd",
    "qemu-system-x86_64",
];

/// Decides whose numbers they are. `listener` is what [`find_listener`] found behind the endpoint's port.
pub fn attribute(address: Address, locality: Locality, listener: &Found<ListeningProcess>) -> Attribution {
    match (locality, address) {
        (Locality::Hosted, _) => {
            Attribution::Remote { reason: "The driver talks to a service that somebody else hosts.".to_owned() }
        }
        (_, Address::Network) => Attribution::Remote {
            reason: "The endpoint is not a loopback address; use 127.0.0.1 when the engine runs on this machine."
                .to_owned(),
        },
        (Locality::SelfHosted, Address::Loopback) => match listener {
            Found::Present { value } => match forwarder(value) {
                Some(name) => Attribution::Unknown {
                    reason: format!("{name} listens on the port and passes connections on to somewhere else."),
                },
                None => Attribution::LocalMachine,
            },
            Found::NotPresent { .. } => Attribution::Unknown {
                reason: "No process of this machine that the host may look at listens on the port.".to_owned(),
            },
            Found::Failed { reason } => {
                Attribution::Unknown { reason: format!("The process behind the port could not be found: {reason}.") }
            }
        },
    }
}

/// The forwarder that a process is, if it is one.
fn forwarder(process: &ListeningProcess) -> Option<&'static str> {
    // A gateway written in Python shows up as python3; its script is among the first arguments.
    let script =
        process.command_line.iter().take(4).map(|argument| argument.rsplit(['/', '\\']).next().unwrap_or(argument));
    let names = [process.executable.as_str(), process.name.as_str()].into_iter().chain(script);
    for name in names {
        let name = name.strip_suffix(".exe").unwrap_or(name);
        // The kernel cuts names at 15 bytes.
        let matches = |known: &&&str| name == **known || (name.len() == 15 && known.starts_with(name));
        if let Some(known) = FORWARDERS.iter().find(matches) {
            return Some(known);
        }
        if name.starts_with("qemu-system") {
            return Some("qemu");
        }
    }
    None
}

/// Finds the process that listens for connections to `address` and `port` on this machine.
///
/// `NotPresent` when nothing listens or the process belongs to somebody else. Reads `/proc` on Linux, asks `lsof` on macOS.
pub async fn find_listener(address: Option<IpAddr>, port: u16) -> Found<ListeningProcess> {
    #[cfg(target_os = "linux")]
    {
        let look = move || {
            let tree = crate::Tree::default();
            find_in(&tree, address, port)
        };
        tokio::task::spawn_blocking(look)
            .await
            .unwrap_or_else(|_| Found::failed("looking for the listening process was interrupted"))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = address;
        let filter = format!("-iTCP:{port}");
        let arguments = ["-nP", filter.as_str(), "-sTCP:LISTEN", "-Fpc"];
        let found = crate::tool::run("lsof", &arguments, crate::tool::QUICK).await;
        found.parse(|text| process::parse_lsof(&text))
    }
}

/// The users who listen for connections to `address` and `port` on this machine, each once.
///
/// The kernel tells the owner of every socket on Linux. Elsewhere `lsof` shows an ordinary user its own
/// processes alone, so a process that it shows belongs to this user.
pub async fn listener_owners(address: Option<IpAddr>, port: u16) -> Found<Vec<u32>> {
    #[cfg(target_os = "linux")]
    {
        let look = move || owners_in(&crate::Tree::default(), address, port);
        tokio::task::spawn_blocking(look)
            .await
            .unwrap_or_else(|_| Found::failed("looking for the listener's owner was interrupted"))
    }
    #[cfg(not(target_os = "linux"))]
    {
        match find_listener(address, port).await {
            Found::Present { .. } if crate::current_user() != 0 => {
                Found::Present { value: vec![crate::current_user()] }
            }
            Found::Present { .. } => Found::failed("the system does not tell root who owns a socket"),
            Found::NotPresent { looked_for } => Found::NotPresent { looked_for },
            Found::Failed { reason } => Found::Failed { reason },
        }
    }
}

/// The owners of the listening sockets below a root directory that holds `proc`.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux has /proc"))]
fn owners_in(tree: &crate::Tree, address: Option<IpAddr>, port: u16) -> Found<Vec<u32>> {
    match listeners_in(tree, address, port) {
        Found::Present { value } => {
            let mut owners: Vec<u32> = value.iter().map(|listener| listener.user).collect();
            owners.sort_unstable();
            owners.dedup();
            Found::Present { value: owners }
        }
        Found::NotPresent { looked_for } => Found::NotPresent { looked_for },
        Found::Failed { reason } => Found::Failed { reason },
    }
}

/// The listening sockets that a connection reaches, below a root directory that holds `proc`.
fn listeners_in(tree: &crate::Tree, address: Option<IpAddr>, port: u16) -> Found<Vec<Listener>> {
    let mut listeners = Vec::new();
    for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
        match tree.text(file) {
            Found::Present { value } => listeners.extend(parse_proc_net_tcp(&value)),
            Found::NotPresent { .. } => {}
            Found::Failed { reason } => return Found::failed(reason),
        }
    }
    let reached = pick(&listeners, address, port);
    if reached.is_empty() {
        return Found::not_present(format!("a listener on port {port}"));
    }
    Found::Present { value: reached }
}

/// Finds the listening process below a root directory that holds `proc`.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux has /proc"))]
fn find_in(tree: &crate::Tree, address: Option<IpAddr>, port: u16) -> Found<ListeningProcess> {
    let inodes: Vec<u64> = match listeners_in(tree, address, port) {
        Found::Present { value } => value.iter().map(|listener| listener.inode).collect(),
        Found::NotPresent { looked_for } => return Found::NotPresent { looked_for },
        Found::Failed { reason } => return Found::Failed { reason },
    };
    let holders = process::holders(tree, &inodes);
    // Where several processes share the socket and one is a forwarder, that one decides.
    let suspicious = holders.iter().position(|process| forwarder(process).is_some());
    let found = holders.into_iter().nth(suspicious.unwrap_or(0));
    Found::from_option(found, "a process that the host may look at and that listens on the port")
}
