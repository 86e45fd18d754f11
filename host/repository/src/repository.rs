//! A registry that is being changed. Changes are made in memory, then signed all together, then written: new files under new names
//! first, and last the timestamp, from which a reader finds everything else. Whoever reads in between, and whoever comes back
//! after a crash, finds the registry as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use bench_registry::{Entry, Guard, ItemPath, Release};
use jiff::Timestamp;
use tough::schema::{
    Delegations, Hashes, Metafile, RoleKeys, RoleType, Root, Signed, Snapshot, Targets, Timestamp as TimestampRole,
};

use crate::document::{self, Authority, SPEC_VERSION};
use crate::error::{RepositoryError, at};
use crate::files;
use crate::keys::{Keys, PublicKey};
use crate::load::{self, METADATA, TARGETS};
use crate::policy::{Policy, after, positive};

/// The role that signs what is the registry's own.
pub(crate) const TOP: &str = "targets";
/// The folder of the index below `targets/`.
pub(crate) const INDEX_FOLDER: &str = "index/";
/// The delegated role that signs the index alone, where there is one.
pub(crate) const INDEX_ROLE: &str = "index";

/// A registry on this disk, seen by its owner.
#[derive(Debug)]
pub struct Repository {
    folder: PathBuf,
    policy: Policy,
    pub(crate) root: Signed<Root>,
    pub(crate) targets: Targets,
    /// Delegated roles that have something to sign, by name.
    pub(crate) roles: BTreeMap<String, Targets>,
    /// Last signed forms, for roles that stay as they are.
    signed: BTreeMap<String, Signed<Targets>>,
    snapshot_version: u64,
    timestamp_version: u64,
    /// Files to write before the metadata, by path below `targets/`.
    blobs: BTreeMap<String, Vec<u8>>,
    /// Whether there is a root that was not written yet.
    new_root: bool,
    /// Nobody else changes it meanwhile.
    _guard: Guard,
}

impl Repository {
    /// Makes a registry in a folder: root, targets, snapshot and timestamp, each with the keys that are named after it, and a role for
    /// the index where there is a key of that name.
    ///
    /// # Errors
    /// When something is there, keys are missing, or files cannot be written.
    pub fn init(folder: &Path, keys: &Keys, policy: &Policy, now: Timestamp) -> Result<Self, RepositoryError> {
        fs::create_dir_all(folder).map_err(at(folder))?;
        let guard = guard(folder, &|| {})?;
        if folder.join(METADATA).exists() {
            return Err(RepositoryError::Exists { path: folder.to_owned() });
        }
        let mut root = Root {
            spec_version: SPEC_VERSION.to_owned(),
            consistent_snapshot: true,
            version: positive(1),
            expires: after(now, policy.root_days),
            keys: Default::default(),
            roles: Default::default(),
            _extra: Default::default(),
        };
        let top = [
            (RoleType::Root, policy.root_threshold),
            (RoleType::Targets, policy.targets_threshold),
            (RoleType::Snapshot, 1),
            (RoleType::Timestamp, 1),
        ];
        for (role, threshold) in top {
            let name = role.to_string();
            let of_role: Vec<&PublicKey> = keys.of_role(&name).map(crate::SigningKey::public).collect();
            if (of_role.len() as u64) < threshold {
                return Err(RepositoryError::TooFewKeys { role: role.to_string(), keys: of_role.len(), threshold });
            }
            root.keys.extend(of_role.iter().map(|key| (key.id.clone(), key.key.clone())));
            let keyids = of_role.iter().map(|key| key.id.clone()).collect();
            root.roles.insert(role, RoleKeys { keyids, threshold: positive(threshold), _extra: Default::default() });
        }
        let root = sign_root(root, None, keys)?;
        let mut targets = new_targets(after(now, policy.targets_days));
        let index_keys: Vec<PublicKey> = keys.of_role(INDEX_ROLE).map(|key| key.public().clone()).collect();
        if !index_keys.is_empty() {
            crate::roles::put_role(&mut targets, INDEX_ROLE, vec!["index/*".to_owned()], &index_keys, 1)?;
        }
        let mut repository = Self {
            folder: folder.to_owned(),
            policy: policy.clone(),
            root,
            targets,
            roles: BTreeMap::new(),
            signed: BTreeMap::new(),
            snapshot_version: 0,
            timestamp_version: 0,
            blobs: BTreeMap::new(),
            new_root: true,
            _guard: guard,
        };
        repository.put_index()?;
        repository.seal(keys, now)?;
        policy.write(folder)?;
        Ok(repository)
    }

    /// Opens a registry to change it, checking every signature on the way. Until it is dropped nobody else can: whoever tries waits.
    /// `waiting` is called once when that is us.
    ///
    /// # Errors
    /// [`RepositoryError::BadMetadata`] for whatever is not as it was signed.
    pub fn open(folder: &Path, waiting: &dyn Fn()) -> Result<Self, RepositoryError> {
        // Where no registry is, nothing is left behind.
        load::root_versions(&folder.join(METADATA))?;
        let guard = guard(folder, waiting)?;
        load::finish(folder)?;
        let loaded = load::load(folder)?;
        let mut signed = loaded.roles;
        let roles = signed.iter().map(|(name, role)| (name.clone(), role.signed.clone())).collect();
        let targets = loaded.targets.signed.clone();
        signed.insert(TOP.to_owned(), loaded.targets);
        Ok(Self {
            folder: folder.to_owned(),
            policy: Policy::read(folder)?,
            root: loaded.root,
            targets,
            roles,
            signed,
            snapshot_version: loaded.snapshot.signed.version.get(),
            timestamp_version: loaded.timestamp.signed.version.get(),
            blobs: BTreeMap::new(),
            new_root: false,
            _guard: guard,
        })
    }

    /// The registry's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The latest root, as it is pinned in clients.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn root_bytes(&self) -> Result<Vec<u8>, RepositoryError> {
        files::read(&self.folder.join(METADATA).join(format!("{}.root.json", self.root.signed.version)), 1 << 20)
    }

    /// Everything that is listed, by path.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> =
            std::iter::once(&self.targets).chain(self.roles.values()).flat_map(entries_of).collect();
        entries.sort_by_key(|entry| entry.release.path());
        entries
    }

    /// The role of this name.
    pub(crate) fn role_mut(&mut self, name: &str, now: Timestamp) -> Result<&mut Targets, RepositoryError> {
        if name == TOP {
            return Ok(&mut self.targets);
        }
        self.delegation(name)?;
        let expires = after(now, self.policy.publisher_days);
        Ok(self.roles.entry(name.to_owned()).or_insert_with(|| new_targets_plain(expires)))
    }

    pub(crate) fn delegations(&self) -> Option<&Delegations> {
        self.targets.delegations.as_ref()
    }

    pub(crate) fn delegation(&self, name: &str) -> Result<&tough::schema::DelegatedRole, RepositoryError> {
        let mut roles = self.delegations().into_iter().flat_map(|delegations| &delegations.roles);
        roles.find(|role| role.name == name).ok_or_else(|| RepositoryError::UnknownRole { role: name.to_owned() })
    }

    /// Remembers a file to be written with the next seal. Its name begins with its digest, so that a new one never replaces an old one
    /// under a reader's eyes.
    pub(crate) fn put_blob(&mut self, path: &str, bytes: Vec<u8>) {
        let sha256 = bench_registry::hex(digest(&SHA256, &bytes).as_ref());
        let file = if self.policy.plain_targets { path.to_owned() } else { prefixed(path, &sha256) };
        self.blobs.insert(file, bytes);
    }

    pub(crate) fn replace_root(&mut self, root: Signed<Root>) {
        self.root = root;
        self.new_root = true;
    }

    /// Signs what has changed, then snapshot and timestamp, and writes all of it. With nothing changed it extends the online roles, and
    /// with their keys at hand the others too when they are past half their life.
    pub(crate) fn seal(&mut self, keys: &Keys, now: Timestamp) -> Result<(), RepositoryError> {
        let mut writes: Vec<(String, Vec<u8>)> = Vec::new();
        let mut meta = std::collections::HashMap::new();
        let names: Vec<String> = std::iter::once(TOP.to_owned()).chain(self.roles.keys().cloned()).collect();
        for name in names {
            let role = self.signed_role(&name, keys, now)?;
            let bytes = document::bytes(&role)?;
            meta.insert(format!("{name}.json"), metafile(role.signed.version.get(), &bytes));
            writes.push((format!("{}.{name}.json", role.signed.version), bytes));
            self.keep(&name, role);
        }
        let mut snapshot = Snapshot::new(
            SPEC_VERSION.to_owned(),
            positive(self.snapshot_version + 1),
            after(now, self.policy.snapshot_days),
        );
        snapshot.meta = meta;
        let snapshot = self.sign_top(snapshot, RoleType::Snapshot, keys)?;
        let bytes = document::bytes(&snapshot)?;
        let mut timestamp = TimestampRole::new(
            SPEC_VERSION.to_owned(),
            positive(self.timestamp_version + 1),
            after(now, self.policy.timestamp_days),
        );
        timestamp.meta.insert("snapshot.json".to_owned(), metafile(self.snapshot_version + 1, &bytes));
        writes.push((format!("{}.snapshot.json", self.snapshot_version + 1), bytes));
        let timestamp = self.sign_top(timestamp, RoleType::Timestamp, keys)?;
        let timestamp = document::bytes(&timestamp)?;
        // Readers take a new root as soon as it is there, and hold the timestamp to it: it comes as late as can be, and what belongs to it
        // is on the disk before, so that whoever opens a registry that lacks it can put it there.
        let next = self.folder.join(load::next_timestamp(self.root.signed.version.get()));
        if self.new_root {
            writes.push((format!("{}.root.json", self.root.signed.version), document::bytes(&self.root)?));
        }
        writes.push(("timestamp.json".to_owned(), timestamp.clone()));
        // Everything is signed; from here on only files are written.
        for (path, bytes) in std::mem::take(&mut self.blobs) {
            let path = self.folder.join(TARGETS).join(path);
            if self.policy.plain_targets || !path.is_file() {
                files::write(&path, &bytes)?;
            }
        }
        if self.new_root {
            files::write(&next, &timestamp)?;
        }
        for (name, bytes) in writes {
            files::write(&self.folder.join(METADATA).join(name), &bytes)?;
        }
        if self.new_root {
            std::fs::remove_file(&next).map_err(at(&next))?;
        }
        self.snapshot_version += 1;
        self.timestamp_version += 1;
        self.new_root = false;
        Ok(())
    }

    /// The signed form of a role: the last one if it says the same, has half its life before it and is signed by today's keys, else a
    /// new one.
    fn signed_role(&self, name: &str, keys: &Keys, now: Timestamp) -> Result<Signed<Targets>, RepositoryError> {
        let days = if name == TOP { self.policy.targets_days } else { self.policy.publisher_days };
        let current = if name == TOP { &self.targets } else { self.roles.get(name).unwrap_or(&self.targets) };
        let last = self.signed.get(name);
        let delegated;
        let (ids, threshold) = if name == TOP {
            let role = self.root.signed.roles.get(&RoleType::Targets);
            role.map(|role| (role.keyids.as_slice(), role.threshold.get())).unwrap_or_default()
        } else {
            delegated = self.delegation(name)?;
            (delegated.keyids.as_slice(), delegated.threshold.get())
        };
        if let Some(last) = last {
            let verified = if name == TOP {
                self.root.signed.verify_role(last).is_ok()
            } else {
                self.delegations().is_some_and(|delegations| delegations.verify_role(last, name).is_ok())
            };
            let fresh = last.signed.expires > after(now, days / 2);
            let can_sign = ids.iter().filter(|id| keys.find(id).is_some()).count() as u64 >= threshold;
            if verified && last.signed == *current && (fresh || !can_sign) {
                return Ok(last.clone());
            }
        }
        let mut next = current.clone();
        next.version = positive(last.map_or(1, |last| last.signed.version.get() + 1));
        next.expires = after(now, days);
        document::sign(next, &[Authority { role: name, ids, threshold }], keys)
    }

    fn keep(&mut self, name: &str, role: Signed<Targets>) {
        if name == TOP {
            self.targets = role.signed.clone();
        } else {
            self.roles.insert(name.to_owned(), role.signed.clone());
        }
        self.signed.insert(name.to_owned(), role);
    }

    fn sign_top<T: tough::schema::Role + serde::Serialize>(
        &self,
        role: T,
        kind: RoleType,
        keys: &Keys,
    ) -> Result<Signed<T>, RepositoryError> {
        let authority = authority(&self.root.signed, kind)?;
        let name = kind.to_string();
        document::sign(
            role,
            &[Authority { role: &name, ids: &authority.keyids, threshold: authority.threshold.get() }],
            keys,
        )
    }

    /// Removes files that the current metadata does not name: replaced snapshots and lists, and targets that nothing lists any more.
    /// For a registry of files; under a served one, clients in the middle of a refresh may still ask for them.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn tidy(&self) -> Result<(), RepositoryError> {
        let mut metadata: Vec<String> =
            vec!["timestamp.json".to_owned(), format!("{}.snapshot.json", self.snapshot_version)];
        metadata.extend(self.signed.iter().map(|(name, role)| format!("{}.{name}.json", role.signed.version)));
        let stale_metadata = |name: &str| !metadata.iter().any(|kept| kept == name) && !name.ends_with(".root.json");
        remove_files(&self.folder.join(METADATA), "", &stale_metadata)?;
        let listed = self.target_files();
        remove_files(&self.folder.join(TARGETS), "", &|path: &str| !listed.iter().any(|kept| kept == path))
    }

    /// The files of everything that is listed, below `targets/`.
    pub(crate) fn target_files(&self) -> Vec<String> {
        let listed = std::iter::once(&self.targets).chain(self.roles.values()).flat_map(|role| &role.targets);
        listed
            .map(|(name, target)| located(&self.folder, name.raw(), &bench_registry::hex(&target.hashes.sha256)))
            .collect()
    }

    /// Removes files below `targets/`. That one is gone already is fine.
    pub(crate) fn remove_targets(&self, names: impl Iterator<Item = String>) -> Result<(), RepositoryError> {
        for name in names {
            let path = self.folder.join(TARGETS).join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(&path)(error)),
                _ => {}
            }
        }
        Ok(())
    }
}

fn remove_files(folder: &Path, prefix: &str, stale: &dyn Fn(&str) -> bool) -> Result<(), RepositoryError> {
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            remove_files(&path, &format!("{name}/"), stale)?;
        } else if stale(&name) {
            fs::remove_file(&path).map_err(at(&path))?;
        }
    }
    Ok(())
}

/// Signs a root by its own keys, and where it follows another by that one's too.
pub(crate) fn sign_root(root: Root, before: Option<&Root>, keys: &Keys) -> Result<Signed<Root>, RepositoryError> {
    let own = authority(&root, RoleType::Root)?.clone();
    let older = before.map(|before| authority(before, RoleType::Root).cloned()).transpose()?;
    let mut authorities = vec![Authority { role: "root", ids: &own.keyids, threshold: own.threshold.get() }];
    if let Some(older) = &older {
        authorities.push(Authority { role: "root", ids: &older.keyids, threshold: older.threshold.get() });
    }
    document::sign(root, &authorities, keys)
}

pub(crate) fn authority(root: &Root, role: RoleType) -> Result<&RoleKeys, RepositoryError> {
    root.roles.get(&role).ok_or_else(|| RepositoryError::UnknownRole { role: role.to_string() })
}

fn new_targets(expires: Timestamp) -> Targets {
    Targets::new(SPEC_VERSION.to_owned(), positive(1), expires)
}

/// A list that delegates nothing further.
fn new_targets_plain(expires: Timestamp) -> Targets {
    Targets { delegations: None, ..new_targets(expires) }
}

fn metafile(version: u64, bytes: &[u8]) -> Metafile {
    let sha256 = digest(&SHA256, bytes).as_ref().to_vec().into();
    Metafile {
        length: Some(bytes.len() as u64),
        hashes: Some(Hashes { sha256, _extra: Default::default() }),
        version: positive(version),
        _extra: Default::default(),
    }
}

/// Where a target's bytes are: the digest stands before the file's name.
pub(crate) fn prefixed(path: &str, sha256: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/{sha256}.{name}"),
        None => format!("{sha256}.{path}"),
    }
}

/// Where a target's bytes are below `targets/`: under the name with the digest, else under the plain one.
pub(crate) fn located(folder: &Path, path: &str, sha256: &str) -> String {
    let file = prefixed(path, sha256);
    if folder.join(TARGETS).join(&file).is_file() { file } else { path.to_owned() }
}

/// The releases that a role lists. What is no release of ours, such as the index, is left out.
pub(crate) fn entries_of(role: &Targets) -> Vec<Entry> {
    let releases = role.targets.iter().filter_map(|(name, target)| {
        let path = ItemPath::parse(name.raw()).ok()?;
        let custom = serde_json::to_value(&target.custom).ok()?;
        let release: Release =
            serde_json::from_value(custom).ok().filter(|release: &Release| release.path() == path)?;
        Some(Entry { release, sha256: bench_registry::hex(&target.hashes.sha256), bytes: target.length })
    });
    releases.collect()
}

/// Leave to change a registry: one publisher at a time. Two who sign on top of the same metadata would each leave the other's release
/// out, with the same version numbers. Readers need no leave, since what they read is exchanged by one file.
fn guard(folder: &Path, waiting: &dyn Fn()) -> Result<Guard, RepositoryError> {
    let path = folder.join(GUARD_FILE);
    Guard::take(&path, waiting).map_err(at(&path))
}

const GUARD_FILE: &str = "publish.guard";
