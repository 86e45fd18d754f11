//! Reading `/proc` and `/sys`, on trees of files that stand for machines.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_machine::conditions::linux as conditions;
use bench_machine::power::{PowerSource, Supply};
use bench_machine::surroundings::{self, Clues};
use bench_machine::{Found, Tree, cpu, gpu, memory, os, power};

const CPUINFO: &str = include_str!("fixtures/recorded/cpuinfo-amd-epyc-vm.txt");
const MEMINFO: &str = include_str!("fixtures/recorded/meminfo-24g.txt");
const STAT: &str = include_str!("fixtures/recorded/stat.txt");
const CGROUP_V1: &str = include_str!("fixtures/recorded/cgroup-v1-docker.txt");

/// A directory with these files.
fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let tree = Tree::from(root.path());
    (root, tree)
}

#[test]
fn a_machine_without_any_file_is_absent_and_not_zero() {
    let (_root, tree) = machine(&[]);
    assert_eq!(cpu::linux(&tree), Found::not_present("/proc/cpuinfo"));
    assert_eq!(memory::linux(&tree, Found::not_present("dmidecode")), Found::not_present("/proc/meminfo"));
    assert!(matches!(power::linux(&tree), Found::NotPresent { .. }));
    assert!(matches!(gpu::pci::linux(&tree), Found::NotPresent { .. }));
    let state = conditions::capture(&tree, Found::not_present("/proc/<pid>/stat"));
    assert!(!state.load.is_present() && !state.temperatures.is_present() && !state.cpu_clock.is_present());
}

#[test]
fn files_that_make_no_sense_are_failures() {
    let (_root, tree) = machine(&[("proc/cpuinfo", "?"), ("proc/meminfo", "?"), ("proc/loadavg", "?")]);
    assert!(matches!(cpu::linux(&tree), Found::Failed { .. }));
    assert!(matches!(memory::linux(&tree, Found::not_present("dmidecode")), Found::Failed { .. }));
    assert!(matches!(conditions::capture(&tree, Found::present(0)).load, Found::Failed { .. }));
}

#[test]
fn cpu_settings_and_caches_come_from_sysfs() {
    let base = "sys/devices/system/cpu";
    let path = |rest: &str| format!("{base}/{rest}");
    let mut files = vec![("proc/cpuinfo".to_owned(), CPUINFO)];
    for n in 0..2 {
        files.push((path(&format!("cpu{n}/cpufreq/scaling_governor")), "powersave\n"));
        files.push((path(&format!("cpu{n}/cpufreq/cpuinfo_max_freq")), "4100000\n"));
        files.push((path(&format!("cpu{n}/cpufreq/base_frequency")), "2600000\n"));
        files.push((path(&format!("cpu{n}/cpufreq/scaling_cur_freq")), if n == 0 { "1000000" } else { "3000000" }));
        for (index, level, kind, size, sharers) in
            [(0, "1", "Data", "48K", ["0", "1"]), (3, "3", "Unified", "32768K", ["0-1", "0-1"])]
        {
            let at = |file: &str| path(&format!("cpu{n}/cache/index{index}/{file}"));
            files.push((at("level"), level));
            files.push((at("type"), kind));
            files.push((at("size"), size));
            files.push((at("shared_cpu_list"), sharers[n]));
        }
    }
    files.push((path("intel_pstate/no_turbo"), "1\n"));
    files.push((path("smt/control"), "off\n"));
    files.push(("sys/devices/system/node/online".to_owned(), "0-1\n"));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let (_root, tree) = machine(&files);
    let cpu = cpu::linux(&tree).into_value().unwrap();
    assert_eq!(cpu.governors, Found::present(vec!["powersave".to_owned()]));
    assert_eq!(
        (cpu.base_clock_mhz, cpu.max_clock_mhz, cpu.current_clock_mhz),
        (Some(2600.0), Some(4100.0), Some(2000.0))
    );
    assert_eq!(cpu.turbo, Found::present(false));
    assert_eq!(cpu.smt, Found::present("off".to_owned()));
    assert_eq!(cpu.numa_nodes, Some(2));
    let caches: Vec<(u8, u64, u32)> =
        cpu.caches.iter().map(|cache| (cache.level, cache.bytes, cache.instances)).collect();
    assert_eq!(caches, [(1, 48 << 10, 2), (3, 32 << 20, 1)]);
}

#[test]
fn limits_of_cgroup_version_2_are_the_tightest_of_all_levels() {
    let (_root, tree) = machine(&[
        ("proc/self/cgroup", "0::/system.slice/docker.scope\n"),
        ("proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-3\n"),
        ("sys/fs/cgroup/system.slice/docker.scope/cpu.max", "max 100000\n"),
        ("sys/fs/cgroup/system.slice/cpu.max", "250000 100000\n"),
        ("sys/fs/cgroup/system.slice/docker.scope/memory.max", "4294967296\n"),
        ("sys/fs/cgroup/system.slice/memory.max", "max\n"),
    ]);
    let limits = surroundings::limits(&tree);
    assert_eq!((limits.cpu_cores, limits.memory_bytes, limits.allowed_cpus), (Some(2.5), Some(4 << 30), Some(4)));
}

#[test]
fn limits_of_cgroup_version_1_skip_the_number_that_means_none() {
    let (_root, tree) = machine(&[
        ("proc/self/cgroup", CGROUP_V1),
        ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
    ]);
    let limits = surroundings::limits(&tree);
    assert_eq!((limits.cpu_cores, limits.memory_bytes), (Some(1.5), None));
}

#[test]
fn a_cgroup_path_that_climbs_out_is_not_followed() {
    assert!(surroundings::parse_cgroup("0::/../../etc\n").is_empty());
}

#[test]
fn docker_in_a_virtual_machine_is_both() {
    let (_root, tree) = machine(&[("proc/cpuinfo", CPUINFO), (".dockerenv", ""), ("proc/1/cgroup", CGROUP_V1)]);
    let found = surroundings::linux(&tree, &os::board(&tree));
    assert_eq!((found.container.as_deref(), found.virtual_machine.as_deref()), (Some("docker"), Some("unknown")));
    assert_eq!(found.evidence.len(), 2);
}

#[test]
fn clues_name_the_container_and_the_hypervisor() {
    let board = |vendor: &str, product: &str| os::Board {
        system_vendor: Some(vendor.to_owned()),
        product: Some(product.to_owned()),
        ..os::Board::default()
    };
    let vm = |board| surroundings::conclude(&Clues { board, ..Clues::default() }).virtual_machine;
    assert_eq!(vm(board("QEMU", "Standard PC (Q35 + ICH9, 2009)")).as_deref(), Some("qemu"));
    assert_eq!(vm(board("Amazon EC2", "g6e.xlarge")).as_deref(), Some("amazon-ec2"));
    assert_eq!(vm(board("Amazon EC2", "c7i.metal")), None);
    assert_eq!(vm(board("Microsoft Corporation", "Virtual Machine")).as_deref(), Some("hyper-v"));
    assert_eq!(vm(board("Microsoft Corporation", "Surface Laptop 6")), None);
    assert_eq!(vm(board("ASUS", "ProArt")), None);
    let clocks = Clues { clock_sources: "kvm-clock tsc acpi_pm".to_owned(), ..Clues::default() };
    assert_eq!(surroundings::conclude(&clocks).virtual_machine.as_deref(), Some("kvm"));

    let container = |clues: Clues| surroundings::conclude(&clues).container;
    assert_eq!(container(Clues { container_file: Some(String::new()), ..Clues::default() }).as_deref(), Some("podman"));
    let kubernetes = Clues { first_cgroup: "0::/kubepods/pod1".to_owned(), ..Clues::default() };
    assert_eq!(container(kubernetes).as_deref(), Some("kubernetes"));
    assert_eq!(container(Clues::default()), None);

    let wsl = Clues { kernel_release: "5.15.153.1-microsoft-standard-WSL2".to_owned(), ..Clues::default() };
    let found = surroundings::conclude(&wsl);
    assert_eq!((found.wsl_version, found.virtual_machine.as_deref()), (Some(2), Some("hyper-v")));
    let wsl = Clues { kernel_release: "4.4.0-19041-Microsoft".to_owned(), ..Clues::default() };
    assert_eq!(surroundings::conclude(&wsl).wsl_version, Some(1));
}

#[test]
fn power_supplies() {
    let supply = |kind: &str, online: Option<bool>, status: Option<&str>, scope: Option<&str>| Supply {
        kind: kind.to_owned(),
        online,
        status: status.map(str::to_owned),
        scope: scope.map(str::to_owned),
        capacity: Some(80),
    };
    let source = |supplies: &[Supply]| power::conclude(supplies, None).map(|power| power.source);
    let unplugged = supply("Mains", Some(false), None, None);
    let draining = supply("Battery", None, Some("Discharging"), None);
    assert_eq!(source(&[unplugged.clone(), draining.clone()]), Some(PowerSource::Battery));
    assert_eq!(source(&[supply("USB", Some(true), None, None), draining]), Some(PowerSource::Mains));
    assert_eq!(source(&[supply("Battery", None, Some("Full"), None)]), Some(PowerSource::Mains));
    assert_eq!(source(&[supply("UPS", None, Some("Discharging"), None)]), Some(PowerSource::Ups));
    // The battery of a mouse says nothing about the machine.
    assert_eq!(source(&[supply("Battery", None, Some("Discharging"), Some("Device"))]), None);
    assert_eq!(source(&[]), None);
}

#[test]
fn power_supplies_are_read_from_sysfs() {
    let (_root, tree) = machine(&[
        ("sys/class/power_supply/AC/type", "Mains\n"),
        ("sys/class/power_supply/AC/online", "0\n"),
        ("sys/class/power_supply/BAT0/type", "Battery\n"),
        ("sys/class/power_supply/BAT0/status", "Discharging\n"),
        ("sys/class/power_supply/BAT0/capacity", "57\n"),
        ("sys/class/power_supply/BAT0/serial_number", "SERIAL\n"),
        ("sys/firmware/acpi/platform_profile", "low-power\n"),
    ]);
    let power = power::linux(&tree).into_value().unwrap();
    assert_eq!(
        (power.source, power.battery_percent, power.low_power_mode),
        (PowerSource::Battery, Some(57), Some(true))
    );
}

#[cfg(unix)]
#[test]
fn adapters_are_display_and_processing_devices_only() {
    let base = "sys/bus/pci/devices";
    let path = |device: &str, file: &str| format!("{base}/{device}/{file}");
    let (gpu, disk) = ("0000:01:00.0", "0000:02:00.0");
    let files = [
        (path(gpu, "class"), "0x030000"),
        (path(gpu, "vendor"), "0x10de"),
        (path(gpu, "device"), "0x2684"),
        (path(disk, "class"), "0x010802"),
        (path(disk, "vendor"), "0x144d"),
        (path(disk, "device"), "0xa80a"),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let (root, tree) = machine(&files);
    std::os::unix::fs::symlink("../../../bus/pci/drivers/nouveau", root.path().join(path(gpu, "driver"))).unwrap();
    let adapters = gpu::pci::linux(&tree).into_value().unwrap();
    assert_eq!(adapters.len(), 1);
    assert_eq!((adapters[0].vendor.as_str(), adapters[0].device_id.as_str()), ("NVIDIA", "10de:2684"));
    assert_eq!(adapters[0].driver.as_deref(), Some("nouveau"));
}

#[test]
fn conditions_read_sensors_clocks_and_counters() {
    let cpu = "sys/devices/system/cpu";
    let files = [
        ("proc/loadavg".to_owned(), include_str!("fixtures/recorded/loadavg.txt")),
        ("proc/stat".to_owned(), STAT),
        ("proc/meminfo".to_owned(), MEMINFO),
        ("proc/cpuinfo".to_owned(), CPUINFO),
        ("sys/class/hwmon/hwmon0/name".to_owned(), "coretemp\n"),
        ("sys/class/hwmon/hwmon0/temp1_input".to_owned(), "91000\n"),
        ("sys/class/hwmon/hwmon0/temp1_label".to_owned(), "Package id 0\n"),
        ("sys/class/hwmon/hwmon0/temp1_crit".to_owned(), "100000\n"),
        (format!("{cpu}/cpu0/thermal_throttle/core_throttle_count"), "3\n"),
        (format!("{cpu}/cpu0/thermal_throttle/package_throttle_count"), "7\n"),
        (format!("{cpu}/cpu1/thermal_throttle/core_throttle_count"), "4\n"),
        (format!("{cpu}/cpu1/thermal_throttle/package_throttle_count"), "7\n"),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let (_root, tree) = machine(&files);
    let state = conditions::capture(&tree, Found::present(0));
    assert_eq!(state.logical_cores, Some(2));
    let sensors = state.temperatures.value().unwrap();
    assert_eq!((sensors[0].sensor.as_str(), sensors[0].celsius), ("coretemp: Package id 0", 91.0));
    assert_eq!(sensors[0].critical_celsius, Some(100.0));
    let throttling = state.cpu_throttling.value().unwrap();
    assert_eq!((throttling.core_events, throttling.package_events), (7, 7));
    let clock = state.cpu_clock.value().unwrap();
    assert!((clock.mean_mhz - 2599.998).abs() < 1e-6);
    assert!(state.cpu_time.value().unwrap().total_ticks > 0);
    assert!(!state.governors.is_present());
}

#[test]
fn zones_stand_in_where_there_is_no_hwmon() {
    let zone = "sys/class/thermal/thermal_zone0";
    let (type_file, temperature) = (format!("{zone}/type"), format!("{zone}/temp"));
    let (_root, tree) = machine(&[(&type_file, "cpu-thermal\n"), (&temperature, "48312\n")]);
    let sensors = conditions::temperatures(&tree).into_value().unwrap();
    assert_eq!((sensors[0].sensor.as_str(), sensors[0].celsius), ("zone: cpu-thermal", 48.312));
}

#[test]
fn busy_processes_are_others_that_really_run() {
    let stat = |ticks: u64| format!("{ticks} (a (very) odd) name) R 1 1 1 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 1 0 5 0 0");
    let times = |ticks: u64, processes: &[(u32, u64)]| {
        let mut files = vec![("proc/stat".to_owned(), format!("cpu  {ticks} 0 0 0 0 0 0 0\ncpu0 1\ncpu1 1\n"))];
        files.extend(processes.iter().map(|(pid, ticks)| (format!("proc/{pid}/stat"), stat(*ticks))));
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let (_root, tree) = machine(&files);
        conditions::process_times(&tree).unwrap()
    };
    let before = times(1000, &[(101, 50), (102, 50), (103, 50)]);
    // 24 ticks on two processors are twelve each; process 104 is new and what it did before is unknown.
    let after = times(1024, &[(101, 62), (102, 51), (103, 62), (104, 500)]);
    assert_eq!(conditions::busy(&before, &after, &[103]), 1);
    assert_eq!(conditions::busy(&before, &after, &[]), 2);
    assert_eq!(conditions::busy(&before, &before, &[]), 0);
}

#[test]
fn a_directory_in_place_of_a_file_is_a_failure() {
    let (root, tree) = machine(&[]);
    std::fs::create_dir_all(root.path().join("proc/cpuinfo")).unwrap();
    assert!(matches!(cpu::linux(&tree), Found::Failed { .. }));
}
