//! Where plugins and suites come from: a file that the user names, or the set that the binary carries, so that a first run
//! needs no network.

mod bundle;
mod error;
mod resolve;

pub use bundle::{Component, Suite, components, suites};
pub use error::RegistryError;
pub use resolve::{Found, Source, any_plugin, plugin, suite};
