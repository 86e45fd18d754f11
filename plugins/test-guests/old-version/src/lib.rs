//! Implements an interface version of before the first. There is nothing to it outside the sandbox: natively, a linker would
//! not even take the export's name.

#[cfg(target_arch = "wasm32")]
mod component {
    mod old {
        wit_bindgen::generate!({
            inline: "package bench:plugin@0.0.7; interface driver { describe: func() -> string; } world old { export driver; }",
        });
    }

    struct Plugin;

    impl old::exports::bench::plugin::driver::Guest for Plugin {
        fn describe() -> String {
            "older than the host".to_owned()
        }
    }

    old::export!(Plugin with_types_in old);
}
