//! The program's own update. It comes from the project's registry alone, is tried beside the one that runs, and takes its place in one
//! step; the one before stays next to it.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use bench_files::open_no_link;
use bench_registry::{ItemKind, ItemName, Lock, hex};
use bench_text::clean_name;
use semver::{Version, VersionReq};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::config::OWN_REGISTRY;
use crate::error::{InstallError, at};
use crate::files::{replace, staged_path};
use crate::installer::{Installer, Note, Outcome};
use crate::reader::Reader as _;

/// The largest program: 512 MiB.
const LARGEST_PROGRAM: u64 = 512 << 20;

/// This platform, as registries name it, such as `x86-64-linux`.
#[must_use]
pub fn platform() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS).replace('_', "-")
}

/// The program that is to be updated.
#[derive(Debug, Clone)]
pub struct Program {
    /// Its file.
    pub file: PathBuf,
    /// Take an older version where the registry has no newer one.
    pub allow_downgrade: bool,
}

/// What an update of the program is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnUpdate {
    /// The version that runs.
    pub from: Version,
    /// The other one.
    pub to: Version,
}

impl Installer {
    /// The newer version of the program that the project's registry has, if any.
    ///
    /// # Errors
    /// When the registry cannot be asked, or [`InstallError::Downgrade`] when only an older one is there and none is to be taken.
    pub async fn newer_program(&mut self, program: &Program) -> Result<Option<OwnUpdate>, InstallError> {
        let found = self.find_program(program).await?;
        Ok(found.map(|pick| OwnUpdate { from: self.options.host.clone(), to: pick.locked.version }))
    }

    async fn find_program(&mut self, program: &Program) -> Result<Option<crate::installer::Pick>, InstallError> {
        let Ok(place) = self.source(OWN_REGISTRY) else { return Ok(None) };
        let name = ItemName::parse(&platform())?;
        let now = self.options.now;
        let versions = self.reader(place).await?.versions(ItemKind::Host, &name, now).await?;
        if versions.is_empty() {
            return Ok(None);
        }
        let any = VersionReq::STAR;
        let pick = self.pick(place, ItemKind::Host, &name, Some(&any), &versions, &Lock::default()).await?;
        let (offered, current) = (&pick.offered.release.version, &self.options.host);
        if offered < current && !program.allow_downgrade {
            return Err(InstallError::Downgrade { current: current.to_string(), offered: offered.to_string() });
        }
        Ok((offered != current).then_some(pick))
    }

    /// Exchanges the program for the registry's.
    ///
    /// # Errors
    /// As [`Installer::newer_program`]; also when the new one does not start, or files cannot be written. The old one is in its place then.
    pub async fn update_program(&mut self, program: &Program) -> Result<Option<OwnUpdate>, InstallError> {
        let _guard = self.guard()?;
        let Some(pick) = self.find_program(program).await? else { return Ok(None) };
        let (to, from) = (pick.offered.release.version.clone(), self.options.host.clone());
        let (sha256, length) = (pick.offered.sha256.clone(), pick.offered.bytes);
        self.fetch(&[pick]).await?;
        let bytes = self.home.store().read(&sha256, length)?;
        let staged = self.stage_program(&program.file, &bytes)?;
        if let Err(error) = starts(&staged, &sha256, &to) {
            self.files.remove(&staged).map_err(at(&staged))?;
            return Err(error);
        }
        if let Err(error) = self.exchange_program(&program.file, &staged) {
            // The error is what counts. The file takes space and is read by nothing.
            let _ = self.files.remove(&staged);
            return Err(error);
        }
        Ok(Some(OwnUpdate { from, to }))
    }

    /// Puts a staged program in its place, and a copy of the program before beside it.
    fn exchange_program(&self, file: &Path, staged: &Path) -> Result<(), InstallError> {
        let previous = beside(file, ".previous");
        let current = self.files.read(file, LARGEST_PROGRAM).map_err(at(file))?.unwrap_or_default();
        replace(&*self.files, &previous, &current).map_err(at(&previous))?;
        self.files.make_runnable(&previous).map_err(at(&previous))?;
        self.files.rename(staged, file).map_err(at(file))
    }

    /// Returns to the program before. The one that ran until now is then the one before.
    ///
    /// # Errors
    /// When there is none, or files cannot be written.
    pub fn rollback_program(&mut self, program: &Program) -> Result<(), InstallError> {
        let _guard = self.guard()?;
        let previous = beside(&program.file, ".previous");
        let Some(older) = self.files.read(&previous, LARGEST_PROGRAM).map_err(at(&previous))? else {
            return Err(InstallError::NothingBefore);
        };
        let current = self.files.read(&program.file, LARGEST_PROGRAM).map_err(at(&program.file))?.unwrap_or_default();
        // Both are written before either takes its place. The older one goes first: cut off in between, it is in both places, and what was
        // given up can be fetched again, while the older one may be nowhere else.
        let staged = self.stage_program(&program.file, &older)?;
        let kept = match self.stage_program(&program.file, &current) {
            Ok(kept) => kept,
            Err(error) => {
                let _ = self.files.remove(&staged);
                return Err(error);
            }
        };
        self.files.rename(&staged, &program.file).map_err(at(&program.file))?;
        self.files.rename(&kept, &previous).map_err(at(&previous))
    }

    /// Writes a program beside its place under a random name.
    fn stage_program(&self, file: &Path, bytes: &[u8]) -> Result<PathBuf, InstallError> {
        let staged = staged_path(file).map_err(at(file))?;
        let written = self.files.write(&staged, bytes).and_then(|()| self.files.make_runnable(&staged));
        if let Err(error) = written {
            let _ = self.files.remove(&staged);
            return Err(at(&staged)(error));
        }
        Ok(staged)
    }
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut path = OsString::from(file.as_os_str());
    path.push(ending);
    path.into()
}

/// Checks that the staged program is the one that was fetched, starts, and says that it is this version. What starts is the
/// file that was checked, and it still has the name in the end.
fn starts(program: &Path, sha256: &str, version: &Version) -> Result<(), InstallError> {
    let rejected = |problem: String| InstallError::Rejected {
        what: "the program".to_owned(),
        version: version.to_string(),
        problem,
    };
    let exchanged = || rejected("another file took its place".to_owned());
    let file = open_no_link(program).map_err(|error| at(program)(error.into()))?;
    if hash_file(&file).map_err(at(program))? != sha256 {
        return Err(exchanged());
    }
    let ran = Command::new(runnable_path(program, &file))
        .arg("--version")
        .output()
        .map_err(|error| rejected(format!("it does not start: {error}")))?;
    let output = String::from_utf8_lossy(&ran.stdout);
    let output = output.trim_end();
    if !ran.status.success() || output.split(' ').next_back() != Some(version.to_string().as_str()) {
        return Err(rejected(format!("asked for its version it says `{}`", clean_name(output))));
    }
    let named = open_no_link(program).map_err(|error| at(program)(error.into()))?;
    if is_same_file(&file, &named).map_err(at(program))? { Ok(()) } else { Err(exchanged()) }
}

/// SHA-256 of an open file in hex.
fn hash_file(mut file: &File) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 20];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(&hash.finalize())),
            count => hash.update(block.get(..count).unwrap_or_default()),
        }
    }
}

/// A path that starts the open file, whatever has its name by now.
#[cfg(target_os = "linux")]
fn runnable_path(_program: &Path, file: &File) -> PathBuf {
    use std::os::fd::AsRawFd as _;
    PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()))
}

/// Other systems start programs by their names only.
#[cfg(not(target_os = "linux"))]
fn runnable_path(program: &Path, _file: &File) -> PathBuf {
    program.to_owned()
}

#[cfg(unix)]
fn is_same_file(one: &File, other: &File) -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let (one, other) = (one.metadata()?, other.metadata()?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

#[cfg(not(unix))]
fn is_same_file(_one: &File, _other: &File) -> std::io::Result<bool> {
    Ok(true)
}

/// An update of everything.
#[derive(Debug, Default, Serialize)]
pub struct SelfUpdate {
    /// Plugins and suites.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The program.
    pub program: Option<OwnUpdate>,
    /// Whether the program before is back in its place.
    pub program_returned: bool,
}

impl Installer {
    /// What [`Installer::self_update`] would change.
    ///
    /// # Errors
    /// When the lock cannot be read. A registry that fails is noted.
    pub async fn self_check(&mut self, program: &Program) -> Result<SelfUpdate, InstallError> {
        let mut outcome = self.outdated().await?;
        let newer = self.newer_program(program).await;
        let program = noted(newer, &mut outcome);
        Ok(SelfUpdate { outcome, program, ..SelfUpdate::default() })
    }

    /// Brings plugins, suites and the program up to date. With a frozen lock it fetches what the lock lists, and no more.
    ///
    /// # Errors
    /// When files cannot be written, or what came is not what was signed. A registry that cannot be asked is noted.
    pub async fn self_update(&mut self, program: &Program) -> Result<SelfUpdate, InstallError> {
        if self.options.frozen {
            return Ok(SelfUpdate { outcome: self.sync().await?, ..SelfUpdate::default() });
        }
        let mut outcome = self.update(&[]).await?;
        let newer = self.update_program(program).await;
        let program = noted(newer, &mut outcome);
        Ok(SelfUpdate { outcome, program, ..SelfUpdate::default() })
    }

    /// Returns to the set and the program before, whichever of them there is.
    ///
    /// # Errors
    /// [`InstallError::NothingBefore`] when there is neither.
    pub fn self_rollback(&mut self, program: &Program) -> Result<SelfUpdate, InstallError> {
        let set = self.rollback();
        let (outcome, program_returned) = match (set, self.rollback_program(program)) {
            (Err(InstallError::NothingBefore), Ok(())) => (Outcome::default(), true),
            (set, Ok(())) => (set?, true),
            (set, Err(InstallError::NothingBefore)) => (set?, false),
            (_, Err(error)) => return Err(error),
        };
        Ok(SelfUpdate { outcome, program_returned, ..SelfUpdate::default() })
    }
}

fn noted(newer: Result<Option<OwnUpdate>, InstallError>, outcome: &mut Outcome) -> Option<OwnUpdate> {
    match newer {
        Ok(newer) => newer,
        Err(error @ InstallError::Downgrade { .. }) => {
            outcome.notes.push(Note::of(&error));
            None
        }
        Err(error) => {
            let note = Note::of(&error);
            // A registry that cannot be asked is said to be so once.
            if !outcome.failures.contains(&note) {
                outcome.failures.push(note);
            }
            None
        }
    }
}
