//! Addresses that a server names: where tokens are given out, where bytes lie, where to upload to. None of them is gone to before it is
//! looked at, and nothing secret goes with it but to the one that gives tokens out.

use std::net::IpAddr;

use bench_wire::{Endpoint, Header, Request};
use url::Url;

/// A place that a server named.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Scheme, host and port.
    pub endpoint: Endpoint,
    /// Path and query.
    pub target: String,
}

impl Place {
    /// Reads an address, relative to `base`. `None` when it is empty, no address of HTTP, or one with a user name.
    pub(crate) fn read(base: &Endpoint, path: &str, address: &str) -> Option<Self> {
        let base = Url::parse(&format!("{}{path}", root(base))).ok()?;
        let url = base.join(address).ok()?;
        if address.is_empty()
            || !matches!(url.scheme(), "http" | "https")
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return None;
        }
        let endpoint = Endpoint::parse(&url.origin().ascii_serialization()).ok()?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Some(Self { endpoint, target: format!("{}{query}", url.path()) })
    }

    /// The same with more of a query, encoded.
    pub(crate) fn with(mut self, pairs: &[(&str, &str)]) -> Self {
        for (name, value) in pairs {
            self.target.push(if self.target.contains('?') { '&' } else { '?' });
            self.target.push_str(name);
            self.target.push('=');
            self.target.extend(url::form_urlencoded::byte_serialize(value.as_bytes()));
        }
        self
    }

    /// Is it at this scheme, host and port?
    pub(crate) fn is_at(&self, endpoint: &Endpoint) -> bool {
        (self.endpoint.is_tls(), self.endpoint.authority()) == (endpoint.is_tls(), endpoint.authority())
    }

    /// May a server at `from` send this client there?
    pub(crate) fn may_follow(&self, from: &Endpoint) -> Result<(), &'static str> {
        let here = self.endpoint.is_loopback() && from.is_loopback();
        if !self.endpoint.is_tls() && !here {
            Err("which is not encrypted")
        } else if is_inward(&self.endpoint) && !is_inward(from) {
            Err("which is a place in this machine's own network")
        } else {
            Ok(())
        }
    }

    /// Scheme, host and port, for messages.
    pub(crate) fn shown(&self) -> String {
        root(&self.endpoint)
    }

    /// The host, with its port where that is not the one of https.
    pub(crate) fn host(&self) -> String {
        match self.endpoint.is_tls() && self.endpoint.port() == 443 {
            true => self.endpoint.host().to_owned(),
            false => self.endpoint.authority().to_owned(),
        }
    }

    pub(crate) fn get(&self) -> Request {
        Request { headers: vec![agent()], ..Request::get(self.target.clone()) }
    }
}

/// Who asks. Some registries turn away those who do not say.
pub(crate) fn agent() -> Header {
    Header::text("user-agent", concat!("bench/", env!("CARGO_PKG_VERSION")))
}

fn root(endpoint: &Endpoint) -> String {
    format!("{}://{}", if endpoint.is_tls() { "https" } else { "http" }, endpoint.authority())
}

/// Does the address name this machine, or a network that others do not reach? Names that resolve to such are not recognised.
fn is_inward(endpoint: &Endpoint) -> bool {
    let host = endpoint.host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok().map(|it| it.to_canonical());
    endpoint.is_loopback()
        || address.is_some_and(|address| match address {
            IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_unspecified(),
            IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified(),
        })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    fn from(registry: &str, address: &str) -> Option<(String, Result<(), &'static str>)> {
        let registry = Endpoint::parse(registry).unwrap();
        let place = Place::read(&registry, "/v2/a/blobs/uploads/", address)?;
        let may = place.may_follow(&registry);
        Some((format!("{}{}", place.shown(), place.target), may))
    }

    #[test]
    fn addresses_are_read_from_where_they_stand() {
        for (address, place) in [
            ("/v2/x?_state=a%3D", "https://h.io:443/v2/x?_state=a%3D"),
            ("x", "https://h.io:443/v2/a/blobs/uploads/x"),
            ("https://cdn.io/b?s=1", "https://cdn.io:443/b?s=1"),
            ("//cdn.io/b", "https://cdn.io:443/b"),
        ] {
            assert_eq!(from("https://h.io", address), Some((place.to_owned(), Ok(()))));
        }
        for address in ["", "ftp://h.io/", "https://u:p@h.io/", "data:,x", "https://h.io:0/"] {
            assert_eq!(from("https://h.io", address), None, "{address}");
        }
        let place = Place::read(&Endpoint::parse("https://h.io").unwrap(), "/", "/t?a=1").unwrap();
        assert_eq!(place.with(&[("scope", "r:a/b:pull"), ("x", "y")]).target, "/t?a=1&scope=r%3Aa%2Fb%3Apull&x=y");
    }

    #[test]
    fn servers_send_nobody_into_their_own_network_or_out_of_encryption() {
        for (registry, address, may) in [
            ("https://h.io", "http://h.io/x", false),
            ("https://h.io", "https://127.0.0.1/x", false),
            ("https://h.io", "https://localhost/x", false),
            ("https://h.io", "https://10.0.0.1/x", false),
            ("https://h.io", "https://169.254.169.254/x", false),
            ("https://h.io", "https://[::ffff:10.0.0.1]/x", false),
            ("https://h.io", "https://[fd00::1]/x", false),
            ("https://10.0.0.1", "https://10.0.0.2/x", true),
            ("http://127.0.0.1:5000", "http://127.0.0.1:6000/x", true),
            ("http://127.0.0.1:5000", "http://h.io/x", false),
            ("http://127.0.0.1:5000", "https://h.io/x", true),
        ] {
            assert_eq!(from(registry, address).unwrap().1.is_ok(), may, "{registry} to {address}");
        }
    }
}
