//! The program's own update. It comes from the project's registry alone, is tried beside the one that runs, and takes its place in one
//! step; the one before stays next to it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use bench_registry::{ItemKind, ItemName, Lock};
use bench_text::clean_name;
use semver::{Version, VersionReq};
use serde::Serialize;

use crate::config::OWN_REGISTRY;
use crate::error::{InstallError, at};
use crate::files::replace;
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
        let staged = beside(&program.file, ".staged");
        self.files.write(&staged, &bytes).map_err(at(&staged))?;
        self.files.make_runnable(&staged).map_err(at(&staged))?;
        if let Err(error) = starts(&staged, &to) {
            self.files.remove(&staged).map_err(at(&staged))?;
            return Err(error);
        }
        let previous = beside(&program.file, ".previous");
        let current = self.files.read(&program.file, LARGEST_PROGRAM).map_err(at(&program.file))?.unwrap_or_default();
        replace(&*self.files, &previous, &current).map_err(at(&previous))?;
        self.files.make_runnable(&previous).map_err(at(&previous))?;
        self.files.rename(&staged, &program.file).map_err(at(&program.file))?;
        Ok(Some(OwnUpdate { from, to }))
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
        let (staged, kept) = (beside(&program.file, ".staged"), beside(&program.file, ".previous.new"));
        for (place, bytes) in [(&staged, &older), (&kept, &current)] {
            self.files.write(place, bytes).map_err(at(place))?;
            self.files.make_runnable(place).map_err(at(place))?;
        }
        self.files.rename(&staged, &program.file).map_err(at(&program.file))?;
        self.files.rename(&kept, &previous).map_err(at(&previous))
    }
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut path = OsString::from(file.as_os_str());
    path.push(ending);
    path.into()
}

/// Does it start, and say that it is this version?
fn starts(program: &Path, version: &Version) -> Result<(), InstallError> {
    let rejected = |problem: String| InstallError::Rejected {
        what: "the program".to_owned(),
        version: version.to_string(),
        problem,
    };
    let ran = Command::new(program)
        .arg("--version")
        .output()
        .map_err(|error| rejected(format!("it does not start: {error}")))?;
    let said = String::from_utf8_lossy(&ran.stdout);
    if ran.status.success() && said.trim_end().split(' ').next_back() == Some(version.to_string().as_str()) {
        Ok(())
    } else {
        Err(rejected(format!("asked for its version it says `{}`", clean_name(said.trim_end()))))
    }
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
