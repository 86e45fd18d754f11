//! The two streams: data for programs and for pipes, and talk for people.

use std::io::{IsTerminal as _, Write as _};

use bench_text::{clean_csv, clean_message, clean_name, clean_screen, clean_sentence, clean_text, escape_json};
use serde::Serialize;

use crate::failure::Failure;

/// Writes data to standard output: exact into a file or a pipe, cleaned for a terminal.
pub fn data(text: &str) {
    if std::io::stdout().is_terminal() { write_out(&clean_screen(text)) } else { write_out(text) }
}

/// Writes comma-separated values to standard output: exact into a file or a pipe, each field cleaned for a terminal.
pub fn csv(text: &str) {
    if std::io::stdout().is_terminal() { write_out(&clean_csv(text)) } else { write_out(text) }
}

/// Writes a value as JSON to standard output.
pub fn json(value: &impl Serialize) {
    // What is printed is made of strings, numbers, lists and maps with string keys, which always serialise.
    json_text(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Writes JSON, or lines of JSON, to standard output. Characters that a terminal obeys are escaped, which changes no value.
pub fn json_text(json: &str) {
    write_out(&escape_json(json));
}

/// A reader that has gone away is no failure: that is how `head` works.
fn write_out(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") }).ok();
}

/// Writes a message to standard error. Texts of others in it are cleaned where the message is made; what was forgotten is
/// cleaned here.
pub fn say(text: &str) {
    write_message(&clean_message(text));
}

fn write_message(text: &str) {
    let mut out = std::io::stderr().lock();
    writeln!(out, "{text}").ok();
}

/// Colours on standard error?
pub fn colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn paint(code: &str, text: &str) -> String {
    if colours() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// A warning: what happened, and what to do.
pub fn warning(text: &str, hint: Option<&str>) {
    write_message(&format!("{} {}", paint("33", "warning:"), clean_message(text)));
    // It may be a server's or a plugin's, so it is one line.
    if let Some(hint) = hint {
        show_hint(&clean_text(hint, LONGEST_HINT).to_string());
    }
}

/// A note of a record, a log or an installation as a warning.
pub fn note(message: &str, code: &str, hint: Option<&str>) {
    warning(&noted(message, code), hint);
}

/// A message and its code, as both stand in a sentence.
pub fn noted(message: &str, code: &str) -> String {
    format!("{} [{}]", clean_sentence(message), clean_name(code))
}

/// Characters of a hint of a warning.
const LONGEST_HINT: usize = 6_000;

/// The words for a failed command.
pub fn failure(failure: &Failure) {
    let (message, code) = (clean_message(&failure.message), clean_name(&failure.code));
    write_message(&format!("{} {message} [{code}]", paint("31", "error:")));
    // Errors clean hints of others. Their own may have lines, such as the forms of a load.
    if let Some(hint) = &failure.hint {
        show_hint(&clean_message(hint));
    }
}

fn show_hint(hint: &str) {
    write_message(&format!("\n{} {hint}", paint("36", "hint:")));
}
