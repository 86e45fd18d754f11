//! Suites whose large files are kept beside their archives.

use std::fs;
use std::path::{Path, PathBuf};

use bench_registry::{ArchiveLimits, ItemKind, ItemPath, unpack};
use bench_repository::{Publication, Wish, suite, verify};
use bench_suite::Suite;

use crate::support::*;

const NAME: &str = "local-reasoning-mini";
const DATA: &str = "data/arithmetic.jsonl";

fn original() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites").join(NAME)
}

/// The suite in a version, with its items beside the archive.
fn apart(folder: &Path, version: &str) -> Publication {
    let place = folder.join(version);
    fs::create_dir_all(place.join("data")).unwrap();
    let manifest = fs::read_to_string(original().join("suite.toml")).unwrap();
    let before = Suite::load(&original()).unwrap().manifest().version.to_string();
    let manifest = manifest.replacen(&format!("version = \"{before}\""), &format!("version = \"{version}\""), 1);
    fs::write(place.join("suite.toml"), manifest).unwrap();
    for data in fs::read_dir(original().join("data")).unwrap() {
        let data = data.unwrap().path();
        fs::copy(&data, place.join("data").join(data.file_name().unwrap())).unwrap();
    }
    suite(&place, &Wish { data: vec![DATA.to_owned()], ..Wish::default() }).unwrap()
}

fn wanted() -> bench_install::Request {
    request(NAME).of_kind(Some(ItemKind::Suite))
}

fn blobs(author: &Author, ending: &str) -> Vec<PathBuf> {
    let folder = author.path().join("targets/suite").join(NAME);
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|extension| extension == ending)).collect()
}

#[test]
fn data_is_fetched_once_verified_and_found() {
    let (author, user) = (Author::new(), User::new());
    let first = apart(author.folder.path(), "2.0.0");
    assert!(!unpack(&first.bytes, ArchiveLimits::suite()).unwrap().contains_key(DATA));
    let needed = first.release.data.clone();
    author.publish(vec![first, apart(author.folder.path(), "2.1.0")], day(0));
    assert_eq!(verify(&author.path(), day(0)).unwrap().problems, []);
    let data = blobs(&author, "data");
    assert_eq!(data.len(), 1, "two versions share it");
    let mut installer = user.installer(vec![author.source("main")], day(0));
    let older = "local-reasoning-mini@=2.0.0";
    wait(installer.add(&[request(older).of_kind(Some(ItemKind::Suite))])).unwrap();
    let loaded = || Suite::from_files(&user.shelf().suite(NAME).unwrap().unwrap()).unwrap();
    assert_eq!(loaded().digest(), Suite::load(&author.folder.path().join("2.0.0")).unwrap().digest());
    // The next version has the same data, and nobody asks for it again.
    let bytes = fs::read(&data[0]).unwrap();
    fs::remove_file(&data[0]).unwrap();
    wait(installer.add(&[wanted()])).unwrap();
    assert_eq!(loaded().manifest().version.to_string(), "2.1.0");
    installer.rollback().unwrap();
    assert_eq!(loaded().manifest().version.to_string(), "2.0.0");
    // What is changed on disk is not used, and `sync` brings it back.
    fs::write(&data[0], &bytes).unwrap();
    let kept = user.home().store().path(&needed[0].sha256).unwrap();
    assert_eq!(fs::read(&kept).unwrap(), bytes);
    fs::write(&kept, bytes.to_ascii_uppercase()).unwrap();
    assert_eq!(user.shelf().suite(NAME).unwrap_err().code(), "store-damaged");
    assert_eq!(installer.rollback().unwrap_err().code(), "store-damaged");
    wait(user.installer(vec![author.source("main")], day(0)).sync()).unwrap();
    loaded();
}

#[test]
fn data_that_is_not_what_was_signed_installs_nothing() {
    let (author, user) = (Author::new(), User::new());
    author.publish(vec![apart(author.folder.path(), "2.0.0")], day(0));
    let file = blobs(&author, "data").remove(0);
    let right = fs::read(&file).unwrap();
    let add = || wait(user.installer(vec![author.source("main")], day(0)).add(&[wanted()])).map(drop);
    for (bytes, code) in [
        (right.to_ascii_uppercase(), "registry-mismatch"),
        (right[..right.len() - 1].to_vec(), "registry-mismatch"),
        ([right.clone(), b"\n".to_vec()].concat(), "registry-mismatch"),
    ] {
        fs::write(&file, bytes).unwrap();
        assert_eq!(add().unwrap_err().code(), code);
        assert!(!user.home().lock.exists());
    }
    fs::write(&file, right).unwrap();
    add().unwrap();
}

#[test]
fn data_that_nobody_listed_or_that_is_in_the_way_installs_nothing() {
    for (version, change, code) in [
        ("2.0.0", (|it| it.data.clear()) as fn(&mut Publication), "data-missing"),
        ("2.0.1", |it| it.release.data[0].name = "../arithmetic.jsonl".to_owned(), "item-rejected"),
        ("2.0.2", |it| it.release.data[0].name = "suite.toml".to_owned(), "item-rejected"),
        ("2.0.3", |it| it.release.data[0].name = "SUITE.toml".to_owned(), "item-rejected"),
        ("2.0.4", |it| it.release.data[0].name = "data/others.jsonl".to_owned(), "item-rejected"),
        ("2.0.5", |it| it.release.data[0].bytes = 1 << 40, "item-unknown"),
        ("2.0.6", |it| it.release.data = vec![it.release.data[0].clone(); 65], "item-unknown"),
    ] {
        let (author, user) = (Author::new(), User::new());
        let mut item = apart(author.folder.path(), version);
        change(&mut item);
        author.publish(vec![item], day(0));
        let mut installer = user.installer(vec![author.source("main")], day(0));
        let error = wait(installer.add(&[wanted()])).unwrap_err();
        assert_eq!(error.code(), code, "{version}: {error}");
        assert!(!user.home().lock.exists());
    }
}

#[test]
fn a_suite_says_which_of_its_files_are_apart() {
    let author = Author::new();
    let wish = |data: &[&str]| Wish { data: data.iter().map(|name| (*name).to_owned()).collect(), ..Wish::default() };
    for data in [&["data/missing.jsonl"][..], &["suite.toml"], &["../suite.toml"]] {
        assert_eq!(suite(&original(), &wish(data)).unwrap_err().code(), "release-refused", "{data:?}");
    }
    let bytes = embedded(bench_plugin::Kind::Scorer, "match");
    let error = bench_repository::component(&host(), bytes, None, &wish(&["data/arithmetic.jsonl"])).unwrap_err();
    assert!(error.to_string().contains("reads no files"), "{error}");
    // What no version needs any more leaves the list with the last one that did.
    author.publish(vec![apart(author.folder.path(), "2.0.0"), apart(author.folder.path(), "2.1.0")], day(0));
    let listed = || bench_repository::export(&author.path()).unwrap();
    let has_data =
        |bundle: &[u8]| unpack(bundle, ArchiveLimits::REGISTRY).unwrap().keys().any(|path| path.ends_with(".data"));
    for (version, left) in [("2.1.0", true), ("2.0.0", false)] {
        let path = ItemPath::parse(&format!("suite/{NAME}/{version}.zip")).unwrap();
        author.open().withdraw(&[path], &author.keys(), day(0)).unwrap();
        assert_eq!(has_data(&listed()), left, "{version}");
    }
}
