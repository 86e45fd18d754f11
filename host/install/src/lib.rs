//! The user's side of signed registries: what is offered, which version to take, fetching, checking, installing, updating, going back.
//!
//! The order is always the same: refresh the signed metadata, resolve, fetch into a store whose names are digests, verify, compile, ask
//! who it is, and then exchange the lock file in one step. Until that step nothing has changed for anybody who runs; after it, all of it
//! has. The lock before stays as the previous one.
//!
//! Nothing that comes from a registry is believed before its signatures are checked from the root that this machine pins, and nothing
//! from the disk either: metadata is verified again on each use, installed bytes each time they are loaded. Expired metadata stops new
//! installations and never a run.

mod clock;
mod config;
mod conformance;
mod error;
mod fetch;
mod files;
mod home;
mod http;
mod installer;
mod needs;
mod outlook;
mod own;
mod prove;
mod prune;
mod pull;
mod reader;
mod request;
mod resolve;
mod transport;

pub use clock::now;
pub use config::{CONFIG_FILE, Follow, OWN_REGISTRY, Source, configured, oci_settings, sources};
pub use conformance::{Conformance, Step};
pub use error::InstallError;
pub use fetch::Progress;
pub use files::{Disk, FileOps};
pub use home::Home;
pub use http::{Http, limits};
pub use installer::{Change, Installer, Note, Options, Outcome};
pub use outlook::Hit;
pub use own::{OwnUpdate, Program, SelfUpdate, platform};
pub use prune::{Pruned, Unneeded};
pub use reader::{Offered, Reader, TufReader};
pub use request::{Request, Wanted};
pub use resolve::{Want, choose, in_order};
pub use transport::{Archive, Fetching, Folder, Sink, Transport, TransportError};
