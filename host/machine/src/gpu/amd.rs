//! AMD GPUs through `rocm-smi --json`, whose key names change case and wording between releases.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Gpu, GpuStack, GpuState, json_of, leading_number, meaningful};
use crate::{Found, tool, tree::Tree};

const TOOL: &str = "rocm-smi";

/// One card: key in lower case, to its text.
type Card = BTreeMap<String, String>;

/// Asks for the facts that stay.
pub(super) async fn capture(tree: &Tree) -> Found<GpuStack> {
    let arguments = [
        "--showproductname",
        "--showdriverversion",
        "--showvbios",
        "--showbus",
        "--showmaxpower",
        "--showmeminfo",
        "vram",
        "--json",
    ];
    tool::run(TOOL, &arguments, tool::GPU).await.parse(|text| parse_facts(&text)).map(|mut stack| {
        stack.runtime_version = tree.value("/opt/rocm/.info/version");
        stack
    })
}

/// Asks for the state of this moment.
pub(crate) async fn state() -> Found<Vec<GpuState>> {
    let arguments =
        ["--showtemp", "--showpower", "--showclocks", "--showuse", "--showfan", "--showmeminfo", "vram", "--json"];
    tool::run(TOOL, &arguments, tool::GPU).await.parse(|text| parse_state(&text))
}

fn cards(text: &str) -> Result<(Vec<(u32, Card)>, Card), String> {
    let json = json_of(text).ok_or("rocm-smi printed no JSON")?;
    let mut documents = serde_json::Deserializer::from_str(json).into_iter::<BTreeMap<String, Value>>();
    let document = documents
        .next()
        .ok_or("rocm-smi printed no JSON")?
        .map_err(|error| format!("rocm-smi printed malformed JSON at column {}", error.column()))?;
    let mut cards = Vec::new();
    let mut system = Card::new();
    for (name, value) in document {
        let Value::Object(entries) = value else { continue };
        let card: Card = entries
            .into_iter()
            .filter_map(|(key, value)| {
                let value = match value {
                    Value::String(text) => text,
                    Value::Number(number) => number.to_string(),
                    _ => return None,
                };
                Some((key.to_lowercase(), value))
            })
            .collect();
        if let Some(index) = name.strip_prefix("card").and_then(|number| number.parse().ok()) {
            cards.push((index, card));
        } else if name == "system" {
            system = card;
        }
    }
    cards.sort_by_key(|(index, _)| *index);
    Ok((cards, system))
}

fn text(card: &Card, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| meaningful(card.get(*key)?)).map(str::to_owned)
}

fn number(card: &Card, keys: &[&str]) -> Option<f64> {
    keys.iter().find_map(|key| leading_number(card.get(*key)?))
}

fn bytes(card: &Card, key: &str) -> Option<u64> {
    card.get(key)?.trim().parse().ok().filter(|bytes| *bytes > 0)
}

/// Parses the facts that stay. Unique ids and serial numbers are passed over.
///
/// # Errors
/// A sentence when the text holds no JSON object.
pub fn parse_facts(output: &str) -> Result<GpuStack, String> {
    let (cards, system) = cards(output)?;
    let devices = cards
        .into_iter()
        .map(|(index, card)| {
            // Older releases print a device number where newer ones print a name.
            let named = ["card series", "device name", "card model"]
                .into_iter()
                .filter_map(|key| text(&card, &[key]))
                .find(|name| !name.starts_with("0x"));
            Gpu {
                index,
                name: named.unwrap_or_else(|| "AMD GPU".to_owned()),
                architecture: text(&card, &["gfx version"]),
                memory_total_bytes: bytes(&card, "vram total memory (b)"),
                vbios_version: text(&card, &["vbios version"]),
                pci_bus_id: text(&card, &["pci bus"]),
                power_limit_watts: number(&card, &["max graphics package power (w)"]),
                ..Gpu::default()
            }
        })
        .collect();
    Ok(GpuStack { driver_version: text(&system, &["driver version"]), runtime_version: None, devices })
}

/// Parses the state.
///
/// # Errors
/// A sentence when the text holds no JSON object.
pub fn parse_state(output: &str) -> Result<Vec<GpuState>, String> {
    let (cards, _) = cards(output)?;
    let state = |(index, card): (u32, Card)| GpuState {
        vendor: "amd".to_owned(),
        index,
        // The junction is the hottest spot and what the firmware throttles by.
        temperature_celsius: number(&card, &["temperature (sensor junction) (c)", "temperature (sensor edge) (c)"]),
        memory_temperature_celsius: number(&card, &["temperature (sensor memory) (c)"]),
        power_draw_watts: number(
            &card,
            &["current socket graphics package power (w)", "average graphics package power (w)"],
        ),
        compute_clock_mhz: number(&card, &["sclk clock speed:"]),
        memory_clock_mhz: number(&card, &["mclk clock speed:"]),
        utilization_percent: number(&card, &["gpu use (%)"]),
        memory_used_bytes: bytes(&card, "vram total used memory (b)"),
        performance_state: None,
        fan_percent: number(&card, &["fan speed (%)"]),
        clock_limits: None,
        limited_time: None,
    };
    Ok(cards.into_iter().map(state).collect())
}
