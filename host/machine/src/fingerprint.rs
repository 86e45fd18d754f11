//! The fingerprint: everything about the machine that a measured number depends on and that stays the same during a run.
//!
//! No serial number, hardware address, UUID or host name is read, so none can leak. What a server needs to recognise a
//! machine is [`Fingerprint::identity_hash`].

use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{
    Found,
    cpu::Cpu,
    gpu::Gpus,
    hex,
    memory::Memory,
    os::{Board, Os},
    power::Power,
    surroundings::Surroundings,
};

/// The machine that the host runs on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fingerprint {
    /// Accelerators.
    pub gpus: Gpus,
    /// Processor.
    pub cpu: Found<Cpu>,
    /// Main memory.
    pub memory: Found<Memory>,
    /// Operating system.
    pub os: Os,
    /// The computer as its firmware names it.
    pub board: Board,
    /// Containers, virtual machines and limits around the host.
    pub surroundings: Surroundings,
    /// Power supply.
    pub power: Found<Power>,
}

impl Fingerprint {
    /// Looks at the machine. All tools run at once, each within its time limit; nothing here fails as a whole.
    #[cfg(target_os = "linux")]
    pub async fn capture() -> Self {
        use crate::{cpu, memory, os, power, surroundings, tool, tree::Tree};

        let tree = Tree::default();
        let files = tokio::task::spawn_blocking({
            let tree = tree.clone();
            move || {
                let board = os::board(&tree);
                let surroundings = surroundings::linux(&tree, &board);
                (cpu::linux(&tree), os::linux(&tree), board, surroundings, power::linux(&tree))
            }
        });
        let (files, gpus, modules) =
            tokio::join!(files, Gpus::capture(&tree), tool::run("dmidecode", &["-t", "17"], tool::QUICK));
        let memory = memory::linux(&tree, modules.parse(|text| memory::parse_dmidecode(&text)));
        match files {
            Ok((cpu, os, board, surroundings, power)) => Self { gpus, cpu, memory, os, board, surroundings, power },
            // The reader panicked or the runtime shuts down: the rest is still worth having.
            Err(_) => Self {
                gpus,
                cpu: Found::failed("reading the system files was interrupted"),
                memory,
                os: Os::default(),
                board: Board::default(),
                surroundings: Surroundings::default(),
                power: Found::failed("reading the system files was interrupted"),
            },
        }
    }

    /// Looks at the machine. All tools run at once, each within its time limit; nothing here fails as a whole.
    #[cfg(target_os = "macos")]
    pub async fn capture() -> Self {
        use crate::{cpu::sysctl, memory, os, power, surroundings, tool, tree::Tree};

        let tree = Tree::default();
        let (gpus, sysctl, vm_stat, battery, settings) = tokio::join!(
            Gpus::capture(&tree),
            tool::run("sysctl", &sysctl::ARGUMENTS, tool::QUICK),
            tool::run("vm_stat", &[], tool::QUICK),
            tool::run("pmset", &["-g", "batt"], tool::QUICK),
            tool::run("pmset", &["-g"], tool::QUICK),
        );
        let sysctl = sysctl.map(|text| sysctl::Sysctl::parse(&text));
        let entries = sysctl.value().cloned().unwrap_or_default();
        let memory = vm_stat.parse(|text| {
            Ok(Memory {
                total_bytes: entries.number("hw.memsize").ok_or("sysctl gave no memory size")?,
                available_bytes: memory::parse_vm_stat(&text)?,
                swap_total_bytes: None,
                swap_used_bytes: None,
                transparent_huge_pages: None,
                modules: Found::not_present("dmidecode"),
            })
        });
        let clues = surroundings::Clues {
            guest_of_macos: entries.text("kern.hv_vmm_present").as_deref() == Some("1"),
            ..surroundings::Clues::default()
        };
        Self {
            gpus,
            cpu: sysctl.parse(|entries| entries.cpu()),
            memory,
            os: os::macos(&entries),
            board: Board {
                system_vendor: Some("Apple".to_owned()),
                product: entries.text("hw.model"),
                board: None,
                firmware_version: None,
            },
            surroundings: surroundings::conclude(&clues),
            power: battery.parse(|text| power::parse_pmset(&text, settings.value().map_or("", String::as_str))),
        }
    }

    /// Looks at the machine as far as a portable library can.
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    pub async fn capture() -> Self {
        use crate::{cpu, memory, os, tree::Tree};

        let gpus = Gpus::capture(&Tree::default()).await;
        let system = sysinfo::System::new().map(|mut system| {
            system.refresh_memory();
            system.refresh_cpu_all();
            system
        });
        let system = system.map_or_else(|_| Found::failed("the system gave no facts"), Found::present);
        Self {
            gpus,
            cpu: system.value().map_or_else(|| Found::failed("the system gave no facts"), cpu::other),
            memory: system.value().map_or_else(|| Found::failed("the system gave no facts"), memory::other),
            os: os::other(),
            board: Board::default(),
            surroundings: Surroundings::default(),
            power: Found::not_present("a power source reader for this system"),
        }
    }

    /// A keyed hash by which a server recognises the machine without learning what it is: HMAC-SHA256 (RFC 2104) over
    /// the facts that survive a reboot and an update (processor, installed memory in whole GiB, accelerators, family of the
    /// system), in hexadecimal. The same machine gives the same hash for the same key; two machines bought alike do too,
    /// unless their keys differ.
    pub fn identity_hash(&self, key: &[u8; 32]) -> String {
        let mut facts = vec!["bench-machine-identity-1".to_owned()];
        facts.push(format!("os={}/{}", self.os.family, self.os.architecture));
        facts.push(format!("board={:?}/{:?}", self.board.system_vendor, self.board.product));
        if let Some(cpu) = self.cpu.value() {
            facts.push(format!("cpu={:?}/{:?}/{}", cpu.vendor, cpu.model, cpu.logical_cores));
        }
        if let Some(memory) = self.memory.value() {
            // The kernel keeps a share that changes with its version, so bytes would not be stable.
            facts.push(format!("memory_gib={}", (memory.total_bytes + (1 << 29)) >> 30));
        }
        let mut gpus: Vec<String> = self
            .gpus
            .devices()
            .map(|(vendor, gpu)| format!("gpu={vendor}/{}/{:?}", gpu.name, gpu.memory_total_bytes))
            .collect();
        gpus.sort();
        facts.append(&mut gpus);
        // RFC 2104 fills a key shorter than a block with zeros.
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(key);
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        for fact in &facts {
            // With its length before it, no two lists of facts give the same bytes.
            mac.update(&(fact.len() as u64).to_le_bytes());
            mac.update(fact.as_bytes());
        }
        hex(&mac.finalize().into_bytes())
    }

    /// One line for people: processor, memory, accelerators, system.
    pub fn headline(&self) -> String {
        let cpu = self.cpu.value().map_or_else(
            || "unknown processor".to_owned(),
            |cpu| {
                let model = cpu.model.as_deref().unwrap_or("unnamed processor");
                format!("{model} ({} logical cores)", cpu.logical_cores)
            },
        );
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        let memory = self
            .memory
            .value()
            .map_or_else(|| "unknown memory".to_owned(), |memory| format!("{:.1} GiB", gib(memory.total_bytes)));
        let gpus: Vec<String> = self
            .gpus
            .devices()
            .map(|(_, gpu)| {
                let mut facts: Vec<String> = Vec::new();
                match gpu.memory_total_bytes {
                    Some(bytes) if bytes < 1 << 30 => facts.push(format!("{} MiB", bytes >> 20)),
                    Some(bytes) => facts.push(format!("{:.0} GiB", gib(bytes))),
                    None if gpu.unified_memory => facts.push("shared memory".to_owned()),
                    None => {}
                }
                if gpu.is_virtual {
                    facts.push("virtual".to_owned());
                }
                if !gpu.instances.is_empty() {
                    let profiles: Vec<&str> = gpu.instances.iter().map(|part| part.profile.as_str()).collect();
                    facts.push(format!("split into {}", profiles.join(" + ")));
                }
                if gpu.problem.is_some() {
                    facts.push("does not answer".to_owned());
                }
                if facts.is_empty() { gpu.name.clone() } else { format!("{} ({})", gpu.name, facts.join(", ")) }
            })
            .collect();
        let gpus = if gpus.is_empty() { "no GPU reported".to_owned() } else { gpus.join(" + ") };
        let os = self.os.distribution.as_deref().unwrap_or(&self.os.family);
        format!("{cpu}, {memory}, {gpus}, {os}")
    }
}
