//! `bench registry conformance`.

use bench_install::{Conformance, Step, now};

use super::runtime;
use crate::distribution::{ConformanceArgs, ConformanceStep};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// One step of the conformance tests.
pub fn conformance(args: &ConformanceArgs) -> Outcome {
    let client = Conformance {
        metadata_dir: args.metadata_dir.clone(),
        metadata_url: args.metadata_url.clone(),
        target_base_url: args.target_base_url.clone(),
        target_dir: args.target_dir.clone(),
    };
    let step = match &args.step {
        ConformanceStep::Init { root } => Step::Init(root.clone()),
        ConformanceStep::Refresh => Step::Refresh,
        ConformanceStep::Download => Step::Download(args.target_name.clone()),
    };
    // Those tests know two ways to end: 0 and 1.
    let done = runtime()?.block_on(client.run(&step, now()));
    done.map_err(|error| Failure { exit: Exit::Failure, ..error.into() })?;
    Ok(Exit::Success)
}
