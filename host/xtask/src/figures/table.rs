//! What is printed.

use serde_json::json;

use super::judge::{Figure, Measured, growth};
use super::machine::{Cores, State};
use super::peers::Row;
use super::report::Calibration;

/// What was measured on.
pub fn heading(cores: &Cores, state: &State) {
    println!("{}, Linux {}, load average {}", state.processor, state.kernel, state.load);
    match (cores.engine, cores.client) {
        (Some(engine), Some(client)) => {
            println!("engine on core {engine}, client on core {client}; best round of each")
        }
        _ => println!("note: {}", cores.note.as_deref().unwrap_or("nothing is pinned")),
    }
}

/// Everything, as a table.
pub fn print(figures: &[Figure], compared: &[Row], measured: &Measured) {
    println!("\n{:<78} {:>12} {:>12}  verdict", "figure", "measured", "at most");
    for figure in figures {
        let number =
            |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4} {}", figure.unit));
        println!(
            "{:<78} {:>12} {:>12}  {}",
            figure.claim,
            number(figure.value),
            number(figure.bound),
            figure.verdict()
        );
    }
    if !compared.is_empty() {
        println!(
            "\n{:<56} {:>10} {:>12} {:>10} {:>8}  verdict",
            "beside the best Rust peer", "peer", "ours", "ratio", "wanted"
        );
    }
    for row in compared {
        let name = format!("{} streams, {} stamps: {}", row.streams, row.stamps, row.what);
        let ours = row.ours.map_or_else(|| "-".to_owned(), |ours| format!("{ours:.4} {}", row.unit));
        let ratio = row.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.1} x"));
        let verdict = if row.holds() { "met" } else { "not met" };
        println!("{name:<56} {:>7} {} {ours:>12} {ratio:>10} {:>6} x  {verdict}", row.peer, row.unit, row.wanted);
    }
    engine(measured);
    if let Some(growth) = growth(&measured.memory) {
        let (first, last) = (measured.memory.first().unwrap_or(&0), measured.memory.last().unwrap_or(&0));
        println!("\nmemory: {first} KiB after a second, {last} KiB at the end, {growth:.3} x");
    }
    for (name, why) in &measured.failures {
        println!("\n{name} could not be measured: {why}");
    }
}

/// How late the engine was: its own figures must be small for the client's to mean anything.
fn engine(measured: &Measured) {
    if measured.rounds.is_empty() {
        return;
    }
    println!(
        "\n{:<24} {:>10} {:>8} {:>9} {:>10} {:>26}",
        "rounds", "events", "merged", "CPU s", "RSS KiB", "engine late p50/p99 ms"
    );
    for (name, rounds) in &measured.rounds {
        for report in rounds {
            let Calibration { events, merged_events, emission_late, .. } = &report.calibration;
            let late = emission_late.map_or_else(String::new, |late| {
                format!("{:.3}/{}", late.p50_ms, late.p99_ms.map_or_else(|| "-".to_owned(), |p99| format!("{p99:.3}")))
            });
            let (cpu, rss) = (report.cpu_seconds, report.max_rss_kib);
            println!("{name:<24} {events:>10} {merged_events:>8} {cpu:>9.2} {rss:>10} {late:>26}");
        }
    }
}

/// Everything, as JSON.
pub fn json(cores: &Cores, states: [&State; 2], figures: &[Figure], compared: &[Row], measured: &Measured) {
    let judged = figures.iter().map(|figure| {
        let mut value = json!(figure);
        value["verdict"] = figure.verdict().into();
        value
    });
    let compared = compared.iter().map(|row| {
        let mut value = json!(row);
        value["met"] = row.holds().into();
        value
    });
    let all = json!({
        "cores": cores, "before": states[0], "after": states[1], "figures": judged.collect::<Vec<_>>(),
        "peer": compared.collect::<Vec<_>>(), "measured": measured,
    });
    println!("{all:#}");
}
