//! The state of the machine around a run: what can change while it lasts, taken before and after.

mod compare;
pub mod linux;

pub use compare::{Flag, FlagCode};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Found, gpu, gpu::GpuState, power::Power};

/// The state of the machine at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conditions {
    /// Processors that the system schedules on.
    pub logical_cores: Option<u32>,
    /// Load average.
    pub load: Found<Load>,
    /// Clocks of the processors.
    pub cpu_clock: Found<CpuClock>,
    /// Names of the frequency governors in use.
    pub governors: Found<Vec<String>>,
    /// All temperature sensors.
    pub temperatures: Found<Vec<Temperature>>,
    /// Counters of thermal throttling of the processors.
    pub cpu_throttling: Found<CpuThrottling>,
    /// Counters of processor time.
    pub cpu_time: Found<CpuTime>,
    /// State of the NVIDIA GPUs.
    pub nvidia: Found<Vec<GpuState>>,
    /// State of the AMD GPUs.
    pub amd: Found<Vec<GpuState>>,
    /// Power supply.
    pub power: Found<Power>,
    /// What a new program can have without swapping, in bytes.
    pub memory_available_bytes: Found<u64>,
    /// Swap space in use, in bytes.
    pub swap_used_bytes: Found<u64>,
    /// Other programs that kept a processor busy for at least a quarter of the time while this was taken.
    pub busy_processes: Found<u32>,
}

/// Load average: programs that run or wait, averaged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// Over one minute.
    pub one_minute: f64,
    /// Over five minutes.
    pub five_minutes: f64,
    /// Over fifteen minutes.
    pub fifteen_minutes: f64,
}

/// Clocks of the processors at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CpuClock {
    /// The slowest processor's.
    pub min_mhz: f64,
    /// The mean.
    pub mean_mhz: f64,
    /// The fastest processor's.
    pub max_mhz: f64,
}

/// One temperature sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Temperature {
    /// The sensor, such as `coretemp: Package id 0`.
    pub sensor: String,
    /// What it reads.
    pub celsius: f64,
    /// Where damage threatens.
    pub critical_celsius: Option<f64>,
}

/// Thermal throttling since the machine started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CpuThrottling {
    /// Times that a core was slowed down, over all cores.
    pub core_events: u64,
    /// Times that a package was slowed down, the most of any package.
    pub package_events: u64,
    /// Share of full speed that macOS allows, in percent.
    pub speed_limit_percent: Option<u32>,
}

/// Processor time since the machine started, in clock ticks over all processors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CpuTime {
    /// All time.
    pub total_ticks: u64,
    /// Time without anything to do.
    pub idle_ticks: u64,
    /// Time that the hypervisor gave to others although this machine had work.
    pub stolen_ticks: u64,
}

impl Conditions {
    /// Takes the state. `own` are the processes that belong to the run (an engine that the host launched) and do not count as
    /// busy others; this process never does. Takes about 120 ms, in which it watches who is busy.
    pub async fn capture(own: &[u32]) -> Self {
        let (nvidia, amd, rest) = tokio::join!(gpu::nvidia::state(), gpu::amd::state(), Self::without_gpus(own));
        Self { nvidia, amd, ..rest }
    }

    #[cfg(target_os = "linux")]
    async fn without_gpus(own: &[u32]) -> Self {
        let tree = crate::Tree::default();
        let before = linux::process_times(&tree);
        tokio::time::sleep(std::time::Duration::from_millis(120)).await;
        let after = linux::process_times(&tree);
        let busy = before.zip(after).map(|(before, after)| linux::busy(&before, &after, own));
        linux::capture(&tree, Found::from_option(busy, "/proc/<pid>/stat"))
    }

    #[cfg(target_os = "macos")]
    async fn without_gpus(_own: &[u32]) -> Self {
        use crate::{cpu::sysctl::Sysctl, memory, power, tool};

        let arguments = ["vm.loadavg", "hw.logicalcpu"];
        let (battery, settings, heat, vm_stat, sysctl) = tokio::join!(
            tool::run("pmset", &["-g", "batt"], tool::QUICK),
            tool::run("pmset", &["-g"], tool::QUICK),
            tool::run("pmset", &["-g", "therm"], tool::QUICK),
            tool::run("vm_stat", &[], tool::QUICK),
            tool::run("sysctl", &arguments, tool::QUICK),
        );
        let sysctl = sysctl.map(|text| Sysctl::parse(&text)).into_value().unwrap_or_default();
        let load =
            sysctl.text("vm.loadavg").and_then(|text| linux::parse_load(text.trim_matches(['{', '}', ' '])).ok());
        let limit = heat.value().and_then(|text| power::parse_pmset_therm(text));
        Self {
            logical_cores: sysctl.number("hw.logicalcpu"),
            load: Found::from_option(load, "vm.loadavg"),
            cpu_throttling: Found::from_option(
                limit.map(|percent| CpuThrottling { speed_limit_percent: Some(percent), ..CpuThrottling::default() }),
                "CPU_Speed_Limit of pmset",
            ),
            power: battery.parse(|text| power::parse_pmset(&text, settings.value().map_or("", String::as_str))),
            memory_available_bytes: vm_stat.parse(|text| memory::parse_vm_stat(&text)),
            ..Self::nothing()
        }
    }

    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    async fn without_gpus(_own: &[u32]) -> Self {
        Self::nothing()
    }

    /// A state of which nothing is known.
    #[cfg(not(target_os = "linux"))]
    fn nothing() -> Self {
        const READER: &str = "a reader for this system";
        Self {
            logical_cores: None,
            load: Found::not_present(READER),
            cpu_clock: Found::not_present(READER),
            governors: Found::not_present(READER),
            temperatures: Found::not_present(READER),
            cpu_throttling: Found::not_present(READER),
            cpu_time: Found::not_present(READER),
            nvidia: Found::not_present(READER),
            amd: Found::not_present(READER),
            power: Found::not_present(READER),
            memory_available_bytes: Found::not_present(READER),
            swap_used_bytes: Found::not_present(READER),
            busy_processes: Found::not_present(READER),
        }
    }
}
