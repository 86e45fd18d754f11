//! The two streams: data for programs and for pipes, and talk for people.

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

use crate::failure::Failure;

/// Writes data to standard output. A reader that has gone away is no failure: that is how `head` works.
pub fn data(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") }).ok();
}

/// Writes a value as JSON to standard output.
pub fn json(value: &impl Serialize) {
    // What is printed is made of strings, numbers, lists and maps with string keys, which always serialise.
    data(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Writes a line to standard error.
pub fn say(text: &str) {
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
    say(&format!("{} {text}", paint("33", "warning:")));
    hinted(hint);
}

/// The words for a failed command.
pub fn failure(failure: &Failure) {
    say(&format!("{} {} [{}]", paint("31", "error:"), printable(&failure.message), failure.code));
    hinted(failure.hint.as_deref());
}

fn hinted(hint: Option<&str>) {
    if let Some(hint) = hint {
        say(&format!("\n{} {}", paint("36", "hint:"), printable(hint)));
    }
}

/// Text from outside without the control characters that could fool a terminal.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}
