//! Lines of traces that are JSON objects: Mooncake's, Qwen-Bailian's and AIPerf's.

use bench_text::clean_name;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Format, Row};

const NANOS_PER_MILLI: f64 = 1e6;
const NANOS_PER_SECOND: f64 = 1e9;

/// Fields of Qwen-Bailian's traces that no other format has. Their times are seconds and their blocks have 16 tokens.
const BAILIAN: [&str; 3] = ["chat_id", "parent_chat_id", "turn"];

/// Fields that AIPerf adds to Mooncake's.
const AIPERF: [&str; 9] =
    ["session_id", "delay", "text_input", "messages", "tools", "payload", "priority", "images", "extra"];

/// Fields of AIPerf that say what is sent or when, with why they are refused.
const REFUSED: [(&str, &str); 6] = [
    ("delay", "counts from the end of the turn before it, which a recorded time does not know"),
    ("text_input", "is the text of a prompt; only lengths are replayed"),
    ("messages", "is the text of a prompt; only lengths are replayed"),
    ("payload", "is the text of a request; only lengths are replayed"),
    ("tools", "is part of a request's text; only lengths are replayed"),
    ("images", "is part of a request's content; only lengths are replayed"),
];

/// The format whose fields these are.
pub(super) fn format_of(fields: &Map<String, Value>) -> Format {
    let has = |names: &[&str]| names.iter().any(|name| fields.contains_key(*name));
    match () {
        () if has(&BAILIAN) => Format::Bailian,
        () if has(&AIPERF) => Format::Aiperf,
        () => Format::Mooncake,
    }
}

/// The fields of a line.
pub(super) fn fields(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("it is no request: {error}"))
}

#[derive(Debug, Deserialize)]
struct Request {
    /// Whole in the published traces, with a fraction in others.
    timestamp: Option<f64>,
    input_length: Option<f64>,
    output_length: Option<f64>,
    hash_ids: Option<Vec<f64>>,
}

/// The request of a line in `format`. `is_stated` tells that the user named the format, so that fields of others do not count.
pub(super) fn row(text: &str, format: Format, is_stated: bool) -> Result<Row, String> {
    let fields = fields(text)?;
    let own = format_of(&fields);
    if own == Format::Bailian && format != own && !is_stated {
        return Err(format!("its fields are those of {}, and the lines before it are {}", own.title(), format.title()));
    }
    if let Some((name, reason)) =
        REFUSED.iter().find(|(name, _)| fields.get(*name).is_some_and(|value| !value.is_null()))
    {
        return Err(format!("AIPerf's field `{name}` {reason}"));
    }
    let names = || fields.keys().take(8).map(|name| format!("`{}`", clean_name(name))).collect::<Vec<_>>().join(", ");
    let missing = |name: &str| {
        format!("it has no `{name}`, which a request of {} has; its fields are {}", format.title(), names())
    };
    let request: Request =
        serde_json::from_value(Value::Object(fields.clone())).map_err(|error| format!("it is no request: {error}"))?;
    let unit = if format == Format::Bailian { NANOS_PER_SECOND } else { NANOS_PER_MILLI };
    let timestamp = request.timestamp.ok_or_else(|| missing("timestamp"))?;
    let at_ns = timestamp * unit;
    // Times since 1970 are far below this, and what is above it is no time.
    if !(0.0..=4e18).contains(&at_ns) {
        return Err(format!("the timestamp {timestamp} is no time"));
    }
    let length = |value: Option<f64>, name: &str| {
        let value = value.ok_or_else(|| missing(name))?;
        whole(value).ok_or_else(|| format!("`{name}` is {value}, which is no number of tokens"))
    };
    let blocks = request.hash_ids.unwrap_or_default().into_iter();
    Ok(Row {
        at_ns: at_ns as i128,
        input_tokens: length(request.input_length, "input_length")?,
        output_tokens: length(request.output_length, "output_length")?,
        blocks: blocks
            .map(|id| whole(id).ok_or_else(|| format!("`hash_ids` has {id}, which is no id")))
            .collect::<Result<_, _>>()?,
    })
}

/// A whole number, also one that was written with a fraction of zero.
fn whole(value: f64) -> Option<u64> {
    // Above this, neighbours are more than one apart.
    const MOST: f64 = 9_007_199_254_740_992.0;
    ((0.0..=MOST).contains(&value) && value.fract() == 0.0).then_some(value as u64)
}
