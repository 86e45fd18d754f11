//! Who the user is to which registry: what `docker login` wrote, or three variables of the environment that name the host as well,
//! since a login without one would go to whatever host a reference names.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::error::OciError;

/// The host of the login in the environment.
pub const HOST_VARIABLE: &str = "BENCH_OCI_HOST";
/// Its user.
pub const USER_VARIABLE: &str = "BENCH_OCI_USER";
/// Its password or access token.
pub const PASSWORD_VARIABLE: &str = "BENCH_OCI_PASSWORD";
/// The largest file of logins that is read: 1 MiB.
const LARGEST: u64 = 1 << 20;

/// A user and a password. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password, or what stands for it.
    pub password: String,
}

impl Login {
    /// What follows `Basic ` (RFC 7617).
    pub(crate) fn basic(&self) -> String {
        STANDARD.encode(format!("{}:{}", self.user, self.password))
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

/// Logins by host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logins {
    known: BTreeMap<String, Login>,
    /// Hosts whose login is kept by a helper. An empty one stands for all.
    helped: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

impl Logins {
    /// Nobody's.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The user's: docker's `config.json` in `$DOCKER_CONFIG` or `~/.docker`, and before it the environment's login.
    ///
    /// # Errors
    /// [`OciError::Logins`] when there is a file and it cannot be read, or when the environment names only a part.
    pub fn of_user() -> Result<Self, OciError> {
        let folder = env::var_os("DOCKER_CONFIG").map(PathBuf::from);
        let folder = folder.or_else(|| env::home_dir().map(|home| home.join(".docker")));
        let mut logins = match folder {
            Some(folder) => Self::read(&folder.join("config.json"))?,
            None => Self::default(),
        };
        logins.add_from(|name| env::var(name).ok().filter(|value| !value.is_empty()))?;
        Ok(logins)
    }

    /// Reads docker's file. One that does not exist has no logins.
    ///
    /// # Errors
    /// [`OciError::Logins`] when it cannot be read.
    pub fn read(path: &Path) -> Result<Self, OciError> {
        let bad = |problem: String| OciError::Logins { path: path.display().to_string(), problem };
        let mut text = String::new();
        let file = bench_files::open_regular(path).map_err(std::io::Error::from);
        match file.and_then(|file| file.take(LARGEST).read_to_string(&mut text)) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(bad(error.to_string())),
        }
        // What serde says of a file may repeat what stands there.
        let file: File = serde_json::from_str(&text)
            .map_err(|error| bad(format!("line {} is not as docker writes it", error.line())))?;
        let mut logins = Self { known: BTreeMap::new(), helped: file.helpers.keys().map(|host| plain(host)).collect() };
        if file.store.is_some_and(|store| !store.is_empty()) {
            logins.helped.push(String::new());
        }
        for (host, entry) in file.auths {
            if let Some(login) =
                entry.login().ok_or_else(|| bad(format!("the entry of {host} has no user and password")))?
            {
                logins.known.insert(plain(&host), login);
            }
        }
        Ok(logins)
    }

    /// Adds a login.
    #[must_use]
    pub fn with(mut self, host: &str, login: Login) -> Self {
        self.known.insert(plain(host), login);
        self
    }

    fn add_from(&mut self, variable: impl Fn(&str) -> Option<String>) -> Result<(), OciError> {
        match (variable(HOST_VARIABLE), variable(USER_VARIABLE), variable(PASSWORD_VARIABLE)) {
            (None, None, None) => Ok(()),
            (Some(host), Some(user), Some(password)) => {
                self.known.insert(plain(&host), Login { user, password });
                Ok(())
            }
            _ => Err(OciError::Logins {
                path: "the environment".to_owned(),
                problem: format!("{HOST_VARIABLE}, {USER_VARIABLE} and {PASSWORD_VARIABLE} go together"),
            }),
        }
    }

    /// The login for a host, with its port where it has one.
    pub(crate) fn of(&self, host: &str) -> Option<&Login> {
        self.known.get(&plain(host))
    }

    /// Is the login of this host somewhere that this program does not ask?
    pub(crate) fn is_helped(&self, host: &str) -> bool {
        let host = plain(host);
        !self.known.contains_key(&host) && self.helped.iter().any(|helped| helped.is_empty() || *helped == host)
    }
}

impl Entry {
    /// The login, `Some(None)` where an entry is empty because a helper has it, and `None` where it is nonsense.
    fn login(self) -> Option<Option<Login>> {
        if let (Some(user), Some(password)) = (self.username, self.password) {
            return Some(Some(Login { user, password }));
        }
        let Some(auth) = self.auth.filter(|auth| !auth.is_empty()) else { return Some(None) };
        let text = String::from_utf8(STANDARD.decode(auth.trim()).ok()?).ok()?;
        // Some versions of docker end it with a zero.
        let (user, password) = text.split_once(':')?;
        Some(Some(Login { user: user.to_owned(), password: password.trim_end_matches('\0').to_owned() }))
    }
}

/// Docker writes hosts in several ways; this is the one in references.
fn plain(host: &str) -> String {
    let host = host.trim_start_matches("https://").trim_start_matches("http://");
    match host.split('/').next().unwrap_or_default() {
        "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
        host => host.to_ascii_lowercase(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<Logins, OciError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, text).unwrap();
        Logins::read(&path)
    }

    #[test]
    fn what_docker_writes_is_read() {
        let auth = STANDARD.encode("anna:pass:word");
        let logins = read(&format!(
            r#"{{"auths": {{"ghcr.io": {{"auth": "{auth}"}}, "https://index.docker.io/v1/": {{"username": "b", "password": "c"}},
                "helped.io": {{}}}}, "credHelpers": {{"helped.io": "pass"}}, "other": 1}}"#
        ))
        .unwrap();
        let ghcr = logins.of("ghcr.io").unwrap();
        assert_eq!((ghcr.user.as_str(), ghcr.password.as_str()), ("anna", "pass:word"));
        assert_eq!(logins.of("docker.io").unwrap().user, "b");
        assert_eq!(logins.of("ghcr.io:443"), None, "a port is another place");
        assert!(logins.is_helped("helped.io") && !logins.is_helped("ghcr.io"));
        assert!(read(r#"{"credsStore": "desktop"}"#).unwrap().is_helped("any.io"));
        assert!(!format!("{logins:?}").contains("word"));
        assert_eq!(read("{}").unwrap(), Logins::none());
    }

    #[test]
    fn a_damaged_file_is_said_to_be_and_not_shown() {
        for text in ["", "7", r#"{"auths": {"a": {"auth": "hunter2!"}}}"#, r#"{"auths": "hunter2"}"#] {
            let error = read(text).unwrap_err();
            assert_eq!(error.code(), "oci-logins", "{text}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        assert_eq!(Logins::read(Path::new("/nonexistent/of/bench")).unwrap(), Logins::none());
    }

    #[test]
    fn a_login_of_the_environment_names_its_host() {
        let all = |name: &str| Some(if name == HOST_VARIABLE { "h.io".to_owned() } else { name.to_lowercase() });
        let mut logins = Logins::none();
        logins.add_from(all).unwrap();
        assert_eq!(logins.of("h.io").unwrap().user, "bench_oci_user");
        assert_eq!(logins.of("other.io"), None);
        let part = |name: &str| (name != HOST_VARIABLE).then(|| "x".to_owned());
        assert_eq!(Logins::none().add_from(part).unwrap_err().code(), "oci-logins");
    }
}
