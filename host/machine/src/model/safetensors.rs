//! The header of a safetensors file: a length, then a JSON object that names every tensor.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use super::reader::{Bounded, HeaderError, at_most};

/// Bytes of header that are read at most. The format allows 100 MB; the largest models need about 15.
const HEADER_LIMIT: u64 = 64 << 20;
const DIMENSION_LIMIT: usize = 16;
const KIND_LENGTH: usize = 32;
/// Kinds of elements that are counted apart.
const KIND_LIMIT: usize = 64;

/// What a safetensors header says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Safetensors {
    /// Number of tensors.
    pub tensor_count: u64,
    /// Number of tensors by type of their elements, such as `BF16`.
    pub tensor_types: BTreeMap<String, u64>,
    /// Elements of all tensors together. Packed weights count as the elements that they are packed in.
    pub elements: u64,
}

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<u64>,
}

/// Parses a header.
///
/// # Errors
/// [`HeaderError`]; never panics, whatever the bytes are, and reads at most 64 MiB.
pub fn parse(reader: impl Read) -> Result<Safetensors, HeaderError> {
    let mut input = Bounded::new(reader, HEADER_LIMIT + 8);
    let length = at_most("the length of the header", input.u64()?, HEADER_LIMIT)?;
    let header = input.bytes(length)?;
    if header.first() != Some(&b'{') {
        return Err(HeaderError::OtherKind("safetensors"));
    }
    let mut parser = serde_json::Deserializer::from_slice(&header);
    let found = serde::Deserializer::deserialize_map(&mut parser, Header)
        .map_err(|_| HeaderError::Malformed("it is not the JSON that the format prescribes"))?;
    parser.end().map_err(|_| HeaderError::Malformed("something follows the JSON"))?;
    Ok(found)
}

/// Counts tensors as they are read, so that a long header does not become a large tree.
struct Header;

impl<'de> Visitor<'de> for Header {
    type Value = Safetensors;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Safetensors, A::Error> {
        use serde::de::Error as _;

        let mut found = Safetensors::default();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let tensor: Tensor = map.next_value()?;
            if tensor.shape.len() > DIMENSION_LIMIT || tensor.dtype.len() > KIND_LENGTH {
                return Err(A::Error::custom("a tensor is malformed"));
            }
            let elements = tensor
                .shape
                .iter()
                .try_fold(1_u64, |product, size| product.checked_mul(*size))
                .and_then(|elements| found.elements.checked_add(elements))
                .ok_or_else(|| A::Error::custom("a tensor is impossibly large"))?;
            found.elements = elements;
            found.tensor_count = found.tensor_count.saturating_add(1);
            if !found.tensor_types.contains_key(&tensor.dtype) && found.tensor_types.len() >= KIND_LIMIT {
                return Err(A::Error::custom("too many kinds of tensors"));
            }
            let count = found.tensor_types.entry(tensor.dtype).or_default();
            *count = count.saturating_add(1);
        }
        Ok(found)
    }
}
