//! Private folders: who may own and write what, and that a folder is used by its descriptor.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests panic on unmet expectations")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use bench_files::{FilesError, PrivateFolder, read_trusted};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Gives a file to another user, which only root can do.
fn give_away(path: &Path) {
    std::os::unix::fs::lchown(path, Some(12_345), Some(12_345)).unwrap();
}

fn text(mut file: fs::File) -> String {
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

fn write(folder: &PrivateFolder, name: &str, content: &str) {
    let mut staged = folder.stage(name).unwrap();
    staged.write_all(content.as_bytes()).unwrap();
    staged.persist_synced().unwrap();
}

#[test]
fn missing_folders_are_made_for_the_user_alone() {
    let top = tempfile::tempdir().unwrap();
    let path = top.path().join("a/b/c");
    assert!(PrivateFolder::open(&path).unwrap_err().is_missing());
    let folder = PrivateFolder::open_or_create(&path).unwrap();
    let inner = folder.subfolder("d").unwrap();
    assert_eq!(inner.path(), path.canonicalize().unwrap().join("d"));
    for made in ["a", "a/b", "a/b/c", "a/b/c/d"] {
        assert_eq!(mode(&top.path().join(made)), 0o700, "{made}");
    }
    PrivateFolder::open(&path).unwrap().existing_subfolder("d").unwrap();
    assert!(folder.existing_subfolder("e").unwrap_err().is_missing());
}

#[test]
fn folders_that_exist_keep_the_mode_that_the_user_chose() {
    let top = tempfile::tempdir().unwrap();
    set_mode(top.path(), 0o755);
    PrivateFolder::open_or_create(top.path()).unwrap();
    assert_eq!(mode(top.path()), 0o755);
}

#[test]
fn a_folder_that_others_can_write_is_refused_wherever_it_stands_in_the_path() {
    let top = tempfile::tempdir().unwrap();
    let (parent, path) = (top.path().join("parent"), top.path().join("parent/folder"));
    PrivateFolder::open_or_create(&path).unwrap();
    let mut cases = vec![(&parent, 0o707), (&path, 0o702), (&path, 0o1777)];
    if is_root() {
        // Only root can give a folder a group that has other members.
        for folder in [&parent, &path] {
            std::os::unix::fs::chown(folder, None, Some(12_345)).unwrap();
        }
        cases.extend([(&parent, 0o770), (&path, 0o720)]);
    }
    for (at_fault, bits) in cases {
        set_mode(at_fault, bits);
        let error = PrivateFolder::open(&path).unwrap_err();
        let at_fault = at_fault.canonicalize().unwrap();
        assert!(matches!(&error, FilesError::WritableFolder { at, mode, .. } if *at == at_fault && *mode == bits));
        assert_eq!(error.code(), "folder-not-private");
        assert_eq!(error.hint().unwrap(), format!("run `chmod go-w {}`", at_fault.display()));
        set_mode(&at_fault, 0o700);
    }
    // Nobody but the owner of a folder renames it in a sticky folder.
    set_mode(&parent, 0o1777);
    PrivateFolder::open(&path).unwrap();
}

#[test]
fn a_folder_of_another_user_is_refused_wherever_it_stands_in_the_path() {
    let top = tempfile::tempdir().unwrap();
    let (parent, path) = (top.path().join("parent"), top.path().join("parent/folder"));
    PrivateFolder::open_or_create(&path).unwrap();
    if !is_root() {
        // An ordinary user gives nothing away, but `/` is root's and must not be taken for a private folder.
        let error = PrivateFolder::open(Path::new("/")).unwrap_err();
        assert!(matches!(error, FilesError::ForeignFolder { owner: 0, .. }));
        return;
    }
    for at_fault in [&parent, &path] {
        give_away(at_fault);
        let error = PrivateFolder::open(&path).unwrap_err();
        let real = at_fault.canonicalize().unwrap();
        assert!(matches!(&error, FilesError::ForeignFolder { at, owner: 12_345, user: 0, .. } if *at == real));
        assert!(error.hint().unwrap().contains(&format!("{}`", real.display())), "{:?}", error.hint());
        std::os::unix::fs::chown(at_fault, Some(0), Some(0)).unwrap();
    }
}

#[test]
fn a_folder_is_the_one_that_was_opened_whatever_its_path_means_later() {
    let top = tempfile::tempdir().unwrap();
    let path = top.path().join("parent/cache");
    let folder = PrivateFolder::open_or_create(&path).unwrap();
    write(&folder, "entry", "mine");
    fs::rename(top.path().join("parent"), top.path().join("aside")).unwrap();
    let planted = PrivateFolder::open_or_create(&path).unwrap();
    write(&planted, "entry", "planted");
    assert_eq!(text(folder.open_entry("entry").unwrap()), "mine");
    write(&folder, "second", "also mine");
    assert_eq!(planted.names().unwrap(), ["entry"]);
    assert_eq!(folder.names().unwrap(), ["entry", "second"]);
    folder.remove("entry").unwrap();
    assert_eq!(text(planted.open_entry("entry").unwrap()), "planted");
    assert!(folder.open_entry("entry").unwrap_err().is_missing());
}

#[test]
fn links_in_the_path_are_resolved_and_the_real_folders_checked() {
    let top = tempfile::tempdir().unwrap();
    let real = top.path().join("open/folder");
    PrivateFolder::open_or_create(&real).unwrap();
    symlink(&real, top.path().join("link")).unwrap();
    let folder = PrivateFolder::open(&top.path().join("link")).unwrap();
    assert_eq!(folder.path(), real.canonicalize().unwrap());
    set_mode(&top.path().join("open"), 0o777);
    let error = PrivateFolder::open(&top.path().join("link")).unwrap_err();
    assert_eq!(error.code(), "folder-not-private");
    symlink(top.path().join("nowhere"), top.path().join("dangling")).unwrap();
    assert!(PrivateFolder::open_or_create(&top.path().join("dangling/below")).is_err());
    assert!(!top.path().join("nowhere").exists());
}

#[test]
fn entries_are_regular_files_of_the_user_with_one_name() {
    let top = tempfile::tempdir().unwrap();
    let folder = PrivateFolder::open(top.path()).unwrap();
    write(&folder, "entry", "text");
    let path = top.path().join("entry");
    assert_eq!(folder.read_entry_bounded("entry", 4).unwrap(), b"text");
    assert_eq!(folder.read_entry_bounded("entry", 3).unwrap_err().code(), "file-too-large");

    symlink(&path, top.path().join("link")).unwrap();
    fs::create_dir(top.path().join("inner")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, top.path().join("fifo"), rustix::fs::Mode::RWXU).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(top.path().join("socket")).unwrap();
    let kinds = [("link", "a symbolic link"), ("inner", "a folder"), ("fifo", "a FIFO"), ("socket", "a socket")];
    for (name, expected) in kinds {
        for error in [folder.open_entry(name).unwrap_err(), folder.append(name).unwrap_err()] {
            assert!(matches!(error, FilesError::NotRegular { kind, .. } if kind == expected), "{name}: {error}");
        }
    }
    drop(socket);
    assert!(folder.subfolder("link").is_err());

    set_mode(&path, 0o602);
    assert!(matches!(folder.open_entry("entry").unwrap_err(), FilesError::WritableEntry { mode: 0o602, .. }));
    set_mode(&path, 0o644);
    folder.open_entry("entry").unwrap();
    fs::hard_link(&path, top.path().join("second")).unwrap();
    let error = folder.open_entry("entry").unwrap_err();
    assert!(matches!(error, FilesError::LinkedEntry { links: 2, .. }));
    assert_eq!(error.code(), "file-not-private");
    fs::remove_file(top.path().join("second")).unwrap();
    if is_root() {
        give_away(&path);
        assert!(matches!(folder.open_entry("entry").unwrap_err(), FilesError::ForeignEntry { owner: 12_345, .. }));
    }
}

#[test]
fn names_stay_in_their_folder() {
    let top = tempfile::tempdir().unwrap();
    let folder = PrivateFolder::open(top.path()).unwrap();
    for name in ["", ".", "..", "a/b", "/a", "a/", "a/.", "../a"] {
        assert_eq!(folder.open_entry(name).unwrap_err().code(), "bad-file-name", "{name}");
        assert_eq!(folder.stage(name).unwrap_err().code(), "bad-file-name", "{name}");
        assert_eq!(folder.subfolder(name).unwrap_err().code(), "bad-file-name", "{name}");
        assert_eq!(folder.remove(name).unwrap_err().code(), "bad-file-name", "{name}");
        assert_eq!(folder.append(name).unwrap_err().code(), "bad-file-name", "{name}");
    }
    assert!(folder.names().unwrap().is_empty());
}

#[test]
fn staged_files_appear_complete_or_not_at_all() {
    let top = tempfile::tempdir().unwrap();
    let folder = PrivateFolder::open(top.path()).unwrap();
    fs::write(top.path().join("elsewhere"), "untouched").unwrap();
    symlink(top.path().join("elsewhere"), top.path().join("entry")).unwrap();
    let mut staged = folder.stage("entry").unwrap();
    staged.write_all(b"first").unwrap();
    assert_eq!(folder.names().unwrap(), ["elsewhere", "entry"]);
    staged.persist().unwrap();
    assert_eq!(text(folder.open_entry("entry").unwrap()), "first");
    assert_eq!(fs::read_to_string(top.path().join("elsewhere")).unwrap(), "untouched");

    let mut dropped = folder.stage("entry").unwrap();
    dropped.write_all(b"second").unwrap();
    drop(dropped);
    assert_eq!(text(folder.open_entry("entry").unwrap()), "first");
    assert_eq!(fs::read_dir(top.path()).unwrap().count(), 2);
}

#[test]
fn appending_goes_on_where_the_file_ends() {
    let top = tempfile::tempdir().unwrap();
    let folder = PrivateFolder::open(top.path()).unwrap();
    folder.append("log").unwrap().write_all(b"one ").unwrap();
    set_mode(&top.path().join("log"), 0o644);
    folder.append("log").unwrap().write_all(b"two").unwrap();
    assert_eq!(text(folder.open_entry("log").unwrap()), "one two");
    assert_eq!(mode(&top.path().join("log")), 0o600);
}

#[test]
fn a_configuration_is_read_only_when_nobody_else_can_write_it() {
    let top = tempfile::tempdir().unwrap();
    set_mode(top.path(), 0o755);
    let (folder, file, link) = (top.path().join("config"), top.path().join("config/file"), top.path().join("link"));
    fs::create_dir(&folder).unwrap();
    fs::write(&file, "text").unwrap();
    set_mode(&folder, 0o755);
    set_mode(&file, 0o644);
    symlink(&file, &link).unwrap();
    assert_eq!(read_trusted(&link, 4).unwrap(), b"text");
    assert_eq!(read_trusted(&file, 3).unwrap_err().code(), "file-too-large");
    assert!(read_trusted(&folder.join("missing"), 4).unwrap_err().is_missing());
    assert_eq!(read_trusted(&folder, 4).unwrap_err().code(), "not-a-regular-file");
    // A file of root's is no danger to anybody; the folder with it may not be sticky.
    read_trusted(Path::new("/etc/passwd"), 1 << 20).unwrap();
    for bits in [0o757, 0o1757] {
        set_mode(&folder, bits);
        assert_eq!(read_trusted(&link, 4).unwrap_err().code(), "folder-not-private", "{bits:o}");
    }
    set_mode(&folder, 0o755);
    set_mode(&file, 0o646);
    assert!(matches!(read_trusted(&link, 4).unwrap_err(), FilesError::WritableEntry { mode: 0o646, .. }));
    set_mode(&file, 0o644);
    if is_root() {
        give_away(&file);
        assert!(matches!(read_trusted(&link, 4).unwrap_err(), FilesError::ForeignEntry { owner: 12_345, .. }));
    }
}
