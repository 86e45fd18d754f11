//! The whole way on one machine: a registry is made, filled and served, and another home installs from it, runs what it installed, follows
//! it through new versions and new keys, and goes back.

use std::fs;
use std::path::Path;

use bench_plugin::Kind;
use bench_registry::{Channel, Release};
use bench_repository::{Keys, Publication, Repository};
use semver::VersionReq;
use serde_json::Value;

use crate::support::{Bench, changed, check_schema, engine, quick, suite_of};

/// The author's home: a registry in `reg`, its keys in `keys`.
fn author() -> Bench {
    let author = Bench::new();
    author.run(["registry", "init", "reg", "--generate", "--keys", "keys"]).exits(0);
    author
}

fn publish(author: &Bench, kind: Kind, name: &str, version: &str, more: &[&str]) {
    let file = author.write(&format!("{name}-{version}.wasm"), changed(kind, name, "0.1.0", version));
    let fixed = ["registry", "publish", "reg", file.to_str().unwrap(), "--keys", "keys", "--licence", "Apache-2.0"];
    author.run(fixed.iter().chain(more)).exits(0);
}

/// Lets a home know the registry under a name.
fn configure(user: &Bench, author: &Bench, name: &str, place: &str, more: &str) {
    let root = author.path("reg/metadata/1.root.json");
    let text = format!("[registries.{name}]\n{place}\nroot = \"{}\"\n{more}\n", root.display());
    user.write("config/config.toml", text);
}

fn changes(value: &Value) -> Vec<String> {
    let text = |change: &Value, key: &str| change[key].as_str().unwrap_or("-").to_owned();
    let list = value["changes"].as_array().unwrap();
    list.iter()
        .map(|change| format!("{} {} {}", text(change, "name"), text(change, "from"), text(change, "to")))
        .collect()
}

#[track_caller]
fn update(user: &Bench) -> Vec<String> {
    changes(&user.run(["self-update", "--json"]).exits(0).json())
}

fn driver_of(user: &Bench, plugin: &str) -> Value {
    let engine = engine(quick());
    let more = ["--plugin", plugin];
    let fixed = ["run", "--quick", "--endpoint", &engine.url(), "--workload", "W1", "--json", "record.json"];
    user.run(fixed.iter().copied().chain(more)).exits(0);
    let record: Value = serde_json::from_slice(&fs::read(user.path("record.json")).unwrap()).unwrap();
    record["plugins"].as_array().map_or(record["driver"].clone(), |plugins| {
        plugins.iter().find(|plugin| plugin["kind"] == "driver").cloned().unwrap_or_default()
    })
}

#[test]
fn the_whole_way_on_one_machine() {
    let (author, user) = (author(), Bench::new());
    publish(&author, Kind::Driver, "openai", "0.1.1", &[]);
    // A publisher with a key of its own.
    let public = author.run(["registry", "key", "acme", "--keys", "keys"]).exits(0).stdout;
    author.run(["registry", "delegate", "reg", "acme", "--public", public.trim(), "--keys", "keys"]).exits(0);
    publish(&author, Kind::Scorer, "match", "0.1.1", &["--publisher", "acme"]);
    author.run(["registry", "verify", "reg"]).exits(0);

    let serving = bench_repository::serve(&author.path("reg"), 0).unwrap();
    configure(&user, &author, "main", &format!("url = \"{}\"", serving.url()), "follow = \"all\"");
    assert_eq!(update(&user), ["openai - 0.1.1", "acme/match - 0.1.1"]);
    let before = serving.requests();
    assert_eq!(update(&user), Vec::<String>::new());
    let whole = serving.requests() - before;
    let before = serving.requests();
    let checked = user.run(["self-update", "--check", "--json"]).exits(0).json();
    assert_eq!(changes(&checked), Vec::<String>::new());
    assert_eq!(serving.requests() - before, 1, "with nothing new one request is enough; a whole refresh takes {whole}");

    let used = driver_of(&user, "openai");
    assert_eq!(used["version"], "0.1.1", "{used}");
    assert_eq!(used["source"], "registry", "{used}");
    let lock = crate::support::sha256(&fs::read(user.path("bench.lock")).unwrap());
    assert_eq!(used["lock"], lock, "the record names the lock that chose it");
    user.run(["plugin", "inspect", "acme/match"]).exits(0);
    let hits = user.run(["plugin", "search", "match", "--json"]).exits(0).json();
    assert_eq!(hits["hits"][0]["name"], "acme/match");

    publish(&author, Kind::Driver, "openai", "0.1.2", &[]);
    let checked = user.run(["plugin", "list", "--outdated", "--json"]).exits(0).json();
    assert_eq!(changes(&checked), ["openai 0.1.1 0.1.2"]);
    user.run(["plugin", "update", "openai", "--frozen"]).fails(6, "lock-frozen", &["openai"]);
    assert_eq!(update(&user), ["openai 0.1.1 0.1.2"]);
    assert_eq!(driver_of(&user, "openai")["version"], "0.1.2");
    user.run(["self-update", "--rollback"]).exits(0);
    assert_eq!(driver_of(&user, "openai")["version"], "0.1.1");
    user.run(["plugin", "rollback"]).exits(0);

    author
        .run(["registry", "yank", "reg", "driver/openai/0.1.2.wasm", "--reason", "it miscounts", "--keys", "keys"])
        .exits(0);
    let ran = user.run(["self-update"]).exits(0);
    assert!(ran.stderr.contains("[version-yanked]") && ran.stderr.contains("it miscounts"), "{ran}");
    assert_eq!(driver_of(&user, "openai")["version"], "0.1.2", "what was withdrawn goes on working");
    let fresh = Bench::new();
    configure(&fresh, &author, "main", &format!("url = \"{}\"", serving.url()), "");
    fresh
        .run(["plugin", "add", "openai@=0.1.2"])
        .fails(6, "version-yanked", &["it miscounts"])
        .hints("another version");
    fresh.run(["plugin", "add", "openai"]).exits(0);

    // Every key, root's included, while the client sleeps.
    let state = author.run(["registry", "verify", "reg", "--json"]).exits(0).json();
    for role in state["roles"].as_array().unwrap() {
        let name = role["name"].as_str().unwrap();
        for (number, old) in role["keys"].as_array().unwrap().iter().enumerate() {
            let public =
                author.run(["registry", "key", &format!("new-{name}-{number}"), "--keys", "keys"]).exits(0).stdout;
            let change = ["--public", public.trim(), "--remove", old.as_str().unwrap(), "--keys", "keys"];
            author.run(["registry", "rotate", "reg", name].iter().chain(&change)).exits(0);
        }
    }
    author.run(["registry", "verify", "reg"]).exits(0);
    publish(&author, Kind::Driver, "openai", "0.1.3", &[]);
    assert_eq!(update(&user), ["openai 0.1.2 0.1.3"], "from the first root, over all that followed");
    assert_eq!(driver_of(&user, "openai")["version"], "0.1.3");
    // The old keys count no more.
    author.run(["registry", "refresh", "reg", "--key", "keys/snapshot.der", "--key", "keys/timestamp.der"]).fails(
        6,
        "keys-missing",
        &["snapshot"],
    );
}

#[test]
fn without_a_network() {
    let (author, user) = (author(), Bench::new());
    publish(&author, Kind::Driver, "openai", "0.1.1", &[]);
    author.run(["registry", "export", "reg", "--bundle", "reg.bundle"]).exits(0);
    // Nothing listens there, and nobody asks.
    configure(&user, &author, "main", "url = \"http://127.0.0.1:1\"", "");
    let bundle = author.path("reg.bundle");
    user.run(["plugin", "add", "openai", "--bundle", bundle.to_str().unwrap()]).exits(0);
    assert_eq!(driver_of(&user, "openai")["version"], "0.1.1");
    user.run(["plugin", "add", "ollama"]).fails(6, "registry-unreachable", &["main"]).hints("goes on working");
    let ran = user.run(["self-update"]).exits(3);
    assert!(ran.stderr.contains("[registry-unreachable]"), "{ran}");
    user.run(["self-update", "--offline"]).exits(0);
    user.run(["plugin", "remove", "openai"]).exits(0);
    user.run(["plugin", "add", "openai", "--offline"]).exits(0);
    assert_eq!(driver_of(&user, "openai")["version"], "0.1.1");
}

#[test]
fn the_projects_own_registry_is_trusted_by_the_binary() {
    let user = Bench::new();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registry").canonicalize().unwrap();
    user.write("config/config.toml", format!("[registries.bench]\nfolder = \"{}\"\n", own.display()));
    let ran = user.run(["plugin", "add", "ollama"]);
    // Its signatures last a year; a checkout that is older still builds and runs.
    if ran.code == Some(6) && ran.stderr.contains("[registry-expired]") {
        return;
    }
    ran.exits(0);
    user.run(["suite", "add", "local-reasoning-mini"]).exits(0);
    user.run(["suite", "show", "local-reasoning-mini"]).exits(0);
    let listed = user.run(["plugin", "list", "--json"]).exits(0).json();
    assert_eq!(listed[0]["source"], "bench");
}

#[test]
fn tasks_are_run_with_what_the_lock_has_and_the_record_says_so() {
    let (author, user) = (author(), Bench::new());
    let items: String = (0..6).map(|n| format!("{{\"id\":\"{n}\",\"a\":{n},\"answer\":\"{n}\"}}\n")).collect();
    let task = "[tasks.template]\nuser = \"Say {a}.\"\n[tasks.scorer]\nplugin = \"exact-match\"\nversion = \"^0.1.1\"";
    let folder = suite_of(&author, &items, "", "numbers", task);
    // The items are kept beside the suite's archive.
    author.run(["registry", "publish", "reg", &folder, "--keys", "keys", "--data", "data.jsonl"]).exits(0);
    publish(&author, Kind::Scorer, "exact-match", "0.1.1", &[]);
    author.run(["registry", "verify", "reg"]).exits(0);
    configure(&user, &author, "main", &format!("folder = \"{}\"", author.path("reg").display()), "");
    user.run(["suite", "add", "tiny"]).exits(0);
    user.run(["plugin", "add", "exact-match"]).exits(0);
    let engine = engine(quick());
    user.run(["run", "--plugin", "openai", "--endpoint", &engine.url(), "--suite", "tiny", "--json", "record.json"])
        .exits(0);
    let record: Value = serde_json::from_slice(&fs::read(user.path("record.json")).unwrap()).unwrap();
    check_schema(&record);
    let lock = crate::support::sha256(&fs::read(user.path("bench.lock")).unwrap());
    assert_eq!(record["suite"]["lock"], lock);
    let plugin = |kind: &str| record["plugins"].as_array().unwrap().iter().find(|it| it["kind"] == kind).unwrap();
    let scorer = plugin("scorer");
    assert_eq!(
        (&scorer["version"], &scorer["source"], &scorer["lock"]),
        (&"0.1.1".into(), &"registry".into(), &lock.into())
    );
    assert_eq!(scorer["sha256"], crate::support::sha256(&changed(Kind::Scorer, "exact-match", "0.1.0", "0.1.1")));
    assert_eq!(record["evals"][0]["scorer"]["sha256"], scorer["sha256"]);
    let driver = plugin("driver");
    assert_eq!((&driver["source"], &driver["lock"]), (&"bundle".into(), &Value::Null));
}

#[test]
fn what_is_withdrawn_is_offered_no_more_and_what_no_lock_needs_is_freed() {
    let (author, user) = (author(), Bench::new());
    for version in ["0.1.1", "0.1.2", "0.1.3"] {
        publish(&author, Kind::Driver, "openai", version, &[]);
    }
    configure(&user, &author, "main", &format!("folder = \"{}\"", author.path("reg").display()), "");
    for version in ["0.1.1", "0.1.2", "0.1.3"] {
        user.run(["plugin", "add", &format!("openai@={version}")]).exits(0);
    }
    author.run(["registry", "withdraw", "reg", "driver/openai/0.1.9.wasm", "--keys", "keys"]).fails(
        6,
        "release-unknown",
        &["0.1.9"],
    );
    let paths = ["driver/openai/0.1.3.wasm", "driver/openai/0.1.2.wasm"];
    author.run(["registry", "withdraw", "reg", paths[0], paths[1], "--keys", "keys"]).exits(0);
    author.run(["registry", "verify", "reg"]).exits(0);
    assert_eq!(fs::read_dir(author.path("reg/targets/driver/openai")).unwrap().count(), 1);
    user.run(["plugin", "update"]).exits(0);
    assert_eq!(driver_of(&user, "openai")["version"], "0.1.3", "who has it keeps it");
    let fresh = Bench::new();
    configure(&fresh, &author, "main", &format!("folder = \"{}\"", author.path("reg").display()), "");
    fresh.run(["plugin", "add", "openai@=0.1.3"]).fails(6, "no-version", &["0.1.3"]);

    let oldest = crate::support::sha256(&changed(Kind::Driver, "openai", "0.1.0", "0.1.1"));
    for (dry, more) in [(true, &["--dry-run"][..]), (false, &[])] {
        let pruned = user.run(["plugin", "prune", "--json"].iter().chain(more)).exits(0).json();
        let files: Vec<&Value> = pruned["files"].as_array().unwrap().iter().map(|file| &file["sha256"]).collect();
        assert_eq!(files, [&Value::from(oldest.clone())], "dry: {dry}");
    }
    let ran = user.run(["plugin", "prune"]).exits(0);
    assert!(ran.stderr.contains("freed 0"), "{ran}");
    user.run(["plugin", "rollback"]).exits(0);
    assert_eq!(driver_of(&user, "openai")["version"], "0.1.2");

    // What is looked over and found wrong has a code, and the exit code says so.
    author.write("reg/targets/driver/openai/notes.txt", "unsigned");
    let ran = author.run(["registry", "verify", "reg"]).exits(6);
    assert!(ran.stderr.contains("[file-unlisted]"), "{ran}");
    let problems = author.run(["registry", "verify", "reg", "--json"]).exits(6).json()["problems"].clone();
    assert_eq!(problems[0]["code"], "file-unlisted");
}

#[test]
fn forty_plugins_at_once() {
    let (author, user) = (author(), Bench::new());
    // The components are the project's own, so the checks of `publish` are left out.
    let carried: Vec<_> = bench_registry::components().iter().filter(|it| it.name != "code-exec").take(40).collect();
    let items = carried.iter().map(|component| Publication {
        release: Release {
            kind: component.kind.into(),
            name: component.name.parse().unwrap(),
            version: component.version.parse().unwrap(),
            title: String::new(),
            world: Some(format!("{}@0.1.0", component.kind.interface())),
            host: VersionReq::STAR,
            memory: None,
            needs: None,
            licence: "Apache-2.0".to_owned(),
            data: Vec::new(),
            channel: Channel::Stable,
            yanked: None,
        },
        bytes: component.bytes.to_vec(),
        data: Vec::new(),
        replace: false,
    });
    let keys = Keys::from_folder(&author.path("keys")).unwrap();
    Repository::open(&author.path("reg"), &|| {})
        .unwrap()
        .publish(items.collect(), &keys, bench_install::now())
        .unwrap();
    let serving = bench_repository::serve(&author.path("reg"), 0).unwrap();
    configure(&user, &author, "main", &format!("url = \"{}\"", serving.url()), "");
    let names = carried.iter().map(|component| component.name.to_owned());
    let all: Vec<String> = ["plugin", "add", "--json"].map(str::to_owned).into_iter().chain(names).collect();
    let outcome = user.run(&all).exits(0).json();
    assert_eq!(outcome["changes"].as_array().unwrap().len(), 40);
}

#[cfg(unix)]
#[test]
fn the_program_itself_is_exchanged_and_brought_back() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;
    let (author, user) = (author(), Bench::new());
    let platform = bench_install::platform();
    let folder = user.path("bin");
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join("bench");
    fs::copy(env!("CARGO_BIN_EXE_bench"), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let place = format!("folder = \"{}\"", author.path("reg").display());
    configure(&user, &author, "bench", &place, "follow = \"installed\"");
    let run =
        |arguments: &[&str]| Command::new(&program).args(arguments).env("BENCH_HOME", user.home()).output().unwrap();
    let version = |at: &Path| String::from_utf8(Command::new(at).arg("--version").output().unwrap().stdout).unwrap();
    let current = version(&program);
    let offer = |number: &str, script: &str| {
        let file = author.write("program", script);
        let fixed = ["registry", "publish", "reg", file.to_str().unwrap(), "--keys", "keys"];
        author.run(fixed.iter().copied().chain(["--platform", &platform, "--version", number])).exits(0);
    };
    // One that does not start stays out.
    offer("7.0.0", "#!/bin/sh\nexit 1\n");
    let ran = run(&["self-update"]);
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.contains("[item-rejected]"), "{said}");
    assert_eq!(version(&program), current);
    offer("7.1.0", "#!/bin/sh\necho bench 7.1.0\n");
    let checked = run(&["self-update", "--check"]);
    assert!(String::from_utf8(checked.stdout).unwrap().contains("7.1.0"));
    assert_eq!(version(&program), current, "looking changes nothing");
    let ran = run(&["self-update"]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(version(&program), "bench 7.1.0\n");
    assert_eq!(version(&folder.join("bench.previous")), current);
    // The way back, taken by a program that has one before it.
    fs::rename(folder.join("bench.previous"), &program).unwrap();
    fs::write(folder.join("bench.previous"), "#!/bin/sh\necho bench 0.0.9\n").unwrap();
    let ran = run(&["self-update", "--rollback"]);
    assert!(String::from_utf8(ran.stdout).unwrap().contains("the program before is back"));
    assert_eq!((version(&program), version(&folder.join("bench.previous"))), ("bench 0.0.9\n".to_owned(), current));
}

#[test]
fn a_registry_from_another_program_is_served_as_it_is() {
    let author = author();
    let mut serving = author.spawn(["registry", "serve", "reg", "--port", "0"]);
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(serving.stdout.take().unwrap()), &mut line).unwrap();
    let user = Bench::new();
    configure(&user, &author, "main", &format!("url = \"{}\"", line.trim()), "");
    let found = user.run(["plugin", "search", "--json"]).exits(0).json();
    serving.kill().unwrap();
    serving.wait().unwrap();
    assert_eq!(found["hits"].as_array().unwrap().len(), 0);
}

#[test]
fn the_front_end_of_the_conformance_tests() {
    let author = author();
    publish(&author, Kind::Driver, "openai", "0.1.1", &[]);
    let serving = bench_repository::serve(&author.path("reg"), 0).unwrap();
    let root = author.path("reg/metadata/1.root.json");
    let (metadata, targets) = (format!("{}/metadata", serving.url()), format!("{}/targets", serving.url()));
    let client = Bench::new();
    let step = |more: &[&str]| {
        let fixed = ["registry", "conformance", "--metadata-dir", "metadata", "--metadata-url", metadata.as_str()];
        client.run(fixed.iter().chain(more))
    };
    step(&["init", root.to_str().unwrap()]).exits(0);
    step(&["refresh"]).exits(0);
    // One file a role, which is what those tests count.
    let roles = || {
        let all = fs::read_dir(client.path("metadata")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut roles: Vec<String> = all.map(|name| name.into_string().unwrap()).collect();
        roles.retain(|name| name.ends_with(".json"));
        roles.sort();
        roles
    };
    assert_eq!(roles(), ["root.json", "snapshot.json", "targets.json", "timestamp.json"]);
    let name = "driver/openai/0.1.1.wasm";
    let more = ["--target-name", name, "--target-base-url", &targets, "--target-dir", "got", "download"];
    step(&more).exits(0);
    let got = fs::read(client.path("got/driver%2Fopenai%2F0.1.1.wasm")).unwrap();
    assert_eq!(got, changed(Kind::Driver, "openai", "0.1.0", "0.1.1"));
    // Fetched again it is the same file still.
    let file = client.path("got/driver%2Fopenai%2F0.1.1.wasm");
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(&file).unwrap().set_modified(long_ago).unwrap();
    step(&more).exits(0);
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), long_ago);
    step(&["--target-name", "nothing", "--target-base-url", &targets, "--target-dir", "got", "download"]).fails(
        1,
        "item-unknown",
        &["nothing"],
    );
}
