//! How much of what a backend says of itself is kept: it enters each record and each table.

use bench_plugin::driver_types::{Backend, Model};
use bench_text::cut_name;

/// Models that are kept. Large gateways list a few hundred.
const MOST_MODELS: usize = 10_000;

/// Lines on how the backend was built that are kept.
const MOST_BUILD_LINES: usize = 200;

/// Bytes of the object with anything else. A longer one is left out, since the beginning of JSON is no JSON.
const LONGEST_EXTRA: usize = 64 << 10;

/// A backend with every text redacted and bounded.
pub(crate) fn bound_backend(backend: Backend, redact: impl Fn(&str) -> String) -> Backend {
    let bound = |text: String| cut_name(redact(&text));
    Backend {
        name: bound(backend.name),
        version: backend.version.map(bound),
        build: backend.build.into_iter().take(MOST_BUILD_LINES).map(bound).collect(),
        models: backend.models.into_iter().take(MOST_MODELS).map(|model| bound_model(model, &redact)).collect(),
        extra: backend.extra.filter(|extra| extra.len() <= LONGEST_EXTRA).map(|extra| redact(&extra)),
        ..backend
    }
}

/// A model with every text redacted and bounded. The path of its weights stays exact, for it is opened and not shown.
pub(crate) fn bound_model(model: Model, redact: impl Fn(&str) -> String) -> Model {
    let bound = |text: String| cut_name(redact(&text));
    Model { id: bound(model.id), quantization: model.quantization.map(bound), digest: model.digest.map(bound), ..model }
}
