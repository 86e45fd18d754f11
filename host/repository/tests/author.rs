//! The author's side: what is written can be read, changes need their keys, tampering is found.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

use std::fs;
use std::path::Path;

use bench_registry::{ItemKind, ItemName, ItemPath, Release};
use bench_repository::{
    KeyChange, Keys, Policy, Publication, Published, Repository, SigningKey, export, serve, verify,
};
use jiff::Timestamp;
use semver::{Version, VersionReq};

fn day(number: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + number * 86_400).unwrap()
}

/// Keys of all roles, written to a folder as a user would have them.
fn keys(folder: &Path) -> Keys {
    for name in ["root-1", "root-2", "root-3", "targets-1", "targets-2", "snapshot", "timestamp", "index"] {
        SigningKey::generate(folder, name).unwrap();
    }
    Keys::from_folder(folder).unwrap()
}

fn publication(path: &str, bytes: &[u8]) -> Publication {
    let path = ItemPath::parse(path).unwrap();
    let release = Release {
        title: "A thing".to_owned(),
        world: (path.kind == ItemKind::Driver).then(|| "bench:plugin/driver@0.1.0".to_owned()),
        host: VersionReq::parse(">=0.1, <1").unwrap(),
        licence: "Apache-2.0".to_owned(),
        ..Release::new(path)
    };
    Publication { release, bytes: bytes.to_vec(), data: Vec::new(), replace: false }
}

struct Bench {
    folder: tempfile::TempDir,
    keys: Keys,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = keys(&folder.path().join("keys"));
        Repository::init(&folder.path().join("registry"), &keys, &Policy::default(), day(0)).unwrap();
        Self { folder, keys }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("registry")
    }

    fn open(&self) -> Repository {
        Repository::open(&self.path(), &|| {}).unwrap()
    }

    fn problems(&self, now: Timestamp) -> Vec<String> {
        verify(&self.path(), now).unwrap().problems.iter().map(ToString::to_string).collect()
    }
}

#[test]
fn a_new_registry_is_whole_and_lasts_as_its_policy_says() {
    let bench = Bench::new();
    assert_eq!(bench.problems(day(1)), Vec::<String>::new());
    let late = bench.problems(day(3));
    assert!(late.iter().any(|problem| problem.starts_with("`timestamp` expired")), "{late:?}");
    let verified = verify(&bench.path(), day(0)).unwrap();
    let thresholds: Vec<(String, u64)> = verified.roles.into_iter().map(|role| (role.name, role.threshold)).collect();
    assert_eq!(
        thresholds,
        [
            ("root".into(), 2),
            ("targets".into(), 2),
            ("snapshot".into(), 1),
            ("timestamp".into(), 1),
            ("index".into(), 1)
        ]
    );
    assert_eq!(
        Repository::init(&bench.path(), &bench.keys, &Policy::default(), day(0)).unwrap_err().code(),
        "registry-exists"
    );
}

#[test]
fn expiries_are_whole_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let keys = keys(&folder.path().join("keys"));
    let now = Timestamp::new(1_800_000_000, 123_456_789).unwrap();
    Repository::init(&folder.path().join("registry"), &keys, &Policy::default(), now).unwrap();
    for entry in fs::read_dir(folder.path().join("registry/metadata")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expires = value["signed"]["expires"].as_str().unwrap();
        assert!(expires.ends_with('Z') && !expires.contains('.'), "{expires}");
    }
}

#[test]
fn published_things_are_listed_signed_and_never_change() {
    let bench = Bench::new();
    let items = vec![publication("driver/fast/1.0.0.wasm", b"one"), publication("suite/small/2.0.0.zip", b"two")];
    let outcome = bench.open().publish(items.clone(), &bench.keys, day(1)).unwrap();
    assert!(outcome.iter().all(|(_, published)| *published == Published::Added));
    assert_eq!(bench.problems(day(1)), Vec::<String>::new());
    let entries = bench.open().entries();
    let paths: Vec<String> = entries.iter().map(|entry| entry.release.path().to_string()).collect();
    assert_eq!(paths, ["driver/fast/1.0.0.wasm", "suite/small/2.0.0.zip"]);
    // The same again changes nothing, other bytes are refused.
    let before = fs::read(bench.path().join("metadata/timestamp.json")).unwrap();
    let outcome = bench.open().publish(items, &bench.keys, day(2)).unwrap();
    assert!(outcome.iter().all(|(_, published)| *published == Published::Unchanged));
    assert_eq!(fs::read(bench.path().join("metadata/timestamp.json")).unwrap(), before);
    let other = publication("driver/fast/1.0.0.wasm", b"other");
    let error = bench.open().publish(vec![other.clone()], &bench.keys, day(2)).unwrap_err();
    assert_eq!(error.code(), "release-refused");
    let replaced = Publication { replace: true, ..other };
    let outcome = bench.open().publish(vec![replaced], &bench.keys, day(2)).unwrap();
    assert_eq!(outcome[0].1, Published::Replaced);
    assert_eq!(bench.problems(day(2)), Vec::<String>::new());
}

#[test]
fn a_compatible_version_keeps_its_interface() {
    let bench = Bench::new();
    bench.open().publish(vec![publication("driver/fast/1.0.0.wasm", b"one")], &bench.keys, day(1)).unwrap();
    let mut next = publication("driver/fast/1.1.0.wasm", b"two");
    next.release.world = Some("bench:plugin/driver@0.2.0".to_owned());
    let error = bench.open().publish(vec![next.clone()], &bench.keys, day(1)).unwrap_err();
    assert_eq!(error.code(), "release-refused");
    assert!(error.to_string().contains("0.2.0"), "{error}");
    next.release.version = Version::new(2, 0, 0);
    bench.open().publish(vec![next], &bench.keys, day(1)).unwrap();
}

#[test]
fn each_role_needs_its_own_keys() {
    let bench = Bench::new();
    let folder = bench.folder.path().join("keys");
    for (missing, role) in [("targets-2", "targets"), ("snapshot", "snapshot"), ("timestamp", "timestamp")] {
        let mut some = Keys::new();
        for name in ["targets-1", "targets-2", "snapshot", "timestamp", "index"] {
            if name != missing {
                some.push(SigningKey::read(&folder.join(format!("{name}.der"))).unwrap());
            }
        }
        let before = fs::read(bench.path().join("metadata/timestamp.json")).unwrap();
        let error = bench.open().publish(vec![publication("driver/x/1.0.0.wasm", b"x")], &some, day(1)).unwrap_err();
        assert_eq!(error.code(), "keys-missing");
        assert!(error.to_string().contains(role), "{error}");
        assert_eq!(fs::read(bench.path().join("metadata/timestamp.json")).unwrap(), before);
    }
    assert_eq!(bench.problems(day(1)), Vec::<String>::new());
}

#[test]
fn every_key_can_be_exchanged() {
    let bench = Bench::new();
    bench.open().publish(vec![publication("driver/x/1.0.0.wasm", b"x")], &bench.keys, day(1)).unwrap();
    let folder = bench.folder.path().join("keys");
    for (number, (role, old)) in [
        ("timestamp", "timestamp"),
        ("snapshot", "snapshot"),
        ("targets", "targets-1"),
        ("root", "root-1"),
        ("index", "index"),
    ]
    .into_iter()
    .enumerate()
    {
        let new = SigningKey::generate(&folder, &format!("{role}-9")).unwrap();
        let keys = Keys::from_folder(&folder).unwrap();
        let old = SigningKey::read(&folder.join(format!("{old}.der"))).unwrap().public().id();
        let change = KeyChange { add: vec![new.public().clone()], remove: vec![old[..12].to_owned()], threshold: None };
        bench.open().change_keys(role, &change, &keys, day(2)).unwrap();
        assert_eq!(bench.problems(day(2)), Vec::<String>::new(), "{role}");
        let verified = verify(&bench.path(), day(2)).unwrap();
        let state = verified.roles.iter().find(|state| state.name == role).unwrap();
        assert!(state.keys.contains(&new.public().id()) && !state.keys.contains(&old), "{number} {role}");
    }
    let gone = KeyChange {
        remove: vec![verify(&bench.path(), day(2)).unwrap().roles[2].keys[0].clone()],
        ..KeyChange::default()
    };
    let keys = Keys::from_folder(&folder).unwrap();
    assert_eq!(bench.open().change_keys("snapshot", &gone, &keys, day(2)).unwrap_err().code(), "too-few-keys");
    assert_eq!(
        bench.open().change_keys("nobody", &KeyChange::default(), &keys, day(2)).unwrap_err().code(),
        "role-unknown"
    );
}

#[test]
fn a_change_of_the_root_that_was_cut_off_is_ended_or_undone() {
    for role in ["timestamp", "root"] {
        let bench = Bench::new();
        let (metadata, keys) = (bench.path().join("metadata"), bench.folder.path().join("keys"));
        let before = fs::read(metadata.join("timestamp.json")).unwrap();
        let new = SigningKey::generate(&keys, "another").unwrap();
        let change = KeyChange { add: vec![new.public().clone()], remove: Vec::new(), threshold: None };
        bench.open().change_keys(role, &change, &Keys::from_folder(&keys).unwrap(), day(1)).unwrap();
        let after = fs::read(metadata.join("timestamp.json")).unwrap();
        let root = fs::read(metadata.join("2.root.json")).unwrap();
        let next = bench.path().join("2.timestamp.next");
        assert!(!next.exists());

        // Cut off before the root came.
        fs::remove_file(metadata.join("2.root.json")).unwrap();
        fs::write(metadata.join("timestamp.json"), &before).unwrap();
        fs::write(&next, &after).unwrap();
        drop(bench.open());
        assert!(!next.exists());
        assert_eq!(fs::read(metadata.join("timestamp.json")).unwrap(), before, "{role}");

        // And after it.
        fs::write(metadata.join("2.root.json"), &root).unwrap();
        fs::write(&next, &after).unwrap();
        drop(bench.open());
        assert!(!next.exists());
        assert_eq!(fs::read(metadata.join("timestamp.json")).unwrap(), after, "{role}");
        assert_eq!(bench.problems(day(1)), Vec::<String>::new());
    }
    // What the root's keys did not sign takes nobody's place.
    let (bench, other) = (Bench::new(), Bench::new());
    fs::copy(other.path().join("metadata/timestamp.json"), bench.path().join("1.timestamp.next")).unwrap();
    let error = Repository::open(&bench.path(), &|| {}).unwrap_err();
    assert_eq!(error.code(), "metadata-unusable");
}

#[test]
fn a_publisher_speaks_for_its_own_names_alone() {
    let bench = Bench::new();
    let acme = SigningKey::generate(&bench.folder.path().join("keys"), "acme").unwrap();
    bench.open().delegate("acme", &[acme.public().clone()], 1, &bench.keys, day(1)).unwrap();
    // Without the publisher's key nothing of it can be signed; with it, no key of `targets` is needed.
    let item = publication("driver/acme/fast/1.0.0.wasm", b"x");
    assert_eq!(bench.open().publish(vec![item.clone()], &bench.keys, day(1)).unwrap_err().code(), "keys-missing");
    let mut some = Keys::new();
    some.push(acme);
    for name in ["snapshot", "timestamp", "index"] {
        some.push(SigningKey::read(&bench.folder.path().join(format!("keys/{name}.der"))).unwrap());
    }
    bench.open().publish(vec![item], &some, day(1)).unwrap();
    assert_eq!(bench.problems(day(1)), Vec::<String>::new());
    let text = fs::read_to_string(bench.path().join("metadata/2.targets.json")).unwrap();
    assert!(text.contains("\"driver/acme/*/*\"") && !text.contains("\"driver/acme/*\""), "depths are explicit");
    assert!(!text.contains("host/acme"), "nobody publishes the program itself");
    let other = publication("driver/other/fast/1.0.0.wasm", b"x");
    assert_eq!(bench.open().publish(vec![other], &some, day(1)).unwrap_err().code(), "role-unknown");
    for name in ["root", "targets", "index", "../x", "Acme", "acme"] {
        assert!(bench.open().delegate(name, &[some_public()], 1, &bench.keys, day(1)).is_err(), "{name}");
    }
}

fn some_public() -> bench_repository::PublicKey {
    bench_repository::PublicKey::parse(&"ab".repeat(32)).unwrap()
}

#[test]
fn yanking_is_a_word_and_can_be_taken_back() {
    let bench = Bench::new();
    let path = ItemPath::parse("driver/x/1.0.0.wasm").unwrap();
    bench.open().publish(vec![publication("driver/x/1.0.0.wasm", b"x")], &bench.keys, day(1)).unwrap();
    bench.open().yank(&path, Some("it counts twice\u{7}"), &bench.keys, day(1)).unwrap();
    assert_eq!(bench.open().entries()[0].release.yanked.as_deref(), Some("it counts twice\u{fffd}"));
    let again = Publication { replace: true, ..publication("driver/x/1.0.0.wasm", b"x") };
    assert_eq!(bench.open().publish(vec![again], &bench.keys, day(1)).unwrap()[0].1, Published::Unchanged);
    assert!(bench.open().entries()[0].release.yanked.is_some(), "publishing it again does not bring it back");
    bench.open().yank(&path, None, &bench.keys, day(1)).unwrap();
    assert_eq!(bench.open().entries()[0].release.yanked, None);
    assert_eq!(bench.problems(day(1)), Vec::<String>::new());
    let unknown =
        ItemPath { kind: ItemKind::Driver, name: ItemName::parse("y").unwrap(), version: Version::new(1, 0, 0) };
    assert_eq!(bench.open().yank(&unknown, None, &bench.keys, day(1)).unwrap_err().code(), "release-unknown");
}

#[test]
fn refreshing_extends_the_online_roles_and_old_ones_when_their_keys_are_there() {
    let bench = Bench::new();
    let mut online = Keys::new();
    for name in ["snapshot", "timestamp"] {
        online.push(SigningKey::read(&bench.folder.path().join(format!("keys/{name}.der"))).unwrap());
    }
    bench.open().refresh(&online, day(80)).unwrap();
    assert_eq!(bench.problems(day(81)), Vec::<String>::new());
    let versions =
        |now| -> Vec<u64> { verify(&bench.path(), now).unwrap().roles.iter().map(|role| role.version).collect() };
    assert_eq!(versions(day(81)), [1, 1, 2, 2, 1]);
    bench.open().refresh(&bench.keys, day(200)).unwrap();
    assert_eq!(bench.problems(day(201)), Vec::<String>::new());
    assert_eq!(versions(day(201)), [2, 2, 3, 3, 2]);
}

#[test]
fn tampering_is_found_and_never_signed() {
    let bench = Bench::new();
    bench.open().publish(vec![publication("driver/x/1.0.0.wasm", b"x")], &bench.keys, day(1)).unwrap();
    for file in ["1.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json", "2.index.json"] {
        let path = bench.path().join("metadata").join(file);
        let genuine = fs::read_to_string(&path).unwrap();
        fs::write(&path, genuine.replacen("\"version\": ", "\"version\": 1", 1)).unwrap();
        let error = Repository::open(&bench.path(), &|| {}).unwrap_err();
        assert_eq!(error.code(), "metadata-unusable", "{file}");
        assert_eq!(verify(&bench.path(), day(1)).unwrap_err().code(), "metadata-unusable");
        fs::write(&path, genuine).unwrap();
    }
    let blob = fs::read_dir(bench.path().join("targets/driver/x")).unwrap().next().unwrap().unwrap().path();
    fs::write(&blob, b"y").unwrap();
    assert_eq!(bench.problems(day(1)), ["the bytes of driver/x/1.0.0.wasm are not those that were signed"]);
    assert_eq!(export(&bench.path()).unwrap_err().code(), "metadata-unusable");
    fs::remove_file(&blob).unwrap();
    assert_eq!(bench.problems(day(1)), ["the bytes of driver/x/1.0.0.wasm are missing"]);
    fs::write(&blob, b"x").unwrap();
    fs::write(bench.path().join("targets/driver/x/bench.lock"), b"x").unwrap();
    assert_eq!(bench.problems(day(1)), ["targets/driver/x/bench.lock is not listed"]);
}

#[test]
fn tidying_leaves_what_is_current() {
    let bench = Bench::new();
    bench.open().publish(vec![publication("driver/x/1.0.0.wasm", b"x")], &bench.keys, day(1)).unwrap();
    let replaced = Publication { replace: true, ..publication("driver/x/1.0.0.wasm", b"y") };
    bench.open().publish(vec![replaced], &bench.keys, day(1)).unwrap();
    bench.open().tidy().unwrap();
    assert_eq!(bench.problems(day(1)), Vec::<String>::new());
    let mut files: Vec<String> = fs::read_dir(bench.path().join("metadata"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["1.root.json", "3.index.json", "3.snapshot.json", "3.targets.json", "timestamp.json"]);
    assert_eq!(fs::read_dir(bench.path().join("targets/driver/x")).unwrap().count(), 1);
}

#[test]
fn private_keys_are_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate(folder.path(), "root-1").unwrap();
    let der = fs::read(folder.path().join("root-1.der")).unwrap();
    let seed = bench_registry::hex(&der[16..48]);
    assert!(!format!("{key:?}").contains(&seed));
    assert_eq!(SigningKey::generate(folder.path(), "root-1").unwrap_err().code(), "io");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(folder.path().join("root-1.der")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    fs::write(folder.path().join("bad.der"), b"no key").unwrap();
    assert_eq!(Keys::from_folder(folder.path()).unwrap_err().code(), "key-unusable");
}

#[test]
fn served_files_are_those_of_the_registry_and_no_others() {
    use std::io::{Read as _, Write as _};
    let bench = Bench::new();
    bench.open().publish(vec![publication("driver/x/1.0.0.wasm", b"0123456789")], &bench.keys, day(1)).unwrap();
    let serving = serve(&bench.path(), 0).unwrap();
    let ask = |request: &str| {
        let mut connection = std::net::TcpStream::connect(serving.address()).unwrap();
        write!(connection, "{request}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = ask("GET /metadata/timestamp.json HTTP/1.1");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("cache-control: no-cache"), "{answer}");
    let tag = answer.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    assert!(ask(&format!("GET /metadata/timestamp.json HTTP/1.1\r\nif-none-match: {tag}")).starts_with("HTTP/1.1 304"));
    let blob = fs::read_dir(bench.path().join("targets/driver/x")).unwrap().next().unwrap().unwrap().file_name();
    let path = format!("/targets/driver/x/{}", blob.to_str().unwrap());
    let answer = ask(&format!("GET {path} HTTP/1.1\r\nrange: bytes=4-"));
    assert!(
        answer.starts_with("HTTP/1.1 206") && answer.ends_with("456789") && answer.contains("immutable"),
        "{answer}"
    );
    assert!(answer.contains("content-range: bytes 4-9/10"));
    assert!(ask(&format!("GET {path} HTTP/1.1\r\nrange: bytes=10-")).starts_with("HTTP/1.1 416"));
    assert!(ask(&format!("HEAD {path} HTTP/1.1")).ends_with("\r\n\r\n"));
    for path in [
        "/../keys/root-1.der",
        "/registry.toml",
        "/",
        "/metadata",
        "/metadata/../registry.toml",
        "//etc/passwd",
        "/metadata/%2e%2e/registry.toml",
    ] {
        assert!(ask(&format!("GET {path} HTTP/1.1")).starts_with("HTTP/1.1 404"), "{path}");
    }
    assert!(ask("POST /metadata/timestamp.json HTTP/1.1").starts_with("HTTP/1.1 404"));
}

#[test]
fn two_publishers_come_one_after_the_other() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let bench = Bench::new();
    let held = bench.open();
    let (waiting, release) = (AtomicUsize::new(0), std::sync::Barrier::new(4));
    std::thread::scope(|scope| {
        let (bench, waiting, release) = (&bench, &waiting, &release);
        for name in ["a", "b", "c"] {
            scope.spawn(move || {
                let came = || {
                    waiting.fetch_add(1, Ordering::SeqCst);
                    release.wait();
                };
                let mut repository = Repository::open(&bench.path(), &came).unwrap();
                let item = publication(&format!("driver/{name}/1.0.0.wasm"), name.as_bytes());
                repository.publish(vec![item], &bench.keys, day(1)).unwrap();
            });
        }
        // All three have found it taken; only then it is let go.
        release.wait();
        drop(held);
    });
    assert_eq!(waiting.load(Ordering::SeqCst), 3);
    assert_eq!(bench.problems(day(1)), Vec::<String>::new());
    let paths: Vec<String> = bench.open().entries().iter().map(|entry| entry.release.path().to_string()).collect();
    assert_eq!(paths, ["driver/a/1.0.0.wasm", "driver/b/1.0.0.wasm", "driver/c/1.0.0.wasm"], "nobody's is lost");
    // Where no registry is, nothing is left behind.
    let elsewhere = tempfile::tempdir().unwrap();
    assert!(Repository::open(elsewhere.path(), &|| {}).is_err());
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn what_is_withdrawn_leaves_with_its_file_and_nothing_else() {
    let bench = Bench::new();
    // Two versions with the same bytes under one name of a file would share it; each has its own here.
    let items = vec![publication("driver/x/1.0.0.wasm", b"one"), publication("driver/x/1.1.0.wasm", b"one")];
    bench.open().publish(items, &bench.keys, day(1)).unwrap();
    let path = |version: &str| ItemPath::parse(&format!("driver/x/{version}.wasm")).unwrap();
    let error = bench.open().withdraw(&[path("1.0.0"), path("9.0.0")], &bench.keys, day(1)).unwrap_err();
    assert_eq!(error.code(), "release-unknown");
    assert_eq!(bench.open().entries().len(), 2, "all of it or nothing");
    let some = Keys::new();
    assert_eq!(bench.open().withdraw(&[path("1.0.0")], &some, day(1)).unwrap_err().code(), "keys-missing");
    let files = || fs::read_dir(bench.path().join("targets/driver/x")).unwrap().count();
    assert_eq!(files(), 2);
    bench.open().withdraw(&[path("1.0.0")], &bench.keys, day(1)).unwrap();
    assert_eq!((bench.open().entries().len(), files()), (1, 1));
    assert_eq!(bench.problems(day(1)), Vec::<String>::new());
    // Cut off between list and files, the file is left over: that is said, and tidying removes it.
    let left = bench.path().join(format!("targets/driver/x/{}.1.0.0.wasm", "ab".repeat(32)));
    fs::write(&left, "one").unwrap();
    assert_eq!(bench.problems(day(1)).len(), 1);
    bench.open().tidy().unwrap();
    assert_eq!(bench.problems(day(1)), Vec::<String>::new());
}
