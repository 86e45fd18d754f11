//! The run record: what a run leaves behind, how it is stored, compared and exported.
//!
//! A record is a claim that others can dispute, so it names everything that the numbers depend on: the program, the
//! plugins, the suite, the backend, the model, the machine and its state, each by digest where there is one. Prompts and
//! outputs are not in it, only their digests.
//!
//! Compatibility: a record carries the version of its schema. Readers ignore fields that they do not know and refuse a newer
//! version, because a version is only raised when an old reader would misread the record.

pub mod canonical;
mod client;
pub mod compare;
mod error;
mod eval;
pub mod export;
mod id;
mod load;
mod publishable;
mod request;
mod run;
mod schema;
mod store;
pub mod trace;
mod workload;

pub use client::{Calibration, Client};
pub use error::RecordError;
pub use eval::{
    BackoffStep, DatasetRecord, EstimateRecord, EvalOptions, EvalRecord, EvalStatus, LogFile, OtherModel, SampleCounts,
    ScorerIdentity, Sensitivity, Spread, TokenTotals, log_name,
};
pub use id::RunId;
pub use load::{ArrivalLaw, InFlightCap, LoadStage, Pacing, ServerSeries, ShapeRecord, StageRecord, SweepRecord};
pub use publishable::{LEAST_ACHIEVED, MOST_ERROR_MS, MOST_LATE, assess};
pub use request::{EventCounts, FitKind, Honoured, PromptFit, RequestRecord, RequestStatus, RequestTimes};
pub use run::{
    AbLink, Backend, Digest, Endpoint, HostBuild, Model, Note, PluginGrants, PluginIdentity, PluginSource, Problem,
    Publishable, RouteRecord, RunRecord, RunStatus, ServedModel, SuiteIdentity, TraceFile,
};
pub use schema::{SCHEMA_ID, SCHEMA_VERSION, parse, schema_json};
pub use store::{
    BackendName, Entry, LocalFacts, ModelName, RunSummary, Store, SuiteName, WorkloadName, read_record,
    write_atomically, write_record,
};
pub use workload::{
    CounterDelta, Curve, Headline, PhaseRecord, PhaseStatus, Point, Variable, Window, WorkloadRecord, WorkloadStatus,
};
