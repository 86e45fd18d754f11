//! A registry over HTTP/1.1 on this machine, for trying things out: GET and HEAD of the files of one folder, with ranges and the
//! headers that a real server should send. Any web server or bucket does the same.
//!
//! It listens and never connects, which is why it is here and not in the crate that talks to engines: that one must not learn to serve
//! files. One thread per connection; a client that says nothing is let go.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{RepositoryError, at};

/// Longest request line or header line.
const LONGEST_LINE: u64 = 8192;
/// Most header lines.
const MOST_HEADERS: usize = 100;
/// How long a client may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// A registry that is being served. It ends when this is dropped.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    stop: AtomicBool,
    requests: AtomicU64,
}

/// Serves the registry in `folder` on the loopback address; port 0 takes a free one.
///
/// # Errors
/// When there is no registry, or the port is taken.
pub fn serve(folder: &Path, port: u16) -> Result<Serving, RepositoryError> {
    let folder = folder.canonicalize().map_err(at(folder))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(at(&folder))?;
    let address = listener.local_addr().map_err(at(&folder))?;
    let shared = Arc::new(Shared { folder, stop: AtomicBool::new(false), requests: AtomicU64::new(0) });
    let thread = std::thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            for connection in listener.incoming() {
                if shared.stop.load(Ordering::Acquire) {
                    return;
                }
                let Ok(connection) = connection else { continue };
                let shared = Arc::clone(&shared);
                // What goes wrong on one connection is that client's affair.
                std::thread::spawn(move || drop(converse(&shared, connection)));
            }
        }
    });
    Ok(Serving { address, shared, thread: Some(thread) })
}

impl Serving {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The registry's address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests that were answered.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Acquire)
    }

    /// Waits until it ends, which it does not by itself.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            // A panicked listener has ended as well.
            let _ = thread.join();
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // Wakes the listener; if that fails it was not listening.
            let _ = TcpStream::connect(self.address);
            let _ = thread.join();
        }
    }
}

struct Request {
    head: bool,
    path: String,
    from: Option<u64>,
    known: Option<String>,
    close: bool,
}

fn converse(shared: &Shared, connection: TcpStream) -> io::Result<()> {
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    connection.set_nodelay(true)?;
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut writer = connection;
    loop {
        let Some(request) = request(&mut reader)? else { return Ok(()) };
        shared.requests.fetch_add(1, Ordering::AcqRel);
        answer(shared, &request, &mut writer)?;
        if request.close {
            return Ok(());
        }
    }
}

fn line(reader: &mut impl io::BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    reader.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let text = String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(Some(text.trim_end_matches('\r').to_owned()))
}

fn request(reader: &mut impl io::BufRead) -> io::Result<Option<Request>> {
    let Some(first) = line(reader)? else { return Ok(None) };
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut request = Request {
        head: method == "HEAD",
        path: if matches!(method, "GET" | "HEAD") { path.to_owned() } else { String::new() },
        from: None,
        known: None,
        close: words.next() != Some("HTTP/1.1"),
    };
    for _ in 0..MOST_HEADERS {
        let Some(header) = line(reader)? else { return Ok(None) };
        let Some((name, value)) = header.split_once(':') else { return Ok(Some(request)) };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                request.from = value.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')?.parse().ok())
            }
            "if-none-match" => request.known = Some(value.to_owned()),
            "connection" => request.close |= value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// The file that a request names: below the folder, with plain names all the way.
fn file(folder: &Path, path: &str) -> Option<PathBuf> {
    let path = path.split('?').next()?.strip_prefix('/')?;
    let mut place = folder.to_owned();
    for part in path.split('/') {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-%".contains(&byte);
        if part.is_empty() || part.starts_with('.') || !part.bytes().all(plain) {
            return None;
        }
        place.push(part);
    }
    if !path.starts_with("metadata/") && !path.starts_with("targets/") {
        return None;
    }
    let is_file = |place: &Path| std::fs::symlink_metadata(place).is_ok_and(|found| found.is_file());
    if is_file(&place) {
        return Some(place);
    }
    // A registry under version control keeps its targets without the digests in their names.
    let (digest, plain) = place.file_name()?.to_str()?.split_once('.')?;
    let plain = bench_registry::is_digest(digest).then(|| place.with_file_name(plain))?;
    is_file(&plain).then_some(plain)
}

fn answer(shared: &Shared, request: &Request, writer: &mut impl io::Write) -> io::Result<()> {
    let Some(place) = file(&shared.folder, &request.path) else {
        return write!(writer, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\ncache-control: no-cache\r\n\r\n");
    };
    let mut content = File::open(&place)?;
    let length = content.metadata()?.len();
    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // The timestamp is the one file whose content changes under its name.
    let cache = if name == "timestamp.json" { "no-cache" } else { "public, max-age=31536000, immutable" };
    let tag = tag(&mut content)?;
    if request.known.as_deref() == Some(tag.as_str()) {
        return write!(writer, "HTTP/1.1 304 Not Modified\r\netag: {tag}\r\ncache-control: {cache}\r\n\r\n");
    }
    let kind = if name.ends_with(".json") { "application/json" } else { "application/octet-stream" };
    let from = request.from.unwrap_or(0);
    if request.from.is_some() && from >= length {
        return write!(
            writer,
            "HTTP/1.1 416 Range Not Satisfiable\r\ncontent-range: bytes */{length}\r\ncontent-length: 0\r\n\r\n"
        );
    }
    let rest = length - from;
    let (status, range) = match request.from {
        Some(_) => ("206 Partial Content", format!("content-range: bytes {from}-{}/{length}\r\n", length - 1)),
        None => ("200 OK", String::new()),
    };
    write!(
        writer,
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {rest}\r\n{range}accept-ranges: bytes\r\netag: {tag}\r\ncache-control: {cache}\r\n\r\n"
    )?;
    if request.head {
        return Ok(());
    }
    content.seek(SeekFrom::Start(from))?;
    io::copy(&mut content.take(rest), writer).map(drop)
}

/// A file's entity tag: its digest.
fn tag(content: &mut File) -> io::Result<String> {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let mut buffer = [0; 64 << 10];
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok(format!("\"{}\"", bench_registry::hex(context.finish().as_ref()))),
            read => context.update(&buffer[..read]),
        }
    }
}
