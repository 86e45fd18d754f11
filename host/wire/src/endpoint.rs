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
    /// What was pasted after the base, where it tells that paths have no version: `/chat/completions` of `/chat/completions`.
    pasted: &'static str,
    /// Parameters that every request has, such as `api-version=2024-10-21`.
    query: Option<String>,
}

/// Ends of addresses that people paste whole.
const PASTED: [&str; 8] = [
    "/chat/completions",
    "/completions",
    "/embeddings",
    "/responses",
    "/messages",
    "/api/chat",
    "/api/generate",
    "/api/tags",
];

/// Parts of names of parameters that hold a key.
const KEYS: [&str; 7] = ["key", "token", "secret", "password", "signature", "auth", "sig"];

/// Whether a segment of a path is the version of an interface: `v1`, `v4`, `v1beta`.
fn is_version(segment: &str) -> bool {
    let rest = segment.strip_prefix('v').unwrap_or_default();
    rest.starts_with(|c: char| c.is_ascii_digit()) && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
}

impl Endpoint {
    /// Reads an address such as `http://127.0.0.1:8081/v1`; without a scheme it is taken as `http`. Of the address of one
    /// function, such as `…/v1/chat/completions`, the base is taken. A query goes with every request.
    ///
    /// # Errors
    /// [`WireError::BadEndpoint`] when it is no HTTP address, or has a user name, a fragment, or a key in its query.
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
        if url.fragment().is_some() {
            return Err(bad("it has a fragment"));
        }
        let holds_key = |name: &str| KEYS.iter().any(|part| name.to_ascii_lowercase().contains(part));
        if url.query_pairs().any(|(name, _)| holds_key(&name)) {
            let refused = bad("its query holds a key; keys are passed by environment variable");
            let without = text.split('?').next().unwrap_or_default().to_owned();
            return Err(match refused {
                WireError::BadEndpoint { reason, .. } => WireError::BadEndpoint { endpoint: without, reason },
                other => other,
            });
        }
        let host = url.host().ok_or_else(|| bad("it has no host"))?.to_owned();
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or_else(|| bad("it has no port"))?;
        let path = url.path().trim_end_matches('/');
        let end = PASTED.iter().find(|end| path.ends_with(*end));
        let base = end.and_then(|end| path.strip_suffix(end)).unwrap_or(path);
        // `/v1/models` is a list of models, and `/models` can be a base.
        let base = base.strip_suffix("/models").filter(|base| is_versioned(base)).unwrap_or(base);
        let is_bare = end.is_some_and(|end| !end.starts_with("/api/")) && !is_versioned(base);
        let pasted = end.filter(|_| is_bare).copied().unwrap_or_default();
        let query = url.query().filter(|query| !query.is_empty()).map(str::to_owned);
        Ok(Self(Arc::new(Place { tls, host, port, base: base.to_owned(), pasted, query })))
    }

    /// The address without `/v1` at its end: drivers name it in their paths, and have paths without it.
    #[must_use]
    pub fn root(&self) -> Self {
        let Some(base) = self.0.base.strip_suffix("/v1") else { return self.clone() };
        let Place { tls, port, pasted, .. } = *self.0;
        let (host, query) = (self.0.host.clone(), self.0.query.clone());
        Self(Arc::new(Place { tls, host, port, base: base.to_owned(), pasted, query }))
    }

    /// Whether the base is that of an interface whose paths have no `/v1` of their own: it names a version or a deployment, or
    /// the user pasted the address of a function.
    fn has_version(&self) -> bool {
        is_versioned(&self.0.base) || !self.0.pasted.is_empty() || (self.0.query.is_some() && !self.0.base.is_empty())
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

    /// The request target of `path`: base, path and query put together. A base with a version of its own takes the place of the
    /// path's `/v1`. Where the base's last segment is also the path's first (`/openai` and `/openai/models`), it counts once.
    pub(crate) fn target(&self, path: &str) -> String {
        let rest = path.strip_prefix("/v1").filter(|rest| rest.starts_with('/'));
        let path = rest.filter(|_| self.has_version()).unwrap_or(path);
        let base = match self.0.base.rsplit_once('/') {
            Some((front, last))
                if path.strip_prefix('/').and_then(|p| p.strip_prefix(last)).is_some_and(ends_segment) =>
            {
                front
            }
            _ => &self.0.base,
        };
        match &self.0.query {
            None => format!("{base}{path}"),
            Some(query) => format!("{base}{path}{}{query}", if path.contains('?') { '&' } else { '?' }),
        }
    }
}

/// Whether a segment of the base is a version or holds deployments, which have the same meaning.
fn is_versioned(base: &str) -> bool {
    base.split('/').any(|segment| is_version(segment) || segment == "deployments")
}

fn ends_segment(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['/', '?'])
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.0.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}{}{}", self.0.host, self.0.port, self.0.base, self.0.pasted)?;
        self.0.query.as_ref().map_or(Ok(()), |query| write!(f, "?{query}"))
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
        for text in [
            "",
            "ftp://a",
            "http://",
            "http://a#x",
            "http://a:99999",
            "http://a:0",
            "http://u:hunter2@a",
            "http://a/v1?api_key=hunter2",
            "http://a?Subscription-Key=hunter2",
        ] {
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
            ("http://a/v4", "/v1/chat/completions", "/v4/chat/completions"),
            ("http://a/v1beta/openai/", "/v1/chat/completions", "/v1beta/openai/chat/completions"),
            ("http://a/v1beta/openai", "/v1/models", "/v1beta/openai/models"),
            ("http://a/api/paas/v4", "/v1/models", "/api/paas/v4/models"),
            ("http://a/proxy", "/v1/models", "/proxy/v1/models"),
            ("http://a/v1/chat/completions", "/v1/models", "/v1/models"),
            ("http://a/v1/models", "/v1/chat/completions", "/v1/chat/completions"),
            ("http://a/x/chat/completions", "/v1/chat/completions", "/x/chat/completions"),
            ("http://a/chat/completions", "/v1/models", "/models"),
            ("http://a/api/chat", "/api/tags", "/api/tags"),
            (
                "http://a/openai/deployments/d?api-version=2024-10-21",
                "/v1/chat/completions",
                "/openai/deployments/d/chat/completions?api-version=2024-10-21",
            ),
            (
                "http://a/openai/deployments/d/chat/completions?v=1",
                "/v1/models?x=1",
                "/openai/deployments/d/models?x=1&v=1",
            ),
            ("http://a/models?api-version=1", "/v1/chat/completions", "/models/chat/completions?api-version=1"),
            ("http://a?tenant=b", "/v1/models", "/v1/models?tenant=b"),
        ] {
            let endpoint = Endpoint::parse(base).unwrap();
            assert_eq!(endpoint.target(path), target, "{base}");
            if path.starts_with("/v1/") {
                assert_eq!(endpoint.root().target(path), target, "the root of {base}");
            }
            let again = Endpoint::parse(&endpoint.to_string()).unwrap();
            assert_eq!(again, endpoint, "what is shown can be given back");
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
