//! Keys that a request may name and that nobody may see.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;

use crate::{Endpoint, WireError};

/// What stands where a secret was.
pub(crate) const REDACTED: &str = "[redacted]";

/// Secrets by name, bound to one endpoint: they are sent to its host and port and to no other.
#[derive(Clone)]
pub struct Secrets {
    endpoint: Endpoint,
    values: BTreeMap<String, String>,
}

impl Secrets {
    /// No secrets yet, for `endpoint`.
    #[must_use]
    pub const fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, values: BTreeMap::new() }
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
        Ok(())
    }

    /// The names of the secrets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// `bytes` with every secret's value overwritten by asterisks, so that offsets stay what they were. For raw bodies that
    /// are kept: a server may repeat the key that it was sent.
    #[must_use]
    pub fn mask(&self, bytes: &Bytes) -> Bytes {
        let mut masked: Option<Vec<u8>> = None;
        for value in self.values.values().map(String::as_bytes) {
            for at in positions(bytes, value) {
                if let Some(place) = masked.get_or_insert_with(|| bytes.to_vec()).get_mut(at..at + value.len()) {
                    place.fill(b'*');
                }
            }
        }
        masked.map_or_else(|| bytes.clone(), Bytes::from)
    }

    /// `text` with every secret's value replaced by a mark.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.redacted(text).into_owned()
    }

    pub(crate) fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        // The longest first, so that a secret that contains another leaves nothing behind.
        let mut values: Vec<&String> = self.values.values().filter(|value| text.contains(value.as_str())).collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        for value in values {
            text = Cow::Owned(text.replace(value.as_str(), REDACTED));
        }
        text
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

/// Where `needle`, which is not empty, stands in `hay`.
fn positions<'a>(hay: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    hay.windows(needle.len().max(1)).enumerate().filter(move |(_, window)| *window == needle).map(|(at, _)| at)
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
