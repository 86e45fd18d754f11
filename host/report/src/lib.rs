//! A run as one page that a person reads: one file, nothing fetched, no script.
//!
//! The page says first whether the numbers may be trusted and why not, then the numbers, then how they came about. Charts are
//! SVG drawn here, from the record alone, so that the page of a stored run can be made anywhere and at any time.
//!
//! Everything in a record is somebody else's text: names come from servers and plugins. All of it goes through
//! [`text::esc`], and the page forbids itself scripts and fetches by its content security policy.
//!
//! A page of a large run stays small: what has more points than a chart can show is binned, and the caption says so.

mod chart;
mod plot;
mod section;
mod text;

use bench_record::RunRecord;

use text::{esc, put};

const STYLE: &str = include_str!("style.css");

/// The run as an HTML document in UTF-8.
pub fn html(record: &RunRecord) -> String {
    let mut page = String::with_capacity(128 << 10);
    put!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{} · bench run {}</title>\n<style>\n{STYLE}</style></head>\n<body><main>\n",
        esc(&record.model.id),
        esc(record.id.as_str()),
    );
    section::heading(&mut page, record);
    section::overview(&mut page, record);
    section::scores(&mut page, record);
    for workload in &record.workloads {
        section::workload(&mut page, record, workload);
    }
    section::client(&mut page, record);
    section::notes(&mut page, record);
    section::provenance(&mut page, record);
    page.push_str("</main></body></html>\n");
    page
}
