//! Children: pinned, bounded in time, and ended by their own handles.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Error;

/// Between two looks at whether a child has ended.
const TICK: Duration = Duration::from_millis(20);

/// A child that does not outlive this value.
#[derive(Debug)]
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // A child that has already ended needs no killing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A command that runs on one core, where that can be had.
pub fn pinned(program: &Path, core: Option<usize>) -> Command {
    let Some(core) = core else { return Command::new(program) };
    let mut command = Command::new("taskset");
    command.arg("-c").arg(core.to_string()).arg(program);
    command
}

fn name(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

fn spawn(mut command: Command) -> Result<(Running, String), Error> {
    let name = name(&command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| Error::Io { what: name.clone(), error })?;
    Ok((Running(child), name))
}

/// What a child prints, read while it runs so that it never waits for us.
fn collect(from: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            // What was read until an error is still worth showing.
            let _ = from.read_to_end(&mut bytes);
        }
        // Nobody waits for it any more when the child was ended.
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// What became of a child that succeeded.
#[derive(Debug)]
pub struct Output {
    /// What it printed.
    pub text: String,
    /// Processor time of the child from its start to its end, in the program and in the kernel; `None` where the system does
    /// not say.
    pub cpu_seconds: Option<f64>,
}

/// Processor time of all children that have ended and were waited for, in seconds.
#[cfg(unix)]
fn ended_children() -> Option<f64> {
    use nix::sys::resource::{UsageWho, getrusage};
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
    let seconds = |time: nix::sys::time::TimeVal| {
        #[expect(clippy::cast_precision_loss, reason = "microseconds of a measurement")]
        let microseconds = nix::sys::time::TimeValLike::num_microseconds(&time) as f64;
        microseconds / 1e6
    };
    Some(seconds(used.user_time()) + seconds(used.system_time()))
}

#[cfg(not(unix))]
fn ended_children() -> Option<f64> {
    None
}

/// Runs a command to its end.
pub fn output(command: Command, limit: Duration) -> Result<Output, Error> {
    watched(command, limit, |_| {})
}

/// As [`output`], with a look at the child's id every so often.
pub fn watched(command: Command, limit: Duration, mut look: impl FnMut(u32)) -> Result<Output, Error> {
    let (mut running, name) = spawn(command)?;
    let (out, err) = (collect(running.0.stdout.take()), collect(running.0.stderr.take()));
    let ticks = limit.as_millis() / TICK.as_millis();
    for _ in 0..ticks {
        // Only this child can end in between: nothing else here waits for one.
        let before = ended_children();
        let ended = running.0.try_wait().map_err(|error| Error::Io { what: name.clone(), error })?;
        let Some(status) = ended else {
            look(running.0.id());
            thread::sleep(TICK);
            continue;
        };
        let [out, err] = [out, err].map(|text| text.recv_timeout(Duration::from_secs(5)).unwrap_or_default());
        if status.success() {
            let cpu_seconds = before.zip(ended_children()).map(|(before, after)| after - before);
            return Ok(Output { text: out, cpu_seconds });
        }
        let said = err.lines().rev().take(5).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
        return Err(Error::Child { command: name, problem: format!("failed ({status}):\n{said}") });
    }
    Err(Error::Child { command: name, problem: format!("did not end within {} s and was ended", limit.as_secs()) })
}

/// Starts a server and waits for the line that says where it is.
pub fn server(command: Command, limit: Duration) -> Result<(Running, String), Error> {
    let (mut running, name) = spawn(command)?;
    let (sender, receiver) = mpsc::channel();
    if let Some(out) = running.0.stdout.take() {
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                // Only the first line is waited for; the others are read so that the child never waits for us.
                let _ = sender.send(line);
            }
        });
    }
    drop(collect(running.0.stderr.take()));
    let silent = |_| Error::Child { command: name, problem: "did not say where it listens".to_owned() };
    let line = receiver.recv_timeout(limit).map_err(silent)?;
    Ok((running, line))
}

/// Keeps a core busy until its standard input ends, and for `seconds` at most.
pub fn spin(seconds: u64) {
    let (sender, receiver) = mpsc::channel::<()>();
    thread::spawn(move || {
        // Any end of the input is an end.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        drop(sender);
    });
    thread::spawn(|| {
        // Work rather than the processor's hint that this is a wait: a hypervisor takes the hint as a reason to step in, which
        // would slow the engine's core as well.
        let mut number: u64 = 1;
        loop {
            number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
    });
    // Both the end of the input and of the time end the process.
    let _ = receiver.recv_timeout(Duration::from_secs(seconds));
}

/// What a loop that does nothing but read the clock sees of a core.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, Serialize)]
pub struct Taken {
    /// Milliseconds of stretches in which the loop did not run.
    pub lost_ms: f64,
    /// The longest of them.
    pub longest_ms: f64,
    /// How long the loop ran, in milliseconds.
    pub of_ms: f64,
}

/// Reads the clock for so many milliseconds. A stretch of more than [`NOTICED`] between two readings is one in which something else
/// had the processor: an interrupt takes less.
pub fn watch(millis: u64) -> Taken {
    let (start, whole) = (Instant::now(), Duration::from_millis(millis));
    let (mut last, mut lost, mut longest) = (start, Duration::ZERO, Duration::ZERO);
    while last - start < whole {
        let now = Instant::now();
        let stretch = now - last;
        if stretch > NOTICED {
            lost += stretch;
            longest = longest.max(stretch);
        }
        last = now;
    }
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    Taken { lost_ms: ms(lost), longest_ms: ms(longest), of_ms: ms(last - start) }
}

/// A stretch between two readings of the clock that counts as lost.
const NOTICED: Duration = Duration::from_micros(50);

/// Starts this program on a core as the loop of [`watch`].
pub fn watcher(core: Option<usize>, millis: u64) -> Result<Child, Error> {
    let mut command = this_program(core)?;
    command.args(["watch", &millis.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped());
    let name = name(&command);
    command.spawn().map_err(|error| Error::Io { what: name, error })
}

fn this_program(core: Option<usize>) -> Result<Command, Error> {
    let this = std::env::current_exe().map_err(|error| Error::Io { what: "this program".to_owned(), error })?;
    Ok(pinned(&this, core))
}

/// Starts this program as a busy loop on a core.
pub fn busy_loop(core: Option<usize>, limit: Duration) -> Result<Running, Error> {
    let mut command = this_program(core)?;
    command.args(["spin", &limit.as_secs().to_string()]).stdin(Stdio::piped()).stdout(Stdio::null());
    let name = name(&command);
    Ok(Running(command.spawn().map_err(|error| Error::Io { what: name, error })?))
}
