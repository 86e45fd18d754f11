//! A plugin has nothing that the user did not grant, and keys go to no server that has not earned them.
//! The component `exfil` names a secret, two addresses and a shell, and carries what it hears onward.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::support::{Answer, Asked, Bench, Server, engine, quick};

const SECRET: &str = "wombat-5521-for-nobody";
const VARIABLE: &str = "EXFIL_TEST_SECRET";

/// The hostile driver with the ports of two servers in the place of its own.
fn hostile(first: &Server, second: &Server) -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin/tests/guests/exfil.wasm");
    let mut bytes = fs::read(path).unwrap();
    for (from, server) in [("59991", first), ("59992", second)] {
        let url = server.url();
        let port = url.rsplit(':').next().unwrap();
        // The text that is replaced has five digits, and so have the system's free ports.
        let places: Vec<usize> =
            bytes.windows(5).enumerate().filter(|(_, window)| *window == from.as_bytes()).map(|(at, _)| at).collect();
        assert!(!places.is_empty() && port.len() == 5, "{from} {port}");
        for at in places {
            bytes[at..at + 5].copy_from_slice(port.as_bytes());
        }
    }
    bytes
}

fn internal() -> Server {
    Server::start(|_| Answer::json("200 OK", &json!({ "AccessKeyId": "INTERNAL" })))
}

fn attacker() -> Server {
    Server::start(|_| Answer::json("200 OK", &json!({ "thanks": true })))
}

/// A home in which the hostile driver is installed from a signed registry, with its secret set.
fn installed(first: &Server, second: &Server) -> (Bench, PathBuf) {
    let author = Bench::new();
    author.run(["registry", "init", "reg", "--generate", "--keys", "keys"]).exits(0);
    let file = author.write("exfil.wasm", hostile(first, second));
    author.run(["registry", "publish", "reg", file.to_str().unwrap(), "--keys", "keys"]).exits(0);
    let user = Bench::new().with(VARIABLE, SECRET);
    copy(&author.path("reg"), &user.path("reg"));
    user.write(
        "config/config.toml",
        "[registries.main]\nfolder = \"../reg\"\nroot = \"../reg/metadata/1.root.json\"\n",
    );
    let component = user.write("exfil.wasm", fs::read(file).unwrap());
    (user, component)
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn text_of(seen: &[Asked]) -> String {
    seen.iter().map(|asked| asked.head.as_str()).collect()
}

/// What the hostile driver carries is written in hex.
fn in_hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_installed_driver_gets_no_secret_and_carries_nothing_between_servers() {
    let (first, second) = (internal(), attacker());
    let (user, _) = installed(&first, &second);
    let added = user.run(["plugin", "add", "exfil"]).exits(0);
    for word in [VARIABLE, "exfil-engine", "not granted", "bench plugin grants add exfil"] {
        assert!(added.stderr.contains(word), "no word `{word}`: {added}");
    }
    user.run(["detect"]).exits(0);
    user.run(["models"]).exits(0);
    let (one, two) = (text_of(&first.seen()), text_of(&second.seen()));
    assert!(one.contains("/steal") && two.contains("/steal"), "loopback is asked");
    for heard in [&one, &two] {
        assert!(!heard.contains(SECRET), "{heard}");
        assert!(!heard.contains(&in_hex("INTERNAL")), "{heard}");
        assert!(!heard.contains(&in_hex("variable-is-set")), "{heard}");
        assert!(!heard.contains(&in_hex("/sh")), "{heard}");
    }
}

#[test]
fn a_granted_variable_goes_to_the_server_that_the_user_named() {
    let (first, second) = (internal(), attacker());
    let (user, _) = installed(&first, &second);
    user.run(["plugin", "add", "exfil"]).exits(0);
    user.run(["plugin", "grants", "add", "exfil", "--variable", "OTHER"]).fails(6, "grant-not-asked", &["OTHER"]);
    user.run(["plugin", "grants", "add", "exfil", "--variable", VARIABLE]).exits(0);
    let listed = user.run(["plugin", "grants", "--json"]).exits(0).json();
    assert_eq!(listed[0]["name"], "exfil");
    assert_eq!(listed[0]["variable"][0]["name"], VARIABLE);
    let arguments = ["run", "--quick", "--plugin", "exfil", "--workload", "W1", "--json", "record.json"];
    user.run(arguments.iter().chain(&["--endpoint", &first.url()]));
    assert!(text_of(&first.seen()).contains(SECRET), "the user granted it and named the server");
    assert!(!text_of(&second.seen()).contains(SECRET));
    let permit = user.run(["plugin", "inspect", "exfil", "--json"]).exits(0).json()["identity"]["grants"].clone();
    assert!(permit["variables"].get(VARIABLE).is_some() && permit["programs"] == json!([]), "{permit}");
    user.run(["plugin", "grants", "revoke", "exfil"]).exits(0);
    let before = text_of(&first.seen()).len();
    let ran = user.run(arguments.iter().chain(&["--endpoint", &first.url()]));
    assert!(!text_of(&first.seen())[before..].contains(SECRET), "{ran}");
    assert!(ran.stderr.contains("was not sent") && ran.stderr.contains("bench plugin grants add exfil"), "{ran}");
}

#[test]
fn the_record_says_which_grants_were_in_force() {
    let user = Bench::new();
    let engine = engine(quick());
    let (_, record) = user.quick(&engine.url(), "W1", &[]);
    let driver = record["plugins"].as_array().unwrap().iter().find(|plugin| plugin["kind"] == "driver").unwrap();
    assert_eq!(driver["grants"], json!({ "variables": ["BENCH_API_KEY"] }), "{driver}");
}

#[test]
fn nothing_is_launched_without_a_grant_and_a_shell_never() {
    let (first, second) = (internal(), attacker());
    let (user, component) = installed(&first, &second);
    user.run(["plugin", "add", "exfil"]).exits(0);
    let engine = user.write("bin/exfil-engine", "#!/bin/sh\ntouch launched\nexit 3\n");
    make_runnable(&engine);
    let user = user.with("PATH", &format!("{}:/usr/bin:/bin", user_path(&engine)));
    let launch = |plugin: &str, model: &str| {
        user.run(["run", "--quick", "--launch", "--plugin", plugin, "--model", model, "--workload", "W1"])
    };
    for plugin in ["exfil", component.to_str().unwrap()] {
        launch(plugin, "usual").fails(2, "launch-not-granted", &["exfil-engine"]).hints("bench plugin grants add");
        launch(plugin, "shell").fails(2, "launch-not-granted", &["sh"]);
        assert!(!user.path("launched").exists());
    }
    for plugin in ["exfil", component.to_str().unwrap()] {
        user.run(["plugin", "grants", "add", plugin]).exits(0);
        launch(plugin, "shell").fails(2, "launch-not-granted", &["any code"]);
        launch(plugin, "path").fails(2, "launch-not-granted", &["bare name"]);
        launch(plugin, "preload").fails(1, "engine-variable-forbidden", &["LD_PRELOAD"]);
        assert!(!user.path("launched").exists());
    }
    launch("exfil", "usual").fails(1, "engine-exited-early", &["exfil-engine"]);
    assert!(user.path("launched").exists(), "a granted program is started");
}

fn user_path(engine: &std::path::Path) -> String {
    engine.parent().unwrap().display().to_string()
}

#[cfg(unix)]
fn make_runnable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_component_that_asks_for_more_than_its_release_is_refused() {
    use bench_registry::{PluginNeeds, Release};
    use bench_repository::{Keys, Publication, Repository};
    let (first, second) = (internal(), attacker());
    let author = Bench::new();
    author.run(["registry", "init", "reg", "--generate", "--keys", "keys"]).exits(0);
    let needs = PluginNeeds { programs: ["exfil-engine".to_owned()].into(), ..PluginNeeds::default() };
    let path = bench_registry::ItemPath::parse("driver/exfil/0.1.0.wasm").unwrap();
    let release =
        Release { world: Some("bench:plugin/driver@0.1.0".to_owned()), needs: Some(needs), ..Release::new(path) };
    let publication = Publication { release, bytes: hostile(&first, &second), data: Vec::new(), replace: false };
    let keys = Keys::from_folder(&author.path("keys")).unwrap();
    let mut repository = Repository::open(&author.path("reg"), &|| {}).unwrap();
    repository.publish(vec![publication], &keys, bench_install::now()).unwrap();
    let user = Bench::new();
    copy(&author.path("reg"), &user.path("reg"));
    user.write(
        "config/config.toml",
        "[registries.main]\nfolder = \"../reg\"\nroot = \"../reg/metadata/1.root.json\"\n",
    );
    user.run(["plugin", "add", "exfil"]).fails(6, "item-rejected", &[VARIABLE, "more than its release states"]);
}

/// Listeners at any address get no key in a search, whatever they answer.
#[test]
fn a_search_sends_no_key() {
    for status in ["200 OK", "401 Unauthorized", "404 Not Found"] {
        let server = Server::start(move |_| Answer::json(status, &json!({})));
        let keys = ["VLLM_API_KEY", "LLAMA_API_KEY", "TABBY_API_KEY", "BENCH_API_KEY", "LM_API_TOKEN"];
        let user = keys.iter().fold(Bench::new(), |user, name| user.with(name, SECRET));
        user.run(["detect", "--endpoint", &server.url()]);
        user.run(["models", "--endpoint", &server.url()]);
        let ran = user.run(["run", "--quick", "--endpoint", &server.url(), "--workload", "W1"]);
        ran.fails(4, if status.starts_with("401") { "key-wanted" } else { "backend-not-recognised" }, &[]);
        assert!(!server.seen().is_empty());
        assert!(!text_of(&server.seen()).contains(SECRET), "{status}");
    }
}

/// An engine that refuses everything without the key.
fn guarded(key: &'static str) -> Server {
    Server::start(move |asked| {
        if !asked.head.contains(key) {
            return Answer::json("401 Unauthorized", &json!({ "error": { "message": "who are you" } }));
        }
        match asked.path.as_str() {
            "/v1/models" => Answer::models(),
            _ => Answer::json("404 Not Found", &json!({})),
        }
    })
}

#[test]
fn a_server_that_wants_a_key_gets_that_of_the_named_driver_alone() {
    let server = guarded("mine");
    let user = Bench::new().with("BENCH_API_KEY", "mine").with("VLLM_API_KEY", SECRET).with("TABBY_API_KEY", SECRET);
    user.run(["run", "--quick", "--plugin", "openai", "--endpoint", &server.url(), "--workload", "W1"]);
    let heard = text_of(&server.seen());
    assert!(heard.contains("mine") && !heard.contains(SECRET), "{heard}");
    let first = &server.seen()[0];
    assert!(!first.head.contains("mine"), "the first request has no key: {}", first.head);
}

#[cfg(target_os = "linux")]
#[test]
fn a_listener_of_another_user_gets_no_key() {
    // Only root can listen as another user.
    if fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own)).unwrap() != 0 {
        return;
    }
    let mut child = listen_as_nobody();
    let url = format!("http://127.0.0.1:{}", child.port);
    let user = Bench::new().with("BENCH_API_KEY", SECRET);
    let run = |more: &[&str]| {
        let fixed = ["run", "--quick", "--plugin", "openai", "--endpoint", &url, "--workload", "W1"];
        user.run(fixed.iter().chain(more))
    };
    let ran = run(&[]);
    assert!(ran.stderr.contains("another user of this machine listens"), "{ran}");
    assert!(!child.heard().contains(SECRET));
    run(&["--allow-http-key"]);
    assert!(child.heard().contains(SECRET), "the user allowed it");
    child.end();
}

/// A server in Python under the user id 65534, which keeps what it hears.
#[cfg(target_os = "linux")]
struct Foreign {
    process: std::process::Child,
    port: u16,
    log: tempfile::NamedTempFile,
}

#[cfg(target_os = "linux")]
fn listen_as_nobody() -> Foreign {
    use std::io::BufRead as _;
    let log = tempfile::NamedTempFile::new().unwrap();
    // Plain sockets: after the change of user, Python may not be able to read its own library.
    let script = "
import os, socket, sys
log = open(sys.argv[1], 'ab', buffering=0)
os.setgid(65534); os.setuid(65534)
server = socket.socket(); server.bind((b'127.0.0.1', 0)); server.listen()
print(server.getsockname()[1], flush=True)
models = b'{\"data\": [{\"id\": \"m\", \"max_model_len\": 4096}]}'
while True:
    connection, _ = server.accept()
    asked = b''
    while b'\\r\\n\\r\\n' not in asked:
        piece = connection.recv(65536)
        if not piece: break
        asked += piece
    log.write(asked)
    known = b'/v1/models' in asked
    status, body = (b'200 OK', models) if known else (b'404 Not Found', b'{}')
    head = b'HTTP/1.1 ' + status + b'\\r\\ncontent-type: application/json\\r\\ncontent-length: '
    connection.sendall(head + str(len(body)).encode() + b'\\r\\nconnection: close\\r\\n\\r\\n' + body)
    connection.close()
";
    let mut process = std::process::Command::new("python3")
        .args(["-c", script, log.path().to_str().unwrap()])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Foreign { process, port: line.trim().parse().unwrap(), log }
}

#[cfg(target_os = "linux")]
impl Foreign {
    fn heard(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }

    fn end(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
