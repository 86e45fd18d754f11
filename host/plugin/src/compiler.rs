//! Compiles components, in a process of its own where the program offers one.
//!
//! A compiler takes memory and time that no bound on a component's shape predicts exactly, and an allocation that
//! fails ends the whole process. So a program that calls [`compile_worker`] first thing in its `main` compiles in
//! children of itself. A child gets the component on its standard input, bounds its own memory and time, and writes
//! the compiled code to its standard output. The parent loads code from nowhere but its own child and its own cache.
//! A program that does not call the function, such as a test, compiles in its own process, without these bounds.
//!
//! Where the system has no such limits, on Windows for one, the wall clock alone bounds a child.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use wasmtime::Engine;

use crate::engine::{Profile, Size};
use crate::error::{CompileLimit, LoadError};

/// The first argument of a program that is to compile.
const WORD: &str = "compile-component";

/// Memory that a child may use: 4 GiB. The largest honest component of one engine takes about 1.4.
pub(crate) const MEMORY: u64 = 4 << 30;

/// Addresses that a child may use. The allocator reserves far more of them for each thread than it uses.
#[cfg(unix)]
const ADDRESSES: u64 = 3 * MEMORY;

/// How long a child may take on the wall clock.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Threads that a child compiles with. More would take more memory at a time.
const MOST_THREADS: usize = 16;

/// The largest compiled code that is accepted: 1 GiB. Code is some six times as large as the component.
const LARGEST_CODE: u64 = 1 << 30;

/// What a child's output begins with when code follows, and when an error follows.
const CODE: u8 = 0;
const ERROR: u8 = 1;

/// Whether this program compiles when it is told to.
static IS_COMPILER: AtomicBool = AtomicBool::new(false);

/// Where components are compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compiler {
    /// In this process, without bounds on memory and time.
    InProcess,
    /// In a child for each component: this program with these arguments, and two more that name the settings. It
    /// calls [`compile_worker`].
    Child {
        /// The program.
        program: PathBuf,
        /// Its first arguments.
        arguments: Vec<OsString>,
    },
}

impl Compiler {
    /// A child of this program, where it called [`compile_worker`] in the beginning; else this process.
    pub fn of_this_program() -> Compiler {
        if !IS_COMPILER.load(Ordering::Relaxed) {
            return Compiler::InProcess;
        }
        // The link leads to the file that this process runs, even after an update has replaced it by another version.
        let own = PathBuf::from("/proc/self/exe");
        let program = if cfg!(target_os = "linux") && own.exists() { Some(own) } else { std::env::current_exe().ok() };
        match program {
            Some(program) => Compiler::Child { program, arguments: vec![WORD.into()] },
            None => Compiler::InProcess,
        }
    }

    /// Compiled code of a component that is prepared for this profile.
    pub(crate) fn compile(&self, profile: Profile, size: Size, component: &[u8]) -> Result<Vec<u8>, LoadError> {
        match self {
            Compiler::InProcess => {
                let code = translate(profile, size, component);
                give_back();
                code.map_err(LoadError::Invalid)
            }
            Compiler::Child { program, arguments } => {
                let mut command = Command::new(program);
                command.args(arguments).args([profile.name(), size.name()]);
                in_child(command, component)
            }
        }
    }
}

/// Compiles a component when this program was started for that, and answers with the exit code; else remembers that
/// this program can do so. Call it before anything else in `main`, and end with the code where there is one.
pub fn compile_worker() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != WORD) {
        IS_COMPILER.store(true, Ordering::Relaxed);
        return None;
    }
    let settings: Vec<String> = arguments.filter_map(|argument| argument.into_string().ok()).collect();
    Some(match work(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

fn work(settings: &[String]) -> std::io::Result<()> {
    let unknown = || std::io::Error::from(std::io::ErrorKind::InvalidInput);
    let [profile, size] = settings else { return Err(unknown()) };
    let profile = Profile::named(profile).ok_or_else(unknown)?;
    let size = Size::named(size).ok_or_else(unknown)?;
    limit()?;
    let mut component = Vec::new();
    std::io::stdin().lock().read_to_end(&mut component)?;
    let mut output = std::io::stdout().lock();
    match translate(profile, size, &component) {
        Ok(code) => {
            output.write_all(&[CODE])?;
            output.write_all(&code)?;
        }
        Err(error) => {
            output.write_all(&[ERROR])?;
            output.write_all(error.as_bytes())?;
        }
    }
    output.flush()
}

/// An engine keeps what it compiled with for the next time, which is more than a gigabyte after some scorers, so this
/// one ends with its work.
fn translate(profile: Profile, size: Size, component: &[u8]) -> Result<Vec<u8>, String> {
    let engine = Engine::new(&profile.config(size)).map_err(|error| format!("{error:#}"))?;
    engine.precompile_component(component).map_err(|error| format!("{error:#}"))
}

/// Bounds what this process may use. Without the bounds it does not compile.
#[cfg(unix)]
fn limit() -> std::io::Result<()> {
    // Processor time of all threads together; the parent looks at the wall clock.
    let processor_s = PATIENCE.as_secs() * MOST_THREADS as u64;
    let limits = [
        (libc::RLIMIT_CORE, 0),
        (libc::RLIMIT_CPU, processor_s),
        (libc::RLIMIT_DATA, MEMORY),
        (libc::RLIMIT_AS, ADDRESSES),
    ];
    for (resource, wanted) in limits {
        let mut found = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the pointer is to a value of the type that the call fills.
        if unsafe { libc::getrlimit(resource, &raw mut found) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
        let bound = found.rlim_max.min(wanted as libc::rlim_t);
        let limit = libc::rlimit { rlim_cur: bound, rlim_max: bound };
        // SAFETY: the pointer is to a value of the type that the call reads.
        if unsafe { libc::setrlimit(resource, &raw const limit) } != 0 && cfg!(target_os = "linux") {
            return Err(std::io::Error::last_os_error());
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn limit() -> std::io::Result<()> {
    Ok(())
}

fn in_child(mut command: Command, component: &[u8]) -> Result<Vec<u8>, LoadError> {
    let problem = |error: std::io::Error| LoadError::Engine(format!("the process that compiles failed: {error}"));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    command.env_clear().env("RAYON_NUM_THREADS", threads.to_string());
    #[cfg(windows)]
    command.envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(problem)?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (answer, in_time, status) = std::thread::scope(|scope| {
        let (done, finished) = mpsc::channel();
        let reader = scope.spawn(move || {
            let mut answer = Vec::new();
            let read = stdout.map_or(Ok(0), |stdout| stdout.take(LARGEST_CODE).read_to_end(&mut answer));
            // The receiver is gone when the time is over.
            done.send(()).ok();
            read.map(|_| answer)
        });
        scope.spawn(move || {
            // A child that ends before it has read everything says why with its status.
            stdin.map(|mut stdin| stdin.write_all(component).ok());
        });
        let in_time = finished.recv_timeout(PATIENCE).is_ok();
        // It ends by itself where it has written everything, and else waits for what is no longer read.
        if !in_time {
            child.kill().ok();
        }
        let answer = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        if answer.as_ref().is_ok_and(|answer| answer.len() as u64 >= LARGEST_CODE) {
            child.kill().ok();
        }
        (answer, in_time, child.wait())
    });
    let status = status.map_err(problem)?;
    if !in_time {
        return Err(LoadError::CompileLimit(CompileLimit::Time(PATIENCE)));
    }
    if !status.success() {
        return Err(failure(status));
    }
    let mut answer = answer.map_err(problem)?;
    match answer.first() {
        Some(&CODE) => {
            answer.remove(0);
            Ok(answer)
        }
        Some(&ERROR) => Err(LoadError::Invalid(String::from_utf8_lossy(&answer[1..]).into_owned())),
        _ => Err(LoadError::Engine(format!("the process that compiles gave no answer; {status}"))),
    }
}

/// What the end of a child means that did not end by itself.
fn failure(status: ExitStatus) -> LoadError {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        match status.signal() {
            Some(libc::SIGXCPU) => return LoadError::CompileLimit(CompileLimit::Time(PATIENCE)),
            // An allocation that fails aborts a process; the system kills one when memory runs out.
            Some(libc::SIGABRT | libc::SIGKILL | libc::SIGSEGV | libc::SIGBUS) => {
                return LoadError::CompileLimit(CompileLimit::Memory(MEMORY));
            }
            _ => {}
        }
    }
    LoadError::Engine(format!("the process that compiles failed: {status}"))
}

/// Gives the memory that a compiler took back to the system. The allocator would keep it for as long as the program
/// runs, beside an engine under test that has a use for it.
fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it is given no pointers, and may be called at any time on any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
