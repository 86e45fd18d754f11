//! Reading what servers say of themselves, and following it over time.

use bench_metrics::prometheus::{Collector, Kind, MOST_SAMPLES, MOST_SERIES, Sample, Scrape, Series, parse};
use proptest::prelude::*;

fn pairs(labels: &[(&str, &str)]) -> Vec<(String, String)> {
    labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect()
}

/// Name, labels and value of the only sample of a text.
fn only(text: &str) -> (String, Vec<(String, String)>, f64) {
    let scrape = parse(text.as_bytes());
    assert_eq!((scrape.samples.len(), scrape.malformed), (1, 0), "{text:?}");
    let Sample { name, labels, value, .. } = scrape.samples.into_iter().next().unwrap();
    (name, labels, value)
}

fn named(name: &str, labels: &[(&str, &str)], value: f64) -> (String, Vec<(String, String)>, f64) {
    (name.to_owned(), pairs(labels), value)
}

#[test]
fn every_way_to_write_a_sample_is_read() {
    for (text, name, labels, value) in [
        ("up 1", "up", vec![], 1.0),
        ("  up\t1\r", "up", vec![], 1.0),
        ("vllm:kv_cache_usage_perc{engine=\"0\"} 2.5e-01", "vllm:kv_cache_usage_perc", vec![("engine", "0")], 0.25),
        ("a{z=\"1\",b=\"2\",} -3 1395066363000", "a", vec![("b", "2"), ("z", "1")], -3.0),
        ("a { b = \"2\" , c = \"3\" } 4", "a", vec![("b", "2"), ("c", "3")], 4.0),
        ("a{} 5 1520879607.789", "a", vec![], 5.0),
        ("a{b=\"x\\\\y\\\"z\\nw\\q\"} 6", "a", vec![("b", "x\\y\"z\nw\\q")], 6.0),
        ("a{b=\"} 1 # {\"} 7", "a", vec![("b", "} 1 # {")], 7.0),
        ("a_bucket{le=\"+Inf\"} 8 # {trace=\"KOO\"} 0.67", "a_bucket", vec![("le", "+Inf")], 8.0),
        ("a_total 9 1520879607 # {t=\"K\"} 1 1520879606", "a_total", vec![], 9.0),
        ("{\"a.b\", \"c d\"=\"ü\"} 10", "a.b", vec![("c d", "ü")], 10.0),
        ("a +Inf", "a", vec![], f64::INFINITY),
        ("a -Inf", "a", vec![], f64::NEG_INFINITY),
    ] {
        assert_eq!(only(text), named(name, &labels, value), "{text:?}");
    }
    assert!(only("a NaN").2.is_nan());
}

#[test]
fn a_line_that_cannot_be_read_is_counted_and_the_others_are_kept() {
    for line in [
        "a",
        "a ",
        "1a 1",
        "a{b=\"c\" 1",
        "a{b=\"c} 1",
        "a{b=c} 1",
        "a{b=\"1\",b=\"2\"} 1",
        "a{b=\"1\" c=\"2\"} 1",
        "a{1b=\"1\"} 1",
        "a{b:c=\"1\"} 1",
        "a{,} 1",
        "a 1 2 3",
        "a 1 x",
        "a one",
        "a 1 #",
        "{} 1",
        "{\"\"} 1",
        "a{\"b\"} 1",
        "{\"a\",\"b\"} 1",
        "{\"a\"=\"b\"} 1",
        "=1",
        "a}1",
        "a=1",
        "\u{fc} 1",
    ] {
        let scrape = parse(format!("before 1\n{line}\nafter 2\n").as_bytes());
        let names: Vec<&str> = scrape.samples.iter().map(|sample| sample.name.as_str()).collect();
        assert_eq!((names, scrape.malformed), (vec!["before", "after"], 1), "{line:?}");
    }
    let scrape = parse(b"a{b=\"\xff\"} 1\nc 2");
    assert_eq!((scrape.samples.len(), scrape.malformed), (1, 1));
}

#[test]
fn the_kinds_are_those_that_the_text_states() {
    let text = "\
# HELP run Requests running # TYPE run counter
# TYPE run gauge
run 3
# TYPE done_total counter
done_total 4
# TYPE sent counter
sent_total 5
# TYPE wait_seconds histogram
wait_seconds_bucket{le=\"1\"} 1
wait_seconds_sum 0.5
wait_seconds_count 1
# TYPE size summary
size{quantile=\"0.5\"} 7
size_sum 9
size_count 2
# TYPE odd untyped
odd 1
guess_total 8
nothing_sum 1
# TYPE steps_total histogram
steps_total_sum 1
";
    let kinds: Vec<(String, Kind)> =
        parse(text.as_bytes()).samples.into_iter().map(|sample| (sample.name, sample.kind)).collect();
    let expected = [
        ("run", Kind::Gauge),
        ("done_total", Kind::Counter),
        ("sent_total", Kind::Counter),
        ("wait_seconds_bucket", Kind::Bucket),
        ("wait_seconds_sum", Kind::Sum),
        ("wait_seconds_count", Kind::Count),
        ("size", Kind::Quantile),
        ("size_sum", Kind::Sum),
        ("size_count", Kind::Count),
        ("odd", Kind::Unknown),
        ("guess_total", Kind::Counter),
        ("nothing_sum", Kind::Unknown),
        ("steps_total_sum", Kind::Sum),
    ];
    assert_eq!(kinds, expected.map(|(name, kind)| (name.to_owned(), kind)));
}

#[test]
fn what_follows_the_end_is_no_part_of_the_text() {
    let scrape = parse(b"a 1\n# EOF\nb 2\n");
    assert_eq!(scrape.samples.len(), 1);
}

#[test]
fn sizes_are_bounded() {
    let many = "a 1\n".repeat(MOST_SAMPLES + 1);
    let scrape = parse(many.as_bytes());
    assert!(scrape.is_cut && scrape.samples.len() == MOST_SAMPLES);
    let long = format!("a{{b=\"{}\"}} 1\nc 2", "x".repeat(100_000));
    let scrape = parse(long.as_bytes());
    assert_eq!((scrape.samples.len(), scrape.malformed), (1, 1));
    let labels: String = (0..1000).map(|label| format!("l{label}=\"\",")).collect();
    assert_eq!(parse(format!("a{{{labels}}} 1").as_bytes()).malformed, 1);
}

/// Writes a sample so that it must be read as it was.
fn write(sample: &(String, Vec<(String, String)>, f64)) -> String {
    let (name, labels, value) = sample;
    let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels: Vec<String> =
        labels.iter().map(|(label, value)| format!("\"{}\"=\"{}\"", escape(label), escape(value))).collect();
    format!("{{\"{}\",{}}} {value:?}", escape(name), labels.join(","))
}

fn samples() -> impl Strategy<Value = (String, Vec<(String, String)>, f64)> {
    // Any text but a carriage return, which belongs to the end of a line.
    let text = "[^\r]{1,12}";
    let labels = proptest::collection::btree_map(text, "[^\r]{0,12}", 0..5);
    (text, labels, any::<f64>().prop_filter("equal to itself", |value| !value.is_nan()))
        .prop_map(|(name, labels, value)| (name, labels.into_iter().collect(), value))
}

proptest! {
    #[test]
    fn what_was_written_is_read(written in proptest::collection::vec(samples(), 0..10)) {
        let text: Vec<String> = written.iter().map(write).collect();
        let scrape = parse(text.join("\n").as_bytes());
        let samples = scrape.samples.into_iter();
        let read: Vec<_> = samples.map(|sample| (sample.name, sample.labels, sample.value)).collect();
        prop_assert_eq!((read, scrape.malformed), (written, 0));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&text);
    }

    #[test]
    fn near_texts_are_read_without_a_panic(
        text in "([a-c_:]{1,3}|[{}\"=,# \n\\\\]|TYPE|counter|-?[0-9.e]{1,4}){0,60}",
    ) {
        let lines = text.lines().count();
        let scrape = parse(text.as_bytes());
        prop_assert!(scrape.samples.len() + scrape.malformed as usize <= lines);
    }

    #[test]
    fn series_are_in_order_and_finite(
        snapshots in proptest::collection::vec(
            (0..1_000_u64, proptest::collection::vec((0..6_usize, prop_oneof![any::<f64>(), 0.0..9.0]), 0..8)),
            0..20,
        ),
    ) {
        let names = ["a", "b_total", "c_sum", "c_count", "c_bucket", "d"];
        let mut collector = Collector::default();
        for (at, samples) in snapshots {
            let lines: String = samples.iter().map(|(name, value)| format!("{} {value:?}\n", names[*name])).collect();
            collector.add(at, parse(format!("# TYPE c histogram\n# TYPE d gauge\n{lines}").as_bytes()));
        }
        let collected = collector.finish();
        prop_assert!(collected.series.len() <= 5 && !collected.is_cut);
        for series in collected.series {
            prop_assert!(!series.points.is_empty());
            prop_assert!(series.points.is_sorted_by(|a, b| a.0 < b.0));
            prop_assert!(series.points.iter().all(|point| point.1.is_finite()));
        }
    }
}

const SECOND: u64 = 1_000_000_000;

fn collect(texts: &[&str]) -> Vec<Series> {
    let mut collector = Collector::default();
    for (second, text) in (0..).zip(texts) {
        collector.add(second * SECOND, parse(text.as_bytes()));
    }
    let collected = collector.finish();
    assert!(!collected.is_cut && collected.left_out == 0);
    collected.series
}

/// Points with seconds in place of nanoseconds.
fn points(series: &Series) -> Vec<(u64, f64)> {
    series.points.iter().map(|(at, value)| (at / SECOND, *value)).collect()
}

#[test]
fn gauges_are_values_and_counters_are_rates() {
    let series = collect(&[
        "g 1\nn_total 10\nsame 5",
        "g 1\nn_total 14\nsame 5",
        "g 1\nn_total 14\nsame 5",
        "g 3\nn_total 20\nsame 5",
        // The server began anew.
        "g 3\nn_total 2\nsame 5",
        "g 3\nn_total 5\nsame 5",
    ]);
    let names: Vec<&str> = series.iter().map(|series| series.name.as_str()).collect();
    assert_eq!(names, ["g", "rate(n_total)"]);
    assert_eq!(points(&series[0]), [(0, 1.0), (2, 1.0), (3, 3.0), (5, 3.0)]);
    assert_eq!(points(&series[1]), [(1, 4.0), (2, 0.0), (3, 6.0), (5, 3.0)]);
}

#[test]
fn a_counter_that_grows_evenly_is_kept_and_one_that_stands_is_not() {
    let series = collect(&["n_total 0\nm_total 7", "n_total 5\nm_total 7", "n_total 10\nm_total 7"]);
    assert_eq!(series.len(), 1);
    assert_eq!(points(&series[0]), [(1, 5.0), (2, 5.0)]);
}

#[test]
fn histograms_are_means_of_what_was_observed_in_between() {
    let at = |sum: f64, count: u32| {
        let bucket = format!("t_bucket{{m=\"x\",le=\"1\"}} {count}");
        format!("# TYPE t histogram\n{bucket}\nt_sum{{m=\"x\"}} {sum}\nt_count{{m=\"x\"}} {count}")
    };
    let texts = [at(1.0, 10), at(3.0, 14), at(3.0, 14), at(4.0, 15)];
    let series = collect(&texts.each_ref().map(String::as_str));
    assert_eq!(series[0].name, "mean(t)");
    assert_eq!(series[0].labels, pairs(&[("m", "x")]));
    assert_eq!(points(&series[0]), [(1, 0.5), (3, 1.0)]);
    assert_eq!(series[1].name, "rate(t_count)");
    assert_eq!(points(&series[1]), [(1, 4.0), (2, 0.0), (3, 1.0)]);
}

#[test]
fn what_is_absent_or_not_finite_has_no_point() {
    let series = collect(&["g 1\nn_total 1", "n_total 3", "g NaN\nn_total 4", "g 2", "g 2\nn_total 9"]);
    assert_eq!(points(&series[0]), [(0, 1.0), (3, 2.0), (4, 2.0)]);
    assert_eq!(points(&series[1]), [(1, 2.0), (2, 1.0)]);
}

#[test]
fn samples_are_told_apart_by_their_labels_in_any_order() {
    let series = collect(&[
        "g{a=\"1\",b=\"2\"} 1\ng{a=\"1\",b=\"3\"} 5\ng{b=\"2\",a=\"1\"} 9",
        "g{b=\"2\",a=\"1\"} 2\ng{b=\"3\",a=\"1\"} 5",
    ]);
    assert_eq!(series.len(), 1);
    assert_eq!(series[0].labels, pairs(&[("a", "1"), ("b", "2")]));
    assert_eq!(points(&series[0]), [(0, 1.0), (1, 2.0)]);
}

#[test]
fn a_snapshot_out_of_order_is_left_out() {
    let mut collector = Collector::default();
    for (at, value) in [(5, 1), (5, 7), (4, 8), (6, 2)] {
        collector.add(at, parse(format!("g {value}").as_bytes()));
    }
    assert_eq!(collector.finish().series[0].points, [(5, 1.0), (6, 2.0)]);
}

#[test]
fn the_engines_own_come_first_when_there_are_too_many() {
    let text = |value: usize| -> String {
        let own = (0..MOST_SERIES).map(|number| format!("engine{number} {value}\n"));
        std::iter::once(format!("python_gc {value}\n")).chain(own).collect()
    };
    let mut collector = Collector::default();
    collector.add(1, parse(text(1).as_bytes()));
    collector.add(2, parse(text(2).as_bytes()));
    let collected = collector.finish();
    assert_eq!((collected.series.len(), collected.left_out), (MOST_SERIES, 1));
    assert_eq!(collected.series[0].name, "engine0");
    assert!(collected.series.iter().all(|series| series.name != "python_gc"));
}

#[test]
fn memory_is_bounded_against_a_server_that_invents_numbers() {
    let mut collector = Collector::default();
    for at in 0..270_u64 {
        let samples: Vec<Sample> = (0..4200_u64)
            .map(|number| Sample {
                name: format!("g{number}"),
                labels: Vec::new(),
                value: (at + number) as f64,
                kind: Kind::Gauge,
            })
            .collect();
        collector.add(at, Scrape { samples, malformed: 0, is_cut: false });
    }
    let collected = collector.finish();
    assert!(collected.is_cut);
    assert_eq!(collected.series.len(), MOST_SERIES);
    assert!(collected.series.iter().all(|series| series.points.len() < 270));
}
