//! The cores that may be used, and what else the machine is doing.

use std::fs;

use serde::Serialize;

use super::process::{Taken, output, watcher};

/// Where the two sides run; none where they cannot be pinned.
#[derive(Debug, Clone, Serialize)]
pub struct Cores {
    pub engine: Option<usize>,
    pub client: Option<usize>,
    /// Why not, where not.
    pub note: Option<String>,
}

/// What the machine is and does.
#[derive(Debug, Clone, Serialize)]
pub struct State {
    pub processor: String,
    pub kernel: String,
    /// Load averages of 1, 5 and 15 minutes.
    pub load: String,
    /// What the machine takes from the engine's and the client's core while both are busy.
    pub taken: Option<[Taken; 2]>,
}

impl Cores {
    /// The first two cores that this process may use.
    pub fn find() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mut version = std::process::Command::new("taskset");
        version.arg("--version");
        if output(version, std::time::Duration::from_secs(5)).is_err() {
            return Self::anywhere("`taskset` is not here, so nothing is pinned");
        }
        match allowed(&status).as_slice() {
            [engine, client, ..] => Self { engine: Some(*engine), client: Some(*client), note: None },
            _ => Self::anywhere("fewer than two cores may be used, so nothing is pinned"),
        }
    }

    fn anywhere(why: &str) -> Self {
        Self { engine: None, client: None, note: Some(why.to_owned()) }
    }
}

/// The cores in `Cpus_allowed_list` of a process's status, such as `0-3,8`.
fn allowed(status: &str) -> Vec<usize> {
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    let ranges = list.trim().split(',').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse().ok()?..=last.parse().ok()?)
    });
    ranges.flatten().collect()
}

/// Resident memory in KiB, from a process's status.
pub fn resident_kib(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

impl Cores {
    /// Watches both cores at once. `None` where that cannot be done.
    fn taken(&self) -> Option<[Taken; 2]> {
        let watchers = [self.engine?, self.client?].map(|core| watcher(Some(core), WATCHED_MS));
        let mut taken = watchers.map(|watcher| {
            let seen = watcher.ok()?.wait_with_output().ok()?;
            serde_json::from_slice(&seen.stdout).ok()
        });
        Some([taken[0].take()?, taken[1].take()?])
    }
}

impl State {
    /// For people: what was taken, when a figure of this machine may be its own doing.
    pub fn taken(&self) -> Option<String> {
        let of = |name: &str, Taken { lost_ms, longest_ms, of_ms }: &Taken| {
            format!("{:.2} % of the {name}'s core, {longest_ms:.2} ms at once", lost_ms / of_ms * 100.0)
        };
        let [engine, client] = self.taken.as_ref()?;
        Some(format!("{}; {}", of("engine", engine), of("client", client)))
    }
}

/// How long cores are watched.
const WATCHED_MS: u64 = 3000;

/// What the machine is doing now.
pub fn state(cores: &Cores) -> State {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let load = read("/proc/loadavg");
    State {
        processor: name.map_or_else(|| "unknown".to_owned(), |(_, name)| name.trim().to_owned()),
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        load: load.split_whitespace().take(3).collect::<Vec<_>>().join(" "),
        taken: cores.taken(),
    }
}

#[cfg(test)]
mod tests {
    use super::{allowed, resident_kib};

    #[test]
    fn cores_are_read_from_lists_and_ranges() {
        assert_eq!(allowed("Name:\tx\nCpus_allowed_list:\t0-2,8\n"), [0, 1, 2, 8]);
        assert_eq!(allowed("Cpus_allowed_list:\t5\n"), [5]);
        assert!(allowed("").is_empty() && allowed("Cpus_allowed_list:\tx-y,\n").is_empty());
    }

    #[test]
    fn resident_memory_is_read_from_the_status() {
        assert_eq!(resident_kib("VmPeak:\t  10 kB\nVmRSS:\t   10432 kB\n"), Some(10_432));
        assert_eq!(resident_kib("VmRSS:\tmuch\n"), None);
    }
}
