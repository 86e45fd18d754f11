//! An OCI registry in memory, as far as the specification makes one, and as hostile as a test wants it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use bench_oci::Digest;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// With the query.
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// Answers a request in the registry's place. `false`: the registry is to.
pub type Hook = dyn Fn(&Asked, &mut TcpStream) -> bool + Send + Sync;

type Kept = Arc<Mutex<BTreeMap<String, (String, Vec<u8>)>>>;

/// A running registry. It ends with the test's process.
pub struct Registry {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Registry {
    /// Starts one on a free port of the loopback address.
    pub fn start(hook: impl Fn(&Asked, &mut TcpStream) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let registry = Self { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let (hook, kept, asked): (Arc<Hook>, Kept, _) = (Arc::new(hook), Arc::default(), Arc::clone(&registry.asked));
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (hook, kept, asked) = (Arc::clone(&hook), Arc::clone(&kept), Arc::clone(&asked));
                std::thread::spawn(move || {
                    let mut connection = connection.unwrap();
                    let Some(request) = read(&connection) else { return };
                    asked.lock().unwrap().push(request.clone());
                    if !hook(&request, &mut connection) {
                        honest(&kept, &request, &mut connection);
                    }
                });
            }
        });
        registry
    }

    /// Host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Sends an answer that ends the connection. A client that has seen enough is gone by then.
pub fn reply(connection: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) -> bool {
    let mut head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let _ = connection.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| connection.write_all(body));
    true
}

fn read(connection: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split(' ').map(ToOwned::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, path, headers, body })
}

fn honest(kept: &Kept, request: &Asked, connection: &mut TcpStream) {
    let mut kept = kept.lock().unwrap();
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let manifest = path.contains("/manifests/");
    match request.method.as_str() {
        "POST" if path.ends_with("/blobs/uploads/") => {
            reply(connection, "202 Accepted", &[("location", &format!("{path}one?_state=a%3D"))], b"");
        }
        "PUT" => {
            let digest = Digest::of(&request.body);
            let by_digest = match path.rsplit_once("/uploads/") {
                Some((blobs, _)) => format!("{blobs}/{digest}"),
                None => format!("{}/{digest}", path.rsplit_once('/').unwrap().0),
            };
            let expected = format!("digest={}", digest.to_string().replace(':', "%3A"));
            if !manifest && !query.split('&').any(|part| part == expected) {
                reply(connection, "400 Bad Request", &[], b"");
                return;
            }
            let kind = request.headers.get("content-type").cloned().unwrap_or_default();
            kept.insert(by_digest, (kind.clone(), request.body.clone()));
            if manifest {
                kept.insert(path.to_owned(), (kind, request.body.clone()));
            }
            reply(connection, "201 Created", &[("docker-content-digest", &digest.to_string())], b"");
        }
        _ => match kept.get(path) {
            Some(_) if request.method == "HEAD" => {
                reply(connection, "200 OK", &[], b"");
            }
            Some((kind, bytes)) => {
                reply(connection, "200 OK", &[("content-type", kind)], bytes);
            }
            None => {
                let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
                reply(connection, "404 Not Found", &[], if request.method == "HEAD" { b"" } else { body });
            }
        },
    }
}
