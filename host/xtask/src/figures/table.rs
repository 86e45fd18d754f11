//! What is printed.

use std::io::IsTerminal;

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

/// Says how far it is, where somebody is looking.
pub fn progress(round: u32, rounds: u32) {
    if std::io::stderr().is_terminal() {
        eprintln!("round {round} of {rounds}");
    }
}

/// What the machine did meanwhile.
pub fn ending(before: &State, after: &State) {
    println!("\nload average: {} before, {} after", before.load, after.load);
    for (when, state) in [("before", before), ("after", after)] {
        if let Some(taken) = state.taken() {
            println!("taken from a loop that only reads the clock, both cores busy, {when}: {taken}");
        }
    }
    println!(
        "what is taken for longer than a bound, and for more than a hundredth of the time, no client can stay within"
    );
}

/// Everything, as a table.
pub fn print(figures: &[Figure], compared: &[Row], measured: &Measured) {
    println!("\n{:<86} {:>12} {:>12}  verdict", "figure", "measured", "at most");
    for figure in figures {
        let number =
            |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4} {}", figure.unit));
        println!(
            "{:<86} {:>12} {:>12}  {}",
            figure.claim,
            number(figure.value),
            number(figure.bound),
            figure.verdict()
        );
    }
    if !compared.is_empty() {
        println!(
            "\n{:<76} {:>10} {:>12} {:>10} {:>8}  verdict",
            "beside the best Rust peer", "peer", "ours", "ratio", "wanted"
        );
    }
    for row in compared {
        let name = format!("{} streams, {} stamps: {}", row.streams, row.stamps, row.what);
        let ours = row.ours.map_or_else(|| "-".to_owned(), |ours| format!("{ours:.4} {}", row.unit));
        let ratio = row.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.1} x"));
        let wanted = row.wanted.map_or_else(|| "-".to_owned(), |wanted| format!("{wanted} x"));
        let peer = format!("{} {}", row.peer, row.unit);
        println!("{name:<76} {peer:>10} {ours:>12} {ratio:>10} {wanted:>8}  {}", row.verdict());
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
        "\n{:<16} {:>10} {:>8} {:>10} {:>11} {:>11} {:>9} {:>22}",
        "rounds", "events", "merged", "window CPU", "us an event", "process CPU", "RSS KiB", "engine late p50/p99 ms"
    );
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    for (name, rounds) in &measured.rounds {
        for report in rounds {
            let Calibration { events, merged_events, emission_late, .. } = &report.calibration;
            let late =
                emission_late.map_or_else(String::new, |late| format!("{:.3}/{}", late.p50_ms, number(late.p99_ms)));
            let rss = report.max_rss_kib.map_or_else(|| "-".to_owned(), |rss| rss.to_string());
            println!(
                "{name:<16} {events:>10} {merged_events:>8} {:>8} s {:>11} {:>9} s {rss:>9} {late:>22}",
                number(report.cpu_seconds),
                number(report.cpu_us_per_event()),
                number(report.process_cpu_seconds),
            );
        }
    }
    println!(
        "window CPU: sending, receiving, stamping, keeping. process CPU: also starting, and afterwards parsing every event \
         for its emission stamp and sorting the errors, which a run does not do"
    );
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
        value["verdict"] = row.verdict().into();
        value
    });
    let all = json!({
        "cores": cores, "before": states[0], "after": states[1], "figures": judged.collect::<Vec<_>>(),
        "peer": compared.collect::<Vec<_>>(), "measured": measured,
    });
    println!("{all:#}");
}
