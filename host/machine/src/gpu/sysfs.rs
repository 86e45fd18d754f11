//! GPUs that no vendor's tool reports: what the kernel's drivers say below `/sys`, and boards with a GPU of their own.

use super::pci::Adapter;
use super::{Gpu, GpuStack};
use crate::{Found, tree::Tree};

/// Kernel drivers of GPUs, by vendor. An adapter with another driver, or none, is for a screen or for a virtual machine.
const DRIVERS: [(&str, &[&str]); 2] = [("AMD", &["amdgpu"]), ("Intel", &["i915", "xe"])];

/// An APU's share of the main memory that its firmware reserves is at most this, in bytes; cards have more.
const LARGEST_CARVE_OUT: u64 = 1 << 30;

/// Instruction sets of AMD's processors with a GPU inside, which work in the main memory.
const APUS: [&str; 14] = [
    "gfx902", "gfx909", "gfx90c", "gfx1033", "gfx1035", "gfx1036", "gfx1037", "gfx1103", "gfx1150", "gfx1151",
    "gfx1152", "gfx1153", "gfx1013", "gfx1104",
];

/// The cards of a vendor, from the adapters on the bus.
pub(super) fn cards(adapters: &Found<Vec<Adapter>>, vendor: &str, tree: &Tree) -> Found<GpuStack> {
    let drivers = DRIVERS.iter().find(|(name, _)| *name == vendor).map(|(_, drivers)| *drivers).unwrap_or_default();
    let is_gpu = |adapter: &&Adapter| {
        adapter.vendor == vendor && adapter.driver.as_deref().is_some_and(|driver| drivers.contains(&driver))
    };
    let found: Vec<Gpu> = adapters
        .value()
        .into_iter()
        .flatten()
        .filter(is_gpu)
        .zip(0_u32..)
        .map(|(adapter, index)| card(adapter, index, tree))
        .collect();
    if found.is_empty() {
        return Found::not_present(format!("a GPU of {vendor} with its kernel driver"));
    }
    Found::present(GpuStack { driver_version: None, runtime_version: None, devices: found })
}

fn card(adapter: &Adapter, index: u32, tree: &Tree) -> Gpu {
    let at = |file: &str| format!("/sys/bus/pci/devices/{}/{file}", adapter.pci_bus_id);
    let named = tree.value(&at("product_name"));
    Gpu {
        index,
        name: named.unwrap_or_else(|| format!("{} GPU {}", adapter.vendor, adapter.device_id)),
        memory_total_bytes: adapter.memory_total_bytes.filter(|bytes| *bytes > 0),
        pci_bus_id: Some(adapter.pci_bus_id.clone()),
        vbios_version: tree.value(&at("vbios_version")),
        // Intel's GPUs inside a processor sit on the bus of the processor itself.
        unified_memory: adapter.vendor == "Intel" && adapter.pci_bus_id.starts_with("0000:00:"),
        ..Gpu::default()
    }
}

/// Takes the carve-out of an APU for what it is: a part of the main memory that the firmware set aside, while the GPU works in all of
/// it. Its size says nothing about the models that fit.
pub(super) fn without_carve_outs(mut stack: GpuStack) -> GpuStack {
    for gpu in &mut stack.devices {
        let is_apu = gpu.architecture.as_deref().is_some_and(|name| APUS.contains(&name))
            || (gpu.memory_total_bytes.is_some_and(|bytes| bytes <= LARGEST_CARVE_OUT) && is_integrated(&gpu.name));
        if is_apu || gpu.unified_memory {
            gpu.unified_memory = true;
            gpu.memory_total_bytes = None;
        }
        // No GPU has no memory.
        gpu.memory_total_bytes = gpu.memory_total_bytes.filter(|bytes| *bytes >= 1 << 20);
    }
    stack
}

/// AMD names the GPUs of its processors without a number of their own.
fn is_integrated(name: &str) -> bool {
    let name = name.trim();
    name.ends_with("Radeon Graphics") || name.ends_with("Vega Graphics") || name.ends_with('M')
}

/// The GPU of a board by NVIDIA whose tool is missing or says nothing: Jetson and DGX Spark.
pub(super) fn board(tree: &Tree) -> Option<GpuStack> {
    let model = tree.value("/proc/device-tree/model").or_else(|| tree.value("/sys/class/dmi/id/product_name"))?;
    let is_board = ["Jetson", "DGX Spark", "GB10"].iter().any(|name| model.contains(name));
    if !is_board && !tree.exists("/etc/nv_tegra_release") {
        return None;
    }
    let release = tree.value("/etc/nv_tegra_release").map(|text| release_of(&text));
    let gpu = Gpu { name: format!("{model} (integrated GPU)"), unified_memory: true, ..Gpu::default() };
    Some(GpuStack { driver_version: release.flatten(), runtime_version: None, devices: vec![gpu] })
}

/// `36.4.3` of `# R36 (release), REVISION: 4.3, GCID: …`.
fn release_of(text: &str) -> Option<String> {
    let major = text.split_once('R')?.1.split(' ').next()?;
    let revision = text.split_once("REVISION: ")?.1.split([',', ' ', '\n']).next()?;
    let is_version = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit() || c == '.');
    (is_version(major) && is_version(revision)).then(|| format!("L4T {major}.{revision}"))
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::pci;
    use super::*;

    fn adapter(root: &Path, bus: &str, files: &[(&str, &str)], driver: &str) {
        let folder = root.join("sys/bus/pci/devices").join(bus);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        std::os::unix::fs::symlink(Path::new("/sys/bus/pci/drivers").join(driver), folder.join("driver")).unwrap();
    }

    #[test]
    fn cards_without_a_tool_are_reported_by_the_kernel() {
        let root = tempfile::tempdir().unwrap();
        let display = ("class", "0x030000\n");
        let amd = [display, ("vendor", "0x1002\n"), ("device", "0x744c\n"), ("mem_info_vram_total", "25753026560\n")];
        adapter(root.path(), "0000:03:00.0", &amd, "amdgpu");
        let apu = [display, ("vendor", "0x1002\n"), ("device", "0x1681\n"), ("mem_info_vram_total", "0\n")];
        adapter(root.path(), "0000:c6:00.0", &apu, "amdgpu");
        let intel = [display, ("vendor", "0x8086\n"), ("device", "0x46a6\n")];
        adapter(root.path(), "0000:00:02.0", &intel, "i915");
        let virtual_screen = [display, ("vendor", "0x1234\n"), ("device", "0x1111\n")];
        adapter(root.path(), "0000:00:01.0", &virtual_screen, "bochs-drm");
        let tree = Tree::below(root.path());
        let adapters = pci::linux(&tree);
        let amd = cards(&adapters, "AMD", &tree).map(without_carve_outs).into_value().unwrap();
        let seen: Vec<_> = amd.devices.iter().map(|gpu| (gpu.name.as_str(), gpu.memory_total_bytes)).collect();
        assert_eq!(seen, [("AMD GPU 1002:744c", Some(25_753_026_560)), ("AMD GPU 1002:1681", None)]);
        let intel = cards(&adapters, "Intel", &tree).map(without_carve_outs).into_value().unwrap();
        assert!(intel.devices[0].unified_memory && intel.devices[0].memory_total_bytes.is_none());
        assert!(!cards(&Found::present(Vec::new()), "AMD", &tree).is_present());
    }

    #[test]
    fn boards_with_a_gpu_of_their_own_are_known_by_their_name() {
        let root = tempfile::tempdir().unwrap();
        let tree = Tree::below(root.path());
        assert_eq!(board(&tree), None);
        fs::create_dir_all(root.path().join("proc/device-tree")).unwrap();
        fs::create_dir_all(root.path().join("etc")).unwrap();
        fs::write(root.path().join("proc/device-tree/model"), "NVIDIA Jetson AGX Orin Developer Kit\0").unwrap();
        fs::write(root.path().join("etc/nv_tegra_release"), "# R36 (release), REVISION: 4.3, GCID: 38968081\n")
            .unwrap();
        let stack = board(&tree).unwrap();
        assert_eq!(stack.devices[0].name, "NVIDIA Jetson AGX Orin Developer Kit (integrated GPU)");
        assert_eq!(stack.driver_version.as_deref(), Some("L4T 36.4.3"));
        assert!(stack.devices[0].unified_memory);
    }

    #[test]
    fn a_carve_out_is_no_memory_of_the_gpu() {
        let gpu = |name: &str, architecture: Option<&str>, memory| Gpu {
            name: name.to_owned(),
            architecture: architecture.map(str::to_owned),
            memory_total_bytes: memory,
            ..Gpu::default()
        };
        let devices = vec![
            gpu("AMD Radeon Graphics", Some("gfx1151"), Some(512 << 20)),
            gpu("AMD Radeon Graphics", Some("gfx1151"), Some(96 << 30)),
            gpu("AMD Radeon 780M", None, Some(512 << 20)),
            gpu("Radeon RX 7900 XTX", Some("gfx1100"), Some(24 << 30)),
            gpu("Radeon RX 550", None, Some(512 << 20)),
        ];
        let stack = without_carve_outs(GpuStack { driver_version: None, runtime_version: None, devices });
        let seen: Vec<_> = stack.devices.iter().map(|gpu| (gpu.unified_memory, gpu.memory_total_bytes)).collect();
        assert_eq!(seen, [(true, None), (true, None), (true, None), (false, Some(24 << 30)), (false, Some(512 << 20))]);
    }
}
