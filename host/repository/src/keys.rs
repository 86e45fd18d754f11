//! Signing keys: Ed25519 in PKCS#8 DER, from files or the environment, or outside, where a program signs with them. A private key never
//! leaves this module, and `Debug` shows none.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use bench_files::{FilesError, PrivateFolder, read_bounded};
use bench_registry::hex;
use tough::schema::decoded::{Decoded, Hex};
use tough::schema::key::{Ed25519Key, Ed25519Scheme, Key};

use crate::error::{RepositoryError, at};
use crate::signer::{SIGNER_ENDING, Signer};

/// A key file is a few dozen bytes.
const LARGEST_KEY: u64 = 4096;

/// The public half of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub(crate) key: Key,
    pub(crate) id: Decoded<Hex>,
}

impl PublicKey {
    /// Reads the 32 bytes of an Ed25519 key from hex.
    ///
    /// # Errors
    /// [`RepositoryError::BadKey`] when it is none.
    pub fn parse(text: &str) -> Result<Self, RepositoryError> {
        let bad = |problem: &str| RepositoryError::BadKey {
            origin: "the public key".to_owned(),
            problem: problem.to_owned(),
        };
        let bytes =
            unhex(text.trim()).filter(|bytes| bytes.len() == 32).ok_or_else(|| bad("it is not 64 hex digits"))?;
        Self::new(bytes).ok_or_else(|| bad("it has no id"))
    }

    fn new(bytes: Vec<u8>) -> Option<Self> {
        let keyval = Ed25519Key { public: bytes.into(), _extra: Default::default() };
        let key = Key::Ed25519 { keyval, scheme: Ed25519Scheme::Ed25519, _extra: Default::default() };
        let id = key.key_id().ok()?;
        Some(Self { key, id })
    }

    /// The id by which metadata names it, in hex.
    #[must_use]
    pub fn id(&self) -> String {
        hex(&self.id)
    }

    /// Its bytes in hex, as [`PublicKey::parse`] reads them.
    #[must_use]
    pub fn hex(&self) -> String {
        match &self.key {
            Key::Ed25519 { keyval, .. } => hex(&keyval.public),
            _ => String::new(),
        }
    }
}

/// Who signs.
enum Hand {
    /// We do.
    Pair(Box<Ed25519KeyPair>),
    /// A program does.
    Program(Signer),
}

/// A key that signs.
pub struct SigningKey {
    hand: Hand,
    public: PublicKey,
    /// The file's stem, by which `init` knows its role.
    name: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("name", &self.name).field("id", &self.public.id()).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Makes a new key and writes it to `folder/name.der`, readable by its owner alone. The folder must be one that no other
    /// user can write.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn generate(folder: &Path, name: &str) -> Result<Self, RepositoryError> {
        let path = folder.join(format!("{name}.der"));
        let origin = path.display().to_string();
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| RepositoryError::BadKey {
            origin: origin.clone(),
            problem: "no key could be made".to_owned(),
        })?;
        let mut file = PrivateFolder::open_or_create(folder)?.create_new(format!("{name}.der"))?;
        std::io::Write::write_all(&mut file, document.as_ref()).map_err(at(&path))?;
        Self::from_der(document.as_ref(), name, &origin)
    }

    /// Reads a key file, or with the ending `.signer` the description of a key that a program signs with: TOML with `public`, the
    /// public key in hex or the name of its file, and `command`, the program and its arguments.
    ///
    /// # Errors
    /// When it cannot be read, is no Ed25519 key in PKCS#8 DER, or no such description.
    pub fn read(path: &Path) -> Result<Self, RepositoryError> {
        if path.extension().is_some_and(|extension| extension == SIGNER_ENDING) {
            let signer = Signer::read(path)?;
            let public = PublicKey::new(signer.public().to_vec()).ok_or_else(|| RepositoryError::BadKey {
                origin: path.display().to_string(),
                problem: "its public key has no id".to_owned(),
            })?;
            return Ok(Self { hand: Hand::Program(signer), public, name: stem(path) });
        }
        let origin = path.display().to_string();
        let der = match read_bounded(path, LARGEST_KEY) {
            Err(FilesError::TooLarge { limit, .. }) => {
                return Err(RepositoryError::BadKey { origin, problem: format!("it has more than {limit} bytes") });
            }
            other => other?,
        };
        Self::from_der(&der, &stem(path), &origin)
    }

    /// Reads a key from an environment variable, in hex.
    ///
    /// # Errors
    /// When it is not set or holds no key. The message never repeats the value.
    pub fn from_env(variable: &str) -> Result<Self, RepositoryError> {
        let bad = |problem: &str| RepositoryError::BadKey { origin: variable.to_owned(), problem: problem.to_owned() };
        let text = std::env::var(variable).map_err(|_| bad("the variable is not set"))?;
        let der = unhex(text.trim()).ok_or_else(|| bad("it is not hex"))?;
        Self::from_der(&der, variable, variable)
    }

    fn from_der(der: &[u8], name: &str, origin: &str) -> Result<Self, RepositoryError> {
        let bad = |problem: &str| RepositoryError::BadKey { origin: origin.to_owned(), problem: problem.to_owned() };
        let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| bad("it is not Ed25519 in PKCS#8 DER"))?;
        let public = PublicKey::new(pair.public_key().as_ref().to_vec()).ok_or_else(|| bad("it has no id"))?;
        Ok(Self { hand: Hand::Pair(Box::new(pair)), public, name: name.to_owned() })
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a message: 64 bytes.
    ///
    /// # Errors
    /// With a key that a program signs with, when that is not there, fails, or gives something else than a signature by this key.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, RepositoryError> {
        match &self.hand {
            Hand::Pair(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Hand::Program(signer) => signer.sign(message),
        }
    }
}

/// The keys at hand.
#[derive(Debug, Default)]
pub struct Keys(Vec<SigningKey>);

impl Keys {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All `.der` and `.signer` files of a folder, by name.
    ///
    /// # Errors
    /// When the folder or one of them cannot be read.
    pub fn from_folder(folder: &Path) -> Result<Self, RepositoryError> {
        let entries = fs::read_dir(folder).map_err(at(folder))?;
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(at(folder))?.path();
            if path.extension().is_some_and(|extension| extension == "der" || extension == SIGNER_ENDING) {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(Self(paths.iter().map(|path| SigningKey::read(path)).collect::<Result<_, _>>()?))
    }

    /// The keys of a folder, of single files, and of environment variables, together.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn gather(folder: Option<&Path>, files: &[PathBuf], variables: &[String]) -> Result<Self, RepositoryError> {
        let mut keys = folder.map_or_else(|| Ok(Self::new()), Self::from_folder)?;
        for file in files {
            keys.push(SigningKey::read(file)?);
        }
        for variable in variables {
            keys.push(SigningKey::from_env(variable)?);
        }
        Ok(keys)
    }

    /// Makes the keys of a new registry in a folder: three of root, two of targets, one each of snapshot, timestamp and index.
    ///
    /// # Errors
    /// When one exists or cannot be written.
    pub fn generate(folder: &Path) -> Result<Self, RepositoryError> {
        let names = ["root-1", "root-2", "root-3", "targets-1", "targets-2", "snapshot", "timestamp", "index"];
        Ok(Self(names.iter().map(|name| SigningKey::generate(folder, name)).collect::<Result<_, _>>()?))
    }

    /// Adds a key.
    pub fn push(&mut self, key: SigningKey) {
        self.0.push(key);
    }

    /// Adds the keys of another set.
    pub fn extend(&mut self, other: Keys) {
        self.0.extend(other.0);
    }

    /// Those that are a role's by the name of their file: `root.der`, or `root-1.signer` and so on.
    pub fn of_role<'k>(&'k self, role: &'k str) -> impl Iterator<Item = &'k SigningKey> {
        self.0.iter().filter(move |key| {
            key.name.strip_prefix(role).is_some_and(|rest| {
                rest.is_empty()
                    || rest
                        .strip_prefix('-')
                        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
            })
        })
    }

    /// The key with this id.
    pub(crate) fn find(&self, id: &Decoded<Hex>) -> Option<&SigningKey> {
        self.0.iter().find(|key| key.public.id == *id)
    }
}

/// The name of a file without its ending.
fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
