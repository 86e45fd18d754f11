//! Generated bindings. The worlds share one set of types, so that helpers work for every kind of plugin.

pub mod types {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package bench:sdk; world shared { import bench:plugin/types@0.1.0; }",
        world: "bench:sdk/shared",
        generate_all,
        additional_derives: [PartialEq],
        generate_unused_types: true,
    });
}

pub mod driver {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "ruled-driver-plugin",
        with: { "bench:plugin/types@0.1.0": crate::bindings::types::bench::plugin::types },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_driver_component",
        default_bindings_module: "bench_sdk::bindings::driver",
    });
}

pub mod workload {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "workload-plugin",
        with: { "bench:plugin/types@0.1.0": crate::bindings::types::bench::plugin::types },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_workload_component",
        default_bindings_module: "bench_sdk::bindings::workload",
    });
}

pub mod scorer {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "scorer-bulk-plugin",
        with: { "bench:plugin/types@0.1.0": crate::bindings::types::bench::plugin::types },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_scorer_component",
        default_bindings_module: "bench_sdk::bindings::scorer",
    });
}
