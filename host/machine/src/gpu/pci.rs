//! Adapters on the PCI bus: shows an accelerator whose vendor's tool is missing or broken.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Found, tree::Tree};

/// A display or processing adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Adapter {
    /// Its place on the bus.
    pub pci_bus_id: String,
    /// Maker, by name where it is one of the usual ones.
    pub vendor: String,
    /// Maker and device in hexadecimal, as in the public PCI list: `10de:2684`.
    pub device_id: String,
    /// Kernel driver that has taken it; absent when none has.
    pub driver: Option<String>,
    /// Its memory in bytes, where the driver says so.
    pub memory_total_bytes: Option<u64>,
}

/// Lists the adapters of a Linux machine.
pub fn linux(tree: &Tree) -> Found<Vec<Adapter>> {
    const DEVICES: &str = "/sys/bus/pci/devices";
    if !tree.exists(DEVICES) {
        return Found::not_present(DEVICES);
    }
    let adapter = |name: &String| {
        let at = |file: &str| tree.value(&format!("{DEVICES}/{name}/{file}"));
        // Classes of the PCI code list: 0x03 is a display controller, 0x12 a processing accelerator.
        let class = at("class")?;
        if !(class.starts_with("0x03") || class.starts_with("0x12")) {
            return None;
        }
        let hex = |file: &str| at(file).map(|id| id.trim_start_matches("0x").to_owned());
        let (vendor, device) = (hex("vendor")?, hex("device")?);
        Some(Adapter {
            pci_bus_id: name.clone(),
            vendor: maker(&vendor).to_owned(),
            device_id: format!("{vendor}:{device}"),
            driver: tree.link_name(&format!("{DEVICES}/{name}/driver")),
            memory_total_bytes: at("mem_info_vram_total").and_then(|bytes| bytes.parse().ok()),
        })
    };
    Found::present(tree.names(DEVICES).iter().filter_map(adapter).collect())
}

fn maker(vendor: &str) -> &str {
    match vendor {
        "10de" => "NVIDIA",
        "1002" => "AMD",
        "8086" => "Intel",
        "1da3" => "Habana",
        "1e52" => "Tenstorrent",
        "19e5" => "Huawei",
        "1d0f" => "Amazon",
        "1ae0" => "Google",
        "1a03" => "ASPEED",
        "15ad" => "VMware",
        "1234" => "QEMU",
        "1af4" => "Virtio",
        other => other,
    }
}
