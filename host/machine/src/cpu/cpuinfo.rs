//! `/proc/cpuinfo`, whose keys differ between architectures.

use std::collections::{BTreeMap, BTreeSet};

/// What `/proc/cpuinfo` says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CpuInfo {
    /// Maker.
    pub vendor: Option<String>,
    /// Product name.
    pub model: Option<String>,
    /// Microcode revision.
    pub microcode: Option<String>,
    /// Packages.
    pub sockets: Option<u32>,
    /// Cores, where the file names them.
    pub physical_cores: Option<u32>,
    /// Blocks of the file.
    pub logical_cores: u32,
    /// Cores by design, where there is more than one.
    pub core_kinds: BTreeMap<String, u32>,
    /// Clock that the product name carries (`@ 2.40GHz`).
    pub nominal_clock_mhz: Option<f64>,
    /// Mean of the current clocks.
    pub current_clock_mhz: Option<f64>,
    /// Extensions that matter for inference.
    pub instruction_sets: Vec<String>,
}

/// Extensions kept whatever they are followed by: every member of these families changes which kernel an engine picks.
const FAMILIES: [&str; 6] = ["avx", "amx", "sve", "sme", "rvv", "zv"];
/// Single extensions kept.
const SINGLE: [&str; 14] = [
    "sse4_1", "sse4_2", "ssse3", "fma", "f16c", "bmi2", "vaes", "gfni", "asimd", "asimdhp", "asimddp", "i8mm", "bf16",
    "fphp",
];

/// Keeps the extensions that matter, sorted and without repeats.
pub(super) fn relevant<'a>(flags: impl Iterator<Item = &'a str>) -> Vec<String> {
    let kept: BTreeSet<&str> =
        flags.filter(|flag| SINGLE.contains(flag) || FAMILIES.iter().any(|family| flag.starts_with(family))).collect();
    kept.into_iter().map(str::to_owned).collect()
}

/// Parses the file.
///
/// # Errors
/// A sentence when the text names no processor.
pub fn parse(text: &str) -> Result<CpuInfo, String> {
    let mut info = CpuInfo::default();
    let mut cores = BTreeSet::new();
    let mut packages = BTreeSet::new();
    let mut designs: BTreeMap<String, u32> = BTreeMap::new();
    let mut flags = BTreeSet::new();
    let mut clocks = Vec::new();
    let (mut package, mut implementer) = (None, None);
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let (key, value) = (key.trim(), value.trim());
        if value.is_empty() {
            continue;
        }
        match key {
            "processor" => {
                info.logical_cores = info.logical_cores.saturating_add(1);
                (package, implementer) = (None, None);
            }
            "vendor_id" => info.vendor = Some(value.to_owned()),
            "model name" | "cpu model" | "cpu" | "uarch" => {
                info.model.get_or_insert_with(|| value.to_owned());
            }
            "microcode" => info.microcode = Some(value.to_owned()),
            "cpu MHz" => clocks.extend(value.parse::<f64>().ok().filter(|mhz| mhz.is_finite())),
            "physical id" => {
                package = Some(value);
                packages.insert(value);
            }
            "core id" => {
                cores.insert((package.unwrap_or_default(), value));
            }
            "Features" => flags.extend(value.split_ascii_whitespace()),
            // On x86, `sme` and `smep` protect memory; on ARM, names that begin with `sme` are matrix extensions.
            "flags" => flags.extend(value.split_ascii_whitespace().filter(|flag| !flag.starts_with("sme"))),
            "isa" => flags.extend(value.split('_')),
            "CPU implementer" => implementer = Some(value),
            "CPU part" => *designs.entry(arm_core(implementer.unwrap_or_default(), value)).or_default() += 1,
            _ => {}
        }
        if key == "CPU implementer" && info.vendor.is_none() {
            info.vendor = Some(arm_vendor(value).to_owned());
        }
    }
    if info.logical_cores == 0 {
        return Err("/proc/cpuinfo names no processor".to_owned());
    }
    if info.model.is_none() && !designs.is_empty() {
        let named: Vec<String> = designs.iter().map(|(design, count)| format!("{count} x {design}")).collect();
        info.model = Some(named.join(" + "));
    }
    if designs.len() > 1 {
        info.core_kinds = designs;
    }
    info.nominal_clock_mhz = info.model.as_deref().and_then(nominal_clock);
    info.sockets = count(packages.len());
    info.physical_cores = count(cores.len());
    info.instruction_sets = relevant(flags.into_iter());
    info.current_clock_mhz = (!clocks.is_empty()).then(|| clocks.iter().sum::<f64>() / clocks.len() as f64);
    Ok(info)
}

fn count(length: usize) -> Option<u32> {
    u32::try_from(length).ok().filter(|count| *count > 0)
}

/// The clock in a product name such as `Intel(R) Xeon(R) CPU @ 2.20GHz`.
fn nominal_clock(model: &str) -> Option<f64> {
    let (_, clock) = model.rsplit_once('@')?;
    let ghz: f64 = clock.trim().strip_suffix("GHz")?.trim().parse().ok()?;
    // Rounded, since 2.2 * 1000 is not 2200 in binary.
    ghz.is_finite().then(|| (ghz * 1000.0).round())
}

/// Makers by the implementer field of ARM's main ID register.
fn arm_vendor(implementer: &str) -> &str {
    match implementer {
        "0x41" => "ARM",
        "0x42" => "Broadcom",
        "0x43" => "Cavium",
        "0x46" => "Fujitsu",
        "0x48" => "HiSilicon",
        "0x4e" => "NVIDIA",
        "0x51" => "Qualcomm",
        "0x61" => "Apple",
        "0x6d" => "Microsoft",
        "0xc0" => "Ampere",
        other => other,
    }
}

/// Core designs by the part field of ARM's main ID register, for the makers' designs that serve models.
fn arm_core(implementer: &str, part: &str) -> String {
    let name = match (implementer, part) {
        ("0x41", "0xd03") => "Cortex-A53",
        ("0x41", "0xd05") => "Cortex-A55",
        ("0x41", "0xd07") => "Cortex-A57",
        ("0x41", "0xd08") => "Cortex-A72",
        ("0x41", "0xd0b") => "Cortex-A76",
        ("0x41", "0xd0c") => "Neoverse-N1",
        ("0x41", "0xd40") => "Neoverse-V1",
        ("0x41", "0xd41") => "Cortex-A78",
        ("0x41", "0xd42") => "Cortex-A78AE",
        ("0x41", "0xd49") => "Neoverse-N2",
        ("0x41", "0xd4f") => "Neoverse-V2",
        ("0x41", "0xd84") => "Neoverse-V3",
        ("0x41", "0xd85") => "Cortex-X925",
        ("0x41", "0xd87") => "Cortex-A725",
        ("0x41", "0xd8e") => "Neoverse-N3",
        ("0x51", "0x001") => "Oryon",
        ("0xc0", "0xac3") => "Ampere-1",
        ("0xc0", "0xac4") => "Ampere-1A",
        _ => return format!("{} core {part}", arm_vendor(implementer)),
    };
    name.to_owned()
}
