//! What one core of the client takes: server-sent events and requests per second with stamps kept, as a ratio to a bare
//! loop that reads the same sockets into one buffer and throws the bytes away.
//!
//! A child on the first core sends as fast as the sockets take it; the reader runs on the second, the bare loop and
//! [`bench_wire::Client`] in turn, and the best round of each counts: whatever else the machine does only ever takes away.
//! Where the sender is the limit, both readers see the same rate and the processor time per event tells them apart.
//!
//! `cargo bench -p bench-wire --bench capacity [-- SCENARIO] [--json]`

#[cfg(target_os = "linux")]
mod bare;
#[cfg(target_os = "linux")]
mod flood;
#[cfg(target_os = "linux")]
mod measure;
#[cfg(target_os = "linux")]
mod wired;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    measure::main()
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::print_stderr, reason = "a benchmark talks to its terminal")]
fn main() {
    eprintln!("this benchmark pins processes and waits with epoll, which needs Linux");
}
