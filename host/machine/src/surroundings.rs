//! What the host runs inside: containers, virtual machines, and the limits they set.
//!
//! A benchmark inside a container with half the processors is a benchmark of half the machine, and nothing else in the
//! fingerprint would show it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Found, cpu::count_of_list, os::Board, tree::Tree};

/// Containers, virtual machines and limits around this process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Surroundings {
    /// Kind of container, such as `docker`; absent outside of one.
    pub container: Option<String>,
    /// Kind of hypervisor, such as `kvm`; `unknown` where only the processor tells of one; absent on bare metal.
    pub virtual_machine: Option<String>,
    /// Version of the Windows Subsystem for Linux.
    pub wsl_version: Option<u8>,
    /// What the two findings above rest on.
    pub evidence: Vec<String>,
    /// Limits of the control groups around this process.
    pub limits: Limits,
}

/// Limits of the control groups, the tightest of all levels. Absent means unlimited.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// Processor time, in processors: 2.5 means two and a half.
    pub cpu_cores: Option<f64>,
    /// Memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// Processors that this process may run on.
    pub allowed_cpus: Option<u32>,
}

/// Facts that containers and hypervisors leave behind.
#[derive(Debug, Clone, Default)]
pub struct Clues {
    /// `/.dockerenv` exists.
    pub docker_file: bool,
    /// Contents of `/run/.containerenv` (Podman).
    pub container_file: Option<String>,
    /// `/proc/1/cgroup`.
    pub first_cgroup: String,
    /// `container=` of systemd, from `/run/systemd/container`.
    pub systemd_container: Option<String>,
    /// A Kubernetes service address is in the environment.
    pub kubernetes: bool,
    /// The board.
    pub board: Board,
    /// The processor reports a hypervisor.
    pub hypervisor_flag: bool,
    /// `/sys/hypervisor/type` (Xen).
    pub hypervisor_type: Option<String>,
    /// Clocks that the kernel can use, from `available_clocksource`.
    pub clock_sources: String,
    /// `kern.hv_vmm_present` of macOS.
    pub guest_of_macos: bool,
    /// Kernel release.
    pub kernel_release: String,
}

/// Draws the conclusion from the clues.
pub fn conclude(clues: &Clues) -> Surroundings {
    let mut evidence = Vec::new();
    let container = container(clues, &mut evidence);
    let release = clues.kernel_release.to_lowercase();
    let wsl_version = release.contains("microsoft").then(|| {
        evidence.push("kernel release names Microsoft".to_owned());
        // Version 1 has no Linux kernel; it reports a release that ends in "-Microsoft".
        if release.contains("wsl2") || !release.ends_with("-microsoft") { 2 } else { 1 }
    });
    let virtual_machine = match wsl_version {
        Some(2) => Some("hyper-v".to_owned()),
        _ => hypervisor(clues, &mut evidence),
    };
    Surroundings { container, virtual_machine, wsl_version, evidence, limits: Limits::default() }
}

fn container(clues: &Clues, evidence: &mut Vec<String>) -> Option<String> {
    let mut kind = None;
    let mut conclude = |name: &str, because: &str| {
        evidence.push(because.to_owned());
        kind.get_or_insert_with(|| name.to_owned());
    };
    if clues.kubernetes {
        conclude("kubernetes", "Kubernetes service address in the environment");
    }
    if let Some(text) = &clues.container_file {
        let engine = text.lines().find_map(|line| line.strip_prefix("engine="));
        let name = if engine.is_none_or(|engine| engine.contains("podman")) { "podman" } else { "oci" };
        conclude(name, "/run/.containerenv exists");
    }
    if clues.docker_file {
        conclude("docker", "/.dockerenv exists");
    }
    if let Some(name) = &clues.systemd_container {
        conclude(name, "/run/systemd/container names one");
    }
    for (mark, name) in [
        ("kubepods", "kubernetes"),
        ("/docker", "docker"),
        ("libpod", "podman"),
        ("/lxc", "lxc"),
        ("containerd", "containerd"),
    ] {
        if clues.first_cgroup.contains(mark) {
            conclude(name, "control group of process 1 names one");
            break;
        }
    }
    kind
}

fn hypervisor(clues: &Clues, evidence: &mut Vec<String>) -> Option<String> {
    let vendor = clues.board.system_vendor.as_deref().unwrap_or_default();
    let product = clues.board.product.as_deref().unwrap_or_default();
    let by_firmware = match (vendor, product) {
        ("Amazon EC2", product) if product.ends_with(".metal") => None,
        ("Amazon EC2", _) => Some("amazon-ec2"),
        ("Google", "Google Compute Engine") => Some("google-compute-engine"),
        ("Microsoft Corporation", "Virtual Machine") => Some("hyper-v"),
        ("DigitalOcean", _) => Some("digitalocean"),
        ("Xen", _) => Some("xen"),
        (vendor, _) if vendor.starts_with("VMware") => Some("vmware"),
        (vendor, _) if vendor.starts_with("Parallels") => Some("parallels"),
        (vendor, _) if vendor.starts_with("Apple") && product.contains("Virtual") => Some("apple-virtualization"),
        (_, product) if product.contains("VirtualBox") => Some("virtualbox"),
        (_, product) if product.contains("OpenStack") => Some("openstack"),
        (_, product) if product.contains("KVM") => Some("kvm"),
        (_, product) if product.contains("BHYVE") => Some("bhyve"),
        ("QEMU", _) | (_, "Bochs") => Some("qemu"),
        _ => None,
    };
    if let Some(name) = by_firmware {
        evidence.push("the firmware names a hypervisor".to_owned());
        return Some(name.to_owned());
    }
    if let Some(kind) = &clues.hypervisor_type {
        evidence.push("/sys/hypervisor/type names one".to_owned());
        return Some(kind.clone());
    }
    for (mark, name) in [("kvm-clock", "kvm"), ("hyperv", "hyper-v"), ("xen", "xen")] {
        if clues.clock_sources.contains(mark) {
            evidence.push("the kernel has a clock of a hypervisor".to_owned());
            return Some(name.to_owned());
        }
    }
    if clues.hypervisor_flag {
        evidence.push("the processor reports a hypervisor".to_owned());
        return Some("unknown".to_owned());
    }
    if clues.guest_of_macos {
        evidence.push("kern.hv_vmm_present is 1".to_owned());
        return Some("unknown".to_owned());
    }
    None
}

/// Reads the surroundings on Linux.
pub fn linux(tree: &Tree, board: &Board) -> Surroundings {
    let cpuinfo = tree.value("/proc/cpuinfo").unwrap_or_default();
    let flag = cpuinfo
        .lines()
        .find(|line| line.starts_with("flags"))
        .is_some_and(|line| line.split_ascii_whitespace().any(|flag| flag == "hypervisor"));
    let clues = Clues {
        docker_file: tree.exists("/.dockerenv"),
        container_file: match tree.text("/run/.containerenv") {
            Found::Present { value } => Some(value),
            _ => None,
        },
        first_cgroup: tree.value("/proc/1/cgroup").unwrap_or_default(),
        systemd_container: tree.value("/run/systemd/container"),
        kubernetes: std::env::var_os("KUBERNETES_SERVICE_HOST").is_some(),
        board: board.clone(),
        hypervisor_flag: flag,
        hypervisor_type: tree.value("/sys/hypervisor/type"),
        clock_sources: tree
            .value("/sys/devices/system/clocksource/clocksource0/available_clocksource")
            .unwrap_or_default(),
        guest_of_macos: false,
        kernel_release: tree.value("/proc/sys/kernel/osrelease").unwrap_or_default(),
    };
    Surroundings { limits: limits(tree), ..conclude(&clues) }
}

/// Reads the limits of the control groups of this process, version 1, version 2 or both.
pub fn limits(tree: &Tree) -> Limits {
    let groups = parse_cgroup(&tree.value("/proc/self/cgroup").unwrap_or_default());
    let mut limits = Limits {
        allowed_cpus: tree
            .value("/proc/self/status")
            .and_then(|status| status_field(&status, "Cpus_allowed_list").and_then(count_of_list)),
        ..Limits::default()
    };
    for group in &groups {
        // A container sees its own group as the root of the mount, whatever path /proc names; the walk ends there.
        for directory in ancestors(&group.path) {
            if group.controllers.is_empty() {
                for mount in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
                    let at = |file: &str| tree.value(&format!("{mount}{directory}/{file}"));
                    tighten(&mut limits.cpu_cores, at("cpu.max").and_then(|text| parse_cpu_max(&text)));
                    tighten(&mut limits.memory_bytes, at("memory.max").and_then(|text| text.parse().ok()));
                }
            }
            if group.controllers.iter().any(|name| name == "cpu") {
                let at = |file: &str| tree.number::<i64>(&format!("/sys/fs/cgroup/cpu{directory}/{file}"));
                let share = at("cpu.cfs_quota_us").zip(at("cpu.cfs_period_us")).and_then(|(q, p)| quota(q, p));
                tighten(&mut limits.cpu_cores, share);
            }
            if group.controllers.iter().any(|name| name == "memory") {
                let bytes = tree.number::<u64>(&format!("/sys/fs/cgroup/memory{directory}/memory.limit_in_bytes"));
                // Version 1 says "unlimited" with the largest multiple of the page size.
                tighten(&mut limits.memory_bytes, bytes.filter(|bytes| *bytes < 1 << 60));
            }
        }
    }
    limits
}

fn tighten<N: PartialOrd + Copy>(limit: &mut Option<N>, other: Option<N>) {
    if let Some(other) = other
        && limit.is_none_or(|limit| other < limit)
    {
        *limit = Some(other);
    }
}

/// A line of `/proc/self/cgroup`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Controllers of a version 1 hierarchy; empty for version 2.
    pub controllers: Vec<String>,
    /// Path below the hierarchy's root.
    pub path: String,
}

/// Parses `/proc/self/cgroup`: `hierarchy:controllers:path` lines.
pub fn parse_cgroup(text: &str) -> Vec<Group> {
    text.lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, ':');
            let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
            let controllers = controllers.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
            // A path that climbs out of the hierarchy would read files of something else.
            (!path.split('/').any(|part| part == "..")).then(|| Group { controllers, path: path.to_owned() })
        })
        .collect()
}

/// The path and its ancestors, the root as an empty string.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path.trim_end_matches('/')), |path| Some(&path[..path.rfind('/')?])).take(64)
}

/// Processors from `cpu.max` of version 2: `150000 100000` is 1.5, `max 100000` no limit.
pub fn parse_cpu_max(text: &str) -> Option<f64> {
    let (share, period) = text.trim().split_once(' ')?;
    quota(share.parse().ok()?, period.parse().ok()?)
}

fn quota(share: i64, period: i64) -> Option<f64> {
    (share > 0 && period > 0).then(|| share as f64 / period as f64)
}

/// A field of `/proc/<pid>/status`.
pub(crate) fn status_field<'a>(status: &'a str, wanted: &str) -> Option<&'a str> {
    let (_, value) = status.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| *key == wanted)?;
    Some(value.trim())
}
