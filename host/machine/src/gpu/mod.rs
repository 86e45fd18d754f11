//! Accelerators: what they are, what limits them and what state they are in.

pub mod amd;
pub mod amd_smi;
pub mod apple;
pub mod nvidia;
pub mod pci;
mod sysfs;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Found, tree::Tree};

/// All accelerators, by the stack that reported them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gpus {
    /// From `nvidia-smi`.
    pub nvidia: Found<GpuStack>,
    /// From `rocm-smi`, `amd-smi`, or the kernel where neither is installed.
    pub amd: Found<GpuStack>,
    /// Of Intel, from the kernel.
    #[serde(default = "no_intel")]
    pub intel: Found<GpuStack>,
    /// From `system_profiler`.
    pub apple: Found<GpuStack>,
    /// Every display or processing adapter on the PCI bus, also those whose vendor's tool is missing.
    pub adapters: Found<Vec<pci::Adapter>>,
    /// Environment variables that hide accelerators from programs that the host starts.
    pub visibility: Vec<Visibility>,
}

/// What one vendor's tool reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GpuStack {
    /// Version of the kernel driver.
    pub driver_version: Option<String>,
    /// Version of the compute platform: the CUDA version that the driver supports, or the ROCm version installed.
    pub runtime_version: Option<String>,
    /// The devices in the tool's order.
    pub devices: Vec<Gpu>,
}

/// One accelerator. Serial numbers and UUIDs are not read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gpu {
    /// Number that the tool gives it.
    pub index: u32,
    /// Product name.
    pub name: String,
    /// Instruction set, such as `sm_120`, `gfx1100` or `metal3`.
    pub architecture: Option<String>,
    /// Its memory, in bytes; absent where it shares the main memory or where nothing says how much it is.
    pub memory_total_bytes: Option<u64>,
    /// It works in the main memory.
    #[serde(default)]
    pub unified_memory: bool,
    /// It is a share of a card that a hypervisor gives to this machine.
    #[serde(default)]
    pub is_virtual: bool,
    /// Why its tool says little of it: a card that fell off the bus or needs a reset.
    #[serde(default)]
    pub problem: Option<String>,
    /// The instances that it is split into; empty where it is whole.
    #[serde(default)]
    pub instances: Vec<GpuInstance>,
    /// Number of its cores, where the tool says.
    pub cores: Option<u32>,
    /// Version of its firmware.
    pub vbios_version: Option<String>,
    /// Its place on the PCI bus.
    pub pci_bus_id: Option<String>,
    /// Generation of the PCIe link in use and the highest that both ends support.
    pub pcie_generation: Option<u32>,
    /// See `pcie_generation`.
    pub pcie_generation_max: Option<u32>,
    /// Lanes of the PCIe link in use.
    pub pcie_width: Option<u32>,
    /// Lanes that both ends support.
    pub pcie_width_max: Option<u32>,
    /// Power limit in force, in watts.
    pub power_limit_watts: Option<f64>,
    /// Power limit that the maker sets, in watts.
    pub power_limit_default_watts: Option<f64>,
    /// Highest power limit that can be set, in watts.
    pub power_limit_max_watts: Option<f64>,
    /// Highest clock of the compute units.
    pub max_compute_clock_mhz: Option<f64>,
    /// Highest clock of the memory.
    pub max_memory_clock_mhz: Option<f64>,
    /// Whether the driver keeps it initialised between programs.
    pub persistence_mode: Option<bool>,
    /// Whether error correction is on.
    pub ecc: Option<bool>,
    /// Whether it is split into instances.
    pub mig: Option<bool>,
    /// `Default`, `Exclusive_Process` or `Prohibited`.
    pub compute_mode: Option<String>,
}

/// A part of an accelerator that works by itself, such as MIG's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GpuInstance {
    /// Its size in the maker's words, such as `3g.40gb`.
    pub profile: String,
    /// Its memory, in bytes; absent where the profile does not say.
    pub memory_total_bytes: Option<u64>,
}

fn no_intel() -> Found<GpuStack> {
    Found::not_present("Intel GPUs, which earlier versions did not look for")
}

/// An environment variable that hides accelerators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Visibility {
    /// Name of the variable.
    pub variable: String,
    /// Its value when it is made of numbers, else how many devices it names: a value may hold UUIDs.
    pub devices: String,
}

/// State of one accelerator at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GpuState {
    /// `nvidia` or `amd`.
    pub vendor: String,
    /// Number that the tool gives it.
    pub index: u32,
    /// Temperature of the chip.
    pub temperature_celsius: Option<f64>,
    /// Temperature of its memory.
    pub memory_temperature_celsius: Option<f64>,
    /// Power that it draws, in watts.
    pub power_draw_watts: Option<f64>,
    /// Clock of the compute units.
    pub compute_clock_mhz: Option<f64>,
    /// Clock of the memory.
    pub memory_clock_mhz: Option<f64>,
    /// Share of the recent past in which it worked, 0 to 100.
    pub utilization_percent: Option<f64>,
    /// Memory in use, in bytes.
    pub memory_used_bytes: Option<u64>,
    /// Performance state, such as `P0`.
    pub performance_state: Option<String>,
    /// Fan speed, 0 to 100.
    pub fan_percent: Option<f64>,
    /// Why its clock is held down at this moment; absent where the tool does not say.
    pub clock_limits: Option<Vec<ClockLimit>>,
    /// Time that its clock was held down since the driver was loaded; absent before driver 570 or so.
    pub limited_time: Option<LimitedTime>,
}

/// A reason for a clock below the highest, after NVML's clock event reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClockLimit {
    /// Nothing to do.
    Idle,
    /// A clock chosen by the user.
    ApplicationSetting,
    /// The power limit.
    PowerCap,
    /// The hardware's own slow-down, by heat or by power.
    HardwareSlowdown,
    /// Kept in step with other GPUs.
    SyncBoost,
    /// The driver, by heat.
    SoftwareThermal,
    /// The hardware, by heat.
    HardwareThermal,
    /// The power supply asked for less.
    PowerBrake,
    /// The display's clock.
    DisplaySetting,
}

impl ClockLimit {
    /// Whether this is the machine failing to keep up rather than a setting or a lack of work.
    pub const fn is_throttling(self) -> bool {
        matches!(self, Self::HardwareSlowdown | Self::SoftwareThermal | Self::HardwareThermal | Self::PowerBrake)
    }
}

/// Microseconds that a clock was held down, by reason, counted since the driver was loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LimitedTime {
    /// By the power limit.
    pub power_cap_us: Option<u64>,
    /// By the driver for heat.
    pub software_thermal_us: Option<u64>,
    /// By the hardware for heat.
    pub hardware_thermal_us: Option<u64>,
    /// By the power supply.
    pub power_brake_us: Option<u64>,
}

impl Gpus {
    /// Every device that a vendor's tool reported, with the vendor's name.
    pub fn devices(&self) -> impl Iterator<Item = (&'static str, &Gpu)> {
        [("nvidia", &self.nvidia), ("amd", &self.amd), ("intel", &self.intel), ("apple", &self.apple)]
            .into_iter()
            .flat_map(|(vendor, stack)| {
                stack.value().into_iter().flat_map(|stack| &stack.devices).map(move |gpu| (vendor, gpu))
            })
    }

    /// Asks all tools at once; what lies in files is read below `tree`.
    pub(crate) async fn capture(tree: &Tree) -> Self {
        let (nvidia, rocm, amd_smi, apple) =
            tokio::join!(nvidia::capture(), amd::capture(tree), amd_smi::capture(tree), apple::capture());
        let adapters = pci::linux(tree);
        let (nvidia, amd) = (nvidia_of(nvidia, tree), amd_of(rocm, amd_smi, &adapters, tree));
        let intel = sysfs::cards(&adapters, "Intel", tree).map(sysfs::without_carve_outs);
        Self { nvidia, amd, intel, apple, adapters, visibility: visibility(|name| std::env::var(name).ok()) }
    }
}

/// What the tool reports, or the board where the tool is missing or broken.
fn nvidia_of(tool: Found<GpuStack>, tree: &Tree) -> Found<GpuStack> {
    match (&tool, sysfs::board(tree)) {
        (Found::Present { value }, _) if !value.devices.is_empty() => tool,
        (_, Some(board)) => Found::present(board),
        (_, None) => tool,
    }
}

/// The first of these that reports a card: the two tools, then the kernel. Without one, what the tools say counts.
fn amd_of(
    rocm: Found<GpuStack>,
    amd_smi: Found<GpuStack>,
    adapters: &Found<Vec<pci::Adapter>>,
    tree: &Tree,
) -> Found<GpuStack> {
    let has_cards = |found: &Found<GpuStack>| found.value().is_some_and(|stack| !stack.devices.is_empty());
    let kernel = sysfs::cards(adapters, "AMD", tree);
    let chosen = [rocm, amd_smi, kernel].into_iter().reduce(|best, next| match (&best, &next) {
        _ if has_cards(&best) => best,
        _ if has_cards(&next) => next,
        // A tool that is broken says more than one that is not there.
        (Found::NotPresent { .. }, Found::Failed { .. }) => next,
        _ => best,
    });
    chosen.unwrap_or_else(|| Found::not_present("rocm-smi")).map(sysfs::without_carve_outs)
}

/// Reads the variables that hide accelerators, through `lookup`.
pub fn visibility(lookup: impl Fn(&str) -> Option<String>) -> Vec<Visibility> {
    [
        "CUDA_VISIBLE_DEVICES",
        "NVIDIA_VISIBLE_DEVICES",
        "HIP_VISIBLE_DEVICES",
        "ROCR_VISIBLE_DEVICES",
        "ZE_AFFINITY_MASK",
    ]
    .into_iter()
    .filter_map(|variable| {
        let value = lookup(variable)?;
        let plain = value.len() <= 64
            && (value.chars().all(|c| c.is_ascii_digit() || ",-. ".contains(c))
                || ["all", "none", "void", "NoDevFiles"].contains(&value.as_str()));
        let devices = if plain {
            value
        } else {
            format!("{} named otherwise than by number", value.split(',').filter(|part| !part.is_empty()).count())
        };
        Some(Visibility { variable: variable.to_owned(), devices })
    })
    .collect()
}

/// A tool's text, unless it stands for "no value": `N/A`, `[Not Supported]`, an empty cell.
fn meaningful(cell: &str) -> Option<&str> {
    let cell = cell.trim();
    let absent = cell.is_empty()
        || cell.starts_with('[')
        || ["n/a", "none", "unknown", "err!", "unknown error", "not supported", "not available"]
            .iter()
            .any(|word| cell.eq_ignore_ascii_case(word));
    (!absent).then_some(cell)
}

/// The JSON in a tool's output, which may begin with warnings: from the first line that begins with a bracket.
fn json_of(output: &str) -> Option<&str> {
    let mut at = 0;
    for line in output.split_inclusive('\n') {
        if line.trim_start().starts_with(['{', '[']) {
            return output.get(at..);
        }
        at += line.len();
    }
    None
}

/// The number at the start of a tool's text: `450.00 W`, `(500Mhz)`, `38`.
fn leading_number(cell: &str) -> Option<f64> {
    let cell = meaningful(cell)?.trim_start_matches('(');
    let end = cell.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).unwrap_or(cell.len());
    cell.get(..end)?.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Mebibytes of a tool's text in bytes.
fn mebibytes(cell: &str) -> Option<u64> {
    let number = leading_number(cell).filter(|number| (0.0..1e12).contains(number))?;
    Some((number * f64::from(1 << 20)) as u64)
}
