//! Changing what is installed. Every change has the same end: what is new is fetched, checked, compiled and asked who it is, and only then
//! the lock is exchanged, once, for all of it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bench_grants::AskedNeeds;
use bench_registry::{Channel, DataNeeded, Guard, ItemKind, ItemName, Lock, Locked, PluginNeeds};
use jiff::Timestamp;
use semver::{Version, VersionReq};
use serde::Serialize;

use crate::config::{Follow, Source};
use crate::error::InstallError;
use crate::fetch::{Fetch, Progress};
use crate::files::{Disk, FileOps};
use crate::home::Home;
use crate::prove::Prover;
use crate::pull::origin;
use crate::reader::{Offered, Reader as _, TufReader};
use crate::request::{Request, Wanted};
use crate::resolve::{Want, choose};

/// Downloads at once.
const AT_ONCE: usize = 8;

/// How to go about it.
#[derive(Clone)]
pub struct Options {
    /// What time it is.
    pub now: Timestamp,
    /// This host's version.
    pub host: Version,
    /// Whether previews are welcome.
    pub channel: Channel,
    /// Ask nobody; what was fetched before has to do.
    pub offline: bool,
    /// The lock may not change.
    pub frozen: bool,
    /// Hears of downloads.
    pub progress: Progress,
    /// Called when another process is at work.
    pub waiting: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("now", &self.now).field("host", &self.host).finish_non_exhaustive()
    }
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it is.
    pub kind: ItemKind,
    /// Its name.
    pub name: ItemName,
    /// The version before.
    pub from: Option<Version>,
    /// The version now.
    pub to: Option<Version>,
    /// The registry.
    pub registry: String,
}

/// Something worth knowing that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Stable identifier.
    pub code: String,
    /// A sentence.
    pub text: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Note {
    pub(crate) fn of(error: &InstallError) -> Self {
        Self { code: error.code().to_owned(), text: error.to_string(), hint: error.hint() }
    }
}

/// What a change came to.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// What changed, or would.
    pub changes: Vec<Change>,
    /// What else there is to say.
    pub notes: Vec<Note>,
    /// What changed plugins ask for and were not granted.
    pub asks: Vec<AskedNeeds>,
    /// Registries that could not be asked. What others have was done all the same.
    pub failures: Vec<Note>,
}

/// One item with where to get it.
pub(crate) struct Pick {
    pub source: usize,
    pub offered: Offered,
    pub locked: Locked,
}

/// Changes an installation.
#[derive(Debug)]
pub struct Installer {
    pub(crate) home: Home,
    pub(crate) sources: Vec<Source>,
    pub(crate) files: Arc<dyn FileOps>,
    pub(crate) options: Options,
    /// Readers that have been refreshed, by place in `sources`.
    pub(crate) readers: BTreeMap<usize, TufReader>,
    /// How OCI registries are asked.
    pub(crate) oci: bench_oci::Settings,
}

impl Installer {
    /// One over the disk.
    #[must_use]
    pub fn new(home: Home, sources: Vec<Source>, options: Options) -> Self {
        Self::over(home, sources, options, Arc::new(Disk))
    }

    /// One over other files.
    #[must_use]
    pub fn over(home: Home, sources: Vec<Source>, options: Options, files: Arc<dyn FileOps>) -> Self {
        Self { home, sources, files, options, readers: BTreeMap::new(), oci: bench_oci::Settings::default() }
    }

    /// The same with other ways to ask OCI registries than the user's own.
    #[must_use]
    pub fn asking_oci(self, oci: bench_oci::Settings) -> Self {
        Self { oci, ..self }
    }

    /// Installs items. Those that are installed already change to what is asked for.
    ///
    /// # Errors
    /// See [`InstallError`]; nothing is installed then.
    pub async fn add(&mut self, wanted: &[impl Into<Wanted> + Clone]) -> Result<Outcome, InstallError> {
        let guard = self.guard()?;
        let mut lock = Lock::read(&self.home.lock)?;
        let mut picks = Vec::new();
        let mut references = Vec::new();
        for wanted in wanted {
            match wanted.clone().into() {
                Wanted::Named(request) => picks.push(self.find(&request, &lock).await?),
                Wanted::Pulled(reference) => references.push(reference),
            }
        }
        let before = lock.clone();
        for pick in &picks {
            lock.put(pick.locked.clone());
        }
        // After the others, whose names come first.
        let mut notes = Vec::new();
        for reference in &references {
            lock.put(self.pull(reference, &lock, &mut notes).await?);
        }
        let outcome = self.apply(&guard, &before, &lock, picks).await?;
        Ok(Outcome { notes, ..outcome })
    }

    /// Takes items out of the lock. Their bytes stay, since the set before may still need them.
    ///
    /// # Errors
    /// When one is not installed, or files cannot be written.
    pub async fn remove(&mut self, requests: &[Request]) -> Result<Outcome, InstallError> {
        let guard = self.guard()?;
        let before = Lock::read(&self.home.lock)?;
        let mut lock = before.clone();
        for request in requests {
            let kind = self.installed(request, &lock)?.kind;
            lock.remove(kind, request.name.as_str());
        }
        self.apply(&guard, &before, &lock, Vec::new()).await
    }

    /// Keeps items at their versions when others are updated, or lets them go again.
    ///
    /// # Errors
    /// When one is not installed, or files cannot be written.
    pub async fn pin(&mut self, requests: &[Request], pinned: bool) -> Result<Outcome, InstallError> {
        let guard = self.guard()?;
        let before = Lock::read(&self.home.lock)?;
        let mut lock = before.clone();
        for request in requests {
            let item = self.installed(request, &lock)?.clone();
            lock.put(Locked { pinned, ..item });
        }
        self.apply(&guard, &before, &lock, Vec::new()).await
    }

    /// Brings what is installed up to date within what was asked for, and what registries are followed for. With names, these alone.
    ///
    /// # Errors
    /// With names, whatever goes wrong. Without, a registry that fails is noted and the others are gone through.
    pub async fn update(&mut self, requests: &[Request]) -> Result<Outcome, InstallError> {
        let guard = self.guard()?;
        let before = Lock::read(&self.home.lock)?;
        let mut outcome = Outcome::default();
        let mut picks = self.newer(&before, requests, &mut outcome).await?;
        self.settle_needs(&mut picks).await?;
        let picks = self.hold_back(&before, picks, &mut outcome.notes)?;
        let mut lock = before.clone();
        for pick in &picks {
            lock.put(pick.locked.clone());
        }
        let applied = self.apply(&guard, &before, &lock, picks).await?;
        (outcome.changes, outcome.asks) = (applied.changes, applied.asks);
        Ok(outcome)
    }

    /// Fetches what the lock lists and is not here: its digests say what it has to be.
    ///
    /// # Errors
    /// See [`InstallError`].
    pub async fn sync(&mut self) -> Result<Outcome, InstallError> {
        let _guard = self.guard()?;
        let lock = Lock::read(&self.home.lock)?;
        let mut outcome = Outcome::default();
        let mut picks = Vec::new();
        for item in lock.items() {
            if item.stored().all(|(sha256, bytes)| self.home.store().read(sha256, bytes).is_ok()) {
                continue;
            }
            let what = format!("{} {}", item.kind, item.name);
            if self.options.offline {
                return Err(InstallError::Offline { what });
            }
            if let Some(reference) = origin(item) {
                self.pull_again(&reference, item).await?;
                outcome.changes.push(change(item, None, Some(&item.version)));
                continue;
            }
            let source = self.source(&item.registry)?;
            let path =
                bench_registry::ItemPath { kind: item.kind, name: item.name.clone(), version: item.version.clone() };
            let now = self.options.now;
            let offered = self.reader(source).await?.confirm(&path, now).await?;
            let offered = offered.filter(|offered| {
                offered.sha256 == item.sha256 && offered.bytes == item.bytes && offered.release.data == item.data
            });
            let offered = offered
                .ok_or_else(|| InstallError::Unknown { what: format!("{what} {} as the lock has it", item.version) })?;
            outcome.changes.push(change(item, None, Some(&item.version)));
            picks.push(Pick { source, offered, locked: item.clone() });
        }
        self.fetch(&picks).await?;
        self.prove(&picks)?;
        Ok(outcome)
    }

    /// Returns to the set before the last change.
    ///
    /// # Errors
    /// When there is none, or its bytes are not here any more.
    pub fn rollback(&mut self) -> Result<Outcome, InstallError> {
        let _guard = self.guard()?;
        let path = self.home.previous();
        if !path.is_file() {
            return Err(InstallError::NothingBefore);
        }
        let previous = Lock::read(&path)?;
        for (sha256, bytes) in previous.items().iter().flat_map(Locked::stored) {
            self.home.store().read(sha256, bytes)?;
        }
        let before = match Lock::read(&self.home.lock) {
            Ok(before) => {
                self.home.exchange(&*self.files, &previous)?;
                before
            }
            // A lock that cannot be read is nothing that anybody would return to.
            Err(_) => {
                self.home.restore(&*self.files, &previous)?;
                Lock::default()
            }
        };
        Ok(Outcome { changes: changes(&before, &previous), ..Outcome::default() })
    }

    /// Fetches, proves and exchanges. Nothing is exchanged when nothing changes.
    async fn apply(
        &mut self,
        _guard: &Guard,
        before: &Lock,
        after: &Lock,
        picks: Vec<Pick>,
    ) -> Result<Outcome, InstallError> {
        let changes = changes(before, after);
        if self.options.frozen && before != after {
            let what = changes
                .first()
                .map_or_else(|| "what is asked for".to_owned(), |change| format!("{} {}", change.kind, change.name));
            return Err(InstallError::Frozen { what });
        }
        self.fetch(&picks).await?;
        let mut after = after.clone();
        for (pick, needs) in picks.iter().zip(self.prove(&picks)?) {
            if let Some(item) = after.get(pick.locked.kind, pick.locked.name.as_str()).cloned() {
                after.put(Locked { needs: needs.filter(|needs| !needs.is_empty()), ..item });
            }
        }
        self.grant_fixed(&picks)?;
        if *before != after {
            self.home.exchange(&*self.files, &after)?;
        }
        let asks = self.missing_grants(&changes, &after)?;
        Ok(Outcome { changes, asks, ..Outcome::default() })
    }

    pub(crate) async fn fetch(&self, picks: &[Pick]) -> Result<(), InstallError> {
        if !picks.is_empty() {
            self.home.remember(&*self.files)?;
        }
        let mut left = Vec::new();
        let mut seen = Vec::new();
        for (pick, piece) in picks.iter().flat_map(|pick| pick.offered.pieces().into_iter().map(move |it| (pick, it))) {
            let known = self.home.store().read(&piece.sha256, piece.bytes).is_ok();
            if known || seen.contains(&piece.sha256) {
                continue;
            }
            if self.options.offline {
                let release = &pick.offered.release;
                return Err(InstallError::Offline {
                    what: format!("{} {} {}", release.kind, release.name, release.version),
                });
            }
            seen.push(piece.sha256.clone());
            let source = &self.sources[pick.source];
            left.push(Fetch {
                registry: source.name.clone(),
                transport: Arc::clone(&source.transport),
                files: Arc::clone(&self.files),
                store: self.home.store(),
                piece,
                progress: Arc::clone(&self.options.progress),
            });
        }
        let mut running = tokio::task::JoinSet::new();
        let mut left = left.into_iter();
        loop {
            while running.len() < AT_ONCE {
                let Some(fetch) = left.next() else { break };
                running.spawn(async move { fetch.run().await });
            }
            match running.join_next().await {
                None => return Ok(()),
                // The others end with the set; what they have got so far is kept for the next time.
                Some(Ok(fetched)) => fetched?,
                Some(Err(error)) => {
                    return Err(InstallError::Io { path: self.home.data.clone(), error: std::io::Error::other(error) });
                }
            }
        }
    }

    /// Checks what was fetched. Gives what each plugin asks for.
    pub(crate) fn prove(&self, picks: &[Pick]) -> Result<Vec<Option<PluginNeeds>>, InstallError> {
        let prover = Prover::new(self.compiled());
        let mut needs = Vec::new();
        for pick in picks {
            let store = self.home.store();
            let bytes = store.read(&pick.offered.sha256, pick.offered.bytes)?;
            let read = |data: &DataNeeded| Ok((data.name.clone(), store.read(&data.sha256, data.bytes)?));
            let data = pick.offered.release.data.iter().map(read).collect::<Result<_, InstallError>>()?;
            needs.push(prover.prove(&pick.offered, &bytes, data)?);
        }
        Ok(needs)
    }

    pub(crate) fn compiled(&self) -> PathBuf {
        self.home.cache.join("compiled")
    }

    pub(crate) fn guard(&self) -> Result<Guard, InstallError> {
        self.home.guard(&*self.options.waiting)
    }

    /// The one installed item that a request means.
    fn installed<'l>(&self, request: &Request, lock: &'l Lock) -> Result<&'l Locked, InstallError> {
        let fits = |item: &&Locked| item.name == request.name && request.kind.is_none_or(|kind| kind == item.kind);
        let found: Vec<&Locked> = lock.items().iter().filter(fits).collect();
        match found.as_slice() {
            [] => Err(InstallError::NotInstalled { what: request.to_string() }),
            [item] => Ok(item),
            several => Err(InstallError::Ambiguous {
                name: request.name.to_string(),
                kinds: several.iter().map(|item| item.kind.to_string()).collect(),
            }),
        }
    }

    pub(crate) fn source(&self, name: &str) -> Result<usize, InstallError> {
        let place = self.sources.iter().position(|source| source.name == name);
        place.ok_or_else(|| InstallError::UnknownRegistry { registry: name.to_owned() })
    }

    /// The reader of a registry, refreshed once.
    pub(crate) async fn reader(&mut self, source: usize) -> Result<&mut TufReader, InstallError> {
        if !self.readers.contains_key(&source) {
            let Source { name, root, transport, .. } = &self.sources[source];
            let folder = self.home.metadata(name);
            let files = Arc::clone(&self.files);
            let mut reader = if self.options.offline {
                TufReader::offline(name, root, files, &folder)?
            } else {
                TufReader::new(name, root, Arc::clone(transport), files, &folder)?
            };
            reader.refresh(self.options.now).await?;
            self.readers.insert(source, reader);
        }
        self.readers.get_mut(&source).ok_or(InstallError::NoRegistry)
    }

    pub(crate) fn want(&self, range: &VersionReq) -> Want {
        Want { range: range.clone(), host: self.options.host.clone(), channel: self.options.channel }
    }

    /// The version that a request means, from the first registry that has the name.
    async fn find(&mut self, request: &Request, lock: &Lock) -> Result<Pick, InstallError> {
        if self.sources.is_empty() {
            return Err(InstallError::NoRegistry);
        }
        let fixed = request.registry.as_deref().map(|name| self.source(name)).transpose()?;
        let plugins: Vec<ItemKind> = ItemKind::ALL.into_iter().filter(|kind| kind.plugin().is_some()).collect();
        let kinds = request.kind.map_or(plugins, |kind| vec![kind]);
        for place in fixed.map_or(0..self.sources.len(), |place| place..place + 1) {
            let now = self.options.now;
            let mut found = Vec::new();
            for kind in &kinds {
                let versions = self.reader(place).await?.versions(*kind, &request.name, now).await?;
                if !versions.is_empty() {
                    found.push((*kind, versions));
                }
            }
            match found.as_slice() {
                [] => {}
                [(kind, versions)] => {
                    return self.pick(place, *kind, &request.name, request.range.as_ref(), versions, lock).await;
                }
                several => {
                    let kinds = several.iter().map(|(kind, _)| kind.to_string()).collect();
                    return Err(InstallError::Ambiguous { name: request.name.to_string(), kinds });
                }
            }
        }
        Err(InstallError::Unknown { what: request.to_string() })
    }

    /// The best version of `versions` that the registry stands by.
    pub(crate) async fn pick(
        &mut self,
        place: usize,
        kind: ItemKind,
        name: &ItemName,
        range: Option<&VersionReq>,
        versions: &[Offered],
        lock: &Lock,
    ) -> Result<Pick, InstallError> {
        let what = format!("{kind} {name}");
        let range_or_any = range.cloned().unwrap_or(VersionReq::STAR);
        let chosen = choose(versions, &self.want(&range_or_any), &what)?;
        let now = self.options.now;
        let registry = self.sources[place].name.clone();
        let confirmed = self.reader(place).await?.confirm(&chosen.release.path(), now).await?;
        let offered = confirmed.filter(|confirmed| confirmed == chosen).ok_or_else(|| InstallError::Untrusted {
            registry: registry.clone(),
            detail: format!("{} is listed by a role that may not speak for it", chosen.release.path()),
        })?;
        for data in &offered.release.data {
            let path = data.path(kind, name);
            if !self.reader(place).await?.lists(&path, &data.sha256, data.bytes, now).await? {
                let (version, data) = (offered.release.version.to_string(), data.name.clone());
                return Err(InstallError::DataMissing { what, version, data });
            }
        }
        // Without a range the user means this and what is compatible with it.
        let wanted = range.cloned().unwrap_or_else(|| compatible(&offered.release.version));
        let mut locked = Locked::of(&offered.release, &registry, &offered.sha256, offered.bytes, wanted);
        let installed = lock.get(kind, name.as_str());
        locked.pinned = installed.is_some_and(|item| item.pinned);
        // What the same component asks for is known from when it was installed.
        let same = installed.filter(|item| item.sha256 == locked.sha256);
        locked.needs = locked.needs.or_else(|| same.and_then(|item| item.needs.clone()));
        Ok(Pick { source: place, offered, locked })
    }

    pub(crate) fn follows(&self, place: usize) -> Follow {
        self.sources[place].follow
    }
}

/// The versions that a user means who names none: this one and those that call themselves compatible.
fn compatible(version: &Version) -> VersionReq {
    VersionReq::parse(&format!("^{version}")).unwrap_or(VersionReq::STAR)
}

pub(crate) fn change(item: &Locked, from: Option<&Version>, to: Option<&Version>) -> Change {
    Change {
        kind: item.kind,
        name: item.name.clone(),
        from: from.cloned(),
        to: to.cloned(),
        registry: item.registry.clone(),
    }
}

/// What is different between two locks.
pub(crate) fn changes(before: &Lock, after: &Lock) -> Vec<Change> {
    let mut changes = Vec::new();
    for item in after.items() {
        let old = before.get(item.kind, item.name.as_str());
        if old.is_none_or(|old| old.sha256 != item.sha256 || old.version != item.version) {
            changes.push(change(item, old.map(|old| &old.version), Some(&item.version)));
        }
    }
    let gone = before.items().iter().filter(|item| after.get(item.kind, item.name.as_str()).is_none());
    changes.extend(gone.map(|item| change(item, Some(&item.version), None)));
    changes
}
