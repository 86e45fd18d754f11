//! Canonical JSON (RFC 8785) and digests over it.
//!
//! Two programs that hold the same record must arrive at the same digest, whatever order they keep fields in and however
//! they print numbers. RFC 8785 fixes both: members sorted by UTF-16 code units, numbers as ECMAScript prints them.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{RecordError, RunRecord};

/// `value` as canonical JSON.
///
/// # Errors
///
/// [`RecordError::Unwritable`] when it holds what JSON cannot, such as a number that is not finite.
pub fn canonical_json(value: &impl Serialize) -> Result<Vec<u8>, RecordError> {
    serde_json_canonicalizer::to_vec(value).map_err(|error| RecordError::Unwritable { reason: error.to_string() })
}

/// SHA-256 of `bytes` in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of the record's canonical JSON, in lower-case hexadecimal.
///
/// # Errors
///
/// As for [`canonical_json`].
pub fn record_digest(record: &RunRecord) -> Result<String, RecordError> {
    Ok(sha256_hex(&canonical_json(record)?))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}
