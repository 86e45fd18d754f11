//! What the bundle costs at start-up: compiled for the first time, and from a warm compile cache, against reading the same
//! cache files and nothing else. As in the binary, the digests of the components are known beforehand.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use bench_plugin::{Host, HostOptions, Limits, Plugin};

mod common;
use common::{Component, Outcome, best, bundle, median, millis, rounds, row, timed};

fn main() -> Outcome {
    let components = bundle()?;
    let cache = tempfile::tempdir()?;
    let cold = pass(&components, cache.path())?;
    let (mut warm, mut read, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds(31) {
        let (bytes, reading) = timed(|| read_files(cache.path()));
        bytes?;
        let pass = pass(&components, cache.path())?;
        if round > 0 {
            ratio.push(millis(pass.loaded()) / millis(reading));
            read.push(millis(reading));
            warm.push(pass);
        }
    }
    let of = |take: &dyn Fn(&Pass) -> Duration| warm.iter().map(|pass| millis(take(pass))).collect::<Vec<f64>>();
    let middle = |values: Vec<f64>| format!("{:.2}", median(values));
    row(&["component", "bytes", "cold ms", "warm ms", "describe ms"]);
    for (index, component) in components.iter().enumerate() {
        row(&[
            &format!("{}/{}", component.kind, component.name),
            &component.bytes.len().to_string(),
            &format!("{:.1}", millis(cold.loads[index])),
            &middle(of(&|pass| pass.loads[index])),
            &middle(of(&|pass| pass.describes[index])),
        ]);
    }
    let bytes: usize = components.iter().map(|component| component.bytes.len()).sum();
    row(&[&format!("all {}", components.len()), &bytes.to_string(), &format!("{:.1}", millis(cold.loaded()))]);
    row(&["", "median ms", "best ms"]);
    let total = |name: &str, values: Vec<f64>| row(&[name, &middle(values.clone()), &format!("{:.2}", best(&values))]);
    total("all loaded", of(&Pass::loaded));
    total("all loaded and described", of(&|pass| pass.loaded() + pass.described()));
    total("reading the cache files", read);
    row(&["ratio of loading to reading", &middle(ratio)]);
    Ok(())
}

/// The times of loading everything once, by a host that is new.
struct Pass {
    host: Duration,
    loads: Vec<Duration>,
    describes: Vec<Duration>,
}

impl Pass {
    /// Without asking the components to describe themselves.
    fn loaded(&self) -> Duration {
        self.host + self.loads.iter().sum::<Duration>()
    }

    fn described(&self) -> Duration {
        self.describes.iter().sum()
    }
}

fn pass(components: &[Component], cache: &Path) -> Result<Pass, Box<dyn Error>> {
    let (host, made) = timed(|| Host::new(HostOptions { cache: Some(cache.to_owned()) }));
    let mut pass = Pass { host: made, loads: Vec::new(), describes: Vec::new() };
    let mut plugins: Vec<Plugin> = Vec::new();
    for component in components {
        let (plugin, took) = timed(|| host.load_known(&component.bytes, &component.sha256, Limits::DEFAULT));
        plugins.push(plugin?);
        pass.loads.push(took);
    }
    for (component, plugin) in components.iter().zip(&plugins) {
        // Handles are dropped outside of the timed part: a run keeps them.
        let took = if component.kind == "driver" {
            let (driver, took) = timed(|| plugin.driver());
            driver?;
            took
        } else {
            let (workload, took) = timed(|| plugin.workload());
            workload?;
            took
        };
        pass.describes.push(took);
    }
    Ok(pass)
}

/// All bytes below a folder.
fn read_files(folder: &Path) -> std::io::Result<usize> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        bytes += if path.is_dir() { read_files(&path)? } else { std::fs::read(&path)?.len() };
    }
    Ok(bytes)
}
