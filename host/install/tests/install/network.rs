//! Servers on the loopback address that are slow, cut off, endless, or wrong, over real connections.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bench_install::Http;
use bench_plugin::Kind;
use bench_wire::{Limits, Trust};

use crate::support::*;

/// Answers each request, by its path, through `answer`, and closes.
fn server(answer: impl Fn(&str, &str, &mut TcpStream) + Send + Sync + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let (answer, counted) = (Arc::new(answer), Arc::clone(&asked));
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let (mut connection, answer, counted) = (connection.unwrap(), Arc::clone(&answer), Arc::clone(&counted));
            std::thread::spawn(move || {
                let mut reader = BufReader::new(connection.try_clone().unwrap());
                let (mut first, mut range) = (String::new(), String::new());
                reader.read_line(&mut first).unwrap();
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                        break;
                    }
                    if let Some(value) = line.to_lowercase().strip_prefix("range:") {
                        range = value.trim().to_owned();
                    }
                }
                counted.fetch_add(1, Ordering::SeqCst);
                let path = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
                answer(&path, &range, &mut connection);
            });
        }
    });
    (address, asked)
}

fn file(author: &Author, path: &str) -> Option<Vec<u8>> {
    std::fs::read(author.path().join(path)).ok()
}

fn reply(connection: &mut TcpStream, status: &str, length: usize, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    // A client that has seen enough is gone by then.
    let _ = connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(body));
}

fn patience() -> Limits {
    Limits { stall: Duration::from_millis(150), first_byte: Duration::from_millis(300), ..bench_install::limits() }
}

fn install(author: &Author, address: SocketAddr) -> Result<(), &'static str> {
    let user = User::new();
    let http = Http::with(&format!("http://{address}"), patience(), &Trust::platform()).unwrap();
    let mut installer = user.installer(vec![author.source_by("main", Arc::new(http))], day(0));
    let done = wait(installer.add(&[request("match")])).map(drop).map_err(|error| error.code());
    assert_eq!(done.is_ok(), user.home().lock.exists());
    assert_eq!(done.is_ok(), user.runs(Kind::Scorer, "match").is_some());
    done
}

fn author() -> Arc<Author> {
    let author = Author::new();
    author.publish(vec![component(Kind::Scorer, "match", "0.1.0")], day(0));
    Arc::new(author)
}

#[test]
fn an_honest_server() {
    let author = author();
    let served = Arc::clone(&author);
    let (address, _) = server(move |path, _, connection| match file(&served, path) {
        Some(bytes) => reply(connection, "200 OK", bytes.len(), &bytes),
        None => reply(connection, "404 Not Found", 0, b""),
    });
    assert_eq!(install(&author, address), Ok(()));
}

#[test]
fn a_server_that_cuts_targets_and_knows_ranges() {
    let author = author();
    let served = Arc::clone(&author);
    let (address, asked) = server(move |path, range, connection| {
        let Some(bytes) = file(&served, path) else { return reply(connection, "404 Not Found", 0, b"") };
        if !path.ends_with(".wasm") {
            return reply(connection, "200 OK", bytes.len(), &bytes);
        }
        let from: usize =
            range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')?.parse().ok()).unwrap_or(0);
        let until = bytes.len().min(from + bytes.len() / 4 + 1);
        let status = match from {
            0 => "200 OK".to_owned(),
            from => format!("206 Partial Content\r\ncontent-range: bytes {from}-{}/{}", bytes.len() - 1, bytes.len()),
        };
        reply(connection, &status, bytes.len() - from, &bytes[from..until]);
    });
    assert_eq!(install(&author, address), Ok(()));
    assert!(asked.load(Ordering::SeqCst) >= 8, "four pieces and the metadata");
}

#[test]
fn servers_that_are_no_use() {
    for (how, code) in [
        ("nothing", "registry-unreachable"),
        ("errors", "registry-unreachable"),
        ("slow", "registry-unreachable"),
        ("endless", "registry-unreachable"),
        ("cut", "registry-unreachable"),
        ("redirect", "registry-unreachable"),
        ("another site", "registry-metadata"),
    ] {
        let author = author();
        let (address, _) = server(move |path, _, connection| match how {
            "nothing" => {}
            "errors" => reply(connection, "500 Internal Server Error", 0, b""),
            "slow" => {
                reply(connection, "200 OK", 1000, b"{");
                std::thread::sleep(Duration::from_secs(1));
            }
            "endless" => {
                let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                let chunk = [b"10000\r\n".to_vec(), vec![b' '; 65_536], b"\r\n".to_vec()].concat();
                let _ = connection.write_all(head);
                while connection.write_all(&chunk).is_ok() {}
            }
            "cut" => reply(connection, "200 OK", 5000, b"{\"signed\":"),
            "redirect" => reply(connection, "302 Found\r\nlocation: http://127.0.0.1:1/", 0, b""),
            _ if path.ends_with("2.root.json") => reply(connection, "404 Not Found", 0, b""),
            _ => reply(connection, "200 OK", 20, b"<html>hello</html>  "),
        });
        assert_eq!(install(&author, address), Err(code), "{how}");
    }
}

#[test]
fn downloads_overlap_up_to_a_bound() {
    const FILES: usize = 15;
    let (author, user) = (Author::new(), User::new());
    // A suite and what is kept beside it are fetched together: sixteen files, and no time for compiling.
    let folder = author.folder.path().join("suite");
    let original = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites/local-reasoning-mini");
    crate::faults::copy(&original, &folder);
    let names: Vec<String> = (0..FILES).map(|number| format!("more/{number}.txt")).collect();
    std::fs::create_dir(folder.join("more")).unwrap();
    for name in &names {
        std::fs::write(folder.join(name), name).unwrap();
    }
    let wish = bench_repository::Wish { data: names, ..Default::default() };
    author.publish(vec![bench_repository::suite(&folder, &wish).unwrap()], day(0));
    let author = Arc::new(author);
    let served = Arc::clone(&author);
    let (open, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let (together, seen) = (std::sync::Barrier::new(8), Arc::clone(&most));
    let (address, asked) = server(move |path, _, connection| {
        let Some(bytes) = file(&served, path) else { return reply(connection, "404 Not Found", 0, b"") };
        if path.starts_with("targets/") {
            seen.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Nobody is answered before eight have asked.
            together.wait();
            open.fetch_sub(1, Ordering::SeqCst);
        }
        reply(connection, "200 OK", bytes.len(), &bytes);
    });
    let limits = Limits { first_byte: Duration::from_secs(10), ..bench_install::limits() };
    let http = Http::with(&format!("http://{address}"), limits, &Trust::platform()).unwrap();
    let mut installer = user.installer(vec![author.source_by("main", Arc::new(http))], day(0));
    let wanted = request("local-reasoning-mini").of_kind(Some(bench_registry::ItemKind::Suite));
    wait(installer.add(&[wanted])).unwrap();
    assert_eq!(most.load(Ordering::SeqCst), 8, "as many at once as there may be, and no more");
    assert!(asked.load(Ordering::SeqCst) > FILES);
    assert_eq!(user.shelf().suite("local-reasoning-mini").unwrap().unwrap()["more/3.txt"], b"more/3.txt");
}
