//! Implements a world that is not ours. There is nothing to it outside the sandbox: natively, a linker would not even take the
//! export's name.

#[cfg(target_arch = "wasm32")]
mod component {
    mod other {
        wit_bindgen::generate!({
            inline: "package acme:tool@1.0.0; interface run { go: func() -> string; } world tool { export run; }",
        });
    }

    struct Plugin;

    impl other::exports::acme::tool::run::Guest for Plugin {
        fn go() -> String {
            "nobody asked".to_owned()
        }
    }

    other::export!(Plugin with_types_in other);
}
