//! Picking the host's measures. A measure that is missing or not finite is left out; nothing is made up for it.

use crate::types::Metric;
use crate::workload::{Curve, PhaseMeasures, Point};

/// The value of a measure of a phase, where the host gave a finite one.
pub fn value_of(phase: &PhaseMeasures, name: &str) -> Option<f64> {
    let found = phase.measures.iter().find(|measure| measure.metric.name == name)?;
    found.metric.value.is_finite().then_some(found.metric.value)
}

/// The value of a variable of a phase, where it is finite.
pub fn variable_of(phase: &PhaseMeasures, name: &str) -> Option<f64> {
    phase
        .variables
        .iter()
        .find(|variable| variable.name == name)
        .map(|variable| variable.value)
        .filter(|value| value.is_finite())
}

/// A measure of a phase as a metric under another name, unit and direction kept.
pub fn as_metric(phase: &PhaseMeasures, name: &str, new_name: &str) -> Option<Metric> {
    let found = phase.measures.iter().find(|measure| measure.metric.name == name)?;
    found.metric.value.is_finite().then(|| Metric { name: new_name.into(), ..found.metric.clone() })
}

/// The named measures of a phase, in the order of the names.
pub fn headline(phase: &PhaseMeasures, names: &[&str]) -> Vec<Metric> {
    names.iter().filter_map(|name| as_metric(phase, name, name)).collect()
}

/// A metric of the workload's own.
pub fn metric(name: &str, value: f64, unit: &str, higher_is_better: Option<bool>) -> Metric {
    Metric { name: name.into(), value, unit: unit.into(), higher_is_better }
}

/// `part / whole` as a metric without unit, where both are there and the quotient is finite. More is better.
pub fn ratio(name: &str, part: Option<f64>, whole: Option<f64>) -> Option<Metric> {
    let quotient = part? / whole?;
    quotient.is_finite().then(|| metric(name, quotient, "ratio", Some(true)))
}

/// The phases that have the variable, each with its value, by rising value.
pub fn by_variable<'a>(phases: &'a [PhaseMeasures], variable: &str) -> Vec<(f64, &'a PhaseMeasures)> {
    let mut found: Vec<_> = phases.iter().filter_map(|phase| Some((variable_of(phase, variable)?, phase))).collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found
}

/// Measures, each with its unit, as functions of a variable: one point per phase that has both, by rising `x`. A measure
/// without points has no curve.
pub fn curves(phases: &[PhaseMeasures], measures: &[(&str, &str)], variable: &str, x_unit: &str) -> Vec<Curve> {
    let phases = by_variable(phases, variable);
    let curve = |&(measure, y_unit): &(&str, &str)| {
        let points: Vec<Point> =
            phases.iter().filter_map(|&(x, phase)| Some(Point { x, y: value_of(phase, measure)? })).collect();
        (!points.is_empty()).then(|| Curve {
            name: format!("{measure}-by-{variable}"),
            x_name: variable.into(),
            x_unit: x_unit.into(),
            y_name: measure.into(),
            y_unit: y_unit.into(),
            points,
        })
    };
    measures.iter().filter_map(curve).collect()
}
