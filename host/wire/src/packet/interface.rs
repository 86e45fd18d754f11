//! Which network interface packets from a server come in by.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::{InterfaceFlags, if_nametoindex};
use nix::sys::socket::SockaddrStorage;

use super::CaptureError;

/// The number of the interface that leads to `server`.
pub(super) fn towards(server: SocketAddr) -> Result<u32, CaptureError> {
    let missing = |reason: String| CaptureError::NoInterface { server, reason };
    if let SocketAddr::V6(server) = server
        && server.scope_id() != 0
    {
        return Ok(server.scope_id());
    }
    let here = local_address(server).map_err(|error| missing(format!("there is no route: {error}")))?;
    // What a machine sends to itself goes over loopback, whichever of its addresses it is sent to.
    let is_here = server.ip().is_loopback() || here == server.ip().to_canonical();
    let fits = |interface: &InterfaceAddress| {
        if is_here {
            interface.flags.contains(InterfaceFlags::IFF_LOOPBACK)
        } else {
            interface.address.as_ref().and_then(ip) == Some(here)
        }
    };
    let found = getifaddrs()
        .map_err(|error| missing(format!("the interfaces cannot be listed: {error}")))?
        .find(fits)
        .ok_or_else(|| missing(format!("none has the address {here}")))?;
    if_nametoindex(found.interface_name.as_str()).map_err(|error| missing(format!("{}: {error}", found.interface_name)))
}

/// The address that this machine would speak to `server` from. Nothing is sent.
fn local_address(server: SocketAddr) -> std::io::Result<IpAddr> {
    let any = match server.ip().to_canonical() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect((server.ip().to_canonical(), server.port()))?;
    Ok(socket.local_addr()?.ip().to_canonical())
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip()).to_canonical()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_reached_over_loopback() {
        let loopback = if_nametoindex("lo").unwrap();
        assert_eq!(towards(([127, 0, 0, 1], 80).into()), Ok(loopback));
        assert_eq!(towards(([127, 9, 9, 9], 80).into()), Ok(loopback));
        assert_eq!(towards("[::ffff:127.0.0.1]:80".parse().unwrap()), Ok(loopback));
        for interface in getifaddrs().unwrap() {
            if let Some(address) = interface.address.as_ref().and_then(ip).filter(IpAddr::is_ipv4) {
                assert_eq!(towards((address, 80).into()), Ok(loopback), "{address}");
            }
        }
    }

    #[test]
    fn a_zone_names_the_interface_itself() {
        assert_eq!(towards("[fe80::1%7]:80".parse().unwrap()), Ok(7));
    }
}
