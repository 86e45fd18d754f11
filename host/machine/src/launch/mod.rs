//! Starts an engine, waits until it is ready, and makes sure that it is gone afterwards.
//!
//! No shell is involved. The engine leads a process group of its own, so that its workers end with it; its output goes to a
//! file, because a pipe that nobody reads would stop it. Whether it is ready is the caller's question: this crate opens no
//! socket.

mod environment;
mod log;
#[cfg(unix)]
mod unix;

pub use environment::inherited;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use bench_files::{FilesError, StagedFile, create_private_folder, stage_private};
use bench_text::{clean_block, clean_name, clean_sentence, spell_name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::redact;

/// How often the host looks whether an engine is ready or gone.
const POLL: Duration = Duration::from_millis(100);
/// How long and how often the host waits for an ended engine: five seconds altogether.
const COLLECT_PAUSE: Duration = Duration::from_millis(10);
/// See `COLLECT_PAUSE`.
const COLLECT_TRIES: u32 = 500;
/// Lines of the log that an error shows.
const LOG_LINES: usize = 20;

/// What to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchSpec {
    /// A path, or a name on the search path.
    pub program: String,
    /// Arguments, handed over as they are.
    pub arguments: Vec<String>,
    /// Variables added to the ones that the engine inherits.
    pub environment: BTreeMap<String, String>,
    /// Whether the binary carries the driver that made this. Another driver may set fewer variables,
    /// and its program inherits no secrets.
    pub trusted: bool,
    /// File for what the engine prints, which may hold prompts: only the user can read it. It replaces the file or link of
    /// that name, and its folder is made where it is missing.
    pub log_path: PathBuf,
}

/// What was started, as a record shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Launched {
    /// File name of the program.
    pub program: String,
    /// Arguments, with secrets masked and home directories shortened.
    pub arguments: Vec<String>,
    /// Variables that the driver set, with secrets masked.
    pub environment: BTreeMap<String, String>,
}

impl LaunchSpec {
    /// The form that may enter a record.
    pub fn describe(&self) -> Launched {
        let mask = |name: &str, value: &str| {
            if redact::is_secret_name(name) { redact::MASK.to_owned() } else { redact::text(value) }
        };
        let program = Path::new(&self.program).file_name().map(|name| name.to_string_lossy().into_owned());
        Launched {
            program: program.unwrap_or_else(|| self.program.clone()),
            arguments: redact::command_line(&self.arguments),
            environment: self.environment.iter().map(|(name, value)| (name.clone(), mask(name, value))).collect(),
        }
    }
}

/// Why an engine did not start, or did not stay.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// There is no such program.
    #[error("{program} was not found on the search path", program = clean_name(.program))]
    NotFound {
        /// Name or path as given.
        program: String,
    },
    /// The driver sets a variable that no driver may set.
    #[error(
        "{program} was not started: its driver sets the environment variable {name}, and {reason}",
        program = clean_name(.program),
        name = clean_name(.name),
    )]
    VariableForbidden {
        /// Name or path as given.
        program: String,
        /// The variable's name, made printable.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// The log file could not be opened.
    #[error("the log file {path} could not be opened: {source}", path = clean_sentence(.path.display()))]
    Log {
        /// Path as given.
        path: PathBuf,
        /// Why.
        source: FilesError,
    },
    /// The log file cannot be shared with the engine.
    #[error(
        "the log file {path} could not be handed to the engine: {source}",
        path = clean_sentence(.path.display()),
    )]
    LogNotShared {
        /// Path as given.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The system refused to start it.
    #[error("{program} could not be started: {source}", program = clean_name(.program))]
    NotStarted {
        /// Name or path as given.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It ended before it was ready.
    #[error(
        "{program} ended before it was ready ({status}); the end of its log:\n{log_tail}",
        program = clean_name(.program),
        status = clean_name(.status),
        log_tail = clean_block(.log_tail, LOG_LINES),
    )]
    ExitedEarly {
        /// Name or path as given.
        program: String,
        /// How it ended.
        status: String,
        /// The last 20 lines that it printed, without secrets.
        log_tail: String,
    },
    /// It did not become ready in time; it still runs until it is stopped or dropped.
    #[error(
        "{program} was not ready within {} s; the end of its log:\n{log_tail}",
        .waited.as_secs(),
        program = clean_name(.program),
        log_tail = clean_block(.log_tail, LOG_LINES),
    )]
    NotReadyInTime {
        /// Name or path as given.
        program: String,
        /// How long the host waited.
        waited: Duration,
        /// The last 20 lines that it printed, without secrets.
        log_tail: String,
    },
}

impl LaunchError {
    /// Stable name of the kind of error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "engine-not-found",
            Self::Log { .. } | Self::LogNotShared { .. } => "engine-log-not-writable",
            Self::VariableForbidden { .. } => "engine-variable-forbidden",
            Self::NotStarted { .. } => "engine-not-started",
            Self::ExitedEarly { .. } => "engine-exited-early",
            Self::NotReadyInTime { .. } => "engine-not-ready-in-time",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotFound { program } => {
                format!("Install {program}, or start the engine yourself and name it with --endpoint.")
            }
            Self::Log { source, .. } => return source.hint(),
            Self::LogNotShared { .. } => "Close other programs: too many files are open.".to_owned(),
            Self::VariableForbidden { .. } => {
                "Start the engine yourself and name it with --endpoint, and report this to the driver's author."
                    .to_owned()
            }
            Self::NotStarted { .. } => "Check that the file may be executed and was built for this machine.".to_owned(),
            Self::ExitedEarly { .. } => {
                "Read the log above; a model that does not fit and a port in use are the usual reasons.".to_owned()
            }
            Self::NotReadyInTime { .. } => {
                "Loading a large model takes long; start the engine yourself and name it with --endpoint.".to_owned()
            }
        };
        Some(hint)
    }
}

/// A running engine. Dropping it ends it at once.
#[derive(Debug)]
pub struct Engine {
    child: Child,
    exited: Option<ExitStatus>,
    program: String,
    log_path: PathBuf,
    secrets: Vec<String>,
}

impl Engine {
    /// Starts the engine.
    ///
    /// # Errors
    /// [`LaunchError::VariableForbidden`], [`LaunchError::NotFound`], [`LaunchError::Log`] or
    /// [`LaunchError::NotStarted`].
    pub fn launch(spec: &LaunchSpec) -> Result<Self, LaunchError> {
        for (name, value) in &spec.environment {
            if let Some(reason) = environment::refuse_variable(name, value, spec.trusted) {
                let name = spell_name(name);
                return Err(LaunchError::VariableForbidden { program: spec.program.clone(), name, reason });
            }
        }
        let log = |source| LaunchError::Log { path: spec.log_path.clone(), source };
        if let Some(folder) = spec.log_path.parent() {
            create_private_folder(folder).map_err(log)?;
        }
        let out = stage_private(&spec.log_path).and_then(StagedFile::persist).map_err(log)?;
        let err =
            out.try_clone().map_err(|source| LaunchError::LogNotShared { path: spec.log_path.clone(), source })?;
        let program = spec.program.clone();
        let path = locate(&program).ok_or_else(|| LaunchError::NotFound { program: program.clone() })?;
        let mut command = Command::new(path);
        let inherited = if spec.trusted { inherited() } else { environment::inherited_without_secrets() };
        command.args(&spec.arguments).env_clear().envs(inherited).envs(&spec.environment);
        hide_own_environment();
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        let child = start(command).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => LaunchError::NotFound { program: program.clone() },
            _ => LaunchError::NotStarted { program: program.clone(), source },
        })?;
        Ok(Self { child, exited: None, program, log_path: spec.log_path.clone(), secrets: environment::secrets(spec) })
    }

    /// Its process id, which is also the id of its process group.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where its output goes.
    pub fn log_path(&self) -> &Path {
        &self.log_path
    }

    /// The last 20 lines that it printed, without secrets.
    pub fn log_tail(&self) -> String {
        log::tail(&self.log_path, LOG_LINES, &self.secrets)
    }

    /// How it ended, if it has.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        if self.exited.is_none() && has_ended(&mut self.child) {
            self.end_group();
        }
        self.exited
    }

    /// Asks `ready` again and again until it answers true.
    ///
    /// # Errors
    /// [`LaunchError::ExitedEarly`] as soon as the engine ends, also while `ready` is under way;
    /// [`LaunchError::NotReadyInTime`] after `limit`.
    pub async fn wait_ready<R, F>(&mut self, mut ready: R, limit: Duration) -> Result<(), LaunchError>
    where
        R: FnMut() -> F,
        F: Future<Output = bool>,
    {
        let asking = async {
            while !ready().await {
                tokio::time::sleep(POLL).await;
            }
        };
        let watching = async {
            loop {
                if let Some(status) = self.exit_status() {
                    return status;
                }
                tokio::time::sleep(POLL).await;
            }
        };
        let outcome = tokio::time::timeout(limit, async {
            tokio::select! {
                // An engine that has ended is not ready, whatever answers on its port.
                biased;
                status = watching => Some(status),
                () = asking => None,
            }
        })
        .await;
        match outcome {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(LaunchError::ExitedEarly {
                program: self.program.clone(),
                status: status.to_string(),
                log_tail: self.log_tail(),
            }),
            Err(_) => Err(LaunchError::NotReadyInTime {
                program: self.program.clone(),
                waited: limit,
                log_tail: self.log_tail(),
            }),
        }
    }

    /// Asks the engine to end, waits up to `grace`, then ends it and all its workers.
    pub async fn stop(mut self, grace: Duration) -> Option<ExitStatus> {
        if self.exit_status().is_none() {
            ask_to_end(&mut self.child);
            let ended = async {
                while self.exit_status().is_none() {
                    tokio::time::sleep(POLL / 5).await;
                }
            };
            // Late or not, the group is ended below.
            let _ = tokio::time::timeout(grace, ended).await;
        }
        self.end_group();
        self.exited
    }

    /// Ends the whole group at once and collects the leader. The leader is collected last: until then its id cannot be
    /// given to another process, so the signal cannot hit a stranger.
    fn end_group(&mut self) {
        if self.exited.is_some() {
            return;
        }
        kill(&mut self.child);
        // A process that is stuck in a device driver cannot be ended; the host does not wait for it for ever.
        for _ in 0..COLLECT_TRIES {
            if has_ended(&mut self.child) {
                self.exited = self.child.wait().ok();
                return;
            }
            std::thread::sleep(COLLECT_PAUSE);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.end_group();
    }
}

/// A path as it is, a bare name from the search path.
fn locate(program: &str) -> Option<PathBuf> {
    if program.contains(['/', '\\']) {
        return Path::new(program).is_file().then(|| PathBuf::from(program));
    }
    crate::tool::find(program)
}

/// Keeps processes of the same user, the engine among them, from reading this process's environment.
///
/// Root can read it all the same, and so can a process that root allows to trace others.
fn hide_own_environment() {
    #[cfg(target_os = "linux")]
    // SAFETY: prctl takes plain numbers here and touches no memory.
    unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, 0);
    }
}

#[cfg(unix)]
use unix::{ask_to_end, has_ended, kill, start};

#[cfg(not(unix))]
fn start(mut command: Command) -> std::io::Result<Child> {
    command.spawn()
}

#[cfg(not(unix))]
fn has_ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

#[cfg(not(unix))]
fn ask_to_end(child: &mut Child) {
    // There is no polite way to end a process without a window here.
    kill(child);
}

#[cfg(not(unix))]
fn kill(child: &mut Child) {
    // It may have ended already, which is what was wanted.
    let _ = child.kill();
}
