//! `bench sim`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use bench_files::{FilesError, read_bounded};
use bench_sim::{Sim, SimConfig};
use bench_text::clean_sentence;

use super::runtime;
use crate::cli::SimArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output;

/// Serves the simulated engine until it is interrupted.
pub fn sim(args: &SimArgs) -> Outcome {
    let config = args.config.as_deref().map_or_else(|| Ok(SimConfig::default()), read)?;
    if args.print_config {
        output::json(&config);
        return Ok(Exit::Success);
    }
    runtime()?.block_on(async {
        let sim = Sim::start(config, SocketAddr::from((Ipv4Addr::LOCALHOST, args.port)))?;
        // The address is data: a script that asked for port 0 reads it from here.
        output::data(&sim.url());
        output::say("this is a simulation; interrupt to end it");
        tokio::signal::ctrl_c().await.map_err(|error| Failure::machine("cannot wait for an interrupt", &error))?;
        sim.shutdown().await;
        Ok(Exit::Success)
    })
}

/// The largest configuration that is read: 1 MiB.
const LARGEST_CONFIG: u64 = 1 << 20;

fn read(path: &Path) -> Result<SimConfig, Failure> {
    let text = read_bounded(path, LARGEST_CONFIG).map_err(|error| match error {
        FilesError::Unreadable { path, error } => {
            Failure { exit: Exit::Input, ..Failure::machine(&format!("cannot read {}", path.display()), &error) }
        }
        other => other.into(),
    })?;
    serde_json::from_slice(&text).map_err(|error| Failure {
        code: "bad-config".to_owned(),
        message: format!("{}: {}", clean_sentence(path.display()), clean_sentence(&error)),
        hint: Some("`bench sim --print-config` shows every setting with its default".to_owned()),
        exit: Exit::Input,
    })
}
