//! How exact the emission is when the engine has one core: a child serves on the first core, a bare client on the second
//! reads and compares the stamps in the events with the times they were due at and with its own clock.
//!
//! The client parses nothing but the stamps, so that it is not what is measured. Every scenario is bounded in time.

#[cfg(target_os = "linux")]
mod client;
#[cfg(target_os = "linux")]
mod scenario;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    scenario::main()
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::print_stderr, reason = "a benchmark talks to its terminal")]
fn main() {
    eprintln!("this benchmark pins processes and waits with epoll, which needs Linux");
}
