//! Host-side bindings, generated from `wit/`. All worlds share one set of types.

/// The shared vocabulary.
#[expect(missing_docs, reason = "the WIT files document these items")]
pub mod types {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package bench:host; world shared { import bench:plugin/types@0.1.0; }",
        world: "bench:host/shared",
        additional_derives: [PartialEq, Clone, serde::Serialize, serde::Deserialize],
    });
}

/// The driver world.
#[expect(missing_docs, reason = "the WIT files document these items")]
pub mod driver {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "driver-plugin",
        with: { "bench:plugin/types@0.1.0": crate::bindings::types::bench::plugin::types },
        additional_derives: [PartialEq, Clone, serde::Serialize, serde::Deserialize],
    });
}

/// The workload world.
#[expect(missing_docs, reason = "the WIT files document these items")]
pub mod workload {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "workload-plugin",
        with: { "bench:plugin/types@0.1.0": crate::bindings::types::bench::plugin::types },
        additional_derives: [PartialEq, Clone, serde::Serialize, serde::Deserialize],
    });
}

/// The scorer world.
#[expect(missing_docs, reason = "the WIT files document these items")]
pub mod scorer {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "scorer-plugin",
        with: { "bench:plugin/types@0.1.0": crate::bindings::types::bench::plugin::types },
        additional_derives: [PartialEq, Clone, serde::Serialize, serde::Deserialize],
    });
}
