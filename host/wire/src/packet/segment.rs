//! The few fields of an IP packet with a TCP segment that tell where its payload belongs.
//!
//! Reads IPv4 (RFC 791) and IPv6 (RFC 8200) from the first byte of the IP header on, and TCP (RFC 9293) above. Only the
//! headers need to be there. Checksums are left to the kernel: on loopback, and before a card that fills them in, they
//! are not right anyway.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Number of TCP in IP headers.
const TCP: u8 = 6;

/// Number of the extension header of IPv6 that may come before anything else, and does in packets above 64 KiB (RFC
/// 2675).
const HOP_BY_HOP: u8 = 0;

/// An end of a connection. Addresses are in their shortest form: IPv4 in IPv6 is IPv4.
pub(crate) type End = (IpAddr, u16);

/// A TCP segment without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) from: End,
    pub(crate) to: End,
    /// Sequence number of the segment's first byte, or of the SYN where it has one.
    pub(crate) sequence: u32,
    /// Bytes of payload on the wire, which may be more than were captured.
    pub(crate) payload: u32,
    pub(crate) syn: bool,
    pub(crate) ack: bool,
    pub(crate) rst: bool,
}

/// Reads a segment. `bytes` begin with the IP header and may end anywhere after the fixed part of the TCP header;
/// `length` is the packet's whole length, which counts only where the header has no room for it.
pub(crate) fn parse(bytes: &[u8], length: u32) -> Option<Segment> {
    match bytes.first()? >> 4 {
        4 => parse_v4(bytes, length),
        6 => parse_v6(bytes, length),
        _ => None,
    }
}

fn parse_v4(bytes: &[u8], length: u32) -> Option<Segment> {
    let header = usize::from(bytes.first()? & 0x0f) * 4;
    let fragment = u16_at(bytes, 6)? & 0x1fff;
    if header < 20 || fragment != 0 || *bytes.get(9)? != TCP {
        return None;
    }
    // A packet above 64 KiB, which exists only inside a machine, has a zero here.
    let total = match u16_at(bytes, 2)? {
        0 => length,
        total => u32::from(total),
    };
    let from = IpAddr::V4(Ipv4Addr::from(array::<4>(bytes, 12)?));
    let to = IpAddr::V4(Ipv4Addr::from(array::<4>(bytes, 16)?));
    parse_tcp(bytes.get(header..)?, total.checked_sub(u32::try_from(header).ok()?)?, from, to)
}

fn parse_v6(bytes: &[u8], length: u32) -> Option<Segment> {
    let rest = match u16_at(bytes, 4)? {
        0 => length.checked_sub(40)?,
        payload => u32::from(payload),
    };
    let from = IpAddr::V6(Ipv6Addr::from(array::<16>(bytes, 8)?)).to_canonical();
    let to = IpAddr::V6(Ipv6Addr::from(array::<16>(bytes, 24)?)).to_canonical();
    let (next, skipped) = match *bytes.get(6)? {
        HOP_BY_HOP => (*bytes.get(40)?, (usize::from(*bytes.get(41)?) + 1) * 8),
        next => (next, 0),
    };
    if next != TCP {
        return None;
    }
    parse_tcp(bytes.get(40 + skipped..)?, rest.checked_sub(u32::try_from(skipped).ok()?)?, from, to)
}

/// `length` counts the header and the payload.
fn parse_tcp(bytes: &[u8], length: u32, from: IpAddr, to: IpAddr) -> Option<Segment> {
    let header = u32::from(bytes.get(12)? >> 4) * 4;
    if header < 20 {
        return None;
    }
    let flags = *bytes.get(13)?;
    Some(Segment {
        from: (from, u16_at(bytes, 0)?),
        to: (to, u16_at(bytes, 2)?),
        sequence: u32::from_be_bytes(array(bytes, 4)?),
        payload: length.checked_sub(header)?,
        syn: flags & 0x02 != 0,
        ack: flags & 0x10 != 0,
        rst: flags & 0x04 != 0,
    })
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Words of options in the IP header, in the TCP header.
    type Options = (u8, u8);

    fn tcp(segment: &Segment, options: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(segment.from.1.to_be_bytes());
        bytes.extend(segment.to.1.to_be_bytes());
        bytes.extend(segment.sequence.to_be_bytes());
        bytes.extend(7_u32.to_be_bytes());
        bytes.push((5 + options) << 4);
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        bytes.push(flag(segment.syn, 0x02) | flag(segment.rst, 0x04) | flag(segment.ack, 0x10));
        bytes.extend([0xff; 6]);
        bytes.extend(std::iter::repeat_n(1, usize::from(options) * 4));
        bytes
    }

    /// Writes a packet's headers as the protocols have them; the payload is left out, as in a capture.
    fn write(segment: &Segment, (ip, options): Options) -> (Vec<u8>, u32) {
        let tcp = tcp(segment, options);
        let carried = u32::try_from(tcp.len()).unwrap() + segment.payload;
        let short = |length: u32| u16::try_from(length).unwrap_or(0);
        let mut bytes = Vec::new();
        match (segment.from.0, segment.to.0) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let length = 20 + u32::from(ip) * 4 + carried;
                bytes.extend([0x40 | (5 + ip), 0]);
                bytes.extend(short(length).to_be_bytes());
                bytes.extend([0, 1, 0x40, 0, 64, 6, 0, 0]);
                bytes.extend(from.octets());
                bytes.extend(to.octets());
                bytes.extend(std::iter::repeat_n(1, usize::from(ip) * 4));
                bytes.extend(tcp);
                (bytes, length)
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                // Either no extension header or one of eight bytes per word asked for.
                let extension = u32::from(ip) * 8;
                bytes.extend([0x60, 0, 0, 0]);
                bytes.extend(short(carried + extension).to_be_bytes());
                bytes.extend([if ip > 0 { 0 } else { 6 }, 64]);
                bytes.extend(from.octets());
                bytes.extend(to.octets());
                if ip > 0 {
                    bytes.extend([6, ip - 1, 1, 4, 0, 0, 0, 0]);
                    bytes.extend(std::iter::repeat_n(0, usize::from(ip - 1) * 8));
                }
                bytes.extend(tcp);
                (bytes, 40 + extension + carried)
            }
            _ => unreachable!("both ends are of one family"),
        }
    }

    fn ends() -> impl Strategy<Value = (IpAddr, IpAddr)> {
        // No multicast-like or mapped addresses: the top bits are fixed.
        let v6 = |bits: u128| IpAddr::V6(Ipv6Addr::from(bits | (0x2000 << 112)));
        prop_oneof![
            any::<(u32, u32)>().prop_map(|(a, b)| (IpAddr::V4(a.into()), IpAddr::V4(b.into()))),
            any::<(u128, u128)>().prop_map(move |(a, b)| (v6(a), v6(b))),
        ]
    }

    fn segments() -> impl Strategy<Value = Segment> {
        let flags = any::<(bool, bool, bool)>();
        (ends(), any::<(u16, u16)>(), any::<u32>(), 0..200_000_u32, flags).prop_map(
            |((from, to), ports, sequence, payload, (syn, ack, rst))| Segment {
                from: (from, ports.0),
                to: (to, ports.1),
                sequence,
                payload,
                syn,
                ack,
                rst,
            },
        )
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(segment in segments(), options in (0..4_u8, 0..10_u8)) {
            let (bytes, length) = write(&segment, options);
            prop_assert_eq!(parse(&bytes, length), Some(segment));
        }

        #[test]
        fn a_cut_packet_is_none_or_the_same(
            segment in segments(),
            options in (0..4_u8, 0..10_u8),
            cut in 0..200_usize,
        ) {
            let (bytes, length) = write(&segment, options);
            let read = parse(&bytes[..cut.min(bytes.len())], length);
            prop_assert!(read.is_none() || read == Some(segment));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), length: u32) {
            if let Some(segment) = parse(&bytes, length) {
                prop_assert!(u64::from(segment.payload) <= u64::from(length).max(65_535));
            }
        }

        #[test]
        fn near_packets_are_read_without_a_panic(
            segment in segments(),
            changes in proptest::collection::vec((0..60_usize, any::<u8>()), 1..4),
            length: u32,
        ) {
            let (mut bytes, _) = write(&segment, (0, 3));
            for (at, value) in changes {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            let _ = parse(&bytes, length);
        }
    }

    fn v4() -> Segment {
        let from = (IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
        let to = (IpAddr::V4(Ipv4Addr::LOCALHOST), 40_000);
        Segment { from, to, sequence: 5, payload: 10, syn: false, ack: true, rst: false }
    }

    #[test]
    fn padding_of_short_frames_is_no_payload() {
        let (bytes, length) = write(&v4(), (0, 0));
        assert_eq!(parse(&bytes, length + 6).unwrap().payload, 10);
    }

    #[test]
    fn what_is_no_first_fragment_with_tcp_is_left() {
        let (bytes, length) = write(&v4(), (0, 0));
        let mut fragment = bytes.clone();
        fragment[7] = 3;
        assert_eq!(parse(&fragment, length), None);
        let mut udp = bytes.clone();
        udp[9] = 17;
        assert_eq!(parse(&udp, length), None);
        let mut older = bytes;
        older[0] = 0x55;
        assert_eq!(parse(&older, length), None);
        assert_eq!(parse(&[], 0), None);
    }
}
