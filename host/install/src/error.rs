//! What the user is told. Each is a sentence, a stable code, and what to do; what is installed goes on working in every case.

use std::path::PathBuf;

use bench_files::FilesError;
use bench_oci::OciError;
use bench_registry::{NameError, RegistryError};
use bench_text::{clean_name, clean_sentence};
use jiff::Timestamp;

use crate::transport::TransportError;

/// Why something was not installed, updated or looked up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The user's grants cannot be used.
    #[error(transparent)]
    Grants(#[from] bench_grants::GrantError),
    /// Signatures are past their time.
    #[error(
        "the registry `{registry}` is out of date: its {role} expired {days} days ago, at {expires}",
        registry = clean_name(.registry),
        role = clean_name(.role),
    )]
    Expired {
        /// The registry.
        registry: String,
        /// The role.
        role: String,
        /// When it expired.
        expires: Timestamp,
        /// Whole days since then.
        days: i64,
    },
    /// The registry cannot be reached.
    #[error("the registry `{registry}` cannot be reached: {error}", registry = clean_name(.registry))]
    Unreachable {
        /// The registry.
        registry: String,
        /// Why.
        error: TransportError,
    },
    /// Signatures are missing, or made by keys that do not count (any more).
    #[error(
        "the registry `{registry}` is not signed by the keys that are trusted: {detail}",
        registry = clean_name(.registry),
        detail = clean_sentence(.detail),
    )]
    Untrusted {
        /// The registry.
        registry: String,
        /// What is wrong.
        detail: String,
    },
    /// The registry shows an older state than it did before.
    #[error(
        "the registry `{registry}` shows an older state than it did before: {detail}",
        registry = clean_name(.registry),
        detail = clean_sentence(.detail),
    )]
    RolledBack {
        /// The registry.
        registry: String,
        /// Which role, and the versions.
        detail: String,
    },
    /// A file has another length or digest than was signed.
    #[error(
        "what the registry `{registry}` sends is not what was signed: {detail}",
        registry = clean_name(.registry),
        detail = clean_sentence(.detail),
    )]
    Mismatch {
        /// The registry.
        registry: String,
        /// Which file, and how.
        detail: String,
    },
    /// Metadata that cannot be read.
    #[error(
        "the metadata of the registry `{registry}` cannot be used: {detail}",
        registry = clean_name(.registry),
        detail = clean_sentence(.detail),
    )]
    BadMetadata {
        /// The registry.
        registry: String,
        /// What is wrong.
        detail: String,
    },
    /// No registry has it.
    #[error("no registry has {what}", what = clean_name(.what))]
    Unknown {
        /// What was looked for.
        what: String,
    },
    /// There is no registry to ask.
    #[error("no registry is configured")]
    NoRegistry,
    /// A registry that the configuration does not have.
    #[error("no registry named `{registry}` is configured", registry = clean_name(.registry))]
    UnknownRegistry {
        /// Its name.
        registry: String,
    },
    /// Several kinds have the name.
    #[error("`{name}` is the name of several things: {}", clean_sentence(kinds.join(", ")), name = clean_name(.name))]
    Ambiguous {
        /// The name.
        name: String,
        /// Which.
        kinds: Vec<String>,
    },
    /// There are versions, and none that fits what was asked for.
    #[error(
        "no version of {what} fits `{wanted}`; there are {there}",
        what = clean_name(.what),
        wanted = clean_name(.wanted),
        there = clean_sentence(.there),
    )]
    NoVersion {
        /// What was looked for.
        what: String,
        /// The range.
        wanted: String,
        /// The versions that there are.
        there: String,
    },
    /// The version was yanked.
    #[error(
        "{what} {version} was yanked by its publisher: {reason}",
        what = clean_name(.what),
        version = clean_name(.version),
        reason = clean_sentence(.reason),
    )]
    Yanked {
        /// What it is.
        what: String,
        /// The version.
        version: String,
        /// The publisher's words.
        reason: String,
    },
    /// Another host is needed.
    #[error(
        "{what} {version} needs a host of version {needed}, and this is {host}",
        what = clean_name(.what),
        version = clean_name(.version),
        needed = clean_name(.needed),
        host = clean_name(.host),
    )]
    HostUnfit {
        /// What it is.
        what: String,
        /// The version.
        version: String,
        /// The hosts that can use it.
        needed: String,
        /// This host.
        host: String,
    },
    /// It was built for another interface.
    #[error(
        "{what} {version} is built for {world}, and this host speaks {speaks}",
        what = clean_name(.what),
        version = clean_name(.version),
        world = clean_name(.world),
        speaks = clean_name(.speaks),
    )]
    InterfaceUnfit {
        /// What it is.
        what: String,
        /// The version.
        version: String,
        /// Its world.
        world: String,
        /// The host's version of the interface.
        speaks: String,
    },
    /// Data that it needs is not to be had.
    #[error(
        "{what} {version} needs data that the registry does not have for it: {data}",
        what = clean_name(.what),
        version = clean_name(.version),
        data = clean_sentence(.data),
    )]
    DataMissing {
        /// What it is.
        what: String,
        /// The version.
        version: String,
        /// The data.
        data: String,
    },
    /// It came whole and signed, and does not do what it says.
    #[error(
        "{what} {version} was fetched and is not what the registry says: {problem}",
        what = clean_name(.what),
        version = clean_name(.version),
        problem = clean_sentence(.problem),
    )]
    Rejected {
        /// What it is.
        what: String,
        /// The version.
        version: String,
        /// What is wrong.
        problem: String,
    },
    /// A component that belongs to no registry, and is not what can be installed.
    #[error(
        "{what} was fetched and cannot be used: {problem}",
        what = clean_name(.what),
        problem = clean_sentence(.problem),
    )]
    Unusable {
        /// Where it came from.
        what: String,
        /// What is wrong.
        problem: String,
    },
    /// Somebody else has the name.
    #[error(
        "{reference} holds a {what}, and {holder}",
        reference = clean_sentence(.reference),
        what = clean_name(.what),
        holder = clean_sentence(.holder),
    )]
    NameTaken {
        /// Where the component came from.
        reference: String,
        /// What it calls itself.
        what: String,
        /// Who has the name, in words.
        holder: String,
    },
    /// The lock may not change.
    #[error("{what} is not in the lock, and the lock is frozen", what = clean_name(.what))]
    Frozen {
        /// What would change.
        what: String,
    },
    /// It is not here, and the network may not be used.
    #[error("{what} is not on this machine, and the network is not to be used", what = clean_name(.what))]
    Offline {
        /// What is missing.
        what: String,
    },
    /// It is not installed.
    #[error("{what} is not installed", what = clean_name(.what))]
    NotInstalled {
        /// What was named.
        what: String,
    },
    /// There is no earlier set.
    #[error("there is no earlier set to return to")]
    NothingBefore,
    /// The program would become older.
    #[error(
        "this is version {current}, and the registry's is the older {offered}",
        current = clean_name(.current),
        offered = clean_name(.offered),
    )]
    Downgrade {
        /// This program.
        current: String,
        /// What the registry has.
        offered: String,
    },
    /// The configuration cannot be used.
    #[error("{}: {problem}", clean_sentence(path.display()), problem = clean_sentence(.problem))]
    BadConfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file of this machine.
    #[error("{}: {error}", clean_sentence(path.display()))]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// An OCI registry.
    #[error(transparent)]
    Oci(#[from] OciError),
    /// The lock or the store.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A file or folder that is not used as it is.
    #[error(transparent)]
    Files(#[from] FilesError),
}

impl InstallError {
    /// Stable identifier.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Grants(error) => error.code(),
            Self::Expired { .. } => "registry-expired",
            Self::Unreachable { .. } => "registry-unreachable",
            Self::Untrusted { .. } => "registry-untrusted",
            Self::RolledBack { .. } => "registry-rolled-back",
            Self::Mismatch { .. } => "registry-mismatch",
            Self::BadMetadata { .. } => "registry-metadata",
            Self::Unknown { .. } => "item-unknown",
            Self::NoRegistry => "no-registry",
            Self::UnknownRegistry { .. } => "registry-unknown",
            Self::Ambiguous { .. } => "name-ambiguous",
            Self::NoVersion { .. } => "no-version",
            Self::Yanked { .. } => "version-yanked",
            Self::HostUnfit { .. } => "host-unfit",
            Self::InterfaceUnfit { .. } => "interface-unfit",
            Self::DataMissing { .. } => "data-missing",
            Self::Rejected { .. } => "item-rejected",
            Self::Unusable { .. } => "item-unusable",
            Self::NameTaken { .. } => "name-taken",
            Self::Frozen { .. } => "lock-frozen",
            Self::Offline { .. } => "offline",
            Self::NotInstalled { .. } => "not-installed",
            Self::NothingBefore => "nothing-before",
            Self::Downgrade { .. } => "downgrade",
            Self::BadConfig { .. } => "config-unusable",
            Self::Io { .. } => "io",
            Self::Name(error) => error.code(),
            Self::Oci(error) => error.code(),
            Self::Registry(error) => error.code(),
            Self::Files(error) => error.code(),
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Grants(error) => return error.hint(),
            Self::Expired { .. } => {
                "nothing new is installed from it; what is installed goes on working. Check this machine's date, and ask the registry's owner to sign again"
            }
            Self::Unreachable { error, .. } => return error.hint(),
            Self::Untrusted { .. } => {
                "do not go on: a mirror may be forging, or keys were exchanged and this bench is too old to follow; get a new one from its source"
            }
            Self::RolledBack { .. } => {
                "do not go on: a mirror shows old versions; try another one, or the registry itself"
            }
            Self::Mismatch { .. } => "the file was thrown away; try again, and if it stays so try another mirror",
            Self::BadMetadata { .. } => "check that the address is a registry's and not another site's",
            Self::Unknown { .. } => {
                "`bench plugin search` shows what there is; a publisher's name comes first, as in `acme/fast`"
            }
            Self::NoRegistry => {
                "add one to [registries] in the configuration, with its `url` or `folder` and its `root`"
            }
            Self::UnknownRegistry { .. } => "the names stand in [registries] of the configuration",
            Self::Ambiguous { .. } => "say which with --kind",
            Self::NoVersion { .. } => {
                "ask for another range, such as `name@^1`, or for previews with --channel preview"
            }
            Self::Yanked { .. } => "ask for another version; one that is installed already goes on working",
            Self::HostUnfit { .. } => "`bench self-update` brings another host; an older version may fit this one",
            Self::InterfaceUnfit { .. } => {
                "a later interface needs a later bench: `bench self-update`; an earlier one needs a new version of the plugin"
            }
            Self::DataMissing { .. } => {
                "tell its publisher; another version may do without, and a later bench may know what it is"
            }
            Self::Rejected { .. } => "tell its publisher; nothing was changed",
            Self::Unusable { .. } => "tell who pushed it; nothing was changed",
            Self::NameTaken { .. } => {
                "names of this program and of registries are theirs alone; what is installed from elsewhere can be removed first, and any component runs by the path of its file"
            }
            Self::Frozen { .. } => "leave --frozen out to change the lock",
            Self::Offline { .. } => "leave --offline out, or install from a bundle with --bundle",
            Self::NotInstalled { .. } => "`bench plugin list` shows what is",
            Self::NothingBefore => "a set can be returned to once, after an installation, update or removal",
            Self::Downgrade { .. } => "give --allow-downgrade if that is meant",
            Self::BadConfig { .. } => "the README shows a [registries] table",
            Self::Io { .. } => return None,
            Self::Name(error) => return error.hint(),
            Self::Oci(error) => return error.hint(),
            Self::Registry(error) => return error.hint(),
            Self::Files(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }
}

/// Adds the path to an I/O error.
pub(crate) fn at(path: &std::path::Path) -> impl Fn(std::io::Error) -> InstallError + '_ {
    move |error| InstallError::Io { path: path.to_owned(), error }
}
