//! Apple GPUs through `system_profiler SPDisplaysDataType -json`. The displays listed under each GPU carry serial numbers
//! and are not read.

use serde::Deserialize;

use super::{Gpu, GpuStack};
use crate::Found;

#[derive(Deserialize)]
struct Report {
    #[serde(rename = "SPDisplaysDataType")]
    gpus: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "sppci_model", alias = "_name")]
    model: Option<String>,
    sppci_cores: Option<String>,
    spdisplays_mtlgpufamilysupport: Option<String>,
    spdisplays_vram: Option<String>,
}

/// Asks for the GPUs of a Mac.
pub(super) async fn capture() -> Found<GpuStack> {
    if cfg!(target_os = "macos") {
        let arguments = ["SPDisplaysDataType", "-json"];
        crate::tool::run("system_profiler", &arguments, crate::tool::GPU).await.parse(|text| parse(&text))
    } else {
        Found::not_present("system_profiler")
    }
}

/// Parses the report.
///
/// # Errors
/// A sentence when the text is not the report asked for.
pub fn parse(json: &str) -> Result<GpuStack, String> {
    // A GPU has both `_name` and `sppci_model`, so the first is dropped before the two meet in one field.
    let mut document: serde_json::Value = serde_json::from_str(json)
        .map_err(|error| format!("system_profiler printed malformed JSON at line {}", error.line()))?;
    for entry in document.get_mut("SPDisplaysDataType").and_then(|list| list.as_array_mut()).into_iter().flatten() {
        if let Some(fields) = entry.as_object_mut()
            && fields.contains_key("sppci_model")
        {
            fields.remove("_name");
        }
    }
    let report: Report = serde_json::from_value(document)
        .map_err(|_| "system_profiler printed something other than the report asked for".to_owned())?;
    let devices = report.gpus.into_iter().zip(0_u32..).map(|(entry, index)| {
        let is_apple = entry.model.as_deref().is_some_and(|model| model.starts_with("Apple "));
        (entry, index, is_apple)
    });
    let devices = devices.map(|(entry, index, is_apple)| Gpu {
        index,
        name: entry.model.unwrap_or_else(|| "unnamed GPU".to_owned()),
        architecture: entry
            .spdisplays_mtlgpufamilysupport
            .map(|family| family.trim_start_matches("spdisplays_").to_owned()),
        memory_total_bytes: entry.spdisplays_vram.as_deref().and_then(memory),
        cores: entry.sppci_cores.and_then(|cores| cores.parse().ok()),
        unified_memory: is_apple,
        ..Gpu::default()
    });
    Ok(GpuStack { driver_version: None, runtime_version: None, devices: devices.collect() })
}

/// Bytes of a size such as `8 GB`.
fn memory(text: &str) -> Option<u64> {
    let (number, unit) = text.split_once(' ')?;
    let unit: u64 = match unit {
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}
