//! What the headers of model files say, in one shape for all formats. These are the file's claims; the digest is the proof.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};

use bench_text::clean_text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ModelFormat, WeightFile, gguf, safetensors};
use crate::Found;

const CONFIG_LIMIT: u64 = 4 << 20;
/// Characters of a name that are kept.
const NAME_LIMIT: usize = 200;

/// Facts about a model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelFacts {
    /// Version of the file format.
    pub format_version: Option<u32>,
    /// Architecture, such as `llama` or `Qwen3ForCausalLM`.
    pub architecture: Option<String>,
    /// Name that the file gives the model.
    pub name: Option<String>,
    /// Size in words, such as `7B`.
    pub size_label: Option<String>,
    /// Quantisation, such as `Q4_K_M` or `awq 4 bit`.
    pub quantization: Option<String>,
    /// Context length that the model was trained for, in tokens.
    pub context_length: Option<u64>,
    /// Elements of all tensors. Absent for quantised safetensors, whose elements hold several weights each.
    pub parameters: Option<u64>,
    /// Number of tensors.
    pub tensor_count: u64,
    /// Number of tensors by type of their elements.
    pub tensor_types: BTreeMap<String, u64>,
}

pub(super) fn read(format: ModelFormat, files: &mut [WeightFile], config: Option<File>) -> Found<ModelFacts> {
    let facts = match format {
        ModelFormat::Gguf => read_gguf(files),
        ModelFormat::Safetensors => read_safetensors(files, config),
        ModelFormat::Other => return Found::not_present("a GGUF or safetensors header"),
    };
    facts.map_or_else(Found::failed, Found::present)
}

/// The file from its beginning.
fn rewind(weights: &mut WeightFile) -> Result<BufReader<&mut File>, String> {
    let unreadable = |error: std::io::Error| format!("the header could not be read: {}", error.kind());
    weights.file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    Ok(BufReader::with_capacity(1 << 16, &mut weights.file))
}

fn short(text: &str) -> String {
    clean_text(text, NAME_LIMIT).to_string()
}

fn add(counts: &mut BTreeMap<String, u64>, more: BTreeMap<String, u64>) {
    for (kind, count) in more {
        let sum = counts.entry(kind).or_default();
        *sum = sum.saturating_add(count);
    }
}

/// The first shard carries the metadata; the tensors are spread over all.
fn read_gguf(files: &mut [WeightFile]) -> Result<ModelFacts, String> {
    let mut facts = ModelFacts::default();
    let mut parameters = 0_u64;
    for (number, file) in files.iter_mut().enumerate() {
        let header = gguf::parse(rewind(file)?).map_err(|error| error.to_string())?;
        if number == 0 {
            let text = |key: &str| header.texts.get(key).map(|text| short(text));
            facts.format_version = Some(header.version);
            facts.architecture = header.architecture().map(short);
            facts.name = text("general.name").or_else(|| text("general.basename"));
            facts.size_label = text("general.size_label");
            facts.quantization = header.quantization().map(str::to_owned);
            facts.context_length = header.context_length();
        }
        parameters = parameters.saturating_add(header.parameters);
        facts.tensor_count = facts.tensor_count.saturating_add(header.tensor_count);
        add(&mut facts.tensor_types, header.tensor_types);
    }
    facts.parameters = Some(parameters);
    Ok(facts)
}

fn read_safetensors(files: &mut [WeightFile], config: Option<File>) -> Result<ModelFacts, String> {
    let mut facts = ModelFacts::default();
    let mut elements = 0_u64;
    for file in files {
        let header = safetensors::parse(rewind(file)?).map_err(|error| error.to_string())?;
        elements = elements.saturating_add(header.elements);
        facts.tensor_count = facts.tensor_count.saturating_add(header.tensor_count);
        add(&mut facts.tensor_types, header.tensor_types);
    }
    if let Some(config) = config.and_then(parse_config) {
        apply_config(&mut facts, &config);
    }
    if facts.quantization.is_none() {
        facts.parameters = Some(elements);
    }
    Ok(facts)
}

fn parse_config(file: File) -> Option<Value> {
    let mut text = Vec::new();
    file.take(CONFIG_LIMIT).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Takes what `config.json` of the Hugging Face layout says.
pub fn apply_config(facts: &mut ModelFacts, config: &Value) {
    let text = |value: &Value| value.as_str().map(short);
    facts.architecture = config["architectures"].get(0).and_then(text).or_else(|| text(&config["model_type"]));
    facts.name = text(&config["_name_or_path"]).filter(|name| !name.is_empty() && !name.starts_with('/'));
    // Models that also see pictures keep the language part one level down.
    facts.context_length =
        [config, &config["text_config"]].into_iter().find_map(|part| part["max_position_embeddings"].as_u64());
    let bits = |part: &Value| {
        [&part["bits"], &part["weight_bits"]].into_iter().find_map(Value::as_u64).map(|bits| format!("{bits} bit"))
    };
    let of_library = &config["quantization_config"];
    let of_mlx = &config["quantization"];
    facts.quantization = if let Some(method) = of_library["quant_method"].as_str() {
        Some([Some(short(method)), bits(of_library)].into_iter().flatten().collect::<Vec<String>>().join(" "))
    } else {
        bits(of_mlx).map(|bits| format!("mlx {bits}"))
    };
}
