//! The layout of a block of the ring (`TPACKET_V3`, packet(7) and the kernel's `packet_mmap` document).
//!
//! A block begins with a descriptor that counts its packets and points to the first; each packet has a header that
//! points to its bytes and to the next. All numbers are of this machine's byte order. The kernel writes them, yet an
//! offset is believed only where it stays inside of the block.

use std::mem::{offset_of, size_of};

/// Where a block's state stands, which says whose turn it is.
pub(super) const STATUS: usize = DESCRIPTOR + offset_of!(libc::tpacket_hdr_v1, block_status);

const DESCRIPTOR: usize = offset_of!(libc::tpacket_block_desc, hdr);
const PACKETS: usize = DESCRIPTOR + offset_of!(libc::tpacket_hdr_v1, num_pkts);
const FIRST: usize = DESCRIPTOR + offset_of!(libc::tpacket_hdr_v1, offset_to_first_pkt);

/// A packet as it was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    /// Its first bytes, from the network header on.
    pub(super) bytes: &'a [u8],
    /// Its whole length from there.
    pub(super) length: u32,
    /// When it came in, in nanoseconds of the real-time clock.
    pub(super) at_ns: u64,
}

/// How many packets a block says that it holds.
pub(super) fn count(block: &[u8]) -> u64 {
    u32_at(block, PACKETS).map_or(0, u64::from)
}

/// The packets of a block, in the order of the capture. Ends early where an offset leads outside.
pub(super) fn packets(block: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    let mut left = count(block);
    let mut next = u32_at(block, FIRST).and_then(|first| block.get(first as usize..));
    std::iter::from_fn(move || {
        left = left.checked_sub(1)?;
        let header = next?;
        // A next one that is no further would be this one again.
        let step = u32_at(header, offset_of!(libc::tpacket3_hdr, tp_next_offset))? as usize;
        next = header.get(step..).filter(|_| step >= size_of::<libc::tpacket3_hdr>());
        read(header)
    })
}

fn read(header: &[u8]) -> Option<Packet<'_>> {
    let field = |offset| u32_at(header, offset);
    let start = u16::from_ne_bytes(array(header, offset_of!(libc::tpacket3_hdr, tp_net))?);
    let captured = field(offset_of!(libc::tpacket3_hdr, tp_snaplen))? as usize;
    let seconds = u64::from(field(offset_of!(libc::tpacket3_hdr, tp_sec))?);
    let nanos = u64::from(field(offset_of!(libc::tpacket3_hdr, tp_nsec))?);
    Some(Packet {
        bytes: header.get(usize::from(start)..)?.get(..captured)?,
        length: field(offset_of!(libc::tpacket3_hdr, tp_len))?,
        // At most 2^32 of each, so this fits.
        at_ns: seconds * 1_000_000_000 + nanos,
    })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_ne_bytes)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NET: u16 = 96;

    fn put(block: &mut [u8], at: usize, value: u32) {
        block[at..at + 4].copy_from_slice(&value.to_ne_bytes());
    }

    /// Writes a block as the kernel lays it out.
    fn write(packets: &[(Vec<u8>, u32, u32)]) -> Vec<u8> {
        let first = size_of::<libc::tpacket_block_desc>();
        let mut block = vec![0; first];
        put(&mut block, PACKETS, packets.len().try_into().unwrap());
        put(&mut block, FIRST, first.try_into().unwrap());
        for (bytes, seconds, nanos) in packets {
            let at = block.len();
            let size = (usize::from(NET) + bytes.len()).next_multiple_of(8);
            block.resize(at + size, 0);
            put(&mut block, at + offset_of!(libc::tpacket3_hdr, tp_next_offset), size.try_into().unwrap());
            put(&mut block, at + offset_of!(libc::tpacket3_hdr, tp_sec), *seconds);
            put(&mut block, at + offset_of!(libc::tpacket3_hdr, tp_nsec), *nanos);
            put(&mut block, at + offset_of!(libc::tpacket3_hdr, tp_snaplen), bytes.len().try_into().unwrap());
            put(&mut block, at + offset_of!(libc::tpacket3_hdr, tp_len), 1500);
            let net = at + offset_of!(libc::tpacket3_hdr, tp_net);
            block[net..net + 2].copy_from_slice(&NET.to_ne_bytes());
            block[at + usize::from(NET)..at + usize::from(NET) + bytes.len()].copy_from_slice(bytes);
        }
        block
    }

    fn contents() -> impl Strategy<Value = Vec<(Vec<u8>, u32, u32)>> {
        let packet = (proptest::collection::vec(any::<u8>(), 0..80), any::<u32>(), 0..1_000_000_000_u32);
        proptest::collection::vec(packet, 0..20)
    }

    proptest! {
        #[test]
        fn what_the_kernel_wrote_is_read(written in contents()) {
            let block = write(&written);
            let read: Vec<(Vec<u8>, u64)> =
                packets(&block).map(|packet| (packet.bytes.to_vec(), packet.at_ns)).collect();
            let expected: Vec<(Vec<u8>, u64)> = written
                .iter()
                .map(|(bytes, seconds, nanos)| (bytes.clone(), u64::from(*seconds) * 1_000_000_000 + u64::from(*nanos)))
                .collect();
            prop_assert_eq!(read, expected);
            prop_assert!(packets(&block).all(|packet| packet.length == 1500));
        }

        #[test]
        fn offsets_that_lead_outside_end_the_block(
            written in contents(),
            changes in proptest::collection::vec((0..500_usize, any::<u8>()), 1..8),
            cut in 0..4000_usize,
        ) {
            let mut block = write(&written);
            for (at, value) in changes {
                if let Some(byte) = block.get_mut(at) {
                    *byte = value;
                }
            }
            block.truncate(cut);
            prop_assert!(packets(&block).count() as u64 <= count(&block));
        }
    }

    #[test]
    fn a_packet_that_points_to_itself_is_the_last() {
        let mut block = write(&[(vec![1], 1, 0), (vec![2], 2, 0)]);
        put(&mut block, size_of::<libc::tpacket_block_desc>(), 0);
        assert_eq!(packets(&block).count(), 1);
    }
}
