//! The program's own update and the way back, cut off at every file operation: whatever happens, there is a program that runs.
#![cfg(unix)]

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bench_install::{Disk, FileOps, Installer, OWN_REGISTRY, Program, platform};
use bench_registry::ItemKind;

use crate::faults::{Dying, End, copy};
use crate::support::*;

fn script(version: &str) -> String {
    format!("#!/bin/sh\necho bench {version}\n")
}

/// What the program in a file says when it is run.
fn says(file: &Path) -> String {
    let ran =
        Command::new(file).arg("--version").output().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}

/// A user whose program calls itself 0.1.0.
fn user() -> User {
    let user = User::new();
    let file = program(&user).file;
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, script("0.1.0")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    user
}

fn program(user: &User) -> Program {
    Program { file: user.folder.path().join("bin/bench"), allow_downgrade: false }
}

fn previous(user: &User) -> PathBuf {
    user.folder.path().join("bin/bench.previous")
}

fn installer(user: &User, author: &Author, files: Arc<dyn FileOps>) -> Installer {
    user.installer_over(vec![author.source(OWN_REGISTRY)], options(day(0)), files)
}

fn author() -> Author {
    let author = Author::new();
    author.publish(vec![claim(ItemKind::Host, &platform(), "7.1.0", script("7.1.0").as_bytes())], day(0));
    author
}

#[test]
fn updated_run_brought_back_and_run() {
    let (author, user) = (author(), user());
    let mut installer = installer(&user, &author, Arc::new(Disk));
    let done = wait(installer.self_update(&program(&user))).unwrap();
    assert_eq!(done.program.unwrap().to.to_string(), "7.1.0");
    assert_eq!((says(&program(&user).file), says(&previous(&user))), ("bench 7.1.0".into(), "bench 0.1.0".into()));
    let done = installer.self_rollback(&program(&user)).unwrap();
    assert!(done.program_returned && done.outcome.changes.is_empty());
    assert_eq!((says(&program(&user).file), says(&previous(&user))), ("bench 0.1.0".into(), "bench 7.1.0".into()));
    // And forth again.
    installer.self_rollback(&program(&user)).unwrap();
    assert_eq!(says(&program(&user).file), "bench 7.1.0");
    let left = fs::read_dir(user.folder.path().join("bin")).unwrap().count();
    assert_eq!(left, 2, "nothing else is left beside it");
    let alone = self::user();
    let mut installer = self::installer(&alone, &author, Arc::new(Disk));
    assert_eq!(installer.self_rollback(&program(&alone)).unwrap_err().code(), "nothing-before");
    assert_eq!(says(&program(&alone).file), "bench 0.1.0");
}

#[test]
fn an_update_that_is_cut_off_leaves_a_program_that_runs() {
    let author = author();
    for end in [End::Before, End::Within, End::Full] {
        for steps in 0.. {
            let (user, at) = (user(), format!("{end:?} after {steps} operations"));
            let done = wait(installer(&user, &author, Dying::after(steps, end)).update_program(&program(&user)));
            let now = says(&program(&user).file);
            assert!(now == "bench 0.1.0" || now == "bench 7.1.0", "{at}: {now}");
            // What is kept for going back is whole whenever it is there.
            if previous(&user).exists() && now == "bench 7.1.0" {
                assert_eq!(says(&previous(&user)), "bench 0.1.0", "{at}");
            }
            let over = done.is_ok();
            wait(installer(&user, &author, Arc::new(Disk)).update_program(&program(&user))).unwrap();
            assert_eq!(says(&program(&user).file), "bench 7.1.0", "{at}");
            if over {
                assert!(steps > 12, "an update has more operations than {steps}");
                break;
            }
        }
    }
}

#[test]
fn a_way_back_that_is_cut_off_can_be_taken_again() {
    let author = author();
    let before = user();
    wait(installer(&before, &author, Arc::new(Disk)).update_program(&program(&before))).unwrap();
    for end in [End::Before, End::Within, End::Full] {
        for steps in 0.. {
            let (user, at) = (User::new(), format!("{end:?} after {steps} operations"));
            copy(before.folder.path(), user.folder.path());
            let done = installer(&user, &author, Dying::after(steps, end)).rollback_program(&program(&user));
            let now = says(&program(&user).file);
            assert!(now == "bench 7.1.0" || now == "bench 0.1.0", "{at}: {now}");
            if done.is_ok() {
                assert_eq!((now.as_str(), says(&previous(&user)).as_str()), ("bench 0.1.0", "bench 7.1.0"), "{at}");
                assert!(steps >= 6, "{at}");
                break;
            }
            // The older program is never lost: it is in its place, or it can still be brought back.
            if now == "bench 7.1.0" {
                installer(&user, &author, Arc::new(Disk)).rollback_program(&program(&user)).unwrap();
            }
            assert_eq!(says(&program(&user).file), "bench 0.1.0", "{at}");
        }
    }
}

/// A disk on which somebody else puts another program in the place of a staged one.
#[derive(Debug)]
struct Exchanging(&'static str);

impl FileOps for Exchanging {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        Disk.create_folder(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        Disk.write(path, bytes)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        Disk.append(path, bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        Disk.sync(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Disk.remove(path)
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        Disk.read(path, limit)
    }

    fn make_runnable(&self, path: &Path) -> io::Result<()> {
        Disk.make_runnable(path)?;
        fs::write(path, self.0)
    }
}

#[test]
fn a_program_that_was_exchanged_does_not_start() {
    let (author, user) = (author(), user());
    let trace = user.folder.path().join("started");
    let planted = format!("#!/bin/sh\ntouch {}\necho bench 7.1.0\n", trace.display());
    let disk = Arc::new(Exchanging(planted.leak()));
    let error = wait(installer(&user, &author, disk).update_program(&program(&user))).unwrap_err();
    assert_eq!(error.code(), "item-rejected");
    assert!(error.to_string().contains("another file"), "{error}");
    assert!(!trace.exists());
    assert_eq!(says(&program(&user).file), "bench 0.1.0");
    assert_eq!(fs::read_dir(user.folder.path().join("bin")).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn files_of_an_installation_are_made_anew_and_follow_no_link() {
    let folder = tempfile::tempdir().unwrap();
    let (target, link) = (folder.path().join("target"), folder.path().join("link"));
    fs::write(&target, "untouched").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    Disk.write(&link, b"x").unwrap_err();
    Disk.append(&link, b"x").unwrap_err();
    Disk.make_runnable(&link).unwrap_err();
    Disk.read(&link, 100).unwrap_err();
    Disk.write(&target, b"x").unwrap_err();
    assert_eq!(fs::read_to_string(&target).unwrap(), "untouched");
    let made = folder.path().join("made/anew");
    Disk.create_folder(made.parent().unwrap()).unwrap();
    Disk.write(&made, b"x").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(made.parent().unwrap()), mode(&made)), (0o700, 0o600));
}
