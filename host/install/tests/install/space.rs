//! What no lock needs is freed, and nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bench_install::{Disk, Installer};
use bench_plugin::Kind;
use bench_registry::{Lock, hex};
use sha2::{Digest as _, Sha256};

use crate::faults::{Dying, End};
use crate::support::*;

fn digest(kind: Kind, name: &str, version: &str) -> String {
    hex(&Sha256::digest(in_version(kind, name, version)))
}

fn installer(user: &User, author: &Author) -> Installer {
    user.installer(vec![author.source("main")], day(0))
}

fn with_lock(user: &User, author: &Author, lock: &Path) -> Installer {
    let home = user.home().with_lock(lock.to_owned());
    Installer::over(home, vec![author.source("main")], options(day(0)), Arc::new(Disk))
}

/// A registry, and a user who has gone through four versions of a driver.
fn after_updates() -> (Author, User) {
    let (author, user) = (Author::new(), User::new());
    let versions = ["0.1.0", "0.1.1", "0.1.2", "0.1.3"];
    author.publish(versions.iter().map(|version| component(Kind::Driver, "ollama", version)).collect(), day(0));
    for version in versions {
        wait(installer(&user, &author).add(&[request(&format!("ollama@={version}"))])).unwrap();
    }
    (author, user)
}

fn digests(pruned: &bench_install::Pruned) -> Vec<String> {
    pruned.files.iter().map(|file| file.sha256.clone()).collect()
}

fn sorted(mut digests: Vec<String>) -> Vec<String> {
    digests.sort();
    digests
}

#[test]
fn this_set_and_the_one_before_stay() {
    let (author, user) = after_updates();
    let gone = sorted(vec![digest(Kind::Driver, "ollama", "0.1.0"), digest(Kind::Driver, "ollama", "0.1.1")]);
    let would = installer(&user, &author).prune(true).unwrap();
    assert_eq!(digests(&would), gone);
    assert_eq!(would.bytes, would.files.iter().map(|file| file.bytes).sum::<u64>());
    let store = user.home().store();
    assert!(gone.iter().all(|sha256| store.path(sha256).unwrap().is_file()), "a dry run frees nothing");
    assert_eq!(installer(&user, &author).prune(false).unwrap(), would);
    assert!(gone.iter().all(|sha256| !store.path(sha256).unwrap().exists()));
    assert_eq!(user.runs(Kind::Driver, "ollama").unwrap(), "0.1.3");
    installer(&user, &author).rollback().unwrap();
    assert_eq!(user.runs(Kind::Driver, "ollama").unwrap(), "0.1.2");
    assert_eq!(installer(&user, &author).prune(false).unwrap().files, []);
}

#[test]
fn other_locks_that_were_filled_from_the_store_count() {
    let (author, user) = after_updates();
    let beside = user.folder.path().join("suite/bench.lock");
    fs::create_dir_all(beside.parent().unwrap()).unwrap();
    wait(with_lock(&user, &author, &beside).add(&[request("ollama@=0.1.0")])).unwrap();
    let only = digest(Kind::Driver, "ollama", "0.1.1");
    assert_eq!(digests(&installer(&user, &author).prune(true).unwrap()), std::slice::from_ref(&only));
    // From the other lock's side it is the same.
    let pruned = with_lock(&user, &author, &beside).prune(false).unwrap();
    assert_eq!(digests(&pruned), [only]);
    // A lock that came from elsewhere and was filled by `sync` counts too; one that cannot be read stops everything.
    let copied = user.folder.path().join("copied.lock");
    fs::copy(&beside, &copied).unwrap();
    let first = user.home().store().path(&digest(Kind::Driver, "ollama", "0.1.0")).unwrap();
    fs::remove_file(&first).unwrap();
    wait(with_lock(&user, &author, &copied).sync()).unwrap();
    fs::remove_file(&beside).unwrap();
    fs::remove_file(user.folder.path().join("suite/bench.lock.previous")).unwrap();
    assert_eq!(installer(&user, &author).prune(false).unwrap().files, []);
    fs::write(&copied, "nonsense").unwrap();
    assert_eq!(installer(&user, &author).prune(false).unwrap_err().code(), "lock-unreadable");
    assert!(first.is_file());
    fs::remove_file(&copied).unwrap();
    assert_eq!(installer(&user, &author).prune(false).unwrap().files.len(), 1);
    assert!(!first.exists());
}

#[test]
fn what_is_not_the_stores_is_left_alone() {
    let (author, user) = after_updates();
    let root = user.home().store().root().to_owned();
    let elsewhere = user.folder.path().join("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    let name = "ab".repeat(32);
    let mut kept: Vec<PathBuf> = vec![elsewhere.join(&name), root.join("sha256/readme"), root.join(&name)];
    kept.push(root.join("sha256/ab").join("notes.txt"));
    fs::create_dir_all(root.join("sha256/ab")).unwrap();
    for path in &kept {
        fs::write(path, "the user's own").unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(&elsewhere, root.join("sha256/cd")).unwrap();
    fs::create_dir_all(root.join("partial")).unwrap();
    fs::write(root.join("partial").join(&name), "half").unwrap();
    let pruned = installer(&user, &author).prune(false).unwrap();
    assert_eq!(pruned.files.len(), 3);
    assert_eq!(pruned.files.iter().filter(|file| file.partial).map(|file| file.bytes).collect::<Vec<_>>(), [4]);
    assert!(kept.iter().all(|path| path.is_file()));
    assert!(!root.join("partial").join(&name).exists());
}

#[test]
fn cut_off_anywhere_the_set_and_the_way_back_are_whole() {
    let (author, before) = after_updates();
    for steps in 0.. {
        let user = User::new();
        crate::faults::copy(&before.home().data, &user.home().data);
        let dying = Dying::after(steps, End::Before);
        let done = user.installer_over(vec![author.source("main")], options(day(0)), dying).prune(false);
        for lock in [user.home().lock, user.home().previous()] {
            for (sha256, bytes) in Lock::read(&lock).unwrap().items().iter().flat_map(bench_registry::Locked::stored) {
                user.home().store().read(sha256, bytes).unwrap();
            }
        }
        if done.is_ok() {
            assert_eq!(steps, 2);
            break;
        }
        assert_eq!(done.unwrap_err().code(), "io");
        assert_eq!(installer(&user, &author).prune(false).unwrap().files.len(), 2 - steps);
    }
}
