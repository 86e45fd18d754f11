//! A driver that does nothing. Each test guest is one of these with one way to misbehave, so that a case is one function.

/// Defines and exports a driver. `$encode` is called as `driver.encode`, `$push` as `driver.decoder.push` with the number of
/// reads of the calls before.
#[macro_export]
macro_rules! driver {
    (encode: $encode:expr, push: $push:expr) => {
        use bench_sdk::driver::{
            Backend, CountStep, CountSteps, Counter, Decode, Driver, Encoded, Evidence, Info, LaunchOptions, LaunchPlan,
            Locality, LocatedEvent, Probe, ProbeAnswer, Target,
        };
        use bench_sdk::types::{Generation, HttpRequest, HttpResponse, Problem, ResponseHeader};

        struct Plugin;
        struct Nothing;
        struct Reads(std::cell::Cell<u32>);

        impl Driver for Plugin {
            type Decoder = Reads;
            type Count = Nothing;

            fn describe() -> Info {
                Info {
                    name: "test-guest".to_owned(),
                    title: "Test guest".to_owned(),
                    version: "0.1.0".to_owned(),
                    summary: String::new(),
                    locality: Locality::SelfHosted,
                    endpoints: Vec::new(),
                    capabilities: Vec::new(),
                    evidence: Evidence::Documentation,
                    secrets: Vec::new(),
                    params_schema: "{}".to_owned(),
                }
            }

            fn probes() -> Vec<Probe> {
                Vec::new()
            }

            fn recognise(_answers: Vec<ProbeAnswer>) -> Option<Backend> {
                Some($crate::backend())
            }

            fn launch(_model: String, _options: LaunchOptions) -> Result<LaunchPlan, Problem> {
                Err($crate::problem("not-supported"))
            }

            fn encode(generation: Generation, target: Target) -> Result<Encoded, Problem> {
                $encode(generation, target)
            }

            fn explain(_response: HttpResponse) -> Problem {
                $crate::problem("server-error")
            }

            fn telemetry() -> Vec<HttpRequest> {
                Vec::new()
            }

            fn counters(_answers: Vec<Option<HttpResponse>>) -> Vec<Counter> {
                Vec::new()
            }
        }

        impl Decode for Reads {
            fn new(_headers: Vec<ResponseHeader>) -> Self {
                Reads(std::cell::Cell::new(0))
            }

            fn push(&self, bytes: Vec<u8>, ends: Vec<u32>) -> Result<Vec<LocatedEvent>, Problem> {
                let before = self.0.replace(self.0.get() + ends.len() as u32);
                $push(before, bytes, ends)
            }

            fn finish(&self) -> Result<Vec<LocatedEvent>, Problem> {
                Ok(Vec::new())
            }
        }

        impl CountSteps for Nothing {
            fn new(_generation: Generation, _target: Target) -> Self {
                Nothing
            }

            fn step(&self, _previous: Option<HttpResponse>) -> Result<CountStep, Problem> {
                Err($crate::problem("not-supported"))
            }
        }

        bench_sdk::export_driver!(Plugin);
    };
    (encode: $encode:expr) => {
        $crate::driver!(encode: $encode, push: |_, _, _| Ok(Vec::new()));
    };
}

use bench_sdk::driver::{Backend, Encoded, Model};
use bench_sdk::types::{HttpRequest, Problem};

/// A problem with this code.
pub fn problem(code: &str) -> Problem {
    Problem { code: code.to_owned(), message: "said by a test guest".to_owned(), hint: None }
}

/// A backend that is there whatever answers, with a model named `calm` and one named `panic`.
pub fn backend() -> Backend {
    let model = |id: &str| Model {
        id: id.to_owned(),
        context_length: None,
        quantization: None,
        digest: None,
        path: None,
        parameters: None,
    };
    Backend {
        name: "test-guest".to_owned(),
        version: None,
        build: Vec::new(),
        models: vec![model("calm"), model("panic")],
        slots: None,
        confidence: 1,
        extra: None,
    }
}

/// An encoded request with this path and body.
pub fn encoded(path: String, body: Vec<u8>) -> Encoded {
    Encoded {
        request: HttpRequest { method: "POST".to_owned(), path, headers: Vec::new(), body },
        forced_length: false,
        cache_off: false,
        seeded: false,
    }
}
