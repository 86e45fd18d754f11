//! When each byte of a stream had arrived.

use std::collections::{BTreeMap, VecDeque};

/// Parts ahead of a gap that are remembered. Real paths reorder a few segments; more means that the gap is one of the
/// capture.
#[cfg(any(target_os = "linux", test))]
const MOST_AHEAD: usize = 1024;

/// The largest window of TCP (RFC 7323): nothing beyond it can be a segment of this moment.
#[cfg(any(target_os = "linux", test))]
const WINDOW: u64 = 1 << 30;

/// By when a stream had come so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Bytes of the stream that had arrived in order.
    pub end: u64,
    /// When the last of them did, in nanoseconds of the real-time clock.
    pub at_ns: u64,
}

/// What a server sent on one connection: which bytes had arrived by when.
///
/// Bytes are counted from 0 over all that the server ever sent on the connection, whatever it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionLog {
    /// Sequence number of byte 0.
    first: u32,
    opened_ns: u64,
    /// Bytes that have arrived in order.
    received: u64,
    /// Bytes at the beginning that are not known any more.
    forgotten: u64,
    /// Strictly ascending in `end`, never descending in time.
    marks: VecDeque<Mark>,
    /// Parts that arrived ahead of a gap: begin and end, disjoint and not touching.
    ahead: BTreeMap<u64, u64>,
    /// Packets were lost to the capture, so nothing more is logged.
    cut: bool,
}

impl ConnectionLog {
    /// When byte `offset` and all before it had arrived, in nanoseconds of the real-time clock. `None` where that is
    /// not known: it had not arrived yet, was handed out or trimmed before, or came after the capture lost packets.
    #[must_use]
    pub fn arrival(&self, offset: u64) -> Option<u64> {
        if offset < self.forgotten {
            return None;
        }
        let after = self.marks.partition_point(|mark| mark.end <= offset);
        self.marks.get(after).map(|mark| mark.at_ns)
    }

    /// When the connection was accepted (its SYN-ACK arrived), in nanoseconds of the real-time clock.
    #[must_use]
    pub const fn opened_ns(&self) -> u64 {
        self.opened_ns
    }

    /// Bytes that have arrived in order.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Whether the log ends before the connection did, because the capture lost packets or ran out of room. What it
    /// says is right nevertheless.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.cut
    }

    /// All that is known, in order: one mark per segment that brought new bytes.
    pub fn marks(&self) -> impl ExactSizeIterator<Item = Mark> + '_ {
        self.marks.iter().copied()
    }
}

#[cfg(any(target_os = "linux", test))]
impl ConnectionLog {
    /// A connection whose first byte will have the sequence number `first`.
    pub(crate) const fn new(first: u32, opened_ns: u64) -> Self {
        Self { first, opened_ns, received: 0, forgotten: 0, marks: VecDeque::new(), ahead: BTreeMap::new(), cut: false }
    }

    pub(crate) const fn first(&self) -> u32 {
        self.first
    }

    /// Notes a segment. Bytes that have arrived already keep their time; bytes ahead of a gap have arrived once it is
    /// closed.
    pub(crate) fn accept(&mut self, sequence: u32, payload: u32, at_ns: u64) {
        let Some((start, end)) = self.place(sequence, payload) else { return };
        if start > self.received {
            self.keep_ahead(start, end);
            return;
        }
        self.received = end;
        while let Some(part) = self.ahead.first_entry().filter(|part| *part.key() <= self.received) {
            self.received = self.received.max(part.remove());
        }
        // Two processors may hand in packets whose stamps differ by less than their order.
        let at_ns = self.marks.back().map_or(at_ns, |last| last.at_ns.max(at_ns));
        self.marks.push_back(Mark { end: self.received, at_ns });
    }

    /// Where a segment's new bytes lie in the stream: begin, not before what has arrived, and end. Sequence numbers are
    /// 32 bits wide and wrap; the window is narrower, so the one place that is near what has arrived is meant (RFC
    /// 9293, 3.4).
    fn place(&self, sequence: u32, payload: u32) -> Option<(u64, u64)> {
        if self.cut || payload == 0 {
            return None;
        }
        // The lower half of the offset is what sequence numbers count.
        let expected = self.first.wrapping_add((self.received & u64::from(u32::MAX)) as u32);
        let distance = i64::from(sequence.wrapping_sub(expected).cast_signed());
        let start = self.received.checked_add_signed(distance).unwrap_or(0);
        // The part that is before the stream's beginning, as in a probe that keeps a fresh connection alive.
        let end = self.received.checked_add_signed(distance.checked_add(i64::from(payload))?)?;
        let is_new = end > self.received && start.saturating_sub(self.received) <= WINDOW;
        is_new.then(|| (start.max(self.received), end))
    }

    fn keep_ahead(&mut self, mut start: u64, mut end: u64) {
        while let Some((&begin, &until)) = self.ahead.range(..=end).next_back().filter(|(_, until)| **until >= start) {
            self.ahead.remove(&begin);
            start = start.min(begin);
            end = end.max(until);
        }
        self.ahead.insert(start, end);
        if self.ahead.len() > MOST_AHEAD {
            self.cut();
        }
    }

    /// From here on nothing is known.
    pub(crate) fn cut(&mut self) {
        self.cut = true;
        self.ahead.clear();
    }

    /// Takes out what is known of the first `upto` bytes.
    pub(crate) fn split(&mut self, upto: u64) -> Self {
        let upto = upto.min(self.received);
        let whole = self.marks.partition_point(|mark| mark.end <= upto);
        let rest = self.marks.split_off(whole);
        let mut marks = std::mem::replace(&mut self.marks, rest);
        // The segment that spans the border belongs to both.
        let reached = marks.back().map_or(self.forgotten, |mark| mark.end);
        if let Some(spanning) = self.marks.front().filter(|_| reached < upto) {
            marks.push_back(Mark { end: upto, at_ns: spanning.at_ns });
        }
        let taken =
            Self { received: upto, forgotten: self.forgotten.min(upto), marks, ahead: BTreeMap::new(), ..*self };
        self.forgotten = self.forgotten.max(upto);
        taken
    }

    /// Marks that take memory.
    pub(crate) fn len(&self) -> usize {
        self.marks.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sequence number of a byte.
    fn sequence(log: &ConnectionLog, offset: u64) -> u32 {
        log.first().wrapping_add((offset & u64::from(u32::MAX)) as u32)
    }

    /// A log that has come so far already.
    fn at(first: u32, received: u64) -> ConnectionLog {
        ConnectionLog { received, forgotten: received, ..ConnectionLog::new(first, 0) }
    }

    fn add(log: &mut ConnectionLog, start: u64, payload: u32, at_ns: u64) {
        log.accept(sequence(log, start), payload, at_ns);
    }

    /// Beginnings of streams, and places in them, so that sequence numbers wrap in every way.
    fn places() -> impl Strategy<Value = (u32, u64)> {
        (any::<u32>(), prop_oneof![Just(0_u64), 0..1_000_u64, (u64::from(u32::MAX) - 500)..(u64::from(u32::MAX) + 500)])
    }

    /// The same by brute force: which bytes are there after each segment.
    fn expected(segments: &[(u64, u32)]) -> Vec<Option<u64>> {
        let mut there = [false; 700];
        let mut arrivals = vec![None; 700];
        for (time, (start, payload)) in (1..).zip(segments) {
            let start = usize::try_from(*start).unwrap_or(usize::MAX);
            there.iter_mut().skip(start).take(*payload as usize).for_each(|byte| *byte = true);
            let reached = there.iter().take_while(|byte| **byte).count();
            arrivals.iter_mut().take(reached).filter(|at| at.is_none()).for_each(|at| *at = Some(time));
        }
        arrivals
    }

    proptest! {
        #[test]
        fn any_order_is_put_in_order(
            (first, begin) in places(),
            segments in proptest::collection::vec((0..400_u64, 0..60_u32), 0..60),
        ) {
            let mut log = at(first, begin);
            for (time, (start, payload)) in (1..).zip(&segments) {
                add(&mut log, begin + start, *payload, time);
            }
            for (offset, arrival) in (0..).zip(expected(&segments)) {
                prop_assert_eq!(log.arrival(begin + offset), arrival, "byte {}", offset);
            }
            prop_assert!(log.marks.iter().is_sorted_by(|a, b| a.end < b.end && a.at_ns <= b.at_ns));
        }

        #[test]
        fn parts_say_what_the_whole_says(
            segments in proptest::collection::vec((0..300_u64, 1..60_u32), 0..40),
            cuts in proptest::collection::vec(0..500_u64, 1..5),
        ) {
            let mut log = ConnectionLog::new(3, 0);
            for (time, (start, payload)) in (1..).zip(&segments) {
                add(&mut log, *start, *payload, time);
            }
            let whole = log.clone();
            let mut parts: Vec<ConnectionLog> = cuts.iter().map(|upto| log.split(*upto)).collect();
            parts.push(log);
            for offset in 0..500 {
                let known: Vec<u64> = parts.iter().filter_map(|part| part.arrival(offset)).collect();
                prop_assert_eq!(&known, &whole.arrival(offset).into_iter().collect::<Vec<_>>(), "byte {}", offset);
            }
        }

        #[test]
        fn hostile_segments_do_no_harm(
            first: u32,
            segments in proptest::collection::vec(any::<(u32, u32, u64)>(), 0..200),
        ) {
            let mut log = ConnectionLog::new(first, 0);
            for (sequence, payload, at_ns) in segments {
                let before = log.received();
                log.accept(sequence, payload, at_ns);
                prop_assert!(log.received() >= before);
            }
            prop_assert!(log.ahead.len() <= MOST_AHEAD && log.arrival(log.received()).is_none());
        }
    }

    #[test]
    fn a_retransmission_keeps_the_first_arrival() {
        let mut log = ConnectionLog::new(u32::MAX - 3, 0);
        add(&mut log, 0, 10, 1);
        add(&mut log, 0, 10, 2);
        add(&mut log, 5, 10, 3);
        assert_eq!([0, 9, 10, 14, 15].map(|offset| log.arrival(offset)), [Some(1), Some(1), Some(3), Some(3), None]);
    }

    #[test]
    fn a_probe_for_life_is_no_byte() {
        let mut log = ConnectionLog::new(1000, 0);
        log.accept(999, 0, 1);
        log.accept(999, 1, 2);
        assert_eq!((log.received(), log.len()), (0, 0));
        log.accept(999, 3, 3);
        assert_eq!((log.received(), log.arrival(1)), (2, Some(3)));
    }

    #[test]
    fn a_byte_ahead_of_a_gap_arrives_when_the_gap_closes() {
        let mut log = ConnectionLog::new(0, 0);
        add(&mut log, 10, 10, 1);
        add(&mut log, 30, 10, 2);
        add(&mut log, 0, 10, 3);
        assert_eq!([0, 19, 20, 30].map(|offset| log.arrival(offset)), [Some(3), Some(3), None, None]);
        add(&mut log, 20, 10, 4);
        assert_eq!([19, 20, 39, 40].map(|offset| log.arrival(offset)), [Some(3), Some(4), Some(4), None]);
    }

    #[test]
    fn too_many_gaps_are_the_end_of_the_log() {
        let mut log = ConnectionLog::new(0, 0);
        add(&mut log, 0, 1, 1);
        for part in 0..=MOST_AHEAD as u64 {
            add(&mut log, 10 + part * 2, 1, 2);
        }
        assert!(log.is_cut());
        add(&mut log, 1, 9, 3);
        assert_eq!((log.arrival(0), log.arrival(1), log.ahead.len()), (Some(1), None, 0));
    }
}
