//! Turns two states into flags: reasons to read a result with care. A flag never rejects a result.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Conditions, CpuTime};
use crate::{
    gpu::{ClockLimit, GpuState, LimitedTime},
    power::PowerSource,
};

/// A reason to read a result with care.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Flag {
    /// What it is, for programs.
    pub code: FlagCode,
    /// What was seen, for people.
    pub sentence: String,
    /// What to do about it.
    pub hint: String,
}

/// Kinds of flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FlagCode {
    /// The processor was slowed down by heat during the run.
    CpuThrottled,
    /// A GPU was slowed down by heat or by its power supply.
    GpuThrottled,
    /// A GPU ran into its power limit.
    GpuPowerCapped,
    /// The machine ran on a battery.
    OnBattery,
    /// The power source changed during the run.
    PowerSourceChanged,
    /// The system saves power at the cost of speed.
    LowPowerMode,
    /// The frequency governor is not `performance`.
    GovernorNotPerformance,
    /// The machine had other work before the run.
    LoadBeforeStart,
    /// Other programs kept processors busy.
    BusyProcesses,
    /// A GPU worked before the run.
    GpuBusyBeforeStart,
    /// The hypervisor gave processor time to others.
    CpuStolen,
    /// Memory was written to swap during the run.
    Swapping,
}

impl FlagCode {
    /// The code as it stands in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CpuThrottled => "cpu-throttled",
            Self::GpuThrottled => "gpu-throttled",
            Self::GpuPowerCapped => "gpu-power-capped",
            Self::OnBattery => "on-battery",
            Self::PowerSourceChanged => "power-source-changed",
            Self::LowPowerMode => "low-power-mode",
            Self::GovernorNotPerformance => "governor-not-performance",
            Self::LoadBeforeStart => "load-before-start",
            Self::BusyProcesses => "busy-processes",
            Self::GpuBusyBeforeStart => "gpu-busy-before-start",
            Self::CpuStolen => "cpu-stolen",
            Self::Swapping => "swapping",
        }
    }
}

/// Load average per processor above which the machine counts as busy before the run.
const LOAD_PER_CORE: f64 = 0.25;
/// Share of processor time stolen above which a run is flagged.
const STOLEN_SHARE: f64 = 0.01;
/// Utilisation in percent above which a GPU counts as busy before the run.
const GPU_BUSY_PERCENT: f64 = 10.0;
/// Growth of swap above which a run is flagged: the kernel moves a few idle pages out at any time.
const SWAP_GROWTH_BYTES: u64 = 64 << 20;

impl Conditions {
    /// The flags of a run, in the order of [`FlagCode`], each at most once.
    pub fn compare(before: &Self, after: &Self) -> Vec<Flag> {
        let checks =
            [cpu_throttled, gpu_throttled, gpu_power_capped, on_battery, source_changed, low_power, governor, load];
        let more = [busy, gpu_busy, stolen, swapping];
        checks.into_iter().chain(more).filter_map(|check| check(before, after)).collect()
    }
}

fn flag(code: FlagCode, sentence: String, hint: &str) -> Option<Flag> {
    Some(Flag { code, sentence, hint: hint.to_owned() })
}

fn cpu_throttled(before: &Conditions, after: &Conditions) -> Option<Flag> {
    const HINT: &str = "Improve the cooling or let the machine cool down, then run again.";
    let after = after.cpu_throttling.value()?;
    if let Some(percent) = after.speed_limit_percent.filter(|percent| *percent < 100) {
        let sentence = format!("The system held the processor at {percent} % of its speed because of heat.");
        return flag(FlagCode::CpuThrottled, sentence, HINT);
    }
    let before = before.cpu_throttling.value()?;
    let cores = after.core_events.saturating_sub(before.core_events);
    let packages = after.package_events.saturating_sub(before.package_events);
    if cores + packages == 0 {
        return None;
    }
    let sentence = format!(
        "The processor was slowed down by heat during the run ({cores} times on a core, {packages} times as a whole)."
    );
    flag(FlagCode::CpuThrottled, sentence, HINT)
}

fn gpus(conditions: &Conditions) -> impl Iterator<Item = &GpuState> {
    [&conditions.nvidia, &conditions.amd].into_iter().flat_map(|found| found.value().into_iter().flatten())
}

/// GPUs of the second state with their first state, where there is one.
fn pairs<'a>(
    before: &'a Conditions,
    after: &'a Conditions,
) -> impl Iterator<Item = (Option<&'a GpuState>, &'a GpuState)> {
    gpus(after).map(|gpu| {
        let earlier = gpus(before).find(|earlier| earlier.vendor == gpu.vendor && earlier.index == gpu.index);
        (earlier, gpu)
    })
}

fn grew(before: Option<&GpuState>, after: &GpuState, counters: &[fn(&LimitedTime) -> Option<u64>]) -> bool {
    let Some((before, after)) = before.and_then(|gpu| gpu.limited_time).zip(after.limited_time) else { return false };
    counters.iter().any(|counter| counter(&before).zip(counter(&after)).is_some_and(|(before, after)| after > before))
}

fn limited(gpu: &GpuState, which: impl Fn(&ClockLimit) -> bool) -> bool {
    gpu.clock_limits.as_ref().is_some_and(|limits| limits.iter().any(which))
}

fn list(indices: &[u32]) -> String {
    let names: Vec<String> = indices.iter().map(ToString::to_string).collect();
    if names.len() == 1 { format!("GPU {}", names.concat()) } else { format!("GPUs {}", names.join(", ")) }
}

fn gpu_throttled(before: &Conditions, after: &Conditions) -> Option<Flag> {
    let counters: [fn(&LimitedTime) -> Option<u64>; 3] =
        [|time| time.software_thermal_us, |time| time.hardware_thermal_us, |time| time.power_brake_us];
    let throttled: Vec<u32> = pairs(before, after)
        .filter(|(earlier, gpu)| {
            let now = |gpu: &GpuState| limited(gpu, |limit| limit.is_throttling());
            now(gpu) || earlier.is_some_and(now) || grew(*earlier, gpu, &counters)
        })
        .map(|(_, gpu)| gpu.index)
        .collect();
    if throttled.is_empty() {
        return None;
    }
    let sentence = format!("{} slowed down because of heat or the power supply.", list(&throttled));
    flag(FlagCode::GpuThrottled, sentence, "Improve the cooling, check the power cables, then run again.")
}

fn gpu_power_capped(before: &Conditions, after: &Conditions) -> Option<Flag> {
    let counters: [fn(&LimitedTime) -> Option<u64>; 1] = [|time| time.power_cap_us];
    let capped: Vec<u32> = pairs(before, after)
        .filter(|(earlier, gpu)| limited(gpu, |limit| *limit == ClockLimit::PowerCap) || grew(*earlier, gpu, &counters))
        .map(|(_, gpu)| gpu.index)
        .collect();
    if capped.is_empty() {
        return None;
    }
    let sentence = format!("{} ran into the power limit.", list(&capped));
    flag(
        FlagCode::GpuPowerCapped,
        sentence,
        "This is usual under full load; compare only with runs at the same power limit.",
    )
}

fn source(conditions: &Conditions) -> Option<PowerSource> {
    conditions.power.value().map(|power| power.source)
}

fn on_battery(before: &Conditions, after: &Conditions) -> Option<Flag> {
    let battery = |conditions| source(conditions).is_some_and(|source| source != PowerSource::Mains);
    if !battery(before) && !battery(after) {
        return None;
    }
    flag(FlagCode::OnBattery, "The machine ran on battery power.".to_owned(), "Connect the mains, then run again.")
}

fn source_changed(before: &Conditions, after: &Conditions) -> Option<Flag> {
    let (first, second) = source(before).zip(source(after))?;
    if first == second {
        return None;
    }
    let sentence = "The power source changed during the run.".to_owned();
    flag(FlagCode::PowerSourceChanged, sentence, "Leave the power cable alone, then run again.")
}

fn low_power(before: &Conditions, after: &Conditions) -> Option<Flag> {
    let saving =
        |conditions: &Conditions| conditions.power.value().is_some_and(|power| power.low_power_mode == Some(true));
    if !saving(before) && !saving(after) {
        return None;
    }
    let sentence = "The system was set to save power at the cost of speed.".to_owned();
    flag(FlagCode::LowPowerMode, sentence, "Switch the low-power mode off, then run again.")
}

fn governor(before: &Conditions, after: &Conditions) -> Option<Flag> {
    let others: Vec<&String> = [before, after]
        .into_iter()
        .flat_map(|conditions| conditions.governors.value().into_iter().flatten())
        .filter(|name| *name != "performance")
        .collect();
    let name = others.first()?;
    let sentence = format!("The frequency governor is {name:?}, not \"performance\".");
    flag(
        FlagCode::GovernorNotPerformance,
        sentence,
        "Run `sudo cpupower frequency-set -g performance`, then run again.",
    )
}

fn load(before: &Conditions, _: &Conditions) -> Option<Flag> {
    let load = before.load.value()?.one_minute;
    let cores = before.logical_cores.filter(|cores| *cores > 0)?;
    if load / f64::from(cores) <= LOAD_PER_CORE {
        return None;
    }
    let sentence = format!("The load average was {load:.2} on {cores} processors before the run.");
    flag(FlagCode::LoadBeforeStart, sentence, "Stop other work and wait a minute, then run again.")
}

fn busy(before: &Conditions, after: &Conditions) -> Option<Flag> {
    let most = [before, after].into_iter().filter_map(|conditions| conditions.busy_processes.value()).max()?;
    if *most == 0 {
        return None;
    }
    let sentence = format!("Other programs kept processors busy around the run (at most {most} at a time).");
    flag(FlagCode::BusyProcesses, sentence, "Stop them, unless they belong to the engine, then run again.")
}

fn gpu_busy(before: &Conditions, _: &Conditions) -> Option<Flag> {
    let busy: Vec<u32> = gpus(before)
        .filter(|gpu| gpu.utilization_percent.is_some_and(|percent| percent > GPU_BUSY_PERCENT))
        .map(|gpu| gpu.index)
        .collect();
    if busy.is_empty() {
        return None;
    }
    let sentence = format!("{} worked before the run.", list(&busy));
    flag(FlagCode::GpuBusyBeforeStart, sentence, "Stop other programs that use the GPU, then run again.")
}

fn stolen(before: &Conditions, after: &Conditions) -> Option<Flag> {
    let (before, after): (&CpuTime, &CpuTime) = before.cpu_time.value().zip(after.cpu_time.value())?;
    let total = after.total_ticks.saturating_sub(before.total_ticks);
    let share = after.stolen_ticks.saturating_sub(before.stolen_ticks) as f64 / total.max(1) as f64;
    if share <= STOLEN_SHARE {
        return None;
    }
    let sentence = format!("The hypervisor gave {:.1} % of the processor time to other machines.", share * 100.0);
    flag(FlagCode::CpuStolen, sentence, "Use a machine with processors of its own, or run again at a quieter time.")
}

fn swapping(before: &Conditions, after: &Conditions) -> Option<Flag> {
    let growth = after.swap_used_bytes.value()?.saturating_sub(*before.swap_used_bytes.value()?);
    if growth < SWAP_GROWTH_BYTES {
        return None;
    }
    let sentence = format!("{} MiB were written to swap during the run.", growth >> 20);
    flag(FlagCode::Swapping, sentence, "Choose a smaller model or context, or close other programs, then run again.")
}
