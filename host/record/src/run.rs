//! The run record itself.

use bench_machine::Fingerprint;
use bench_machine::attribution::Attribution;
use bench_machine::conditions::{Conditions, Flag};
use bench_machine::model::ModelDigest;
use bench_metrics::Slo;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Client, EvalOptions, EvalRecord, RunId, SCHEMA_ID, SCHEMA_VERSION, WorkloadRecord};

/// Everything that a run leaves behind. Moments are RFC 3339 in UTC, digests SHA-256 in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    /// Address of the JSON schema.
    #[serde(rename = "$schema")]
    pub schema: String,
    /// Version of the schema. A reader refuses a version newer than its own.
    pub schema_version: u32,
    /// Name of the run; sorts by time.
    pub id: RunId,
    /// How far the run came.
    pub status: RunStatus,
    /// When it began.
    pub started_at: String,
    /// When it ended; absent while it runs, or when it was cut off.
    pub finished_at: Option<String>,
    /// The program that measured.
    pub host: HostBuild,
    /// The command line, secrets redacted.
    pub command: Vec<String>,
    /// Every plugin that took part.
    pub plugins: Vec<PluginIdentity>,
    /// The suite.
    pub suite: SuiteIdentity,
    /// The load that was asked for in place of the suite's own shapes, as typed.
    #[serde(default)]
    pub load: Option<String>,
    /// What a request has to keep within to count as good.
    #[serde(default)]
    pub slo: Option<Slo>,
    /// The run that this one was interleaved with.
    #[serde(default)]
    pub ab: Option<AbLink>,
    /// What was measured, as an address.
    pub endpoint: Endpoint,
    /// What was measured, as it describes itself.
    pub backend: Option<Backend>,
    /// The model.
    pub model: Model,
    /// What requests did not carry because the model or the service does not take it: wishes of the suite such as `temperature`,
    /// `top-p`, `seed` or `stop`, and names of other fields. Answers are cut at stop texts all the same.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// The machine that the program ran on. Whether the backend ran there too is in `endpoint`.
    pub machine: Option<Fingerprint>,
    /// State of the machine before the run.
    pub conditions_before: Option<Conditions>,
    /// State of the machine after the run.
    pub conditions_after: Option<Conditions>,
    /// What about the machine's state puts the numbers in doubt.
    pub condition_flags: Vec<Note>,
    /// The measuring client itself.
    pub client: Client,
    /// The workloads, in the order in which they ran.
    pub workloads: Vec<WorkloadRecord>,
    /// The eval tasks, in the order in which they ran.
    #[serde(default)]
    pub evals: Vec<EvalRecord>,
    /// What was asked for of the eval tasks.
    #[serde(default)]
    pub eval_options: EvalOptions,
    /// When the run was taken up again after it had been stopped or cut off.
    #[serde(default)]
    pub resumed_at: Vec<String>,
    /// The backend was a simulation: the numbers are about this program, not about any engine.
    pub simulated: bool,
    /// Whether the run may be published.
    pub publishable: Publishable,
    /// What went wrong outside single workloads.
    pub problems: Vec<Problem>,
    /// The raw trace beside the record; absent when it was not kept.
    pub trace: Option<TraceFile>,
}

impl RunRecord {
    /// A record that has just begun, with nothing measured yet.
    pub fn begin(
        id: RunId,
        started_at: String,
        host: HostBuild,
        suite: SuiteIdentity,
        endpoint: Endpoint,
        model: Model,
    ) -> Self {
        Self {
            schema: SCHEMA_ID.to_owned(),
            schema_version: SCHEMA_VERSION,
            id,
            status: RunStatus::Incomplete,
            started_at,
            finished_at: None,
            host,
            command: Vec::new(),
            plugins: Vec::new(),
            suite,
            load: None,
            slo: None,
            ab: None,
            endpoint,
            backend: None,
            model,
            left_out: Vec::new(),
            machine: None,
            conditions_before: None,
            conditions_after: None,
            condition_flags: Vec::new(),
            client: Client::default(),
            workloads: Vec::new(),
            evals: Vec::new(),
            eval_options: EvalOptions::default(),
            resumed_at: Vec::new(),
            simulated: false,
            publishable: Publishable::default(),
            problems: Vec::new(),
            trace: None,
        }
    }
}

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// It runs, or it was cut off: only finished workloads are in the record.
    Incomplete,
    /// Every workload completed or was skipped.
    Completed,
    /// At least one workload failed.
    Failed,
    /// Stopped by the user.
    Cancelled,
}

/// The program that measured.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct HostBuild {
    /// Version of this program.
    pub version: String,
    /// Target triple that it was compiled for.
    pub target: String,
    /// SHA-256 of the executable.
    pub exe_sha256: Option<String>,
    /// Version of the compiler.
    pub rustc: Option<String>,
    /// Version of the WebAssembly runtime.
    pub wasmtime: Option<String>,
}

/// A plugin that took part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginIdentity {
    /// `driver`, `workload`, `scorer` or `publisher`.
    pub kind: String,
    /// Name in kebab case.
    pub name: String,
    /// Version of the plugin.
    pub version: String,
    /// SHA-256 of the component.
    pub sha256: String,
    /// The world that it implements, such as `bench:plugin/driver-plugin@0.1.0`.
    pub world: String,
    /// Where it came from.
    pub source: PluginSource,
    /// SHA-256 of the lock file that chose it, for one that was installed from a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// What it was allowed to have. Absent for a plugin that has nothing, and in records from before
    /// grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<PluginGrants>,
}

/// What a plugin was allowed to have, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PluginGrants {
    /// Environment variables whose values the host may send for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
    /// Origins on other machines that it may reach without the user naming them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// Programs that may be started for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<String>,
    /// Memory of one instance beyond the usual bound, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
}

/// Where a plugin came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PluginSource {
    /// Embedded in the program.
    Bundle,
    /// Installed from a registry.
    Registry,
    /// A file that the user named.
    File,
}

/// The suite that was run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SuiteIdentity {
    /// Name, such as `suite-v1`.
    pub name: String,
    /// Version.
    pub version: String,
    /// SHA-256 over the suite's manifest and data.
    pub digest: String,
    /// A short run with fewer repeats, not comparable with a full one.
    pub quick: bool,
    /// Fixes every choice of the run; runs with the same seed send the same texts but for their salts. Text in JSON, because
    /// many readers keep numbers only up to 2^53.
    #[serde(with = "decimal")]
    #[schemars(with = "String")]
    pub seed: u64,
    /// Parameters that the user gave, by workload or for all.
    pub params: serde_json::Value,
    /// SHA-256 of the lock file that chose it, for one that was installed from a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
}

/// The other run of two that were measured in turns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AbLink {
    /// The other run.
    pub other: RunId,
    /// Which side this run is: `a` or `b`.
    pub side: String,
}

/// What was measured, as an address.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Endpoint {
    /// The base address, without credentials.
    pub url: String,
    /// Whether the endpoint is on the machine that ran this program, and how that is known.
    pub attribution: Option<Attribution>,
    /// The way to it, where that is not the usual one.
    #[serde(default)]
    pub route: Option<RouteRecord>,
}

/// How an endpoint was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RouteRecord {
    /// Which certificates were accepted: `platform` for those that the operating system trusts, `own-authority` for the user's
    /// own beside them, `pinned` for one, `unverified` for any.
    pub certificates: String,
    /// The proxy that measured requests went through: its way is part of every time.
    pub proxy: Option<String>,
}

impl Default for RouteRecord {
    fn default() -> Self {
        Self { certificates: "platform".to_owned(), proxy: None }
    }
}

/// The backend as it describes itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Backend {
    /// What it is, such as `llama.cpp`.
    pub name: String,
    /// Version, where it says.
    pub version: Option<String>,
    /// How it was built and started, one `key=value` or sentence each.
    pub build: Vec<String>,
    /// Models that it serves.
    pub models: Vec<ServedModel>,
    /// Requests that it works on at once, where it says.
    pub slots: Option<u32>,
    /// Anything else that the driver kept.
    pub extra: Option<serde_json::Value>,
}

/// A model that a backend serves.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ServedModel {
    /// The identifier that requests carry.
    pub id: String,
    /// Tokens that one request may occupy.
    pub context_length: Option<u64>,
    /// Quantisation in the backend's words.
    pub quantization: Option<String>,
    /// Content digest that the backend reports, as `algorithm:hex`.
    pub digest: Option<String>,
    /// Number of parameters.
    pub parameters: Option<u64>,
}

/// The model that was measured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Model {
    /// The identifier that requests carried.
    pub id: String,
    /// Digests of its weights; empty when none could be had.
    pub digests: Vec<Digest>,
    /// Quantisation, such as `Q4_K_M`.
    pub quantization: Option<String>,
    /// Tokens that one request may occupy.
    pub context_length: Option<u64>,
    /// Number of parameters.
    pub parameters: Option<u64>,
    /// The weight files and what their headers say, where they could be read.
    pub file: Option<ModelDigest>,
}

/// A digest of weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Digest {
    /// Algorithm, such as `sha256`.
    pub algorithm: String,
    /// Value in lower-case hexadecimal.
    pub hex: String,
    /// Who says so: `file` when this program computed it, `backend` when the backend reported it.
    pub source: String,
}

/// Whether a run may be published.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Publishable {
    /// It may.
    pub ok: bool,
    /// Why not; empty when it may.
    pub reasons: Vec<Note>,
}

/// Something to know, with a stable code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// Stable identifier in kebab case.
    pub code: String,
    /// A sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Note {
    /// A note without a hint.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), hint: None }
    }
}

// The machine's codes are kept as text: a record must stay readable by a program that does not know a newer one.
impl From<Flag> for Note {
    fn from(flag: Flag) -> Self {
        Self { code: flag.code.as_str().to_owned(), message: flag.sentence, hint: Some(flag.hint) }
    }
}

/// A failure with its way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Stable identifier in kebab case.
    pub code: String,
    /// What happened and where, secrets redacted.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// The raw trace beside a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceFile {
    /// File name, in the directory of the record.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Rows.
    pub rows: u64,
}

/// A whole number as decimal text.
mod decimal {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom(format!("`{text}` is not a whole number")))
    }
}
