//! Requests before they are sent: everything that can be refused is refused here, before a send time exists.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use crate::{Endpoint, Secrets, WireError};

/// A request as a driver wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Method, such as `POST`.
    pub method: String,
    /// Path and query below the endpoint's base path, beginning with `/`.
    pub path: String,
    /// Header fields. The host sets `host`, `content-length`, `connection`, `accept-encoding` and the like itself.
    pub headers: Vec<Header>,
    /// Body, possibly empty.
    pub body: Bytes,
}

impl Request {
    /// A GET without headers.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: "GET".to_owned(), path: path.into(), headers: Vec::new(), body: Bytes::new() }
    }
}

/// A header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Name, in any case.
    pub name: String,
    /// The value's pieces, put together without anything between them.
    pub value: Vec<Part>,
}

impl Header {
    /// A header without secrets.
    #[must_use]
    pub fn text(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: vec![Part::Text(value.into())] }
    }
}

/// A piece of a header value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Literal text.
    Text(String),
    /// The value of the secret of this name.
    Secret(String),
}

/// A request that is ready to be sent to one endpoint. Its header values may hold secrets; `Debug` shows none.
#[derive(Clone)]
pub struct Prepared {
    pub(crate) method: Method,
    pub(crate) target: Uri,
    pub(crate) headers: Arc<HeaderMap>,
    /// Head and body as they go over the wire.
    pub(crate) bytes: Bytes,
    /// Where the body begins in `bytes`.
    body: usize,
    /// An answer to it has no body.
    pub(crate) bodiless: bool,
    pub(crate) endpoint: Endpoint,
}

impl Prepared {
    /// Bytes of the body.
    #[must_use]
    pub fn body(&self) -> Bytes {
        self.bytes.slice(self.body..)
    }

    /// Path and query as they will be sent.
    #[must_use]
    pub fn target(&self) -> String {
        self.target.to_string()
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("method", &self.method)
            .field("endpoint", &self.endpoint.to_string())
            .field("target", &self.target)
            .field("headers", &self.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>())
            .field("body", &format_args!("{} bytes", self.bytes.len() - self.body))
            .finish()
    }
}

/// Header fields that the host sets, or that would change the framing or the route of a request.
const RESERVED: [&str; 13] = [
    "host",
    "content-length",
    "connection",
    "accept-encoding",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "http2-settings",
];

/// Checks a request and puts the secrets in.
pub(crate) fn prepare(endpoint: &Endpoint, secrets: &Secrets, request: Request) -> Result<Prepared, WireError> {
    let method = method(&request.method)?;
    let target = target(endpoint, &request.path)?;
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 3);
    headers.insert(HOST, value(&endpoint.host_header(), "host")?);
    for header in &request.headers {
        let name = HeaderName::from_bytes(header.name.as_bytes())
            .map_err(|_| bad(format!("{:?} is no header name", shorten(&header.name))))?;
        if RESERVED.contains(&name.as_str()) {
            return Err(bad(format!("the header {name} is the host's own to set")));
        }
        let value = header_value(secrets, &name, &header.value)?;
        headers.append(name, value);
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    // GET and HEAD without a body need no length; anything else says 0.
    if !request.body.is_empty() || !(method == Method::GET || method == Method::HEAD) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(request.body.len()));
    }
    let mut bytes = head(&method, &target, &headers);
    let body = bytes.len();
    bytes.extend_from_slice(&request.body);
    Ok(Prepared {
        bodiless: method == Method::HEAD,
        method,
        target,
        headers: Arc::new(headers),
        bytes: bytes.into(),
        body,
        endpoint: endpoint.clone(),
    })
}

/// The request line and the header fields (RFC 9112 section 3). Nothing in them can end a line: their types see to that.
fn head(method: &Method, target: &Uri, headers: &HeaderMap) -> Vec<u8> {
    let target = target.path_and_query().map_or("/", |target| target.as_str());
    let mut bytes = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn method(text: &str) -> Result<Method, WireError> {
    let method = Method::from_bytes(text.as_bytes()).map_err(|_| bad(format!("{:?} is no method", shorten(text))))?;
    if method == Method::CONNECT || method == Method::TRACE {
        return Err(bad(format!("the method {method} is not allowed")));
    }
    Ok(method)
}

fn target(endpoint: &Endpoint, path: &str) -> Result<Uri, WireError> {
    // A second slash would make it an address of another host to some servers.
    if !path.starts_with('/') || path.starts_with("//") {
        return Err(bad(format!("the path {:?} does not begin with a single /", shorten(path))));
    }
    if path.contains('#') || path.bytes().any(|b| b <= b' ' || b == 0x7f || b == b'\\') {
        return Err(bad(format!("the path {:?} holds a character that has no place there", shorten(path))));
    }
    let route = path.split('?').next().unwrap_or_default();
    if route.split('/').any(|segment| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")) {
        return Err(bad(format!("the path {:?} leaves the endpoint's base path", shorten(path))));
    }
    endpoint.target(path).parse().map_err(|_| bad(format!("the path {:?} is not valid", shorten(path))))
}

fn header_value(secrets: &Secrets, name: &HeaderName, parts: &[Part]) -> Result<HeaderValue, WireError> {
    let mut text = String::new();
    let mut sensitive = false;
    for part in parts {
        match part {
            Part::Text(piece) => text.push_str(piece),
            Part::Secret(secret) => {
                sensitive = true;
                let found = secrets.value(secret);
                text.push_str(found.ok_or_else(|| WireError::MissingSecret { name: shorten(secret) })?);
            }
        }
    }
    let mut value = value(&text, name.as_str())?;
    value.set_sensitive(sensitive);
    Ok(value)
}

/// The error names the header only: the value may hold a secret.
fn value(text: &str, name: &str) -> Result<HeaderValue, WireError> {
    HeaderValue::from_str(text)
        .map_err(|_| bad(format!("the value of the header {name} holds characters that cannot stand in a header")))
}

fn bad(reason: String) -> WireError {
    WireError::BadRequest { reason }
}

/// Keeps hostile text from flooding a message.
fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    fn try_prepare(request: Request) -> Result<Prepared, WireError> {
        let endpoint = Endpoint::parse("https://api.example.com/v1").unwrap();
        let mut secrets = Secrets::new(endpoint.clone());
        secrets.insert("api-key", "sk-hunter2").unwrap();
        prepare(&endpoint, &secrets, request)
    }

    fn with_header(name: &str, value: Part) -> Request {
        Request { headers: vec![Header { name: name.to_owned(), value: vec![value] }], ..Request::get("/models") }
    }

    #[test]
    fn sets_what_the_host_owns() {
        let prepared = try_prepare(Request {
            method: "POST".to_owned(),
            headers: vec![Header::text("X-A", "1"), Header::text("x-a", "2")],
            body: Bytes::from_static(b"{}"),
            ..Request::get("/chat")
        })
        .unwrap();
        assert_eq!(prepared.target(), "/v1/chat");
        assert_eq!(prepared.headers[HOST], "api.example.com");
        assert_eq!(prepared.headers[CONTENT_LENGTH], "2");
        assert_eq!(prepared.headers[ACCEPT_ENCODING], "identity");
        assert_eq!(prepared.headers.get_all("x-a").iter().count(), 2);
    }

    #[test]
    fn secrets_are_put_in_and_never_shown() {
        let header = Header {
            name: "authorization".to_owned(),
            value: vec![Part::Text("Bearer ".to_owned()), Part::Secret("api-key".to_owned())],
        };
        let prepared = try_prepare(Request { headers: vec![header], ..Request::get("/models") }).unwrap();
        assert_eq!(prepared.headers["authorization"], "Bearer sk-hunter2");
        assert!(!format!("{prepared:?} {:?}", prepared.headers).contains("hunter2"));
        let error = try_prepare(with_header("authorization", Part::Secret("other".to_owned()))).unwrap_err();
        assert_eq!(error, WireError::MissingSecret { name: "other".to_owned() });
    }

    #[test]
    fn a_value_that_breaks_out_is_refused_without_showing_it() {
        let value = vec![Part::Secret("api-key".to_owned()), Part::Text("\r\nx: y".to_owned())];
        let request =
            Request { headers: vec![Header { name: "authorization".to_owned(), value }], ..Request::get("/models") };
        let error = try_prepare(request).unwrap_err();
        assert_eq!(error.code(), "bad-request");
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn reserved_headers_are_refused_in_any_case() {
        for name in [
            "Host",
            "CONTENT-LENGTH",
            "connection",
            "Accept-Encoding",
            "transfer-encoding",
            "Expect",
            "a b",
            "",
            "x\r\ny",
        ] {
            assert_eq!(
                try_prepare(with_header(name, Part::Text("x".to_owned()))).unwrap_err().code(),
                "bad-request",
                "{name}"
            );
        }
    }

    #[test]
    fn targets_stay_at_the_endpoint() {
        for path in
            ["", "models", "http://evil/", "//evil/x", "/a b", "/a\r\nb", "/a#b", "/../x", "/a/%2E%2e/b", "/a\\b", "*"]
        {
            assert_eq!(try_prepare(Request::get(path)).unwrap_err().code(), "bad-request", "{path}");
        }
        for method in ["", "GET /", "CONNECT", "TRACE", "P\u{e4}ST"] {
            let request = Request { method: method.to_owned(), ..Request::get("/x") };
            assert_eq!(try_prepare(request).unwrap_err().code(), "bad-request", "{method}");
        }
        assert_eq!(try_prepare(Request::get("/a..b?x=../y")).unwrap().target(), "/v1/a..b?x=../y");
    }
}
