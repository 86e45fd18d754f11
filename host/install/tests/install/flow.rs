//! Installing, updating, going back, and what keeps an item out.

use std::fs;
use std::sync::Arc;

use bench_install::{Archive, Follow, Installer, Options, Source};
use bench_plugin::Kind;
use bench_registry::{ArchiveLimits, Channel, ItemKind, ItemPath, Lock, unpack};
use bench_repository::{KeyChange, SigningKey, Wish, export, suite};
use semver::VersionReq;

use crate::support::*;

/// Names and versions of what changed.
fn changed(outcome: &bench_install::Outcome) -> Vec<String> {
    let version =
        |version: &Option<semver::Version>| version.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    outcome
        .changes
        .iter()
        .map(|change| format!("{} {} {}", change.name, version(&change.from), version(&change.to)))
        .collect()
}

fn add(user: &User, author: &Author, name: &str, now: i64) -> Result<Vec<String>, &'static str> {
    let mut installer = user.installer(vec![author.source("main")], day(now));
    wait(installer.add(&[request(name)])).map(|outcome| changed(&outcome)).map_err(|error| error.code())
}

#[test]
fn the_whole_way() {
    let (author, user) = (Author::new(), User::new());
    author.publish(vec![component(Kind::Driver, "ollama", "0.1.0"), component(Kind::Scorer, "match", "0.1.0")], day(0));
    let mut installer = user.installer(vec![author.source("main")], day(0));
    let outcome = wait(installer.add(&[request("ollama"), request("match")])).unwrap();
    assert_eq!(changed(&outcome), ["ollama - 0.1.0", "match - 0.1.0"]);
    assert_eq!(user.runs(Kind::Driver, "ollama").unwrap(), "0.1.0");
    assert_eq!(user.runs(Kind::Scorer, "match").unwrap(), "0.1.0");

    author.publish(vec![component(Kind::Driver, "ollama", "0.1.1")], day(1));
    let mut installer = user.installer(vec![author.source("main")], day(1));
    assert_eq!(changed(&wait(installer.outdated()).unwrap()), ["ollama 0.1.0 0.1.1"]);
    assert_eq!(user.runs(Kind::Driver, "ollama").unwrap(), "0.1.0", "looking changes nothing");
    assert_eq!(changed(&wait(installer.update(&[])).unwrap()), ["ollama 0.1.0 0.1.1"]);
    assert_eq!(user.runs(Kind::Driver, "ollama").unwrap(), "0.1.1");
    assert_eq!(changed(&wait(installer.update(&[])).unwrap()), Vec::<String>::new());

    assert_eq!(changed(&installer.rollback().unwrap()), ["ollama 0.1.1 0.1.0"]);
    assert_eq!(user.runs(Kind::Driver, "ollama").unwrap(), "0.1.0");
    assert_eq!(changed(&installer.rollback().unwrap()), ["ollama 0.1.0 0.1.1"]);

    let newest: ItemPath = "driver/ollama/0.1.1.wasm".parse_path();
    author.open().yank(&newest, Some("it counts twice"), &author.keys(), day(1)).unwrap();
    let mut installer = user.installer(vec![author.source("main")], day(1));
    let outcome = wait(installer.update(&[])).unwrap();
    assert_eq!(changed(&outcome), Vec::<String>::new(), "nothing becomes older by itself");
    assert!(outcome.notes.iter().any(|note| note.code == "version-yanked" && note.text.contains("it counts twice")));
    assert_eq!(user.runs(Kind::Driver, "ollama").unwrap(), "0.1.1", "what was withdrawn goes on working");
    assert_eq!(add(&User::new(), &author, "ollama@=0.1.1", 1), Err("version-yanked"));
    assert_eq!(add(&User::new(), &author, "ollama", 1).unwrap(), ["ollama - 0.1.0"]);

    // Every key is exchanged while the client sleeps.
    for (role, old) in [
        ("timestamp", "timestamp"),
        ("snapshot", "snapshot"),
        ("index", "index"),
        ("targets", "targets-1"),
        ("root", "root-1"),
        ("root", "root-2"),
    ] {
        let count = fs::read_dir(author.keys_folder()).unwrap().count();
        let new = SigningKey::generate(&author.keys_folder(), &format!("{role}-{count}")).unwrap();
        let old = SigningKey::read(&author.keys_folder().join(format!("{old}.der"))).unwrap().public().id();
        let change = KeyChange { add: vec![new.public().clone()], remove: vec![old], threshold: None };
        author.open().change_keys(role, &change, &author.keys(), day(2)).unwrap();
    }
    author.publish(vec![component(Kind::Driver, "ollama", "0.1.2")], day(2));
    let mut installer = user.installer(vec![author.source("main")], day(2));
    // The client still pins the first root.
    assert_eq!(changed(&wait(installer.update(&[])).unwrap()), ["ollama 0.1.1 0.1.2"]);

    let mut installer = user.installer(vec![author.source("main")], day(2));
    assert_eq!(changed(&wait(installer.remove(&[request("match")])).unwrap()), ["match 0.1.0 -"]);
    assert!(user.runs(Kind::Scorer, "match").is_none());
    assert_eq!(wait(installer.remove(&[request("match")])).unwrap_err().code(), "not-installed");
}

trait ParsePath {
    fn parse_path(&self) -> ItemPath;
}

impl ParsePath for str {
    fn parse_path(&self) -> ItemPath {
        ItemPath::parse(self).unwrap()
    }
}

#[test]
fn expiry_stops_what_is_new_and_nothing_else() {
    let (author, user) = (Author::new(), User::new());
    author.publish(vec![component(Kind::Driver, "ollama", "0.1.0"), component(Kind::Scorer, "match", "0.1.0")], day(0));
    add(&user, &author, "ollama", 0).unwrap();
    let mut late = user.installer(vec![author.source("main")], day(5));
    let error = wait(late.add(&[request("match")])).unwrap_err();
    assert_eq!(error.code(), "registry-expired");
    assert!(error.to_string().contains("timestamp expired 3 days ago"), "{error}");
    assert!(error.hint().unwrap().contains("goes on working"));
    let outcome = wait(late.update(&[])).unwrap();
    assert_eq!((outcome.changes.len(), outcome.failures[0].code.as_str()), (0, "registry-expired"));
    assert_eq!(user.runs(Kind::Driver, "ollama").unwrap(), "0.1.0");
    // Clocks go back as well.
    assert_eq!(add(&user, &author, "match", -400).unwrap(), ["match - 0.1.0"]);
}

#[test]
fn without_the_network_what_was_fetched_has_to_do() {
    let (author, user) = (Author::new(), User::new());
    author.publish(vec![component(Kind::Driver, "ollama", "0.1.0"), component(Kind::Scorer, "match", "0.1.0")], day(0));
    let offline = |now| Options { offline: true, ..options(day(now)) };
    let sources = || vec![author.source("main")];
    // Nothing was ever fetched: there is nothing to believe.
    assert!(wait(user.installer_with(sources(), offline(0)).add(&[request("ollama")])).is_err());
    add(&user, &author, "ollama", 0).unwrap();
    fs::rename(author.path(), author.path().with_extension("away")).unwrap();
    let mut installer = Installer::new(
        user.home(),
        vec![Source {
            root: fs::read(author.path().with_extension("away").join("metadata/1.root.json")).unwrap(),
            ..source_away(&author)
        }],
        offline(1),
    );
    wait(installer.remove(&[request("ollama")])).unwrap();
    assert_eq!(changed(&wait(installer.add(&[request("ollama")])).unwrap()), ["ollama - 0.1.0"]);
    assert_eq!(wait(installer.add(&[request("match")])).unwrap_err().code(), "offline");
    assert_eq!(user.runs(Kind::Driver, "ollama").unwrap(), "0.1.0");
}

fn source_away(author: &Author) -> Source {
    let transport = Arc::new(bench_install::Folder::new(author.path()));
    Source { name: "main".to_owned(), root: Vec::new(), transport, follow: Follow::Installed }
}

#[test]
fn a_frozen_lock_stays_and_what_it_lists_is_fetched() {
    let (author, user, other) = (Author::new(), User::new(), User::new());
    author.publish(vec![component(Kind::Driver, "ollama", "0.1.0"), component(Kind::Scorer, "match", "0.1.0")], day(0));
    add(&user, &author, "ollama", 0).unwrap();
    author.publish(vec![component(Kind::Driver, "ollama", "0.1.1")], day(0));
    let frozen = || Options { frozen: true, ..options(day(0)) };
    let mut installer = user.installer_with(vec![author.source("main")], frozen());
    assert_eq!(wait(installer.add(&[request("match")])).unwrap_err().code(), "lock-frozen");
    assert_eq!(wait(installer.update(&[])).unwrap_err().code(), "lock-frozen");
    // The lock travels to another machine, which fetches exactly what it lists.
    fs::create_dir_all(other.home().data).unwrap();
    fs::copy(user.home().lock, other.home().lock).unwrap();
    let mut installer = other.installer_with(vec![author.source("main")], frozen());
    assert_eq!(changed(&wait(installer.sync()).unwrap()), ["ollama - 0.1.0"]);
    assert_eq!(other.runs(Kind::Driver, "ollama").unwrap(), "0.1.0");
    assert_eq!(changed(&wait(installer.sync()).unwrap()), Vec::<String>::new());
}

#[test]
fn pinned_things_stay() {
    let (author, user) = (Author::new(), User::new());
    author.publish(vec![component(Kind::Driver, "ollama", "0.1.0")], day(0));
    add(&user, &author, "ollama", 0).unwrap();
    author
        .publish(vec![component(Kind::Driver, "ollama", "0.1.1"), component(Kind::Driver, "ollama", "0.2.0")], day(0));
    let mut installer = user.installer(vec![author.source("main")], day(0));
    wait(installer.pin(&[request("ollama")], true)).unwrap();
    assert_eq!(changed(&wait(installer.update(&[])).unwrap()), Vec::<String>::new());
    wait(installer.pin(&[request("ollama")], false)).unwrap();
    // Without a range the user meant what is compatible: 0.2.0 is not.
    assert_eq!(changed(&wait(installer.update(&[])).unwrap()), ["ollama 0.1.0 0.1.1"]);
    assert_eq!(changed(&wait(installer.add(&[request("ollama@^0.2")])).unwrap()), ["ollama 0.1.1 0.2.0"]);
}

#[test]
fn a_bundle_installs_where_there_is_no_network_with_all_checks() {
    let (author, user) = (Author::new(), User::new());
    author.publish(vec![component(Kind::Driver, "ollama", "0.1.0")], day(0));
    let file = author.folder.path().join("registry.bundle");
    fs::write(&file, export(&author.path()).unwrap()).unwrap();
    let bundle = || author.source_by("main", Arc::new(Archive::open(&file).unwrap()));
    let mut installer = user.installer(vec![bundle()], day(1));
    assert_eq!(changed(&wait(installer.add(&[request("ollama")])).unwrap()), ["ollama - 0.1.0"]);
    assert_eq!(user.runs(Kind::Driver, "ollama").unwrap(), "0.1.0");
    let mut late = User::new().installer(vec![bundle()], day(9));
    assert_eq!(wait(late.add(&[request("ollama")])).unwrap_err().code(), "registry-expired");
    // Other bytes under the same name.
    let mut files = unpack(&fs::read(&file).unwrap(), ArchiveLimits::REGISTRY).unwrap();
    let path = files.keys().find(|path| path.starts_with("targets/driver/")).unwrap().clone();
    files.get_mut(&path).unwrap()[100] ^= 1;
    let forged = author.source_by("main", Arc::new(Archive::of(files)));
    let mut installer = User::new().installer(vec![forged], day(1));
    assert_eq!(wait(installer.add(&[request("ollama")])).unwrap_err().code(), "registry-mismatch");
}

#[test]
fn a_name_belongs_to_the_first_registry_that_has_it() {
    let (first, second, user) = (Author::new(), Author::new(), User::new());
    first.publish(vec![component(Kind::Driver, "ollama", "0.1.0")], day(0));
    second.publish(vec![component(Kind::Driver, "ollama", "0.1.2"), component(Kind::Scorer, "match", "0.1.0")], day(0));
    let sources = || vec![first.source("first"), second.source("second")];
    let mut installer = user.installer(sources(), day(0));
    assert_eq!(
        changed(&wait(installer.add(&[request("ollama"), request("match")])).unwrap()),
        ["ollama - 0.1.0", "match - 0.1.0"]
    );
    let lock = Lock::read(&user.home().lock).unwrap();
    assert_eq!(lock.get(ItemKind::Driver, "ollama").unwrap().registry, "first");
    assert_eq!(lock.get(ItemKind::Scorer, "match").unwrap().registry, "second");
    assert_eq!(
        changed(&wait(installer.update(&[])).unwrap()),
        Vec::<String>::new(),
        "the second one's is another plugin"
    );
    // No version of the first one's fits, and the second one is not asked.
    assert_eq!(wait(installer.add(&[request("ollama@=0.1.2")])).unwrap_err().code(), "no-version");
    assert_eq!(changed(&wait(installer.add(&[request("second:ollama")])).unwrap()), ["ollama 0.1.0 0.1.2"]);
    // A first registry that does not answer is not stepped over.
    fs::remove_dir_all(first.path()).unwrap();
    let mut installer = Installer::new(
        User::new().home(),
        vec![source_of(&first, &second, "first"), second.source("second")],
        options(day(0)),
    );
    assert_eq!(wait(installer.add(&[request("match")])).unwrap_err().code(), "registry-unreachable");
    assert_eq!(wait(installer.add(&[request("third:match")])).unwrap_err().code(), "registry-unknown");
    assert_eq!(
        wait(User::new().installer(Vec::new(), day(0)).add(&[request("match")])).unwrap_err().code(),
        "no-registry"
    );
}

/// The registry of `gone` that is not there any more; any root will do.
fn source_of(gone: &Author, any: &Author, name: &str) -> Source {
    let transport = Arc::new(bench_install::Folder::new(gone.path()));
    Source { name: name.to_owned(), root: any.root(), transport, follow: Follow::Installed }
}

#[test]
fn what_does_not_fit_is_not_installed() {
    let author = Author::new();
    let range = |text: &str| VersionReq::parse(text).unwrap();
    let newer = Wish { host: range(">=7"), ..Wish::default() };
    let preview = Wish { channel: Channel::Preview, ..Wish::default() };
    let mut world = claim(ItemKind::Driver, "new", "1.0.0", b"x");
    world.release.world = Some("bench:plugin/driver@0.2.0".to_owned());
    author.publish(
        vec![
            component_of(Kind::Driver, "ollama", "0.1.0", &newer),
            component_of(Kind::Driver, "vllm", "0.1.0", &preview),
            claim(ItemKind::Driver, "sham", "1.0.0", &embedded(Kind::Driver, "vllm")),
            claim(ItemKind::Driver, "junk", "1.0.0", b"no component"),
            claim(ItemKind::Scorer, "vllm-in-disguise", "0.1.0", &embedded(Kind::Driver, "vllm")),
            claim(ItemKind::Suite, "junk-suite", "1.0.0", b"no archive"),
            world,
        ],
        day(0),
    );
    let user = User::new();
    for (name, code) in [
        ("ollama", "host-unfit"),
        ("vllm", "no-version"),
        ("sham", "item-rejected"),
        ("junk", "item-rejected"),
        ("vllm-in-disguise", "item-rejected"),
        ("new", "interface-unfit"),
        ("nobody", "item-unknown"),
        ("acme/nobody", "item-unknown"),
    ] {
        assert_eq!(add(&user, &author, name, 0), Err(code), "{name}");
        assert!(!user.home().lock.exists(), "{name}: nothing was installed");
    }
    let mut installer = user.installer(vec![author.source("main")], day(0));
    let suite = request("junk-suite").of_kind(Some(ItemKind::Suite));
    assert_eq!(wait(installer.add(&[suite])).unwrap_err().code(), "item-rejected");
    // One that is not fitting keeps the others out too: all or nothing.
    assert!(wait(installer.add(&[request("vllm@=0.1.0"), request("junk")])).is_err());
    assert!(!user.home().lock.exists());
    let mut installer =
        user.installer_with(vec![author.source("main")], Options { channel: Channel::Preview, ..options(day(0)) });
    assert_eq!(changed(&wait(installer.add(&[request("vllm")])).unwrap()), ["vllm - 0.1.0"]);
}

#[test]
fn the_same_name_in_two_kinds_has_to_be_told_apart() {
    let (author, user) = (Author::new(), User::new());
    let mut wish = component(Kind::Scorer, "match", "0.1.0");
    wish.release.name = bench_registry::ItemName::parse("twin").unwrap();
    author.publish(vec![wish, claim(ItemKind::Driver, "twin", "1.0.0", b"x")], day(0));
    assert_eq!(add(&user, &author, "twin", 0), Err("name-ambiguous"));
}

#[test]
fn suites_are_installed_like_plugins() {
    let (author, user) = (Author::new(), User::new());
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites/local-reasoning-mini");
    author.publish(vec![suite(&folder, &Wish::default()).unwrap()], day(0));
    let mut installer = user.installer(vec![author.source("main")], day(0));
    let wanted = request("local-reasoning-mini").of_kind(Some(ItemKind::Suite));
    wait(installer.add(&[wanted])).unwrap();
    let files = user.shelf().suite("local-reasoning-mini").unwrap().unwrap();
    let suite = bench_suite::Suite::from_files(&files).unwrap();
    assert_eq!(suite.digest(), bench_suite::Suite::load(&folder).unwrap().digest());
}

#[test]
fn a_followed_registry_brings_all_it_has() {
    let (author, user) = (Author::new(), User::new());
    let names = ["ollama", "vllm", "sglang", "groq"];
    author.publish(names.iter().map(|name| component(Kind::Driver, name, "0.1.1")).collect(), day(0));
    let all = Source { follow: Follow::All, ..author.source("main") };
    let outcome = wait(user.installer(vec![all], day(0)).update(&[])).unwrap();
    assert_eq!(outcome.changes.len(), 4);
    let carried = Source { follow: Follow::Carried, ..author.source("main") };
    let outcome = wait(User::new().installer(vec![carried], day(0)).update(&[])).unwrap();
    assert_eq!(outcome.changes.len(), 4, "0.1.1 is newer than what the binary carries");
    let (hits, notes) = wait(user.installer(vec![author.source("main")], day(0)).search("groq")).unwrap();
    assert_eq!((hits.len(), hits[0].registry.as_str(), notes.len()), (1, "main", 0));
}

#[test]
fn two_at_once_wait_for_each_other() {
    let (author, user) = (Author::new(), User::new());
    author.publish(vec![component(Kind::Driver, "ollama", "0.1.0"), component(Kind::Scorer, "match", "0.1.0")], day(0));
    std::thread::scope(|scope| {
        for name in ["ollama", "match", "ollama", "match"] {
            let (user, author) = (&user, &author);
            scope.spawn(move || add(user, author, name, 0).unwrap());
        }
    });
    assert!(user.runs(Kind::Driver, "ollama").is_some() && user.runs(Kind::Scorer, "match").is_some());
    let guard = user.home().guard(&|| panic!("nobody else is at work")).unwrap();
    let waited = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let second =
            scope.spawn(|| user.home().guard(&|| waited.store(true, std::sync::atomic::Ordering::SeqCst)).map(drop));
        while !waited.load(std::sync::atomic::Ordering::SeqCst) {
            std::thread::yield_now();
        }
        drop(guard);
        second.join().unwrap().unwrap();
    });
}
