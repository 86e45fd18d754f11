//! The header of a GGUF file, after the format's public description (ggml, `docs/gguf.md`).
//!
//! Every length in the file is a claim. The header has a budget of bytes, every count a limit, and only the few strings that
//! are wanted are kept.

use std::collections::BTreeMap;
use std::io::Read;

pub use super::reader::HeaderError;
use super::reader::{Bounded, at_most};

/// The first four bytes.
pub const MAGIC: [u8; 4] = *b"GGUF";

/// Bytes of header that are read at most: a vocabulary of 256 thousand tokens with merges takes about 10 MiB.
const HEADER_LIMIT: u64 = 256 << 20;
const ENTRY_LIMIT: u64 = 65_536;
const TENSOR_LIMIT: u64 = 262_144;
const NAME_LIMIT: u64 = 4096;
/// Longest string value that is kept; longer ones are passed over.
const TEXT_LIMIT: u64 = 4096;
const ARRAY_DEPTH: u32 = 4;
const DIMENSION_LIMIT: u64 = 8;

/// What a GGUF header says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gguf {
    /// Version of the format, 2 or 3.
    pub version: u32,
    /// Number of tensors.
    pub tensor_count: u64,
    /// Texts among the metadata, such as `general.architecture`.
    pub texts: BTreeMap<String, String>,
    /// Whole numbers among the metadata, such as `llama.context_length`.
    pub numbers: BTreeMap<String, u64>,
    /// Number of tensors by type of their elements.
    pub tensor_types: BTreeMap<String, u64>,
    /// Elements of all tensors together.
    pub parameters: u64,
}

impl Gguf {
    /// `general.architecture`.
    pub fn architecture(&self) -> Option<&str> {
        self.texts.get("general.architecture").map(String::as_str)
    }

    /// The context length that the model was trained for: `<architecture>.context_length`.
    pub fn context_length(&self) -> Option<u64> {
        self.numbers.get(&format!("{}.context_length", self.architecture()?)).copied()
    }

    /// Quantisation of most tensors, by `general.file_type`.
    pub fn quantization(&self) -> Option<&'static str> {
        file_type(*self.numbers.get("general.file_type")?)
    }
}

/// Whether a metadata entry is kept.
fn wanted(key: &str) -> bool {
    let general = [
        "general.architecture",
        "general.name",
        "general.basename",
        "general.size_label",
        "general.file_type",
        "general.quantization_version",
        "split.count",
    ];
    let of_model = [".context_length", ".block_count", ".embedding_length", ".expert_count", ".expert_used_count"];
    general.contains(&key) || of_model.iter().any(|suffix| key.ends_with(suffix))
}

/// Parses a header.
///
/// # Errors
/// [`HeaderError`]; never panics, whatever the bytes are, and reads at most 256 MiB.
pub fn parse(reader: impl Read) -> Result<Gguf, HeaderError> {
    let mut input = Bounded::new(reader, HEADER_LIMIT);
    if input.array::<4>()? != MAGIC {
        return Err(HeaderError::OtherKind("GGUF"));
    }
    let mut gguf = Gguf { version: input.u32()?, ..Gguf::default() };
    // Version 1 had 32-bit lengths and is long gone; a big-endian file shows a version with its bytes swapped.
    if !(2..=3).contains(&gguf.version) {
        return Err(HeaderError::Version(gguf.version));
    }
    gguf.tensor_count = at_most("the number of tensors", input.u64()?, TENSOR_LIMIT)?;
    let entries = at_most("the number of metadata entries", input.u64()?, ENTRY_LIMIT)?;
    for _ in 0..entries {
        let key = name(&mut input, "the length of a key")?;
        entry(&mut input, key, &mut gguf)?;
    }
    for _ in 0..gguf.tensor_count {
        tensor(&mut input, &mut gguf)?;
    }
    Ok(gguf)
}

fn name<R: Read>(input: &mut Bounded<R>, what: &'static str) -> Result<String, HeaderError> {
    let length = at_most(what, input.u64()?, NAME_LIMIT)?;
    String::from_utf8(input.bytes(length)?).map_err(|_| HeaderError::Malformed("a name is not UTF-8"))
}

fn entry<R: Read>(input: &mut Bounded<R>, key: String, gguf: &mut Gguf) -> Result<(), HeaderError> {
    let kind = input.u32()?;
    let number = match kind {
        0 => u64::from(input.array::<1>()?[0]),
        2 => u64::from(u16::from_le_bytes(input.array()?)),
        4 => u64::from(input.u32()?),
        10 => input.u64()?,
        5 => match u64::try_from(i32::from_le_bytes(input.array()?)) {
            Ok(number) => number,
            Err(_) => return Ok(()),
        },
        8 => {
            let length = input.u64()?;
            if wanted(&key) && length <= TEXT_LIMIT {
                let text = String::from_utf8_lossy(&input.bytes(length)?).into_owned();
                gguf.texts.insert(key, text);
                return Ok(());
            }
            return input.skip(length);
        }
        _ => return skip_value(input, kind, 0),
    };
    if wanted(&key) {
        gguf.numbers.insert(key, number);
    }
    Ok(())
}

/// Size of a value of fixed size, by the number of its type.
const fn fixed_size(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

fn skip_value<R: Read>(input: &mut Bounded<R>, kind: u32, depth: u32) -> Result<(), HeaderError> {
    if let Some(size) = fixed_size(kind) {
        return input.skip(size);
    }
    match kind {
        8 => {
            let length = input.u64()?;
            input.skip(length)
        }
        9 if depth < ARRAY_DEPTH => {
            let element = input.u32()?;
            let count = input.u64()?;
            if let Some(size) = fixed_size(element) {
                return input
                    .skip(count.checked_mul(size).ok_or(HeaderError::Malformed("an array is impossibly long"))?);
            }
            // Each element takes at least eight bytes of the budget, so a lie ends this loop soon.
            for _ in 0..count {
                skip_value(input, element, depth + 1)?;
            }
            Ok(())
        }
        9 => Err(HeaderError::Malformed("arrays are nested too deeply")),
        _ => Err(HeaderError::Malformed("a value has an unknown type")),
    }
}

fn tensor<R: Read>(input: &mut Bounded<R>, gguf: &mut Gguf) -> Result<(), HeaderError> {
    let length = at_most("the length of a tensor's name", input.u64()?, NAME_LIMIT)?;
    input.skip(length)?;
    let dimensions = at_most("the number of dimensions", u64::from(input.u32()?), DIMENSION_LIMIT)?;
    let mut elements = 1_u64;
    for _ in 0..dimensions {
        elements = elements.checked_mul(input.u64()?).ok_or(HeaderError::Malformed("a tensor is impossibly large"))?;
    }
    let kind = input.u32()?;
    input.skip(8)?;
    gguf.parameters =
        gguf.parameters.checked_add(elements).ok_or(HeaderError::Malformed("the tensors are impossibly large"))?;
    let name = tensor_type(kind).map_or_else(|| format!("type-{kind}"), str::to_owned);
    let count = gguf.tensor_types.entry(name).or_default();
    *count = count.saturating_add(1);
    Ok(())
}

/// Names of `general.file_type`, after llama.cpp's `llama_ftype`.
fn file_type(number: u64) -> Option<&'static str> {
    Some(match number {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        7 => "Q8_0",
        8 => "Q5_0",
        9 => "Q5_1",
        10 => "Q2_K",
        11 => "Q3_K_S",
        12 => "Q3_K_M",
        13 => "Q3_K_L",
        14 => "Q4_K_S",
        15 => "Q4_K_M",
        16 => "Q5_K_S",
        17 => "Q5_K_M",
        18 => "Q6_K",
        19 => "IQ2_XXS",
        20 => "IQ2_XS",
        21 => "Q2_K_S",
        22 => "IQ3_XS",
        23 => "IQ3_XXS",
        24 => "IQ1_S",
        25 => "IQ4_NL",
        26 => "IQ3_S",
        27 => "IQ3_M",
        28 => "IQ2_S",
        29 => "IQ2_M",
        30 => "IQ4_XS",
        31 => "IQ1_M",
        32 => "BF16",
        36 => "TQ1_0",
        37 => "TQ2_0",
        38 => "MXFP4_MOE",
        _ => return None,
    })
}

/// Names of tensor types, after ggml's `ggml_type`.
fn tensor_type(number: u32) -> Option<&'static str> {
    Some(match number {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        6 => "Q5_0",
        7 => "Q5_1",
        8 => "Q8_0",
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        12 => "Q4_K",
        13 => "Q5_K",
        14 => "Q6_K",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        24 => "I8",
        25 => "I16",
        26 => "I32",
        27 => "I64",
        28 => "F64",
        29 => "IQ1_M",
        30 => "BF16",
        34 => "TQ1_0",
        35 => "TQ2_0",
        39 => "MXFP4",
        _ => return None,
    })
}
