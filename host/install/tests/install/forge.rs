//! A registry in memory that can be made wrong in every way: each role's content, keys and signatures are free. It shares nothing with the
//! author's side but the keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use bench_install::{Archive, Disk, InstallError, Reader as _, TufReader};
use bench_registry::{Files, hex};
use bench_repository::SigningKey;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{day, wait};

/// A registry and a client with a memory.
pub struct Forge {
    folder: tempfile::TempDir,
    /// Keys by name.
    keys: BTreeMap<String, SigningKey>,
    /// Who signs a role, by key name; a name twice signs twice.
    pub signers: BTreeMap<String, Vec<String>>,
    pub root: Value,
    /// Targets and delegated roles.
    pub roles: BTreeMap<String, Value>,
    pub snapshot: Value,
    pub timestamp: Value,
    /// What is served.
    pub files: Files,
    /// What the client pins.
    pub pinned: Vec<u8>,
}

fn role(kind: &str, more: Value) -> Value {
    let mut role = json!({ "_type": kind, "spec_version": "1.0.31", "version": 1, "expires": day(30).to_string() });
    role.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    role
}

pub fn add(value: &mut Value, number: i64) {
    let version = value["version"].as_i64().unwrap() + number;
    value["version"] = version.into();
}

impl Forge {
    /// All well: root 2 of 3, one key for every other role, one target.
    pub fn new() -> Self {
        let mut forge = Self {
            folder: tempfile::tempdir().unwrap(),
            keys: BTreeMap::new(),
            signers: BTreeMap::new(),
            root: role("root", json!({ "consistent_snapshot": true, "keys": {}, "roles": {} })),
            roles: BTreeMap::from([("targets".to_owned(), role("targets", json!({ "targets": {} })))]),
            snapshot: role("snapshot", json!({ "meta": {} })),
            timestamp: role("timestamp", json!({ "meta": {} })),
            files: Files::new(),
            pinned: Vec::new(),
        };
        forge.authority("root", &["r1", "r2", "r3"], 2);
        forge.authority("targets", &["t1"], 1);
        forge.authority("snapshot", &["s1"], 1);
        forge.authority("timestamp", &["o1"], 1);
        forge.target("targets", "a.txt", b"a");
        forge.write_root();
        forge.commit();
        forge.pinned = forge.files["metadata/1.root.json"].clone();
        forge
    }

    fn key(&mut self, name: &str) -> (String, Value) {
        let folder = self.folder.path().join("keys");
        let key = self.keys.entry(name.to_owned()).or_insert_with(|| SigningKey::generate(&folder, name).unwrap());
        let value = json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": key.public().hex() } });
        (key.public().id(), value)
    }

    /// Gives a role of root its keys; they sign it from now on.
    pub fn authority(&mut self, role: &str, names: &[&str], threshold: u64) {
        let mut ids = Vec::new();
        for name in names {
            let (id, value) = self.key(name);
            self.root["keys"][&id] = value;
            ids.push(id);
        }
        self.root["roles"][role] = json!({ "keyids": ids, "threshold": threshold });
        self.signers.insert(role.to_owned(), names.iter().map(|name| (*name).to_owned()).collect());
    }

    /// Lets a role delegate to another.
    pub fn delegate(&mut self, from: &str, to: &str, paths: &[&str], terminating: bool) {
        let key = format!("d-{}", hex(to.as_bytes()));
        let (id, value) = self.key(&key);
        self.signers.insert(to.to_owned(), vec![key]);
        let parent = self.roles.get_mut(from).unwrap();
        if parent["delegations"].is_null() {
            parent["delegations"] = json!({ "keys": {}, "roles": [] });
        }
        parent["delegations"]["keys"][&id] = value;
        let entry = json!({ "name": to, "keyids": [id], "threshold": 1, "paths": paths, "terminating": terminating });
        parent["delegations"]["roles"].as_array_mut().unwrap().push(entry);
        self.roles.entry(to.to_owned()).or_insert_with(|| role("targets", json!({ "targets": {} })));
    }

    /// Lists a target and serves its bytes.
    pub fn target(&mut self, in_role: &str, path: &str, bytes: &[u8]) {
        let sha256 = hex(&Sha256::digest(bytes));
        let entry = json!({ "length": bytes.len(), "hashes": { "sha256": sha256 } });
        self.roles.get_mut(in_role).unwrap()["targets"][path] = entry;
        let file = match path.rsplit_once('/') {
            Some((folder, name)) => format!("targets/{folder}/{sha256}.{name}"),
            None => format!("targets/{sha256}.{path}"),
        };
        self.files.insert(file, bytes.to_vec());
    }

    pub fn signed(&self, value: &Value, role: &str) -> Vec<u8> {
        let names = self.signers.get(role).cloned().unwrap_or_default();
        let message = sigstore_tuf::canonical_json::to_canonical_bytes(value).unwrap();
        let signatures: Vec<Value> = names
            .iter()
            .map(|name| &self.keys[name])
            .map(|key| json!({ "keyid": key.public().id(), "sig": hex(&key.sign(&message).unwrap()) }))
            .collect();
        serde_json::to_vec(&json!({ "signed": value, "signatures": signatures })).unwrap()
    }

    /// Serves the root as it is now.
    pub fn write_root(&mut self) {
        let bytes = self.signed(&self.root, "root");
        self.files.insert(format!("metadata/{}.root.json", self.root["version"]), bytes);
    }

    /// Makes a new root, lets `change` at it, and serves it signed by the old and the new keys.
    pub fn next_root(&mut self, change: impl FnOnce(&mut Self)) {
        let mut signers = self.signers["root"].clone();
        add(&mut self.root, 1);
        change(self);
        let new = self.signers["root"].clone();
        signers.extend(new.iter().filter(|name| !signers.contains(name)).cloned().collect::<Vec<_>>());
        self.signers.insert("root".to_owned(), signers);
        self.write_root();
        self.signers.insert("root".to_owned(), new);
    }

    /// Serves all other roles as they are now, each naming those below it by length and digest.
    pub fn commit(&mut self) {
        let names: Vec<String> = self.roles.keys().cloned().collect();
        let mut meta = json!({});
        for name in names {
            let bytes = self.signed(&self.roles[&name], &name);
            meta[format!("{name}.json")] = pin(&self.roles[&name], &bytes);
            self.files.insert(format!("metadata/{}.{}.json", self.roles[&name]["version"], quoted(&name)), bytes);
        }
        self.snapshot["meta"] = meta;
        self.commit_snapshot();
    }

    /// Serves snapshot and timestamp as they are now.
    pub fn commit_snapshot(&mut self) {
        let bytes = self.signed(&self.snapshot, "snapshot");
        self.timestamp["meta"]["snapshot.json"] = pin(&self.snapshot, &bytes);
        self.files.insert(format!("metadata/{}.snapshot.json", self.snapshot["version"]), bytes);
        self.commit_timestamp();
    }

    /// Serves the timestamp as it is now.
    pub fn commit_timestamp(&mut self) {
        let bytes = self.signed(&self.timestamp, "timestamp");
        self.files.insert("metadata/timestamp.json".to_owned(), bytes);
    }

    /// Everything below root in its next version.
    pub fn next(&mut self) {
        for role in self.roles.values_mut() {
            add(role, 1);
        }
        add(&mut self.snapshot, 1);
        add(&mut self.timestamp, 1);
        self.commit();
    }

    /// The client, which starts anew and remembers what it kept.
    pub fn client(&self) -> Result<TufReader, InstallError> {
        let transport = Arc::new(Archive::of(self.files.clone()));
        TufReader::new("forge", &self.pinned, transport, Arc::new(Disk), &self.folder.path().join("client"))
    }

    pub fn refresh_at(&self, number: i64) -> Result<(), &'static str> {
        wait(async { self.client()?.refresh(day(number)).await }).map_err(|error| error.code())
    }

    pub fn refresh(&self) -> Result<(), &'static str> {
        self.refresh_at(1)
    }

    pub fn get(&self, path: &str) -> Result<Vec<u8>, &'static str> {
        let got = wait(async {
            let mut client = self.client()?;
            client.refresh(day(1)).await?;
            client.target(path, day(1)).await
        });
        got.map_err(|error| error.code())
    }

    /// What the client remembers.
    pub fn memory(&self, file: &str) -> std::path::PathBuf {
        self.folder.path().join("client").join(file)
    }
}

pub fn pin(value: &Value, bytes: &[u8]) -> Value {
    json!({ "version": value["version"], "length": bytes.len(), "hashes": { "sha256": hex(&Sha256::digest(bytes)) } })
}

fn quoted(name: &str) -> String {
    name.bytes().fold(String::new(), |mut text, byte| {
        match byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            true => text.push(char::from(byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}
