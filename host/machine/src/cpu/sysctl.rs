//! `sysctl` of macOS: `name: value` lines.

use std::collections::BTreeMap;

use super::{Cache, Cpu, cpuinfo};
use crate::Found;

/// What to ask for. Only these subtrees are read, because `kern` also holds the host name.
pub const ARGUMENTS: [&str; 6] =
    ["hw", "machdep.cpu", "kern.osproductversion", "kern.osversion", "kern.osrelease", "kern.hv_vmm_present"];

/// Parsed `sysctl` output: name to value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sysctl(BTreeMap<String, String>);

impl Sysctl {
    /// Takes the lines apart; lines without a colon are skipped.
    pub fn parse(text: &str) -> Self {
        let pairs = text.lines().filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        });
        Self(pairs.collect())
    }

    /// The text of an entry.
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// The number of an entry.
    pub fn number<N: std::str::FromStr>(&self, name: &str) -> Option<N> {
        self.0.get(name)?.parse().ok()
    }

    /// The processor.
    ///
    /// # Errors
    /// A sentence when the number of processors is missing.
    pub fn cpu(&self) -> Result<Cpu, String> {
        let model = self.text("machdep.cpu.brand_string");
        let logical_cores = self
            .number("hw.logicalcpu")
            .or_else(|| self.number("hw.ncpu"))
            .ok_or("sysctl gave no number of processors")?;
        let vendor = self
            .text("machdep.cpu.vendor")
            .or_else(|| model.as_deref().filter(|name| name.starts_with("Apple")).map(|_| "Apple".to_owned()));
        let megahertz = |name: &str| self.number::<f64>(name).map(|hertz| hertz / 1e6);
        let performance_levels = (0..8_u32).filter_map(|level| {
            let name = self.text(&format!("hw.perflevel{level}.name"))?;
            Some((name, self.number(&format!("hw.perflevel{level}.physicalcpu"))?))
        });
        Ok(Cpu {
            vendor,
            model,
            microcode: self.text("machdep.cpu.microcode_version"),
            sockets: self.number("hw.packages"),
            physical_cores: self.number("hw.physicalcpu"),
            logical_cores,
            core_kinds: performance_levels.collect(),
            base_clock_mhz: megahertz("hw.cpufrequency"),
            max_clock_mhz: megahertz("hw.cpufrequency_max"),
            current_clock_mhz: None,
            numa_nodes: None,
            caches: self.caches(),
            instruction_sets: self.instruction_sets(),
            governors: Found::not_present("a frequency governor (macOS has none)"),
            scaling_driver: None,
            energy_preference: None,
            turbo: Found::not_present("a turbo switch (macOS has none)"),
            smt: Found::not_present("an SMT switch (macOS has none)"),
        })
    }

    fn caches(&self) -> Vec<Cache> {
        [
            ("hw.l1dcachesize", 1, "data"),
            ("hw.l1icachesize", 1, "instruction"),
            ("hw.l2cachesize", 2, "unified"),
            ("hw.l3cachesize", 3, "unified"),
        ]
        .into_iter()
        .filter_map(|(name, level, kind)| {
            let bytes = self.number::<u64>(name).filter(|bytes| *bytes > 0)?;
            // macOS does not say how many there are, so it counts one of each kind.
            Some(Cache { level, kind: kind.to_owned(), bytes, instances: 1 })
        })
        .collect()
    }

    /// Intel lists its features in two entries; Apple has one entry of 0 or 1 for each.
    fn instruction_sets(&self) -> Vec<String> {
        let listed = ["machdep.cpu.features", "machdep.cpu.leaf7_features"]
            .into_iter()
            .filter_map(|name| self.0.get(name))
            .flat_map(|features| features.split_ascii_whitespace())
            .map(|feature| feature.to_lowercase().replace('.', "_"));
        let switched = self.0.iter().filter(|(_, value)| *value == "1").filter_map(|(name, _)| {
            let feature = name.strip_prefix("hw.optional.")?;
            let known = match feature.strip_prefix("arm.FEAT_").unwrap_or(feature) {
                "AdvSIMD" | "neon" => "asimd",
                "DotProd" => "asimddp",
                "FP16" => "asimdhp",
                "I8MM" => "i8mm",
                "BF16" => "bf16",
                "SME" => "sme",
                "SME2" => "sme2",
                "avx1_0" => "avx",
                "avx2_0" => "avx2",
                "avx512f" => "avx512f",
                _ => return None,
            };
            Some(known.to_owned())
        });
        let all: Vec<String> = listed.chain(switched).collect();
        cpuinfo::relevant(all.iter().map(String::as_str))
    }
}
