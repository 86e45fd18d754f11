//! A line of a Mooncake trace.

use serde::Deserialize;

use super::Row;

/// Tokens of a block in the published traces.
pub(super) const BLOCK_TOKENS: u32 = 512;

const NANOS_PER_MILLI: f64 = 1e6;

#[derive(Debug, Deserialize)]
struct Request {
    /// Milliseconds, whole in the published traces, with a fraction in others.
    timestamp: f64,
    input_length: u64,
    output_length: u64,
    #[serde(default)]
    hash_ids: Vec<u64>,
}

pub(super) fn row(text: &str) -> Result<Row, String> {
    let request: Request = serde_json::from_str(text).map_err(|error| format!("it is no request: {error}"))?;
    // A year is longer than any trace, and keeps nanoseconds exact.
    let sane = (0.0..=366.0 * 86_400_000.0).contains(&request.timestamp);
    if !sane {
        return Err(format!("the timestamp {} ms is not within a year of 0", request.timestamp));
    }
    Ok(Row {
        at_ns: (request.timestamp * NANOS_PER_MILLI) as i128,
        input_tokens: request.input_length,
        output_tokens: request.output_length,
        blocks: request.hash_ids,
    })
}
