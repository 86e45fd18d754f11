//! Numbers of the server's own over time, small and side by side.

use bench_record::{PhaseRecord, ServerSeries};

use crate::plot::{self, Axis, Frame};
use crate::text::{esc, put, round};

const WIDTH: f64 = 250.0;
const HEIGHT: f64 = 92.0;

/// Series that are drawn.
const MOST: usize = 64;

/// Points of a series; of more, the mean of neighbours is drawn.
const POINTS: usize = 120;

/// A figure per series that changed.
pub(crate) fn series(page: &mut String, phase: &PhaseRecord) {
    let drawn: Vec<&ServerSeries> = phase.server_series.iter().filter(|one| one.points.len() > 1).take(MOST).collect();
    if drawn.is_empty() {
        return;
    }
    page.push_str("<h4>What the server says of itself</h4><div class=\"small-multiples\">");
    for one in &drawn {
        figure_of(page, one);
    }
    page.push_str(
        "</div><p class=\"caption\">Read from the server while the phase ran, over the same time as above; counters as \
                   their change per second. The numbers at the left are the least and the most.",
    );
    let left_out = phase.server_series.len().saturating_sub(drawn.len());
    if left_out > 0 {
        put!(page, " {left_out} more are in the record.");
    }
    page.push_str("</p>");
}

fn figure_of(page: &mut String, series: &ServerSeries) {
    let points = thinned(&series.points);
    let values = || points.iter().map(|(_, value)| *value);
    let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let (Some((from, _)), Some((to, _))) = (points.first(), points.last()) else { return };
    // A flat line stands in the middle.
    let (low, high) = if most > least { (least, most) } else { (least - 1.0, most + 1.0) };
    let frame = Frame {
        left: 46.0,
        top: 8.0,
        width: WIDTH - 52.0,
        height: HEIGHT - 18.0,
        x: Axis::exact(*from, *to, 1),
        y: Axis::exact(low, high, 1),
    };
    let labels: Vec<String> = series.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    put!(page, "<figure><h5 title=\"{}\">{}</h5>", esc(&labels.join(", ")), esc(&series.name));
    if !labels.is_empty() {
        put!(page, "<p class=\"labels\">{}</p>", esc(&labels.join(", ")));
    }
    plot::open(page, WIDTH, (0.0, HEIGHT), &series.name);
    for value in [least, most] {
        let y = frame.py(value);
        put!(
            page,
            "<line class=\"grid\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
            frame.left,
            frame.right()
        );
        put!(
            page,
            "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            frame.left - 5.0,
            y + 3.5,
            round(value)
        );
        if most <= least {
            break;
        }
    }
    let line = plot::path(points.iter().map(|(at, value)| (frame.px(*at), frame.py(*value))));
    put!(page, "<path class=\"line\" d=\"{line}\"/></svg></figure>");
}

fn thinned(points: &[(u64, f64)]) -> Vec<(f64, f64)> {
    let every = points.len().div_ceil(POINTS).max(1);
    let finite = |points: &[(u64, f64)]| -> Option<(f64, f64)> {
        let values: Vec<f64> = points.iter().map(|(_, value)| *value).filter(|value| value.is_finite()).collect();
        Some((points.first()?.0 as f64 / 1e9, bench_metrics::mean(&values)?))
    };
    points.chunks(every).filter_map(finite).collect()
}
