//! The table covers every number of a record, and says something about each.

use std::collections::BTreeSet;

use bench_metrics::{Flag, METRICS, Scope, ServerTiming, definition};
use serde_json::Value;

use super::stream::{Stream, asked, finish, text, timing, usage};

fn leaves(prefix: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                leaves(&path, value, found);
            }
        }
        _ => {
            found.insert(prefix.to_owned());
        }
    }
}

#[test]
fn every_field_has_an_entry_and_every_entry_a_field() {
    let metrics = Stream::new()
        .read(10, [text()])
        .read(20, [text(), finish()])
        .read(21, [usage(10, 0, 2), timing(ServerTiming::default())])
        .measure(&asked(10, 2));
    let mut fields = BTreeSet::new();
    leaves("", &serde_json::to_value(metrics).unwrap(), &mut fields);
    let entries: BTreeSet<_> =
        METRICS.iter().filter(|def| def.scope == Scope::Request).map(|def| def.name.to_owned()).collect();
    assert_eq!(fields, entries);
}

#[test]
fn names_and_identifiers_are_unique_and_definitions_are_sentences() {
    let mut seen = BTreeSet::new();
    for def in METRICS {
        assert!(seen.insert(def.name) || def.name == def.id, "{} stands twice", def.name);
        assert!(def.id == def.name || seen.insert(def.id), "{} stands twice", def.id);
        assert!(def.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{}", def.id);
        assert!(def.definition.ends_with('.') && def.definition.len() > 20, "{}", def.name);
        assert!(!def.unit.is_empty());
    }
    assert!(definition("ttft").is_some() && definition("ttft_ms").is_some() && definition("nonsense").is_none());
}

#[test]
fn every_signal_of_the_methodology_is_there() {
    for name in [
        "ttft_ms",
        "prefill_tps",
        "decode_tps",
        "decode_p50_latency_ms",
        "decode_p95_latency_ms",
        "prompt_tokens",
        "output_tokens",
        "wall_ms",
        "prefix_cache_hit_rate",
        "raw_timings",
    ] {
        assert!(definition(name).is_some(), "{name}");
    }
}

#[test]
fn flags_read_back_and_unknown_ones_do_not_fail() {
    for flag in Flag::ALL {
        assert_eq!(serde_json::to_value(flag).unwrap(), Value::from(flag.code()));
        assert_eq!(serde_json::from_value::<Flag>(Value::from(flag.code())).unwrap(), *flag);
        assert!(flag.sentence().ends_with('.') && flag.hint().ends_with('.'));
    }
    assert_eq!(serde_json::from_value::<Flag>(Value::from("from-the-future")).unwrap(), Flag::Unknown);
}
