//! What can be typed about registries and installations.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// How registries are asked.
#[derive(Debug, Clone, Default, Args)]
pub struct AskArgs {
    /// Ask nobody: what was fetched before has to do
    #[arg(long)]
    pub offline: bool,
    /// Change nothing in the lock
    #[arg(long)]
    pub frozen: bool,
    /// The lock to use [default: the user's]
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
    /// Take the first registry's files from this bundle, with all checks
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// Which releases to take
    #[arg(long, value_enum, default_value = "stable")]
    pub channel: ReleaseChannel,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Which releases to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ReleaseChannel {
    /// Those for everybody.
    #[default]
    Stable,
    /// Also those that are tried out.
    Preview,
}

impl From<ReleaseChannel> for bench_registry::Channel {
    fn from(channel: ReleaseChannel) -> Self {
        match channel {
            ReleaseChannel::Stable => Self::Stable,
            ReleaseChannel::Preview => Self::Preview,
        }
    }
}

/// Items by name.
#[derive(Debug, Args)]
pub struct ItemArgs {
    /// NAME, PUBLISHER/NAME, NAME@RANGE or REGISTRY:NAME
    #[arg(required = true, value_name = "NAME")]
    pub items: Vec<bench_install::Request>,
    /// What they are, where several kinds have the name
    #[arg(long, value_name = "KIND")]
    pub kind: Option<bench_registry::ItemKind>,
    /// How to ask.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// `bench plugin add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// NAME, PUBLISHER/NAME, NAME@RANGE, REGISTRY:NAME, or oci://HOST/REPOSITORY@sha256:DIGEST
    #[arg(required = true, value_name = "NAME")]
    pub items: Vec<bench_install::Wanted>,
    /// What they are, where several kinds have the name
    #[arg(long, value_name = "KIND")]
    pub kind: Option<bench_registry::ItemKind>,
    /// Grant what the plugins ask for without a question: variables, addresses, programs, memory
    #[arg(long)]
    pub grant: bool,
    /// How to ask.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// `bench plugin grants`.
#[derive(Debug, Subcommand)]
pub enum GrantsCommand {
    /// List what plugins may have
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a plugin have what it asks for, or a part of it
    Add(GrantArgs),
    /// Take back what a plugin may have, or a part of it
    Revoke(GrantArgs),
}

/// A plugin and a choice among what it asks for.
#[derive(Debug, Args)]
pub struct GrantArgs {
    /// An installed plugin, or the path of a component.
    pub plugin: String,
    /// Only this environment variable; may be given several times
    #[arg(long = "variable", value_name = "NAME")]
    pub variables: Vec<String>,
    /// Only this address, such as https://api.example.com; may be given several times
    #[arg(long = "address", value_name = "ORIGIN")]
    pub addresses: Vec<String>,
    /// Only this program; may be given several times
    #[arg(long = "program", value_name = "NAME")]
    pub programs: Vec<String>,
    /// Only the extra memory
    #[arg(long)]
    pub memory: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `bench plugin push`.
#[derive(Debug, Args)]
pub struct PushArgs {
    /// The component, or the folder of its plugin.
    pub plugin: PathBuf,
    /// oci://HOST/REPOSITORY:TAG; the repository's last part is the plugin's name
    #[arg(value_name = "PLACE")]
    pub place: bench_oci::Reference,
    /// SPDX expression, for those who look at it there
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub licence: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Items by name, or all of them.
#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// NAME or PUBLISHER/NAME [default: all]
    #[arg(value_name = "NAME")]
    pub items: Vec<bench_install::Request>,
    /// How to ask.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// `bench self-update`.
#[derive(Debug, Args)]
pub struct SelfUpdateArgs {
    /// Say what would change, and change nothing
    #[arg(long, conflicts_with = "rollback")]
    pub check: bool,
    /// Return to the set and the program before the last update
    #[arg(long)]
    pub rollback: bool,
    /// Take an older program where the registry has no newer one
    #[arg(long)]
    pub allow_downgrade: bool,
    /// How to ask.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// Where the signing keys are.
#[derive(Debug, Clone, Default, Args)]
pub struct KeyArgs {
    /// Folder of keys: NAME.der, Ed25519 in PKCS#8 DER, and NAME.signer, which says what program signs
    #[arg(long, value_name = "FOLDER")]
    pub keys: Option<PathBuf>,
    /// A .der or .signer file; may be given several times
    #[arg(long = "key", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Environment variable with a key in hex; may be given several times
    #[arg(long = "key-env", value_name = "NAME")]
    pub variables: Vec<String>,
}

/// `bench registry`.
#[derive(Debug, Subcommand)]
pub enum RegistryCommand {
    /// Make a registry: keys named root-1, root-2, targets-1, targets-2, snapshot, timestamp and index sign it
    Init {
        /// Its folder.
        folder: PathBuf,
        /// Make the keys first, in the folder of --keys
        #[arg(long, requires = "keys")]
        generate: bool,
        /// Signatures that last for years, for a registry of files that nobody signs again every day
        #[arg(long)]
        long: bool,
        /// The keys.
        #[command(flatten)]
        keys: KeyArgs,
    },
    /// Make a key and print its public half
    Key {
        /// Its name; the file is NAME.der.
        name: String,
        /// The folder to write it to
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        keys: PathBuf,
    },
    /// Give a role another key
    AddKey(RoleArgs),
    /// Exchange keys of a role
    Rotate(RoleArgs),
    /// Admit a publisher, who may sign its own names and nothing else
    Delegate {
        /// The registry's folder.
        folder: PathBuf,
        /// The publisher's name.
        publisher: String,
        /// A public key of the publisher; may be given several times
        #[arg(long = "public", value_name = "HEX", required = true)]
        public: Vec<String>,
        /// Signatures that its releases need
        #[arg(long, value_name = "N", default_value_t = 1)]
        threshold: u64,
        /// The keys.
        #[command(flatten)]
        keys: KeyArgs,
    },
    /// Check components, suites or the program, and publish them
    Publish(Box<PublishArgs>),
    /// Say that a version should not be installed any more
    Yank {
        /// The registry's folder.
        folder: PathBuf,
        /// The version, such as driver/acme/fast/1.2.0.wasm.
        path: String,
        /// Why
        #[arg(long, required_unless_present = "undo")]
        reason: Option<String>,
        /// Take it back
        #[arg(long, conflicts_with = "reason")]
        undo: bool,
        /// The keys.
        #[command(flatten)]
        keys: KeyArgs,
    },
    /// Take versions off the list: nobody can install them any more, and who has them keeps them
    Withdraw {
        /// The registry's folder.
        folder: PathBuf,
        /// The versions, such as driver/acme/fast/1.2.0.wasm.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
        /// The keys.
        #[command(flatten)]
        keys: KeyArgs,
    },
    /// Sign again what expires soon
    Refresh {
        /// The registry's folder.
        folder: PathBuf,
        /// Remove files that nothing names any more
        #[arg(long)]
        tidy: bool,
        /// The keys.
        #[command(flatten)]
        keys: KeyArgs,
    },
    /// Check signatures, digests, lifetimes and lists
    Verify {
        /// The registry's folder.
        folder: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Serve a registry on this machine, for trying things out
    Serve {
        /// The registry's folder.
        folder: PathBuf,
        /// Port on the loopback address; 0 takes a free one
        #[arg(long, value_name = "N", default_value_t = 8090)]
        port: u16,
    },
    /// Write a registry as one file, for machines without a network
    Export {
        /// The registry's folder.
        folder: PathBuf,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        bundle: PathBuf,
    },
    /// Be the client of tuf-conformance
    Conformance(ConformanceArgs),
}

/// A change of keys.
#[derive(Debug, Args)]
pub struct RoleArgs {
    /// The registry's folder.
    pub folder: PathBuf,
    /// The role: root, targets, snapshot, timestamp, index, or a publisher.
    pub role: String,
    /// A public key that it gets; may be given several times
    #[arg(long = "public", value_name = "HEX")]
    pub public: Vec<String>,
    /// The id, or its beginning, of a key that it loses; may be given several times
    #[arg(long = "remove", value_name = "ID")]
    pub remove: Vec<String>,
    /// Signatures that it needs from now on
    #[arg(long, value_name = "N")]
    pub threshold: Option<u64>,
    /// The keys.
    #[command(flatten)]
    pub keys: KeyArgs,
}

/// `bench registry publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// The registry's folder.
    pub folder: PathBuf,
    /// Components, plugins' folders, suites' folders, or with --platform the program.
    pub items: Vec<PathBuf>,
    /// All components and suites that this binary carries
    #[arg(long, conflicts_with = "items")]
    pub carried: bool,
    /// Under whose name; by default the registry's own
    #[arg(long, value_name = "NAME")]
    pub publisher: Option<String>,
    /// Versions of the host that can use it
    #[arg(long, value_name = "RANGE", default_value = "*")]
    pub host: String,
    /// Memory that it asks for, in MiB
    #[arg(long, value_name = "MIB")]
    pub memory: Option<u64>,
    /// Licence, as an SPDX expression
    #[arg(long, value_name = "SPDX", default_value = "")]
    pub licence: String,
    /// A file of the suite, by its path in the folder, to keep beside the archive, so that versions share it; may be given several times
    #[arg(long, value_name = "PATH")]
    pub data: Vec<String>,
    /// Who is meant to have it
    #[arg(long, value_enum, default_value = "stable")]
    pub channel: ReleaseChannel,
    /// Take the place of the same version, if nobody has it yet
    #[arg(long)]
    pub replace: bool,
    /// The items are the program, for this platform
    #[arg(long, value_name = "PLATFORM", requires = "version")]
    pub platform: Option<String>,
    /// The program's version
    #[arg(long, value_name = "VERSION", requires = "platform")]
    pub version: Option<String>,
    /// Remove files that nothing names any more
    #[arg(long)]
    pub tidy: bool,
    /// The keys.
    #[command(flatten)]
    pub keys: KeyArgs,
}

/// `bench registry conformance`, by the protocol of those tests.
#[derive(Debug, Args)]
pub struct ConformanceArgs {
    /// The client's folder
    #[arg(long, value_name = "DIR")]
    pub metadata_dir: PathBuf,
    /// Address of the metadata
    #[arg(long, value_name = "URL")]
    pub metadata_url: Option<String>,
    /// Name of a target; may be given several times
    #[arg(long, value_name = "NAME")]
    pub target_name: Vec<String>,
    /// Address of the targets
    #[arg(long, value_name = "URL")]
    pub target_base_url: Option<String>,
    /// Folder for targets
    #[arg(long, value_name = "DIR")]
    pub target_dir: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub step: ConformanceStep,
}

/// A step of those tests.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ConformanceStep {
    /// Trust a root
    Init {
        /// The root.
        root: PathBuf,
    },
    /// Fetch and verify metadata
    Refresh,
    /// Fetch targets
    Download,
}
