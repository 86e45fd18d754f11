//! Why a simulated engine could not be started.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

/// Why a simulated engine could not be started.
#[derive(Debug, Error)]
pub enum SimError {
    /// A field of the configuration is out of range or contradicts another.
    #[error("simulated engine: `{field}` {problem}")]
    Config {
        /// The field, as written in the configuration.
        field: &'static str,
        /// What is wrong with it, as a clause.
        problem: String,
    },
    /// The address is reachable from other machines.
    #[error("simulated engine: {0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The address could not be listened on.
    #[error("simulated engine: cannot listen on {address}: {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// A thread or its event loop could not be started.
    #[error("simulated engine: cannot start its threads: {0}")]
    Thread(io::Error),
}

impl SimError {
    /// A stable name for the kind of failure.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config { .. } => "sim-config",
            Self::NotLoopback(_) => "sim-not-loopback",
            Self::Bind { .. } => "sim-bind",
            Self::Thread(_) => "sim-thread",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Config { .. } => None,
            Self::NotLoopback(address) => Some(format!(
                "use 127.0.0.1:{}: the simulated engine has no access control and serves this machine only",
                address.port()
            )),
            Self::Bind { address, .. } => {
                Some(format!("is something else listening on port {}? Port 0 picks a free one", address.port()))
            }
            Self::Thread(_) => Some("check the limits on threads and open files (`ulimit -a`)".to_owned()),
        }
    }
}
