//! The filter that the kernel runs on every packet of the interface, so that it copies those of one server alone.
//!
//! Classic BPF, on packets that begin with the network header. A packet passes when it was received (on loopback each
//! is seen leaving as well), is TCP and no later fragment, and comes from the server's address and port.

use std::net::{IpAddr, SocketAddr};

/// Bytes of a packet that are kept: the longest IPv4 header, or that of IPv6 with an extension, and 16 bytes of TCP.
const KEPT: u32 = 80;

/// Where an IPv6 packet's TCP header is, when no extension header comes before it.
const V6_HEADER: u32 = 40;

/// What is loaded and tested.
#[derive(Clone, Copy)]
enum Load {
    Byte(u32),
    Half(u32),
    Word(u32),
    /// Half a word at so many bytes behind the IPv4 header.
    HalfBehindHeader(u32),
}

const fn code(parts: u32) -> u16 {
    // All codes are below 2^8.
    parts as u16
}

const fn statement(parts: u32, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code(parts), jt: 0, jf: 0, k }
}

const fn jump(parts: u32, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code: code(parts), jt, jf, k }
}

/// Builds a program of tests. Each is followed by a `return` of its own, which it either runs into or jumps over, so
/// that no jump has to know how long the program will be.
#[derive(Default)]
struct Program(Vec<libc::sock_filter>);

impl Program {
    fn load(&mut self, load: Load) -> &mut Self {
        match load {
            Load::Byte(at) => self.0.push(statement(libc::BPF_LD | libc::BPF_B | libc::BPF_ABS, at)),
            Load::Half(at) => self.0.push(statement(libc::BPF_LD | libc::BPF_H | libc::BPF_ABS, at)),
            Load::Word(at) => self.0.push(statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, at)),
            Load::HalfBehindHeader(at) => {
                // X becomes the length that the header's first byte states.
                self.0.push(statement(libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, 0));
                self.0.push(statement(libc::BPF_LD | libc::BPF_H | libc::BPF_IND, at));
            }
        }
        self
    }

    fn and(&mut self, mask: u32) -> &mut Self {
        self.0.push(statement(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, mask));
        self
    }

    /// Goes on when the value is `wanted`, drops the packet otherwise.
    fn must_be(&mut self, wanted: u32) {
        self.0.push(jump(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, wanted, 1, 0));
        self.end(0);
    }

    /// Keeps the packet when the value is `wanted`, goes on otherwise.
    fn keep_when(&mut self, wanted: u32) {
        self.0.push(jump(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, wanted, 0, 1));
        self.end(KEPT);
    }

    fn end(&mut self, kept: u32) {
        self.0.push(statement(libc::BPF_RET | libc::BPF_K, kept));
    }
}

/// The program that passes what `server` sends to this machine.
pub(super) fn from(server: SocketAddr) -> Vec<libc::sock_filter> {
    let tcp = libc::IPPROTO_TCP.unsigned_abs();
    let port = u32::from(server.port());
    let mut program = Program::default();
    // Below 2^31 from the top, where the kernel keeps what is not in the packet.
    let kind = (libc::SKF_AD_OFF + libc::SKF_AD_PKTTYPE).cast_unsigned();
    program.load(Load::Word(kind)).must_be(u32::from(libc::PACKET_HOST));
    program.load(Load::Byte(0));
    match server.ip().to_canonical() {
        IpAddr::V4(address) => {
            program.and(0xf0).must_be(0x40);
            program.load(Load::Byte(9)).must_be(tcp);
            program.load(Load::Half(6)).and(0x1fff).must_be(0);
            program.load(Load::Word(12)).must_be(address.to_bits());
            program.load(Load::HalfBehindHeader(0)).must_be(port);
        }
        IpAddr::V6(address) => {
            program.and(0xf0).must_be(0x60);
            for (at, word) in (8..).step_by(4).zip(address.octets().chunks_exact(4)) {
                let word = word.iter().fold(0, |word, byte| (word << 8) | u32::from(*byte));
                program.load(Load::Word(at)).must_be(word);
            }
            // Behind an extension header the port is read later.
            program.load(Load::Byte(6)).keep_when(0);
            program.load(Load::Byte(6)).must_be(tcp);
            program.load(Load::Half(V6_HEADER)).must_be(port);
        }
    }
    program.end(KEPT);
    program.0
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    /// Runs a program on a packet, as far as its instructions are used here; what it kept.
    fn run(program: &[libc::sock_filter], packet: &[u8], kind: u8) -> u32 {
        let (mut a, mut x, mut at) = (0_u32, 0_u32, 0_usize);
        let bytes = |from: u32, count: usize| {
            let from = usize::try_from(from).unwrap();
            Some(packet.get(from..from + count)?.iter().fold(0, |value, byte| (value << 8) | u32::from(*byte)))
        };
        loop {
            let step = program[at];
            at += 1;
            let class = u32::from(step.code) & 7;
            let value = if class == libc::BPF_RET {
                return step.k;
            } else if class == libc::BPF_ALU {
                Some(a & step.k)
            } else if class == libc::BPF_LDX {
                x = (bytes(0, 1).unwrap_or(0) & 0xf) * 4;
                Some(a)
            } else if class == libc::BPF_JMP {
                at += usize::from(if a == step.k { step.jt } else { step.jf });
                Some(a)
            } else if step.k > 0x8000_0000 {
                Some(u32::from(kind))
            } else {
                let size = match u32::from(step.code) & 0x18 {
                    libc::BPF_H => 2,
                    libc::BPF_B => 1,
                    _ => 4,
                };
                let base = if u32::from(step.code) & 0xe0 == libc::BPF_IND { x } else { 0 };
                bytes(base + step.k, size)
            };
            match value {
                Some(value) => a = value,
                None => return 0,
            }
        }
    }

    fn v4(header: u8, protocol: u8, fragment: u8, from: [u8; 4], port: u16) -> Vec<u8> {
        let mut packet = vec![0x40 | header, 0, 0, 60, 0, 0, 0x40, fragment, 64, protocol, 0, 0];
        packet.extend(from);
        packet.extend([10, 0, 0, 1]);
        packet.resize(usize::from(header) * 4, 0);
        packet.extend(port.to_be_bytes());
        packet.resize(packet.len() + 18, 0);
        packet
    }

    #[test]
    fn only_what_the_server_sends_passes() {
        let program = from(([10, 0, 0, 9], 8080).into());
        assert_eq!(run(&program, &v4(5, 6, 0, [10, 0, 0, 9], 8080), 0), KEPT);
        assert_eq!(run(&program, &v4(15, 6, 0, [10, 0, 0, 9], 8080), 0), KEPT);
        for (packet, kind) in [
            (v4(5, 6, 0, [10, 0, 0, 9], 8080), 4),
            (v4(5, 6, 0, [10, 0, 0, 9], 8081), 0),
            (v4(5, 6, 0, [10, 0, 0, 8], 8080), 0),
            (v4(5, 6, 9, [10, 0, 0, 9], 8080), 0),
            (v4(5, 17, 0, [10, 0, 0, 9], 8080), 0),
            (vec![0x60; 80], 0),
            (vec![], 0),
        ] {
            assert_eq!(run(&program, &packet, kind), 0, "{packet:?}");
        }
    }

    #[test]
    fn the_same_for_the_longer_addresses() {
        let program = from("[fd00::9]:8080".parse().unwrap());
        let packet = |next: u8, last: u8, port: u16| {
            let mut packet = vec![0x60, 0, 0, 0, 0, 20, next, 64];
            packet.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
            packet.extend([0; 16]);
            packet.extend(port.to_be_bytes());
            packet.resize(60, 0);
            packet
        };
        assert_eq!(run(&program, &packet(6, 9, 8080), 0), KEPT);
        assert_eq!(run(&program, &packet(0, 9, 1), 0), KEPT);
        assert_eq!(run(&program, &packet(6, 9, 8081), 0), 0);
        assert_eq!(run(&program, &packet(6, 8, 8080), 0), 0);
        assert_eq!(run(&program, &packet(17, 9, 8080), 0), 0);
        assert_eq!(run(&program, &packet(6, 9, 8080), 4), 0);
    }
}
