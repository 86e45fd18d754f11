//! Where the power comes from: a laptop on battery is a slower machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Found, tree::Tree};

/// Power supply of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Power {
    /// Where the power comes from.
    pub source: PowerSource,
    /// Charge of the battery, 0 to 100, where there is one.
    pub battery_percent: Option<u8>,
    /// Whether the system saves power at the cost of speed, where it says.
    pub low_power_mode: Option<bool>,
}

/// Where the power comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PowerSource {
    /// The mains.
    Mains,
    /// A battery.
    Battery,
    /// An uninterruptible power supply that runs on its battery.
    Ups,
}

/// One entry of `/sys/class/power_supply`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Supply {
    /// `Mains`, `USB`, `Battery`, `UPS`.
    pub kind: String,
    /// Whether a mains or USB supply delivers.
    pub online: Option<bool>,
    /// `Charging`, `Discharging`, `Full`, `Not charging`.
    pub status: Option<String>,
    /// `Device` for the battery of a mouse or a headset.
    pub scope: Option<String>,
    /// Charge in percent.
    pub capacity: Option<u8>,
}

/// Draws the conclusion from the supplies; `None` when nothing in them tells.
pub fn conclude(supplies: &[Supply], low_power_mode: Option<bool>) -> Option<Power> {
    let own = || supplies.iter().filter(|supply| supply.scope.as_deref() != Some("Device"));
    let batteries = || own().filter(|supply| supply.kind == "Battery");
    let discharging = |supply: &Supply| supply.status.as_deref() == Some("Discharging");
    let delivers = own().any(|supply| matches!(supply.kind.as_str(), "Mains" | "USB") && supply.online == Some(true));
    let battery_percent = batteries().filter_map(|supply| supply.capacity).min().map(|percent| percent.min(100));
    let source = if own().any(|supply| supply.kind == "UPS" && discharging(supply)) {
        PowerSource::Ups
    } else if delivers {
        PowerSource::Mains
    } else if batteries().any(discharging) {
        PowerSource::Battery
    } else if batteries().next().is_some() || own().any(|supply| supply.kind == "UPS") {
        // It has a battery that does not discharge, so something else feeds the machine.
        PowerSource::Mains
    } else {
        return None;
    };
    Some(Power { source, battery_percent, low_power_mode })
}

/// Reads the power supplies of a Linux machine. A desktop or a server usually lists none.
pub fn linux(tree: &Tree) -> Found<Power> {
    const DIRECTORY: &str = "/sys/class/power_supply";
    let supplies: Vec<Supply> = tree
        .names(DIRECTORY)
        .into_iter()
        .map(|name| {
            let at = |file: &str| tree.value(&format!("{DIRECTORY}/{name}/{file}"));
            Supply {
                kind: at("type").unwrap_or_default(),
                online: at("online").map(|value| value != "0"),
                status: at("status"),
                scope: at("scope"),
                capacity: at("capacity").and_then(|value| value.parse().ok()),
            }
        })
        .collect();
    let low_power = tree.value("/sys/firmware/acpi/platform_profile").map(|profile| profile == "low-power");
    Found::from_option(conclude(&supplies, low_power), DIRECTORY)
}

/// Parses `pmset -g batt` and `pmset -g` of macOS.
///
/// # Errors
/// A sentence when the first names no source.
pub fn parse_pmset(battery: &str, settings: &str) -> Result<Power, String> {
    let source = if battery.contains("'AC Power'") {
        PowerSource::Mains
    } else if battery.contains("'Battery Power'") {
        PowerSource::Battery
    } else if battery.contains("'UPS Power'") {
        PowerSource::Ups
    } else {
        return Err("pmset named no power source".to_owned());
    };
    let battery_percent = battery
        .lines()
        .filter(|line| line.contains("InternalBattery"))
        .find_map(|line| line.split(['\t', ' ']).find_map(|word| word.strip_suffix("%;")?.parse().ok()));
    let low_power_mode = settings.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.next() == Some("lowpowermode")).then(|| words.next() == Some("1"))
    });
    Ok(Power { source, battery_percent, low_power_mode })
}

/// Parses `pmset -g therm`: the share of full speed that the system allows, in percent. `None` when nothing was recorded.
pub fn parse_pmset_therm(text: &str) -> Option<u32> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "CPU_Speed_Limit").then(|| value.trim().parse().ok())?
    })
}
