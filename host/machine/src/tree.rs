//! Bounded reading of small files below a root.
//!
//! The root is `/` in earnest and a directory of recorded files in tests, so that the code that walks `/proc` and `/sys`
//! is tested on machines that this one is not.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::Found;

/// A file of `/proc` or `/sys` above this size is read up to it: `/proc/cpuinfo` of 1024 processors has 2 MiB.
const FILE_LIMIT: u64 = 4 << 20;
/// Entries taken from one directory.
const ENTRY_LIMIT: usize = 65_536;

/// A place to read system files from.
#[derive(Debug, Clone)]
pub struct Tree {
    root: PathBuf,
}

impl Default for Tree {
    fn default() -> Self {
        Self { root: PathBuf::from("/") }
    }
}

impl Tree {
    /// Reads below `root` what would be below `/`.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The bytes of a file, cut at a fixed limit.
    pub fn bytes(&self, path: &str) -> Found<Vec<u8>> {
        let read = || {
            let mut bytes = Vec::new();
            std::fs::File::open(self.at(path))?.take(FILE_LIMIT).read_to_end(&mut bytes)?;
            Ok::<_, std::io::Error>(bytes)
        };
        match read() {
            Ok(bytes) => Found::present(bytes),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Found::not_present(path)
            }
            Err(error) => Found::failed(format!("reading {path}: {}", error.kind())),
        }
    }

    /// The text of a file; bytes that are not UTF-8 are replaced.
    pub fn text(&self, path: &str) -> Found<String> {
        self.bytes(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The trimmed text of a file that holds one value; an empty file counts as absent.
    pub fn value(&self, path: &str) -> Option<String> {
        let text = self.text(path).into_value()?;
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A file that holds one number.
    pub fn number<N: std::str::FromStr>(&self, path: &str) -> Option<N> {
        self.value(path)?.parse().ok()
    }

    /// Whether something is there.
    pub fn exists(&self, path: &str) -> bool {
        self.at(path).exists()
    }

    /// The last component of what a symbolic link names.
    pub fn link_name(&self, path: &str) -> Option<String> {
        let target = std::fs::read_link(self.at(path)).ok()?;
        Some(target.file_name().unwrap_or_else(|| target.as_os_str()).to_string_lossy().into_owned())
    }

    /// What a symbolic link names.
    pub(crate) fn link_target(&self, path: &str) -> Option<PathBuf> {
        std::fs::read_link(self.at(path)).ok()
    }

    /// What the system says of the file that a path or a link names.
    pub(crate) fn metadata(&self, path: &str) -> Option<std::fs::Metadata> {
        std::fs::metadata(self.at(path)).ok()
    }

    /// Names in a directory, sorted; none when it cannot be read.
    pub fn names(&self, path: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.at(path)) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.flatten().take(ENTRY_LIMIT).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Numbers `n` of the entries named `prefix` + n, in order: `cpu0`, `cpu1`, `cpu10`.
    pub fn numbered(&self, path: &str, prefix: &str) -> Vec<u32> {
        let mut numbers: Vec<u32> =
            self.names(path).iter().filter_map(|name| name.strip_prefix(prefix)?.parse().ok()).collect();
        numbers.sort_unstable();
        numbers
    }
}

impl From<&Path> for Tree {
    fn from(root: &Path) -> Self {
        Self::below(root)
    }
}
