//! What a benchmark has to know about the machine: its fingerprint, its state before and after a run, whether an endpoint
//! runs on it at all, the digests of model files, and engines that the host starts itself.
//!
//! Each look at the world has two halves. A pure parser turns the text of a tool or a system file into a typed value or a
//! typed problem and is tested on recorded text; a thin runner fetches that text within a time limit. What was not there is
//! [`Found::NotPresent`], what did not work is [`Found::Failed`]; neither is ever an empty string or a zero.
//!
//! Nothing in this crate reads a clock or opens a socket.

pub mod attribution;
pub mod conditions;
pub mod cpu;
mod fingerprint;
mod found;
pub mod gpu;
pub mod launch;
pub mod memory;
pub mod model;
pub mod os;
pub mod power;
pub mod redact;
pub mod surroundings;
mod tool;
mod tree;
mod usage;

pub use fingerprint::Fingerprint;
pub use found::Found;
pub use tree::Tree;
pub use usage::ProcessCpu;

/// Id of the user that this process acts for; 0 where the system has no such ids.
#[must_use]
pub fn current_user() -> u32 {
    #[cfg(unix)]
    // SAFETY: geteuid has no preconditions and cannot fail.
    unsafe {
        libc::geteuid()
    }
    #[cfg(not(unix))]
    0
}

/// Lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
