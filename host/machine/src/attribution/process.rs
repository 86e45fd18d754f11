//! The process behind a socket, as far as a record may show it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{conditions::linux::stat_fields, redact, surroundings::status_field, tree::Tree};

/// A process that listens on the endpoint's port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListeningProcess {
    /// Process id.
    pub pid: u32,
    /// Name that the process gives itself.
    pub name: String,
    /// File name of its program.
    pub executable: String,
    /// Its arguments, with secrets masked and home directories shortened.
    pub command_line: Vec<String>,
    /// Settings from its environment that change how engines compute, with secrets masked, sorted.
    pub environment: Vec<String>,
    /// When it started, in seconds since 1970.
    pub started_unix_seconds: Option<u64>,
    /// Memory that it holds, in bytes; weights that it maps from a file count as far as they are resident.
    pub resident_bytes: Option<u64>,
    /// Its threads.
    pub threads: Option<u32>,
    /// Processors that it may run on, as a list: `0-7,16`.
    pub cpu_affinity: Option<String>,
}

/// Variables that say how an engine computes.
const PREFIXES: [&str; 21] = [
    "VLLM_",
    "SGLANG_",
    "SGL_",
    "GGML_",
    "LLAMA_",
    "OLLAMA_",
    "MLX_",
    "OMP_",
    "MKL_",
    "KMP_",
    "CUDA_",
    "NVIDIA_",
    "NCCL_",
    "HIP_",
    "ROCR_",
    "HSA_",
    "AMD_",
    "PYTORCH_",
    "TORCH_",
    "TRTLLM_",
    "TENSORRT_",
];
const VARIABLE_LIMIT: usize = 128;

/// Processes that hold one of the sockets, the oldest first.
pub(super) fn holders(tree: &Tree, inodes: &[u64]) -> Vec<ListeningProcess> {
    let names: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    let mut holders: Vec<ListeningProcess> = tree
        .numbered("/proc", "")
        .into_iter()
        .filter(|pid| {
            let directory = format!("/proc/{pid}/fd");
            tree.names(&directory).iter().any(|descriptor| {
                tree.link_name(&format!("{directory}/{descriptor}")).is_some_and(|target| names.contains(&target))
            })
        })
        .map(|pid| describe(tree, pid))
        .collect();
    holders.sort_by_key(|process| (process.started_unix_seconds, process.pid));
    holders
}

fn describe(tree: &Tree, pid: u32) -> ListeningProcess {
    let at = |file: &str| format!("/proc/{pid}/{file}");
    let list = |file: &str| {
        let bytes = tree.bytes(&at(file)).into_value().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.trim_end_matches('\0').split('\0').map(str::to_owned).collect::<Vec<String>>()
    };
    let status = tree.value(&at("status")).unwrap_or_default();
    let kilobytes = |text: &str| text.trim_end_matches("kB").trim().parse::<u64>().ok()?.checked_mul(1024);
    let name = tree.value(&at("comm")).unwrap_or_default();
    let executable = tree.link_name(&at("exe")).map(|name| name.trim_end_matches(" (deleted)").to_owned());
    ListeningProcess {
        pid,
        executable: executable.unwrap_or_else(|| name.clone()),
        name,
        command_line: redact::command_line(&list("cmdline")),
        environment: settings(&list("environ")),
        started_unix_seconds: tree
            .value(&at("stat"))
            .zip(tree.value("/proc/stat"))
            .and_then(|(stat, machine)| parse_stat_start(&stat, &machine, ticks_per_second())),
        resident_bytes: status_field(&status, "VmRSS").and_then(kilobytes),
        threads: status_field(&status, "Threads").and_then(|count| count.parse().ok()),
        cpu_affinity: status_field(&status, "Cpus_allowed_list").map(str::to_owned),
    }
}

/// Keeps the variables that say how an engine computes, secrets masked.
fn settings(environment: &[String]) -> Vec<String> {
    let mut settings: Vec<String> = environment
        .iter()
        .filter(|entry| PREFIXES.iter().any(|prefix| entry.starts_with(prefix)))
        .map(|entry| redact::text(entry))
        .take(VARIABLE_LIMIT)
        .collect();
    settings.sort();
    settings
}

/// When a process started, in seconds since 1970, from `/proc/<pid>/stat` (ticks after the machine's start) and
/// `/proc/stat` (the machine's start).
pub fn parse_stat_start(stat: &str, machine: &str, ticks_per_second: u64) -> Option<u64> {
    let booted: u64 = machine.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    // Field 22 of proc(5); the list starts with field 3.
    let ticks: u64 = stat_fields(stat)?.get(19)?.parse().ok()?;
    booted.checked_add(ticks.checked_div(ticks_per_second)?)
}

#[cfg(unix)]
fn ticks_per_second() -> u64 {
    // SAFETY: sysconf takes a constant and touches no memory of ours.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).unwrap_or(100)
}

#[cfg(not(unix))]
const fn ticks_per_second() -> u64 {
    100
}

/// Parses `lsof -Fpc`: a line `p<pid>`, then a line `c<name>`.
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux reads /proc instead"))]
pub(super) fn parse_lsof(text: &str) -> Result<ListeningProcess, String> {
    let field = |letter: char| text.lines().find_map(|line| line.strip_prefix(letter)).map(str::trim);
    let pid = field('p').and_then(|pid| pid.parse().ok()).ok_or("lsof named no process")?;
    let name = field('c').ok_or("lsof named no program")?.to_owned();
    Ok(ListeningProcess { pid, executable: name.clone(), name, ..ListeningProcess::default() })
}
