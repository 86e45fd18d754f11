//! `/proc/net/tcp` and `/proc/net/tcp6`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A listening socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// Address that it is bound to.
    pub address: IpAddr,
    /// Port that it is bound to.
    pub port: u16,
    /// Inode, by which the process is found.
    pub inode: u64,
    /// Id of the user who opened it.
    pub user: u32,
}

/// State `TCP_LISTEN`.
const LISTEN: &str = "0A";

/// Parses either file; other states and malformed lines are passed over.
pub fn parse_proc_net_tcp(text: &str) -> Vec<Listener> {
    text.lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let (local, state, user, inode) = (fields.get(1)?, fields.get(3)?, fields.get(7)?, fields.get(9)?);
            if *state != LISTEN {
                return None;
            }
            let (address, port) = local.split_once(':')?;
            Some(Listener {
                address: parse_address(address)?,
                port: u16::from_str_radix(port, 16).ok()?,
                inode: inode.parse().ok()?,
                user: user.parse().ok()?,
            })
        })
        .collect()
}

/// Addresses are printed as 32-bit words in the machine's byte order.
fn parse_address(hex: &str) -> Option<IpAddr> {
    if !hex.is_ascii() {
        return None;
    }
    let mut bytes = Vec::with_capacity(16);
    for start in (0..hex.len()).step_by(8) {
        let word = u32::from_str_radix(hex.get(start..start + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    match bytes.len() {
        4 => Some(IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?))),
        16 => {
            let address = Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?);
            Some(address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4))
        }
        _ => None,
    }
}

/// The sockets that a connection to `address` and `port` reaches. The kernel prefers a socket bound to the very
/// address over one bound to all addresses, so that only the former counts where there is one. Without an address, both
/// loopback addresses are meant.
pub fn pick(listeners: &[Listener], address: Option<IpAddr>, port: u16) -> Vec<Listener> {
    let targets = address.map_or_else(
        || vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
        |address| vec![address],
    );
    let on_port = || listeners.iter().filter(move |listener| listener.port == port);
    let exact: Vec<Listener> = on_port().filter(|listener| targets.contains(&listener.address)).copied().collect();
    if !exact.is_empty() {
        return exact;
    }
    // A socket on all IPv6 addresses also takes IPv4 connections unless told otherwise.
    let wants_v6 = targets.iter().any(IpAddr::is_ipv6);
    on_port()
        .filter(|listener| {
            listener.address.is_unspecified() && (listener.address.is_ipv6() || !wants_v6 || address.is_none())
        })
        .copied()
        .collect()
}
