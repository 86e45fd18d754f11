//! Where an engine is.

use std::fmt;
use std::sync::Arc;

use url::{Host, Url};

use crate::WireError;

/// Address of an engine: scheme, host, port and base path. It never holds credentials. Every request has one, so clones share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint(Arc<Place>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Place {
    tls: bool,
    host: Host<String>,
    port: u16,
    /// Empty, or begins with `/` and does not end with it.
    base: String,
}

impl Endpoint {
    /// Reads an address such as `http://127.0.0.1:8081/v1`; without a scheme it is taken as `http`.
    ///
    /// # Errors
    /// [`WireError::BadEndpoint`] when it is no HTTP address, or has a user name, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let text = text.trim();
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        // The text itself is not repeated where it may hold credentials.
        let shown = if text.contains('@') { "(address with credentials)" } else { text };
        let bad = |reason: &str| WireError::BadEndpoint { endpoint: shown.to_owned(), reason: reason.to_owned() };
        let url = Url::parse(&with_scheme).map_err(|error| bad(&error.to_string()))?;
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(bad("its scheme is neither http nor https")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("it holds credentials; keys are passed by environment variable"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("it has a query or a fragment"));
        }
        let host = url.host().ok_or_else(|| bad("it has no host"))?.to_owned();
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or_else(|| bad("it has no port"))?;
        Ok(Self(Arc::new(Place { tls, host, port, base: url.path().trim_end_matches('/').to_owned() })))
    }

    /// Whether connections are encrypted.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.0.tls
    }

    /// The host as it stands in an address; IPv6 addresses are in brackets.
    #[must_use]
    pub fn host(&self) -> String {
        self.0.host.to_string()
    }

    /// TCP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Base path, empty or beginning with `/`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.0.base
    }

    /// Whether the address names this machine: `localhost` or a loopback address. A hint only: a tunnel may end there.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match &self.0.host {
            Host::Domain(name) => {
                let name = name.trim_end_matches('.');
                name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
            }
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback()),
        }
    }

    /// Host and port, as for a connection.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.0.host, self.0.port)
    }

    /// Whether `location`, the value of a `location` header, stays at this scheme, host and port. `Err` names the other
    /// place, without path and query, which may hold secrets.
    pub(crate) fn stays(&self, location: &str) -> Result<(), String> {
        let Ok(here) = Url::parse(&format!("{self}/")) else { return Ok(()) };
        let Ok(there) = here.join(location) else { return Err("an unreadable address".to_owned()) };
        if here.origin() == there.origin() { Ok(()) } else { Err(there.origin().ascii_serialization()) }
    }

    /// What the `host` header says: the port only where it is not the scheme's own.
    pub(crate) fn host_header(&self) -> String {
        let own = if self.0.tls { 443 } else { 80 };
        if self.0.port == own { self.host() } else { self.authority() }
    }

    /// The request target of `path`: base and path put together. Where the base's last segment is also the path's first
    /// (`/v1` and `/v1/models`), it counts once.
    pub(crate) fn target(&self, path: &str) -> String {
        let base = match self.0.base.rsplit_once('/') {
            Some((front, last))
                if path.strip_prefix('/').and_then(|p| p.strip_prefix(last)).is_some_and(ends_segment) =>
            {
                front
            }
            _ => &self.0.base,
        };
        format!("{base}{path}")
    }
}

fn ends_segment(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['/', '?'])
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.0.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}{}", self.0.host, self.0.port, self.0.base)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    #[test]
    fn parses_what_people_write() {
        for (text, shown, loopback) in [
            ("http://127.0.0.1:8081/v1/", "http://127.0.0.1:8081/v1", true),
            ("localhost:8000", "http://localhost:8000", true),
            ("https://api.example.com", "https://api.example.com:443", false),
            ("http://[::1]:9", "http://[::1]:9", true),
            ("[::ffff:127.0.0.1]:9", "http://[::ffff:7f00:1]:9", true),
            (" 192.168.0.7 ", "http://192.168.0.7:80", false),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(endpoint.is_loopback(), loopback, "{text}");
            assert_eq!(Endpoint::parse(&endpoint.to_string()).unwrap(), endpoint);
        }
    }

    #[test]
    fn refuses_what_it_cannot_use_and_never_shows_credentials() {
        for text in
            ["", "ftp://a", "http://", "http://a?x", "http://a#x", "http://a:99999", "http://a:0", "http://u:hunter2@a"]
        {
            let error = Endpoint::parse(text).unwrap_err();
            assert_eq!(error.code(), "bad-endpoint");
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn joins_base_and_path() {
        for (base, path, target) in [
            ("http://a", "/v1/models", "/v1/models"),
            ("http://a/v1", "/v1/models", "/v1/models"),
            ("http://a/openai/v1", "/v1/models?x=1", "/openai/v1/models?x=1"),
            ("http://a/openai/v1", "/models", "/openai/v1/models"),
            ("http://a/v1", "/v1beta", "/v1/v1beta"),
        ] {
            assert_eq!(Endpoint::parse(base).unwrap().target(path), target);
        }
    }

    #[test]
    fn tells_another_host_from_this_one() {
        let endpoint = Endpoint::parse("http://a:8080/v1").unwrap();
        assert_eq!(endpoint.stays("/login"), Ok(()));
        assert_eq!(endpoint.stays("http://a:8080/x?token=1"), Ok(()));
        assert_eq!(endpoint.stays("http://b/x?token=1"), Err("http://b".to_owned()));
        assert_eq!(endpoint.stays("//b/x"), Err("http://b".to_owned()));
        assert_eq!(endpoint.stays("https://a:8080/"), Err("https://a:8080".to_owned()));
        assert!(endpoint.stays("http://a:b:c").is_err());
    }
}
