//! NVIDIA GPUs through `nvidia-smi --query-gpu=... --format=csv`.
//!
//! A driver refuses a whole query for one field that it does not know, and fields are added and renamed with almost
//! every release. So each query goes from the widest list to one that every driver since 2016 accepts, and the parser
//! reads columns by the names in the header rather than by position.

use std::collections::BTreeMap;

use super::{ClockLimit, Gpu, GpuInstance, GpuStack, GpuState, LimitedTime, leading_number, meaningful, mebibytes};
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
    let (facts, banner, list) =
        tokio::join!(ask(&queries), tool::run(TOOL, &[], tool::GPU), tool::run(TOOL, &["-L"], tool::GPU));
    facts.parse(|csv| {
        let mut stack = parse_facts(&csv)?;
        if let Some(list) = list.value() {
            add_instances(&mut stack, list);
        }
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
        let arguments = [&format!("--query-gpu={query}"), "--format=csv"];
        last =
            tool::run_usable(TOOL, &arguments, tool::GPU, |text| text.lines().any(|line| line.starts_with("index,")))
                .await;
        // Only a field that the driver does not know is worth another question; a dead driver stays dead.
        match &last {
            Found::Failed { reason } if reason.contains("not a valid field") => {}
            _ => break,
        }
    }
    last
}

/// Takes the CSV apart. Cells are separated by a comma and a space, and a header cell may end in a unit: `power.limit [W]`.
///
/// A line that is no row is a message about one card, such as `Unable to determine the device handle for GPU 0000:41:00.0:
/// Unknown Error`, or a warning before the table. It is kept beside the rows: one lost card says nothing of the others.
fn rows(csv: &str) -> Result<(Vec<Row>, Vec<String>), String> {
    let mut lines = csv.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut first = None;
    let header = lines.by_ref().find_map(|line| {
        first.get_or_insert(line);
        let cells: Vec<&str> = line.split(',').map(|cell| cell.split(" [").next().unwrap_or(cell).trim()).collect();
        cells.contains(&"index").then_some(cells)
    });
    let header = header.ok_or_else(|| match first {
        None => "nvidia-smi printed nothing".to_owned(),
        Some(line) => format!("nvidia-smi printed no table: {}", bench_text::clean_text(line, 200)),
    })?;
    let (mut rows, mut messages) = (Vec::new(), Vec::new());
    for line in lines {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        if cells.len() == header.len() {
            rows.push(header.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), cell.to_owned())).collect());
        } else if messages.len() < MOST_MESSAGES {
            messages.push(bench_text::clean_text(line, 200).to_string());
        }
    }
    match messages.first() {
        Some(message) if rows.is_empty() && !is_about_a_card(message) => {
            Err(format!("nvidia-smi printed a table without a whole row: {message}"))
        }
        _ => Ok((rows, messages)),
    }
}

/// Messages about cards that are kept.
const MOST_MESSAGES: usize = 64;

/// A card that the tool knows to be there and cannot ask.
fn lost(message: String, index: u32) -> Gpu {
    Gpu { index, name: "NVIDIA GPU".to_owned(), problem: Some(message), ..Gpu::default() }
}

/// Whether a message is about a card, and not a warning about something else.
fn is_about_a_card(message: &str) -> bool {
    ["device handle", "is lost", "requires reset", "fallen off"].iter().any(|words| message.contains(words))
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

/// GPUs whose memory is the machine's own.
const UNIFIED: [&str; 5] = ["GB10", "Orin", "Xavier", "Thor", "Tegra"];

/// Profiles of shares of a card, as in `NVIDIA A40-8Q` and `GRID T4-2B`: a size and a letter.
fn is_virtual(name: &str) -> bool {
    let profile = name.rsplit_once('-').map(|(_, profile)| profile.trim_end_matches("ME"));
    let is_share = profile.is_some_and(|profile| {
        let size = profile.trim_end_matches(['A', 'B', 'C', 'Q']);
        profile.len() == size.len() + 1 && !size.is_empty() && size.chars().all(|c| c.is_ascii_digit() || c == '-')
    });
    is_share || name.starts_with("GRID ") || name.contains("vGPU")
}

/// Parses the answer to the query of lasting facts.
///
/// # Errors
/// A sentence when the text is not the table asked for.
pub fn parse_facts(csv: &str) -> Result<GpuStack, String> {
    let (rows, messages) = rows(csv)?;
    let driver_version = rows.iter().find_map(|row| text(row, "driver_version"));
    let mut devices: Vec<Gpu> = rows
        .iter()
        .zip(0_u32..)
        .map(|(row, place)| {
            let name = text(row, "name").filter(|name| !is_about_a_card(name));
            let unified_memory = name.as_ref().is_some_and(|name| UNIFIED.iter().any(|part| name.contains(part)));
            let problem = name.is_none().then(|| "nvidia-smi cannot ask this GPU".to_owned());
            Gpu {
                index: whole(row, "index").unwrap_or(place),
                is_virtual: name.as_deref().is_some_and(is_virtual),
                name: name.unwrap_or_else(|| "NVIDIA GPU".to_owned()),
                unified_memory,
                problem,
                instances: Vec::new(),
                architecture: text(row, "compute_cap").map(|capability| format!("sm_{}", capability.replace('.', ""))),
                memory_total_bytes: row
                    .get("memory.total")
                    .and_then(|cell| mebibytes(cell))
                    .filter(|bytes| *bytes > 0 && !unified_memory),
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
            }
        })
        .collect();
    for message in messages.into_iter().filter(|message| is_about_a_card(message)) {
        let index = devices.iter().map(|gpu| gpu.index.saturating_add(1)).max().unwrap_or(0);
        devices.push(lost(message, index));
    }
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
        Some(GpuState {
            vendor: "nvidia".to_owned(),
            index: whole(row, "index")?,
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
    Ok(rows(csv)?.0.iter().filter_map(state).collect())
}

/// Adds the instances that `nvidia-smi -L` lists below a card, such as `  MIG 3g.40gb     Device  0: (UUID: MIG-…)`.
pub fn add_instances(stack: &mut GpuStack, list: &str) {
    let mut current = None;
    for line in list.lines() {
        if let Some(index) =
            line.strip_prefix("GPU ").and_then(|rest| rest.split(':').next()?.trim().parse::<u32>().ok())
        {
            current = stack.devices.iter().position(|gpu| gpu.index == index);
        } else if let Some(profile) = line.trim().strip_prefix("MIG ").and_then(|rest| rest.split_whitespace().next())
            && let Some(gpu) = current.and_then(|place| stack.devices.get_mut(place))
            && gpu.instances.len() < MOST_MESSAGES
        {
            let profile = bench_text::clean_text(profile, 32).to_string();
            let size = profile.split_once('.').and_then(|(_, size)| size.split("gb").next()?.parse::<u64>().ok());
            let memory_total_bytes = size.filter(|size| *size > 0 && *size < 1 << 20).map(|size| size << 30);
            gpu.instances.push(GpuInstance { profile, memory_total_bytes });
        }
    }
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
