//! The machine that runs the tests: only the shape of the answers is known.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use bench_machine::conditions::Conditions;
use bench_machine::gpu::{Gpu, GpuStack};
use bench_machine::{Fingerprint, Found, ProcessCpu};

#[tokio::test]
async fn a_fingerprint_has_what_every_machine_has() {
    let fingerprint = Fingerprint::capture().await;
    let cpu = fingerprint.cpu.value().unwrap();
    assert!(cpu.logical_cores >= 1);
    let memory = fingerprint.memory.value().unwrap();
    assert!(memory.total_bytes > 0 && memory.available_bytes <= memory.total_bytes);
    assert_eq!(fingerprint.os.family, std::env::consts::OS);
    assert!(fingerprint.headline().contains("logical cores"));
}

#[tokio::test]
async fn a_fingerprint_survives_json() {
    let fingerprint = Fingerprint::capture().await;
    let json = serde_json::to_string(&fingerprint).unwrap();
    let again: Fingerprint = serde_json::from_str(&json).unwrap();
    assert_eq!(again, fingerprint);
    let conditions = Conditions::capture(&[]).await;
    let json = serde_json::to_string(&conditions).unwrap();
    assert_eq!(serde_json::from_str::<Conditions>(&json).unwrap(), conditions);
}

#[test]
fn absence_and_failure_look_different_in_json() {
    let json = |found: Found<u32>| serde_json::to_value(found).unwrap();
    assert_eq!(json(Found::present(3)), serde_json::json!({"status": "present", "value": 3}));
    assert_eq!(
        json(Found::not_present("nvidia-smi")),
        serde_json::json!({"status": "not-present", "looked_for": "nvidia-smi"})
    );
    assert_eq!(json(Found::failed("why")), serde_json::json!({"status": "failed", "reason": "why"}));
}

#[test]
fn the_schema_names_units_and_no_identifiers() {
    let schema = serde_json::to_string(&schemars::schema_for!(Fingerprint)).unwrap();
    for field in ["memory_total_bytes", "power_limit_watts", "max_clock_mhz", "driver_version", "vbios_version"] {
        assert!(schema.contains(&format!("\"{field}\"")), "{field}");
    }
    for field in ["serial", "uuid", "hostname", "mac_address", "machine_id"] {
        assert!(!schema.contains(&format!("\"{field}")), "{field}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn names_of_this_machine_do_not_get_in() {
    let json = serde_json::to_string(&Fingerprint::capture().await).unwrap();
    for path in ["/etc/machine-id", "/proc/sys/kernel/random/boot_id", "/sys/class/dmi/id/product_uuid"] {
        if let Ok(id) = std::fs::read_to_string(path)
            && !id.trim().is_empty()
        {
            assert!(!json.contains(id.trim()), "{path}");
        }
    }
}

#[tokio::test]
async fn the_identity_is_stable_keyed_and_blind_to_what_changes() {
    let first = Fingerprint::capture().await;
    let second = Fingerprint::capture().await;
    let hash = first.identity_hash(&[1; 32]);
    assert_eq!(hash, second.identity_hash(&[1; 32]));
    assert_ne!(hash, first.identity_hash(&[2; 32]));
    assert_eq!(hash.len(), 64);

    let mut updated = first.clone();
    updated.os.kernel_release = Some("99.0".to_owned());
    if let Found::Present { value } = &mut updated.memory {
        value.available_bytes /= 2;
    }
    assert_eq!(hash, updated.identity_hash(&[1; 32]));

    let mut other = first.clone();
    let gpu = Gpu { name: "Another".to_owned(), ..Gpu::default() };
    other.gpus.amd = Found::present(GpuStack { driver_version: None, runtime_version: None, devices: vec![gpu] });
    assert_ne!(hash, other.identity_hash(&[1; 32]));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn conditions_of_a_running_machine() {
    let before = Conditions::capture(&[]).await;
    let after = Conditions::capture(&[]).await;
    assert!(before.load.is_present() && before.cpu_time.is_present() && before.busy_processes.is_present());
    assert!(before.logical_cores.unwrap() >= 1);
    assert!(after.cpu_time.value().unwrap().total_ticks >= before.cpu_time.value().unwrap().total_ticks);
}

#[cfg(unix)]
#[test]
fn work_shows_up_in_the_processor_time() {
    let before = ProcessCpu::sample().into_value().unwrap();
    let mut work = 1_u64;
    let used = loop {
        work = (0..1_000_000_u64).fold(work, |sum, n| std::hint::black_box(sum.wrapping_mul(31).wrapping_add(n)));
        let used = ProcessCpu::sample().into_value().unwrap().since(&before);
        if used.total_seconds() > 0.0 {
            break used;
        }
    };
    assert!(used.user_seconds >= 0.0 && used.peak_memory_bytes > 0);
}
