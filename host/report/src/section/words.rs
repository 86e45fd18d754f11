//! Words that several sections use.

use bench_metrics::{ErrorBar, Summary};
use bench_record::{PhaseRecord, ShapeRecord, WorkloadRecord};

use crate::text::{counted, esc, figure, known, put};

/// The worst that an error bar vouches for: its 99th percentile, or the largest where there are too few samples.
pub(crate) fn worst(bar: &ErrorBar) -> f64 {
    bar.p99_ms.unwrap_or(bar.max_ms)
}

/// A workload and one of its phases.
pub(crate) fn name_of(workload: &WorkloadRecord, phase: &PhaseRecord) -> String {
    if workload.phases.len() > 1 { format!("{} {}", workload.label, phase.id) } else { workload.label.clone() }
}

/// How requests followed one another, in a few words.
pub(crate) fn load(phase: &PhaseRecord) -> String {
    match &phase.shape {
        None => "not run".to_owned(),
        Some(ShapeRecord::Sequential) => "one request at a time".to_owned(),
        Some(ShapeRecord::ClosedLoop { streams, ramp_s: None }) => counted(u64::from(*streams), "stream"),
        Some(ShapeRecord::ClosedLoop { streams, ramp_s: Some(ramp) }) => {
            format!("up to {}, over {} s", counted(u64::from(*streams), "stream"), figure(*ramp))
        }
        Some(ShapeRecord::OpenLoop { spec, .. } | ShapeRecord::Replay { spec, .. }) => spec.clone(),
    }
}

/// A table: titles, which columns hold text, rows of cells that are already markup.
pub(crate) struct Table {
    titles: Vec<(&'static str, bool)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table whose first `words` columns are text and the others numbers.
    pub(crate) fn new(titles: &[&'static str], words: usize) -> Self {
        Self {
            titles: titles.iter().enumerate().map(|(place, title)| (*title, place < words)).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row of markup.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Writes the table without the columns that are empty or unknown in every row.
    pub(crate) fn write(&self, page: &mut String) {
        if self.rows.is_empty() {
            return;
        }
        let empty =
            |place: usize| self.rows.iter().all(|row| row.get(place).is_none_or(|cell| cell.is_empty() || cell == "–"));
        let kept: Vec<usize> = (0..self.titles.len()).filter(|place| *place == 0 || !empty(*place)).collect();
        page.push_str("<div class=\"scroll\"><table><thead><tr>");
        let class =
            |place: usize| if self.titles.get(place).is_some_and(|(_, words)| *words) { "" } else { " class=\"n\"" };
        for place in &kept {
            let title = self.titles.get(*place).map_or("", |(title, _)| title);
            put!(page, "<th{}>{title}</th>", class(*place));
        }
        page.push_str("</tr></thead><tbody>");
        for row in &self.rows {
            page.push_str("<tr>");
            for place in &kept {
                put!(page, "<td{}>{}</td>", class(*place), row.get(*place).map_or("", String::as_str));
            }
            page.push_str("</tr>");
        }
        page.push_str("</tbody></table></div>");
    }
}

/// Two columns: a name and what it is. Values are markup; empty ones are left out.
pub(crate) fn facts(page: &mut String, rows: &[(&str, String)]) {
    page.push_str("<dl>");
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty() && value != "–") {
        put!(page, "<div><dt>{}</dt><dd>{value}</dd></div>", esc(name));
    }
    page.push_str("</dl>");
}

/// The median of a metric.
pub(crate) fn median(summary: &Summary, name: &str) -> String {
    known(summary.median(name))
}

/// A percentile of a metric where there are enough samples.
pub(crate) fn p95(summary: &Summary, name: &str) -> Option<f64> {
    summary.metrics.get(name).and_then(|found| found.p95)
}

/// A number with smaller words below it.
pub(crate) fn with_below(main: &str, below: &[String]) -> String {
    if below.is_empty() { main.to_owned() } else { format!("{main}<small>{}</small>", below.join("<br>")) }
}
