//! Files of a Python package, be it installed in a folder or packed in a wheel. Nothing is executed; it is all looked up in the
//! file system, and nothing outside of the tree is read, whatever a file in it says.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use bench_unpack::archive::{Archive, ArchiveLimits, Refusal};

use crate::error::ImportError;

/// Largest file that is read whole, unpacked, in bytes: half of the memory that an input may take. That is 96 MiB unless the
/// user allows more.
pub fn largest_file() -> u64 {
    bench_json::memory() / 2
}

/// Most bytes that are read out of one archive.
const MOST_UNPACKED: u64 = 1 << 30;

/// Most files of a tree.
const MOST_FILES: usize = 200_000;

/// Deepest folder of a tree.
const DEEPEST: usize = 16;

/// Reads the regular file at `path`, and no more than `limit` bytes of it.
///
/// # Errors
/// [`ImportError::File`] and [`ImportError::TooLarge`].
pub fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, ImportError> {
    let file = bench_files::open_regular(path)?;
    let size = file.metadata().map_err(ImportError::io("read", path))?.len();
    if size > limit {
        return Err(ImportError::TooLarge { name: name_of(path), limit });
    }
    bounded(file, limit, &name_of(path))
}

/// What comes from a reader, which may have more than it says.
///
/// # Errors
/// [`ImportError::Unreadable`] and [`ImportError::TooLarge`].
pub fn bounded(input: impl Read, limit: u64, name: &str) -> Result<Vec<u8>, ImportError> {
    let mut bytes = Vec::new();
    let read = input.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| ImportError::unreadable(name, error))?;
    if bytes.len() as u64 > limit {
        return Err(ImportError::TooLarge { name: name.to_owned(), limit });
    }
    Ok(bytes)
}

/// The last part of a path, for messages and for what is written: where a file was is nobody's business.
pub fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// A folder or an archive. Paths in it are relative, with `/` between their parts.
pub struct Tree {
    kind: Kind,
}

enum Kind {
    Folder(PathBuf),
    Archive { name: String, files: Vec<String>, zip: Box<RefCell<Archive<File>>> },
}

impl Tree {
    /// The tree below a folder.
    ///
    /// # Errors
    /// [`ImportError::Io`].
    pub fn folder(path: &Path) -> Result<Self, ImportError> {
        let root = path.canonicalize().map_err(ImportError::io("open", path))?;
        Ok(Self { kind: Kind::Folder(root) })
    }

    /// The tree in a wheel or another zip archive.
    ///
    /// # Errors
    /// [`ImportError::File`] and [`ImportError::Unreadable`].
    pub fn archive(path: &Path) -> Result<Self, ImportError> {
        let name = name_of(path);
        let file = bench_files::open_regular(path)?;
        let limits = ArchiveLimits { entries: MOST_FILES as u64, entry_bytes: largest_file(), bytes: MOST_UNPACKED };
        let mut zip = Archive::open(file, limits).map_err(|error| ImportError::unreadable(&name, error))?;
        let mut files = Vec::new();
        for index in 0..zip.len() {
            let (inside, is_file) = zip.entry(index).map_err(|error| ImportError::unreadable(&name, error))?;
            if is_file {
                files.push(inside);
            }
        }
        Ok(Self { kind: Kind::Archive { name, files, zip: Box::new(RefCell::new(zip)) } })
    }

    /// What to call it in a message.
    pub fn name(&self) -> String {
        match &self.kind {
            Kind::Folder(root) => root.display().to_string(),
            Kind::Archive { name, .. } => name.clone(),
        }
    }

    /// Reads a file of the tree, gzip and all.
    ///
    /// # Errors
    /// [`ImportError::NotThere`], [`ImportError::Outside`] for a link that leads out of the tree, [`ImportError::Io`],
    /// [`ImportError::Unreadable`] and [`ImportError::TooLarge`].
    pub fn read(&self, inside: &str, limit: u64) -> Result<Vec<u8>, ImportError> {
        let missing = || ImportError::NotThere { what: "file", name: inside.to_owned(), place: self.name() };
        match &self.kind {
            Kind::Folder(root) => {
                let full = root.join(inside).canonicalize().map_err(|_| missing())?;
                if !full.starts_with(root) {
                    return Err(ImportError::Outside { name: self.name(), path: inside.to_owned() });
                }
                read_file(&full, limit)
            }
            Kind::Archive { name, zip, .. } => {
                let read = zip.borrow_mut().read_named(inside, limit);
                read.map_err(|error| match error {
                    Refusal::NotThere { .. } => missing(),
                    Refusal::TooLarge { limit, .. } => ImportError::TooLarge { name: inside.to_owned(), limit },
                    other => ImportError::unreadable(name, format!("{inside}: {other}")),
                })
            }
        }
    }

    /// Whether there is such a file.
    pub fn has(&self, inside: &str) -> bool {
        match &self.kind {
            Kind::Folder(root) => root.join(inside).is_file(),
            Kind::Archive { files, .. } => files.iter().any(|file| file == inside),
        }
    }

    /// The files below a folder of the tree, sorted. Links are not followed.
    ///
    /// # Errors
    /// [`ImportError::Io`] and [`ImportError::Unreadable`] for too many.
    pub fn files(&self, under: &str) -> Result<Vec<String>, ImportError> {
        match &self.kind {
            Kind::Folder(root) => {
                let mut found = Vec::new();
                walk(root, under, 0, &mut found)?;
                found.sort();
                Ok(found)
            }
            Kind::Archive { files, .. } => {
                let begin = format!("{under}/");
                let mut found: Vec<String> =
                    files.iter().filter(|file| under.is_empty() || file.starts_with(&begin)).cloned().collect();
                found.sort();
                Ok(found)
            }
        }
    }

    /// The folder `NAME-VERSION.dist-info` of a distribution beside the package.
    pub fn dist_info(&self, distribution: &str) -> Option<String> {
        let wanted = |name: &str| {
            let rest = name.strip_suffix(".dist-info")?.replace('-', "_").to_lowercase();
            let (found, version) = rest.rsplit_once('_')?;
            (found == distribution.replace('-', "_") && version.starts_with(|c: char| c.is_ascii_digit()))
                .then(|| name.to_owned())
        };
        match &self.kind {
            Kind::Folder(root) => fs::read_dir(root)
                .ok()?
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                .find_map(|name| wanted(&name)),
            Kind::Archive { files, .. } => files.iter().find_map(|file| wanted(file.split('/').next()?)),
        }
    }
}

fn walk(root: &Path, under: &str, depth: usize, found: &mut Vec<String>) -> Result<(), ImportError> {
    let folder = root.join(under);
    for entry in fs::read_dir(&folder).map_err(ImportError::io("list", &folder))? {
        let entry = entry.map_err(ImportError::io("list", &folder))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let inside = if under.is_empty() { name } else { format!("{under}/{name}") };
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth < DEEPEST {
            walk(root, &inside, depth + 1, found)?;
        } else if kind.is_file() {
            found.push(inside);
        }
        if found.len() > MOST_FILES {
            return Err(ImportError::unreadable(&name_of(root), format!("it has more than {MOST_FILES} files")));
        }
    }
    Ok(())
}

/// The path that `relative`, as a file in the folder `base` writes it, has in the tree.
///
/// # Errors
/// [`ImportError::Outside`] for one that is absolute or leads out of the tree.
pub fn beside(base: &str, relative: &str) -> Result<String, ImportError> {
    let outside = || ImportError::Outside {
        name: if base.is_empty() { "the file".to_owned() } else { format!("a file in {base}") },
        path: relative.chars().take(200).collect(),
    };
    if relative.starts_with('/') || relative.contains('\\') || relative.contains('\0') || relative.contains(':') {
        return Err(outside());
    }
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or_else(outside)?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;
    use zip::write::SimpleFileOptions;

    use super::*;

    #[test]
    fn a_file_of_an_archive_is_no_larger_than_it_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.whl");
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        zip.start_file("a/b.txt", SimpleFileOptions::default()).unwrap();
        zip.write_all(&[b' '; 100_000]).unwrap();
        zip.finish().unwrap();
        let tree = Tree::archive(&path).unwrap();
        assert_eq!(tree.files("a").unwrap(), ["a/b.txt"]);
        assert_eq!(tree.read("a/b.txt", 100_000).unwrap().len(), 100_000);
        assert_eq!(tree.read("a/b.txt", 99_999).unwrap_err().code(), "import-too-large");
        assert_eq!(tree.read("a/c.txt", 1).unwrap_err().code(), "import-not-there");
    }

    #[test]
    fn paths_are_those_of_their_folder() {
        for (base, relative, path) in [("a/b", "c.yaml", "a/b/c.yaml"), ("a/b", "../c/./d", "a/c/d"), ("", "x", "x")] {
            assert_eq!(beside(base, relative).unwrap(), path);
        }
        for (base, relative) in [("a", "../../x"), ("", ".."), ("a", "/x"), ("a", "b:c"), ("a", "b\\c"), ("a", "b\0")] {
            assert_eq!(beside(base, relative).unwrap_err().code(), "import-path-outside", "{relative}");
        }
    }

    proptest! {
        #[test]
        fn no_path_leads_out(base in "[a-c/]{0,8}", relative in "[a-c./\\\\:]{0,16}") {
            if let Ok(path) = beside(&base, &relative) {
                prop_assert!(!path.starts_with('/') && path.split('/').all(|part| part != ".."));
            }
        }
    }
}
