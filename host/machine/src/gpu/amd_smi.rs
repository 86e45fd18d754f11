//! AMD GPUs through `amd-smi static --json`, which ROCm 7 has in place of `rocm-smi`.
//!
//! The list of GPUs stands at the top or under `gpu_data`. A value is a number, a text, or an object of `value` and `unit`;
//! `N/A` stands for none.

use serde_json::Value;

use super::{Gpu, GpuStack, json_of, leading_number, meaningful};
use crate::{Found, tool, tree::Tree};

const TOOL: &str = "amd-smi";

/// Asks for the facts that stay.
pub(super) async fn capture(tree: &Tree) -> Found<GpuStack> {
    tool::run(TOOL, &["static", "--json"], tool::GPU).await.parse(|text| parse_facts(&text)).map(|mut stack| {
        stack.runtime_version = tree.value("/opt/rocm/.info/version");
        stack
    })
}

/// The text of the first of these fields that says something.
fn text(gpu: &Value, pointers: &[&str]) -> Option<String> {
    pointers.iter().find_map(|pointer| {
        let said = match gpu.pointer(pointer)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Object(fields) => match fields.get("value")? {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return None,
            },
            _ => return None,
        };
        meaningful(&said).map(str::to_owned)
    })
}

fn number(gpu: &Value, pointers: &[&str]) -> Option<f64> {
    pointers.iter().find_map(|pointer| leading_number(&text(gpu, &[pointer])?))
}

/// Bytes of a size; its unit stands beside it or within the text, and is MB where it is missing.
fn bytes(gpu: &Value, pointer: &str) -> Option<u64> {
    let said = text(gpu, &[pointer])?;
    let beside = gpu.pointer(&format!("{pointer}/unit")).and_then(Value::as_str).map(str::to_owned);
    let unit = beside.unwrap_or_else(|| said.chars().filter(char::is_ascii_alphabetic).collect());
    let scale: u64 = match unit.to_ascii_uppercase().as_str() {
        "B" | "BYTES" => 1,
        "KB" | "KIB" => 1 << 10,
        "" | "MB" | "MIB" => 1 << 20,
        "GB" | "GIB" => 1 << 30,
        _ => return None,
    };
    let size = leading_number(&said).filter(|size| (1.0..1e12).contains(size))?;
    Some((size * scale as f64) as u64)
}

/// Parses the facts that stay. Serial numbers and UUIDs are passed over.
///
/// # Errors
/// A sentence when the text holds no list of GPUs.
pub fn parse_facts(output: &str) -> Result<GpuStack, String> {
    let json = json_of(output).ok_or("amd-smi printed no JSON")?;
    let mut documents = serde_json::Deserializer::from_str(json).into_iter::<Value>();
    let document = documents
        .next()
        .ok_or("amd-smi printed no JSON")?
        .map_err(|error| format!("amd-smi printed malformed JSON at column {}", error.column()))?;
    let list = document.as_array().or_else(|| document.get("gpu_data")?.as_array());
    let list = list.ok_or("amd-smi printed something other than a list of GPUs")?;
    let devices = list.iter().zip(0_u32..).map(|(gpu, place)| {
        let index = gpu.get("gpu").and_then(Value::as_u64).and_then(|index| u32::try_from(index).ok());
        Gpu {
            index: index.unwrap_or(place),
            name: text(gpu, &["/asic/market_name", "/board/product_name"]).unwrap_or_else(|| "AMD GPU".to_owned()),
            architecture: text(gpu, &["/asic/target_graphics_version"]),
            memory_total_bytes: bytes(gpu, "/vram/size"),
            cores: number(gpu, &["/asic/num_compute_units"]).map(|cores| cores as u32),
            vbios_version: text(gpu, &["/vbios/version", "/ifwi/version"]),
            pci_bus_id: text(gpu, &["/bus/bdf"]),
            pcie_generation_max: number(gpu, &["/bus/pcie_interface_version"]).map(|generation| generation as u32),
            pcie_width_max: number(gpu, &["/bus/max_pcie_width"]).map(|width| width as u32),
            power_limit_watts: number(
                gpu,
                &["/limit/socket_power", "/limit/current_power", "/limit/ppt0/socket_power_limit"],
            ),
            power_limit_max_watts: number(gpu, &["/limit/max_power", "/limit/ppt0/max_power_limit"]),
            ..Gpu::default()
        }
    });
    let devices: Vec<Gpu> = devices.collect();
    let driver_version = list.first().and_then(|gpu| text(gpu, &["/driver/version"]));
    Ok(GpuStack { driver_version, runtime_version: None, devices })
}
