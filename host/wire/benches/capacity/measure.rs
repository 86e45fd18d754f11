//! Pins the two sides, runs the rounds and prints the table.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to its terminal")]

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::Pid;

use super::flood::{Answer, Kind};
use super::{bare, flood, wired};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The argument that makes this program the sender.
const SERVE: &str = "serve-on";
/// Turns of each reader.
const ROUNDS: usize = 3;
/// Length of a turn.
const TURN: Duration = Duration::from_millis(1500);

struct Scenario {
    name: &'static str,
    kind: Kind,
    connections: usize,
}

const SCENARIOS: [Scenario; 3] = [
    Scenario { name: "events, 16 KiB a write", kind: Kind::Blocks, connections: 64 },
    Scenario { name: "events, one a write", kind: Kind::Events, connections: 64 },
    Scenario { name: "requests", kind: Kind::Tiny, connections: 32 },
];

/// What a reader managed.
#[derive(Clone, Copy, Default)]
struct Rate {
    per_second: f64,
    bytes_per_second: f64,
    cpu_us: f64,
    per_read: f64,
}

pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [serve, core] if serve == SERVE => serve_on(core),
        _ => measure_all(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn pin(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

fn serve_on(core: &str) -> Result<()> {
    pin(core.parse()?)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?);
    Ok(flood::serve(&listener)?)
}

/// Ends the child with the program, whatever happens.
struct Sender(Child);

impl Drop for Sender {
    fn drop(&mut self) {
        // A child that has already ended needs no killing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(core: usize) -> Result<(Sender, SocketAddr)> {
    let mut child =
        Command::new(std::env::current_exe()?).args([SERVE, &core.to_string()]).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or("the child has no output")?;
    let sender = Sender(child);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    Ok((sender, line.trim().parse()?))
}

fn measure_all(arguments: &[String]) -> Result<()> {
    let only = arguments.iter().find(|argument| !argument.starts_with('-'));
    let json = arguments.iter().any(|argument| argument == "--json");
    let set = sched_getaffinity(Pid::from_raw(0))?;
    let cores: Vec<usize> = (0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)).collect();
    let (first, second) = match cores.as_slice() {
        [first, second, ..] => (*first, *second),
        _ => {
            eprintln!("note: there is one core, so the sender and the reader share it");
            (cores[0], cores[0])
        }
    };
    let (_sender, address) = start(first)?;
    pin(second)?;
    if !json {
        println!(
            "{:<24} {:<8} {:>12} {:>10} {:>12} {:>10}",
            "", "reader", "per second", "MB/s", "CPU us each", "per read"
        );
    }
    for scenario in SCENARIOS.iter().filter(|scenario| only.is_none_or(|part| scenario.name.contains(part.as_str()))) {
        let (mut least, mut ours) = (Rate::default(), Rate::default());
        for _ in 0..ROUNDS {
            let bare = turn(scenario, |kind, count| Ok(bare::read(address, kind, count, TURN)?))?;
            let wired = turn(scenario, |kind, count| wired::read(address, kind, count, TURN))?;
            least = better(least, bare);
            ours = better(ours, wired);
        }
        report(scenario, least, ours, json);
    }
    Ok(())
}

fn better(one: Rate, other: Rate) -> Rate {
    if other.per_second > one.per_second { other } else { one }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
fn turn(scenario: &Scenario, read: impl Fn(Kind, usize) -> Result<(u64, u64)>) -> Result<Rate> {
    let (cpu, begun) = (cpu_seconds()?, Instant::now());
    let (answers, reads) = read(scenario.kind, scenario.connections)?;
    let (seconds, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    let events = (answers * scenario.kind.events()) as f64;
    Ok(Rate {
        per_second: events / seconds,
        bytes_per_second: answers as f64 * Answer::new(scenario.kind).bytes.len() as f64 / seconds,
        cpu_us: cpu * 1e6 / events,
        per_read: events / reads as f64,
    })
}

#[expect(clippy::cast_precision_loss, reason = "seconds of one process")]
fn cpu_seconds() -> Result<f64> {
    let used = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok([used.user_time(), used.system_time()]
        .iter()
        .map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6)
        .sum())
}

fn report(scenario: &Scenario, bare: Rate, wired: Rate, json: bool) {
    let (rate, cpu) = (wired.per_second / bare.per_second, wired.cpu_us / bare.cpu_us);
    if json {
        println!(
            "{{\"scenario\":\"{}\",\"bare_per_second\":{:.0},\"client_per_second\":{:.0},\"rate_ratio\":{rate:.4},\
             \"bare_cpu_us\":{:.4},\"client_cpu_us\":{:.4},\"cpu_ratio\":{cpu:.4}}}",
            scenario.name, bare.per_second, wired.per_second, bare.cpu_us, wired.cpu_us
        );
        return;
    }
    for (name, rate) in [("bare", bare), ("client", wired)] {
        println!(
            "{:<24} {name:<8} {:>12.0} {:>10.1} {:>12.3} {:>10.1}",
            scenario.name,
            rate.per_second,
            rate.bytes_per_second / 1e6,
            rate.cpu_us,
            rate.per_read
        );
    }
    println!("{:<24} {:<8} {rate:>12.3} {:>10} {cpu:>12.2}", "", "ratio", "");
}
