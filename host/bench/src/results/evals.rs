//! The scores of a run: one table, and below it what is to be known of each task.

use bench_record::{EstimateRecord, EvalRecord, EvalStatus, RunRecord};
use bench_text::clean_name;

use super::{align_numbers, table};
use crate::numbers::{figure, known, lasting};
use crate::output;

/// The table of scores and what there is to say beside it; nothing where no task ran.
pub(super) fn text(record: &RunRecord) -> String {
    if record.evals.is_empty() {
        return String::new();
    }
    let mut scores = table(&[
        "task",
        "metric",
        "value",
        "standard error",
        "interval",
        "scored",
        "tokens in",
        "out",
        "TTFT ms",
        "USD",
    ]);
    for eval in &record.evals {
        let mut rows = eval.estimates.iter().filter(|estimate| estimate.group.is_none()).peekable();
        if rows.peek().is_none() {
            scores.add_row([name(eval), "–".to_owned(), "–".to_owned()]);
        }
        for (place, estimate) in rows.enumerate() {
            scores.add_row(row(eval, estimate, place == 0));
        }
    }
    align_numbers(&mut scores, 2);
    let mut text = format!("\n{scores}\n");
    record.evals.iter().for_each(|eval| text.push_str(&remarks(eval)));
    text
}

/// A task as people read it, with the format where it has several.
pub(super) fn task_name(task: &str, format: Option<&str>) -> String {
    format.map_or_else(|| task.to_owned(), |format| format!("{task} ({format})"))
}

fn name(eval: &EvalRecord) -> String {
    task_name(&eval.task, eval.format.as_deref())
}

fn row(eval: &EvalRecord, estimate: &EstimateRecord, first: bool) -> Vec<String> {
    let interval = estimate.low.zip(estimate.high).map(|(low, high)| format!("{} to {}", figure(low), figure(high)));
    let of = estimate.scored.saturating_add(estimate.unscored);
    let mut cells = vec![
        if first { name(eval) } else { String::new() },
        estimate.name.clone(),
        known(estimate.value),
        known(estimate.standard_error),
        interval.unwrap_or_else(|| "–".to_owned()),
        format!("{}/{of}", estimate.scored),
    ];
    if first {
        cells.extend([
            eval.tokens.prompt.to_string(),
            eval.tokens.completion.to_string(),
            known(eval.ttft_ms.map(|spread| spread.p50)),
            eval.cost_usd.map_or_else(|| "–".to_owned(), |cost| format!("{cost:.4}")),
        ]);
    }
    cells
}

/// What became of the samples, how much the format and the groups matter, and what went wrong.
fn remarks(eval: &EvalRecord) -> String {
    let mut text = format!("\n{}", clean_name(name(eval)));
    match eval.status {
        EvalStatus::Completed => {}
        EvalStatus::Partial => text.push_str(" PARTIAL"),
        EvalStatus::Failed => text.push_str(" FAILED"),
        EvalStatus::Cancelled => text.push_str(" not finished"),
    }
    if let Some(problem) = &eval.problem {
        text.push_str(&format!(": {}", output::noted(&problem.message, &problem.code)));
    }
    text.push('\n');
    let mut line = |words: String| text.push_str(&format!("  {words}\n"));
    let samples = &eval.samples;
    let mut asked = format!("{} of {} samples", samples.planned - samples.remaining, samples.planned);
    if eval.repeats > 1 {
        asked.push_str(&format!(", each item {} times", eval.repeats));
    }
    if samples.resumed > 0 {
        asked.push_str(&format!(", {} of them before the run was resumed", samples.resumed));
    }
    let (scorer, version) = (clean_name(&eval.scorer.name), clean_name(&eval.scorer.version));
    line(format!("{asked}, in {}, graded by {scorer} {version}", lasting(eval.seconds)));
    if !eval.reasons.is_empty() {
        line(counts(eval.reasons.iter().map(|(reason, count)| (reason.as_str(), *count))));
    }
    for estimate in eval.estimates.iter().filter(|estimate| estimate.group.is_some()) {
        let group = estimate.group.as_deref().unwrap_or_default();
        let (group, name) = (clean_name(group), clean_name(&estimate.name));
        line(format!("{group}: {name} {} of {}", known(estimate.value), estimate.scored));
    }
    if let Some(found) = &eval.sensitivity {
        let (delta, deviation) = (figure(found.max_delta), figure(found.standard_deviation));
        line(format!("between formats: at most {delta} apart, standard deviation {deviation}"));
    }
    if !eval.retries.is_empty() {
        let retried = counts(eval.retries.iter().map(|(cause, count)| (cause.as_str(), *count)));
        line(format!("sent again: {retried}"));
    }
    if let Some(least) = eval.backoff.iter().map(|step| step.to).min() {
        line(format!("at most {} requests at once, {least} when the engine asked for fewer", eval.concurrency));
    }
    for note in &eval.notes {
        line(output::noted(&note.message, &note.code));
    }
    text
}

fn counts<'c>(list: impl Iterator<Item = (&'c str, u64)>) -> String {
    list.map(|(what, count)| format!("{count} {}", clean_name(what))).collect::<Vec<_>>().join(", ")
}
