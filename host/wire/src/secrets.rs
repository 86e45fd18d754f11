//! Keys that a request may name and that nobody may see.
//!
//! A server may repeat a key that it was sent: as it is, in another encoding, a part of it, or in pieces over a stream. Twelve
//! characters of a key in a row are looked for in all of these and taken out of whatever is kept.

mod patterns;
mod scan;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::{Endpoint, WireError};
use patterns::{LEAK, Patterns};

/// What stands where a secret was.
pub(crate) const REDACTED: &str = "[redacted]";

/// Secrets by name, bound to one endpoint: they are sent to its host and port and to no other.
#[derive(Clone)]
pub struct Secrets {
    endpoint: Endpoint,
    values: BTreeMap<String, String>,
    /// What finds the values in texts; `None` without any.
    patterns: Option<Arc<Patterns>>,
    /// The same for the values that are long enough to leak.
    long: Option<Arc<Patterns>>,
}

impl Secrets {
    /// No secrets yet, for `endpoint`.
    #[must_use]
    pub const fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, values: BTreeMap::new(), patterns: None, long: None }
    }

    /// Adds a secret. White space around the value, such as the line end of a file, is dropped.
    ///
    /// # Errors
    /// [`WireError::BadRequest`] when the value is empty or cannot stand in a header.
    pub fn insert(&mut self, name: impl Into<String>, value: &str) -> Result<(), WireError> {
        let name = name.into();
        let value = value.trim();
        if value.is_empty() || value.chars().any(|c| c.is_control() || !c.is_ascii()) {
            let what = if value.is_empty() { "is empty" } else { "holds characters that cannot stand in a header" };
            return Err(WireError::BadRequest { reason: format!("the secret {name:?} {what}") });
        }
        self.values.insert(name, value.to_owned());
        let values = || self.values.values().map(String::as_str);
        self.patterns = Patterns::new(values()).map(Arc::new);
        self.long = if values().all(|value| value.len() >= LEAK) {
            self.patterns.clone()
        } else {
            Patterns::new(values().filter(|value| value.len() >= LEAK)).map(Arc::new)
        };
        Ok(())
    }

    /// The names of the secrets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// `bytes` of an answer's body in which whatever belongs to a key is overwritten by asterisks, so that offsets stay what they
    /// were. Finds keys as [`Secrets::redact`] does, and also those that the events of a stream give away in pieces. JSON stays
    /// JSON, unless a key holds a quote or a backslash and by that looks like the JSON around it.
    #[must_use]
    pub fn mask(&self, bytes: &Bytes) -> Bytes {
        let Some(patterns) = &self.patterns else { return bytes.clone() };
        let mut masked: Option<Vec<u8>> = None;
        let mut hit = |start: usize, end: usize| {
            if let Some(place) = masked.get_or_insert_with(|| bytes.to_vec()).get_mut(start..end) {
                place.fill(b'*');
            }
        };
        scan::find(patterns, bytes, &mut hit);
        scan::find_joined(patterns, bytes, &mut hit);
        masked.map_or_else(|| bytes.clone(), Bytes::from)
    }

    /// `text` in which whatever belongs to a key is replaced by a mark: twelve or more characters of a key in a row, or the
    /// whole of a shorter key, as they are, in other letter case, in base64, as hexadecimal digits, and with characters escaped by
    /// percent signs or backslashes. Keys of less than twelve characters are found in their own letter case only, those of less
    /// than eight in no encoding.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.redacted(text).into_owned()
    }

    pub(crate) fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut shown = String::new();
        let mut from = 0;
        for range in self.stretches(text.as_bytes()) {
            shown.push_str(text.get(from..range.start).unwrap_or_default());
            shown.push_str(REDACTED);
            from = range.end;
        }
        if from == 0 {
            return Cow::Borrowed(text);
        }
        shown.push_str(text.get(from..).unwrap_or_default());
        Cow::Owned(shown)
    }

    /// Overwrites what belongs to a key in texts that are pieces of one text, such as tokens, and leaves their lengths alone.
    pub fn mask_pieces(&self, pieces: &mut [&mut String]) {
        if self.patterns.is_none() {
            return;
        }
        let whole: String = pieces.iter().map(|piece| piece.as_str()).collect();
        let mut from = 0;
        let stretches = self.stretches(whole.as_bytes());
        let mut left = stretches.as_slice();
        for piece in pieces.iter_mut() {
            let end = from + piece.len();
            while let Some((first, rest)) = left.split_first()
                && first.end <= from
            {
                left = rest;
            }
            for stretch in left.iter().take_while(|stretch| stretch.start < end) {
                let cut = stretch.start.max(from) - from..stretch.end.min(end) - from;
                let stars = "*".repeat(cut.len());
                piece.replace_range(cut, &stars);
            }
            from = end;
        }
    }

    /// Whether `text` holds twelve characters of a key in a row, in any form that [`Secrets::redact`] finds. For a last look at
    /// what is handed out.
    #[must_use]
    pub fn leaks(&self, text: &str) -> bool {
        let mut leaks = false;
        if let Some(patterns) = &self.long {
            scan::find(patterns, text.as_bytes(), |_, _| leaks = true);
        }
        leaks
    }

    /// What belongs to a key, in order and apart from each other.
    fn stretches(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let Some(patterns) = &self.patterns else { return found };
        scan::find(patterns, text, |start, end| found.push(start..end));
        found.sort_unstable_by_key(|range| (range.start, range.end));
        found.dedup_by(|next, last| {
            let touches = next.start <= last.end;
            if touches {
                last.end = last.end.max(next.end);
            }
            touches
        });
        found
    }

    pub(crate) fn is_for(&self, endpoint: &Endpoint) -> bool {
        (self.endpoint.is_tls(), self.endpoint.authority()) == (endpoint.is_tls(), endpoint.authority())
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A response's header value as it may be shown.
    pub(crate) fn header(&self, name: &str, value: &[u8]) -> String {
        const HIDDEN: [&str; 6] =
            ["set-cookie", "set-cookie2", "authorization", "proxy-authorization", "authentication-info", "x-api-key"];
        if HIDDEN.iter().any(|hidden| name.eq_ignore_ascii_case(hidden)) {
            return REDACTED.to_owned();
        }
        self.redact(&String::from_utf8_lossy(value))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("endpoint", &self.endpoint.to_string())
            .field("names", &self.values.keys().collect::<Vec<_>>())
            .finish()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        let mut secrets = Secrets::new(Endpoint::parse("https://a").unwrap());
        secrets.insert("short", "sk-1").unwrap();
        secrets.insert("long", " sk-123\n").unwrap();
        secrets
    }

    #[test]
    fn no_text_keeps_a_value() {
        let secrets = secrets();
        assert_eq!(secrets.redact("a sk-123 b sk-1 c"), "a [redacted] b [redacted] c");
        assert_eq!(secrets.redact("nothing"), "nothing");
        assert!(!format!("{secrets:?}").contains("sk-1"));
        assert!(format!("{secrets:?}").contains("short"));
    }

    #[test]
    fn headers_hide_credentials_and_echoes() {
        let secrets = secrets();
        assert_eq!(secrets.header("Set-Cookie", b"id=1"), "[redacted]");
        assert_eq!(secrets.header("x-echo", b"Bearer sk-123"), "Bearer [redacted]");
        assert_eq!(secrets.header("x-raw", b"\xff"), "\u{fffd}");
    }

    #[test]
    fn useless_values_are_refused_without_showing_them() {
        let mut secrets = secrets();
        for value in ["", "  ", "a\r\nb", "sch\u{f6}n"] {
            let error = secrets.insert("key", value).unwrap_err();
            assert_eq!(error.code(), "bad-request");
            assert!(value.trim().is_empty() || !error.to_string().contains(value));
        }
    }

    #[test]
    fn bound_to_scheme_host_and_port() {
        let secrets = secrets();
        let for_endpoint = |text| secrets.is_for(&Endpoint::parse(text).unwrap());
        assert!(for_endpoint("https://a/v1"));
        assert!(!for_endpoint("http://a:443"));
        assert!(!for_endpoint("https://b"));
        assert!(!for_endpoint("https://a:444"));
    }
}
