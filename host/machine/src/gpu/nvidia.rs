//! NVIDIA GPUs through `nvidia-smi --query-gpu=... --format=csv`.
//!
//! A driver refuses a whole query for one field that it does not know, and fields are added and renamed with almost
//! every release. So each query goes from the widest list to one that every driver since 2016 accepts, and the parser
//! reads columns by the names in the header rather than by position.

use std::collections::BTreeMap;

use super::{ClockLimit, Gpu, GpuStack, GpuState, LimitedTime, leading_number, meaningful, mebibytes};
use crate::{Found, tool};

const TOOL: &str = "nvidia-smi";

const FACTS: &str = "index,name,driver_version,vbios_version,pci.bus_id,memory.total,power.limit";
const MORE_FACTS: &str = "power.default_limit,power.max_limit,clocks.max.sm,clocks.max.memory,persistence_mode,\
    ecc.mode.current,mig.mode.current,compute_mode,pcie.link.gen.current,pcie.link.gen.max,pcie.link.width.current,\
    pcie.link.width.max,compute_cap";
const STATE: &str =
    "index,temperature.gpu,power.draw,clocks.sm,clocks.mem,utilization.gpu,memory.used,pstate,fan.speed";
const COUNTERS: &str = "clocks_event_reasons_counters.sw_power_cap,clocks_event_reasons_counters.sw_thermal_slowdown,\
    clocks_event_reasons_counters.hw_thermal_slowdown,clocks_event_reasons_counters.hw_power_brake_slowdown";

/// One row: column name without its unit, to the cell's text.
type Row = BTreeMap<String, String>;

/// Asks for the facts that stay.
pub(super) async fn capture() -> Found<GpuStack> {
    if tool::find(TOOL).is_none() {
        return Found::not_present(TOOL);
    }
    let queries = [format!("{FACTS},{MORE_FACTS}"), FACTS.to_owned()];
    let (facts, banner) = tokio::join!(ask(&queries), tool::run(TOOL, &[], tool::GPU));
    facts.parse(|csv| {
        let mut stack = parse_facts(&csv)?;
        stack.runtime_version = banner.value().and_then(|text| parse_cuda_version(text));
        Ok(stack)
    })
}

/// Asks for the state of this moment.
pub(crate) async fn state() -> Found<Vec<GpuState>> {
    if tool::find(TOOL).is_none() {
        return Found::not_present(TOOL);
    }
    let queries = [
        format!("{STATE},temperature.memory,clocks_event_reasons.active,{COUNTERS}"),
        format!("{STATE},temperature.memory,clocks_event_reasons.active"),
        format!("{STATE},temperature.memory,clocks_throttle_reasons.active"),
        STATE.to_owned(),
    ];
    ask(&queries).await.parse(|csv| parse_state(&csv))
}

/// The answer to the first query that the driver accepts.
async fn ask(queries: &[String]) -> Found<String> {
    let mut last = Found::failed("nvidia-smi was asked nothing");
    for query in queries {
        last = tool::run(TOOL, &[&format!("--query-gpu={query}"), "--format=csv"], tool::GPU).await;
        // Only a field that the driver does not know is worth another question; a dead driver stays dead.
        match &last {
            Found::Failed { reason } if reason.contains("not a valid field") => {}
            _ => break,
        }
    }
    last
}

/// Takes the CSV apart. Cells are separated by a comma and a space, and a header cell may end in a unit: `power.limit [W]`.
fn rows(csv: &str) -> Result<Vec<Row>, String> {
    let mut lines = csv.lines().filter(|line| !line.trim().is_empty());
    let header: Vec<&str> = lines
        .next()
        .ok_or("nvidia-smi printed nothing")?
        .split(',')
        .map(|cell| cell.split(" [").next().unwrap_or(cell).trim())
        .collect();
    if !header.contains(&"index") {
        return Err("nvidia-smi printed something other than the table asked for".to_owned());
    }
    lines
        .enumerate()
        .map(|(number, line)| {
            let cells: Vec<&str> = line.split(',').map(str::trim).collect();
            if cells.len() == header.len() {
                Ok(header.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), cell.to_owned())).collect())
            } else {
                Err(format!("row {} of nvidia-smi has {} cells, not {}", number + 1, cells.len(), header.len()))
            }
        })
        .collect()
}

fn text(row: &Row, name: &str) -> Option<String> {
    row.get(name).and_then(|cell| meaningful(cell)).map(str::to_owned)
}

fn number(row: &Row, name: &str) -> Option<f64> {
    leading_number(row.get(name)?)
}

fn whole<N: std::str::FromStr>(row: &Row, name: &str) -> Option<N> {
    meaningful(row.get(name)?)?.split(' ').next()?.parse().ok()
}

fn switch(row: &Row, name: &str) -> Option<bool> {
    match text(row, name)?.as_str() {
        "Enabled" => Some(true),
        "Disabled" => Some(false),
        _ => None,
    }
}

fn index(row: &Row) -> Result<u32, String> {
    whole(row, "index").ok_or_else(|| "nvidia-smi gave a GPU without a number".to_owned())
}

/// Parses the answer to the query of lasting facts.
///
/// # Errors
/// A sentence when the text is not the table asked for.
pub fn parse_facts(csv: &str) -> Result<GpuStack, String> {
    let rows = rows(csv)?;
    let driver_version = rows.first().and_then(|row| text(row, "driver_version"));
    let devices = rows
        .iter()
        .map(|row| {
            Ok(Gpu {
                index: index(row)?,
                name: text(row, "name").ok_or("nvidia-smi gave a GPU without a name")?,
                architecture: text(row, "compute_cap").map(|capability| format!("sm_{}", capability.replace('.', ""))),
                memory_total_bytes: row.get("memory.total").and_then(|cell| mebibytes(cell)),
                cores: None,
                vbios_version: text(row, "vbios_version"),
                pci_bus_id: text(row, "pci.bus_id"),
                pcie_generation: whole(row, "pcie.link.gen.current"),
                pcie_generation_max: whole(row, "pcie.link.gen.max"),
                pcie_width: whole(row, "pcie.link.width.current"),
                pcie_width_max: whole(row, "pcie.link.width.max"),
                power_limit_watts: number(row, "power.limit"),
                power_limit_default_watts: number(row, "power.default_limit"),
                power_limit_max_watts: number(row, "power.max_limit"),
                max_compute_clock_mhz: number(row, "clocks.max.sm"),
                max_memory_clock_mhz: number(row, "clocks.max.memory"),
                persistence_mode: switch(row, "persistence_mode"),
                ecc: switch(row, "ecc.mode.current"),
                mig: switch(row, "mig.mode.current"),
                compute_mode: text(row, "compute_mode"),
            })
        })
        .collect::<Result<_, String>>()?;
    Ok(GpuStack { driver_version, runtime_version: None, devices })
}

/// Parses the answer to the query of the state.
///
/// # Errors
/// A sentence when the text is not the table asked for.
pub fn parse_state(csv: &str) -> Result<Vec<GpuState>, String> {
    let state = |row: &Row| {
        let counter = |name: &str| whole(row, &format!("clocks_event_reasons_counters.{name}"));
        let limited_time = LimitedTime {
            power_cap_us: counter("sw_power_cap"),
            software_thermal_us: counter("sw_thermal_slowdown"),
            hardware_thermal_us: counter("hw_thermal_slowdown"),
            power_brake_us: counter("hw_power_brake_slowdown"),
        };
        let reasons = row.get("clocks_event_reasons.active").or_else(|| row.get("clocks_throttle_reasons.active"));
        Ok(GpuState {
            vendor: "nvidia".to_owned(),
            index: index(row)?,
            temperature_celsius: number(row, "temperature.gpu"),
            memory_temperature_celsius: number(row, "temperature.memory"),
            power_draw_watts: number(row, "power.draw"),
            // The header spells out the short names of the query.
            compute_clock_mhz: number(row, "clocks.current.sm").or_else(|| number(row, "clocks.sm")),
            memory_clock_mhz: number(row, "clocks.current.memory").or_else(|| number(row, "clocks.mem")),
            utilization_percent: number(row, "utilization.gpu"),
            memory_used_bytes: row.get("memory.used").and_then(|cell| mebibytes(cell)),
            performance_state: text(row, "pstate"),
            fan_percent: number(row, "fan.speed"),
            clock_limits: reasons.and_then(|cell| parse_reasons(cell)),
            limited_time: (limited_time != LimitedTime::default()).then_some(limited_time),
        })
    };
    rows(csv)?.iter().map(state).collect()
}

/// Parses the mask of clock event reasons, after `nvmlClocksEventReasons` in NVIDIA's NVML reference.
pub fn parse_reasons(cell: &str) -> Option<Vec<ClockLimit>> {
    let mask = u64::from_str_radix(meaningful(cell)?.strip_prefix("0x")?, 16).ok()?;
    let bits = [
        ClockLimit::Idle,
        ClockLimit::ApplicationSetting,
        ClockLimit::PowerCap,
        ClockLimit::HardwareSlowdown,
        ClockLimit::SyncBoost,
        ClockLimit::SoftwareThermal,
        ClockLimit::HardwareThermal,
        ClockLimit::PowerBrake,
        ClockLimit::DisplaySetting,
    ];
    Some(bits.into_iter().enumerate().filter(|(bit, _)| mask & (1 << bit) != 0).map(|(_, reason)| reason).collect())
}

/// Finds the CUDA version in the banner of plain `nvidia-smi`: `CUDA Version: 12.4`, since driver 610 `CUDA UMD Version: 13.3`.
pub fn parse_cuda_version(banner: &str) -> Option<String> {
    ["CUDA Version", "CUDA UMD Version"].into_iter().find_map(|key| {
        let (_, rest) = banner.split_once(key)?;
        let version: String = rest
            .trim_start_matches([' ', ':', '\t'])
            .chars()
            .take(16)
            .take_while(|c| c.is_ascii_digit() || *c == '.')
            .collect();
        (!version.is_empty()).then_some(version)
    })
}
