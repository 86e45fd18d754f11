//! Where plugins and suites come from: a file that the user names, the lock of what was installed, or the set that the binary carries,
//! so that a first run needs no network. Also the words that author, registry and user share: names, paths, releases, locks.

mod archive;
mod bundle;
mod error;
mod guard;
mod item;
mod lock;
mod needs;
mod release;
mod resolve;
mod shelf;
mod store;
mod trust;

pub use archive::{ArchiveLimits, Files, pack, put_data, unpack};
pub use bundle::{Component, Suite, components, own_root, suites};
pub use error::RegistryError;
pub use guard::Guard;
pub use item::{ItemKind, ItemName, ItemPath, NameError, read_version};
pub use lock::{LARGEST_LOCK, LOCK_FILE, Lock, Locked, hex, is_digest, lock_for};
pub use needs::{NeedsError, PluginNeeds, bad_program, bad_variable, is_on_this_machine, remote_origin};
pub use release::{Channel, DataNeeded, Entry, INDEX_PATH, Index, MOST_DATA, Release, parse_data_path};
pub use resolve::{Found, LARGEST_PLUGIN, Source, any_plugin, plugin, suite};
pub use shelf::Shelf;
pub use store::Store;
pub use trust::{is_lock_trusted, read_private_lock, read_trusted_lock, trust_lock};
