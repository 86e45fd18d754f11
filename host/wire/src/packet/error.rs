//! Why packets cannot be captured.

use std::net::SocketAddr;

use bench_text::clean_sentence;
use thiserror::Error;

/// Why there is no capture, or no answer from one. Runs go on without: the capture is a reference, not a need.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CaptureError {
    /// This system has no packet rings.
    #[error("packets cannot be captured here: {reason}", reason = clean_sentence(.reason))]
    NotOffered {
        /// What is missing.
        reason: String,
    },
    /// The process may not open packet sockets.
    #[error("this process may not open a packet socket")]
    NotPermitted,
    /// No network interface leads to the server.
    #[error("no network interface was found that leads to {server}: {reason}", reason = clean_sentence(.reason))]
    NoInterface {
        /// The server's address.
        server: SocketAddr,
        /// What was tried.
        reason: String,
    },
    /// The kernel refused a step of the setup.
    #[error("the packet capture failed to {step}: {reason}", reason = clean_sentence(.reason))]
    Setup {
        /// The step.
        step: &'static str,
        /// The operating system's words.
        reason: String,
    },
    /// Packets that the kernel has counted were not seen in time.
    #[error("{missing} captured packets were still unread after {millis} ms")]
    Behind {
        /// Packets that are missing.
        missing: u64,
        /// How long was waited, in milliseconds.
        millis: u64,
    },
}

impl CaptureError {
    /// Stable identifier in kebab case.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOffered { .. } => "capture-not-offered",
            Self::NotPermitted => "capture-not-permitted",
            Self::NoInterface { .. } => "capture-no-interface",
            Self::Setup { .. } => "capture-setup",
            Self::Behind { .. } => "capture-behind",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotOffered { .. } => "use the kernel's socket stamps or those of the process instead",
            Self::NotPermitted => {
                "give the binary the privilege CAP_NET_RAW (`sudo setcap cap_net_raw+ep` and its path), run as root, \
                 or use another source of stamps"
            }
            Self::NoInterface { .. } => "check the server's address and this machine's routes",
            Self::Setup { .. } => "use another source of stamps; the kernel may lack packet rings or memory for one",
            Self::Behind { .. } => "the machine is too busy to follow the capture; leave it a core",
        };
        Some(hint.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::CaptureError;

    #[test]
    fn every_error_has_its_own_code_and_a_hint() {
        let server = ([127, 0, 0, 1], 80).into();
        let errors = [
            CaptureError::NotOffered { reason: String::new() },
            CaptureError::NotPermitted,
            CaptureError::NoInterface { server, reason: String::new() },
            CaptureError::Setup { step: "map the ring", reason: String::new() },
            CaptureError::Behind { missing: 1, millis: 1 },
        ];
        let codes: std::collections::BTreeSet<_> = errors.iter().map(CaptureError::code).collect();
        assert_eq!(codes.len(), errors.len());
        assert!(errors.iter().all(|error| error.hint().is_some() && error.code().starts_with("capture-")));
    }
}
