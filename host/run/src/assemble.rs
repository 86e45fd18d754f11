//! Puts the parts of a record together.

use std::collections::BTreeMap;

use bench_grants::Permit;
use bench_plugin::workload_types::{Measure, PhaseMeasures, Summary, Variable};
use bench_plugin::{WASMTIME_VERSION, types};
use bench_record as record;
use bench_registry::Source;

use crate::catalog::Identity;
use crate::engine::Engine;
use crate::identify::public_name;

/// Who measured. The program's own digest is filled in later, beside other work.
pub(crate) fn host_build() -> record::HostBuild {
    record::HostBuild {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        target: env!("BENCH_TARGET").to_owned(),
        exe_sha256: None,
        rustc: Some(env!("BENCH_RUSTC").to_owned()),
        wasmtime: Some(WASMTIME_VERSION.to_owned()),
    }
}

/// A plugin's identity as the record has it. The path of a file stays out: it says more about the user than about the plugin.
pub(crate) fn plugin(identity: &Identity) -> record::PluginIdentity {
    let (source, lock) = match &identity.origin {
        Source::Bundle => (record::PluginSource::Bundle, None),
        Source::File(_) => (record::PluginSource::File, None),
        Source::Lock { lock, .. } => (record::PluginSource::Registry, Some(lock.clone())),
    };
    record::PluginIdentity {
        kind: identity.kind.to_string(),
        name: identity.name.clone(),
        version: identity.version.clone(),
        sha256: identity.sha256.clone(),
        world: identity.world.clone(),
        source,
        lock,
        grants: grants(&identity.permit),
    }
}

/// What a plugin was allowed to have; `None` for one that has nothing.
fn grants(permit: &Permit) -> Option<record::PluginGrants> {
    let needs = permit.needs();
    if needs.is_empty() && permit.memory.is_none() {
        return None;
    }
    Some(record::PluginGrants {
        variables: needs.variables.into_iter().collect(),
        addresses: needs.addresses.into_iter().collect(),
        programs: needs.programs.into_iter().collect(),
        memory: permit.memory,
    })
}

/// The backend in the driver's words. Paths of weights stay out: they can name people.
pub(crate) fn backend(engine: &Engine) -> record::Backend {
    let backend = &engine.backend;
    let models = backend.models.iter().map(|model| record::ServedModel {
        id: public_name(&model.id),
        context_length: model.context_length,
        quantization: model.quantization.clone(),
        digest: model.digest.clone(),
        parameters: model.parameters,
    });
    record::Backend {
        name: backend.name.clone(),
        version: backend.version.clone(),
        build: backend.build.iter().map(|line| engine.redact(line)).collect(),
        models: models.collect(),
        slots: backend.slots,
        extra: backend.extra.as_deref().and_then(|extra| serde_json::from_str(&engine.redact(extra)).ok()),
    }
}

/// The measures of the phases, for the workload to choose from.
pub(crate) fn measures(phases: &[record::PhaseRecord]) -> Vec<PhaseMeasures> {
    let of = |phase: &record::PhaseRecord| PhaseMeasures {
        phase: phase.id.clone(),
        variables: phase
            .variables
            .iter()
            .map(|variable| Variable {
                name: variable.name.clone(),
                value: variable.value,
                unit: variable.unit.clone(),
            })
            .collect(),
        completed: phase.summary.completed,
        failed: phase.summary.failed + phase.summary.not_sent,
        measures: phase
            .summary
            .measures()
            .into_iter()
            .map(|measure| Measure {
                metric: types::Metric {
                    name: measure.id.to_owned(),
                    value: measure.value,
                    unit: measure.unit.to_owned(),
                    higher_is_better: measure.higher_is_better,
                },
                half_width: measure.half_width,
                samples: measure.samples,
            })
            .collect(),
    };
    phases.iter().filter(|phase| phase.summary.completed > 0).map(of).collect()
}

/// What the workload made of them. Numbers that are none stay out.
pub(crate) fn summary(summary: Summary) -> (Vec<record::Headline>, Vec<record::Curve>) {
    let finite = |value: f64| value.is_finite().then_some(value);
    let headline = summary.headline.into_iter().map(|metric| record::Headline {
        name: metric.name,
        value: finite(metric.value),
        unit: metric.unit,
        higher_is_better: metric.higher_is_better,
    });
    let curves = summary.curves.into_iter().map(|curve| record::Curve {
        name: curve.name,
        x_name: curve.x_name,
        x_unit: curve.x_unit,
        y_name: curve.y_name,
        y_unit: curve.y_unit,
        points: curve
            .points
            .into_iter()
            .map(|point| record::Point { x: finite(point.x), y: finite(point.y) })
            .collect(),
    });
    (headline.collect(), curves.collect())
}

/// The largest share of one processor that the client may use before it may have been the limit itself.
pub(crate) const MOST_CLIENT_SHARE: f64 = 0.9;

/// All parameters that were in force, by whom they were for. One may be a key, as a field added to every request.
pub(crate) fn params(engine: &Engine, driver: &serde_json::Map<String, serde_json::Value>) -> serde_json::Value {
    let text = bench_machine::redact::text(&serde_json::Value::Object(driver.clone()).to_string());
    let text = engine.redact(&text);
    let driver = serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text));
    serde_json::to_value(BTreeMap::from([("driver", driver)])).unwrap_or_default()
}
