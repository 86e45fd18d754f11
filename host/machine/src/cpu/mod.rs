//! The processor: what it is, how it is arranged and which settings decide its clock.

pub mod cpuinfo;
pub mod sysctl;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Found, tree::Tree};

/// The processor or processors of the machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cpu {
    /// Maker, such as `AuthenticAMD`, `GenuineIntel`, `ARM` or `Apple`.
    pub vendor: Option<String>,
    /// Product name; on ARM the names and counts of the core designs.
    pub model: Option<String>,
    /// Microcode revision.
    pub microcode: Option<String>,
    /// Processor packages.
    pub sockets: Option<u32>,
    /// Cores, without their hardware threads.
    pub physical_cores: Option<u32>,
    /// Processors that the system schedules on.
    pub logical_cores: u32,
    /// Cores by kind where there are several kinds, such as `Performance` and `Efficiency`.
    pub core_kinds: BTreeMap<String, u32>,
    /// Guaranteed clock.
    pub base_clock_mhz: Option<f64>,
    /// Highest clock that the system may set.
    pub max_clock_mhz: Option<f64>,
    /// Mean clock of all processors when the fingerprint was taken.
    pub current_clock_mhz: Option<f64>,
    /// Memory nodes.
    pub numa_nodes: Option<u32>,
    /// Caches of all processors together, smallest level first.
    pub caches: Vec<Cache>,
    /// Instruction set extensions that inference kernels choose by, sorted.
    pub instruction_sets: Vec<String>,
    /// Names of the frequency governors in use.
    pub governors: Found<Vec<String>>,
    /// The driver behind the governor, such as `amd-pstate-epp`.
    pub scaling_driver: Option<String>,
    /// Energy preference that the driver was given, such as `balance_performance`.
    pub energy_preference: Option<String>,
    /// Whether clocks above the base clock are allowed.
    pub turbo: Found<bool>,
    /// Simultaneous multithreading: `on`, `off`, `forceoff`, `notsupported` or `notimplemented`.
    pub smt: Found<String>,
}

/// One kind of cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cache {
    /// 1 for the one nearest to the core.
    pub level: u8,
    /// `data`, `instruction` or `unified`.
    pub kind: String,
    /// Size of one instance.
    pub bytes: u64,
    /// How many there are.
    pub instances: u32,
}

const CPUS: &str = "/sys/devices/system/cpu";

/// Reads the processor of a Linux machine.
pub fn linux(tree: &Tree) -> Found<Cpu> {
    tree.text("/proc/cpuinfo").parse(|text| {
        let info = cpuinfo::parse(&text)?;
        let numbers = tree.numbered(CPUS, "cpu");
        let frequency = |name: &str| -> Option<f64> {
            let highest =
                numbers.iter().filter_map(|n| tree.number::<u64>(&format!("{CPUS}/cpu{n}/cpufreq/{name}"))).max()?;
            Some(highest as f64 / 1000.0)
        };
        Ok(Cpu {
            sockets: info.sockets,
            physical_cores: info.physical_cores.or_else(|| cores_from_topology(tree, &numbers)),
            logical_cores: info.logical_cores,
            core_kinds: info.core_kinds,
            base_clock_mhz: frequency("base_frequency").or(info.nominal_clock_mhz),
            max_clock_mhz: frequency("cpuinfo_max_freq"),
            current_clock_mhz: current_clock(tree, &numbers).or(info.current_clock_mhz),
            numa_nodes: tree.value("/sys/devices/system/node/online").and_then(|list| count_of_list(&list)),
            caches: caches(tree, &numbers),
            instruction_sets: info.instruction_sets,
            governors: governors(tree),
            scaling_driver: tree.value(&format!("{CPUS}/cpu0/cpufreq/scaling_driver")),
            energy_preference: tree.value(&format!("{CPUS}/cpu0/cpufreq/energy_performance_preference")),
            turbo: turbo(tree),
            smt: Found::from_option(tree.value(&format!("{CPUS}/smt/control")), "/sys/devices/system/cpu/smt/control"),
            vendor: info.vendor,
            model: info.model.or_else(|| tree.value("/proc/device-tree/model")),
            microcode: info.microcode,
        })
    })
}

/// Names of the governors in use, without repeats.
pub(crate) fn governors(tree: &Tree) -> Found<Vec<String>> {
    let names: BTreeSet<String> = tree
        .numbered(CPUS, "cpu")
        .into_iter()
        .filter_map(|n| tree.value(&format!("{CPUS}/cpu{n}/cpufreq/scaling_governor")))
        .collect();
    if names.is_empty() {
        return Found::not_present("/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor");
    }
    Found::present(names.into_iter().collect())
}

fn current_clock(tree: &Tree, numbers: &[u32]) -> Option<f64> {
    let clocks: Vec<f64> = numbers
        .iter()
        .filter_map(|n| tree.number::<f64>(&format!("{CPUS}/cpu{n}/cpufreq/scaling_cur_freq")))
        .map(|khz| khz / 1000.0)
        .collect();
    (!clocks.is_empty()).then(|| clocks.iter().sum::<f64>() / clocks.len() as f64)
}

fn cores_from_topology(tree: &Tree, numbers: &[u32]) -> Option<u32> {
    let cores: BTreeSet<(String, String)> = numbers
        .iter()
        .filter_map(|n| {
            let at = |name: &str| tree.value(&format!("{CPUS}/cpu{n}/topology/{name}"));
            Some((at("physical_package_id")?, at("core_id")?))
        })
        .collect();
    u32::try_from(cores.len()).ok().filter(|count| *count > 0)
}

fn turbo(tree: &Tree) -> Found<bool> {
    // intel_pstate says "no turbo", the generic driver says "boost".
    let no_turbo = tree.number::<u8>(&format!("{CPUS}/intel_pstate/no_turbo")).map(|off| off == 0);
    let boost = || tree.number::<u8>(&format!("{CPUS}/cpufreq/boost")).map(|on| on != 0);
    Found::from_option(no_turbo.or_else(boost), "intel_pstate/no_turbo or cpufreq/boost")
}

fn caches(tree: &Tree, numbers: &[u32]) -> Vec<Cache> {
    // One physical cache shows up under every processor that shares it; the list of sharers tells them apart.
    let mut instances: BTreeMap<(u8, String, u64), BTreeSet<String>> = BTreeMap::new();
    for n in numbers {
        let directory = format!("{CPUS}/cpu{n}/cache");
        for index in tree.numbered(&directory, "index") {
            let at = |name: &str| tree.value(&format!("{directory}/index{index}/{name}"));
            let (Some(level), Some(kind), Some(bytes), Some(sharers)) = (
                at("level").and_then(|level| level.parse().ok()),
                at("type"),
                at("size").and_then(|size| cache_bytes(&size)),
                at("shared_cpu_list"),
            ) else {
                continue;
            };
            instances.entry((level, kind.to_lowercase(), bytes)).or_default().insert(sharers);
        }
    }
    instances
        .into_iter()
        .map(|((level, kind, bytes), sharers)| Cache {
            level,
            kind,
            bytes,
            instances: u32::try_from(sharers.len()).unwrap_or(u32::MAX),
        })
        .collect()
}

/// Bytes of a size as the kernel writes it: `48K`, `32768K`, `1M`.
pub fn cache_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// How many numbers a kernel list names: `0-3,8` names five. `None` when it is not a list.
pub fn count_of_list(text: &str) -> Option<u32> {
    let mut count = 0_u32;
    for part in text.trim().split(',') {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        let (low, high): (u32, u32) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        count = count.checked_add(high.checked_sub(low)?.checked_add(1)?)?;
    }
    Some(count)
}

/// The processor where only a library can tell.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(crate) fn other(system: &sysinfo::System) -> Found<Cpu> {
    let Some(first) = system.cpus().first() else { return Found::failed("the system names no processor") };
    let absent = "a setting that this system has";
    Found::present(Cpu {
        vendor: Some(first.vendor_id().to_owned()),
        model: Some(first.brand().trim().to_owned()),
        microcode: None,
        sockets: None,
        physical_cores: sysinfo::System::physical_core_count().ok().and_then(|count| u32::try_from(count).ok()),
        logical_cores: u32::try_from(system.cpus().len()).unwrap_or(u32::MAX),
        core_kinds: BTreeMap::new(),
        base_clock_mhz: None,
        max_clock_mhz: None,
        current_clock_mhz: Some(first.frequency() as f64),
        numa_nodes: None,
        caches: Vec::new(),
        instruction_sets: Vec::new(),
        governors: Found::not_present(absent),
        scaling_driver: None,
        energy_preference: None,
        turbo: Found::not_present(absent),
        smt: Found::not_present(absent),
    })
}
