//! What is asked of the engine, and the table.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to its terminal")]

use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use bench_sim::{Sim, SimConfig, now_ns};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::Pid;
use serde_json::json;

use super::client::Client;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Longest that a scenario may take.
const PATIENCE_NS: u64 = 60_000_000_000;
/// The argument that makes this program the server.
const SERVE: &str = "serve-on";

enum Load {
    /// All requests at once.
    Streams(usize),
    /// One request every so often, whatever becomes of the ones before, so many in all.
    OpenLoop { per_second: u64, requests: u64 },
}

struct Scenario {
    name: &'static str,
    load: Load,
    tokens: u32,
}

const SCENARIOS: [Scenario; 4] = [
    Scenario { name: "10 streams", load: Load::Streams(10), tokens: 300 },
    Scenario { name: "100 streams", load: Load::Streams(100), tokens: 300 },
    Scenario { name: "1000 streams", load: Load::Streams(1000), tokens: 500 },
    Scenario { name: "2000 requests/s", load: Load::OpenLoop { per_second: 2000, requests: 8000 }, tokens: 4 },
];

pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [serve, core] if serve == SERVE => serve_on(core),
        _ => measure_all(arguments.iter().find(|argument| !argument.starts_with('-')).map(String::as_str)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn config() -> SimConfig {
    SimConfig {
        slots: 100_000,
        ttft_us: 50_000,
        prefill_ns_per_token: 0,
        gap_us: 10_000,
        prefix_cache: None,
        natural_tokens: None,
        ..SimConfig::default()
    }
}

fn pin(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

fn cores() -> Result<Vec<usize>> {
    let set = sched_getaffinity(Pid::from_raw(0))?;
    Ok((0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)).collect())
}

/// The child: serves until its standard input ends, then says what it did.
fn serve_on(core: &str) -> Result<()> {
    pin(core.parse()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let sim = Sim::start(config(), SocketAddr::from(([127, 0, 0, 1], 0)))?;
    println!("{}", sim.addr());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    let counters = sim.counters();
    runtime.block_on(sim.shutdown());
    let used = getrusage(UsageWho::RUSAGE_SELF)?;
    let cpu = [used.user_time(), used.system_time()]
        .iter()
        .map(|time| time.tv_sec() * 1_000_000 + time.tv_usec())
        .sum::<i64>();
    println!("{}", json!({"cpu_us": cpu, "max_rss_kib": used.max_rss(), "counters": counters}));
    Ok(())
}

/// Ends the child with the program whatever happens.
struct Server {
    child: Child,
    address: SocketAddr,
    output: BufReader<std::process::ChildStdout>,
}

impl Server {
    fn start(core: usize) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([SERVE, &core.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut output = BufReader::new(child.stdout.take().ok_or("the child has no output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        Ok(Self { child, address: line.trim().parse()?, output })
    }

    fn stop(mut self) -> Result<serde_json::Value> {
        drop(self.child.stdin.take());
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A child that has already ended needs no killing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn measure_all(only: Option<&str>) -> Result<()> {
    let cores = cores()?;
    let (server, client) = match cores.as_slice() {
        [first, second, ..] => (*first, *second),
        _ => {
            println!("note: there is one core, so server and client share it");
            (cores[0], cores[0])
        }
    };
    println!(
        "{:<16} {:>8} {:>8} {:>27} {:>27} {:>11} {:>8} {:>8}",
        "", "events", "answers", "late p50/p99/max us", "receipt p50/p99/max us", "send p99 us", "us/event", "rss KiB"
    );
    for scenario in SCENARIOS.iter().filter(|scenario| only.is_none_or(|part| scenario.name.contains(part))) {
        // Before pinning: a child inherits the affinity.
        let running = Server::start(server)?;
        pin(client)?;
        let mut client = Client::new(running.address)?;
        run(scenario, &mut client)?;
        let said = running.stop()?;
        let seen = client.seen;
        let events = seen.late.len();
        let cpu = said["cpu_us"].as_f64().unwrap_or(0.0);
        println!(
            "{:<16} {events:>8} {:>8} {:>27} {:>27} {:>11} {:>8.2} {:>8}",
            scenario.name,
            seen.answers,
            spread(seen.late),
            spread(seen.receipt),
            if seen.send.is_empty() { "-".to_owned() } else { spread(seen.send) },
            cpu / f64::from(u32::try_from(events.max(1))?),
            said["max_rss_kib"],
        );
    }
    Ok(())
}

fn run(scenario: &Scenario, client: &mut Client) -> Result<()> {
    let body = json!({
        "model": "bench-sim", "stream": true, "max_tokens": scenario.tokens, "ignore_eos": true,
        "messages": [{"role": "user", "content": "Say something."}],
    })
    .to_string();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let warm = match scenario.load {
        Load::Streams(streams) => streams,
        Load::OpenLoop { per_second, .. } => usize::try_from(per_second / 5)?,
    };
    for _ in 0..warm {
        client.connect()?;
    }
    std::thread::sleep(Duration::from_millis(200));
    let begun = now_ns();
    match scenario.load {
        Load::Streams(streams) => {
            for _ in 0..streams {
                client.send(request.as_bytes(), None)?;
            }
        }
        Load::OpenLoop { per_second, requests } => {
            for number in 0..requests {
                let intended = begun + number * 1_000_000_000 / per_second;
                while now_ns() < intended {
                    client.turn(0)?;
                }
                client.send(request.as_bytes(), Some(intended))?;
            }
        }
    }
    while client.busy() > 0 {
        client.turn(10)?;
        if now_ns() - begun > PATIENCE_NS {
            return Err(format!("{}: not done after a minute", scenario.name).into());
        }
    }
    std::io::stdout().flush()?;
    Ok(())
}

/// Median, 99th percentile and largest, in microseconds.
fn spread(mut values: Vec<u64>) -> String {
    values.sort_unstable();
    let at = |share: usize| {
        values.get((values.len() * share / 100).min(values.len().saturating_sub(1))).copied().unwrap_or(0) / 1000
    };
    format!("{}/{}/{}", at(50), at(99), at(100))
}
