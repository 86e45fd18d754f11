//! What a streamed token costs the client altogether, in processor time: taken off the wire, stamped, kept, read back and
//! decoded in the sandbox, against the same with the same driver compiled natively.
//!
//! A child on the first core is the simulated engine; the client runs on the second, through the same crates as a run.
//! Every answer is decoded both ways, in turns. The least of each cost counts, since whatever else the machine does only
//! ever adds; for the wire, which both sides of the ratio contain, that is also the choice that makes the ratio largest.
//! What a run does besides, such as computing metrics and writing the record, is on neither side and would bring the ratio
//! closer to one.
//!
//! `cargo bench -p bench-run --bench overall [-- --json]`
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to its terminal")]

use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bench_load::{Closed, Crew, Lanes, Shape, Waiting, measure};
use bench_machine::ProcessCpu;
use bench_plugin::Driver;
use bench_plugin::types::ResponseHeader;
use bench_run::Catalog;
use bench_sdk::driver::{Decode as _, Driver as Native};
use bench_sim::{Sim, SimConfig};
use bench_wire::{
    Client, Desk, Endpoint, Exchange, Header, Limits, Prepared, Request, Secrets, StampMode, Stop, Trust,
};
use serde_json::json;

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Decoder = <driver_openai::Plugin as Native>::Decoder;

/// The argument that makes this program the engine.
const SERVE: &str = "serve-on";
/// Stands for any core.
const ANYWHERE: &str = "any";
/// Between two tokens of a stream, in microseconds.
const GAP_US: u64 = 10_000;
/// From a request to its first token, in microseconds.
const TTFT_US: u64 = 50_000;
/// Longest time of an answer, so that the benchmark ends whatever happens.
const LONGEST: Duration = Duration::from_secs(60);

/// Streams at once, and how long each is.
#[derive(Clone, Copy)]
struct Load {
    streams: u32,
    events: u32,
}

const LOADS: [Load; 2] = [Load { streams: 200, events: 500 }, Load { streams: 1000, events: 250 }];
/// Where the benchmark is only tried out, as `cargo test --benches` does.
const TRIAL: [Load; 1] = [Load { streams: 4, events: 10 }];
/// Windows of each load. The least counts, and a machine that is shared has slow spells.
const ROUNDS: usize = 9;
/// Times that the answers of a window are decoded, each way.
const PASSES: usize = 3;

/// Processor seconds that a window and its answers took.
#[derive(Clone, Copy)]
struct Costs {
    /// All that the process did while the window was open: sending, receiving, stamping and keeping.
    window: f64,
    /// Making exchanges of what was kept.
    back: f64,
    sandbox: f64,
    native: f64,
}

impl Costs {
    const MOST: Self =
        Self { window: f64::INFINITY, back: f64::INFINITY, sandbox: f64::INFINITY, native: f64::INFINITY };

    fn least(self, other: Self) -> Self {
        Self {
            window: self.window.min(other.window),
            back: self.back.min(other.back),
            sandbox: self.sandbox.min(other.sandbox),
            native: self.native.min(other.native),
        }
    }
}

fn main() -> ExitCode {
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

fn measure_all(arguments: &[String]) -> Result<()> {
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    let json = has("--json");
    let (loads, rounds) = if has("--bench") { (LOADS.as_slice(), ROUNDS) } else { (TRIAL.as_slice(), 1) };
    let (engine, client) = match cores()?.as_slice() {
        [first, second, ..] => (Some(*first), Some(*second)),
        _ => {
            eprintln!("note: there are not two cores to pin to, so the engine and the client share what there is");
            (None, None)
        }
    };
    let (_engine, address) = start(engine)?;
    if let Some(core) = client {
        pin(core)?;
    }
    let (mut driver, _) = Catalog::new(None).driver("openai")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let crew = Arc::new(Crew::new(1)?);
    if !json {
        println!("microseconds of processor time per token, which are seconds per million tokens\n");
        line(&["", "wire", "read back", "sandbox", "native", "ratio", "overall", "natively", "ratio"]);
    }
    for load in loads {
        let mut least = Costs::MOST;
        let mut bytes = 0;
        for _ in 0..rounds {
            let (window, back, exchanges) = runtime.block_on(receive(&address, &crew, *load))?;
            let (sandbox, native) = decode(&mut driver, &exchanges, *load)?;
            least = least.least(Costs { window, back, sandbox, native });
            bytes = exchanges.iter().map(|exchange| exchange.body.len()).sum();
        }
        report(*load, least, bytes, json);
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
fn report(load: Load, least: Costs, bytes: usize, as_json: bool) {
    let tokens = f64::from(load.streams) * f64::from(load.events);
    let each = |seconds: f64| seconds * 1e6 / tokens;
    let wire = least.window + least.back;
    let (overall, natively) = (each(wire + least.sandbox), each(wire + least.native));
    let (ratio, alone) = (overall / natively, least.sandbox / least.native);
    let scenario = format!("{} streams", load.streams);
    if as_json {
        // Microseconds for one are seconds for a million.
        let line = json!({
            "scenario": scenario, "tokens": tokens, "wire_us": each(least.window), "back_us": each(least.back),
            "sandbox_us": each(least.sandbox), "native_us": each(least.native), "decode_ratio": alone,
            "seconds_per_million": overall, "native_seconds_per_million": natively, "overall_ratio": ratio,
        });
        println!("{line}");
        return;
    }
    let numbers = [least.window, least.back, least.sandbox, least.native].map(|cost| format!("{:.3}", each(cost)));
    let [window, back, sandbox, native] = &numbers;
    let [alone, overall, natively, ratio] = [alone, overall, natively, ratio].map(|number| format!("{number:.3}"));
    line(&[&scenario, window, back, sandbox, native, &alone, &overall, &natively, &ratio]);
    println!("  {} events of {:.0} bytes each", tokens, bytes as f64 / tokens);
}

fn line(cells: &[&str]) {
    let padded = cells.iter().enumerate().map(
        |(column, cell)| {
            if column == 0 { format!("{cell:<14}") } else { format!("{cell:>11}") }
        },
    );
    println!("{}", padded.collect::<String>().trim_end());
}

/// Processor seconds of this process so far, over all threads.
fn cpu() -> Result<f64> {
    let used = ProcessCpu::sample().into_value().ok_or("the system does not say what this process used")?;
    Ok(used.total_seconds())
}

/// Sends the requests of a load and takes in the answers: seconds for the window and for making exchanges of what it kept.
async fn receive(address: &str, crew: &Arc<Crew>, load: Load) -> Result<(f64, f64, Vec<Exchange>)> {
    let endpoint = Endpoint::parse(address)?;
    let limits = Limits { total: LONGEST, ..Limits::default() };
    let secrets = Secrets::new(endpoint.clone());
    let client = Client::with(endpoint, secrets, limits, &Trust::platform(), StampMode::Kernel)?;
    let lanes = Lanes::new(Arc::clone(crew), &client, Waiting::Sleep);
    let prepared = client.prepare(request(load))?;
    let sessions: Vec<Vec<Prepared>> = (0..load.streams).map(|_| vec![prepared.clone()]).collect();
    let streams = NonZeroU32::new(load.streams).ok_or("a load without streams")?;
    let shape = Shape::ClosedLoop { closed: Closed::fixed(streams), lasts: None };
    let (desk, stop) = (Desk::default(), Stop::never());
    let begun = cpu()?;
    let ((), window) = measure((), &lanes, sessions, &shape, &desk, &stop, None).await;
    let closed = cpu()?;
    let exchanges: Vec<Exchange> = window.into_exchanges().collect();
    let ended = cpu()?;
    if let Some(failed) = exchanges.iter().find(|exchange| !exchange.succeeded()) {
        return Err(format!("an answer did not come in full: {:?}", failed.outcome).into());
    }
    Ok((closed - begun, ended - closed, exchanges))
}

fn request(load: Load) -> Request {
    let body = json!({
        "model": "bench-sim", "stream": true, "stream_options": { "include_usage": true }, "max_tokens": load.events,
        "ignore_eos": true, "messages": [{ "role": "user", "content": "count" }],
    });
    Request {
        method: "POST".to_owned(),
        path: "/v1/chat/completions".to_owned(),
        headers: vec![Header::text("content-type", "application/json")],
        body: body.to_string().into(),
    }
}

/// Decodes every answer in the sandbox and natively: seconds for each, the least of some passes.
fn decode(driver: &mut Driver, exchanges: &[Exchange], load: Load) -> Result<(f64, f64)> {
    let answers: Vec<Answer> = exchanges.iter().map(Answer::of).collect();
    let (mut sandbox, mut native) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..PASSES {
        let (mut inside, mut outside) = (0, 0);
        let begun = cpu()?;
        for answer in &answers {
            inside += driver.decode(&answer.headers, answer.body, &answer.ends).map_err(|error| error.fault)?.len();
        }
        let between = cpu()?;
        for answer in &answers {
            outside += natively(answer)?;
        }
        let ended = cpu()?;
        if inside != outside || (inside as u64) < u64::from(load.streams) * u64::from(load.events) {
            return Err(format!("{inside} events in the sandbox, {outside} outside").into());
        }
        sandbox = sandbox.min(between - begun);
        native = native.min(ended - between);
    }
    Ok((sandbox, native))
}

/// An answer as decoders take it.
struct Answer<'e> {
    headers: Vec<ResponseHeader>,
    body: &'e [u8],
    ends: Vec<u32>,
}

impl<'e> Answer<'e> {
    fn of(exchange: &'e Exchange) -> Self {
        let headers = exchange.head.iter().flat_map(|head| &head.headers);
        let header = |(name, value): &(String, String)| ResponseHeader { name: name.clone(), value: value.clone() };
        Self {
            headers: headers.map(header).collect(),
            body: &exchange.body,
            ends: exchange.reads.iter().map(|read| read.end).collect(),
        }
    }
}

/// As a guest decodes an answer of one batch: it owns the bytes, and gives all events away.
fn natively(answer: &Answer<'_>) -> Result<usize> {
    let header = |header: &ResponseHeader| bench_sdk::types::ResponseHeader {
        name: header.name.clone(),
        value: header.value.clone(),
    };
    let decoder = Decoder::new(answer.headers.iter().map(header).collect());
    let failed = |problem| format!("the native decoder failed: {problem:?}");
    let mut events = decoder.push(answer.body.to_vec(), answer.ends.clone()).map_err(failed)?;
    events.extend(decoder.finish().map_err(failed)?);
    Ok(events.len())
}

/// Ends the child with the program, whatever happens.
struct Engine(Child);

impl Drop for Engine {
    fn drop(&mut self) {
        // A child that has already ended needs no killing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(core: Option<usize>) -> Result<(Engine, String)> {
    let core = core.map_or_else(|| ANYWHERE.to_owned(), |core| core.to_string());
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command.args([SERVE, &core]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or("the child has no output")?;
    let engine = Engine(child);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    Ok((engine, line.trim().to_owned()))
}

/// Serves until the standard input ends, which it does with the parent.
fn serve_on(core: &str) -> Result<()> {
    if core != ANYWHERE {
        pin(core.parse()?)?;
    }
    let config = SimConfig {
        gap_us: GAP_US,
        ttft_us: TTFT_US,
        prefill_ns_per_token: 0,
        slots: 100_000,
        natural_tokens: None,
        prefix_cache: None,
        // What is decoded is what an engine sends that does not know of being measured.
        stamps: false,
        ..SimConfig::default()
    };
    let sim = Sim::start(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    println!("{}", sim.url());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// The cores that this process may use; none where it cannot be pinned.
#[cfg(target_os = "linux")]
fn cores() -> Result<Vec<usize>> {
    let set = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0))?;
    Ok((0..nix::sched::CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)).collect())
}

#[cfg(target_os = "linux")]
fn pin(core: usize) -> Result<()> {
    let mut set = nix::sched::CpuSet::new();
    set.set(core)?;
    Ok(nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &set)?)
}

/// The cores that this process may use; none where it cannot be pinned.
#[cfg(not(target_os = "linux"))]
fn cores() -> Result<Vec<usize>> {
    Ok(Vec::new())
}

#[cfg(not(target_os = "linux"))]
fn pin(_core: usize) -> Result<()> {
    Err("pinning needs Linux".into())
}
