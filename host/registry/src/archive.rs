//! Several files as one: suites, and whole registries for machines without a network. A zip file, the same bytes for the same files.
//! Reading trusts nothing: neither names, nor the sizes that the archive claims.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Write as _};

use bench_text::spell_name;
use bench_unpack::archive::{Archive, ArchiveLimits as Sizes, Refusal};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::item::NameError;

/// Files by path, with `/` between folders.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What an archive may hold.
#[derive(Debug, Clone, Copy)]
pub struct ArchiveLimits {
    /// Files.
    pub files: usize,
    /// Bytes of all of them together.
    pub bytes: u64,
}

impl ArchiveLimits {
    /// A suite: 10 000 files, and five sixths of the memory that an input may take. The files are in memory while the suite is
    /// read, and its items beside them.
    #[must_use]
    pub fn suite() -> Self {
        Self { files: 10_000, bytes: bench_json::memory() / 6 * 5 }
    }

    /// A registry: 100 000 files and 2 GiB.
    pub const REGISTRY: ArchiveLimits = ArchiveLimits { files: 100_000, bytes: 2 << 30 };
}

fn bad(text: &str, problem: &'static str) -> NameError {
    NameError { text: spell_name(text), problem }
}

/// Puts files into an archive.
///
/// # Errors
/// When one has a path that [`unpack`] would refuse.
pub fn pack(files: &Files) -> Result<Vec<u8>, NameError> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for (path, bytes) in files {
        check(path)?;
        let failed = |_| bad(path, "cannot be put into an archive");
        writer.start_file(path.as_str(), options).map_err(failed)?;
        writer.write_all(bytes).map_err(|_| bad(path, "cannot be put into an archive"))?;
    }
    writer.finish().map(Cursor::into_inner).map_err(|_| bad("the archive", "cannot be written"))
}

/// Takes the files out of an archive.
///
/// # Errors
/// When it is damaged, larger than `limits`, unpacks to more than 200 times a file's bytes, has files that share bytes, or has
/// paths that leave it, differ in case alone, or are links.
pub fn unpack(bytes: &[u8], limits: ArchiveLimits) -> Result<Files, NameError> {
    let refused = |error: Refusal| match error {
        Refusal::TooMany { .. } => bad("the archive", "holds too many files"),
        Refusal::TooLarge { .. } => bad("the archive", "holds more than it may"),
        Refusal::Overlap { name } => bad(&name, "shares bytes of the archive with another file"),
        Refusal::Ratio { name, .. } => bad(&name, "unpacks to far more than it is"),
        _ => bad("the archive", "is no whole zip file"),
    };
    let sizes = Sizes { entries: limits.files as u64, entry_bytes: limits.bytes, bytes: limits.bytes };
    let mut archive = Archive::open(Cursor::new(bytes), sizes).map_err(refused)?;
    let mut files = Files::new();
    let mut seen = BTreeSet::new();
    for index in 0..archive.len() {
        let (path, is_file) = archive.entry(index).map_err(refused)?;
        check(&path)?;
        if !is_file {
            return Err(bad(&path, "is no plain file"));
        }
        if !seen.insert(path.to_lowercase()) {
            return Err(bad(&path, "is in the archive twice, or in two spellings"));
        }
        files.insert(path, archive.read(index, limits.bytes).map_err(refused)?);
    }
    Ok(files)
}

/// Puts files of a suite that are not in its archive beside those that are.
///
/// # Errors
/// When one has a path that an archive may not hold, or is there already.
pub fn put_data(files: &mut Files, data: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<(), NameError> {
    for (path, bytes) in data {
        check(&path)?;
        if files.keys().any(|known| known.eq_ignore_ascii_case(&path)) {
            return Err(bad(&path, "is in the archive, or twice among its data"));
        }
        files.insert(path, bytes);
    }
    Ok(())
}

/// A path within an archive: plain names between slashes.
fn check(path: &str) -> Result<(), NameError> {
    let fine = |part: &str| {
        !part.is_empty()
            && part.len() <= 255
            && !part.starts_with('.')
            && !part.ends_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-%".contains(&byte))
    };
    if path.len() <= 1024 && path.split('/').all(fine) {
        Ok(())
    } else {
        Err(bad(path, "is no path that an archive may hold"))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn files(paths: &[&str]) -> Files {
        paths.iter().map(|path| ((*path).to_owned(), path.as_bytes().repeat(100))).collect()
    }

    /// An archive with names that `pack` refuses.
    fn raw(paths: &[&str]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for path in paths {
            writer.start_file(*path, SimpleFileOptions::default()).unwrap();
            writer.write_all(b"x").unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn what_is_packed_comes_out_and_twice_the_same() {
        let files = files(&["suite.toml", "data/a.jsonl", "licences/MIT.txt"]);
        let packed = pack(&files).unwrap();
        assert_eq!(packed, pack(&files).unwrap());
        assert_eq!(unpack(&packed, ArchiveLimits::suite()).unwrap(), files);
    }

    #[test]
    fn paths_that_leave_or_deceive_are_refused() {
        for path in ["../x", "/x", "a/../x", "a//b", "./x", "a\\b", "C:/x", "a/.git", "na\u{ef}ve", "a b", "x.", "dir/"]
        {
            assert!(unpack(&raw(&[path]), ArchiveLimits::suite()).is_err(), "{path}");
        }
        assert!(
            unpack(&raw(&["a/B", "a/b"]), ArchiveLimits::suite()).unwrap_err().to_string().contains("two spellings")
        );
    }

    #[test]
    fn a_link_is_refused() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.add_symlink("a", "/etc/passwd", SimpleFileOptions::default()).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        assert!(unpack(&bytes, ArchiveLimits::suite()).is_err());
    }

    #[test]
    fn sizes_are_counted_and_not_believed() {
        let packed = pack(&Files::from([("zeros".to_owned(), vec![0; 1 << 20])])).unwrap();
        assert!(packed.len() < 1 << 14);
        assert!(unpack(&packed, ArchiveLimits { files: 1, bytes: 1 << 20 }).is_ok());
        assert!(unpack(&packed, ArchiveLimits { files: 1, bytes: (1 << 20) - 1 }).is_err());
        assert!(unpack(&packed, ArchiveLimits { files: 0, bytes: 1 << 20 }).is_err());
    }

    proptest! {
        #[test]
        fn damage_never_panics(place in 0usize..400, byte: u8) {
            let mut packed = pack(&files(&["suite.toml", "data/a.jsonl"])).unwrap();
            let place = place % packed.len();
            packed[place] = byte;
            let _ = unpack(&packed, ArchiveLimits::suite());
        }
    }
}
