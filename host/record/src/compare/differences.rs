//! What differs between two runs, and what forbids comparing them.

use crate::{Model, Note, PhaseRecord, RunRecord, RunStatus, WorkloadRecord};

use super::Warning;

/// What puts a run in doubt by itself.
pub(super) fn doubts(run: usize, record: &RunRecord) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |when: bool, code: &str, message: &str| {
        if when {
            warnings.push(Warning { run, note: Note::new(code, message) });
        }
    };
    warn(record.status != RunStatus::Completed, "incomplete-run", "The run did not complete.");
    warn(record.simulated, "simulated", "The backend was a simulation.");
    warn(record.client.limited, "client-limited", "The client was the limit of what was measured.");
    warn(record.model.digests.is_empty(), "model-unidentified", "No digest identifies the model's weights.");
    warnings.extend(record.condition_flags.iter().cloned().map(|note| Warning { run, note }));
    warnings
}

/// What differs between `run` and the reference without making the numbers mean something else.
pub(super) fn between(run: usize, reference: &RunRecord, record: &RunRecord) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut differ = |code: &str, what: &str, a: String, b: String| {
        if a != b {
            warnings.push(Warning {
                run,
                note: Note::new(code, format!("{what} differs: {a} in the reference, {b} here.")),
            });
        }
    };
    differ("other-model", "The model", reference.model.id.clone(), record.model.id.clone());
    differ("other-quantization", "The quantisation", quantization(&reference.model), quantization(&record.model));
    if let (Some(a), Some(b)) = (weights(&reference.model), weights(&record.model)) {
        differ("other-weights", "The digest of the weights", a, b);
    }
    differ("other-backend", "The backend", backend(reference), backend(record));
    differ("other-driver", "The driver", plugins(reference, "driver"), plugins(record, "driver"));
    if let (Some(a), Some(b)) = (&reference.machine, &record.machine) {
        differ("other-machine", "The machine", a.headline(), b.headline());
    }
    differ("other-host", "The version of this program", reference.host.version.clone(), record.host.version.clone());
    warnings
}

/// Why no number of `run` may be compared with the reference's.
pub(super) fn obstacle(reference: &RunRecord, record: &RunRecord) -> Option<Note> {
    let (a, b) = (&reference.suite, &record.suite);
    if (&a.name, &a.version) != (&b.name, &b.version) {
        let message = format!("{} {} and {} {} are different suites.", a.name, a.version, b.name, b.version);
        return Some(Note::new("other-suite", message));
    }
    if a.digest != b.digest {
        return Some(Note::new(
            "other-suite",
            format!("{} {} has different content in the two runs.", a.name, a.version),
        ));
    }
    if a.quick != b.quick {
        return Some(Note::new("quick-and-full", "One run is quick and the other full."));
    }
    if reference.simulated != record.simulated {
        return Some(Note::new("simulated-and-real", "One backend was a simulation and the other was not."));
    }
    None
}

/// Why no number of a phase may be compared with the reference's.
pub(super) fn obstacle_of_phase(
    a: (&WorkloadRecord, &PhaseRecord),
    b: (&WorkloadRecord, &PhaseRecord),
) -> Option<Note> {
    let note = |code: &str, what: &str| Some(Note::new(code, format!("{what} differ between the runs.")));
    if a.0.version != b.0.version {
        return note("other-workload", "The versions of the workload");
    }
    if a.0.params != b.0.params {
        return note("other-parameters", "The parameters of the workload");
    }
    if a.1.variables != b.1.variables || a.1.shape != b.1.shape {
        return note("other-phase", "The quantities or the load of the phase");
    }
    None
}

/// The backend with its version.
pub(super) fn backend(run: &RunRecord) -> String {
    match &run.backend {
        Some(backend) => match &backend.version {
            Some(version) => format!("{} {version}", backend.name),
            None => backend.name.clone(),
        },
        None => "unknown".to_owned(),
    }
}

fn quantization(model: &Model) -> String {
    model.quantization.clone().unwrap_or_else(|| "unknown".to_owned())
}

fn weights(model: &Model) -> Option<String> {
    let mut digests: Vec<String> = model.digests.iter().map(|d| format!("{}:{}", d.algorithm, d.hex)).collect();
    digests.sort();
    (!digests.is_empty()).then(|| digests.join(", "))
}

fn plugins(run: &RunRecord, kind: &str) -> String {
    let named: Vec<String> = run
        .plugins
        .iter()
        .filter(|plugin| plugin.kind == kind)
        .map(|plugin| {
            format!("{} {} ({})", plugin.name, plugin.version, plugin.sha256.get(..12).unwrap_or(&plugin.sha256))
        })
        .collect();
    named.join(", ")
}
