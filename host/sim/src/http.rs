//! Just enough HTTP/1.1 for a server that must decide itself when each byte leaves: bounded requests in, small answers out.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use crate::stamp::now_ns;

/// Most bytes of a request's head.
const MAX_HEAD: usize = 32 << 10;
/// Most headers of a request.
const MAX_HEADERS: usize = 64;
/// Longest wait for more bytes, of a request or between two.
const IDLE: Duration = Duration::from_secs(120);
/// Longest wait for a client to take an answer.
const WRITE: Duration = Duration::from_secs(30);
/// Longest patience with a client whose request was refused.
const DRAIN: Duration = Duration::from_secs(2);

/// A request, read to its end.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub method: String,
    /// Path without the query.
    pub path: String,
    pub authorization: Option<String>,
    /// Whether the client wants the connection closed afterwards.
    pub close: bool,
    pub body: Vec<u8>,
    /// When its last byte had been read.
    pub arrived_ns: u64,
}

/// An answer that is no generation.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub content_type: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self::text(200, "application/json", value.to_string())
    }

    pub(crate) fn text(status: u16, content_type: &str, body: String) -> Self {
        Self { status, content_type: content_type.to_owned(), headers: Vec::new(), body }
    }
}

/// A request that is refused.
#[derive(Debug)]
pub(crate) struct Problem {
    status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    message: String,
}

impl Problem {
    pub(crate) fn new(status: u16, kind: &'static str, code: Option<&'static str>, message: String) -> Self {
        Self { status, kind, code, message }
    }

    pub(crate) fn bad_request(message: &str) -> Self {
        Self::new(400, "BadRequestError", None, message.to_owned())
    }

    pub(crate) fn malformed(error: &serde_json::Error) -> Self {
        Self::bad_request(&format!("the body cannot be read: {error}"))
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let body = error_body(problem.status, problem.kind, problem.code, &problem.message);
        Self::text(problem.status, "application/json", body)
    }
}

/// An error in the OpenAI shape; `code` is the status where the error has no name of its own.
pub(crate) fn error_body(status: u16, kind: &str, code: Option<&str>, message: &str) -> String {
    let code = code.map_or_else(|| json!(status), |name| json!(name));
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}}).to_string()
}

/// A connection with the bytes that were read past the last request.
pub(crate) struct Connection {
    read: OwnedReadHalf,
    /// What the pacer writes to as well, though never at the same time.
    pub write: Arc<OwnedWriteHalf>,
    buffer: Vec<u8>,
}

struct Parsed {
    request: Incoming,
    head: usize,
    length: usize,
    expects_continue: bool,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        let (read, write) = stream.into_split();
        Self { read, write: Arc::new(write), buffer: Vec::new() }
    }

    /// The next request, or none when the client is done. After a problem the connection is of no more use.
    pub(crate) async fn request(&mut self, max_body: usize) -> Result<Option<Incoming>, Problem> {
        let mut parsed = loop {
            if let Some(parsed) = parse(&self.buffer)? {
                break parsed;
            }
            if self.buffer.len() >= MAX_HEAD {
                return Err(Problem::new(431, "BadRequestError", None, "the request's head is too large".to_owned()));
            }
            if !self.more().await {
                return Ok(None);
            }
        };
        if parsed.length > max_body {
            return Err(Problem::new(
                413,
                "BadRequestError",
                None,
                format!("the body is larger than {max_body} bytes"),
            ));
        }
        if parsed.expects_continue && !self.send(b"HTTP/1.1 100 Continue\r\n\r\n").await {
            return Ok(None);
        }
        let end = parsed.head + parsed.length;
        while self.buffer.len() < end {
            if !self.more().await {
                return Ok(None);
            }
        }
        parsed.request.arrived_ns = now_ns();
        let rest = self.buffer.split_off(end);
        parsed.request.body = std::mem::replace(&mut self.buffer, rest).split_off(parsed.head);
        Ok(Some(parsed.request))
    }

    /// Returns when the client has closed the connection or sent more than it may before it got its answer.
    pub(crate) async fn gone(&mut self) {
        while self.buffer.len() < MAX_HEAD {
            if !matches!(self.read.read_buf(&mut self.buffer).await, Ok(1..)) {
                return;
            }
        }
    }

    /// Lets the client finish a request that was refused half-read: closing with unread bytes would reset the connection
    /// and take the refusal with it.
    pub(crate) async fn drain(self) {
        let Self { mut read, write, .. } = self;
        // Ends this side.
        drop(write);
        let discard = async {
            let mut bin = [0; 16 << 10];
            while matches!(read.read(&mut bin).await, Ok(1..)) {}
        };
        // However it ends, the connection is closed next.
        let _ = timeout(DRAIN, discard).await;
    }

    /// Whether an answer could be written whole.
    pub(crate) async fn answer(&mut self, answer: &Answer, close: bool) -> bool {
        let mut text = head(answer.status, &answer.content_type, close);
        for (name, value) in &answer.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        let _ = write!(text, "content-length: {}\r\n\r\n{}", answer.body.len(), answer.body);
        self.send(text.as_bytes()).await
    }

    async fn send(&mut self, bytes: &[u8]) -> bool {
        matches!(timeout(WRITE, write_all(&self.write, bytes)).await, Ok(Ok(())))
    }

    async fn more(&mut self) -> bool {
        let read: Result<io::Result<usize>, _> = timeout(IDLE, self.read.read_buf(&mut self.buffer)).await;
        matches!(read, Ok(Ok(1..)))
    }
}

async fn write_all(socket: &OwnedWriteHalf, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        socket.writable().await?;
        match socket.try_write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Status line and the headers that every answer has, without the empty line.
pub(crate) fn head(status: u16, content_type: &str, close: bool) -> String {
    let connection = if close { "close" } else { "keep-alive" };
    format!(
        "HTTP/1.1 {status} {}\r\nserver: bench-sim/{}\r\nconnection: {connection}\r\ncontent-type: {content_type}\r\n",
        reason(status),
        env!("CARGO_PKG_VERSION"),
    )
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        411 => "Length Required",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

fn parse(buffer: &[u8]) -> Result<Option<Parsed>, Problem> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let head = match request.parse(buffer) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(Problem::bad_request(&format!("this is not HTTP: {error}"))),
    };
    let header = |wanted: &str| {
        let mut found = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(wanted));
        let value = found.next().map(|header| String::from_utf8_lossy(header.value).trim().to_owned());
        (value, found.next().is_some())
    };
    if header("transfer-encoding").0.is_some() {
        return Err(Problem::new(411, "BadRequestError", None, "the body needs a content-length".to_owned()));
    }
    let length = match header("content-length") {
        (None, _) => 0,
        (Some(value), false) if value.bytes().all(|byte| byte.is_ascii_digit()) => {
            value.parse().map_err(|_| Problem::bad_request("the content-length is no number"))?
        }
        _ => return Err(Problem::bad_request("the content-length is no number")),
    };
    let target = request.path.unwrap_or_default();
    let wants = |name: &str, word: &str| header(name).0.is_some_and(|value| value.eq_ignore_ascii_case(word));
    let incoming = Incoming {
        method: request.method.unwrap_or_default().to_owned(),
        path: target.split('?').next().unwrap_or_default().to_owned(),
        authorization: header("authorization").0,
        close: wants("connection", "close") || request.version == Some(0),
        body: Vec::new(),
        arrived_ns: 0,
    };
    Ok(Some(Parsed { request: incoming, head, length, expects_continue: wants("expect", "100-continue") }))
}
