//! Parsers of the tools' output, on fixture text. See `fixtures/README.md` for where it comes from.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_machine::gpu::{ClockLimit, amd, amd_smi, apple, nvidia, visibility};
use bench_machine::power::{PowerSource, parse_pmset, parse_pmset_therm};
use bench_machine::{cpu, cpu::cpuinfo, cpu::sysctl::Sysctl, memory, os};
use proptest::prelude::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("fixtures/", $name))
    };
}

const GIB: u64 = 1 << 30;

#[test]
fn nvidia_facts_name_driver_limits_and_architecture() {
    let stack = nvidia::parse_facts(fixture!("written/nvidia-smi-facts-two-gpus.csv")).unwrap();
    assert_eq!(stack.driver_version.as_deref(), Some("580.126.20"));
    let [first, second] = stack.devices.as_slice() else { panic!("two GPUs") };
    assert_eq!(first.name, "NVIDIA RTX PRO 6000 Blackwell Workstation Edition");
    assert_eq!(first.architecture.as_deref(), Some("sm_120"));
    assert_eq!(first.memory_total_bytes, Some(97_887 << 20));
    assert_eq!((first.power_limit_watts, first.power_limit_default_watts), (Some(450.0), Some(600.0)));
    assert_eq!((first.pcie_generation, first.pcie_generation_max, first.pcie_width), (Some(1), Some(5), Some(16)));
    assert_eq!((first.persistence_mode, first.ecc, first.mig), (Some(true), Some(false), Some(false)));
    assert_eq!(second.architecture.as_deref(), Some("sm_86"));
    assert_eq!((second.ecc, second.mig, second.persistence_mode), (None, None, Some(false)));
    assert_eq!(second.pci_bus_id.as_deref(), Some("00000000:21:00.0"));
}

#[test]
fn nvidia_facts_of_an_old_driver_leave_out_what_it_does_not_know() {
    let stack = nvidia::parse_facts(fixture!("written/nvidia-smi-facts-old-driver.csv")).unwrap();
    assert_eq!(stack.devices[0].name, "Tesla P40");
    assert_eq!(stack.devices[0].power_limit_watts, None);
    assert_eq!(stack.devices[0].architecture, None);
}

#[test]
fn nvidia_state_tells_throttling_from_idling() {
    let states = nvidia::parse_state(fixture!("written/nvidia-smi-state-throttling.csv")).unwrap();
    assert_eq!(states[0].clock_limits, Some(vec![ClockLimit::PowerCap, ClockLimit::SoftwareThermal]));
    assert_eq!(states[0].limited_time.unwrap().software_thermal_us, Some(120_011));
    assert_eq!(states[0].power_draw_watts, Some(447.1));
    assert_eq!(states[0].compute_clock_mhz, Some(1905.0));
    assert_eq!(states[0].memory_used_bytes, Some(71_234 << 20));
    assert_eq!(states[1].clock_limits, Some(vec![ClockLimit::Idle]));
    assert_eq!((states[1].power_draw_watts, states[1].fan_percent), (None, None));
}

#[test]
fn nvidia_state_reads_the_older_name_of_the_reasons() {
    let states = nvidia::parse_state(fixture!("written/nvidia-smi-state-driver-525.csv")).unwrap();
    assert_eq!(states[0].clock_limits, Some(Vec::new()));
    assert_eq!(states[0].limited_time, None);
    assert_eq!(states[0].memory_temperature_celsius, Some(45.0));
}

#[test]
fn a_lost_card_takes_no_other_with_it() {
    let table = "Unable to determine the device handle for GPU0000:41:00.0: Unknown Error\n\
        index, name, driver_version, memory.total [MiB], power.limit [W]\n\
        0, NVIDIA H100 80GB HBM3, 570.86.15, 81559 MiB, 700.00 W\n\
        1, [Unknown Error], 570.86.15, [GPU is lost], [N/A]\n\
        Unable to determine the device handle for GPU 0000:C1:00.0: GPU is lost.  Reboot the system to recover this GPU\n";
    let stack = nvidia::parse_facts(table).unwrap();
    let seen: Vec<_> =
        stack.devices.iter().map(|gpu| (gpu.index, gpu.problem.is_some(), gpu.memory_total_bytes)).collect();
    assert_eq!(seen, [(0, false, Some(81_559 << 20)), (1, true, None), (2, true, None)]);
    assert_eq!(nvidia::parse_state("index, temperature.gpu\n0, 40\nGPU is lost\n").unwrap().len(), 1);
}

#[test]
fn shares_boards_and_instances_are_what_they_are() {
    let facts = |name: &str, memory: &str| {
        let table = format!("index, name, memory.total [MiB]\r\n0, {name}, {memory}\r\n");
        nvidia::parse_facts(&table).unwrap().devices.remove(0)
    };
    assert!(facts("NVIDIA A40-8Q", "8192 MiB").is_virtual && facts("GRID T4-2B", "2048 MiB").is_virtual);
    assert!(facts("NVIDIA A100-4-20C", "20480 MiB").is_virtual);
    assert!(!facts("NVIDIA A100-SXM4-80GB", "81920 MiB").is_virtual);
    let spark = facts("NVIDIA GB10", "[N/A]");
    assert!(spark.unified_memory && spark.memory_total_bytes.is_none());
    assert_eq!(facts("NVIDIA L4", "0 MiB").memory_total_bytes, None);
    let mut stack = nvidia::parse_facts("index, name\n0, NVIDIA A100-SXM4-80GB\n").unwrap();
    let list = "GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-SERIAL)\n  MIG 3g.40gb     Device  0: (UUID: MIG-SERIAL)\n  \
        MIG 1g.10gb+me  Device  1: (UUID: MIG-SERIAL)\n";
    nvidia::add_instances(&mut stack, list);
    let parts: Vec<_> =
        stack.devices[0].instances.iter().map(|part| (part.profile.as_str(), part.memory_total_bytes)).collect();
    assert_eq!(parts, [("3g.40gb", Some(40 * GIB)), ("1g.10gb+me", Some(10 * GIB))]);
    assert!(!format!("{stack:?}").contains("SERIAL"));
}

#[test]
fn amd_smi_is_read_in_each_form() {
    let list = r#"[{"gpu": 0, "asic": {"market_name": "AMD Instinct MI300X", "asic_serial": "SERIAL", "target_graphics_version": "gfx942"},
        "bus": {"bdf": "0000:0c:00.0"}, "vram": {"size": {"value": 196592, "unit": "MB"}}, "limit": {"max_power": {"value": 750, "unit": "W"}},
        "driver": {"name": "amdgpu", "version": "6.14.14"}}]"#;
    let stack = amd_smi::parse_facts(&format!("WARNING: low power\n{list}")).unwrap();
    let gpu = &stack.devices[0];
    assert_eq!((gpu.name.as_str(), gpu.architecture.as_deref()), ("AMD Instinct MI300X", Some("gfx942")));
    assert_eq!((gpu.memory_total_bytes, gpu.power_limit_max_watts), (Some(196_592 << 20), Some(750.0)));
    assert_eq!(stack.driver_version.as_deref(), Some("6.14.14"));
    assert_eq!(amd_smi::parse_facts(&format!("{{\"gpu_data\": {list}}}")).unwrap(), stack);
    let bare = amd_smi::parse_facts(
        r#"[{"asic": {"market_name": "N/A"}, "vram": {"size": "24560 MB"}}, {"vram": {"size": "N/A"}}]"#,
    )
    .unwrap();
    let seen: Vec<_> = bare.devices.iter().map(|gpu| (gpu.index, gpu.name.as_str(), gpu.memory_total_bytes)).collect();
    assert_eq!(seen, [(0, "AMD GPU", Some(24_560 << 20)), (1, "AMD GPU", None)]);
    assert!(!format!("{stack:?}").contains("SERIAL"));
    for text in ["", "no JSON", "[", "{\"a\": 1}"] {
        assert!(amd_smi::parse_facts(text).is_err(), "{text}");
    }
}

#[test]
fn nvidia_text_that_is_no_table_is_a_problem_and_not_an_empty_machine() {
    for text in [fixture!("written/nvidia-smi-failed.txt"), "", "index, name\n0"] {
        assert!(nvidia::parse_facts(text).is_err(), "{text:?}");
    }
}

#[test]
fn cuda_version_is_read_from_both_banners() {
    let version = |banner| nvidia::parse_cuda_version(banner);
    assert_eq!(version(fixture!("written/nvidia-smi-banner-550.txt")).as_deref(), Some("12.4"));
    assert_eq!(version(fixture!("written/nvidia-smi-banner-610.txt")).as_deref(), Some("13.3"));
    assert_eq!(version("CUDA Version: N/A"), None);
}

#[test]
fn rocm_facts_survive_a_warning_before_the_json() {
    let stack = amd::parse_facts(fixture!("written/rocm-smi-facts.json")).unwrap();
    assert_eq!(stack.driver_version.as_deref(), Some("6.10.5"));
    let gpu = &stack.devices[0];
    assert_eq!((gpu.name.as_str(), gpu.architecture.as_deref()), ("Radeon RX 7900 XTX", Some("gfx1100")));
    assert_eq!(gpu.memory_total_bytes, Some(25_753_026_560));
    assert_eq!(gpu.power_limit_watts, Some(303.0));
}

#[test]
fn rocm_facts_of_older_releases_find_the_name_under_another_key() {
    let stack = amd::parse_facts(fixture!("written/rocm-smi-facts-old.json")).unwrap();
    let names: Vec<&str> = stack.devices.iter().map(|gpu| gpu.name.as_str()).collect();
    assert_eq!(names, ["Instinct MI210", "AMD GPU"]);
}

#[test]
fn rocm_state_prefers_the_junction_and_strips_units() {
    let states = amd::parse_state(fixture!("written/rocm-smi-state.json")).unwrap();
    assert_eq!(states[0].temperature_celsius, Some(55.0));
    assert_eq!((states[0].compute_clock_mhz, states[0].memory_clock_mhz), (Some(2304.0), Some(1249.0)));
    assert_eq!(states[0].utilization_percent, Some(88.0));
}

#[test]
fn apple_report_gives_cores_and_no_display() {
    let stack = apple::parse(fixture!("written/system-profiler-m3-max.json")).unwrap();
    let gpu = &stack.devices[0];
    assert_eq!((gpu.name.as_str(), gpu.cores, gpu.architecture.as_deref()), ("Apple M3 Max", Some(40), Some("metal3")));
    let stack = apple::parse(fixture!("written/system-profiler-intel-amd.json")).unwrap();
    assert_eq!(stack.devices[0].name, "AMD Radeon Pro 5500M");
    assert_eq!(stack.devices[0].memory_total_bytes, Some(8 * GIB));
    assert_eq!(stack.devices[1].name, "Intel UHD Graphics 630");
}

#[test]
fn no_serial_number_gets_through_a_gpu_parser() {
    let stacks = [
        amd::parse_facts(fixture!("written/rocm-smi-facts.json")),
        amd::parse_facts(fixture!("written/rocm-smi-facts-old.json")),
        apple::parse(fixture!("written/system-profiler-m3-max.json")),
    ];
    for stack in stacks {
        assert!(!format!("{:?}", stack.unwrap()).contains("SERIAL"));
    }
}

#[test]
fn visible_devices_never_show_uuids() {
    let shown = visibility(|name| match name {
        "CUDA_VISIBLE_DEVICES" => Some("GPU-00000000-0000-0000-0000-000000000000,GPU-1".to_owned()),
        "HIP_VISIBLE_DEVICES" => Some("0,2".to_owned()),
        _ => None,
    });
    assert_eq!(shown[0].devices, "2 named otherwise than by number");
    assert_eq!(shown[1].devices, "0,2");
}

#[test]
fn sysctl_of_an_apple_chip_names_both_kinds_of_cores() {
    let cpu = Sysctl::parse(fixture!("written/sysctl-m3-max.txt")).cpu().unwrap();
    assert_eq!((cpu.vendor.as_deref(), cpu.model.as_deref()), (Some("Apple"), Some("Apple M3 Max")));
    assert_eq!((cpu.core_kinds["Performance"], cpu.core_kinds["Efficiency"]), (12, 4));
    assert_eq!(cpu.instruction_sets, ["asimd", "asimddp", "bf16", "i8mm"]);
}

#[test]
fn sysctl_of_an_intel_mac_gives_its_clock() {
    let cpu = Sysctl::parse(fixture!("written/sysctl-intel-mac.txt")).cpu().unwrap();
    assert_eq!((cpu.logical_cores, cpu.physical_cores), (12, Some(6)));
    assert_eq!(cpu.base_clock_mhz, Some(2600.0));
    assert!(cpu.instruction_sets.contains(&"avx2".to_owned()));
    assert!(Sysctl::parse("nothing here").cpu().is_err());
}

#[test]
fn cpuinfo_of_this_kind_of_server() {
    let info = cpuinfo::parse(fixture!("recorded/cpuinfo-amd-epyc-vm.txt")).unwrap();
    assert_eq!((info.vendor.as_deref(), info.model.as_deref()), (Some("AuthenticAMD"), Some("AMD EPYC")));
    assert_eq!((info.logical_cores, info.physical_cores, info.sockets), (2, Some(2), Some(1)));
    assert_eq!(info.microcode.as_deref(), Some("0x1000065"));
    for set in ["avx2", "avx512f", "avx512_vnni", "avx512_bf16", "fma", "f16c"] {
        assert!(info.instruction_sets.iter().any(|found| found == set), "{set}");
    }
    assert!(!info.instruction_sets.iter().any(|set| set == "fpu" || set == "smep"));
}

#[test]
fn cpuinfo_counts_a_core_of_each_socket_once() {
    let info = cpuinfo::parse(fixture!("written/cpuinfo-xeon-two-sockets.txt")).unwrap();
    assert_eq!((info.logical_cores, info.physical_cores, info.sockets), (3, Some(2), Some(2)));
    assert_eq!((info.nominal_clock_mhz, info.current_clock_mhz), (Some(2400.0), Some(2600.0)));
}

#[test]
fn cpuinfo_of_arm_names_the_core_designs() {
    let info = cpuinfo::parse(fixture!("written/cpuinfo-gb10.txt")).unwrap();
    assert_eq!(info.vendor.as_deref(), Some("ARM"));
    assert_eq!(info.model.as_deref(), Some("1 x Cortex-A725 + 1 x Cortex-X925"));
    assert_eq!(info.core_kinds.len(), 2);
    assert!(info.instruction_sets.contains(&"svebf16".to_owned()));
}

#[test]
fn sizes_and_lists_of_the_kernel() {
    assert_eq!(cpu::cache_bytes("48K"), Some(48 << 10));
    assert_eq!(cpu::cache_bytes("32768K"), Some(32 << 20));
    assert_eq!(cpu::cache_bytes("1T"), None);
    assert_eq!(cpu::count_of_list("0-3,8"), Some(5));
    assert_eq!(cpu::count_of_list("3-0"), None);
    assert_eq!(cpu::count_of_list(""), None);
}

#[test]
fn meminfo_is_in_bytes() {
    let sizes = memory::parse_meminfo(fixture!("recorded/meminfo-24g.txt")).unwrap();
    assert_eq!(sizes.total_bytes, 24_684_096 * 1024);
    assert_eq!((sizes.swap_total_bytes, sizes.swap_used_bytes), (0, 0));
    assert!(memory::parse_meminfo("MemFree: 12 kB").is_err());
}

#[test]
fn dmidecode_counts_modules_and_channels_and_drops_serial_numbers() {
    let modules = memory::parse_dmidecode(fixture!("written/dmidecode-17.txt")).unwrap();
    assert_eq!((modules.slots, modules.populated, modules.channels), (3, 2, Some(2)));
    assert_eq!(modules.module_bytes, [64 * GIB, 64 * GIB]);
    assert_eq!((modules.rated_speed_mt_per_s, modules.configured_speed_mt_per_s), (Some(5600), Some(4800)));
    assert_eq!(modules.kind.as_deref(), Some("DDR5"));
    assert!(!format!("{modules:?}").contains("SERIAL"));
    assert!(memory::parse_dmidecode("# dmidecode 3.3\nScanning /dev/mem for entry point.\n").is_err());
}

#[test]
fn vm_stat_counts_what_can_be_reclaimed() {
    assert_eq!(memory::parse_vm_stat(fixture!("written/vm-stat.txt")), Ok(1_630_000 * 16_384));
}

#[test]
fn os_release_strips_quotes() {
    let release = os::parse_os_release(fixture!("written/os-release-ubuntu.txt"));
    assert_eq!(release.pretty_name.as_deref(), Some("Ubuntu 24.04.1 LTS"));
    assert_eq!((release.id.as_deref(), release.version_id.as_deref()), (Some("ubuntu"), Some("24.04")));
    let release = os::parse_os_release(fixture!("recorded/os-release-debian-12.txt"));
    assert_eq!(release.pretty_name.as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
}

#[test]
fn pmset_tells_battery_from_mains() {
    let settings = fixture!("written/pmset-settings.txt");
    let power = parse_pmset(fixture!("written/pmset-batt-battery.txt"), settings).unwrap();
    assert_eq!(
        (power.source, power.battery_percent, power.low_power_mode),
        (PowerSource::Battery, Some(85), Some(true))
    );
    let power = parse_pmset(fixture!("written/pmset-batt-mains.txt"), "").unwrap();
    assert_eq!((power.source, power.battery_percent, power.low_power_mode), (PowerSource::Mains, Some(100), None));
    assert!(parse_pmset("", "").is_err());
    assert_eq!(parse_pmset_therm(fixture!("written/pmset-therm-limited.txt")), Some(62));
    assert_eq!(parse_pmset_therm("Note: No thermal warning level has been recorded"), None);
}

proptest! {
    /// Tools change, and a container may put anything in their place.
    #[test]
    fn no_parser_panics_on_any_text(text in "\\PC{0,400}|[a-z0-9 :,.=\\[\\]%{}\"\n\t-]{0,400}") {
        let _ = nvidia::parse_facts(&text);
        let _ = nvidia::parse_state(&format!("index,power.draw [W]\n{text}"));
        let _ = nvidia::parse_cuda_version(&format!("CUDA Version{text}"));
        let _ = nvidia::parse_reasons(&text);
        let _ = amd::parse_facts(&text);
        let _ = amd::parse_state(&text);
        let _ = apple::parse(&text);
        let _ = Sysctl::parse(&text).cpu();
        let _ = cpuinfo::parse(&text);
        let _ = cpu::cache_bytes(&text);
        let _ = cpu::count_of_list(&text);
        let _ = memory::parse_meminfo(&text);
        let _ = memory::parse_dmidecode(&format!("Memory Device\n\tSize: {text}"));
        let _ = memory::parse_vm_stat(&format!("page size of {text}"));
        let _ = os::parse_os_release(&text);
        let _ = parse_pmset(&format!("'AC Power' InternalBattery {text}"), &text);
        let _ = parse_pmset_therm(&text);
    }
}
