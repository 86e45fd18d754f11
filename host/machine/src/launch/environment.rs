//! What an engine inherits. A clean environment keeps runs comparable and keeps the user's other secrets to himself.

use super::LaunchSpec;
use crate::redact;

/// Variables that pass.
const NAMES: [&str; 26] = [
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SHELL",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "TRANSFORMERS_CACHE",
    "SYSTEMROOT",
    "USERPROFILE",
    "LOCALAPPDATA",
    "APPDATA",
    "COMSPEC",
    "WINDIR",
    "SSL_CERT_FILE",
];
/// Families of variables that pass: where models lie and how engines compute.
const PREFIXES: [&str; 24] = [
    "HF_",
    "HUGGINGFACE_",
    "VLLM_",
    "SGLANG_",
    "SGL_",
    "GGML_",
    "LLAMA_",
    "OLLAMA_",
    "MLX_",
    "OMP_",
    "MKL_",
    "KMP_",
    "OPENBLAS_",
    "CUDA_",
    "NVIDIA_",
    "NCCL_",
    "HIP_",
    "ROCR_",
    "ROCM_",
    "HSA_",
    "PYTORCH_",
    "TORCH_",
    "TRITON_",
    "CONDA_",
];

/// The part of the host's environment that an engine inherits.
pub fn inherited() -> Vec<(String, String)> {
    filter(std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))))
}

fn filter(all: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let passes = |name: &str| {
        let upper = name.to_uppercase();
        NAMES.contains(&upper.as_str()) || PREFIXES.iter().any(|prefix| upper.starts_with(prefix))
    };
    all.filter(|(name, _)| passes(name)).collect()
}

/// Secret values that the engine was given, to keep out of what is shown of its log.
pub(super) fn secrets(spec: &LaunchSpec) -> Vec<String> {
    // A short value would mask ordinary words of the log.
    const SHORTEST: usize = 6;
    let inherited = inherited();
    let by_name = spec.environment.iter().chain(inherited.iter().map(|(name, value)| (name, value)));
    let mut secrets: Vec<String> =
        by_name.filter(|(name, _)| redact::is_secret_name(name)).map(|(_, value)| value.clone()).collect();
    // Whatever masking changes in the arguments is a secret, or contains one.
    for (argument, clean) in spec.arguments.iter().zip(redact::command_line(&spec.arguments)) {
        if clean == redact::MASK {
            secrets.push(argument.clone());
        } else if let Some(name) = clean.strip_suffix(redact::MASK)
            && let Some(value) = argument.strip_prefix(name)
        {
            secrets.push(value.to_owned());
        }
    }
    secrets.retain(|secret| secret.len() >= SHORTEST);
    // The longest first, so that a secret inside another does not leave the rest of it behind.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_engines_need_passes() {
        let given =
            ["PATH", "AWS_SECRET_ACCESS_KEY", "CUDA_VISIBLE_DEVICES", "OPENAI_API_KEY", "VLLM_USE_V1", "EDITOR"];
        let kept = filter(given.iter().map(|name| ((*name).to_owned(), "x".to_owned())));
        let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["PATH", "CUDA_VISIBLE_DEVICES", "VLLM_USE_V1"]);
    }
}
