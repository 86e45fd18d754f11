//! A client that shows what a library would hide: every HTTP chunk, and how the connection ended.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bench_sim::{Sim, SimConfig, SimHandle};
use serde_json::{Value, json};

/// Longest wait for a byte before a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// An engine with a schedule short enough for tests.
pub fn quick() -> SimConfig {
    SimConfig {
        head: bench_sim::Head::AfterUs(200),
        ttft_us: 2_000,
        prefill_ns_per_token: 1_000,
        gap_us: 500,
        tail_us: 200,
        natural_tokens: None,
        ..SimConfig::default()
    }
}

pub fn start(config: SimConfig) -> SimHandle {
    Sim::start(config, "127.0.0.1:0".parse().unwrap()).unwrap()
}

/// A chat request of `max_tokens`, with further fields.
pub fn chat(max_tokens: u32, extra: Value) -> Value {
    let mut body = json!({
        "model": "bench-sim",
        "messages": [{"role": "user", "content": "Say something."}],
        "stream": true,
        "stream_options": {"include_usage": true},
        "max_tokens": max_tokens,
    });
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    body
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As HTTP says it should.
    Complete,
    /// The connection was closed before.
    Closed,
    /// Nothing came for as long as the client waited.
    Silent,
}

pub struct Reply {
    pub status: u16,
    pub head: String,
    /// The body's HTTP chunks, or the whole body where it has a length.
    pub chunks: Vec<Vec<u8>>,
    pub end: End,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8(self.chunks.concat()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().filter_map(|line| line.split_once(": ")).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The data of every event, `[DONE]` included.
    pub fn data(&self) -> Vec<String> {
        self.text().lines().filter_map(|line| line.strip_prefix("data: ")).map(str::to_owned).collect()
    }

    /// The JSON of every event; `[DONE]` has to be the last event and is left out.
    pub fn events(&self) -> Vec<Value> {
        let mut data = self.data();
        assert_eq!(data.pop().as_deref(), Some("[DONE]"));
        data.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Everything that came in one field of the deltas.
    pub fn said(&self, field: &str) -> String {
        self.events()
            .iter()
            .filter_map(|event| event["choices"][0]["delta"][field].as_str().map(str::to_owned))
            .collect()
    }
}

pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    /// Gives up after this long without a byte, for answers that never end.
    pub fn impatient(mut self) -> Self {
        self.stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        self.buffer.clear();
        self
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) {
        let length = body.len();
        self.send_raw(
            format!("{method} {path} HTTP/1.1\r\nhost: sim\r\n{headers}content-length: {length}\r\n\r\n{body}")
                .as_bytes(),
        );
    }

    pub fn post(&mut self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, "", &body.to_string());
        self.reply()
    }

    pub fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, "", "");
        self.reply()
    }

    pub fn chat(&mut self, max_tokens: u32, extra: Value) -> Reply {
        self.post("/v1/chat/completions", &chat(max_tokens, extra))
    }

    /// Whether the server has closed the connection.
    pub fn is_closed(&mut self) -> bool {
        self.more() == Some(End::Closed)
    }

    /// The answer that follows a `100 Continue`.
    pub fn reply_after_continue(&mut self) -> Reply {
        assert_eq!(self.through(b"\r\n\r\n").unwrap(), b"HTTP/1.1 100 Continue\r\n\r\n");
        self.reply()
    }

    pub fn reply(&mut self) -> Reply {
        let mut reply = Reply { status: 0, head: String::new(), chunks: Vec::new(), end: End::Complete };
        reply.end = self.read_into(&mut reply).err().unwrap_or(End::Complete);
        reply
    }

    fn read_into(&mut self, reply: &mut Reply) -> Result<(), End> {
        let head = self.through(b"\r\n\r\n")?;
        reply.head = String::from_utf8(head).unwrap();
        reply.status = reply.head.split(' ').nth(1).unwrap().parse().unwrap();
        if let Some(length) = reply.header("content-length") {
            let length = length.parse().unwrap();
            reply.chunks.push(self.exactly(length)?);
            return Ok(());
        }
        loop {
            let line = self.through(b"\r\n")?;
            let length = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).unwrap();
            let mut chunk = self.exactly(length + 2)?;
            assert_eq!(chunk.split_off(length), b"\r\n");
            if length == 0 {
                return Ok(());
            }
            reply.chunks.push(chunk);
        }
    }

    fn through(&mut self, mark: &[u8]) -> Result<Vec<u8>, End> {
        loop {
            if let Some(at) = self.buffer.windows(mark.len()).position(|window| window == mark) {
                let rest = self.buffer.split_off(at + mark.len());
                return Ok(std::mem::replace(&mut self.buffer, rest));
            }
            self.more().map_or(Ok(()), Err)?;
        }
    }

    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, End> {
        while self.buffer.len() < length {
            self.more().map_or(Ok(()), Err)?;
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    fn more(&mut self) -> Option<End> {
        let mut bytes = [0; 4096];
        match self.stream.read(&mut bytes) {
            Ok(0) => Some(End::Closed),
            Ok(count) => {
                self.buffer.extend_from_slice(&bytes[..count]);
                None
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Some(End::Silent),
            Err(_) => Some(End::Closed),
        }
    }
}
