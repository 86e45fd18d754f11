//! Memory: size, swap, and the modules where the firmware tables may be read.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Found, tree::Tree};

/// Main memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Memory {
    /// What the system manages, in bytes: a little less than what is installed.
    pub total_bytes: u64,
    /// What a new program can have without swapping, in bytes.
    pub available_bytes: u64,
    /// Swap space, in bytes.
    pub swap_total_bytes: Option<u64>,
    /// Swap space in use, in bytes.
    pub swap_used_bytes: Option<u64>,
    /// Setting of transparent huge pages: `always`, `madvise` or `never`.
    pub transparent_huge_pages: Option<String>,
    /// The modules.
    pub modules: Found<MemoryModules>,
}

/// The memory modules as the firmware describes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryModules {
    /// Slots on the board.
    pub slots: u32,
    /// Slots that hold a module.
    pub populated: u32,
    /// Channels in use, where the slots' names tell.
    pub channels: Option<u32>,
    /// Size of each module, in bytes.
    pub module_bytes: Vec<u64>,
    /// Kind, such as `DDR5`.
    pub kind: Option<String>,
    /// Speed that the modules are rated for, in MT/s.
    pub rated_speed_mt_per_s: Option<u32>,
    /// Speed that they run at, in MT/s.
    pub configured_speed_mt_per_s: Option<u32>,
}

/// Sizes from `/proc/meminfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemInfo {
    /// All memory, in bytes.
    pub total_bytes: u64,
    /// Available memory, in bytes.
    pub available_bytes: u64,
    /// Swap space, in bytes.
    pub swap_total_bytes: u64,
    /// Swap space in use, in bytes.
    pub swap_used_bytes: u64,
}

/// Parses `/proc/meminfo`.
///
/// # Errors
/// A sentence when a total is missing.
pub fn parse_meminfo(text: &str) -> Result<MemInfo, String> {
    let of = |wanted: &str| -> Option<u64> {
        let (_, value) = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| *key == wanted)?;
        value.trim().trim_end_matches("kB").trim().parse::<u64>().ok()?.checked_mul(1024)
    };
    let swap_total_bytes = of("SwapTotal").unwrap_or(0);
    Ok(MemInfo {
        total_bytes: of("MemTotal").ok_or("/proc/meminfo has no MemTotal")?,
        // Kernels before 3.14 have no estimate; free memory is the safe side of it.
        available_bytes: of("MemAvailable").or_else(|| of("MemFree")).ok_or("/proc/meminfo has no MemAvailable")?,
        swap_total_bytes,
        swap_used_bytes: swap_total_bytes.saturating_sub(of("SwapFree").unwrap_or(0)),
    })
}

/// Reads the memory of a Linux machine; `modules` come from elsewhere.
pub fn linux(tree: &Tree, modules: Found<MemoryModules>) -> Found<Memory> {
    tree.text("/proc/meminfo").parse(|text| parse_meminfo(&text)).map(|sizes| Memory {
        total_bytes: sizes.total_bytes,
        available_bytes: sizes.available_bytes,
        swap_total_bytes: Some(sizes.swap_total_bytes),
        swap_used_bytes: Some(sizes.swap_used_bytes),
        transparent_huge_pages: tree
            .value("/sys/kernel/mm/transparent_hugepage/enabled")
            .and_then(|text| bracketed(&text)),
        modules,
    })
}

/// Bytes of memory that this process may take: what is available, or less where a control group or a limit of the process
/// allows less. `None` where the system does not say, which is everywhere but on Linux.
#[must_use]
pub fn room() -> Option<u64> {
    room_below(&Tree::default())
}

fn room_below(tree: &Tree) -> Option<u64> {
    let sizes = parse_meminfo(&tree.value("/proc/meminfo")?).ok()?;
    let group = crate::surroundings::limits(tree).memory_bytes;
    let process = tree.value("/proc/self/limits").and_then(|text| parse_address_space(&text));
    [group, process].into_iter().flatten().chain([sizes.available_bytes]).min()
}

/// The limit of the address space from `/proc/self/limits`, in bytes. `None` where it is unlimited.
fn parse_address_space(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The chosen one of a kernel choice such as `always [madvise] never`.
fn bracketed(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('[')?;
    let (chosen, _) = rest.split_once(']')?;
    Some(chosen.to_owned())
}

/// Parses `dmidecode -t 17` (one block per slot). Serial numbers, asset tags and part numbers are passed over.
///
/// # Errors
/// A sentence when the text describes no slot.
pub fn parse_dmidecode(text: &str) -> Result<MemoryModules, String> {
    let mut modules = MemoryModules {
        slots: 0,
        populated: 0,
        channels: None,
        module_bytes: Vec::new(),
        kind: None,
        rated_speed_mt_per_s: None,
        configured_speed_mt_per_s: None,
    };
    let mut channels = BTreeSet::new();
    for block in text.split("Memory Device\n").skip(1) {
        let block = block.split("\n\n").next().unwrap_or_default();
        let of = |wanted: &str| {
            let (_, value) =
                block.lines().filter_map(|line| line.trim().split_once(':')).find(|(key, _)| *key == wanted)?;
            let value = value.trim();
            (!matches!(value, "" | "Unknown" | "Not Specified")).then_some(value)
        };
        modules.slots += 1;
        let Some(bytes) = of("Size").and_then(module_bytes) else { continue };
        modules.populated += 1;
        modules.module_bytes.push(bytes);
        modules.kind = modules.kind.or_else(|| of("Type").map(str::to_owned));
        let speed = |text: &str| text.split_ascii_whitespace().next()?.parse::<u32>().ok();
        modules.rated_speed_mt_per_s = modules.rated_speed_mt_per_s.or_else(|| of("Speed").and_then(speed));
        modules.configured_speed_mt_per_s = modules.configured_speed_mt_per_s.or_else(|| {
            // Older dmidecode calls it a clock speed.
            of("Configured Memory Speed").or_else(|| of("Configured Clock Speed")).and_then(speed)
        });
        let bank = of("Bank Locator").and_then(channel);
        channels.extend(bank.or_else(|| of("Locator").and_then(channel)));
    }
    if modules.slots == 0 {
        return Err("dmidecode described no memory slot".to_owned());
    }
    modules.channels = u32::try_from(channels.len()).ok().filter(|count| *count > 0);
    Ok(modules)
}

/// Bytes of a size such as `32 GB`, `16384 MB`; none for `No Module Installed`.
fn module_bytes(text: &str) -> Option<u64> {
    let (number, unit) = text.split_once(' ')?;
    let unit: u64 = match unit.trim() {
        "kB" | "KB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        "TB" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// What stands for the channel in a slot's name: `P0 CHANNEL A` and `Controller0-ChannelB-DIMM1` name one, `BANK 2` none.
fn channel(locator: &str) -> Option<String> {
    let upper = locator.to_uppercase();
    let at = upper.find("CHANNEL")?;
    let (before, after) = (&upper[..at], &upper[at + "CHANNEL".len()..]);
    let name: String = after.trim_start().chars().take_while(char::is_ascii_alphanumeric).collect();
    // The text before it tells the memory controllers of one board apart.
    (!name.is_empty()).then(|| format!("{before}{name}"))
}

/// Parses `vm_stat` of macOS: bytes that a new program can have without swapping.
///
/// # Errors
/// A sentence when the page size or the free pages are missing.
pub fn parse_vm_stat(text: &str) -> Result<u64, String> {
    let page = text
        .split_once("page size of ")
        .and_then(|(_, rest)| rest.split_ascii_whitespace().next()?.parse::<u64>().ok())
        .ok_or("vm_stat gave no page size")?;
    let of = |wanted: &str| -> Option<u64> {
        let (_, value) = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| *key == wanted)?;
        value.trim().trim_end_matches('.').parse().ok()
    };
    let free = of("Pages free").ok_or("vm_stat gave no free pages")?;
    let reclaimable = ["Pages inactive", "Pages speculative", "Pages purgeable"]
        .into_iter()
        .filter_map(of)
        .fold(0, u64::saturating_add);
    Ok(free.saturating_add(reclaimable).saturating_mul(page))
}

/// Memory where only a library can tell.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(crate) fn other(system: &sysinfo::System) -> Found<Memory> {
    Found::present(Memory {
        total_bytes: system.total_memory(),
        available_bytes: system.available_memory(),
        swap_total_bytes: Some(system.total_swap()),
        swap_used_bytes: Some(system.used_swap()),
        transparent_huge_pages: None,
        modules: Found::not_present("dmidecode"),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_limit_counts() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let room = || room_below(&Tree::below(root.path()));
        assert_eq!(room(), None);
        put("proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\n");
        assert_eq!(room(), Some(4 << 30));
        put(
            "proc/self/limits",
            "Limit  Soft Limit  Hard Limit  Units\nMax address space  unlimited  unlimited  bytes\n",
        );
        assert_eq!(room(), Some(4 << 30));
        put("proc/self/limits", "Max address space         536870912            536870912            bytes     \n");
        assert_eq!(room(), Some(512 << 20));
        put("proc/self/cgroup", "0::/job\n");
        put("sys/fs/cgroup/job/memory.max", "268435456\n");
        assert_eq!(room(), Some(256 << 20));
    }
}
