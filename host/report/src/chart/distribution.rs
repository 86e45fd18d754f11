//! Empirical distributions: for each time, the share of requests or tokens that took no longer.

use bench_metrics::{floored_percentile, percentile};
use bench_record::{PhaseRecord, RequestRecord, RequestStatus};

use crate::plot::{self, Axis, Frame};
use crate::text::{count, esc, figure, put};

const WIDTH: f64 = 340.0;
const HEIGHT: f64 = 214.0;

/// Points of a curve; more cannot be told apart.
const POINTS: usize = 240;

/// Values up to which each is drawn as a dot.
const DOTS: usize = 40;

/// A distribution to draw.
struct Times {
    title: &'static str,
    of: &'static str,
    sorted: Vec<f64>,
}

/// Time to first token, between tokens and of whole requests.
pub(crate) fn distributions(page: &mut String, phase: &PhaseRecord) {
    let done: Vec<&RequestRecord> =
        phase.measured().filter(|request| request.status == RequestStatus::Completed).collect();
    let metrics = || done.iter().filter_map(|request| request.metrics.as_ref());
    let scheduled = phase.pacing.as_ref().is_some_and(|pacing| pacing.asked_rate.is_some());
    let ttft = if scheduled {
        times("TTFT from the intended start", "request", metrics().filter_map(|m| m.ttft_intended_ms))
    } else {
        times("Time to first token", "request", metrics().filter_map(|m| m.ttft_ms))
    };
    let all = [ttft, between(&done), times("Whole request, end to end", "request", metrics().map(|m| m.e2e_ms))];
    if all.iter().all(|times| times.sorted.is_empty()) {
        return;
    }
    page.push_str("<div class=\"three\">");
    for times in all.iter().filter(|times| !times.sorted.is_empty()) {
        figure_of(page, times);
    }
    page.push_str("</div>");
}

fn times(title: &'static str, of: &'static str, values: impl Iterator<Item = f64>) -> Times {
    let mut sorted: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    Times { title, of, sorted }
}

/// Times per token where every request has them, else per chunk, else the means of requests.
fn between(done: &[&RequestRecord]) -> Times {
    let metrics = || done.iter().filter_map(|request| request.metrics.as_ref()).filter(|m| m.chunks > 1);
    if metrics().all(|m| m.raw_timings.is_some()) {
        let all = metrics().filter_map(|m| m.raw_timings.as_ref()).flatten().copied();
        return times("Time between tokens", "token", all);
    }
    if metrics().all(|m| !m.itl_chunk.each_ms.is_empty()) {
        let all = metrics().flat_map(|m| m.itl_chunk.each_ms.iter().copied());
        return times("Time between chunks", "chunk", all);
    }
    times("Time per output token, mean of each request", "request", metrics().filter_map(|m| m.tpot_ms))
}

fn figure_of(page: &mut String, times: &Times) {
    let sorted = &times.sorted;
    let frame = Frame {
        left: 40.0,
        top: 10.0,
        width: WIDTH - 54.0,
        height: HEIGHT - 50.0,
        x: Axis::fitting(sorted, 4),
        y: Axis::exact(0.0, 100.0, 4),
    };
    put!(page, "<figure><h4>{}</h4>", esc(times.title));
    plot::open(page, WIDTH, (0.0, HEIGHT), &format!("Distribution: {}", times.title));
    frame.grid(page);
    frame.floor(page, if frame.x.is_log() { "ms, logarithmic" } else { "ms" });
    marks(page, &frame, sorted);
    put!(page, "<path class=\"line\" d=\"{}\"/>", plot::steps(curve(&frame, sorted)));
    if sorted.len() <= DOTS {
        for (place, value) in sorted.iter().enumerate() {
            let share = (place + 1) as f64 / sorted.len() as f64 * 100.0;
            put!(page, "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2\"/>", frame.px(*value), frame.py(share));
        }
    }
    page.push_str("</svg><figcaption><span class=\"quantiles\">");
    let quantile = |page: &mut String, name: &str, value: Option<f64>| {
        if let Some(value) = value {
            put!(page, "<span><i>{name}</i> {}</span>", figure(value));
        }
    };
    quantile(page, "p50", percentile(sorted, 50.0));
    for p in [90, 95, 99] {
        quantile(page, &format!("p{p}"), floored_percentile(sorted, p));
    }
    quantile(page, "max", sorted.last().copied());
    let plural = if sorted.len() == 1 { "" } else { "s" };
    put!(
        page,
        "</span>{} {}{plural}; share in % that took no longer.</figcaption></figure>",
        count(sorted.len() as u64),
        times.of
    );
}

/// Lines down from the median and the 99th percentile.
fn marks(page: &mut String, frame: &Frame, sorted: &[f64]) {
    for (share, value) in [(50.0, percentile(sorted, 50.0)), (99.0, floored_percentile(sorted, 99))] {
        let Some(value) = value else { continue };
        let (x, y) = (frame.px(value), frame.py(share));
        put!(page, "<line class=\"mark\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{y:.1}\" y2=\"{:.1}\"/>", frame.bottom());
        put!(page, "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
    }
}

/// The curve from 0 to 100 %, thinned to what can be seen.
fn curve(frame: &Frame, sorted: &[f64]) -> Vec<(f64, f64)> {
    let n = sorted.len();
    let every = n.div_ceil(POINTS).max(1);
    let mut points: Vec<(f64, f64)> =
        sorted.first().map(|least| (frame.px(*least), frame.bottom())).into_iter().collect();
    for (place, value) in sorted.iter().enumerate() {
        if place % every == 0 || place + 1 == n {
            points.push((frame.px(*value), frame.py((place + 1) as f64 / n as f64 * 100.0)));
        }
    }
    points
}
