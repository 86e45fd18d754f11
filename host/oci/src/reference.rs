//! `oci://HOST/REPOSITORY[:TAG][@sha256:DIGEST]`, read strictly: by the grammar of the distribution specification, with the host
//! always written out, since a host that goes without saying is one that somebody else chose.

use std::fmt;
use std::str::FromStr;

use bench_text::spell_name;
use bench_wire::Endpoint;

use crate::error::OciError;

/// What a reference begins with.
pub const SCHEME: &str = "oci://";
/// Most characters of a reference.
const LONGEST: usize = 1024;
/// Most characters of a repository's name.
const LONGEST_REPOSITORY: usize = 255;
/// Most characters of a tag.
const LONGEST_TAG: usize = 128;

/// A SHA-256, written `sha256:` and 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

impl Digest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(bytes);
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Reads `sha256:` and 64 lower-case hex digits. `None` for anything else, other algorithms included.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix("sha256:").and_then(Self::from_hex)
    }

    /// Reads the 64 digits alone.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (hex.len() == 64 && hex.bytes().all(digit)).then(|| Self(hex.to_owned()))
    }

    /// The 64 digits alone.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

/// A place in an OCI registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    host: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Host, with a port where one was given.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The repository on that host.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The last part of the repository, which is what the component there has to call itself.
    #[must_use]
    pub fn name(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or_default()
    }

    /// The tag. It is a label that its owner moves, and nothing is installed by it.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest of the manifest.
    #[must_use]
    pub const fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same place with this digest.
    #[must_use]
    pub fn pinned(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }

    /// Do both mean the same repository of the same host?
    #[must_use]
    pub fn same_repository(&self, other: &Self) -> bool {
        (&self.host, &self.repository) == (&other.host, &other.repository)
    }

    /// Where to connect. Plain HTTP is spoken to this machine and to no other.
    ///
    /// # Errors
    /// [`OciError::BadReference`] when the host is none.
    pub fn endpoint(&self) -> Result<Endpoint, OciError> {
        // The name that everybody uses for this registry is not the one that it answers to.
        let host = if self.host == "docker.io" { "registry-1.docker.io" } else { &self.host };
        let bad = |_| bad(&self.to_string(), "its host is no host");
        let plain = Endpoint::parse(&format!("http://{host}")).map_err(bad)?;
        if plain.is_loopback() { Ok(plain) } else { Endpoint::parse(&format!("https://{host}")).map_err(bad) }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

fn bad(text: &str, problem: &'static str) -> OciError {
    OciError::BadReference { text: spell_name(text), problem }
}

impl FromStr for Reference {
    type Err = OciError;

    fn from_str(text: &str) -> Result<Self, OciError> {
        let bad = |problem| bad(text, problem);
        if text.len() > LONGEST {
            return Err(bad("it is longer than 1024 characters"));
        }
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| bad("it does not begin with oci://"))?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => {
                let digest = Digest::parse(digest);
                (rest, Some(digest.ok_or_else(|| bad("its digest is not sha256: and 64 digits in lower-case hex"))?))
            }
            None => (rest, None),
        };
        let (host, path) = rest.split_once('/').ok_or_else(|| bad("it names no repository"))?;
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (path, None),
        };
        if !is_host(host) {
            return Err(bad("its host is no host"));
        }
        if repository.len() > LONGEST_REPOSITORY || !repository.split('/').all(is_component) {
            return Err(bad("its repository has other parts than a-z, 0-9 and single . _ - between them"));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(bad("its tag has other characters than letters, digits and . _ -"));
        }
        let reference =
            Self { host: host.to_owned(), repository: repository.to_owned(), tag: tag.map(ToOwned::to_owned), digest };
        reference.endpoint().map(|_| reference)
    }
}

/// One spelling per host: lower case, no user name, nothing that an address would read otherwise than a person does.
fn is_host(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

/// `path-component` of the specification: `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_component(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let separator = |text: &str| matches!(text, "." | "_" | "__") || text.bytes().all(|byte| byte == b'-');
    let mut separators = text.split(|letter: char| u8::try_from(letter).is_ok_and(plain)).filter(|it| !it.is_empty());
    text.bytes().next().is_some_and(plain) && text.bytes().next_back().is_some_and(plain) && separators.all(separator)
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let inner = |byte: u8| word(byte) || byte == b'.' || byte == b'-';
    text.len() <= LONGEST_TAG && text.bytes().next().is_some_and(word) && text.bytes().all(inner)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn references_are_read_as_they_are_typed() {
        for (text, host, repository, tag, pinned, address) in [
            ("oci://ghcr.io/acme/fast", "ghcr.io", "acme/fast", None, false, "https://ghcr.io:443"),
            ("oci://ghcr.io/a/b/c__d:v1.0", "ghcr.io", "a/b/c__d", Some("v1.0"), false, "https://ghcr.io:443"),
            ("oci://docker.io/a/b:x", "docker.io", "a/b", Some("x"), false, "https://registry-1.docker.io:443"),
            ("oci://127.0.0.1:5000/x@sha256:HEX", "127.0.0.1:5000", "x", None, true, "http://127.0.0.1:5000"),
            ("oci://localhost:1/x--y:1@sha256:HEX", "localhost:1", "x--y", Some("1"), true, "http://localhost:1"),
            ("oci://[::1]:7/x", "[::1]:7", "x", None, false, "http://[::1]:7"),
            ("oci://10.0.0.1:5000/x", "10.0.0.1:5000", "x", None, false, "https://10.0.0.1:5000"),
        ] {
            let text = text.replace("HEX", HEX);
            let reference: Reference = text.parse().unwrap();
            assert_eq!((reference.host(), reference.repository(), reference.tag()), (host, repository, tag));
            assert_eq!(reference.digest().map(Digest::hex), pinned.then_some(HEX));
            assert_eq!(reference.endpoint().unwrap().to_string(), address);
            assert_eq!(reference.to_string(), text);
        }
        assert_eq!("oci://h.io/a/b/fast:1".parse::<Reference>().unwrap().name(), "fast");
    }

    #[test]
    fn whatever_could_be_read_in_two_ways_is_refused() {
        for text in [
            "",
            "oci://",
            "oci://ghcr.io",
            "oci://ghcr.io/",
            "ghcr.io/a/b",
            "oci:///a",
            "oci://u:p@h.io/a",
            "oci://GHCR.io/a",
            "oci://h.io/A",
            "oci://h.io/a//b",
            "oci://h.io/../b",
            "oci://h.io/a/./b",
            "oci://h.io/a.",
            "oci://h.io/a._b",
            "oci://h.io/a___b",
            "oci://h.io/-a",
            "oci://h.io/a b",
            "oci://h.io/a:",
            "oci://h.io/a:.x",
            "oci://h.io/a:b:c",
            "oci://h.io/a:b/c",
            "oci://h.io/a?x=1",
            "oci://h.io/a#x",
            "oci://h.io/a%2e",
            "oci://h.io/a@sha256:HE",
            "oci://h.io/a@sha512:HEX",
            "oci://h.io/a@sha256:HEX@sha256:HEX",
            "oci://h.io:99999/a",
            "oci://h.io:0/a",
            "oci://[::1/a",
            "oci://h\u{e4}.io/a",
            "oci://h.io/\u{430}",
            "OCI://h.io/a",
        ] {
            let error = text.replace("HEX", HEX).parse::<Reference>().unwrap_err();
            assert_eq!(error.code(), "oci-reference", "{text}");
        }
        for text in [HEX.to_uppercase(), HEX[1..].to_owned(), format!("{HEX}0")] {
            assert!(format!("oci://h.io/a@sha256:{text}").parse::<Reference>().is_err());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_itself_or_refused(text in "\\PC{0,60}|oci://[a-z0-9.:/@_-]{0,60}") {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string(), text);
            }
        }
    }
}
