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

/// Variables that a driver may set beside the families above.
const SETTABLE: [&str; 1] = ["DO_NOT_TRACK"];
/// Parts of names whose variables make a program load code or read files of the setter's choice, such
/// as `CUDA_INJECTION64_PATH`, `OMP_TOOL_LIBRARIES` or `GGML_BACKEND_PATH`.
const LOADING: [&str; 15] = [
    "BACKEND", "CACHE", "CONFIG", "DIR", "FILE", "HOME", "INJECT", "LIB", "LOAD", "MODULE", "PATH", "PLUGIN",
    "PRELOAD", "ROOT", "TOOL",
];

/// Why a driver may not set this variable for a program that it has started. `trusted` says that the
/// binary carries the driver.
pub(super) fn refuse_variable(name: &str, value: &str, trusted: bool) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let settable = SETTABLE.contains(&upper.as_str()) || PREFIXES.iter().any(|prefix| upper.starts_with(prefix));
    if !plain || !settable || value.contains('\0') {
        return Some("it is not a setting of an inference engine");
    }
    if trusted {
        return None;
    }
    if LOADING.iter().any(|part| upper.contains(part)) || value.contains(['/', '\\']) {
        return Some("it could make the program load code or files");
    }
    None
}

/// What an engine inherits when a driver from elsewhere started it: no secrets.
pub(super) fn inherited_without_secrets() -> Vec<(String, String)> {
    inherited().into_iter().filter(|(name, _)| !redact::is_secret_name(name)).collect()
}

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
    fn no_driver_sets_what_loads_code() {
        for name in [
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "DYLD_INSERT_LIBRARIES",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "PATH",
            "HOME",
            "BASH_ENV",
            "ld_preload",
            "",
            "A=B",
            "HTTP_PROXY",
        ] {
            assert!(refuse_variable(name, "1", true).is_some(), "{name}");
        }
        for (name, value) in [("VLLM_NO_USAGE_STATS", "1"), ("DO_NOT_TRACK", "1"), ("OLLAMA_HOST", "127.0.0.1:1")] {
            assert_eq!(refuse_variable(name, value, true), None, "{name}");
            assert_eq!(refuse_variable(name, value, false), None, "{name}");
        }
        for (name, value) in [
            ("CUDA_INJECTION64_PATH", "x"),
            ("OMP_TOOL_LIBRARIES", "x.so"),
            ("GGML_BACKEND_PATH", "x"),
            ("VLLM_PLUGINS", "x"),
            ("VLLM_X", "/tmp/evil"),
        ] {
            assert!(refuse_variable(name, value, false).is_some(), "{name}");
        }
    }

    #[test]
    fn only_what_engines_need_passes() {
        let given =
            ["PATH", "AWS_SECRET_ACCESS_KEY", "CUDA_VISIBLE_DEVICES", "OPENAI_API_KEY", "VLLM_USE_V1", "EDITOR"];
        let kept = filter(given.iter().map(|name| ((*name).to_owned(), "x".to_owned())));
        let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["PATH", "CUDA_VISIBLE_DEVICES", "VLLM_USE_V1"]);
    }
}
