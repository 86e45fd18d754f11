//! Signed metadata: how it is signed, laid out and read back.

use std::path::Path;

use bench_registry::hex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tough::schema::decoded::{Decoded, Hex};
use tough::schema::{Role, Signature, Signed};

use crate::error::RepositoryError;
use crate::files;
use crate::keys::Keys;

/// The largest metadata file that is read: 16 MiB.
const LARGEST: u64 = 16 << 20;
/// The version of the specification that the metadata follows.
pub(crate) const SPEC_VERSION: &str = "1.0.0";

/// Whose signatures a role needs.
pub(crate) struct Authority<'a> {
    pub role: &'a str,
    pub ids: &'a [Decoded<Hex>],
    pub threshold: u64,
}

/// Signs a role with every key of the authorities that is at hand, and checks that each has enough.
pub(crate) fn sign<T: Role + Serialize>(
    role: T,
    authorities: &[Authority<'_>],
    keys: &Keys,
) -> Result<Signed<T>, RepositoryError> {
    let message = role.canonical_form().map_err(|error| RepositoryError::BadMetadata {
        file: authorities.first().map(|authority| authority.role.to_owned()).unwrap_or_default(),
        problem: error.to_string(),
    })?;
    let mut signatures: Vec<Signature> = Vec::new();
    for authority in authorities {
        let at_hand: Vec<_> = authority.ids.iter().filter_map(|id| Some((id, keys.find(id)?))).collect();
        if (at_hand.len() as u64) < authority.threshold {
            return Err(RepositoryError::KeysMissing {
                role: authority.role.to_owned(),
                threshold: authority.threshold,
                found: at_hand.len(),
                known: authority.ids.iter().map(|id| hex(id)).collect(),
            });
        }
        for (id, key) in at_hand {
            if !signatures.iter().any(|signature| signature.keyid == *id) {
                signatures.push(Signature { keyid: id.clone(), sig: key.sign(&message)?.into() });
            }
        }
    }
    Ok(Signed { signed: role, signatures })
}

/// The bytes of a signed role as they are kept: the same for the same content, whatever order a map has in memory.
pub(crate) fn bytes<T: Serialize>(signed: &Signed<T>) -> Result<Vec<u8>, RepositoryError> {
    let bad = |error: serde_json::Error| RepositoryError::BadMetadata {
        file: "new metadata".to_owned(),
        problem: error.to_string(),
    };
    let mut value = serde_json::to_value(signed).map_err(bad)?;
    value.sort_all_objects();
    let mut bytes = serde_json::to_vec_pretty(&value).map_err(bad)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads signed metadata. Signatures are not looked at.
pub(crate) fn read<T: DeserializeOwned>(folder: &Path, file: &str) -> Result<Signed<T>, RepositoryError> {
    let bytes = files::read(&folder.join(file), LARGEST)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| RepositoryError::BadMetadata { file: file.to_owned(), problem: error.to_string() })
}

/// Reads signed metadata, and its bytes.
pub(crate) fn read_with_bytes<T: DeserializeOwned>(
    folder: &Path,
    file: &str,
) -> Result<(Signed<T>, Vec<u8>), RepositoryError> {
    let bytes = files::read(&folder.join(file), LARGEST)?;
    let signed = serde_json::from_slice(&bytes)
        .map_err(|error| RepositoryError::BadMetadata { file: file.to_owned(), problem: error.to_string() })?;
    Ok((signed, bytes))
}
