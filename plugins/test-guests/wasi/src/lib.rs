//! Looks around through WASI, as the runtimes of Python and JavaScript do, and reports what it sees as the request's body.
//! For a model named `wait` it waits instead.

mod world {
    wit_bindgen::generate!({
        inline: r"
            package bench:guest;

            world looks-around {
                import wasi:cli/environment@0.2.0;
                import wasi:clocks/monotonic-clock@0.2.0;
                import wasi:clocks/wall-clock@0.2.0;
                import wasi:random/random@0.2.0;
            }

            package wasi:cli@0.2.0 {
                interface environment {
                    get-environment: func() -> list<tuple<string, string>>;
                    get-arguments: func() -> list<string>;
                }
            }

            package wasi:io@0.2.0 {
                interface poll {
                    resource pollable {
                        block: func();
                    }
                }
            }

            package wasi:clocks@0.2.0 {
                interface monotonic-clock {
                    use wasi:io/poll@0.2.0.{pollable};
                    now: func() -> u64;
                    subscribe-duration: func(when: u64) -> pollable;
                }
                interface wall-clock {
                    record datetime { seconds: u64, nanoseconds: u32 }
                    now: func() -> datetime;
                }
            }

            package wasi:random@0.2.0 {
                interface random {
                    get-random-bytes: func(len: u64) -> list<u8>;
                }
            }
        ",
        generate_all,
    });
}

use world::wasi::{cli::environment, clocks::monotonic_clock, clocks::wall_clock, random::random};

#[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "nothing is exported natively"))]
fn look_around() -> String {
    format!(
        "environment={} arguments={} monotonic={} wall={} random={:02x?}",
        environment::get_environment().len(),
        environment::get_arguments().len(),
        monotonic_clock::now(),
        wall_clock::now().seconds,
        random::get_random_bytes(4),
    )
}

guest_stub::driver!(encode: |_, target: Target| {
    if target.model == "wait" {
        monotonic_clock::subscribe_duration(3_600_000_000_000).block();
    }
    Ok(guest_stub::encoded("/".to_owned(), look_around().into_bytes()))
});
