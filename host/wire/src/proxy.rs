//! HTTP proxies that measured requests go through, where the user asks for it.

use std::fmt;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::WireError;

/// The longest answer to `CONNECT` that is read, in bytes.
const LONGEST_ANSWER: usize = 16 << 10;

/// An HTTP proxy that opens a tunnel with `CONNECT`, for encrypted and for plain endpoints alike: what goes through it is
/// stamped and framed as without a proxy, and its round trip is part of every measured time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    host: String,
    port: u16,
}

impl Proxy {
    /// Reads an address such as `http://proxy.example.com:3128`; without a scheme it is taken as `http`.
    ///
    /// # Errors
    /// [`WireError::BadProxy`] when it is no address of an HTTP proxy, or holds credentials.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let text = text.trim();
        let shown = if text.contains('@') { "(address with credentials)" } else { text };
        let bad = |reason: &str| WireError::BadProxy { proxy: shown.to_owned(), reason: reason.to_owned() };
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&with_scheme).map_err(|error| bad(&error.to_string()))?;
        if url.scheme() != "http" {
            return Err(bad("measured requests go through http proxies alone"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("it holds credentials, which would be in the command line and in the record"));
        }
        let host = url.host_str().ok_or_else(|| bad("it has no host"))?.to_owned();
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or_else(|| bad("it has no port"))?;
        Ok(Self { host, port })
    }

    /// Host and port for the resolver.
    pub(crate) fn lookup(&self) -> (String, u16) {
        (self.host.trim_matches(['[', ']']).to_owned(), self.port)
    }

    /// Opens a tunnel to `authority` over a connection to this proxy.
    ///
    /// # Errors
    /// What the proxy said instead, in words.
    pub(crate) async fn open_tunnel(&self, tcp: &mut TcpStream, authority: &str) -> Result<(), String> {
        let request = format!("CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\n\r\n");
        tcp.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
        let mut answer = Vec::new();
        // Byte by byte: what follows the head belongs to the tunnel, and the head has some hundred bytes.
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= LONGEST_ANSWER {
                return Err("its answer is no HTTP".to_owned());
            }
            answer.push(tcp.read_u8().await.map_err(|_| "it closed the connection".to_owned())?);
        }
        let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let status = line.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
        match status {
            Some(200..300) => Ok(()),
            _ => Err(format!("it answered `{}`", bench_text::clean_name(&line))),
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::Proxy;

    #[test]
    fn addresses_are_read_and_credentials_refused() {
        assert_eq!(Proxy::parse("proxy:3128").unwrap().to_string(), "http://proxy:3128");
        assert_eq!(Proxy::parse("http://[::1]:8080").unwrap().lookup(), ("::1".to_owned(), 8080));
        for text in ["", "socks5://a:1", "https://a", "http://u:hunter2@a:1"] {
            let error = Proxy::parse(text).unwrap_err();
            assert_eq!(error.code(), "bad-proxy");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
