//! Servers that send without end, against a client that may have 512 MiB of memory.
//!
//! Each test plays the server and runs the client in another process: itself, with a job in its environment. That process bounds
//! its own data (`RLIMIT_DATA`: everything private and writable, stacks and the runtime included) to 512 MiB, so a client that
//! keeps too much is aborted and the test fails. What a server sends is bounded in bytes and in time.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]
#![expect(clippy::print_stdout, reason = "the client tells its codes to the test that started it")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bench_wire::{Client, Control, Desk, Endpoint, Limits, Request, Secrets, Spool, SpoolBudget, Stamp, Stop};
use nix::sys::resource::{Resource, setrlimit};

const MEMORY: u64 = 512 << 20;
const DISK: u64 = 96 << 20;
/// What a server sends at most on one connection, and for how long.
const SENT: usize = 1 << 30;
const SENDING: Duration = Duration::from_secs(60);
const JOB: &str = "BENCH_HOSTILE_JOB";

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// What a server sends: a start, and then the same bytes again and again, so many of them at once.
#[derive(Clone)]
struct Script {
    start: String,
    again: String,
    at_once: usize,
    /// What the client takes.
    limits: Limits,
}

impl Script {
    fn new(start: impl Into<String>, again: impl Into<String>) -> Self {
        let limits = Limits { max_reads: 100_000, ..Limits::default() };
        Self { start: start.into(), again: again.into(), at_once: 256 << 10, limits }
    }

    fn play(&self, mut tcp: TcpStream) -> std::io::Result<()> {
        tcp.set_nodelay(true)?;
        assert_ne!(tcp.read(&mut [0; 4096])?, 0, "a request came");
        tcp.write_all(self.start.as_bytes())?;
        let bytes = self.again.repeat(self.at_once.div_ceil(self.again.len())).into_bytes();
        let began = Instant::now();
        let mut sent = 0;
        while sent < SENT && began.elapsed() < SENDING {
            for piece in bytes.chunks(self.at_once) {
                tcp.write_all(piece)?;
                sent += piece.len();
            }
        }
        Ok(())
    }
}

/// What the client does.
#[derive(Clone, Copy)]
enum Way {
    /// So many measured streams at once.
    Streams(usize),
    /// One request that is not measured.
    Control,
}

/// Plays the script to a client in a process of its own, and returns the code of each of its requests.
fn codes(test: &str, script: &Script, way: Way) -> Vec<String> {
    if let Ok(job) = std::env::var(JOB) {
        let codes = client(&job, script.limits.clone(), way);
        println!("codes: {}", codes.join(" "));
        std::process::exit(0);
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let script = script.clone();
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            let script = script.clone();
            // The client ends the connection when it has had enough.
            std::thread::spawn(move || drop(script.play(tcp)));
        }
    });
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(JOB, address)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the client ended with {}: {text}{errors}", output.status);
    let line = text.lines().find_map(|line| line.split_once("codes: ")).map(|(_, codes)| codes);
    line.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// The client, in its own process.
fn client(address: &str, limits: Limits, way: Way) -> Vec<String> {
    setrlimit(Resource::RLIMIT_DATA, MEMORY, MEMORY).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let endpoint = Endpoint::parse(address).unwrap();
    let secrets = Secrets::new(endpoint.clone());
    let code = |outcome: Result<(), bench_wire::WireError>| match outcome {
        Ok(()) => "ok".to_owned(),
        Err(error) => {
            assert!(error.hint().is_some(), "{error} has no hint");
            error.code().to_owned()
        }
    };
    match way {
        Way::Control => {
            let control = Control::new(endpoint, secrets, limits).unwrap();
            let outcome = runtime.block_on(control.send(Request::get("/"))).map(drop);
            vec![code(outcome)]
        }
        Way::Streams(count) => {
            let client = Client::new(endpoint, secrets, limits).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let spool = Spool::new(SpoolBudget { disk: DISK, ..SpoolBudget::WINDOW }, folder.path().to_owned());
            let desk = Desk { spool, ..Desk::default() };
            let transmissions = runtime.block_on(async {
                let mut running = tokio::task::JoinSet::new();
                for _ in 0..count {
                    let (client, desk) = (client.clone(), desk.clone());
                    let prepared = client.prepare(Request::get("/")).unwrap();
                    running.spawn(async move { client.transmit(&prepared, Stamp::now(), &desk, &Stop::never()).await });
                }
                running.join_all().await
            });
            let disk = disk_of(folder.path());
            assert!(disk <= DISK, "{disk} bytes of the disk");
            let mut codes = Vec::new();
            for transmission in transmissions {
                let exchange = transmission.into_exchange();
                assert_eq!(exchange.reads.last().map_or(0, |read| read.end as usize), exchange.body.len());
                codes.push(code(exchange.outcome));
            }
            codes
        }
    }
}

/// Bytes on disk of this process's open files below a folder, unnamed ones too.
fn disk_of(folder: &std::path::Path) -> u64 {
    let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    open.filter(|entry| std::fs::read_link(entry.path()).is_ok_and(|target| target.starts_with(folder)))
        .filter_map(|entry| std::fs::metadata(entry.path()).ok())
        .map(|file| file.blocks() * 512)
        .sum()
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

fn event(length: usize) -> String {
    let text = "x".repeat(length);
    chunk(&format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"))
}

#[test]
fn events_without_end() {
    let codes = codes("events_without_end", &Script::new(CHUNKED, event(40)), Way::Streams(1));
    assert_eq!(codes, ["body-too-large"]);
}

#[test]
fn large_events_without_end() {
    let codes = codes("large_events_without_end", &Script::new(CHUNKED, event(500_000)), Way::Streams(1));
    assert_eq!(codes, ["body-too-large"]);
}

#[test]
fn chunks_of_two_bytes() {
    let mut script = Script::new(CHUNKED, chunk(":\n"));
    // Tests are built without optimisation, and each of these chunks is looked at by itself.
    script.limits.max_body = 4 << 20;
    assert_eq!(codes("chunks_of_two_bytes", &script, Way::Streams(1)), ["body-too-large"]);
}

#[test]
fn padded_chunks_of_one_byte() {
    let script = Script::new(CHUNKED, format!("{:0>40}\r\nx\r\n", "1"));
    assert_eq!(codes("padded_chunks_of_one_byte", &script, Way::Streams(1)), ["framing-too-large"]);
}

#[test]
fn one_line_without_end() {
    let codes = codes("one_line_without_end", &Script::new(CHUNKED, chunk(&"x".repeat(4096))), Way::Streams(1));
    assert_eq!(codes, ["body-too-large"]);
}

#[test]
fn a_chunk_size_without_end() {
    let codes = codes("a_chunk_size_without_end", &Script::new(CHUNKED, "0"), Way::Streams(1));
    assert_eq!(codes, ["framing-too-large"]);
}

#[test]
fn a_chunk_extension_without_end() {
    let script = Script::new(format!("{CHUNKED}5;"), "a");
    assert_eq!(codes("a_chunk_extension_without_end", &script, Way::Streams(1)), ["framing-too-large"]);
}

#[test]
fn chunk_extensions_in_eight_streams() {
    let script = Script::new(format!("{CHUNKED}5;"), "a");
    assert_eq!(codes("chunk_extensions_in_eight_streams", &script, Way::Streams(8)), ["framing-too-large"; 8]);
}

#[test]
fn trailers_without_end() {
    let script = Script::new(format!("{CHUNKED}0\r\n"), "x: y\r\n");
    assert_eq!(codes("trailers_without_end", &script, Way::Streams(1)), ["framing-too-large"]);
}

#[test]
fn headers_without_end() {
    let script = Script::new("HTTP/1.1 200 OK\r\n", format!("x: {}\r\n", "y".repeat(4000)));
    assert_eq!(codes("headers_without_end", &script, Way::Streams(1)), ["head-too-large"]);
}

#[test]
fn empty_lines_before_a_head_without_end() {
    let mut script = Script::new("\r\n", "\r\n");
    script.at_once = 3;
    assert_eq!(codes("empty_lines_before_a_head_without_end", &script, Way::Streams(1)), ["head-too-large"]);
}

#[test]
fn interim_answers_without_end() {
    let script = Script::new("", "HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n");
    assert_eq!(codes("interim_answers_without_end", &script, Way::Streams(1)), ["head-too-large"]);
}

#[test]
fn segments_of_one_byte() {
    let mut script = Script::new(CHUNKED, event(20));
    script.at_once = 1;
    script.limits.max_reads = 20_000;
    let codes = codes("segments_of_one_byte", &script, Way::Streams(1));
    // The kernel may put segments together, and then there are fewer reads.
    assert!(["too-many-reads", "body-too-large", "closed-early"].contains(&codes.join(" ").as_str()), "{codes:?}");
}

#[test]
fn more_streams_than_the_disk_has_room_for() {
    let script = Script::new(CHUNKED, event(4000));
    let codes = codes("more_streams_than_the_disk_has_room_for", &script, Way::Streams(8));
    assert_eq!(codes.len(), 8);
    assert!(codes.iter().all(|code| ["body-too-large", "window-budget"].contains(&code.as_str())), "{codes:?}");
    assert!(codes.iter().any(|code| code == "window-budget"), "{codes:?}");
}

#[test]
fn unmeasured_requests_are_bounded_too() {
    let codes = codes("unmeasured_requests_are_bounded_too", &Script::new(CHUNKED, event(100)), Way::Control);
    assert_eq!(codes, ["body-too-large"]);
}

#[test]
fn an_unmeasured_answer_of_chunk_extensions() {
    let script = Script::new(format!("{CHUNKED}5;"), "a");
    let codes = codes("an_unmeasured_answer_of_chunk_extensions", &script, Way::Control);
    assert!(["closed-early", "malformed-http"].contains(&codes.join(" ").as_str()), "{codes:?}");
}
