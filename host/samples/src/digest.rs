//! Digests over canonical JSON (RFC 8785).

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// SHA-256 of `value` as canonical JSON, in lower-case hexadecimal. What JSON cannot hold, such as a map whose keys are no texts,
/// has the digest of nothing; nothing in a sample is of that kind.
pub fn digest_of(value: &impl Serialize) -> String {
    sha256_hex(&serde_json_canonicalizer::to_vec(value).unwrap_or_default())
}

/// SHA-256 of `bytes` in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    Sha256::digest(bytes).iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}
