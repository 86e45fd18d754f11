//! Which registries there are: `[registries.NAME]` of the configuration.
//!
//! Where several have a name, the one with the lower `precedence` has it alone: a later one is never asked, so nobody slips a newer version
//! under a name that another registry owns. What is installed stays with the registry that it came from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use bench_files::{FilesError, read_trusted};
use bench_registry::ItemName;

use crate::error::InstallError;
use crate::http::Http;
use crate::transport::{Archive, Folder, Transport};

/// The configuration's file within its folder.
pub const CONFIG_FILE: &str = "config.toml";
/// The registry of the project itself, whose root the binary carries.
pub const OWN_REGISTRY: &str = "bench";
/// The largest configuration or root that is read: 1 MiB.
const LARGEST: u64 = 1 << 20;

/// What an update brings beyond newer versions of what is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Follow {
    /// Nothing.
    #[default]
    Installed,
    /// Newer versions of what the binary carries.
    Carried,
    /// Everything that the registry has.
    All,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    registries: BTreeMap<String, Entry>,
    /// By the hosts of OCI registries.
    #[serde(default)]
    oci: BTreeMap<String, OciEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OciEntry {
    /// The host that may see the user's login for this registry.
    realm: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    url: Option<String>,
    folder: Option<PathBuf>,
    bundle: Option<PathBuf>,
    root: Option<PathBuf>,
    #[serde(default)]
    precedence: u32,
    follow: Option<Follow>,
}

/// A registry to ask.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name in the configuration.
    pub name: String,
    /// The pinned root.
    pub root: Vec<u8>,
    /// The way to it.
    pub transport: Arc<dyn Transport>,
    /// What an update brings.
    pub follow: Follow,
}

/// Reads the registries of the configuration in `folder`, in their order. Relative paths are within that folder. `own_root` is the root of
/// [`OWN_REGISTRY`]; any other registry names its own.
///
/// # Errors
/// [`InstallError::BadConfig`] for whatever cannot be used.
pub fn sources(folder: &Path, own_root: &[u8]) -> Result<Vec<Source>, InstallError> {
    let path = folder.join(CONFIG_FILE);
    let bad = |problem: String| InstallError::BadConfig { path: path.clone(), problem };
    let file = read_file(&path)?;
    let mut sources = Vec::new();
    for (name, entry) in file.registries {
        let wrong = |problem: String| bad(format!("[registries.{name}]: {problem}"));
        if !ItemName::parse(&name).is_ok_and(|name| name.publisher().is_none()) {
            return Err(wrong("a registry's name has lower-case letters, digits and hyphens".to_owned()));
        }
        let transport = transport(folder, &entry).map_err(&wrong)?;
        let root = match &entry.root {
            Some(root) => {
                let root = folder.join(root);
                let bytes = read(&root).map_err(|error| wrong(format!("its root {}: {error}", root.display())))?;
                // Editors put a byte order mark before a text that was copied through them. It is no part of the JSON.
                bytes.strip_prefix(b"\xef\xbb\xbf").map_or(bytes.clone(), <[u8]>::to_vec)
            }
            None if name == OWN_REGISTRY => own_root.to_owned(),
            None => return Err(wrong("it has no `root`, the file with the keys to trust".to_owned())),
        };
        let usual = if name == OWN_REGISTRY { Follow::Carried } else { Follow::Installed };
        sources.push((entry.precedence, Source { name, root, transport, follow: entry.follow.unwrap_or(usual) }));
    }
    sources.sort_by(|one, other| (one.0, &one.1.name).cmp(&(other.0, &other.1.name)));
    Ok(sources.into_iter().map(|(_, source)| source).collect())
}

/// How OCI registries are asked, by `[oci."HOST"]` of the configuration in `folder`.
///
/// # Errors
/// [`InstallError::BadConfig`] for a configuration that cannot be used.
pub fn oci_settings(folder: &Path) -> Result<bench_oci::Settings, InstallError> {
    let file = read_file(&folder.join(CONFIG_FILE))?;
    let realms = file.oci.into_iter().filter_map(|(host, entry)| Some((host, entry.realm?))).collect();
    Ok(bench_oci::Settings { realms, ..bench_oci::Settings::default() })
}

/// Reads the configuration. A file that does not exist is an empty one.
fn read_file(path: &Path) -> Result<File, InstallError> {
    let bad = |problem: String| InstallError::BadConfig { path: path.to_owned(), problem };
    let text = match read(path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| bad("it is no text".to_owned()))?,
        Err(error) if error.is_missing() => return Ok(File::default()),
        Err(FilesError::Unreadable { path, error }) => return Err(InstallError::Io { path, error }),
        Err(error) => return Err(error.into()),
    };
    toml::from_str(&text).map_err(|error| bad(error.message().to_owned()))
}

/// The configured registries; with a `bundle`, the first of them is read from that file, or the project's own where none is configured.
///
/// # Errors
/// As [`sources`], and when the bundle cannot be read.
pub fn configured(folder: &Path, own_root: &[u8], bundle: Option<&Path>) -> Result<Vec<Source>, InstallError> {
    let mut sources = sources(folder, own_root)?;
    if let Some(path) = bundle {
        let archive = Archive::open(path)
            .map_err(|error| InstallError::Unreachable { registry: path.display().to_string(), error })?;
        let transport = Arc::new(archive);
        match sources.first_mut() {
            Some(first) => first.transport = transport,
            None => sources.push(Source {
                name: OWN_REGISTRY.to_owned(),
                root: own_root.to_owned(),
                transport,
                follow: Follow::Carried,
            }),
        }
    }
    Ok(sources)
}

fn transport(folder: &Path, entry: &Entry) -> Result<Arc<dyn Transport>, String> {
    match (&entry.url, &entry.folder, &entry.bundle) {
        (Some(url), None, None) => Ok(Arc::new(Http::new(url).map_err(|error| error.to_string())?)),
        (None, Some(path), None) => Ok(Arc::new(Folder::new(folder.join(path)))),
        (None, None, Some(path)) => Ok(Arc::new(Archive::open(&folder.join(path)).map_err(|error| error.to_string())?)),
        _ => Err("it needs one of `url`, `folder` and `bundle`".to_owned()),
    }
}

/// Reads a file that says whom to trust, so nobody else may write it.
fn read(path: &Path) -> Result<Vec<u8>, FilesError> {
    read_trusted(path, LARGEST)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use std::fs;

    use super::*;

    fn read_config(text: &str) -> Result<Vec<Source>, InstallError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(CONFIG_FILE), text).unwrap();
        fs::write(folder.path().join("root.json"), "{}").unwrap();
        sources(folder.path(), b"own")
    }

    #[test]
    fn hosts_that_may_see_logins_are_the_users_choice() {
        let folder = tempfile::tempdir().unwrap();
        assert!(oci_settings(folder.path()).unwrap().realms.is_empty());
        fs::write(folder.path().join(CONFIG_FILE), "[oci.\"reg.io\"]\nrealm = \"auth.io:8443\"\n").unwrap();
        assert_eq!(oci_settings(folder.path()).unwrap().realms["reg.io"], "auth.io:8443");
        fs::write(folder.path().join(CONFIG_FILE), "[oci.\"reg.io\"]\nrealms = \"auth.io\"\n").unwrap();
        assert_eq!(oci_settings(folder.path()).unwrap_err().code(), "config-unusable");
    }

    #[test]
    fn registries_come_in_their_order() {
        let text = "[registries.zeta]\nfolder = \"z\"\nroot = \"root.json\"\nprecedence = 1\nfollow = \"all\"\n\
            [registries.bench]\nurl = \"http://127.0.0.1:1/reg\"\nprecedence = 2\n\
            [registries.alpha]\nfolder = \"a\"\nroot = \"root.json\"\nprecedence = 2\n";
        let found = read_config(text).unwrap();
        let names: Vec<(&str, Follow)> = found.iter().map(|source| (source.name.as_str(), source.follow)).collect();
        assert_eq!(names, [("zeta", Follow::All), ("alpha", Follow::Installed), ("bench", Follow::Carried)]);
        assert_eq!(found[2].root, b"own");
        assert_eq!(found[0].root, b"{}");
    }

    #[test]
    fn a_root_may_begin_with_a_byte_order_mark() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[registries.alpha]\nfolder = \"a\"\nroot = \"marked.json\"\n";
        fs::write(folder.path().join(CONFIG_FILE), text).unwrap();
        fs::write(folder.path().join("marked.json"), "\u{feff}{\"signed\": {}}").unwrap();
        assert_eq!(sources(folder.path(), b"own").unwrap()[0].root, b"{\"signed\": {}}");
    }

    #[test]
    fn no_configuration_is_no_registry() {
        assert!(sources(Path::new("/nonexistent/of/bench"), b"").unwrap().is_empty());
        assert!(read_config("").unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        for text in [
            "[registries.x]\nfolder = \"a\"",
            "[registries.x]\nroot = \"root.json\"",
            "[registries.x]\nfolder = \"a\"\nurl = \"http://a\"\nroot = \"root.json\"",
            "[registries.\"../x\"]\nfolder = \"a\"\nroot = \"root.json\"",
            "[registries.x]\nfolder = \"a\"\nroot = \"missing.json\"",
            "[registries.x]\nurl = \"ftp://a\"\nroot = \"root.json\"",
            "[registries.x]\nfolder = \"a\"\nroot = \"root.json\"\nfolow = \"all\"",
            "nonsense",
        ] {
            assert_eq!(read_config(text).unwrap_err().code(), "config-unusable", "{text}");
        }
    }
}
