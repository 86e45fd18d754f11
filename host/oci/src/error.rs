//! What can go wrong between this machine and an OCI registry. Everything that a server says is hostile: it is shortened and made
//! printable before it stands in a message.

use bench_text::{clean_name, clean_sentence};
use bench_wire::WireError;

/// Why something was not pulled or pushed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OciError {
    /// A text that is no reference.
    #[error("`{text}` is no reference to an OCI registry: {problem}", text = clean_sentence(.text))]
    BadReference {
        /// The beginning of it, made printable.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A reference by tag alone, where bytes were to be trusted.
    #[error(
        "{reference} names no digest, and what a tag points to can change at any time",
        reference = clean_sentence(.reference),
    )]
    Unpinned {
        /// The reference as it was given.
        reference: String,
        /// The same with the digest that the tag has now, where that could be asked.
        pinned: Option<String>,
    },
    /// A reference by digest, or without a tag, where something was to be pushed.
    #[error("{reference} is no place to push to: {problem}", reference = clean_sentence(.reference))]
    NoTarget {
        /// The reference.
        reference: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The component calls itself otherwise than its repository.
    #[error(
        "{reference} holds a component that calls itself `{name}`, and its repository is called `{repository}`",
        reference = clean_sentence(.reference),
        name = clean_name(.name),
        repository = clean_name(.repository),
    )]
    NameMismatch {
        /// The reference.
        reference: String,
        /// What the component calls itself.
        name: String,
        /// The last part of the repository.
        repository: String,
    },
    /// The exchange with the registry failed.
    #[error("the OCI registry {host} cannot be reached: {error}", host = clean_name(.host))]
    Unreachable {
        /// Host and port.
        host: String,
        /// Why.
        error: WireError,
    },
    /// It wants to know who asks, or does not let them.
    #[error(
        "{what}: the OCI registry {host} refuses with status {status}{}",
        said(detail),
        what = clean_name(.what),
        host = clean_name(.host),
    )]
    Denied {
        /// What was asked for.
        what: String,
        /// The registry.
        host: String,
        /// 401 or 403.
        status: u16,
        /// The server's words.
        detail: String,
        /// Whether the user's login is where this program does not look.
        helper: bool,
    },
    /// It is not there.
    #[error(
        "{what}: the OCI registry {host} has no such thing{}",
        said(detail),
        what = clean_name(.what),
        host = clean_name(.host),
    )]
    NotFound {
        /// What was asked for.
        what: String,
        /// The registry.
        host: String,
        /// The server's words.
        detail: String,
    },
    /// The registry has had enough of this client for now.
    #[error(
        "{what}: the OCI registry {host} asks to come back later{}",
        said(detail),
        what = clean_name(.what),
        host = clean_name(.host),
    )]
    Busy {
        /// What was asked for.
        what: String,
        /// The registry.
        host: String,
        /// The server's words.
        detail: String,
    },
    /// Any other status than was hoped for.
    #[error(
        "{what}: the OCI registry {host} answers with status {status}{}",
        said(detail),
        what = clean_name(.what),
        host = clean_name(.host),
    )]
    Status {
        /// What was asked for.
        what: String,
        /// The registry.
        host: String,
        /// The status.
        status: u16,
        /// The server's words.
        detail: String,
    },
    /// More bytes than there may be; none beyond the bound was read.
    #[error("{what} of {host} is longer than {limit} bytes", what = clean_name(.what), host = clean_name(.host))]
    TooLong {
        /// What was asked for.
        what: String,
        /// The registry.
        host: String,
        /// The bound.
        limit: u64,
    },
    /// Other bytes than the digest or length says.
    #[error(
        "{host} sends something else for {what}: {problem}",
        host = clean_name(.host),
        what = clean_name(.what),
        problem = clean_sentence(.problem),
    )]
    Mismatch {
        /// What was asked for.
        what: String,
        /// The registry.
        host: String,
        /// How it differs.
        problem: String,
    },
    /// What came is no manifest.
    #[error(
        "{what} of {host} is no manifest: {problem}",
        what = clean_name(.what),
        host = clean_name(.host),
        problem = clean_sentence(.problem),
    )]
    NoManifest {
        /// What was asked for.
        what: String,
        /// The registry.
        host: String,
        /// What it is instead.
        problem: String,
    },
    /// A manifest of something else than one component.
    #[error("{what} holds no component: {problem}", what = clean_name(.what), problem = clean_sentence(.problem))]
    Layout {
        /// The manifest.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The server sends the client where it does not go.
    #[error(
        "{what}: {host} sends on to {place}, {problem}",
        what = clean_name(.what),
        host = clean_name(.host),
        place = clean_sentence(.place),
    )]
    Redirect {
        /// What was asked for.
        what: String,
        /// The registry.
        host: String,
        /// Scheme, host and port of the other place.
        place: String,
        /// Why it is not gone to.
        problem: &'static str,
    },
    /// The registry asks to send the user's login to another host, and the user has not allowed that.
    #[error(
        "the OCI registry {host} asks to send your login to {realm}; nothing was sent there",
        host = clean_name(.host),
        realm = clean_name(.realm),
    )]
    ForeignRealm {
        /// The registry.
        host: String,
        /// The other host, with its port where that is not 443.
        realm: String,
    },
    /// The place that gives tokens out gives none.
    #[error("no token for {host}: {problem}", host = clean_name(.host), problem = clean_sentence(.problem))]
    NoToken {
        /// The registry.
        host: String,
        /// What is wrong.
        problem: String,
    },
    /// The file with the user's logins cannot be used.
    #[error(
        "the logins in {path} cannot be used: {problem}",
        path = clean_sentence(.path),
        problem = clean_sentence(.problem),
    )]
    Logins {
        /// The file, or the environment.
        path: String,
        /// What is wrong with them.
        problem: String,
    },
    /// The registry answers to a push otherwise than it should.
    #[error(
        "{what}: {host} took it and says {problem}",
        what = clean_name(.what),
        host = clean_name(.host),
        problem = clean_sentence(.problem),
    )]
    BadReceipt {
        /// What was pushed.
        what: String,
        /// The registry.
        host: String,
        /// What it says.
        problem: String,
    },
}

fn said(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(" ({detail})") }
}

impl OciError {
    /// Stable identifier.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadReference { .. } => "oci-reference",
            Self::Unpinned { .. } => "oci-unpinned",
            Self::NoTarget { .. } => "oci-push-target",
            Self::NameMismatch { .. } => "oci-name",
            Self::Unreachable { .. } => "oci-unreachable",
            Self::Denied { .. } => "oci-denied",
            Self::NotFound { .. } => "oci-not-found",
            Self::Busy { .. } => "oci-busy",
            Self::Status { .. } => "oci-status",
            Self::TooLong { .. } => "oci-too-long",
            Self::Mismatch { .. } => "oci-mismatch",
            Self::NoManifest { .. } => "oci-no-manifest",
            Self::Layout { .. } => "oci-layout",
            Self::Redirect { .. } => "oci-redirect",
            Self::ForeignRealm { .. } => "oci-foreign-realm",
            Self::NoToken { .. } => "oci-no-token",
            Self::Logins { .. } => "oci-logins",
            Self::BadReceipt { .. } => "oci-receipt",
        }
    }

    /// May another try help, a moment later?
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Status { status: 500..=599, .. })
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::BadReference { .. } => "write oci://HOST/REPOSITORY:TAG@sha256:DIGEST, all but the tag in lower case",
            Self::Unpinned { pinned: Some(pinned), .. } => {
                return Some(format!("the tag is this now; if it is what you mean, `bench plugin add {pinned}`"));
            }
            Self::Unpinned { pinned: None, .. } => "give the digest as well, as in oci://HOST/REPOSITORY@sha256:DIGEST",
            Self::NoTarget { .. } => "write oci://HOST/REPOSITORY:TAG; the digest is what a push answers with",
            Self::NameMismatch { repository, name, .. } => {
                return Some(format!("the repository has to end in /{name} and not in /{repository}"));
            }
            Self::Unreachable { .. } => {
                "check the host and the network; what is installed goes on working, and plain HTTP is spoken to this machine alone"
            }
            Self::Denied { helper: true, .. } => {
                "docker's configuration keeps this login in a helper, which is not asked; set BENCH_OCI_HOST, BENCH_OCI_USER and BENCH_OCI_PASSWORD"
            }
            Self::Denied { .. } => {
                "check the name, and log in with docker, or set BENCH_OCI_HOST, BENCH_OCI_USER and BENCH_OCI_PASSWORD"
            }
            Self::NotFound { .. } => "check repository, tag and digest",
            Self::Busy { .. } => "wait a while; a login often raises the limit",
            Self::Status { .. } => "try again later; what is installed goes on working",
            Self::TooLong { .. } => "this is no component that this program could use",
            Self::Mismatch { .. } => {
                "do not go on: the registry is damaged, or somebody puts something else in its place"
            }
            Self::NoManifest { .. } => "check that the address is an OCI registry's and not another site's",
            Self::Layout { .. } => {
                "a component has one layer, application/wasm, and a configuration application/vnd.wasm.config.v0+json; `bench plugin push` and `wkg oci push` write that"
            }
            Self::Redirect { .. } => {
                "ask the registry's owner; only the bytes of a component may lie elsewhere, behind https"
            }
            Self::ForeignRealm { host, realm } => {
                return Some(format!(
                    "if {realm} checks logins for {host}, add these two lines to config.toml: [oci.\"{host}\"] and realm = \"{realm}\""
                ));
            }
            Self::NoToken { .. } => "check the login, or whether the repository may be read without one",
            Self::Logins { .. } => "repair it, or name another folder with DOCKER_CONFIG",
            Self::BadReceipt { .. } => "pull it again by its digest before you tell anybody of it",
        };
        Some(hint.to_owned())
    }
}
