//! Lines of traces that are comma-separated: Azure's and BurstGPT's.

use bench_text::clean_name;

use super::moment::nanos;
use super::{Format, Row};

const NANOS_PER_SECOND: f64 = 1e9;

/// Where the columns are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    time: usize,
    input: usize,
    output: usize,
}

/// The names of the three columns, in the spelling of the published files.
const fn names(format: Format) -> [&'static str; 3] {
    match format {
        Format::BurstGpt => ["Timestamp", "Request tokens", "Response tokens"],
        _ => ["TIMESTAMP", "ContextTokens", "GeneratedTokens"],
    }
}

impl Columns {
    /// The columns of a file without a header.
    pub(super) const fn published(format: Format) -> Self {
        match format {
            // The model stands between the time and the lengths.
            Format::BurstGpt => Self { time: 0, input: 2, output: 3 },
            _ => Self { time: 0, input: 1, output: 2 },
        }
    }

    /// The columns that a header of `format` names.
    fn of(header: &[&str], format: Format) -> Option<Self> {
        let place = |name: &str| header.iter().position(|field| field.eq_ignore_ascii_case(name));
        let [time, input, output] = names(format).map(place);
        Some(Self { time: time?, input: input?, output: output? })
    }
}

/// The format of a header.
pub(super) fn format_of(header: &str) -> Option<Format> {
    let fields = fields(header);
    [Format::Azure, Format::BurstGpt].into_iter().find(|format| Columns::of(&fields, *format).is_some())
}

/// Whether a line looks as a header does.
pub(super) fn is_header(line: &str) -> bool {
    fields(line).iter().any(|field| field.eq_ignore_ascii_case("timestamp"))
}

/// The fields of a line. Quotes around a field are no part of it; no field of these traces has a comma in it.
fn fields(line: &str) -> Vec<&str> {
    line.split(',').map(str::trim).map(bare).collect()
}

/// A field without quotes around it.
fn bare(field: &str) -> &str {
    field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).map_or(field, str::trim)
}

/// The request of a line, `None` of a header, whose columns are kept in `columns`.
pub(super) fn row(text: &str, format: Format, columns: &mut Columns) -> Result<Option<Row>, String> {
    let fields = fields(text);
    if is_header(text) {
        *columns = Columns::of(&fields, format).ok_or_else(|| {
            let [time, input, output] = names(format);
            let found: Vec<_> = fields.iter().take(8).map(|field| format!("`{}`", clean_name(field))).collect();
            format!(
                "{} has the columns {time}, {input} and {output}; here they are {}",
                format.title(),
                found.join(", ")
            )
        })?;
        return Ok(None);
    }
    let field = |place: usize| fields.get(place).copied().filter(|field| !field.is_empty());
    let (Some(time), Some(input), Some(output)) = (field(columns.time), field(columns.input), field(columns.output))
    else {
        let [time, input, output] = names(format);
        return Err(format!("it does not have the fields {time}, {input} and {output}"));
    };
    let at_ns = match format {
        Format::BurstGpt => seconds(time).ok_or_else(|| format!("`{}` is no number of seconds", clean_name(time)))?,
        _ => nanos(time)
            .ok_or_else(|| format!("`{}` is no time such as 2023-11-16 18:15:46.6805900", clean_name(time)))?,
    };
    let tokens = |text: &str| tokens(text).ok_or_else(|| format!("`{}` is no number of tokens", clean_name(text)));
    Ok(Some(Row { at_ns, input_tokens: tokens(input)?, output_tokens: tokens(output)?, blocks: Vec::new() }))
}

fn seconds(text: &str) -> Option<i128> {
    let ns = text.parse::<f64>().ok()? * NANOS_PER_SECOND;
    (0.0..=4e18).contains(&ns).then_some(ns as i128)
}

/// A number of tokens, also one that was written with a fraction of zero, as data frames do.
fn tokens(text: &str) -> Option<u64> {
    let whole = text.split_once('.').map_or(Some(text), |(whole, fraction)| {
        (!fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0')).then_some(whole)
    })?;
    whole.parse().ok()
}
