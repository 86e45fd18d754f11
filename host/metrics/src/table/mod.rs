//! The one table of every number that a record holds. Reports take their columns from it and the documentation its text.

mod rows;

use crate::request::RequestMetrics;

pub use rows::METRICS;

/// Whether more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// Neither.
    Neutral,
}

impl Direction {
    /// The same as an answer to 'is higher better?'; `None` for neither.
    pub fn higher_is_better(self) -> Option<bool> {
        match self {
            Self::Higher => Some(true),
            Self::Lower => Some(false),
            Self::Neutral => None,
        }
    }
}

/// Where a number stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// With each request, and summed up over a phase where it is a number.
    Request,
    /// Only with a phase as a whole, one value per repeat.
    Phase,
}

/// One entry of the table.
#[derive(Debug, Clone, Copy)]
pub struct MetricDef {
    /// The field's name in a record; parts of a nested field are joined by a dot.
    pub name: &'static str,
    /// Identifier in kebab case, as plugins see it.
    pub id: &'static str,
    /// Unit as written after a number; `text`, `list` or `flag` for what is no number.
    pub unit: &'static str,
    /// Whether more is better.
    pub direction: Direction,
    /// Where it stands.
    pub scope: Scope,
    /// What it is, as a sentence.
    pub definition: &'static str,
    /// The number in a request's metrics, where a phase's distribution is that of its requests.
    pub value: Option<fn(&RequestMetrics) -> Option<f64>>,
}

/// The entry called `name`, by its field name or its identifier.
pub fn definition(name: &str) -> Option<&'static MetricDef> {
    METRICS.iter().find(|def| def.name == name || def.id == name)
}
