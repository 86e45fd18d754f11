//! Components from OCI registries: by digest alone, with all checks, under a name that nobody else has.

use std::fs;
use std::sync::{Arc, OnceLock};

use bench_install::{Disk, FileOps, Folder, InstallError, Installer, Options, Outcome, Wanted};
use bench_oci::{Artifact, Digest, Logins, Reference, Settings};
use bench_plugin::Kind;
use bench_registry::Lock;

use crate::faults::{Dying, End, assert_whole};
use crate::registry::{Asked, Registry, reply};
use crate::support::*;

/// The embedded `ollama` under a name that no registry has.
fn driver() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| renamed(Kind::Driver, "ollama", "alpaca"))
}

fn settings() -> Settings {
    Settings { logins: Some(Logins::none()), ..Settings::default() }
}

fn artifact(name: &str, bytes: &[u8]) -> Artifact {
    Artifact {
        component: bytes.to_vec().into(),
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
        title: String::new(),
        licence: "MIT".to_owned(),
        exports: Vec::new(),
        imports: Vec::new(),
    }
}

/// Pushes bytes to `acme/NAME:1` of a registry.
fn push(registry: &Registry, name: &str, bytes: &[u8]) -> Reference {
    let place = format!("oci://{}/acme/{name}:1", registry.host()).parse().unwrap();
    wait(bench_oci::push(&place, &artifact(name, bytes), &settings())).unwrap()
}

fn honest() -> Registry {
    Registry::start(|_, _| false)
}

fn installer(user: &User, sources: Vec<bench_install::Source>, change: impl Fn(&mut Options)) -> Installer {
    let mut options = options(day(0));
    change(&mut options);
    user.installer_with(sources, options).asking_oci(settings())
}

fn add_with(user: &User, place: &Reference, change: impl Fn(&mut Options)) -> Result<Outcome, InstallError> {
    wait(installer(user, Vec::new(), change).add(&[Wanted::Pulled(place.clone())]))
}

fn add(user: &User, place: &Reference) -> Result<Outcome, InstallError> {
    add_with(user, place, |_| {})
}

#[test]
fn the_whole_way() {
    let (registry, user) = (honest(), User::new());
    let place = push(&registry, "alpaca", driver());
    let change = add(&user, &place).unwrap().changes.remove(0);
    assert_eq!((change.name.as_str(), change.registry), ("alpaca", place.to_string()));
    assert_eq!(user.runs(Kind::Driver, "alpaca").unwrap(), "0.1.0");
    let lock = Lock::read(&user.home().lock).unwrap();
    assert_eq!(lock.items()[0].sha256, Digest::of(driver()).hex());
    assert_eq!(lock.items()[0].registry, place.to_string());

    // Once more costs nothing, and is no change even where none may be made.
    let before = registry.asked().len();
    assert_eq!(add(&user, &place).unwrap().changes, []);
    add_with(&user, &place, |options| (options.frozen, options.offline) = (true, true)).unwrap();
    assert_eq!(registry.asked().len(), before);

    let mut by_name = installer(&user, Vec::new(), |_| {});
    let updated = wait(by_name.update(&[request("alpaca")])).unwrap();
    assert_eq!((updated.changes.len(), updated.notes[0].code.as_str()), (0, "oci-pinned"));
    assert_eq!(wait(by_name.update(&[])).unwrap().notes, []);
    assert_eq!(wait(by_name.outdated()).unwrap().notes, []);
    wait(by_name.pin(&[request("alpaca")], true)).unwrap();
    wait(by_name.remove(&[request("alpaca")])).unwrap();
    assert_eq!(user.runs(Kind::Driver, "alpaca"), None);
    by_name.rollback().unwrap();
    assert_eq!(user.runs(Kind::Driver, "alpaca").unwrap(), "0.1.0");

    // Another home with the same lock fetches what it lists, and what was lost is fetched again.
    let other = User::new();
    fs::create_dir_all(&other.home().data).unwrap();
    fs::copy(&user.home().lock, &other.home().lock).unwrap();
    let offline = wait(installer(&other, Vec::new(), |options| options.offline = true).sync()).unwrap_err();
    assert_eq!(offline.code(), "offline");
    assert_eq!(wait(installer(&other, Vec::new(), |_| {}).sync()).unwrap().changes.len(), 1);
    assert_eq!(other.runs(Kind::Driver, "alpaca").unwrap(), "0.1.0");
}

#[test]
fn a_tag_alone_installs_nothing_and_says_what_it_points_to() {
    let (registry, user) = (honest(), User::new());
    let pinned = push(&registry, "alpaca", driver());
    let by_tag: Reference = format!("oci://{}/acme/alpaca:1", registry.host()).parse().unwrap();
    let error = add(&user, &by_tag).unwrap_err();
    assert_eq!(error.code(), "oci-unpinned");
    assert!(error.hint().unwrap().contains(&format!("`bench plugin add {pinned}`")), "{error:?}");
    assert!(!user.home().lock.exists());
    let error = add_with(&user, &by_tag, |options| options.offline = true).unwrap_err();
    assert_eq!(error.code(), "oci-unpinned");
    let missing: Reference = format!("oci://{}/acme/alpaca", registry.host()).parse().unwrap();
    assert_eq!(add(&user, &missing).unwrap_err().code(), "oci-not-found", "there is no tag `latest`");
}

#[test]
fn what_was_pulled_once_is_installed_again_without_a_network() {
    let (registry, user) = (honest(), User::new());
    let place = push(&registry, "alpaca", driver());
    assert_eq!(add_with(&user, &place, |options| options.offline = true).unwrap_err().code(), "offline");
    assert_eq!(add_with(&user, &place, |options| options.frozen = true).unwrap_err().code(), "lock-frozen");
    add(&user, &place).unwrap();
    wait(installer(&user, Vec::new(), |_| {}).remove(&[request("alpaca")])).unwrap();
    let before = registry.asked().len();
    add_with(&user, &place, |options| options.offline = true).unwrap();
    assert_eq!(registry.asked().len(), before);
    assert_eq!(user.runs(Kind::Driver, "alpaca").unwrap(), "0.1.0");
}

#[test]
fn registries_and_this_program_have_their_names_for_themselves() {
    let (registry, author, user) = (honest(), Author::new(), User::new());
    let carried = push(&registry, "ollama", &embedded(Kind::Driver, "ollama"));
    let error = add(&user, &carried).unwrap_err();
    assert_eq!(error.code(), "name-taken");
    assert!(error.to_string().contains("this program carries"), "{error}");

    let place = push(&registry, "alpaca", driver());
    let theirs = bench_repository::component(
        &host(),
        driver().to_vec(),
        None,
        &bench_repository::Wish { licence: "MIT".to_owned(), ..Default::default() },
    );
    let empty = vec![author.source("main")];
    wait(installer(&user, empty.clone(), |_| {}).add(&[Wanted::Pulled(place.clone())])).unwrap();
    wait(installer(&user, empty, |_| {}).remove(&[request("alpaca")])).unwrap();
    author.publish(vec![theirs.unwrap().0], day(0));
    let both = |sources| wait(installer(&user, sources, |_| {}).add(&[Wanted::Pulled(place.clone())]));
    let error = both(vec![author.source("main")]).unwrap_err();
    assert_eq!(error.code(), "name-taken");
    assert!(error.to_string().contains("the registry `main`") && error.hint().is_some(), "{error}");

    // A registry that is away is taken at its last word; one that never said anything cannot be asked.
    let away = |name| author.source_by(name, Arc::new(bench_install::Http::new("http://127.0.0.1:1").unwrap()));
    assert_eq!(both(vec![away("main")]).unwrap_err().code(), "name-taken");
    assert_eq!(both(vec![away("new")]).unwrap_err().code(), "registry-unreachable");
    let mut offline = installer(&user, vec![away("new")], |options| options.offline = true);
    assert!(wait(offline.add(&[Wanted::Pulled(place.clone())])).is_err());
    assert!(Lock::read(&user.home().lock).unwrap().items().is_empty());

    // Installed by name it is the registry's, and stays that.
    let mut by_name = installer(&user, vec![author.source("main")], |_| {});
    wait(by_name.add(&[request("alpaca")])).unwrap();
    let error = both(Vec::new()).unwrap_err();
    assert!(error.code() == "name-taken" && error.to_string().contains("installed from main"), "{error}");
}

#[test]
fn another_repository_does_not_take_over_and_the_same_one_may() {
    let (one, other, user) = (honest(), honest(), User::new());
    let first = push(&one, "alpaca", driver());
    add(&user, &first).unwrap();
    let foreign = push(&other, "alpaca", driver());
    assert_eq!(add(&user, &foreign).unwrap_err().code(), "name-taken");
    // A custom section more: the same component with other bytes.
    let newer = push(&one, "alpaca", &[driver(), &[0, 2, 1, b'x'][..]].concat());
    assert_ne!(newer.digest(), first.digest());
    let change = add(&user, &newer).unwrap().changes.remove(0);
    assert_eq!(change.registry, newer.to_string());
    assert_eq!(user.runs(Kind::Driver, "alpaca").unwrap(), "0.1.0");
}

#[test]
fn what_is_no_plugin_or_calls_itself_otherwise_is_not_installed() {
    for (name, bytes, code) in [
        ("alpaca", b"\0asm, not really".to_vec(), "item-unusable"),
        ("alpaca", b"<html>".to_vec(), "item-unusable"),
        ("vicuna", driver().to_vec(), "oci-name"),
    ] {
        let (registry, user) = (honest(), User::new());
        let place = push(&registry, name, &bytes);
        assert_eq!(add(&user, &place).unwrap_err().code(), code, "{name}");
        assert!(!user.home().lock.exists());
    }
}

/// The code of an installation when reads whose path holds `part` are answered in this way.
fn hostile(
    part: &'static str,
    way: impl Fn(&Asked, &mut std::net::TcpStream) -> bool + Send + Sync + 'static,
) -> &'static str {
    let user = User::new();
    let registry =
        Registry::start(move |asked, to| asked.method == "GET" && asked.path.contains(part) && way(asked, to));
    let place = push(&registry, "alpaca", driver());
    let code = add(&user, &place).unwrap_err().code();
    assert!(!user.home().lock.exists());
    assert_eq!(user.runs(Kind::Driver, "alpaca"), None);
    code
}

#[test]
fn hostile_registries_install_nothing() {
    let other = || {
        let mut bytes = driver().to_vec();
        bytes.reverse();
        bytes
    };
    assert_eq!(hostile("/blobs/", move |_, to| reply(to, "200 OK", &[], &other())), "oci-mismatch");
    assert_eq!(hostile("/blobs/", |_, to| reply(to, "200 OK", &[], b"short")), "oci-mismatch");
    assert_eq!(hostile("/blobs/", |_, to| reply(to, "500 Oh", &[], b"")), "oci-status");
    assert_eq!(hostile("/blobs/", |_, to| reply(to, "404 No", &[], b"")), "oci-not-found");
    assert_eq!(hostile("/blobs/", |_, _| true), "oci-unreachable");
    let html = [("content-type", "text/html")];
    assert_eq!(hostile("/manifests/", move |_, to| reply(to, "200 OK", &html, b"<html>")), "oci-no-manifest");
}

#[test]
fn a_manifest_of_something_enormous_is_not_fetched() {
    let (body, user) = (
        r#"{"schemaVersion": 2, "config": {"mediaType": "application/vnd.wasm.config.v0+json", "digest": "sha256:", "size": 2},
            "layers": [{"mediaType": "application/wasm", "digest": "sha256:DIGEST", "size": 1099511627776}]}"#
            .replace("DIGEST", &"0".repeat(64)),
        User::new(),
    );
    let digest = Digest::of(body.as_bytes());
    let kind = [("content-type", "application/vnd.oci.image.manifest.v1+json")];
    let registry = Registry::start(move |_, to| reply(to, "200 OK", &kind, body.as_bytes()));
    let place: Reference = format!("oci://{}/acme/alpaca@{digest}", registry.host()).parse().unwrap();
    assert_eq!(add(&user, &place).unwrap_err().code(), "oci-too-long");
    assert_eq!(registry.asked().len(), 1, "the manifest alone was asked for");
}

#[test]
fn what_breaks_off_is_gone_on_with() {
    let registry = Registry::start(|asked, to| {
        if asked.method != "GET" || !asked.path.contains("/blobs/") {
            return false;
        }
        let whole = driver();
        match asked.headers.get("range") {
            None => {
                use std::io::Write as _;
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", whole.len());
                let _ = to.write_all(head.as_bytes()).and_then(|()| to.write_all(&whole[..1000]));
                true
            }
            Some(range) => {
                let from: usize = range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap();
                assert!(from > 0);
                let said = format!("bytes {from}-{}/{}", whole.len() - 1, whole.len());
                reply(to, "206 Partial Content", &[("content-range", &said)], &whole[from..])
            }
        }
    });
    let user = User::new();
    add(&user, &push(&registry, "alpaca", driver())).unwrap();
    assert_eq!(user.runs(Kind::Driver, "alpaca").unwrap(), "0.1.0");
}

#[test]
fn names_and_references_go_together() {
    let (registry, author, user) = (honest(), Author::new(), User::new());
    author.publish(vec![component(Kind::Scorer, "match", "0.1.0")], day(0));
    let place = push(&registry, "alpaca", driver());
    let folder = author.source_by("main", Arc::new(Folder::new(author.path())));
    let wanted: Vec<Wanted> =
        [place.to_string(), "match".to_owned()].iter().map(|text| text.parse().unwrap()).collect();
    wait(installer(&user, vec![folder], |_| {}).add(&wanted)).unwrap();
    assert_eq!(user.runs(Kind::Driver, "alpaca").unwrap(), "0.1.0");
    assert_eq!(user.runs(Kind::Scorer, "match").unwrap(), "0.1.0");
    // Both or none.
    let user = User::new();
    let wanted: Vec<Wanted> =
        [place.to_string(), "nobody".to_owned()].iter().map(|text| text.parse().unwrap()).collect();
    let error = wait(installer(&user, vec![author.source("main")], |_| {}).add(&wanted)).unwrap_err();
    assert_eq!(error.code(), "item-unknown");
    assert!(!user.home().lock.exists());
    for (text, code) in [("oci://x", "oci-reference"), ("../x", "bad-name")] {
        assert_eq!(text.parse::<Wanted>().unwrap_err().code(), code);
    }
}

#[test]
fn cut_off_anywhere_a_pull_leaves_nothing_or_all_of_it() {
    let registry = honest();
    let place = Wanted::Pulled(push(&registry, "alpaca", driver()));
    let add = |user: &User, files: Arc<dyn FileOps>| {
        let installer = user.installer_over(Vec::new(), options(day(0)), files);
        wait(installer.asking_oci(settings()).add(std::slice::from_ref(&place)))
    };
    for end in [End::Before, End::Within, End::Full] {
        for steps in 0.. {
            let (user, at) = (User::new(), format!("{end:?} after {steps} operations"));
            let done = add(&user, Dying::after(steps, end));
            assert_whole(&user, &at);
            let Err(error) = done else {
                assert!(steps > 8, "an installation has more operations than {steps}");
                break;
            };
            assert_eq!(error.code(), "io", "{at}");
            // The next try goes through, with whatever was left behind.
            add(&user, Arc::new(Disk)).unwrap_or_else(|error| panic!("{at}: {error}"));
            assert_eq!(user.runs(Kind::Driver, "alpaca").unwrap(), "0.1.0", "{at}");
        }
    }
}
