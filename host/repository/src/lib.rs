//! The author's side of a signed registry: keys and roles, publishing, looking it over, serving it.
//!
//! A registry is a folder of files: `metadata/` in the format of The Update Framework, and `targets/`, where each file's name begins with
//! its digest. Four roles sign: `root` says whose keys count, `targets` what there is, `snapshot` that this is all of it, `timestamp` that it
//! is today's. The first two are meant to be kept offline and need several keys. Publishers have roles of their own that speak for their
//! own names alone.
//!
//! `tough` supplies the formats, key ids, canonical forms and verification; order and wording of writes are ours. No clock is read here:
//! whoever calls says what day it is.

mod compare;
mod document;
mod error;
mod export;
mod files;
mod keys;
mod load;
mod policy;
mod publish;
mod repository;
mod roles;
mod serve;
mod signer;
mod verify;

pub use error::RepositoryError;
pub use export::{export, write_bundle};
pub use keys::{Keys, PublicKey, SigningKey};
pub use policy::Policy;
pub use publish::{Publication, Published, Wish, carried, component, from_path, program, program_file, suite};
pub use repository::Repository;
pub use roles::KeyChange;
pub use serve::{Serving, serve};
pub use verify::{Problem, RoleState, Verified, metadata_folder, verify};
