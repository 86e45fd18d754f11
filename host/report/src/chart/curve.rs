//! A workload's own curves.

use bench_record::Curve;

use crate::plot::{self, Axis, Frame};
use crate::text::{esc, put};

const WIDTH: f64 = 510.0;
const HEIGHT: f64 = 230.0;

/// The curve, where it has two points or more.
pub(crate) fn curve(page: &mut String, curve: &Curve) {
    let points: Vec<(f64, f64)> = curve
        .points
        .iter()
        .filter_map(|point| Some((point.x?, point.y?)))
        .filter(|(x, y)| x.is_finite() && y.is_finite() && *x >= 0.0 && *y >= 0.0)
        .take(500)
        .collect();
    if points.len() < 2 {
        return;
    }
    let largest = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).fold(0.0, f64::max);
    let frame = Frame {
        left: 52.0,
        top: 28.0,
        width: WIDTH - 72.0,
        height: HEIGHT - 72.0,
        x: Axis::from_zero(largest(|point| point.0), 5),
        y: Axis::from_zero(largest(|point| point.1), 4),
    };
    put!(page, "<figure>");
    plot::open(page, WIDTH, (0.0, HEIGHT), &curve.name);
    frame.title(page, &named(&curve.y_name, &curve.y_unit));
    frame.grid(page);
    frame.floor(page, &named(&curve.x_name, &curve.x_unit));
    let places: Vec<(f64, f64)> = points.iter().map(|(x, y)| (frame.px(*x), frame.py(*y))).collect();
    for (x, y) in &places {
        put!(page, "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>");
    }
    put!(
        page,
        "<path class=\"line\" d=\"{}\"/></svg><figcaption>{}</figcaption></figure>",
        plot::path(places),
        esc(&curve.name)
    );
}

fn named(name: &str, unit: &str) -> String {
    if unit.is_empty() || unit == name { name.to_owned() } else { format!("{name}, {unit}") }
}
