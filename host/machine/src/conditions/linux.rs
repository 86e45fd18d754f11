//! Reads the conditions from `/proc` and `/sys`.

use std::collections::BTreeMap;

use super::{Conditions, CpuClock, CpuThrottling, CpuTime, Load, Temperature};
use crate::{Found, cpu, memory, power, tree::Tree};

const CPUS: &str = "/sys/devices/system/cpu";
/// A machine has some dozens of sensors; a broken driver must not fill the record.
const SENSOR_LIMIT: usize = 256;

/// Reads everything but the GPUs; `busy_processes` has been counted elsewhere.
pub fn capture(tree: &Tree, busy_processes: Found<u32>) -> Conditions {
    let sizes = tree.text("/proc/meminfo").parse(|text| memory::parse_meminfo(&text));
    let stat = tree.text("/proc/stat");
    Conditions {
        logical_cores: stat.value().map(|text| processors(text)),
        load: tree.text("/proc/loadavg").parse(|text| parse_load(&text)),
        cpu_clock: cpu_clock(tree),
        governors: cpu::governors(tree),
        temperatures: temperatures(tree),
        cpu_throttling: throttling(tree),
        cpu_time: stat.parse(|text| parse_cpu_time(&text)),
        nvidia: Found::not_present("nvidia-smi"),
        amd: Found::not_present("rocm-smi"),
        power: power::linux(tree),
        memory_available_bytes: sizes.clone().map(|sizes| sizes.available_bytes),
        swap_used_bytes: sizes.map(|sizes| sizes.swap_used_bytes),
        busy_processes,
    }
}

/// Parses `/proc/loadavg`.
///
/// # Errors
/// A sentence when there are not three numbers.
pub fn parse_load(text: &str) -> Result<Load, String> {
    let mut numbers = text.split_ascii_whitespace().filter_map(|word| word.parse::<f64>().ok());
    let mut next = || numbers.next().filter(|load| load.is_finite()).ok_or("the load average has no three numbers");
    Ok(Load { one_minute: next()?, five_minutes: next()?, fifteen_minutes: next()? })
}

/// Parses the first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal.
///
/// # Errors
/// A sentence when that line is missing.
pub fn parse_cpu_time(text: &str) -> Result<CpuTime, String> {
    let line =
        text.lines().find_map(|line| line.strip_prefix("cpu ")).ok_or("/proc/stat has no line for all processors")?;
    let ticks: Vec<u64> = line.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
    let at = |index: usize| ticks.get(index).copied().unwrap_or(0);
    Ok(CpuTime {
        // The two columns for guests are contained in the first two.
        total_ticks: ticks.iter().take(8).fold(0, |sum, ticks| sum.saturating_add(*ticks)),
        idle_ticks: at(3).saturating_add(at(4)),
        stolen_ticks: at(7),
    })
}

fn processors(stat: &str) -> u32 {
    let lines = stat.lines().filter(|line| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    });
    u32::try_from(lines.count()).unwrap_or(u32::MAX)
}

fn cpu_clock(tree: &Tree) -> Found<CpuClock> {
    let mut clocks: Vec<f64> = tree
        .numbered(CPUS, "cpu")
        .into_iter()
        .filter_map(|n| tree.number::<f64>(&format!("{CPUS}/cpu{n}/cpufreq/scaling_cur_freq")))
        .map(|khz| khz / 1000.0)
        .collect();
    if clocks.is_empty() {
        let info = tree.value("/proc/cpuinfo").unwrap_or_default();
        let lines = info.lines().filter_map(|line| line.split_once(':'));
        clocks.extend(
            lines.filter(|(key, _)| key.trim() == "cpu MHz").filter_map(|(_, mhz)| mhz.trim().parse::<f64>().ok()),
        );
    }
    clocks.retain(|mhz| mhz.is_finite());
    if clocks.is_empty() {
        return Found::not_present("scaling_cur_freq or cpu MHz");
    }
    Found::present(CpuClock {
        min_mhz: clocks.iter().copied().fold(f64::INFINITY, f64::min),
        mean_mhz: clocks.iter().sum::<f64>() / clocks.len() as f64,
        max_mhz: clocks.iter().copied().fold(0.0, f64::max),
    })
}

/// Reads the sensors of `hwmon`, and those thermal zones that no `hwmon` entry repeats.
pub fn temperatures(tree: &Tree) -> Found<Vec<Temperature>> {
    const HWMON: &str = "/sys/class/hwmon";
    const ZONES: &str = "/sys/class/thermal";
    // The kernel gives thousandths of a degree.
    let celsius = |path: &str| tree.number::<f64>(path).map(|milli| milli / 1000.0);
    let mut sensors = Vec::new();
    for n in tree.numbered(HWMON, "hwmon") {
        let directory = format!("{HWMON}/hwmon{n}");
        let chip = tree.value(&format!("{directory}/name")).unwrap_or_else(|| "unnamed".to_owned());
        for file in tree.names(&directory) {
            let Some(stem) = file.strip_prefix("temp").and_then(|rest| rest.strip_suffix("_input")) else { continue };
            let Some(reading) = celsius(&format!("{directory}/{file}")) else { continue };
            let label = tree.value(&format!("{directory}/temp{stem}_label")).unwrap_or_else(|| format!("temp{stem}"));
            sensors.push(Temperature {
                sensor: format!("{chip}: {label}"),
                celsius: reading,
                critical_celsius: celsius(&format!("{directory}/temp{stem}_crit")),
            });
        }
    }
    if sensors.is_empty() {
        for n in tree.numbered(ZONES, "thermal_zone") {
            let Some(reading) = celsius(&format!("{ZONES}/thermal_zone{n}/temp")) else { continue };
            let kind = tree.value(&format!("{ZONES}/thermal_zone{n}/type")).unwrap_or_else(|| "unnamed".to_owned());
            sensors.push(Temperature { sensor: format!("zone: {kind}"), celsius: reading, critical_celsius: None });
        }
    }
    sensors.truncate(SENSOR_LIMIT);
    if sensors.is_empty() {
        return Found::not_present("/sys/class/hwmon or /sys/class/thermal");
    }
    Found::present(sensors)
}

fn throttling(tree: &Tree) -> Found<CpuThrottling> {
    let mut counters = None;
    for n in tree.numbered(CPUS, "cpu") {
        let at = |name: &str| tree.number::<u64>(&format!("{CPUS}/cpu{n}/thermal_throttle/{name}"));
        let (core, package) = (at("core_throttle_count"), at("package_throttle_count"));
        if core.is_some() || package.is_some() {
            let sum: &mut CpuThrottling = counters.get_or_insert_default();
            sum.core_events = sum.core_events.saturating_add(core.unwrap_or(0));
            // Every processor of a package repeats the package's counter.
            sum.package_events = sum.package_events.max(package.unwrap_or(0));
        }
    }
    Found::from_option(counters, "/sys/devices/system/cpu/cpu*/thermal_throttle")
}

/// Processor time of every process, and of the machine, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessTimes {
    /// Ticks of the machine, over all processors.
    pub machine_ticks: u64,
    /// Number of processors.
    pub processors: u32,
    /// Process id to ticks used.
    pub ticks: BTreeMap<u32, u64>,
}

/// Reads the processor time of every process; `None` when `/proc/stat` is missing.
pub fn process_times(tree: &Tree) -> Option<ProcessTimes> {
    let stat = tree.value("/proc/stat")?;
    let ticks = tree.numbered("/proc", "").into_iter().filter_map(|pid| {
        let stat = tree.value(&format!("/proc/{pid}/stat"))?;
        let fields = stat_fields(&stat)?;
        let at = |field: usize| fields.get(field)?.parse::<u64>().ok();
        // Fields 14 and 15 of proc(5); the list starts with field 3.
        Some((pid, at(11)?.saturating_add(at(12)?)))
    });
    Some(ProcessTimes {
        machine_ticks: parse_cpu_time(&stat).ok()?.total_ticks,
        processors: processors(&stat),
        ticks: ticks.collect(),
    })
}

/// Fields of `/proc/<pid>/stat` from the third on. The second is the name in parentheses, which may hold anything.
pub(crate) fn stat_fields(stat: &str) -> Option<Vec<&str>> {
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_ascii_whitespace().collect())
}

/// How many processes, other than this one and `own`, used at least a quarter of one processor between two moments.
pub fn busy(before: &ProcessTimes, after: &ProcessTimes, own: &[u32]) -> u32 {
    let elapsed = after.machine_ticks.saturating_sub(before.machine_ticks) / u64::from(after.processors.max(1));
    let threshold = (elapsed / 4).max(2);
    let this = std::process::id();
    let busy = after.ticks.iter().filter(|(pid, ticks)| {
        let used = before.ticks.get(pid).map_or(0, |earlier| ticks.saturating_sub(*earlier));
        used >= threshold && **pid != this && !own.contains(pid)
    });
    u32::try_from(busy.count()).unwrap_or(u32::MAX)
}
