//! How good the answers were: a row for each task with its score, the interval drawn, and what became of the samples.

use bench_record::{EstimateRecord, EvalRecord, EvalStatus, RunRecord};

use super::words::{Table, with_below};
use crate::text::{count, counted, esc, figure, known, put};

/// Reasons that a row names; the rest are counted together.
const MOST_REASONS: usize = 6;

/// The tasks, where the run has any.
pub(crate) fn scores(page: &mut String, record: &RunRecord) {
    if record.evals.is_empty() {
        return;
    }
    let mut table = Table::new(&["Task", "Metric", "Samples", "Value", "95 % interval", "Scored", "Tokens", "US $"], 3);
    for eval in &record.evals {
        let mut rows = eval.estimates.iter().filter(|estimate| estimate.group.is_none()).peekable();
        if rows.peek().is_none() {
            table.row(vec![name(eval), String::new(), became(eval)]);
        }
        for (place, estimate) in rows.enumerate() {
            table.row(row(eval, estimate, place == 0));
        }
    }
    page.push_str("<section><h2>Scores</h2>");
    table.write(page);
    page.push_str(
        "<p class=\"caption\">Each value with the interval that its scorer gives it. Samples that say nothing about the model, because \
         the network, the server or the grader failed, are in no value; they stand under <em>scored</em> as missing.</p>",
    );
    for eval in &record.evals {
        remarks(page, eval);
    }
    page.push_str("</section>");
}

fn name(eval: &EvalRecord) -> String {
    let scorer = esc(&format!("{} {}", eval.scorer.name, eval.scorer.version)).to_string();
    let form = eval.format.as_deref().map(|form| format!("as {}", esc(form)));
    let ended = match eval.status {
        EvalStatus::Completed => None,
        EvalStatus::Partial => Some("<b class=\"bad\">partial</b>".to_owned()),
        EvalStatus::Failed => Some("<b class=\"bad\">failed</b>".to_owned()),
        EvalStatus::Cancelled => Some("<b class=\"bad\">not finished</b>".to_owned()),
    };
    let below: Vec<String> = form.into_iter().chain([scorer]).chain(ended).collect();
    with_below(&esc(&eval.task).to_string(), &below)
}

fn row(eval: &EvalRecord, estimate: &EstimateRecord, first: bool) -> Vec<String> {
    let of = estimate.scored.saturating_add(estimate.unscored);
    let missing = (estimate.unscored > 0).then(|| format!("<b class=\"bad\">{} missing</b>", estimate.unscored));
    let missing: Vec<String> = missing.into_iter().collect();
    vec![
        if first { name(eval) } else { String::new() },
        esc(&estimate.name).to_string(),
        if first { became(eval) } else { String::new() },
        known(estimate.value),
        interval(estimate),
        with_below(&format!("{}/{}", count(estimate.scored.into()), count(of.into())), &missing),
        if first { count(eval.tokens.completion) } else { String::new() },
        if first { eval.cost_usd.map(|cost| format!("{cost:.4}")).unwrap_or_default() } else { String::new() },
    ]
}

/// The interval in figures and, of a share, as a bar from 0 to 1.
fn interval(estimate: &EstimateRecord) -> String {
    let (Some(value), Some(low), Some(high)) = (estimate.value, estimate.low, estimate.high) else {
        return estimate.standard_error.map_or_else(|| "–".to_owned(), |error| format!("±{}", figure(error)));
    };
    if estimate.unit != "ratio" || !(0.0..=1.0).contains(&value) {
        return format!("{} to {}", figure(low), figure(high));
    }
    let (low, high) = (low.clamp(0.0, 1.0), high.clamp(0.0, 1.0));
    let at = |share: f64| share * BAR;
    format!(
        "{} to {}<svg class=\"share\" viewBox=\"0 0 {BAR} 8\" width=\"{BAR}\" height=\"8\" role=\"img\" aria-hidden=\"true\">\
         <line class=\"axis\" x1=\"0\" y1=\"4\" x2=\"{BAR}\" y2=\"4\"/>\
         <rect class=\"band\" x=\"{:.1}\" y=\"1\" width=\"{:.1}\" height=\"6\"/>\
         <line class=\"line\" x1=\"{:.1}\" y1=\"0\" x2=\"{:.1}\" y2=\"8\"/></svg>",
        figure(low),
        figure(high),
        at(low),
        (at(high) - at(low)).max(1.0),
        at(value),
        at(value),
    )
}

/// Width of a share of 1, in pixels.
const BAR: f64 = 100.0;

fn became(eval: &EvalRecord) -> String {
    let mut reasons: Vec<(&String, u64)> = eval.reasons.iter().map(|(reason, count)| (reason, *count)).collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let named = reasons.iter().take(MOST_REASONS).map(|(reason, number)| format!("{} {}", count(*number), esc(reason)));
    let mut words: Vec<String> = named.collect();
    let rest: u64 = reasons.iter().skip(MOST_REASONS).map(|(_, count)| count).sum();
    if rest > 0 {
        words.push(format!("{} for other reasons", count(rest)));
    }
    words.join(", ")
}

fn remarks(page: &mut String, eval: &EvalRecord) {
    let mut words = Vec::new();
    if let Some(problem) = &eval.problem {
        words.push(format!("{} <code>{}</code>", esc(&problem.message), esc(&problem.code)));
    }
    if eval.repeats > 1 {
        words.push(format!("each item was asked {} times", eval.repeats));
    }
    if let Some(judge) = &eval.judge {
        words.push(format!("{} judged, in {}", esc(&judge.model), counted(judge.requests, "request")));
    }
    if let Some(found) = &eval.sensitivity {
        words.push(format!("formats are at most {} apart", figure(found.max_delta)));
    }
    words.extend(eval.notes.iter().map(|note| format!("{} <code>{}</code>", esc(&note.message), esc(&note.code))));
    if words.is_empty() {
        return;
    }
    put!(page, "<p class=\"caption\"><b>{}</b>: {}.</p>", esc(&eval.task), words.join("; "));
}
