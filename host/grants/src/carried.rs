//! The fixed grants of the drivers that the binary carries.
//!
//! These drivers are built from this repository and checked by digest when the binary is built. The
//! table holds them to what they need all the same, and a test compares it with what they ask for.

use std::collections::BTreeSet;

use bench_registry::PluginNeeds;

use crate::permit::Permit;

/// What one carried driver may have.
#[derive(Debug, Clone, Copy)]
pub struct CarriedGrant {
    /// The driver's name.
    pub driver: &'static str,
    /// Environment variables that it may read.
    pub variables: &'static [&'static str],
    /// Origins on other machines that it may reach without the user naming them.
    pub addresses: &'static [&'static str],
    /// Programs that `--launch` may start for it.
    pub programs: &'static [&'static str],
}

const fn hosted(
    driver: &'static str,
    variables: &'static [&'static str],
    addresses: &'static [&'static str],
) -> CarriedGrant {
    CarriedGrant { driver, variables, addresses, programs: &[] }
}

const fn local(
    driver: &'static str,
    variables: &'static [&'static str],
    programs: &'static [&'static str],
) -> CarriedGrant {
    CarriedGrant { driver, variables, addresses: &[], programs }
}

/// All carried drivers that need something.
pub const CARRIED: [CarriedGrant; 15] = [
    hosted("anthropic", &["ANTHROPIC_API_KEY"], &["https://api.anthropic.com"]),
    hosted("fireworks", &["FIREWORKS_API_KEY"], &["https://api.fireworks.ai"]),
    hosted("groq", &["GROQ_API_KEY"], &["https://api.groq.com"]),
    hosted("openai-api", &["OPENAI_API_KEY"], &["https://api.openai.com"]),
    hosted("openrouter", &["OPENROUTER_API_KEY"], &["https://openrouter.ai"]),
    hosted("together", &["TOGETHER_API_KEY"], &["https://api.together.xyz"]),
    local("llama-cpp", &["LLAMA_API_KEY"], &["llama-server"]),
    local("lm-studio", &["LM_API_TOKEN"], &[]),
    local("mlx", &[], &["mlx_lm.server"]),
    local("ollama", &["OLLAMA_HOST"], &["ollama"]),
    local("openai", &["BENCH_API_KEY"], &[]),
    local("sglang", &[], &["python3"]),
    local("tabby", &["TABBY_API_KEY"], &["python3"]),
    local("tensorrt-llm", &[], &["trtllm-serve"]),
    local("vllm", &["VLLM_API_KEY"], &["vllm"]),
];

fn find(driver: &str) -> Option<&'static CarriedGrant> {
    CARRIED.iter().find(|grant| grant.driver == driver)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What the table gives the carried driver of this name; nothing where the table does not have it.
#[must_use]
pub fn carried_needs(driver: &str) -> PluginNeeds {
    let grant = find(driver);
    PluginNeeds {
        variables: set(grant.map_or(&[], |grant| grant.variables)),
        addresses: set(grant.map_or(&[], |grant| grant.addresses)),
        programs: set(grant.map_or(&[], |grant| grant.programs)),
    }
}

/// The permit of the carried driver of this name.
#[must_use]
pub fn carried_permit(driver: &str) -> Permit {
    Permit::carried(carried_needs(driver))
}
