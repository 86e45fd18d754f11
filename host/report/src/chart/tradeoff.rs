//! Throughput against latency: one point per load, and the line through those that no other load beats in both.

use bench_metrics::{Summary, pareto};
use bench_record::{PhaseRecord, ShapeRecord, WorkloadRecord};

use crate::plot::{self, Axis, Frame};
use crate::text::{esc, put, round};

const WIDTH: f64 = 510.0;
const HEIGHT: f64 = 270.0;

/// Points that are drawn.
const MOST: usize = 64;

/// One load.
struct Load<'a> {
    name: String,
    summary: &'a Summary,
}

/// The figures, where there are two loads or more to compare.
pub(crate) fn tradeoff(page: &mut String, workload: &WorkloadRecord) {
    let loads: Vec<Load<'_>> = workload.phases.iter().flat_map(loads).take(MOST).collect();
    let first: String = figure_of(&loads, "Time to first token, median, ms", &["ttft_intended_ms", "ttft_ms"]);
    let between: String = figure_of(&loads, "Time per output token, median, ms", &["tpot_ms"]);
    if first.is_empty() && between.is_empty() {
        return;
    }
    put!(page, "<h3>Throughput against latency</h3><div class=\"two\">{first}{between}</div>");
    page.push_str(
        "<p class=\"caption\">A point is a load, named beside it: ×N is N streams, N/s a rate of requests. Right is more throughput and down is less waiting. Filled points \
         and the line: no other load is better in both. Hollow: some other load is.</p>",
    );
}

fn loads(phase: &PhaseRecord) -> Vec<Load<'_>> {
    if phase.stages.len() > 1 {
        let name = |rate: Option<f64>, name: &str| rate.map_or_else(|| name.to_owned(), |r| format!("{}/s", round(r)));
        let stages = phase.stages.iter();
        return stages.map(|s| Load { name: name(s.asked_rate, &s.name), summary: &s.summary }).collect();
    }
    let name = match &phase.shape {
        Some(ShapeRecord::ClosedLoop { streams, .. }) => format!("×{streams}"),
        _ => phase.id.clone(),
    };
    vec![Load { name, summary: &phase.summary }]
}

fn figure_of(loads: &[Load<'_>], title: &str, metrics: &[&str]) -> String {
    let latency = |summary: &Summary| metrics.iter().find_map(|name| summary.median(name));
    let points: Vec<(f64, f64, &str)> = loads
        .iter()
        .filter_map(|load| Some((load.summary.median("aggregate_tps")?, latency(load.summary)?, load.name.as_str())))
        .filter(|(x, y, _)| x.is_finite() && y.is_finite())
        .collect();
    if points.len() < 2 {
        return String::new();
    }
    let mut svg = String::from("<figure>");
    plot::open(&mut svg, WIDTH, (0.0, HEIGHT), title);
    let mut latencies: Vec<f64> = points.iter().map(|(_, y, _)| *y).collect();
    latencies.sort_by(f64::total_cmp);
    let most = points.iter().map(|(x, ..)| *x).fold(0.0, f64::max);
    let frame = Frame {
        left: 52.0,
        top: 28.0,
        width: WIDTH - 80.0,
        height: HEIGHT - 72.0,
        x: Axis::from_zero(most, 5),
        y: Axis::fitting(&latencies, 4),
    };
    frame.title(&mut svg, title);
    frame.grid(&mut svg);
    frame.floor(&mut svg, "output tokens per second, all requests together");
    let best = pareto(&points.iter().map(|(x, y, _)| (*x, *y)).collect::<Vec<_>>());
    let at = |place: &usize| points.get(*place).map(|(x, y, _)| (*x, *y));
    let line = plot::path(best.iter().filter_map(at).map(|(x, y)| (frame.px(x), frame.py(y))));
    put!(svg, "<path class=\"thin\" d=\"{line}\"/>");
    let places: Vec<(f64, f64)> = points.iter().map(|(x, y, _)| (frame.px(*x), frame.py(*y))).collect();
    for (place, (x, y)) in places.iter().enumerate() {
        let class = if best.contains(&place) { "dot" } else { "hollow" };
        put!(svg, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>");
    }
    let names: Vec<&str> = points.iter().map(|(.., name)| *name).collect();
    labels(&mut svg, &frame, &places, &names);
    svg.push_str("</svg></figure>");
    svg
}

/// A rectangle that is taken.
type Taken = (f64, f64, f64, f64);

/// Names beside their points: above, below, right or left, wherever nothing is; nowhere where there is no room.
fn labels(svg: &mut String, frame: &Frame, places: &[(f64, f64)], names: &[&str]) {
    let mut taken: Vec<Taken> = places.iter().map(|(x, y)| (x - 5.0, y - 5.0, x + 5.0, y + 5.0)).collect();
    for ((x, y), name) in places.iter().zip(names) {
        let short: String = name.chars().take(18).collect();
        let width = short.chars().count() as f64 * 6.4;
        let candidates =
            [(x - width / 2.0, y - 9.0), (x - width / 2.0, y + 18.0), (x + 8.0, y + 4.0), (x - 8.0 - width, y + 4.0)];
        let room = |(left, base): &(f64, f64)| {
            let label = (*left, base - 10.0, left + width, base + 2.0);
            let inside = label.0 >= frame.left
                && label.2 <= frame.right() + 24.0
                && label.1 >= frame.top - 6.0
                && label.3 <= frame.bottom();
            inside && taken.iter().all(|other| !overlap(&label, other))
        };
        if let Some((left, base)) = candidates.into_iter().find(room) {
            put!(svg, "<text class=\"label\" x=\"{left:.1}\" y=\"{base:.1}\">{}</text>", esc(&short));
            taken.push((left, base - 10.0, left + width, base + 2.0));
        }
    }
}

fn overlap(a: &Taken, b: &Taken) -> bool {
    a.0 < b.2 && b.0 < a.2 && a.1 < b.3 && b.1 < a.3
}
