//! The end of an engine's log.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use bench_files::open_regular;
use bench_text::clean_text;

use crate::redact::MASK;

/// How much of the file is looked at.
const WINDOW: u64 = 64 << 10;
/// Characters of one line that are shown.
const LINE_LIMIT: usize = 400;

/// The last lines of the file, with secrets and hidden characters replaced.
pub(super) fn tail(path: &Path, lines: usize, secrets: &[String]) -> String {
    let read = || {
        let mut file = open_regular(path).map_err(std::io::Error::other)?;
        let start = file.metadata()?.len().saturating_sub(WINDOW);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(WINDOW).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&bytes).into_owned())
    };
    let Ok(mut text) = read() else { return "(the log could not be read)".to_owned() };
    for secret in secrets {
        text = text.replace(secret.as_str(), MASK);
    }
    let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown: Vec<String> =
        all[all.len().saturating_sub(lines)..].iter().map(|line| clean_text(line, LINE_LIMIT).to_string()).collect();
    if shown.is_empty() { "(the log is empty)".to_owned() } else { shown.join("\n") }
}
