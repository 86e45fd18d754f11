//! `bench show --samples` and `--failures`.

use bench_record::export::{Prediction, localmaxxing};
use bench_record::{RunRecord, Store};
use bench_rescore::samples_of;
use bench_samples::export::{About, Answered, Form, predictions, text, write};
use bench_samples::{SampleRecord, failures};
use bench_text::clean_sentence;

use crate::cli::{Format, ShowArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::{output, results};

/// Is it about samples?
pub fn wanted(args: &ShowArgs) -> bool {
    let is_form = matches!(args.format, Format::LmEval | Format::Inspect | Format::Parquet | Format::Localmaxxing);
    args.samples || args.failures || args.out.is_some() || is_form
}

/// Shows or writes the samples of a run.
pub fn show(store: &Store, record: &RunRecord, args: &ShowArgs) -> Outcome {
    let found = samples_of(record, &store.folder(&args.run)?)?;
    for note in &found.notes {
        output::note(&note.message, &note.code, None);
    }
    if args.format == Format::Localmaxxing {
        return submission(record, &found.records);
    }
    let mut samples = found.records;
    if args.failures {
        samples.retain(|sample| failures::classify(sample).is_some());
    }
    let form = match args.format {
        _ if args.json => Form::Bench,
        Format::Json => Form::Bench,
        Format::Csv => Form::Csv,
        Format::LmEval => Form::LmEval,
        Format::Inspect => Form::Inspect,
        Format::Parquet => Form::Parquet,
        Format::Table if args.out.is_none() => {
            let table = if args.failures { results::samples::failures } else { results::samples::samples };
            output::data(&table(&samples));
            return Ok(Exit::Success);
        }
        Format::Table => args.out.as_deref().map_or(Ok(Form::Bench), super::score::form)?,
        Format::Markdown | Format::Vllm | Format::Localmaxxing => return Err(no_samples_in(args.format)),
    };
    let Some(out) = &args.out else {
        let text = text(form, &samples).ok_or_else(|| needs_out(form))?;
        match form {
            Form::Csv => output::csv(&text),
            _ => output::json_text(&text),
        }
        return Ok(Exit::Success);
    };
    let about = About {
        created: Some(record.started_at.clone()),
        model: Some(record.model.id.clone()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    for file in write(form, &samples, &about, out)? {
        output::say(&format!("wrote {}", clean_sentence(file.display())));
    }
    Ok(Exit::Success)
}

/// The run as a leaderboard takes it.
fn submission(record: &RunRecord, samples: &[SampleRecord]) -> Outcome {
    let listed = predictions(samples).into_iter().map(|(task, answered)| {
        let prediction =
            |one: Answered| Prediction { input: one.input, output: one.output, gold: one.gold, correct: one.correct };
        (task, answered.into_iter().map(prediction).collect())
    });
    let (submission, notes) = localmaxxing(record, &listed.collect());
    for note in &notes {
        output::note(&note.message, &note.code, note.hint.as_deref());
    }
    output::json(&submission);
    Ok(Exit::Success)
}

fn no_samples_in(format: Format) -> Failure {
    Failure {
        code: "no-samples-in-form".to_owned(),
        message: format!("samples are not written as {format:?}").to_lowercase(),
        hint: Some("choose table, json, csv, parquet, lm-eval or inspect".to_owned()),
        exit: Exit::Usage,
    }
}

fn needs_out(form: Form) -> Failure {
    Failure {
        code: "needs-out".to_owned(),
        message: format!("{} is no text that could be printed", form.name()),
        hint: Some("say where to write it with --out".to_owned()),
        exit: Exit::Usage,
    }
}
