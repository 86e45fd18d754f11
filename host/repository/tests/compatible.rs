//! What a version that calls itself compatible may not do, over real components.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::fs;
use std::path::{Path, PathBuf};

use bench_plugin::{Host, HostOptions};
use bench_registry::{ItemPath, Release};
use bench_repository::{Keys, Policy, Publication, Published, Repository, RepositoryError};
use jiff::Timestamp;
use semver::Version;

fn guest(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../plugin/tests/guests/{name}.wasm"))).unwrap()
}

fn item(version: &str, guest: Vec<u8>) -> Publication {
    let path = ItemPath::parse(&format!("driver/fast/{version}.wasm")).unwrap();
    let release = Release {
        world: Some("bench:plugin/driver@0.1.0".to_owned()),
        licence: "MIT".to_owned(),
        ..Release::new(path)
    };
    Publication { release, bytes: guest, data: Vec::new(), replace: false }
}

struct Author {
    folder: tempfile::TempDir,
    keys: Keys,
    host: Host,
}

impl Author {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::generate(&folder.path().join("keys")).unwrap();
        let compiled = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled");
        let host = Host::new(HostOptions { cache: Some(compiled) });
        Repository::init(&folder.path().join("registry"), &keys, &Policy::default(), Timestamp::UNIX_EPOCH).unwrap();
        Self { folder, keys, host }
    }

    fn publish(&self, item: Publication) -> Result<Published, RepositoryError> {
        let mut repository = Repository::open(&self.folder.path().join("registry"), &|| {}).unwrap();
        let done = repository.publish_compared(&self.host, vec![item], &self.keys, Timestamp::UNIX_EPOCH);
        done.map(|published| published[0].1)
    }
}

#[test]
fn a_version_that_asks_for_more_is_not_compatible() {
    let author = Author::new();
    author.publish(item("1.2.0", guest("ok"))).unwrap();
    author.publish(item("1.2.1", guest("trap"))).unwrap();
    for version in ["1.2.2", "1.3.0"] {
        let error = author.publish(item(version, guest("wasi"))).unwrap_err();
        assert_eq!(error.code(), "release-refused");
        let said = error.to_string();
        assert!(said.contains(version) && said.contains("compatible with 1.2.1") && said.contains("it imports `wasi:"));
        assert!(said.len() < 1000, "{said}");
        assert!(error.hint().unwrap().contains("major version"));
    }
    author.publish(item("2.0.0", guest("wasi"))).unwrap();
    author.publish(item("2.0.1", guest("ok"))).unwrap();
    // Between others, it is the one before that counts.
    author.publish(item("1.2.3", guest("endless-loop"))).unwrap();
}

#[test]
fn a_version_that_gives_less_is_not_compatible() {
    let author = Author::new();
    author.publish(item("0.1.0", guest("ok"))).unwrap();
    let error = author.publish(item("0.1.1", guest("wrong-world"))).unwrap_err();
    assert!(error.to_string().contains("implements no world of bench:plugin"), "{error}");
    let error = author.publish(item("0.1.1", b"no component".to_vec())).unwrap_err();
    assert!(error.to_string().contains("the types of the component"), "{error}");
    author.publish(item("0.2.0", guest("wrong-world"))).unwrap();
}

#[test]
fn a_later_interface_of_the_same_track_is_compatible_and_another_is_not() {
    let author = Author::new();
    author.publish(item("1.0.0", guest("ok"))).unwrap();
    let on = |version: &str, world: &str| {
        let mut item = item(version, guest("ok"));
        item.release.world = Some(world.to_owned());
        author.publish(item)
    };
    assert_eq!(on("1.0.1", "bench:plugin/driver@0.1.1").unwrap(), Published::Added);
    for world in ["bench:plugin/driver@0.1.0", "bench:plugin/driver@0.2.0", "bench:plugin/scorer@0.1.1"] {
        let error = on("1.0.2", world).unwrap_err();
        assert_eq!(error.code(), "release-refused", "{world}");
        assert!(error.to_string().contains(world), "{error}");
    }
    on("2.0.0", "bench:plugin/driver@0.2.0").unwrap();
    assert_eq!(item("1.0.0", Vec::new()).release.wit(), Some(Version::new(0, 1, 0)));
}

#[test]
fn damage_in_the_registry_is_not_taken_for_the_version_before() {
    let author = Author::new();
    author.publish(item("1.0.0", guest("ok"))).unwrap();
    let folder = author.folder.path().join("registry/targets/driver/fast");
    let file = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    fs::write(&file, guest("trap")).unwrap();
    assert_eq!(author.publish(item("1.0.1", guest("trap"))).unwrap_err().code(), "metadata-unusable");
}
