//! Objectives as text, and who keeps them.

use std::collections::BTreeMap;

use bench_metrics::{Event, GapStats, Outcome, RequestMetrics, Sample, Slo, goodput};
use proptest::prelude::*;

use super::stream::{Stream, asked, finish, so_far, text, usage};

fn slo(text: &str) -> Slo {
    text.parse().unwrap()
}

fn refused(text: &str) -> String {
    let error = text.parse::<Slo>().unwrap_err();
    assert_eq!(error.code(), "bad-slo");
    assert!(error.hint().is_some_and(|hint| hint.contains("ttft=200ms")));
    error.to_string()
}

#[test]
fn objectives_are_read_in_any_unit() {
    let found = slo("ttft=200ms, itl=30ms ,tpot=25000us,e2e=2s,itl.p99=0.05s");
    let percentiles = BTreeMap::from([(99, 50.0)]);
    assert_eq!(
        found,
        Slo {
            ttft_ms: Some(200.0),
            itl_ms: Some(30.0),
            tpot_ms: Some(25.0),
            e2e_ms: Some(2000.0),
            itl_percentiles_ms: percentiles,
        }
    );
    assert_eq!(found.to_string(), "ttft=200ms,itl=30ms,itl.p99=50ms,tpot=25ms,e2e=2000ms");
}

#[test]
fn what_is_wrong_is_named() {
    assert!(refused("").contains("empty"));
    assert!(refused("ttft=200ms,").contains("NAME=TIME"));
    assert!(refused("ttft").contains("`ttft`"));
    assert!(refused("speed=3ms").contains("`speed` is no objective; known are ttft, itl, itl.pN, tpot and e2e"));
    assert!(refused("ttft=1s,ttft=2s").contains("`ttft` stands twice"));
    assert!(refused("itl.p99=1s,itl.p99=2s").contains("`itl.p99` stands twice"));
    assert!(refused("ttft=200").contains("`200` of `ttft` has no unit; known are us, ms and s"));
    for time in ["0ms", "-1ms", "nans", "infs", "1e3ms", "s", "1.2.3s", "100000000s", "+1s"] {
        assert!(refused(&format!("e2e={time}")).contains(&format!("`{time}` of `e2e`")), "{time}");
    }
    for name in ["itl.p0", "itl.p101", "itl.p", "itl.p09", "itl.p+9", "ttft.p99"] {
        assert!(refused(&format!("{name}=1s")).contains(name), "{name}");
    }
    assert!(refused(&"x".repeat(100_000)).contains("100000 characters"));
}

proptest! {
    #[test]
    fn objectives_read_back_as_written(
        bounds in proptest::collection::vec(proptest::option::of(1e-6_f64..8e7), 4),
        percentiles in proptest::collection::btree_map(1_u8..=100, 1e-6_f64..8e7, 0..3),
    ) {
        let written = Slo { ttft_ms: bounds[0], itl_ms: bounds[1], tpot_ms: bounds[2], e2e_ms: bounds[3], itl_percentiles_ms: percentiles };
        prop_assume!(!written.is_empty());
        prop_assert_eq!(written.to_string().parse::<Slo>().unwrap(), written.clone());
        let json = serde_json::to_string(&written).unwrap();
        prop_assert_eq!(serde_json::from_str::<Slo>(&json).unwrap(), written);
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,60}") {
        let _ = text.parse::<Slo>();
    }

    #[test]
    fn nearly_right_text_does_not_either(text in "(ttft|itl|e2e|itl.p9{0,4})=?[0-9.]{0,20}(us|ms|s|m)?,?") {
        if let Ok(found) = text.parse::<Slo>() {
            prop_assert_eq!(found.to_string().parse::<Slo>().unwrap(), found);
        }
    }
}

/// Tokens at 10, 30 and 50 ms, each known; intended 5 ms before the first byte, ends at 51 ms.
fn answered() -> RequestMetrics {
    Stream::new()
        .read(10, [text(), so_far(1)])
        .read(30, [text(), so_far(2)])
        .read(50, [text(), so_far(3)])
        .read(51, [usage(100, 0, 3), finish()])
        .measure(&asked(100, 3))
}

fn sample(metrics: &RequestMetrics) -> Sample<'_> {
    Sample { repeat: 0, turn: 0, resent: 0, outcome: Outcome::Completed(metrics) }
}

fn failed() -> Sample<'static> {
    Sample { repeat: 0, turn: 0, resent: 0, outcome: Outcome::Failed { code: "stalled", wall_ms: None } }
}

/// Whether one request kept the objective; `None` when that could not be judged.
fn keeps(metrics: &RequestMetrics, objective: &str) -> Option<bool> {
    let found = goodput(&[sample(metrics)], &slo(objective), None);
    assert_eq!(found.met + found.missed + found.unjudged, 1);
    (found.unjudged == 0).then_some(found.met == 1)
}

#[test]
fn each_bound_has_its_own_clock() {
    let metrics = answered();
    // From the intended start 5 ms earlier, not from the first byte.
    assert_eq!((keeps(&metrics, "ttft=14.9ms"), keeps(&metrics, "ttft=15ms")), (Some(false), Some(true)));
    assert_eq!((keeps(&metrics, "e2e=55.9ms"), keeps(&metrics, "e2e=56ms")), (Some(false), Some(true)));
    // Two tokens in 40 ms.
    for bound in ["itl", "tpot", "itl.p50", "itl.p99"] {
        assert_eq!(keeps(&metrics, &format!("{bound}=19.9ms")), Some(false), "{bound}");
        assert_eq!(keeps(&metrics, &format!("{bound}=20ms")), Some(true), "{bound}");
    }
}

#[test]
fn times_between_chunks_stand_in_where_tokens_are_not_known() {
    // Nine tokens in three chunks whose shares are not known: 20 ms between chunks, 40 ms / 8 per token.
    let metrics = Stream::new()
        .read(10, [text()])
        .read(30, [text()])
        .read(50, [text()])
        .read(51, [usage(100, 0, 9), finish()])
        .measure(&asked(100, 9));
    assert_eq!(metrics.tpot_ms, Some(5.0));
    assert_eq!((keeps(&metrics, "itl=19.9ms"), keeps(&metrics, "itl=20ms")), (Some(false), Some(true)));
    assert_eq!((keeps(&metrics, "tpot=4.9ms"), keeps(&metrics, "tpot=5ms")), (Some(false), Some(true)));
}

#[test]
fn what_cannot_be_judged_is_neither_kept_nor_missed() {
    let no_count = Stream::new().read(10, [text()]).read(30, [text(), finish()]).measure(&asked(100, 9));
    assert_eq!(keeps(&no_count, "tpot=1s"), None);
    // A bound that is surely missed decides, whatever else is unknown.
    assert_eq!(keeps(&no_count, "tpot=1s,e2e=1ms"), Some(false));
    // One token has no time between tokens to bound.
    let one = Stream::new().read(10, [text(), so_far(1), finish()]).measure(&asked(100, 1));
    assert_eq!(keeps(&one, "itl=1ms,tpot=1ms,itl.p99=1ms"), Some(true));
    // A stream that came at once: its tokens have no times.
    let at_once = Stream::new().read(10, [text()]).read(11, [usage(100, 0, 50), finish()]).measure(&asked(100, 50));
    assert_eq!(keeps(&at_once, "tpot=1s"), None);
    // The percentile of a request that no longer holds its times, at one that it kept and at one that it did not.
    let mut thinned = answered();
    thinned.raw_timings = None;
    thinned.itl_chunk = GapStats { each_ms: Vec::new(), ..thinned.itl_chunk };
    thinned.decode_p99_latency_ms = Some(40.0);
    assert_eq!((keeps(&thinned, "itl.p99=40ms"), keeps(&thinned, "itl.p90=40ms")), (Some(true), None));
}

#[test]
fn failures_are_misses_and_rates_count_what_was_good() {
    let good = answered();
    let slow = RequestMetrics { ttft_intended_ms: Some(500.0), e2e_ms: 900.0, ..good.clone() };
    let samples = [sample(&good), sample(&good), sample(&slow), failed()];
    let found = goodput(&samples, &slo("ttft=200ms,e2e=300ms,itl=1s"), Some(2000.0));
    assert_eq!((found.met, found.missed, found.failed, found.unjudged), (2, 1, 1, 0));
    assert_eq!((found.share, found.per_second, found.tokens_per_second), (Some(0.5), Some(1.0), Some(3.0)));
    assert_eq!(found.missed_by, BTreeMap::from([("ttft".to_owned(), 1), ("e2e".to_owned(), 1)]));

    let nothing = goodput(&[], &slo("ttft=1s"), Some(0.0));
    assert_eq!((nothing.share, nothing.per_second, nothing.tokens_per_second), (None, None, None));
    let none_met = goodput(&[failed()], &slo("ttft=1s"), Some(1000.0));
    assert_eq!((none_met.share, none_met.tokens_per_second), (Some(0.0), Some(0.0)));
    let uncounted = RequestMetrics { output_tokens: None, ..good };
    let found = goodput(&[sample(&uncounted)], &slo("ttft=1s"), Some(1000.0));
    assert_eq!((found.per_second, found.tokens_per_second), (Some(1.0), None));
}

#[test]
fn the_first_token_of_an_answer_without_content_is_not_judged() {
    let silent = Stream::new().read(10, [Event::Start, finish()]).measure(&asked(100, 1));
    assert_eq!(keeps(&silent, "ttft=1s"), None);
}
