//! The operating system and the board it runs on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{cpu::sysctl::Sysctl, tree::Tree};

/// The operating system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Os {
    /// `linux`, `macos` or `windows`.
    pub family: String,
    /// Processor architecture that the host was built for, such as `x86_64`.
    pub architecture: String,
    /// Name for people, such as `Debian GNU/Linux 12 (bookworm)`.
    pub distribution: Option<String>,
    /// Short name, such as `debian`.
    pub distribution_id: Option<String>,
    /// Version, such as `12`.
    pub distribution_version: Option<String>,
    /// Kernel release, such as `6.8.0-45-generic`.
    pub kernel_release: Option<String>,
    /// Kernel build, such as `#1 SMP PREEMPT_DYNAMIC`.
    pub kernel_build: Option<String>,
}

/// The computer as its firmware names it. Nothing here is unique to one machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Board {
    /// Maker of the computer.
    pub system_vendor: Option<String>,
    /// Product name of the computer.
    pub product: Option<String>,
    /// Name of the main board.
    pub board: Option<String>,
    /// Firmware version.
    pub firmware_version: Option<String>,
}

/// What `os-release` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OsRelease {
    /// `PRETTY_NAME`.
    pub pretty_name: Option<String>,
    /// `ID`.
    pub id: Option<String>,
    /// `VERSION_ID`.
    pub version_id: Option<String>,
}

/// Parses `os-release`, a file of shell assignments.
pub fn parse_os_release(text: &str) -> OsRelease {
    let of = |wanted: &str| {
        let (_, value) = text.lines().filter_map(|line| line.trim().split_once('=')).find(|(key, _)| *key == wanted)?;
        let value = value.trim();
        let bare = ['"', '\'']
            .into_iter()
            .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
            .unwrap_or(value)
            .replace("\\\"", "\"");
        (!bare.is_empty()).then_some(bare)
    };
    OsRelease { pretty_name: of("PRETTY_NAME"), id: of("ID"), version_id: of("VERSION_ID") }
}

fn this_build() -> Os {
    Os { family: std::env::consts::OS.to_owned(), architecture: std::env::consts::ARCH.to_owned(), ..Os::default() }
}

/// Reads the system of a Linux machine.
pub fn linux(tree: &Tree) -> Os {
    let release = tree
        .value("/etc/os-release")
        .or_else(|| tree.value("/usr/lib/os-release"))
        .map(|text| parse_os_release(&text))
        .unwrap_or_default();
    Os {
        distribution: release.pretty_name,
        distribution_id: release.id,
        distribution_version: release.version_id,
        // Not /proc/version: it names the account and the host that built the kernel.
        kernel_release: tree.value("/proc/sys/kernel/osrelease"),
        kernel_build: tree.value("/proc/sys/kernel/version"),
        ..this_build()
    }
}

/// The system of a Mac.
pub fn macos(sysctl: &Sysctl) -> Os {
    let version = sysctl.text("kern.osproductversion");
    Os {
        distribution: version.as_deref().map(|version| format!("macOS {version}")),
        distribution_id: Some("macos".to_owned()),
        distribution_version: version,
        kernel_release: sysctl.text("kern.osrelease"),
        kernel_build: sysctl.text("kern.osversion"),
        ..this_build()
    }
}

/// The system where only a library can tell.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(crate) fn other() -> Os {
    Os {
        distribution: sysinfo::System::long_os_version().ok(),
        distribution_id: Some(sysinfo::System::distribution_id()),
        distribution_version: sysinfo::System::os_version().ok(),
        kernel_release: sysinfo::System::kernel_version().ok(),
        ..this_build()
    }
}

/// Reads the board of a Linux machine. The files with serial numbers beside these are left alone.
pub fn board(tree: &Tree) -> Board {
    let dmi = |name: &str| {
        // What a board maker left unset is no name.
        let filler = ["to be filled by o.e.m.", "default string", "system product name", "not specified", "none"];
        tree.value(&format!("/sys/class/dmi/id/{name}"))
            .filter(|value| !filler.contains(&value.to_lowercase().as_str()))
    };
    Board {
        system_vendor: dmi("sys_vendor"),
        product: dmi("product_name").or_else(|| tree.value("/proc/device-tree/model")),
        board: dmi("board_name"),
        firmware_version: dmi("bios_version"),
    }
}
