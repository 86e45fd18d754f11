//! What the user lets a plugin have: environment variables, addresses, programs, extra memory.
//!
//! A plugin from elsewhere has nothing until the user grants it. Drivers that the binary carries have
//! fixed grants, in `carried.rs`. [`Permit`] holds the rules; `bench-run` asks it before each use.

mod asked;
mod carried;
mod file;
mod permit;

pub use asked::{AskedNeeds, Selection};
pub use carried::{CARRIED, CarriedGrant, carried_needs, carried_permit};
pub use file::{GRANTS_FILE, Grant, GrantError, GrantSource, Grants, VariableGrant};
pub use permit::{KeyTarget, Permit};
