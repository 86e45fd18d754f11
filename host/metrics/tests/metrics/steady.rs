//! Where a load is steady, by hand.

use bench_metrics::{Outcome, RequestMetrics, Sample, SteadySpan, SteadyWindow, TimedSample, steady};
use proptest::prelude::*;

use super::stream::{Stream, asked, finish, text, usage};

#[test]
fn ramps_and_tails_are_cut_off() {
    // Four streams that begin and end a second apart: 1, 2, 3, then 4 from 3 to 20, then 3, 2, 1.
    assert_eq!(steady(&[(0, 20), (1, 21), (2, 22), (3, 23)]), Some((3, 20)));
    // The same as back-to-back requests of each stream.
    let chain = |from: u64, to: u64| (from..to).map(|at| (at, at + 1));
    let spans: Vec<_> = chain(0, 20).chain(chain(1, 21)).chain(chain(2, 22)).chain(chain(3, 23)).collect();
    assert_eq!(steady(&spans), Some((3, 20)));
    // One request at a time is steady from end to end.
    assert_eq!(steady(&[(0, 10), (10, 30)]), Some((0, 30)));
}

#[test]
fn a_dip_inside_does_not_end_the_window() {
    // Two streams; one pauses from 40 to 45.
    assert_eq!(steady(&[(0, 100), (5, 40), (45, 90)]), Some((5, 90)));
}

#[test]
fn there_is_not_always_a_window() {
    assert_eq!(steady(&[]), None);
    assert_eq!(steady(&[(5, 5), (9, 3)]), None);
    // Nothing runs for more than half of the time.
    assert_eq!(steady(&[(0, 10), (90, 100)]), None);
    // A load that climbs all the time: 1 to 50 requests.
    let climbing: Vec<_> = (0..50).map(|start| (start, 50)).collect();
    assert_eq!(steady(&climbing), None);
    let falling: Vec<_> = (1..=50).map(|end| (0, end)).collect();
    assert_eq!(steady(&falling), None);
}

fn answered() -> RequestMetrics {
    Stream::new().read(10, [text()]).read(20, [text(), usage(100, 0, 2), finish()]).measure(&asked(100, 2))
}

#[test]
fn the_window_is_summed_up_by_itself() {
    const S: u64 = 1_000_000_000;
    let metrics = answered();
    let timed = |repeat: u32, from: u64, to: u64| TimedSample {
        sample: Sample { repeat, turn: 0, resent: 0, outcome: Outcome::Completed(&metrics) },
        span: Some((from * S, to * S)),
    };
    let not_sent = TimedSample {
        sample: Sample { repeat: 0, turn: 0, resent: 0, outcome: Outcome::NotSent { code: "cancelled" } },
        span: None,
    };
    // Two streams: one from 0 to 12, the other from 2 to 14; both run from 2 to 12.
    let samples =
        [timed(0, 0, 4), timed(0, 4, 8), timed(0, 8, 12), timed(0, 2, 6), timed(0, 6, 10), timed(0, 10, 14), not_sent];
    let found = SteadyWindow::of(&samples).unwrap();
    assert_eq!((found.from_ns, found.to_ns), (2 * S, 12 * S));
    assert_eq!(found.windows, [SteadySpan { repeat: 0, from_ns: 2 * S, to_ns: 12 * S }]);
    // Inside lie 4–8, 8–12, 2–6 and 6–10.
    assert_eq!((found.requests, found.summary.completed), (4, 4));
    assert_eq!(found.summary.median("concurrency"), Some(2.0));
    // 0–4 ended inside as well: 5 answers of 2 tokens in 10 seconds.
    assert_eq!(found.summary.median("aggregate_tps"), Some(1.0));
    // 4, 8, 2, 6 and 10 started inside.
    assert_eq!(found.summary.median("request_rate"), Some(0.5));
    assert_eq!(found.summary.median("window_ms"), Some(10_000.0));

    // A second repeat has a window of its own; a third without one is left out.
    let more = [timed(1, 20, 30), timed(1, 20, 30), timed(2, 40, 41), timed(2, 60, 61)];
    let found = SteadyWindow::of(&[&samples[..], &more[..]].concat()).unwrap();
    assert_eq!((found.from_ns, found.to_ns, found.windows.len(), found.requests), (2 * S, 30 * S, 2, 6));
    assert_eq!(SteadyWindow::of(&more[2..]), None);
}

proptest! {
    #[test]
    fn a_window_lies_inside_and_moves_with_its_requests(
        spans in proptest::collection::vec((0_u64..1000, 0_u64..300), 0..60),
        shift in 0_u64..1_000_000,
    ) {
        let spans: Vec<(u64, u64)> = spans.iter().map(|(start, length)| (*start, start + length)).collect();
        let moved: Vec<(u64, u64)> = spans.iter().map(|(start, end)| (start + shift, end + shift)).collect();
        let found = steady(&spans);
        prop_assert_eq!(found.map(|(from, to)| (from + shift, to + shift)), steady(&moved));
        if let Some((from, to)) = found {
            prop_assert!(from < to);
            prop_assert!(spans.iter().any(|(start, _)| *start == from) && spans.iter().any(|(_, end)| *end == to));
        }
    }

    #[test]
    fn equal_streams_are_steady_throughout(streams in 1_usize..20, requests in 1_u64..20) {
        let spans: Vec<(u64, u64)> = (0..requests).flat_map(|i| vec![(i * 7, i * 7 + 7); streams]).collect();
        prop_assert_eq!(steady(&spans), Some((0, requests * 7)));
    }
}
