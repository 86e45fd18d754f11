//! How loads are written and read.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use bench_load::{
    Arrivals, Closed, Format, GRAMMAR, LoadError, LoadSpec, LoadStage, Open, Rate, Rates, ReplaySpec, SweepSpec,
};
use proptest::prelude::*;

fn parse(text: &str) -> LoadSpec {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn rate(per_second: f64) -> Rate {
    Rate::new(per_second).unwrap()
}

fn open(arrivals: Arrivals, rates: Rates) -> LoadSpec {
    LoadSpec::Open(Open { arrivals, rates })
}

#[test]
fn every_line_of_the_grammar_is_a_load() {
    for line in GRAMMAR.lines().filter(|line| !line.starts_with("rates")) {
        let example = line.split("  ").next().unwrap();
        let with_options: String = example.chars().filter(|letter| !"[]".contains(*letter)).collect();
        let (bare, _) = example.split_once('[').unwrap_or((example, ""));
        for text in [bare, with_options.split('|').next().unwrap()] {
            let spec = parse(text);
            assert_eq!(spec, parse(&spec.to_string()), "{text}");
        }
    }
}

#[test]
fn loads_mean_what_they_say() {
    let seconds = Duration::from_secs;
    let streams = |count| NonZeroU32::new(count).unwrap();
    for (text, wanted) in [
        ("sequential", LoadSpec::Sequential),
        ("closed:32", LoadSpec::Closed(Closed::fixed(streams(32)))),
        (
            "closed:1..64,ramp=30s",
            LoadSpec::Closed(Closed { from: streams(1), to: streams(64), ramp: Some(seconds(30)) }),
        ),
        ("constant:10/s", open(Arrivals::Constant, Rates::Constant(rate(10.0)))),
        (" poisson : 90/min ", open(Arrivals::Poisson, Rates::Constant(rate(1.5)))),
        ("gamma:10/s,burstiness=0.5", open(Arrivals::Gamma { burstiness: 0.5 }, Rates::Constant(rate(10.0)))),
        ("ramp:0/s..50/s", open(Arrivals::Poisson, Rates::Ramp { from: rate(0.0), to: rate(50.0) })),
        (
            "stages:constant,5/s@30s,5/s..20/s@1.5m",
            open(
                Arrivals::Constant,
                Rates::Stages(vec![
                    LoadStage { from: rate(5.0), to: rate(5.0), lasts: seconds(30) },
                    LoadStage { from: rate(5.0), to: rate(20.0), lasts: seconds(90) },
                ]),
            ),
        ),
        (
            "replay:/tmp/a,b.jsonl,speed=2,format=mooncake",
            LoadSpec::Replay(ReplaySpec {
                path: PathBuf::from("/tmp/a,b.jsonl"),
                speed: 2.0,
                format: Some(Format::Mooncake),
            }),
        ),
        ("sweep", LoadSpec::Sweep(SweepSpec { from: rate(1.0), to: rate(10_000.0), arrivals: Arrivals::Poisson })),
        (
            "sweep:to=8/s,arrivals=constant",
            LoadSpec::Sweep(SweepSpec { from: rate(1.0), to: rate(8.0), arrivals: Arrivals::Constant }),
        ),
    ] {
        assert_eq!(parse(text), wanted, "{text}");
    }
}

#[test]
fn rates_and_times_are_printed_as_people_write_them() {
    for (text, printed) in [
        ("poisson:600/min", "poisson:10/s"),
        ("poisson:10/min", "poisson:10/min"),
        ("stages:poisson,1/s@90s,1/s@120s,1/s@2h,1/s@1500ms", "stages:poisson,1/s@90s,1/s@2m,1/s@2h,1/s@1.5s"),
        ("ramp:1/s..2/s,arrivals=gamma,burstiness=2", "ramp:1/s..2/s,arrivals=gamma,burstiness=2"),
        ("closed:8..8", "closed:8"),
        ("replay:x.csv,speed=1", "replay:x.csv"),
    ] {
        assert_eq!(parse(text).to_string(), printed);
    }
    assert_eq!(serde_json::to_string(&parse("closed:8")).unwrap(), r#""closed:8""#);
    assert_eq!(serde_json::from_str::<LoadSpec>(r#""closed:8""#).unwrap(), parse("closed:8"));
    assert!(serde_json::from_str::<LoadSpec>(r#""closed:0""#).is_err());
}

#[test]
fn a_refusal_names_the_part_and_its_place() {
    for (text, wrong, place, word) in [
        ("", "", 1, "a load is"),
        ("posson:10/s", "posson", 1, "`poisson`"),
        ("poisson", "poisson", 1, "needs a `:`"),
        ("sequential:1", "1", 12, "nothing"),
        ("poisson:10", "10", 9, "10/s"),
        ("poisson:-1/s", "-1/s", 9, "10/s"),
        ("poisson:1e3/s", "1e3/s", 9, "10/s"),
        ("poisson:inf/s", "inf/s", 9, "10/s"),
        ("poisson:2000000/s", "2000000/s", 9, "1000000/s"),
        ("poisson:0/s", "0/s", 9, "nothing would be sent"),
        ("poisson:10/s,burst=2", "burst", 14, "burstiness"),
        ("gamma:10/s", "gamma", 1, "burstiness="),
        ("gamma:10/s,burstiness=0", "0", 23, "0.01"),
        ("gamma:1/s,burstiness=1,burstiness=1", "burstiness", 24, "twice"),
        ("closed:0", "0", 8, "1 to 100000"),
        ("closed:1..64", "1..64", 8, "ramp="),
        ("closed:64..1,ramp=1s", "64..1", 8, "larger"),
        ("closed:4,ramp=1s", "1s", 15, "from one number to another"),
        ("closed:1..4,ramp=0s", "0s", 18, "30s"),
        ("closed:1..4,ramp=8000h", "8000h", 18, "seven days"),
        ("ramp:1/s", "1/s", 6, "1/s..50/s"),
        ("ramp:0/s..0/s", "0/s..0/s", 6, "nothing would be sent"),
        ("ramp:1/s..2/s,arrivals=normal", "normal", 24, "`gamma`"),
        ("stages:poisson", "poisson", 8, "0 stages"),
        ("stages:5/s@30s", "5/s@30s", 8, "arrivals are"),
        ("stages:poisson,5/s@30s,10/s", "10/s", 24, "5/s@30s"),
        ("stages:poisson,5/s@30", "30", 20, "500ms"),
        ("stages:poisson,0/s@30s", "poisson,0/s@30s", 8, "nothing would be sent"),
        ("replay:", "replay:", 1, "needs a `:`"),
        ("replay:,speed=2", ",speed=2", 8, "no path"),
        ("replay:x,sped=2", "sped", 10, "`speed`"),
        ("replay:x,speed=0", "0", 16, "0.001"),
        ("replay:x,format=csv", "csv", 17, "`azure`"),
        ("sweep:", "sweep:", 1, "needs a `:`"),
        ("sweep:from=2/s,to=1/s", "from=2/s,to=1/s", 7, "higher"),
        ("sweep:10/s", "10/s", 7, "name=value"),
        ("ümläut:1", "ümläut", 1, "a load is"),
        ("closed:ü,x", "x", 10, "name=value"),
    ] {
        let error = text.parse::<LoadSpec>().unwrap_err();
        let LoadError::BadLoad { part, at, reason, .. } = &error else { panic!("{error}") };
        assert_eq!((part.as_str(), *at), (wrong, place), "{text}: {error}");
        assert!(reason.contains(word), "{text}: {error}");
        assert_eq!(error.code(), "bad-load");
        assert!(error.hint().unwrap().contains(GRAMMAR));
    }
}

#[test]
fn a_long_text_is_refused_and_not_repeated() {
    let error = "poisson:".repeat(100_000).parse::<LoadSpec>().unwrap_err();
    assert!(error.to_string().len() < 1000, "{error}");
}

#[test]
fn the_numbers_of_a_workload_are_judged_like_those_that_people_type() {
    let staged = |arrivals, stage| LoadSpec::staged(arrivals, [stage, (1.0, 1.0, 1.0)]);
    let good = staged(Arrivals::Gamma { burstiness: 0.5 }, (30.0, 5.0, 10.0)).unwrap();
    assert_eq!(good.to_string(), "stages:gamma,burstiness=0.5,5/s..10/s@30s,1/s@1s");
    for (arrivals, stage) in [
        (Arrivals::Gamma { burstiness: 0.0 }, (1.0, 1.0, 1.0)),
        (Arrivals::Gamma { burstiness: f64::NAN }, (1.0, 1.0, 1.0)),
        (Arrivals::Poisson, (0.0, 1.0, 1.0)),
        (Arrivals::Poisson, (f64::NAN, 1.0, 1.0)),
        (Arrivals::Poisson, (-1.0, 1.0, 1.0)),
        (Arrivals::Poisson, (f64::INFINITY, 1.0, 1.0)),
        (Arrivals::Poisson, (1.0, -1.0, 1.0)),
        (Arrivals::Poisson, (1.0, 1.0, f64::NAN)),
        (Arrivals::Poisson, (1.0, f64::INFINITY, 1.0)),
        (Arrivals::Poisson, (1.0, 1e9, 1.0)),
        (Arrivals::Poisson, (1.0, 1e-300, 1.0)),
    ] {
        assert_eq!(staged(arrivals, stage).unwrap_err().code(), "bad-load", "{arrivals:?} {stage:?}");
    }
    assert!(LoadSpec::staged(Arrivals::Poisson, []).is_err());
}

#[test]
fn the_places_of_a_growing_loop_open_evenly() {
    let LoadSpec::Closed(closed) = parse("closed:2..6,ramp=2s") else { panic!() };
    let openings: Vec<u64> = closed.openings_ns().map(|at_ns| at_ns / 1_000_000).collect();
    assert_eq!(openings, [0, 0, 500, 1000, 1500, 2000]);
    let LoadSpec::Closed(closed) = parse("closed:3") else { panic!() };
    assert_eq!(closed.openings_ns().collect::<Vec<_>>(), [0, 0, 0]);
}

fn rates() -> impl Strategy<Value = Rate> {
    prop_oneof![1e-5..1e6_f64, (1_u32..1000).prop_map(f64::from), (1_u32..1000).prop_map(|n| f64::from(n) / 60.0)]
        .prop_map(rate)
}

fn arrivals() -> impl Strategy<Value = Arrivals> {
    let gamma = (0.01..100.0_f64).prop_map(|burstiness| Arrivals::Gamma { burstiness });
    prop_oneof![Just(Arrivals::Constant), Just(Arrivals::Poisson), gamma]
}

fn spans() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (1_u64..604_800_000_000_000).prop_map(Duration::from_nanos),
        (1_u64..604_800).prop_map(Duration::from_secs)
    ]
}

fn loads() -> impl Strategy<Value = LoadSpec> {
    let stage = (rates(), rates(), spans()).prop_map(|(from, to, lasts)| LoadStage { from, to, lasts });
    let rates_over_time = prop_oneof![
        rates().prop_map(Rates::Constant),
        (rates(), rates()).prop_map(|(from, to)| Rates::Ramp { from, to }),
        prop::collection::vec(stage, 1..8).prop_map(Rates::Stages),
    ];
    let closed = (1_u32..1000, 0_u32..1000, spans()).prop_map(|(from, more, ramp)| {
        let at = |count| NonZeroU32::new(count).unwrap();
        LoadSpec::Closed(Closed { from: at(from), to: at(from + more), ramp: (more > 0).then_some(ramp) })
    });
    let format = prop::option::of(prop::sample::select(Format::ALL.to_vec()));
    let replay = ("[a-z/.,:]{0,10}[a-z]", 0.001..1e6_f64, format)
        .prop_map(|(path, speed, format)| LoadSpec::Replay(ReplaySpec { path: path.into(), speed, format }));
    prop_oneof![
        Just(LoadSpec::Sequential),
        closed,
        (arrivals(), rates_over_time).prop_map(|(arrivals, rates)| open(arrivals, rates)),
        replay,
        (rates(), rates(), arrivals()).prop_map(|(a, b, arrivals)| {
            let (from, to) = if a <= b { (a, b) } else { (b, a) };
            LoadSpec::Sweep(SweepSpec { from, to, arrivals })
        }),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_reads_as_the_same(load in loads()) {
        let text = load.to_string();
        prop_assert_eq!(text.parse::<LoadSpec>(), Ok(load), "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(
        text in prop_oneof![
            "\\PC{0,60}",
            "(closed|constant|poisson|gamma|ramp|stages|replay|sweep)?[a-z0-9:,./@= ]{0,40}",
            "(closed|gamma|ramp|stages|sweep):(([0-9.]{1,4}(/s|/min|ms|s|m|h)?|poisson|gamma|ramp|from|to|burstiness)(\\.\\.|@|=|,)?){0,8}",
        ],
    ) {
        match text.parse::<LoadSpec>() {
            Ok(load) => prop_assert_eq!(load.to_string().parse::<LoadSpec>(), Ok(load)),
            Err(LoadError::BadLoad { at, .. }) => prop_assert!(at >= 1 && at <= text.chars().count() + 1),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
