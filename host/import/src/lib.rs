//! Suites out of files and Python packages that the user already has.
//!
//! Every import reads data, checks it, and writes a folder that is a suite like any other: `suite.toml`, the items as lines of JSON,
//! and a README that says where they are from. Nothing is downloaded and no Python is run: packages are looked up in the file system, or
//! in a wheel, and read as data. What a source says that has no counterpart here is refused by its name; what is left out on purpose
//! is a [`Note`].

pub mod bfcl;
pub mod code;
mod dist;
mod draft;
mod error;
pub mod inspect;
mod jinja;
mod literal;
pub mod lm_eval;
mod options;
mod places;
pub mod plain;
mod random;
mod rows;
mod tree;
mod yaml;

pub use draft::{Imported, Note, UNKNOWN};
pub use error::ImportError;
pub use options::{Options, Window};
