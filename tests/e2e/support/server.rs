//! A server that says what a test tells it to, byte by byte: for answers that no engine in its right mind gives.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::json;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// The head as text, request line included.
    pub head: String,
    pub body: Vec<u8>,
}

/// What is written back: raw pieces, each in a write of its own. The connection is closed afterwards.
#[derive(Debug, Clone)]
pub struct Answer(pub Vec<Vec<u8>>);

impl Answer {
    /// An answer with a length, so that its end is certain.
    pub fn full(status: &str, content_type: &str, headers: &str, body: &str) -> Answer {
        Answer(vec![
            format!(
                "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
                body.len()
            )
            .into_bytes(),
        ])
    }

    /// A JSON answer.
    pub fn json(status: &str, body: &serde_json::Value) -> Answer {
        Answer::full(status, "application/json", "", &body.to_string())
    }

    /// A stream of pieces, each in a chunk and a write of its own.
    pub fn stream<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Answer {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
        let mut writes = vec![head.as_bytes().to_vec()];
        for piece in pieces {
            let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
            chunk.extend_from_slice(piece);
            chunk.extend_from_slice(b"\r\n");
            writes.push(chunk);
        }
        writes.push(b"0\r\n\r\n".to_vec());
        Answer(writes)
    }

    /// The list of models that an engine with one model gives.
    pub fn models() -> Answer {
        Answer::json(
            "200 OK",
            &json!({ "object": "list", "data": [{ "id": "scripted", "object": "model", "owned_by": "test", "max_model_len": 32768 }] }),
        )
    }
}

/// A running server. Its thread ends with the process.
pub struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers each request with what `answer` makes of it.
    #[track_caller]
    pub fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let log = Arc::clone(&seen);
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &log, &*answer));
            }
        });
        Server { port, seen }
    }

    /// An engine that lists one model, and answers generations with what `answer` makes of them.
    #[track_caller]
    pub fn engine(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Server {
        Server::start(move |asked| match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/v1/models") => Answer::models(),
            ("POST", "/v1/chat/completions") => answer(asked),
            _ => Answer::json("404 Not Found", &json!({ "error": { "message": "nothing here" } })),
        })
    }

    /// The same, always with the same stream.
    #[track_caller]
    pub fn streaming(pieces: &[&[u8]]) -> Server {
        let answer = Answer::stream(pieces.iter().copied());
        Server::engine(move |_| answer.clone())
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The requests so far. A connection on which nothing was asked counts as a request without a word.
    pub fn seen(&self) -> Vec<Asked> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, log: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked) -> Answer) {
    let mut reader = BufReader::new(&stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        match reader.read_line(&mut head) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(|value| value.trim().to_owned()))
        .and_then(|value| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    let complete = reader.read_exact(&mut body).is_ok();
    let mut words = head.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let asked = Asked { method, path, head, body };
    log.lock().unwrap().push(asked.clone());
    if !complete || asked.method.is_empty() {
        return;
    }
    let mut stream = &stream;
    stream.set_nodelay(true).ok();
    for piece in answer(&asked).0 {
        if stream.write_all(&piece).is_err() {
            return;
        }
    }
}
