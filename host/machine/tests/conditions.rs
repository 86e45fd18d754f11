//! Flags from two states of a machine.

use bench_machine::Found;
use bench_machine::conditions::{Conditions, CpuThrottling, CpuTime, FlagCode, Load};
use bench_machine::gpu::{ClockLimit, GpuState, LimitedTime};
use bench_machine::power::{Power, PowerSource};

/// A quiet machine with everything in order.
fn quiet() -> Conditions {
    Conditions {
        logical_cores: Some(8),
        load: Found::present(Load { one_minute: 0.2, five_minutes: 0.2, fifteen_minutes: 0.2 }),
        cpu_clock: Found::not_present("scaling_cur_freq"),
        governors: Found::present(vec!["performance".to_owned()]),
        temperatures: Found::not_present("/sys/class/hwmon"),
        cpu_throttling: Found::present(CpuThrottling { core_events: 5, package_events: 5, speed_limit_percent: None }),
        cpu_time: Found::present(CpuTime { total_ticks: 1000, idle_ticks: 900, stolen_ticks: 10 }),
        nvidia: Found::present(vec![gpu()]),
        amd: Found::not_present("rocm-smi"),
        power: Found::present(Power { source: PowerSource::Mains, battery_percent: None, low_power_mode: Some(false) }),
        memory_available_bytes: Found::present(8 << 30),
        swap_used_bytes: Found::present(0),
        busy_processes: Found::present(0),
    }
}

fn gpu() -> GpuState {
    GpuState {
        vendor: "nvidia".to_owned(),
        index: 3,
        utilization_percent: Some(0.0),
        clock_limits: Some(vec![ClockLimit::Idle]),
        limited_time: Some(LimitedTime {
            power_cap_us: Some(10),
            software_thermal_us: Some(10),
            hardware_thermal_us: Some(0),
            power_brake_us: None,
        }),
        ..GpuState::default()
    }
}

fn codes(before: &Conditions, after: &Conditions) -> Vec<FlagCode> {
    Conditions::compare(before, after).into_iter().map(|flag| flag.code).collect()
}

/// Flags of a run that ends in a state changed like this.
fn after(change: impl FnOnce(&mut Conditions)) -> Vec<FlagCode> {
    let mut end = quiet();
    change(&mut end);
    codes(&quiet(), &end)
}

/// Flags of a run that starts in a state changed like this.
fn before(change: impl FnOnce(&mut Conditions)) -> Vec<FlagCode> {
    let mut start = quiet();
    change(&mut start);
    codes(&start, &quiet())
}

fn power(source: PowerSource, low_power_mode: bool) -> Found<Power> {
    Found::present(Power { source, battery_percent: Some(50), low_power_mode: Some(low_power_mode) })
}

#[test]
fn a_quiet_machine_has_no_flag() {
    assert_eq!(after(|_| {}), []);
}

#[test]
fn old_throttling_is_no_flag_and_new_throttling_is() {
    let throttled = |state: &mut Conditions| {
        state.cpu_throttling =
            Found::present(CpuThrottling { core_events: 6, package_events: 5, speed_limit_percent: None });
    };
    assert_eq!(after(throttled), [FlagCode::CpuThrottled]);
    let limited = |state: &mut Conditions| {
        state.cpu_throttling =
            Found::present(CpuThrottling { speed_limit_percent: Some(62), ..CpuThrottling::default() });
    };
    assert_eq!(after(limited), [FlagCode::CpuThrottled]);
}

#[test]
fn gpu_throttling_is_seen_at_the_end_or_by_its_counter() {
    let with = |gpu: GpuState| after(|state| state.nvidia = Found::present(vec![gpu]));
    assert_eq!(
        with(GpuState { clock_limits: Some(vec![ClockLimit::HardwareThermal]), ..gpu() }),
        [FlagCode::GpuThrottled]
    );
    let mut counted = gpu();
    counted.limited_time =
        Some(LimitedTime { software_thermal_us: Some(11), power_cap_us: Some(10), ..LimitedTime::default() });
    assert_eq!(with(counted), [FlagCode::GpuThrottled]);
    assert_eq!(with(GpuState { clock_limits: Some(vec![ClockLimit::PowerCap]), ..gpu() }), [FlagCode::GpuPowerCapped]);
    assert_eq!(with(GpuState { clock_limits: None, limited_time: None, ..gpu() }), []);
}

#[test]
fn flags_name_the_gpu_and_say_what_to_do() {
    let mut end = quiet();
    end.nvidia = Found::present(vec![GpuState { clock_limits: Some(vec![ClockLimit::PowerBrake]), ..gpu() }]);
    let flags = Conditions::compare(&quiet(), &end);
    assert!(flags[0].sentence.contains("GPU 3"), "{}", flags[0].sentence);
    assert!(!flags[0].hint.is_empty());
}

#[test]
fn battery_and_a_change_of_source_are_two_flags() {
    assert_eq!(
        after(|state| state.power = power(PowerSource::Battery, false)),
        [FlagCode::OnBattery, FlagCode::PowerSourceChanged]
    );
    let mut both = quiet();
    both.power = power(PowerSource::Battery, true);
    assert_eq!(codes(&both, &both), [FlagCode::OnBattery, FlagCode::LowPowerMode]);
}

#[test]
fn settings_and_other_work_are_flagged() {
    assert_eq!(
        before(|state| state.governors = Found::present(vec!["performance".to_owned(), "powersave".to_owned()])),
        [FlagCode::GovernorNotPerformance]
    );
    let loaded = |state: &mut Conditions| {
        state.load = Found::present(Load { one_minute: 2.5, five_minutes: 0.0, fifteen_minutes: 0.0 });
    };
    assert_eq!(before(loaded), [FlagCode::LoadBeforeStart]);
    // The run itself is load.
    assert_eq!(after(loaded), []);
    assert_eq!(after(|state| state.busy_processes = Found::present(2)), [FlagCode::BusyProcesses]);
    let working = GpuState { utilization_percent: Some(40.0), ..gpu() };
    assert_eq!(before(|state| state.nvidia = Found::present(vec![working])), [FlagCode::GpuBusyBeforeStart]);
}

#[test]
fn stolen_time_and_swapping_are_flagged() {
    let stolen = |ticks: u64| CpuTime { total_ticks: 2000, idle_ticks: 900, stolen_ticks: ticks };
    assert_eq!(after(|state| state.cpu_time = Found::present(stolen(110))), [FlagCode::CpuStolen]);
    assert_eq!(after(|state| state.cpu_time = Found::present(stolen(15))), []);
    assert_eq!(after(|state| state.swap_used_bytes = Found::present(1 << 30)), [FlagCode::Swapping]);
    assert_eq!(after(|state| state.swap_used_bytes = Found::present(1 << 20)), []);
}

#[test]
fn what_is_not_known_raises_no_flag() {
    let mut unknown = quiet();
    unknown.load = Found::failed("x");
    unknown.cpu_throttling = Found::not_present("x");
    unknown.power = Found::not_present("x");
    unknown.nvidia = Found::not_present("x");
    unknown.governors = Found::not_present("x");
    unknown.cpu_time = Found::not_present("x");
    unknown.logical_cores = None;
    assert_eq!(codes(&unknown, &quiet()), []);
    assert_eq!(codes(&quiet(), &unknown), []);
}

#[test]
fn counters_that_run_backwards_raise_no_flag() {
    let mut later = quiet();
    later.cpu_throttling = Found::present(CpuThrottling::default());
    later.cpu_time = Found::present(CpuTime::default());
    assert_eq!(codes(&quiet(), &later), []);
}

#[test]
fn codes_are_the_same_in_json_and_in_text() {
    for code in [FlagCode::CpuThrottled, FlagCode::GovernorNotPerformance, FlagCode::Swapping] {
        assert_eq!(serde_json::json!(code), code.as_str());
    }
}
