//! How a publication stands to what is published: a version is never another one's bytes, and one that calls itself compatible with an
//! earlier one asks its host for no more and gives no less.

use aws_lc_rs::digest::{SHA256, digest};
use bench_plugin::Host;
use bench_registry::{Entry, Release, hex};
use semver::{Version, VersionReq};

use crate::error::RepositoryError;
use crate::files;
use crate::load::TARGETS;
use crate::publish::{LARGEST_COMPONENT, Publication, Published, refused};
use crate::repository::{Repository, located};

const REMEDY: &str = "a change of the interface needs a new major version";
/// Differences that a message names.
const MOST_SHOWN: usize = 3;

impl Repository {
    /// Whether a publication is new, in the words of what is listed.
    pub(crate) fn compare(&self, item: &Publication) -> Result<Published, RepositoryError> {
        let release = &item.release;
        let entries = self.entries();
        let same = entries.iter().find(|entry| entry.release.path() == release.path());
        let sha256 = hex(digest(&SHA256, &item.bytes).as_ref());
        if let Some(same) = same {
            // Publishing again what was withdrawn does not bring it back.
            let as_listed = Release { yanked: same.release.yanked.clone(), ..release.clone() };
            if same.sha256 == sha256 && same.release == as_listed {
                return Ok(Published::Unchanged);
            }
            if !item.replace {
                let reason = "this version is published, with other bytes or other words";
                return Err(refused(
                    &release.path().to_string(),
                    reason,
                    "give it a new version; a published one never changes",
                ));
            }
        }
        if let Some(last) = predecessor(&entries, release).filter(|last| !worlds_agree(&last.release, release)) {
            let world = |release: &Release| release.world.clone().unwrap_or_default();
            let (before, after) = (world(&last.release), world(release));
            let reason = format!("{} is for {before}, and this one is for {after}", last.release.version);
            return Err(refused(&release.path().to_string(), reason, REMEDY));
        }
        Ok(if same.is_some() { Published::Replaced } else { Published::Added })
    }

    /// Compares the types of a plugin with those of the version before it.
    pub(crate) fn compare_types(&self, host: &Host, item: &Publication) -> Result<(), RepositoryError> {
        let release = &item.release;
        let entries = self.entries();
        let Some(last) = predecessor(&entries, release).filter(|_| release.kind.plugin().is_some()) else {
            return Ok(());
        };
        let path = last.release.path().to_string();
        let place = self.folder().join(TARGETS).join(located(self.folder(), &path, &last.sha256));
        let bytes = files::read(&place, LARGEST_COMPONENT)?;
        if hex(digest(&SHA256, &bytes).as_ref()) != last.sha256 {
            return Err(RepositoryError::BadMetadata {
                file: place.display().to_string(),
                problem: "it has other bytes than those that were signed".to_owned(),
            });
        }
        let item_path = release.path().to_string();
        let read = |bytes: &[u8], what: &str| {
            host.interface(bytes).map_err(|error| refused(&item_path, format!("the types of {what}: {error}"), REMEDY))
        };
        let (before, after) = (read(&bytes, &path)?, read(&item.bytes, "the component")?);
        let found = after.incompatibilities(&before);
        if found.is_empty() {
            return Ok(());
        }
        let mut named: Vec<String> = found.iter().take(MOST_SHOWN).map(ToString::to_string).collect();
        if found.len() > MOST_SHOWN {
            named.push(format!("and {} more", found.len() - MOST_SHOWN));
        }
        let reason = format!("it calls itself compatible with {}, but {}", last.release.version, named.join("; "));
        Err(refused(&item_path, reason, REMEDY))
    }
}

/// The last version before this one, if this one calls itself compatible with it.
fn predecessor<'e>(entries: &'e [Entry], release: &Release) -> Option<&'e Entry> {
    let of_name =
        entries.iter().filter(|entry| entry.release.kind == release.kind && entry.release.name == release.name);
    let last = of_name
        .filter(|entry| entry.release.version < release.version)
        .max_by(|one, other| one.release.version.cmp(&other.release.version))?;
    follows(&last.release.version, &release.version).then_some(last)
}

fn follows(before: &Version, after: &Version) -> bool {
    VersionReq::parse(&format!("^{before}")).is_ok_and(|range| range.matches(after))
}

/// The same world, in this or a later compatible version of it.
fn worlds_agree(before: &Release, after: &Release) -> bool {
    let name = |release: &Release| {
        release.world.as_deref().map(|world| world.split_once('@').map_or(world, |(name, _)| name).to_owned())
    };
    match (before.wit(), after.wit()) {
        (Some(one), Some(other)) => name(before) == name(after) && follows(&one, &other),
        _ => before.world == after.world,
    }
}
