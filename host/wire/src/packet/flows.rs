//! The connections from one server, and bounds on what is kept of them.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use super::ConnectionLog;
use super::segment::{End, Segment};

/// Connections that are logged at once, those included whose logs nobody has taken yet.
const MOST_CONNECTIONS: usize = 1 << 17;

/// Marks over all connections: 16 bytes each, so 128 MiB.
const MOST_MARKS: usize = 1 << 23;

/// All that is known of the connections from one server.
#[derive(Debug)]
pub(crate) struct Flows {
    server: End,
    /// By the client's end. A port may be used again, so that one end has several connections, oldest first.
    logs: HashMap<End, VecDeque<ConnectionLog>>,
    connections: usize,
    marks: usize,
    bounds: Bounds,
    unlogged: u64,
}

#[derive(Clone, Copy, Debug)]
struct Bounds {
    connections: usize,
    marks: usize,
}

impl Flows {
    pub(crate) fn new(server: SocketAddr) -> Self {
        let bounds = Bounds { connections: MOST_CONNECTIONS, marks: MOST_MARKS };
        let server = end(server);
        Self { server, logs: HashMap::new(), connections: 0, marks: 0, bounds, unlogged: 0 }
    }

    /// Connections that are not logged, or not to their end, for want of room.
    pub(crate) const fn unlogged(&self) -> u64 {
        self.unlogged
    }

    /// Notes a segment that arrived. What does not come from the server is left.
    pub(crate) fn record(&mut self, segment: &Segment, at_ns: u64) {
        if segment.from != self.server || segment.rst {
            return;
        }
        // A SYN takes up a sequence number of its own.
        let first = segment.sequence.wrapping_add(u32::from(segment.syn));
        if segment.syn && segment.ack {
            self.open(segment.to, first, at_ns);
        }
        let Some(log) = self.logs.get_mut(&segment.to).and_then(VecDeque::back_mut) else { return };
        let before = log.len();
        log.accept(first, segment.payload, at_ns);
        self.marks += log.len() - before;
        if self.marks > self.bounds.marks && !log.is_cut() {
            log.cut();
            self.unlogged += 1;
        }
    }

    fn open(&mut self, client: End, first: u32, at_ns: u64) {
        let known = self.logs.get(&client).and_then(VecDeque::back);
        // The same answer again, since the client's acknowledgement was late.
        if known.is_some_and(|log| log.first() == first) {
            return;
        }
        if self.connections >= self.bounds.connections {
            // What follows must not be taken for bytes of the connection before.
            if let Some(log) = self.logs.get_mut(&client).and_then(VecDeque::back_mut) {
                log.cut();
            }
            self.unlogged += 1;
            return;
        }
        self.logs.entry(client).or_default().push_back(ConnectionLog::new(first, at_ns));
        self.connections += 1;
    }

    /// The capture lost packets: what arrives from here on cannot be placed in time, on any connection.
    pub(crate) fn cut(&mut self) {
        self.logs.values_mut().flatten().for_each(ConnectionLog::cut);
    }

    /// The log of the oldest connection from `client`, which is then forgotten.
    pub(crate) fn take(&mut self, client: SocketAddr) -> Option<ConnectionLog> {
        let client = end(client);
        let logs = self.logs.get_mut(&client)?;
        let log = logs.pop_front();
        if logs.is_empty() {
            self.logs.remove(&client);
        }
        let log = log?;
        self.connections -= 1;
        self.marks -= log.len();
        Some(log)
    }

    /// The log of the connection from `client` that was the latest to open by `ns`. Earlier ones are forgotten too.
    pub(crate) fn take_as_of(&mut self, client: SocketAddr, ns: u64) -> Option<ConnectionLog> {
        let logs = self.logs.get(&end(client))?;
        let opened = logs.iter().take_while(|log| log.opened_ns() <= ns).count();
        (0..opened).filter_map(|_| self.take(client)).last()
    }

    /// What is known of the first `upto` bytes of the oldest connection from `client`; they are then forgotten.
    pub(crate) fn take_until(&mut self, client: SocketAddr, upto: u64) -> Option<ConnectionLog> {
        let log = self.logs.get_mut(&end(client))?.front_mut()?;
        let before = log.len();
        let taken = log.split(upto);
        self.marks -= before - log.len();
        Some(taken)
    }
}

fn end(address: SocketAddr) -> End {
    (address.ip().to_canonical(), address.port())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    fn server() -> SocketAddr {
        ([127, 0, 0, 1], 8080).into()
    }

    fn client(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    fn data(port: u16, sequence: u32, payload: u32) -> Segment {
        let (from, to) = (end(server()), end(client(port)));
        Segment { from, to, sequence, payload, syn: false, ack: true, rst: false }
    }

    fn accept(port: u16, sequence: u32) -> Segment {
        Segment { syn: true, ..data(port, sequence, 0) }
    }

    #[test]
    fn connections_are_told_apart_and_forgotten_once_taken() {
        let mut flows = Flows::new(server());
        flows.record(&accept(1, 99), 10);
        flows.record(&accept(2, 999), 11);
        flows.record(&data(1, 100, 5), 20);
        flows.record(&data(2, 1000, 7), 21);
        let log = flows.take(client(1)).unwrap();
        assert_eq!((log.opened_ns(), log.received(), log.arrival(4), log.arrival(5)), (10, 5, Some(20), None));
        assert_eq!(flows.take(client(1)), None);
        flows.record(&data(1, 105, 5), 30);
        assert_eq!(flows.take(client(1)), None);
        assert_eq!(flows.take(client(2)).unwrap().received(), 7);
        assert_eq!((flows.connections, flows.marks), (0, 0));
    }

    #[test]
    fn a_port_that_is_used_again_has_a_log_per_connection() {
        let mut flows = Flows::new(server());
        for (sequence, at) in [(99, 10), (5_000_000, 50), (9_000_000, 90)] {
            flows.record(&accept(1, sequence), at);
            flows.record(&accept(1, sequence), at + 1);
            flows.record(&data(1, sequence + 1, 5), at + 5);
        }
        assert_eq!(flows.take(client(1)).unwrap().arrival(0), Some(15));
        let mut later = flows.take_as_of(client(1), 99).unwrap();
        assert_eq!((later.opened_ns(), later.arrival(0)), (90, Some(95)));
        assert_eq!(flows.take(client(1)), None);
        flows.record(&accept(1, 7), 100);
        assert_eq!(flows.take_as_of(client(1), 99), None);
        later = flows.take_as_of(client(1), 100).unwrap();
        assert_eq!(later.received(), 0);
    }

    #[test]
    fn others_and_resets_are_left() {
        let mut flows = Flows::new(server());
        flows.record(&data(1, 100, 5), 1);
        flows.record(&accept(1, 99), 2);
        flows.record(&Segment { rst: true, ..data(1, 100, 5) }, 3);
        flows.record(&Segment { from: end(client(7)), ..data(1, 100, 5) }, 4);
        assert_eq!(flows.take(client(1)).unwrap().received(), 0);
    }

    #[test]
    fn the_answer_to_a_connection_may_carry_data() {
        let mut flows = Flows::new(server());
        flows.record(&Segment { payload: 3, ..accept(1, u32::MAX) }, 2);
        flows.record(&data(1, 3, 3), 4);
        let log = flows.take(client(1)).unwrap();
        assert_eq!((log.arrival(0), log.arrival(2), log.arrival(3)), (Some(2), Some(2), Some(4)));
    }

    #[test]
    fn a_mapped_address_is_the_same_as_its_short_form() {
        let mut flows = Flows::new("[::ffff:127.0.0.1]:8080".parse().unwrap());
        flows.record(&accept(1, 99), 10);
        assert!(flows.take("[::ffff:127.0.0.1]:1".parse().unwrap()).is_some());
    }

    #[test]
    fn a_long_connection_is_handed_out_in_parts() {
        let mut flows = Flows::new(server());
        flows.record(&accept(1, 0), 10);
        for part in 0..4 {
            flows.record(&data(1, 1 + part * 10, 10), 20 + u64::from(part));
        }
        let head = flows.take_until(client(1), 15).unwrap();
        assert_eq!((head.received(), head.arrival(14), head.arrival(15)), (15, Some(21), None));
        let rest = flows.take(client(1)).unwrap();
        assert_eq!((rest.arrival(14), rest.arrival(15), rest.arrival(39)), (None, Some(21), Some(23)));
        assert_eq!(flows.marks, 0);
    }

    #[test]
    fn after_a_loss_only_new_connections_are_logged() {
        let mut flows = Flows::new(server());
        flows.record(&accept(1, 0), 10);
        flows.record(&data(1, 1, 10), 11);
        flows.cut();
        flows.record(&data(1, 11, 10), 12);
        flows.record(&accept(2, 0), 13);
        flows.record(&data(2, 1, 10), 14);
        let old = flows.take(client(1)).unwrap();
        assert_eq!((old.arrival(9), old.arrival(10), old.is_cut()), (Some(11), None, true));
        assert_eq!(flows.take(client(2)).unwrap().arrival(9), Some(14));
    }

    #[test]
    fn memory_is_bounded() {
        let mut flows = Flows { bounds: Bounds { connections: 2, marks: 3 }, ..Flows::new(server()) };
        for port in 1..=3 {
            flows.record(&accept(port, 0), 1);
        }
        flows.record(&accept(1, 7_000), 2);
        flows.record(&data(1, 1, 1), 2);
        assert_eq!(flows.unlogged(), 2);
        assert_eq!(flows.take(client(3)), None);
        let reused = flows.take(client(1)).unwrap();
        assert!(reused.is_cut() && reused.received() == 0);
        for part in 0..5 {
            flows.record(&data(2, 1 + part, 1), 3);
        }
        assert_eq!(flows.unlogged(), 3);
        let log = flows.take(client(2)).unwrap();
        assert!(log.is_cut() && log.marks().len() == 4);
    }
}
