//! A server on the loopback address that does what a script says, byte for byte.

use std::sync::{Arc, Mutex};

use bench_wire::{Client, Endpoint, Exchange, Limits, Progress, Request, Secrets, Snapshot, Stamp};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What the server does on a connection, in order; the connection is closed after the last step.
#[derive(Clone, Debug)]
pub enum Step {
    /// Reads one whole request.
    Request,
    /// Writes bytes and flushes them.
    Write(Vec<u8>),
    /// Waits until the client has made so many reads in all.
    UntilReads(u64),
    /// Waits until the client has seen so many bytes of bodies in all.
    UntilBytes(u64),

    /// Never goes on.
    Hold,
    /// Ends the connection with a reset.
    Reset,
}

pub fn write(bytes: impl AsRef<[u8]>) -> Step {
    Step::Write(bytes.as_ref().to_vec())
}

/// What the server saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub connections: usize,
    pub requests: Vec<String>,
}

pub struct Server {
    pub address: String,
    pub progress: Progress,
    seen: Arc<Mutex<Seen>>,
    tls: Option<TlsAcceptor>,
}

impl Server {
    /// Connection number n, counted from 0, follows `script(n)`.
    pub async fn start(script: impl Fn(usize) -> Vec<Step> + Send + 'static) -> Self {
        Self::with_tls(script, None).await
    }

    pub async fn with_tls(script: impl Fn(usize) -> Vec<Step> + Send + 'static, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let server = Self { address, progress: Progress::new(), seen: Arc::default(), tls };
        let (progress, seen, tls) = (server.progress.clone(), server.seen.clone(), server.tls.clone());
        tokio::spawn(async move {
            for number in 0.. {
                let (tcp, _) = listener.accept().await.unwrap();
                tcp.set_nodelay(true).unwrap();
                seen.lock().unwrap().connections += 1;
                tokio::spawn(serve(tcp, tls.clone(), script(number), progress.clone(), seen.clone()));
            }
        });
        server
    }

    /// One that does the same on every connection.
    pub async fn always(steps: Vec<Step>) -> Self {
        Self::start(move |_| steps.clone()).await
    }

    /// One that answers each connection's only request with these bytes and closes.
    pub async fn answering(bytes: impl AsRef<[u8]>) -> Self {
        Self::always(vec![Step::Request, write(bytes)]).await
    }

    pub fn endpoint(&self) -> Endpoint {
        Endpoint::parse(&self.address).unwrap()
    }

    pub fn client(&self, limits: Limits) -> Client {
        Client::new(self.endpoint(), Secrets::new(self.endpoint()), limits).unwrap()
    }

    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }

    pub fn snapshot(&self) -> Snapshot {
        self.progress.snapshot()
    }

    pub async fn get(&self, client: &Client) -> Exchange {
        client.exchange(client.prepare(Request::get("/x")).unwrap(), Stamp::now(), &self.progress).await
    }

    /// One request by a client of its own.
    pub async fn ask(&self, limits: Limits) -> Exchange {
        self.get(&self.client(limits)).await
    }
}

async fn serve(tcp: TcpStream, tls: Option<TlsAcceptor>, steps: Vec<Step>, progress: Progress, seen: Arc<Mutex<Seen>>) {
    match tls {
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(tcp).await {
                play(stream, &steps, &progress, &seen).await;
            }
        }
        None => {
            if let Some(tcp) = play(tcp, &steps, &progress, &seen).await {
                tcp.set_zero_linger().unwrap();
            }
        }
    }
}

/// Gives the stream back where it is to be reset.
async fn play<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    steps: &[Step],
    progress: &Progress,
    seen: &Mutex<Seen>,
) -> Option<S> {
    for step in steps {
        match step {
            Step::Request => {
                let request = read_request(&mut stream).await?;
                seen.lock().unwrap().requests.push(request);
            }
            Step::Write(bytes) => {
                stream.write_all(bytes).await.ok()?;
                stream.flush().await.ok()?;
            }
            Step::UntilReads(reads) => until(|| progress.snapshot().reads >= *reads).await,
            Step::UntilBytes(bytes) => until(|| progress.snapshot().bytes >= *bytes).await,
            Step::Hold => std::future::pending().await,
            Step::Reset => return Some(stream),
        }
    }
    stream.shutdown().await.ok();
    None
}

pub async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
        if body.len() >= length {
            return Some(text);
        }
    }
}

/// The pieces of a response, each of which must have been read before the next is written.
pub fn in_pieces<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> Vec<Step> {
    let pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
    std::iter::once(Step::Request)
        .chain(pieces.enumerate().flat_map(|(n, piece)| [write(piece), Step::UntilReads(n as u64 + 1)]))
        .collect()
}

pub fn ends(exchange: &Exchange) -> Vec<u32> {
    exchange.reads.iter().map(|read| read.end).collect()
}

pub fn code(exchange: &Exchange) -> &'static str {
    match &exchange.outcome {
        Ok(()) => "ok",
        Err(error) => {
            assert_ne!(error.to_string(), "");
            error.code()
        }
    }
}

pub const CHUNKED: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

pub fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// An answer that keeps the connection.
pub fn sized(text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len())
}
