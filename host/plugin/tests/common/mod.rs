//! Loading the test guests.
#![allow(dead_code, clippy::allow_attributes, reason = "each test binary uses its own part")]

use std::path::PathBuf;
use std::sync::LazyLock;

use bench_plugin::driver_types::{Encoded, LocatedEvent, Target};
use bench_plugin::types::{CacheMode, Event, Generation, Prompt, Sampling};
use bench_plugin::{Driver, Fault, Host, HostOptions, Limits, LoadError, Profile};

/// One host for all tests of a process; compiled code is kept below the target folder, so that only a change costs time.
pub static HOST: LazyLock<Host> = LazyLock::new(|| {
    Host::new(HostOptions { cache: Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled")) })
});

/// The component of a case.
pub fn guest(case: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/guests/{case}.wasm"));
    std::fs::read(path).unwrap()
}

pub fn driver(case: &str) -> Result<Driver, LoadError> {
    driver_under(case, Limits::DEFAULT, Profile::Codec)
}

pub fn driver_under(case: &str, limits: Limits, profile: Profile) -> Result<Driver, LoadError> {
    HOST.load_with_profile(&guest(case), limits, profile)?.driver()
}

/// Asks for a request to the model of this name.
pub fn encode(driver: &mut Driver, model: &str) -> Result<Encoded, Fault> {
    let generation = Generation {
        prompt: Prompt::Text("hello".to_owned()),
        tools: Vec::new(),
        max_tokens: 1,
        force_length: false,
        stop: Vec::new(),
        sampling: Sampling { temperature: None, top_p: None, top_k: None, seed: None },
        cache: CacheMode::Cold,
        salt: None,
        logprobs: None,
    };
    let target = Target { model: model.to_owned(), version: None, params: "{}".to_owned() };
    driver.encode(&generation, &target)
}

/// The text of a text event.
pub fn text(event: &LocatedEvent) -> &str {
    match &event.event {
        Event::Text(text) => text,
        other => panic!("not text: {other:?}"),
    }
}
