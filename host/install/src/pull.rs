//! Components from OCI registries. They come by the digest of their manifest and by no tag, pass the checks of any other plugin, and lie
//! in the same store; the manifest does as well, so that what was pulled once is installed again without a network.
//!
//! Nobody signs for their names. So a name that this program carries, that a registry has, or under which something else is installed is
//! not theirs: registries win, and a later installation by name takes the registry's.

use std::sync::Arc;

use bench_oci::{Access, Client, Digest, LARGEST_MANIFEST, Layer, OciError, Reference, SCHEME, expect_name};
use bench_registry::{ItemKind, ItemName, LARGEST_PLUGIN, Lock, Locked, Release, components};
use semver::VersionReq;

use crate::error::{InstallError, at};
use crate::fetch::{Fetch, Piece};
use crate::files::replace;
use crate::installer::{Installer, Note};
use crate::prove::Prover;
use crate::reader::{Reader as _, TufReader};
use crate::transport::{Fetching, Sink, Transport, TransportError, kept};

/// The tag that is meant where none is named, when it is only asked what it points to.
const USUAL_TAG: &str = "latest";

/// The place in an OCI registry that an installed item came from.
pub(crate) fn origin(item: &Locked) -> Option<Reference> {
    item.registry.starts_with(SCHEME).then(|| item.registry.parse().ok()).flatten()
}

impl Installer {
    /// The component at `reference` as it is locked, once it is in the store and has passed all checks.
    pub(crate) async fn pull(
        &mut self,
        reference: &Reference,
        lock: &Lock,
        notes: &mut Vec<Note>,
    ) -> Result<Locked, InstallError> {
        let Some(digest) = reference.digest() else { return Err(self.unpinned(reference).await) };
        let same = |item: &&Locked| {
            origin(item).is_some_and(|known| known.same_repository(reference) && known.digest() == Some(digest))
        };
        let known = lock.items().iter().find(same);
        if let Some(item) = known.filter(|item| self.home.store().read(&item.sha256, item.bytes).is_ok()) {
            return Ok(item.clone());
        }
        if self.options.frozen && known.is_none() {
            return Err(InstallError::Frozen { what: reference.to_string() });
        }
        let layer = self.layer(reference, digest).await?;
        let bytes = self.component(reference, &layer).await?;
        let release = self.identify(reference, &layer, &bytes)?;
        self.expect_free(&release, reference, lock, notes).await?;
        let exactly = VersionReq::parse(&format!("={}", release.version)).unwrap_or(VersionReq::STAR);
        let mut locked = Locked::of(&release, &reference.to_string(), layer.digest.hex(), layer.bytes, exactly);
        locked.pinned = lock.get(release.kind, release.name.as_str()).is_some_and(|item| item.pinned);
        Ok(locked)
    }

    /// Fetches what the lock lists as pulled and is not here. The lock's own digest says what it has to be.
    pub(crate) async fn pull_again(&self, reference: &Reference, item: &Locked) -> Result<(), InstallError> {
        let damaged = || InstallError::UnknownRegistry { registry: item.registry.clone() };
        let layer = Layer { digest: Digest::from_hex(&item.sha256).ok_or_else(damaged)?, bytes: item.bytes };
        let bytes = self.component(reference, &layer).await?;
        let release = self.identify(reference, &layer, &bytes)?;
        if (release.kind, &release.name, &release.version) == (item.kind, &item.name, &item.version) {
            return Ok(());
        }
        let problem = format!("it calls itself {} {} {}", release.kind, release.name, release.version);
        Err(InstallError::Unusable { what: reference.to_string(), problem })
    }

    /// What to say to somebody who names no digest: which one it is at this moment.
    async fn unpinned(&self, reference: &Reference) -> InstallError {
        let pinned = match (self.options.offline, self.client(reference)) {
            (true, _) => Ok(None),
            (false, Ok(client)) => {
                let found = client.digest_of(reference.tag().unwrap_or(USUAL_TAG)).await;
                found.map(|digest| Some(reference.pinned(digest).to_string()))
            }
            (false, Err(error)) => Err(error),
        };
        pinned.map_or_else(Into::into, |pinned| OciError::Unpinned { reference: reference.to_string(), pinned }.into())
    }

    fn client(&self, reference: &Reference) -> Result<Client, OciError> {
        Client::new(reference, Access::Pull, &self.oci)
    }

    fn offline(&self, reference: &Reference) -> Result<(), InstallError> {
        if self.options.offline { Err(InstallError::Offline { what: reference.to_string() }) } else { Ok(()) }
    }

    /// What the manifest names, from the store or else from the registry.
    async fn layer(&self, reference: &Reference, digest: &Digest) -> Result<Layer, InstallError> {
        let what = reference.to_string();
        let place = self.home.store().path(digest.hex());
        let place = place.ok_or_else(|| InstallError::Unknown { what: what.clone() })?;
        let stored = self.files.read(&place, LARGEST_MANIFEST).ok().flatten();
        if let Some(bytes) = stored.filter(|bytes| Digest::of(bytes) == *digest) {
            return Ok(Layer::of_manifest(&bytes, &what, reference.host())?);
        }
        self.offline(reference)?;
        let (bytes, layer) = self.client(reference)?.manifest(digest).await?;
        replace(&*self.files, &place, &bytes).map_err(at(&place))?;
        Ok(layer)
    }

    /// The component's bytes, from the store or else from the registry.
    async fn component(&self, reference: &Reference, layer: &Layer) -> Result<Vec<u8>, InstallError> {
        let (what, host) = (format!("the blob {}", layer.digest), reference.host().to_owned());
        if layer.bytes > LARGEST_PLUGIN {
            return Err(OciError::TooLong { what, host, limit: LARGEST_PLUGIN }.into());
        }
        if let Ok(bytes) = self.home.store().read(layer.digest.hex(), layer.bytes) {
            return Ok(bytes);
        }
        self.offline(reference)?;
        let fetch = Fetch {
            registry: reference.to_string(),
            transport: Arc::new(Pulling { client: self.client(reference)?, layer: layer.clone() }),
            files: Arc::clone(&self.files),
            store: self.home.store(),
            piece: Piece {
                name: format!("{host}/{}", reference.repository()),
                file: layer.digest.to_string(),
                sha256: layer.digest.hex().to_owned(),
                bytes: layer.bytes,
            },
            progress: Arc::clone(&self.options.progress),
        };
        fetch.run().await.map_err(|error| match error {
            // Here it is the manifest and no signature that says what to expect.
            InstallError::Mismatch { detail, .. } => OciError::Mismatch { what, host, problem: detail }.into(),
            other => other,
        })?;
        Ok(self.home.store().read(layer.digest.hex(), layer.bytes)?)
    }

    fn identify(&self, reference: &Reference, layer: &Layer, bytes: &[u8]) -> Result<Release, InstallError> {
        let release = Prover::new(self.compiled()).identify(bytes, layer.digest.hex());
        let release = release.map_err(|problem| InstallError::Unusable { what: reference.to_string(), problem })?;
        expect_name(reference, release.name.as_str())?;
        Ok(release)
    }

    /// Does nobody else have the name?
    async fn expect_free(
        &mut self,
        release: &Release,
        reference: &Reference,
        lock: &Lock,
        notes: &mut Vec<Note>,
    ) -> Result<(), InstallError> {
        let (kind, name) = (release.kind, &release.name);
        let taken = |holder: String| {
            Err(InstallError::NameTaken { reference: reference.to_string(), what: format!("{kind} {name}"), holder })
        };
        if components().iter().any(|it| ItemKind::from(it.kind) == kind && it.name == name.as_str()) {
            return taken("this program carries one of that name".to_owned());
        }
        if let Some(item) = lock.get(kind, name.as_str())
            && !origin(item).is_some_and(|known| known.same_repository(reference))
        {
            return taken(format!("one of that name is installed from {}", item.registry));
        }
        for place in 0..self.sources.len() {
            if self.offers(place, kind, name, notes).await? {
                return taken(format!("the registry `{}` has one of that name", self.sources[place].name));
            }
        }
        Ok(())
    }

    /// Does a registry have the name? One that cannot be reached is asked for what it showed last.
    async fn offers(
        &mut self,
        place: usize,
        kind: ItemKind,
        name: &ItemName,
        notes: &mut Vec<Note>,
    ) -> Result<bool, InstallError> {
        let now = self.options.now;
        let asked = match self.reader(place).await {
            Ok(reader) => reader.versions(kind, name, now).await,
            Err(error) => Err(error),
        };
        let error = match asked {
            Ok(versions) => return Ok(!versions.is_empty()),
            Err(error @ InstallError::Unreachable { .. }) => error,
            Err(error) => return Err(error),
        };
        let source = &self.sources[place];
        let folder = self.home.metadata(&source.name);
        let mut remembered = TufReader::offline(&source.name, &source.root, Arc::clone(&self.files), &folder)?;
        let versions = match remembered.refresh(now).await {
            Ok(()) => remembered.versions(kind, name, now).await,
            Err(error) => Err(error),
        };
        // Who has nothing to remember cannot tell that the name is free.
        let Ok(versions) = versions else { return Err(error) };
        notes.push(Note::of(&error));
        Ok(!versions.is_empty())
    }
}

/// The way to one blob.
#[derive(Debug)]
struct Pulling {
    client: Client,
    layer: Layer,
}

impl Transport for Pulling {
    fn get<'a>(&'a self, _path: &'a str, _limit: u64) -> Fetching<'a, Option<Vec<u8>>> {
        Box::pin(async { Ok(None) })
    }

    fn fetch<'a>(&'a self, path: &'a str, from: u64, _limit: u64, sink: &'a mut dyn Sink) -> Fetching<'a, ()> {
        Box::pin(async move {
            let mut blob = self.client.blob(&self.layer, from).await?;
            sink.begin(blob.starts()).map_err(kept(path))?;
            while let Some(chunk) = blob.chunk().await.map_err(TransportError::from)? {
                sink.write(&chunk).map_err(kept(path))?;
            }
            Ok(())
        })
    }
}
