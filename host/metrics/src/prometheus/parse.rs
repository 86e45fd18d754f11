//! Reads the text format that Prometheus scrapes.
//!
//! Both versions, the older text format 0.0.4 and OpenMetrics 1.0 (prometheus.io/docs/instrumenting/exposition_formats,
//! prometheus.io/docs/specs/om/open_metrics_spec), with quoted names in either. The text comes from outside: a line
//! that cannot be read is counted and left out, since the others are still good, and all sizes are bounded.

use std::collections::HashMap;

/// Most samples that are kept of one text. A server with a dozen histograms has several hundred.
pub const MOST_SAMPLES: usize = 20_000;

/// Longest line that is read, in bytes.
const LONGEST_LINE: usize = 16 << 10;

/// Most labels of a sample.
const MOST_LABELS: usize = 64;

/// What a sample's number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Only ever grows, until the server starts anew.
    Counter,
    /// Goes up and down.
    Gauge,
    /// The sum of all observations of a histogram or summary.
    Sum,
    /// Their number.
    Count,
    /// A bucket of a histogram.
    Bucket,
    /// A quantile of a summary.
    Quantile,
    /// The text does not say.
    Unknown,
}

/// One number of a server.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its name, with the suffix that tells the parts of a histogram apart.
    pub name: String,
    /// What tells it from others of its name, sorted by the label.
    pub labels: Vec<(String, String)>,
    /// The number, which may be infinite or not a number.
    pub value: f64,
    /// What the number is.
    pub kind: Kind,
}

/// What a text says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scrape {
    /// The samples in the order of the text.
    pub samples: Vec<Sample>,
    /// Lines that could not be read.
    pub malformed: u32,
    /// The text has more samples than [`MOST_SAMPLES`]; the rest was not read.
    pub is_cut: bool,
}

/// Types as `# TYPE` states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

/// Reads a text.
#[must_use]
pub fn parse(text: &[u8]) -> Scrape {
    let mut scrape = Scrape::default();
    let mut families: HashMap<&str, Family> = HashMap::new();
    for line in text.split(|byte| *byte == b'\n') {
        let Ok(line) = std::str::from_utf8(line.get(..LONGEST_LINE).unwrap_or(line)) else {
            scrape.malformed = scrape.malformed.saturating_add(1);
            continue;
        };
        // A line that was shortened lacks its value, or has part of one, so it is refused below.
        let is_long = line.len() == LONGEST_LINE;
        let line = line.trim_matches([' ', '\t', '\r']);
        if let Some(comment) = line.strip_prefix('#') {
            let mut words = comment.split_ascii_whitespace();
            match (words.next(), words.next(), words.next()) {
                // The end of OpenMetrics; what follows is no part of it.
                (Some("EOF"), None, None) => break,
                (Some("TYPE"), Some(name), Some(kind)) if families.len() < MOST_SAMPLES => {
                    // Quotes stand around names with characters that older versions did not have.
                    families.extend(family(kind).map(|family| (name.trim_matches('"'), family)));
                }
                _ => {}
            }
            continue;
        }
        if line.is_empty() {
            continue;
        }
        if scrape.samples.len() == MOST_SAMPLES {
            scrape.is_cut = true;
            break;
        }
        match sample(line).filter(|_| !is_long) {
            Some((name, mut labels, value)) => {
                let kind = kind(&name, &labels, &families);
                labels.sort_unstable();
                scrape.samples.push(Sample { name, labels, value, kind });
            }
            None => scrape.malformed = scrape.malformed.saturating_add(1),
        }
    }
    scrape
}

fn family(word: &str) -> Option<Family> {
    match word {
        "counter" => Some(Family::Counter),
        "gauge" | "stateset" | "info" => Some(Family::Gauge),
        "histogram" | "gaugehistogram" => Some(Family::Histogram),
        "summary" => Some(Family::Summary),
        _ => None,
    }
}

fn kind(name: &str, labels: &[(String, String)], families: &HashMap<&str, Family>) -> Kind {
    match families.get(name) {
        Some(Family::Counter) => return Kind::Counter,
        Some(Family::Gauge) => return Kind::Gauge,
        Some(Family::Summary) if labels.iter().any(|(label, _)| label == "quantile") => return Kind::Quantile,
        _ => {}
    }
    let parts = [
        ("_sum", Kind::Sum),
        ("_gsum", Kind::Sum),
        ("_count", Kind::Count),
        ("_gcount", Kind::Count),
        ("_bucket", Kind::Bucket),
        ("_total", Kind::Counter),
    ];
    let part = parts.into_iter().find_map(|(suffix, kind)| Some((families.get(name.strip_suffix(suffix)?), kind)));
    match part {
        Some((Some(Family::Histogram | Family::Summary), kind)) if kind != Kind::Counter => kind,
        Some((Some(Family::Counter), Kind::Counter)) => Kind::Counter,
        // Without a type, by the custom that counters are called so.
        Some((None, Kind::Counter)) => Kind::Counter,
        _ => Kind::Unknown,
    }
}

type Labels = Vec<(String, String)>;

/// Reads `name{labels} value [timestamp] [# exemplar]`.
fn sample(line: &str) -> Option<(String, Labels, f64)> {
    let (bare, rest) = bare_name(line);
    let (name, labels, rest) = match skip(rest).strip_prefix('{') {
        Some(inside) => {
            let (quoted, labels, rest) = braces(inside)?;
            (one(bare, quoted)?, labels, rest)
        }
        // Without braces there is a space before the value.
        None => (bare.filter(|_| rest.starts_with([' ', '\t']))?.to_owned(), Labels::new(), rest),
    };
    let mut words = rest.split_ascii_whitespace();
    let value = number(words.next()?)?;
    let is_sound = match (words.next(), words.next()) {
        (None, _) | (Some("#"), Some(_)) => true,
        (Some(timestamp), None | Some("#")) => number(timestamp).is_some(),
        _ => false,
    };
    is_sound.then_some((name, labels, value))
}

/// The name, which stands before the braces or, quoted, inside of them.
fn one(bare: Option<&str>, quoted: Option<String>) -> Option<String> {
    match (bare, quoted) {
        (Some(name), None) => Some(name.to_owned()),
        (None, Some(name)) if !name.is_empty() => Some(name),
        _ => None,
    }
}

/// Reads labels up to the closing brace; the name where it stands among them, the labels, the rest of the line.
fn braces(mut rest: &str) -> Option<(Option<String>, Labels, &str)> {
    let mut name = None;
    let mut labels = Labels::new();
    loop {
        rest = skip(rest);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((name, labels, rest));
        }
        let (label, after) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside)?,
            None => {
                let (label, after) = bare_name(rest);
                (label.filter(|label| !label.contains(':'))?.to_owned(), after)
            }
        };
        let is_quoted = rest.starts_with('"');
        rest = skip(after);
        match rest.strip_prefix('=') {
            Some(after) => {
                let (value, after) = quoted(skip(after).strip_prefix('"')?)?;
                let is_new = !labels.iter().any(|(known, _)| *known == label);
                if !is_new || labels.len() == MOST_LABELS {
                    return None;
                }
                labels.push((label, value));
                rest = after;
            }
            // A text in quotes without a value is the metric's name, once, in front.
            None if is_quoted && name.is_none() && labels.is_empty() => name = Some(label),
            None => return None,
        }
        rest = skip(rest);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None => return None,
        }
    }
}

/// Reads a text up to its closing quotes. A backslash stands before a backslash, quotes, or the `n` of a line's end;
/// before anything else it is just itself.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other @ ('\\' | '"') => value.push(other),
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    None
}

/// A name without quotes at the beginning, and the rest.
fn bare_name(text: &str) -> (Option<&str>, &str) {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == ':';
    let end = text.find(|character| !is_part(character)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    (Some(name).filter(|name| !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit())), rest)
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn skip(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}
