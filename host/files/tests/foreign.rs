//! Files and folders that the user named: what is read, and what is written beside others' files.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests panic on unmet expectations")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use bench_files::{
    FilesError, PrivateFolder, append_private, create_new_private, create_private_folder, open_no_link, open_regular,
    read_bounded, write_output, write_private,
};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn special_files_are_named_and_not_waited_for() {
    let top = tempfile::tempdir().unwrap();
    let fifo = top.path().join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RWXU).unwrap();
    symlink(&fifo, top.path().join("link")).unwrap();
    let socket = top.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let link = top.path().join("link");
    let cases = [
        (fifo.as_path(), "a FIFO"),
        (&link, "a FIFO"),
        (&socket, "a socket"),
        (top.path(), "a folder"),
        (Path::new("/dev/null"), "a device"),
    ];
    for (path, expected) in cases {
        let error = open_regular(path).unwrap_err();
        assert!(matches!(error, FilesError::NotRegular { kind, .. } if kind == expected), "{error}");
        assert_eq!(error.code(), "not-a-regular-file");
        assert_eq!(read_bounded(path, 10).unwrap_err().code(), "not-a-regular-file");
    }
    assert!(open_regular(&top.path().join("missing")).unwrap_err().is_missing());
    let file = top.path().join("file");
    fs::write(&file, "").unwrap();
    symlink(&file, top.path().join("file-link")).unwrap();
    open_no_link(&file).unwrap();
    for path in [&top.path().join("file-link"), &fifo, &link] {
        assert_eq!(open_no_link(path).unwrap_err().code(), "not-a-regular-file");
        assert_eq!(create_new_private(path).unwrap_err().code(), "file-unwritable");
    }
}

#[test]
fn ordinary_files_are_read_up_to_a_bound() {
    let top = tempfile::tempdir().unwrap();
    let (path, link) = (top.path().join("file"), top.path().join("link"));
    fs::write(&path, "12345").unwrap();
    symlink(&path, &link).unwrap();
    let mut text = String::new();
    let mut file = open_regular(&link).unwrap();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "12345");
    assert!(!rustix::fs::fcntl_getfl(&file).unwrap().contains(rustix::fs::OFlags::NONBLOCK));
    assert_eq!(read_bounded(&path, 5).unwrap(), b"12345");
    assert!(matches!(read_bounded(&path, 4).unwrap_err(), FilesError::TooLarge { limit: 4, .. }));
    // A file of the kernel says a size of zero and has content.
    assert_eq!(read_bounded(Path::new("/proc/self/status"), 4).unwrap_err().code(), "file-too-large");
}

#[test]
fn devices_are_not_replaced_by_files() {
    let top = tempfile::tempdir().unwrap();
    let fifo = top.path().join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RWXU).unwrap();
    for path in [fifo.as_path(), top.path(), Path::new("/dev/null")] {
        assert_eq!(write_private(path, b"text").unwrap_err().code(), "not-a-regular-file");
    }
    assert_eq!(append_private(&fifo).unwrap_err().code(), "not-a-regular-file");
    assert_eq!(write_private(Path::new("/"), b"text").unwrap_err().code(), "bad-file-name");
}

#[test]
fn outputs_of_the_user_may_be_devices() {
    let top = tempfile::tempdir().unwrap();
    write_output(Path::new("/dev/null"), b"text").unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    let path = top.path().join("out.json");
    write_output(&path, b"text").unwrap();
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("text", 0o600));
    assert_eq!(write_output(top.path(), b"text").unwrap_err().code(), "not-a-regular-file");
}

#[test]
fn planted_links_are_replaced_and_not_followed() {
    let top = tempfile::tempdir().unwrap();
    let (target, link) = (top.path().join("target"), top.path().join("link"));
    fs::write(&target, "untouched").unwrap();
    symlink(&target, &link).unwrap();
    assert_eq!(append_private(&link).unwrap_err().code(), "not-a-regular-file");
    write_private(&link, b"new").unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "untouched");
    assert_eq!(fs::read_to_string(&link).unwrap(), "new");
    assert!(!link.is_symlink());
}

/// Runs by itself, and in child processes with other umasks.
#[test]
fn modes_are_what_they_should_be() {
    let top = tempfile::tempdir().unwrap();
    // The crate that makes temporary folders goes by the umask.
    fs::set_permissions(top.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let made = top.path().join("made");
    create_private_folder(&made.join("inner")).unwrap();
    write_private(&made.join("file"), b"text").unwrap();
    create_new_private(&made.join("new")).unwrap();
    append_private(&made.join("log")).unwrap().write_all(b"text").unwrap();
    let folder = PrivateFolder::open_or_create(&made.join("store/runs")).unwrap();
    folder.subfolder("run").unwrap();
    folder.stage("entry").unwrap().persist().unwrap();
    folder.append("samples").unwrap();
    for path in ["", "inner", "store", "store/runs", "store/runs/run"] {
        assert_eq!(mode(&made.join(path)), 0o700, "{path}");
    }
    for path in ["file", "new", "log", "store/runs/entry", "store/runs/samples"] {
        assert_eq!(mode(&made.join(path)), 0o600, "{path}");
    }
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    for umask in ["000", "022", "077"] {
        let output = Command::new("sh")
            .args(["-c", "umask \"$1\" && shift && exec \"$@\"", "sh", umask])
            .arg(std::env::current_exe().unwrap())
            .args(["modes_are_what_they_should_be", "--exact"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "umask {umask}: {text}");
    }
}
