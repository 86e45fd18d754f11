//! A tap between the binary and an engine: passes everything on, and keeps what the binary sent.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What one connection sent so far.
type Sent = Arc<Mutex<Vec<u8>>>;

/// A running tap. Its threads end with the process.
pub struct Tap {
    port: u16,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Tap {
    /// A tap in front of an engine.
    #[track_caller]
    pub fn before(engine: SocketAddr) -> Tap {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let sent: Arc<Mutex<Vec<Sent>>> = Arc::default();
        let log = Arc::clone(&sent);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let bytes = Sent::default();
                log.lock().unwrap().push(Arc::clone(&bytes));
                let Ok(server) = TcpStream::connect(engine) else { return };
                client.set_nodelay(true).ok();
                server.set_nodelay(true).ok();
                let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else { return };
                thread::spawn(move || pass(from, to, Some(&bytes)));
                thread::spawn(move || pass(server, client, None));
            }
        });
        Tap { port, sent }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The bodies of all requests that had one.
    pub fn bodies(&self) -> Vec<Vec<u8>> {
        let connections = self.sent.lock().unwrap();
        connections.iter().flat_map(|bytes| bodies(&bytes.lock().unwrap())).collect()
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, log: Option<&Mutex<Vec<u8>>>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if let Some(log) = log {
            log.lock().unwrap().extend_from_slice(&buffer[..length]);
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Write).ok();
}

/// The bodies in what one connection sent: one request after the other, each with its length.
fn bodies(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
        let body = &bytes[end + 4..];
        if length > 0 {
            found.push(body[..length].to_vec());
        }
        bytes = &body[length..];
    }
    found
}
