//! The simulated engine on one core and `bench calibrate` on another.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use std::{fs, thread};

use serde_json::json;

use super::judge::median;
use super::machine::{Cores, resident_kib};
use super::process::{Running, busy_loop, output, pinned, server, watched};
use super::report::Report;
use crate::Error;

/// The schedule that the issue of all this names: 50 ms to the first token, then one every 10 ms.
pub const TTFT_US: u64 = 50_000;
/// Between two tokens.
pub const GAP_US: u64 = 10_000;
/// Between two tokens where memory is watched for long: slow enough for what is kept of ten minutes to fit on a disk.
const SLOW_GAP_US: u64 = 100_000;
/// Between two tokens where only the streams themselves are looked at.
const IDLE_GAP_US: u64 = 1_000_000;
/// How long those streams last.
const IDLE_SECONDS: u32 = 6;
/// How many tokens each answer has, and for how long there are answers, where what an answer leaves behind is worked out.
const ANSWER_TOKENS: u32 = 20;
const ANSWER_SECONDS: u32 = 24;
/// How many streams there are, of which the memory of one is worked out.
const FEWER: u32 = 1000;
const MANY: u32 = 4000;
/// How long starting and ending may take beside the measurement.
const AROUND: Duration = Duration::from_secs(60);
/// Tokens of an answer in the open loop.
const SHORT_ANSWER: u32 = 8;

/// What to run, and where.
#[derive(Debug)]
pub struct Bench {
    pub binary: PathBuf,
    /// For configurations.
    pub folder: PathBuf,
    pub cores: Cores,
    pub seconds: u32,
}

impl Bench {
    /// Streams at a hundred tokens a second each.
    pub fn streams(&self, streams: u32, stamps: &str) -> Result<Report, Error> {
        let (_engine, url) = self.engine(GAP_US)?;
        self.calibrate(&url, &self.stream_args(streams, stamps))?.checked(stamps, self.events(streams))
    }

    /// The same with stamps of user space, by threads that never sleep.
    pub fn polled_streams(&self, streams: u32) -> Result<Report, Error> {
        let (_engine, url) = self.engine(GAP_US)?;
        let mut command = self.command(&url, &self.stream_args(streams, "user"));
        command.arg("--busy-poll");
        self.report(command)?.checked("user", self.events(streams))
    }

    /// The same as [`Bench::streams`] with a busy loop on the client's core.
    pub fn beside_a_busy_loop(&self, streams: u32, stamps: &str) -> Result<Report, Error> {
        let _busy = busy_loop(self.cores.client, self.limit())?;
        self.streams(streams, stamps)
    }

    /// Short answers, asked for at a fixed rate.
    pub fn open_loop(&self, per_second: u32) -> Result<Report, Error> {
        let mut args = schedule_args(SHORT_ANSWER, GAP_US);
        args.extend([("--rate", per_second.to_string()), ("--seconds", self.seconds.to_string())]);
        let events = u64::from(per_second) * u64::from(self.seconds) * u64::from(SHORT_ANSWER);
        let (_engine, url) = self.engine(GAP_US)?;
        self.calibrate(&url, &args)?.checked("", events)
    }

    /// Resident memory of the client in KiB, once a second, over streams that last for so long.
    pub fn memory(&self, streams: u32, seconds: u32) -> Result<Vec<u64>, Error> {
        // One token more than fits, or a second round of streams would begin just before the end.
        self.watch_memory(streams, seconds, SLOW_GAP_US, tokens(seconds, SLOW_GAP_US) + 1)
    }

    /// KiB of resident memory that one more answer leaves behind until its window is over: what the client grows by while streams
    /// of a quarter of a second take turns, once what they said goes to a file.
    pub fn memory_of_an_answer(&self) -> Result<f64, Error> {
        let samples = self.watch_memory(FEWER, ANSWER_SECONDS, GAP_US, ANSWER_TOKENS)?;
        let (from, to) = (samples.len() / 2, samples.len().saturating_sub(1));
        let answer_us = TTFT_US + GAP_US * u64::from(ANSWER_TOKENS - 1);
        let kib = |at: usize| samples.get(at).map(|kib| *kib as f64).ok_or_else(|| Error::Failed("/proc".to_owned()));
        let answers = (to - from) as f64 * f64::from(FEWER) * 1e6 / answer_us as f64;
        Ok((kib(to)? - kib(from)?) / answers)
    }

    /// KiB of resident memory that one more stream takes: the difference that many streams make, so that what the client takes
    /// without any is on neither side. A stream says little in the meantime, because what it says is kept.
    pub fn memory_of_a_stream(&self) -> Result<f64, Error> {
        let kib = |streams: u32| {
            let samples = self.watch_memory(streams, IDLE_SECONDS, IDLE_GAP_US, IDLE_SECONDS)?;
            // The first second is starting up.
            median(samples.get(1..).unwrap_or_default()).ok_or_else(|| Error::Failed("/proc".to_owned()))
        };
        Ok((kib(MANY)? - kib(FEWER)?) / f64::from(MANY - FEWER))
    }

    fn watch_memory(&self, streams: u32, seconds: u32, gap_us: u64, tokens: u32) -> Result<Vec<u64>, Error> {
        let (_engine, url) = self.engine(gap_us)?;
        let mut args = schedule_args(tokens, gap_us);
        args.extend([("--streams", streams.to_string()), ("--stamps", "kernel".to_owned())]);
        args.push(("--seconds", seconds.to_string()));
        let mut samples = Vec::new();
        let mut looks: u32 = 0;
        // Looking at every event afterwards takes a while as well, and is not what is asked about.
        let limit = Duration::from_secs(u64::from(seconds)) * 2 + AROUND;
        watched(self.command(&url, &args), limit, |id| {
            looks += 1;
            if looks.is_multiple_of(50) {
                let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
                samples.extend(resident_kib(&status));
            }
        })?;
        samples.truncate(usize::try_from(seconds).unwrap_or(usize::MAX));
        Ok(samples)
    }

    fn events(&self, streams: u32) -> u64 {
        u64::from(streams) * u64::from(tokens(self.seconds, GAP_US))
    }

    fn stream_args(&self, streams: u32, stamps: &str) -> Vec<(&'static str, String)> {
        let mut args = schedule_args(tokens(self.seconds, GAP_US), GAP_US);
        args.extend([("--streams", streams.to_string()), ("--stamps", stamps.to_owned())]);
        args
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds)) + AROUND
    }

    fn command(&self, url: &str, args: &[(&str, String)]) -> Command {
        let mut command = pinned(&self.binary, self.cores.client);
        command.args(["calibrate", "--json", "--endpoint", url]);
        for (name, value) in args {
            command.arg(name).arg(value);
        }
        command
    }

    fn calibrate(&self, url: &str, args: &[(&str, String)]) -> Result<Report, Error> {
        self.report(self.command(url, args))
    }

    fn report(&self, command: Command) -> Result<Report, Error> {
        let output = output(command, self.limit())?;
        Ok(Report { process_cpu_seconds: output.cpu_seconds, ..Report::parse(&output.text)? })
    }

    fn engine(&self, gap_us: u64) -> Result<(Running, String), Error> {
        let config = json!({
            "slots": 100_000, "ttft_us": TTFT_US, "gap_us": gap_us, "prefill_ns_per_token": 0, "natural_tokens": null,
            "prefix_cache": null,
        });
        let path = self.folder.join("sim.json");
        fs::write(&path, config.to_string()).map_err(crate::at(&path))?;
        let mut command = pinned(&self.binary, self.cores.engine);
        command.args(["sim", "--port", "0", "--config"]).arg(&path);
        let started = server(command, AROUND)?;
        // Lets the machine settle.
        thread::sleep(Duration::from_millis(200));
        Ok(started)
    }
}

/// Tokens of a stream that lasts for so long.
fn tokens(seconds: u32, gap_us: u64) -> u32 {
    u32::try_from(u64::from(seconds) * 1_000_000 / gap_us).unwrap_or(u32::MAX)
}

fn schedule_args(tokens: u32, gap_us: u64) -> Vec<(&'static str, String)> {
    vec![("--events", tokens.to_string()), ("--gap-us", gap_us.to_string()), ("--ttft-us", TTFT_US.to_string())]
}
