//! What a run is asked to do.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bench_grants::{GrantError, Grants};
use bench_load::{LoadSpec, Waiting};
use bench_metrics::Slo;
use bench_record::EvalOptions;
use bench_registry::{LOCK_FILE, RegistryError, Shelf, Store, lock_for, read_private_lock, read_trusted_lock};
use bench_wire::{Proxy, StampMode, Trust};
use serde_json::{Map, Value};

use crate::error::RunError;

/// The wishes of a run, as the command line states them.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Driver: a name or the path of a component. `None` detects one.
    pub plugin: Option<String>,
    /// Base address of the engine. `None` tries the driver's usual ones.
    pub endpoint: Option<String>,
    /// Model to ask for, or to launch. `None` takes the first that the engine serves.
    pub model: Option<String>,
    /// Suite: a name or a folder.
    pub suite: String,
    /// Labels or names of the workloads to run; empty means all.
    pub workloads: Vec<String>,
    /// A short run.
    pub quick: bool,
    /// Repeats of every phase, where they should differ from the suite's.
    pub repeats: Option<u32>,
    /// `KEY=VALUE` for the driver, `LABEL.KEY=VALUE` for a workload.
    pub params: Vec<String>,
    /// Start the engine instead of looking for one.
    pub launch: bool,
    /// Environment variable that holds the key, where it should differ from the driver's.
    pub api_key_env: Option<String>,
    /// The key may go over plain HTTP to another machine, or to another user's listener on this one.
    pub allow_http_key: bool,
    /// Which certificates of servers to accept.
    pub trust: Trust,
    /// The proxy that measured requests go through.
    pub proxy: Option<Proxy>,
    /// Longest time that the engine may be silent, before an answer and within it; `None` for the usual limits.
    pub timeout: Option<Duration>,
    /// Seed of the prompts; `None` takes a random one.
    pub seed: Option<u64>,
    /// How requests follow one another, in place of the workloads' own shapes.
    pub load: Option<LoadSpec>,
    /// How long that load lasts.
    pub duration: Option<Duration>,
    /// How many requests it has.
    pub requests: Option<u32>,
    /// Requests that an open load may have in flight at once; `None` for as many as there are descriptors for.
    pub max_in_flight: Option<NonZeroU32>,
    /// What a request has to keep within to count as good.
    pub slo: Option<Slo>,
    /// Whose stamps of reads to take.
    pub stamps: StampMode,
    /// Threads that send and receive; `None` for one per processor.
    pub workers: Option<usize>,
    /// What these do when nothing has come.
    pub waiting: Waiting,
    /// Models to ask for, each with its share; empty for one model.
    pub mix: Vec<(String, f64)>,
    /// How often to look at the server's own metrics while a window is open; `None` for never.
    pub watch_every: Option<Duration>,
    /// What to do of the suite's eval tasks.
    pub evals: EvalOptions,
    /// Address of the model that scorers ask for its opinion and that plays the user of conversations.
    pub judge: Option<String>,
    /// Its driver; `None` detects one.
    pub judge_plugin: Option<String>,
    /// Its name there; `None` takes the first that is served.
    pub judge_model: Option<String>,
    /// Components that stand in for scorers of the same names.
    pub scorers: Vec<String>,
    /// A run to go on with.
    pub resume: Option<String>,
    /// Where the command line is kept in the record, secrets already removed.
    pub command: Vec<String>,
    /// Where things are kept.
    pub folders: Folders,
}

/// Folders of the user's that a run reads and writes.
#[derive(Debug, Clone, Default)]
pub struct Folders {
    /// Run records.
    pub runs: PathBuf,
    /// Things that can be made again: compiled code, digests of model files.
    pub cache: PathBuf,
    /// Logs of launched engines.
    pub logs: PathBuf,
    /// The user's price list, which need not be there.
    pub prices: PathBuf,
}

impl Folders {
    /// What the user granted to plugins.
    ///
    /// # Errors
    /// When there is a file of grants that cannot be used.
    pub fn grants(&self) -> Result<Grants, GrantError> {
        Grants::read(&self.runs)
    }

    /// What can be named: what the lock lists and the embedded set. The lock is the one in the folder of `suite`, where that is a folder
    /// with one, else the user's.
    ///
    /// # Errors
    /// When there is a lock that cannot be read, or the lock of a suite that the user has not allowed.
    pub fn shelf(&self, suite: Option<&str>) -> Result<Shelf, RegistryError> {
        let lock = match self.suite_lock(suite) {
            Some(lock) => read_trusted_lock(&self.runs, &lock)?,
            None => read_private_lock(&self.runs)?,
        };
        Ok(Shelf::of_lock(lock, Store::new(self.runs.join("store"))))
    }

    /// The lock file in the folder of `suite`, where that is a folder with one.
    #[must_use]
    pub fn suite_lock(&self, suite: Option<&str>) -> Option<PathBuf> {
        let folder = suite.map(Path::new).filter(|folder| folder.is_dir());
        let users = self.runs.join(LOCK_FILE);
        Some(lock_for(folder, &users)).filter(|lock| *lock != users)
    }
}

/// Parameters sorted by whom they are for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Params {
    /// For the driver.
    pub driver: Map<String, Value>,
    /// For workloads, by label or name.
    pub workloads: Vec<(String, String, Value)>,
}

impl Params {
    /// Reads `KEY=VALUE` and `LABEL.KEY=VALUE`. A value that is not JSON is taken as text.
    pub(crate) fn parse(texts: &[String]) -> Result<Params, RunError> {
        let mut params = Params::default();
        for text in texts {
            let bad = |reason: &str| RunError::BadParam { text: text.clone(), reason: reason.to_owned() };
            let (key, value) = text.split_once('=').ok_or_else(|| bad("there is no `=`"))?;
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            match key.split_once('.') {
                Some((label, key)) if !label.is_empty() && !key.is_empty() => {
                    params.workloads.push((label.to_owned(), key.to_owned(), value));
                }
                None if !key.is_empty() => {
                    params.driver.insert(key.to_owned(), value);
                }
                _ => return Err(bad("the key is empty")),
            }
        }
        Ok(params)
    }
}
