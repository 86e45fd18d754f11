//! Small plots in text.

use bench_record::Curve;
use bench_text::clean_name;

use crate::numbers::figure;

const BAR: usize = 32;

/// A curve as one bar per point, scaled to the largest.
pub fn curve(curve: &Curve) -> String {
    let points: Vec<(f64, f64)> = curve.points.iter().filter_map(|point| Some((point.x?, point.y?))).collect();
    let most = points.iter().map(|(_, y)| *y).fold(0.0, f64::max);
    if points.is_empty() || most <= 0.0 {
        return String::new();
    }
    let mut text = format!(
        "  {} ({} by {})\n",
        clean_name(&curve.name),
        with_unit(&curve.y_name, &curve.y_unit),
        clean_name(&curve.x_name)
    );
    let labels: Vec<String> = points.iter().map(|(x, _)| figure(*x)).collect();
    let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    for ((_, y), label) in points.iter().zip(&labels) {
        let length = (y / most * BAR as f64).round().max(0.0) as usize;
        text.push_str(&format!("  {label:>width$}  {:<BAR$}  {}\n", "█".repeat(length.min(BAR)), figure(*y)));
    }
    text
}

fn with_unit(name: &str, unit: &str) -> String {
    let (name, shown_unit) = (clean_name(name), clean_name(unit));
    if unit.is_empty() { name.to_string() } else { format!("{name}, {shown_unit}") }
}
