//! `bench score`.

use bench_rescore::{Engine, Scored, Verify};
use bench_samples::export::{About, Form, write};
use bench_text::clean_sentence;

use crate::cli::ScoreArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::{folders, output, results};

/// Grades a log of samples.
pub fn score(args: &ScoreArgs) -> Outcome {
    let form = args.out.as_deref().map(form).transpose()?;
    let engine = Engine::new(Some(folders::folders().cache.join("compiled")), Verify::Sampled)
        .with_shelf(folders::folders().shelf(None)?);
    let scored = engine.score(&args.log, &args.scorer, args.config.as_deref())?;
    if let (Some(form), Some(path)) = (form, &args.out) {
        let about = About { version: env!("CARGO_PKG_VERSION").to_owned(), ..About::default() };
        write(form, &scored.records, &about, path)?;
    }
    Ok(print(&scored, args.json))
}

/// The form of a file that samples are to be written to.
pub(super) fn form(path: &std::path::Path) -> Result<Form, Failure> {
    Form::of_file(path).ok_or_else(|| Failure {
        code: "unknown-form".to_owned(),
        message: format!("the name of {} says no form", clean_sentence(path.display())),
        hint: Some("let it end in .jsonl, .eval, .csv or .parquet".to_owned()),
        exit: Exit::Usage,
    })
}

/// Shows what changed, to people or programs. A task without verdicts, or with too few, is no success.
pub(super) fn print(scored: &Scored, json: bool) -> Exit {
    for note in scored.notes.iter().chain(scored.tasks.iter().flat_map(|task| &task.notes)) {
        output::note(&note.message, &note.code, None);
    }
    if json {
        output::json(scored);
    } else {
        output::data(&results::samples::scored(scored));
    }
    let commonest = |task| results::samples::commonest_of(scored, task);
    let is_complete = !scored.tasks.iter().filter_map(commonest).any(|reason| reason.is_too_common());
    if is_complete { Exit::Success } else { Exit::Incomplete }
}
