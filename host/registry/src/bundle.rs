//! The embedded set, made by the build script.

use bench_plugin::Kind;

/// A component of the embedded set.
#[derive(Debug)]
pub struct Component {
    /// Which kind of plugin it is.
    pub kind: Kind,
    /// Its name, as in `--plugin NAME`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// SHA-256 of its bytes, in hex.
    pub sha256: &'static str,
    /// The component.
    pub bytes: &'static [u8],
}

/// A suite of the embedded set.
#[derive(Debug)]
pub struct Suite {
    /// Its name, as in `--suite NAME`.
    pub name: &'static str,
    /// Path within the suite, and content.
    pub files: &'static [(&'static str, &'static [u8])],
}

include!(concat!(env!("OUT_DIR"), "/bundle.rs"));

/// All embedded components, by kind and name.
pub fn components() -> &'static [Component] {
    COMPONENTS
}

/// The root of the project's own registry, which this binary trusts.
pub fn own_root() -> &'static [u8] {
    OWN_ROOT
}

/// All embedded suites, by name.
pub fn suites() -> &'static [Suite] {
    SUITES
}
