//! Publishing: what a registry takes, and what it says of it.

use std::collections::BTreeSet;
use std::path::Path;

use bench_kit::CheckReport;
use bench_plugin::{Host, Kind, Limits};
use bench_registry::{
    Channel, DataNeeded, Entry, INDEX_PATH, Index, ItemKind, ItemName, ItemPath, MOST_DATA, PluginNeeds, Release, pack,
    parse_data_path, read_version,
};
use bench_suite::Suite;
use bench_text::clean_name;
use jiff::Timestamp;
use semver::{Version, VersionReq};
use tough::TargetName;
use tough::schema::{Hashes, Target, Targets};

use crate::error::{RepositoryError, at};
use crate::files;
use crate::keys::Keys;
use crate::repository::{INDEX_FOLDER, INDEX_ROLE, Repository, TOP, entries_of};

/// The largest component: 64 MiB.
pub(crate) const LARGEST_COMPONENT: u64 = 64 << 20;
/// The largest program: 512 MiB.
const LARGEST_PROGRAM: u64 = 512 << 20;

/// What the author says beside the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Under whose name it is published; nobody's is the registry's own.
    pub publisher: Option<String>,
    /// Versions of the host that can use it.
    pub host: VersionReq,
    /// Memory in bytes that it asks for beyond the usual.
    pub memory: Option<u64>,
    /// SPDX expression.
    pub licence: String,
    /// Files of a suite, by their paths in its folder, that are kept beside its archive and not in it: each version that has the same ones
    /// shares them, and they are fetched by digest.
    pub data: Vec<String>,
    /// Who is meant to have it.
    pub channel: Channel,
    /// Take the place of the same version. For versions that nobody has: whoever has one keeps what it was.
    pub replace: bool,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            publisher: None,
            host: VersionReq::STAR,
            memory: None,
            licence: String::new(),
            data: Vec::new(),
            channel: Channel::Stable,
            replace: false,
        }
    }
}

/// Bytes with what is said of them.
#[derive(Debug, Clone)]
pub struct Publication {
    /// What is said.
    pub release: Release,
    /// The item.
    pub bytes: Vec<u8>,
    /// What the release says it needs, in the same order.
    pub data: Vec<Vec<u8>>,
    /// Take the place of the same version.
    pub replace: bool,
}

/// What happened to a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It is new.
    Added,
    /// It took another one's place.
    Replaced,
    /// It was there, byte for byte.
    Unchanged,
}

pub(crate) fn refused(item: &str, reason: impl Into<String>, remedy: &'static str) -> RepositoryError {
    RepositoryError::Refused { item: item.to_owned(), reason: reason.into(), remedy }
}

fn named(publisher: Option<&str>, name: &str) -> Result<ItemName, RepositoryError> {
    Ok(ItemName::parse(&publisher.map_or_else(|| name.to_owned(), |publisher| format!("{publisher}/{name}")))?)
}

/// Looks at a component as the kit does, and makes a publication of it when all of it holds. `cases` are tried where there are any.
///
/// # Errors
/// [`RepositoryError::Refused`] with the first thing that does not hold.
pub fn component(
    host: &Host,
    bytes: Vec<u8>,
    cases: Option<&Path>,
    wish: &Wish,
) -> Result<(Publication, CheckReport), RepositoryError> {
    if let Some(name) = wish.data.first() {
        return Err(refused(name, "a component reads no files", "data belongs to a suite; leave --data out"));
    }
    let report = bench_kit::check(host, &bytes, cases)?;
    if let Some(finding) = report.findings.iter().find(|finding| !finding.ok) {
        return Err(refused(
            "the component",
            format!("{}: {}", finding.name, finding.detail),
            "`bench plugin check` shows the whole of it",
        ));
    }
    let limits = Limits::DEFAULT;
    let unloadable =
        |error: bench_plugin::LoadError| refused("the component", error.to_string(), "`bench plugin check` shows more");
    let plugin = host.load(&bytes, limits).map_err(unloadable)?;
    let about = plugin.about().map_err(unloadable)?;
    let path = ItemPath {
        kind: plugin.contract().kind.into(),
        name: named(wish.publisher.as_deref(), &about.name)?,
        version: read_version(&about.version)?,
    };
    let needs = match plugin.contract().kind {
        Kind::Driver => {
            let mut driver = plugin.driver().map_err(unloadable)?;
            Some(PluginNeeds::ask_driver(&mut driver).map_err(|error| {
                refused("the component", error.to_string(), "docs/security.md says what a plugin may ask for")
            })?)
        }
        Kind::Workload | Kind::Scorer | Kind::Publisher => None,
    };
    let release = Release {
        title: short(&about.title),
        needs,
        world: Some(plugin.contract().world()),
        memory: wish.memory,
        ..wish.release(path)
    };
    Ok((Publication { release, bytes, data: Vec::new(), replace: wish.replace }, report))
}

/// Packs a suite's folder.
///
/// # Errors
/// When the suite does not load, or is another one once it is packed.
pub fn suite(folder: &Path, wish: &Wish) -> Result<Publication, RepositoryError> {
    let suite = Suite::load(folder)?;
    let mut content = bench_registry::Files::new();
    collect(folder, "", &mut content)?;
    if Suite::from_files(&content)?.digest() != suite.digest() {
        return Err(refused("the suite", "its files changed while they were read", "try again"));
    }
    packed(content, &suite, wish)
}

/// The files that are kept beside the archive, taken out of what goes into it.
fn apart(content: &mut bench_registry::Files, wish: &Wish) -> Result<Vec<(DataNeeded, Vec<u8>)>, RepositoryError> {
    if wish.data.len() > MOST_DATA {
        let reason = format!("{} files are to be kept beside it", wish.data.len());
        return Err(refused("the suite", reason, "a suite has at most 64; pack the small ones with it"));
    }
    let take = |name: &String| {
        let bytes = content.remove(name).filter(|_| name != bench_suite::MANIFEST);
        let bytes = bytes.ok_or_else(|| {
            refused(
                name,
                "the suite has no such file to keep beside it",
                "name a file by its path in the suite's folder",
            )
        })?;
        let sha256 = bench_registry::hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes).as_ref());
        Ok((DataNeeded { name: name.clone(), sha256, bytes: bytes.len() as u64 }, bytes))
    };
    wish.data.iter().map(take).collect()
}

fn packed(mut content: bench_registry::Files, suite: &Suite, wish: &Wish) -> Result<Publication, RepositoryError> {
    let manifest = suite.manifest();
    let (needed, data) = apart(&mut content, wish)?.into_iter().unzip();
    let path = ItemPath {
        kind: ItemKind::Suite,
        name: named(wish.publisher.as_deref(), &manifest.name)?,
        version: read_version(&manifest.version.to_string())?,
    };
    let (title, licence) = (short(&manifest.title), manifest.licence.clone());
    let release = Release { title, licence, data: needed, ..wish.release(path) };
    Ok(Publication { release, bytes: pack(&content)?, data, replace: wish.replace })
}

/// The program itself, for one platform.
///
/// # Errors
/// When platform or version cannot stand in a path.
pub fn program(platform: &str, version: &Version, bytes: Vec<u8>, wish: &Wish) -> Result<Publication, RepositoryError> {
    let (name, version) = (named(None, platform)?, read_version(&version.to_string())?);
    let release = Release { host: VersionReq::STAR, ..wish.release(ItemPath { kind: ItemKind::Host, name, version }) };
    Ok(Publication { release, bytes, data: Vec::new(), replace: wish.replace })
}

/// Whatever is at `path`: a component, the folder of a plugin with its `plugin.wasm`, or the folder of a suite.
///
/// # Errors
/// As [`component`] and [`suite`].
pub fn from_path(host: &Host, path: &Path, wish: &Wish) -> Result<Publication, RepositoryError> {
    if path.join(bench_suite::MANIFEST).is_file() {
        return suite(path, wish);
    }
    let (file, folder) =
        if path.is_dir() { (path.join("plugin.wasm"), path) } else { (path.to_owned(), path.parent().unwrap_or(path)) };
    let cases = Some(folder.join("cases")).filter(|cases| cases.is_dir());
    Ok(component(host, files::read(&file, LARGEST_COMPONENT)?, cases.as_deref(), wish)?.0)
}

/// The components and suites that the binary carries, without those that are published byte for byte.
///
/// # Errors
/// As [`component`] and [`suite`].
pub fn carried(host: &Host, published: &[Entry], wish: &Wish) -> Result<Vec<Publication>, RepositoryError> {
    let mut publications = Vec::new();
    for component in bench_registry::components() {
        let path = (ItemKind::from(component.kind), component.name);
        let known = |entry: &&Entry| (entry.release.kind, entry.release.name.as_str()) == path;
        if published.iter().filter(known).any(|entry| entry.sha256 == component.sha256) {
            continue;
        }
        publications.push(self::component(host, component.bytes.to_vec(), None, wish)?.0);
    }
    for suite in bench_registry::suites() {
        let content = suite.files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
        let suite = Suite::from_files(&content)?;
        publications.push(packed(content, &suite, wish)?);
    }
    Ok(publications)
}

/// The program itself, from its file.
///
/// # Errors
/// As [`program`], and when the file cannot be read.
pub fn program_file(platform: &str, version: &str, file: &Path, wish: &Wish) -> Result<Publication, RepositoryError> {
    program(platform, &read_version(version)?, files::read(file, LARGEST_PROGRAM)?, wish)
}

impl Wish {
    /// A release with what is wished for all kinds.
    fn release(&self, path: ItemPath) -> Release {
        let (host, licence) = (self.host.clone(), self.licence.clone());
        Release { host, licence, channel: self.channel, ..Release::new(path) }
    }

    /// Reads the versions of the host as they are typed.
    ///
    /// # Errors
    /// When they are no range.
    pub fn hosts(text: &str) -> Result<VersionReq, RepositoryError> {
        VersionReq::parse(text).map_err(|error| refused(text, error.to_string(), "write a range such as >=0.1, <1"))
    }
}

fn short(text: &str) -> String {
    clean_name(text).to_string()
}

fn collect(folder: &Path, prefix: &str, content: &mut bench_registry::Files) -> Result<(), RepositoryError> {
    for entry in std::fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), content)?;
        } else if name != bench_registry::LOCK_FILE {
            content.insert(name, files::read(&path, 256 << 20)?);
        }
    }
    Ok(())
}

impl Repository {
    /// The path of a release as it is typed.
    ///
    /// # Errors
    /// When it is none.
    pub fn path(text: &str) -> Result<ItemPath, RepositoryError> {
        Ok(ItemPath::parse(text)?)
    }

    /// Publishes, and compares what a plugin takes and gives with the last version that it calls itself compatible with.
    ///
    /// # Errors
    /// As [`Repository::publish`], and [`RepositoryError::Refused`] with what is different.
    pub fn publish_compared(
        &mut self,
        host: &Host,
        items: Vec<Publication>,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<Vec<(ItemPath, Published)>, RepositoryError> {
        for item in &items {
            self.compare_types(host, item)?;
        }
        self.publish(items, keys, now)
    }

    /// Publishes: all of it or nothing. A publisher's items are signed by its own role, the registry's by `targets`. Of plugins it compares
    /// the worlds alone, since it has nobody to look into components.
    ///
    /// # Errors
    /// [`RepositoryError::Refused`] when a release breaks a rule, [`RepositoryError::KeysMissing`] when it cannot be signed.
    pub fn publish(
        &mut self,
        items: Vec<Publication>,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<Vec<(ItemPath, Published)>, RepositoryError> {
        let mut outcome = Vec::new();
        for item in items {
            let path = item.release.path();
            let text = path.to_string();
            let found = self.compare(&item)?;
            outcome.push((path, found));
            if found == Published::Unchanged {
                continue;
            }
            let role = item.release.name.publisher().unwrap_or(TOP).to_owned();
            let target = target(&item)?;
            self.role_mut(&role, now)?.targets.insert(target_name(&text)?, target);
            self.put_blob(&text, item.bytes);
            for (needed, bytes) in item.release.data.iter().zip(item.data) {
                let path = needed.path(item.release.kind, &item.release.name);
                self.role_mut(&role, now)?.targets.insert(target_name(&path)?, plain_target(&bytes));
                self.put_blob(&path, bytes);
            }
        }
        if outcome.iter().any(|(_, found)| *found != Published::Unchanged) {
            self.put_index()?;
            self.seal(keys, now)?;
        }
        Ok(outcome)
    }

    /// Marks a version as one that nobody should install any more, or with `reason` absent takes that back. It stays where it is: who
    /// has it may go on, and is told.
    ///
    /// # Errors
    /// When there is no such version, or keys are missing.
    pub fn yank(
        &mut self,
        path: &ItemPath,
        reason: Option<&str>,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<(), RepositoryError> {
        let unknown = || RepositoryError::UnknownRelease { path: path.to_string() };
        let role = path.name.publisher().unwrap_or(TOP).to_owned();
        let targets = self.role_mut(&role, now)?;
        let target = targets.targets.get_mut(&target_name(&path.to_string())?).ok_or_else(unknown)?;
        match reason {
            Some(reason) => target.custom.insert("yanked".to_owned(), short(reason).into()),
            None => target.custom.remove("yanked"),
        };
        self.put_index()?;
        self.seal(keys, now)
    }

    /// Takes releases off the list, with data that nothing else needs, and then their files away. Clients that have them keep them.
    ///
    /// # Errors
    /// When one is not there, keys are missing, or a file cannot be removed; the list is without them then all the same.
    pub fn withdraw(&mut self, paths: &[ItemPath], keys: &Keys, now: Timestamp) -> Result<(), RepositoryError> {
        if paths.is_empty() {
            return Ok(());
        }
        let before = self.target_files();
        for path in paths {
            let role = path.name.publisher().unwrap_or(TOP).to_owned();
            let name = target_name(&path.to_string())?;
            let gone = self.role_mut(&role, now)?.targets.remove(&name);
            gone.ok_or_else(|| RepositoryError::UnknownRelease { path: path.to_string() })?;
            self.drop_data(&role, now)?;
        }
        self.put_index()?;
        let after = self.target_files();
        self.seal(keys, now)?;
        self.remove_targets(before.into_iter().filter(|file| !after.contains(file) && !file.starts_with(INDEX_FOLDER)))
    }

    /// Takes data off a role's list that none of its releases needs any more.
    fn drop_data(&mut self, role: &str, now: Timestamp) -> Result<(), RepositoryError> {
        let targets = self.role_mut(role, now)?;
        let needed = needed_data(targets);
        targets.targets.retain(|name, _| parse_data_path(name.raw()).is_none() || needed.contains(name.raw()));
        Ok(())
    }

    /// Lists everything in the index: under the role of its own where there is one, else under `targets`.
    pub(crate) fn put_index(&mut self) -> Result<(), RepositoryError> {
        let index = Index { schema: 1, entries: self.entries() };
        let bytes = serde_json::to_vec(&index).map_err(|error| RepositoryError::BadMetadata {
            file: INDEX_PATH.to_owned(),
            problem: error.to_string(),
        })?;
        let name = target_name(INDEX_PATH)?;
        let target = plain_target(&bytes);
        let holder = if self.delegation(INDEX_ROLE).is_ok() { INDEX_ROLE } else { TOP };
        let expires = self.targets.expires;
        let listed = match holder {
            TOP => &mut self.targets.targets,
            _ => &mut self.roles.entry(holder.to_owned()).or_insert_with(|| empty(expires)).targets,
        };
        if listed.insert(name, target.clone()).is_none_or(|before| before != target) {
            self.put_blob(INDEX_PATH, bytes);
        }
        Ok(())
    }
}

/// The paths of the data that a role's releases need.
pub(crate) fn needed_data(targets: &Targets) -> BTreeSet<String> {
    let entries = entries_of(targets);
    let paths = entries.iter().flat_map(|entry| {
        let release = &entry.release;
        release.data.iter().map(|data| data.path(release.kind, &release.name))
    });
    paths.collect()
}

fn empty(expires: Timestamp) -> Targets {
    Targets {
        delegations: None,
        ..Targets::new(crate::document::SPEC_VERSION.to_owned(), crate::policy::positive(1), expires)
    }
}

pub(crate) fn target_name(path: &str) -> Result<TargetName, RepositoryError> {
    TargetName::new(path)
        .map_err(|error| RepositoryError::BadMetadata { file: path.to_owned(), problem: error.to_string() })
}

fn plain_target(bytes: &[u8]) -> Target {
    let sha256 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref().to_vec().into();
    Target {
        length: bytes.len() as u64,
        hashes: Hashes { sha256, _extra: Default::default() },
        custom: Default::default(),
        _extra: Default::default(),
    }
}

fn target(item: &Publication) -> Result<Target, RepositoryError> {
    let bad = |problem: String| RepositoryError::BadMetadata { file: item.release.path().to_string(), problem };
    match serde_json::to_value(&item.release).map_err(|error| bad(error.to_string()))? {
        serde_json::Value::Object(custom) => {
            Ok(Target { custom: custom.into_iter().collect(), ..plain_target(&item.bytes) })
        }
        _ => Err(bad("it is no record".to_owned())),
    }
}
