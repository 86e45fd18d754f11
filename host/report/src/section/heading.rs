//! What was measured, and whether to believe it.

use bench_record::{RunRecord, RunStatus};

use crate::text::{esc, put};

/// The head of the page.
pub(crate) fn heading(page: &mut String, record: &RunRecord) {
    let backend = record.backend.as_ref().map_or_else(
        || "unknown backend".to_owned(),
        |backend| format!("{} {}", backend.name, backend.version.as_deref().unwrap_or("(version unknown)")),
    );
    let quantization = record.model.quantization.as_deref().map_or_else(String::new, |q| format!(" {q}"));
    put!(
        page,
        "<header><p class=\"eyebrow\">bench · run {}</p><h1>{}{}</h1><p class=\"lead\">on {}",
        esc(record.id.as_str()),
        esc(&record.model.id),
        esc(&quantization),
        esc(&backend)
    );
    put!(page, " at {}</p><p class=\"facts\">", esc(&record.endpoint.url));
    let mut facts = vec![format!("started {}", whole_second(&record.started_at))];
    facts.push(format!(
        "{} {}{}",
        record.suite.name,
        record.suite.version,
        if record.suite.quick { ", quick" } else { "" }
    ));
    facts.extend(record.load.iter().map(|load| format!("load {load}")));
    facts.extend(record.slo.iter().map(|slo| format!("objectives {slo}")));
    facts.extend(record.ab.iter().map(|ab| format!("side {} of a pair with {}", ab.side, ab.other)));
    facts.extend(record.machine.iter().map(|machine| format!("client machine: {}", machine.headline())));
    for fact in facts {
        put!(page, "<span>{}</span>", esc(&fact));
    }
    page.push_str("</p></header>");
    verdict(page, record);
}

/// A moment without its fraction of a second.
fn whole_second(moment: &str) -> String {
    match moment.split_once('.') {
        Some((second, _)) if moment.ends_with('Z') => format!("{second}Z"),
        _ => moment.to_owned(),
    }
}

fn verdict(page: &mut String, record: &RunRecord) {
    if record.simulated {
        page.push_str(
            "<div class=\"verdict simulated\"><strong>Simulation.</strong> These numbers are about this program, not about any \
             engine.</div>",
        );
    }
    match record.status {
        RunStatus::Completed => {}
        RunStatus::Incomplete => {
            page.push_str("<div class=\"verdict bad\"><strong>Incomplete.</strong> The run was cut off.</div>")
        }
        RunStatus::Failed => {
            page.push_str("<div class=\"verdict bad\"><strong>Failed.</strong> At least one workload failed.</div>")
        }
        RunStatus::Cancelled => page.push_str("<div class=\"verdict bad\"><strong>Stopped</strong> by the user.</div>"),
    }
    if record.publishable.ok {
        page.push_str(
            "<div class=\"verdict good\"><strong>Publishable.</strong> The run is complete, the model and every plugin are \
             identified, the raw trace was kept, and the client was not the limit.</div>",
        );
        return;
    }
    if record.publishable.reasons.is_empty() {
        page.push_str(
            "<div class=\"verdict doubt\"><strong>Not publishable.</strong> The run has not been judged.</div>",
        );
        return;
    }
    page.push_str("<div class=\"verdict doubt\"><strong>Not publishable.</strong><ul>");
    for reason in record.publishable.reasons.iter().take(50) {
        put!(page, "<li>{}", esc(&reason.message));
        if let Some(hint) = &reason.hint {
            put!(page, " {}", esc(hint));
        }
        put!(page, " <code>{}</code></li>", esc(&reason.code));
    }
    page.push_str("</ul></div>");
}
