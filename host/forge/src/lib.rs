//! Builds components: finds a compiler that can, runs it, and wraps what it made.
//!
//! The project's own components and those of plugin authors are built by the same code, so what works here works for them.

mod error;
mod javascript;
mod project;
mod python;
mod rust;
mod toolchain;

pub use error::ForgeError;
pub use project::{Built, Language, build, language};
pub use python::{COMPONENTIZE_PY, componentize as componentize_python, find_componentize_py};
pub use rust::encode;
pub use toolchain::{Job, TARGET, Toolchain, choose, usable};
