//! The engine under measurement: a driver together with the address that it talks to.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bench_grants::KeyTarget;
use bench_load::{Crew, Lanes};
use bench_plugin::driver_types::{
    Backend, BinaryAnswer, Capability, CountStep, Encoded, EnvironmentAnswer, HttpAnswer, Locality, Model, Probe,
    ProbeAnswer, Target,
};
use bench_plugin::types::{Generation, HttpRequest, HttpResponse};
use bench_plugin::workload_types::SessionKey;
use bench_plugin::{Adjusted, Driver, Fault};
use bench_record::{Problem, RouteRecord};
use bench_wire::{Client, Control, Endpoint, Limits, Proxy, Route, Secrets, Trust, WireError};
use serde_json::{Map, Value};

use crate::bounds::{bound_backend, bound_model};
use crate::catalog::Identity;
use crate::convert;
use crate::error::RunError;
use crate::keys::{KeyPolicy, Keys, WithheldKey};
use crate::options::RunOptions;
use crate::prompt;

/// A driver bound to an address, with nothing known of what answers there.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) driver: Driver,
    pub(crate) identity: Identity,
    pub(crate) endpoint: Endpoint,
    pub(crate) reach: Reach,
    secrets: Secrets,
    required: BTreeSet<String>,
    control: Control,
    /// Keys that the server may still get.
    keys: Keys,
    withheld: Vec<WithheldKey>,
    denied: bool,
}

/// Fields that are left out at most; requests have fewer.
const MOST_LEFT_OUT: usize = 64;

/// How servers are reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reach {
    /// Which certificates to accept.
    pub(crate) trust: Trust,
    /// The proxy of measured requests.
    proxy: Option<Proxy>,
    /// The longest silence that the user allows.
    silence: Option<Duration>,
    /// The user named the address, so something is there: it gets the time that a gateway takes that wakes up.
    named: bool,
}

impl Reach {
    /// For the server of a run.
    pub(crate) fn from_options(options: &RunOptions) -> Self {
        Self {
            trust: options.trust.clone(),
            proxy: options.proxy.clone(),
            silence: options.timeout,
            named: options.endpoint.is_some(),
        }
    }

    /// For an address that the user named, or for one of those where a server may be.
    pub(crate) fn searching(named: bool) -> Self {
        Self { named, ..Self::default() }
    }

    /// Limits of the first requests to a server: most addresses of a search answer nothing.
    fn probing(&self) -> Limits {
        let limits = Limits { max_body: 8 << 20, ..Limits::default() };
        if self.named {
            let first_byte = self.silence.unwrap_or(Duration::from_secs(60));
            let connect = self.silence.map_or(limits.connect, |silence| silence.max(limits.connect));
            return Limits { connect, first_byte, stall: first_byte, total: connect + first_byte, ..limits };
        }
        Limits {
            connect: Duration::from_millis(500),
            first_byte: Duration::from_secs(5),
            stall: Duration::from_secs(5),
            total: Duration::from_secs(10),
            ..limits
        }
    }

    /// Limits of the measured requests.
    fn measuring(&self) -> Limits {
        let usual = Limits::default();
        let connect = self.silence.map_or(usual.connect, |silence| silence.max(usual.connect));
        let (first_byte, stall) = (self.silence.unwrap_or(usual.first_byte), self.silence.unwrap_or(usual.stall));
        Limits { connect, first_byte, stall, ..usual }
    }

    /// Limits of the unmeasured requests of a run.
    fn patient(&self) -> Limits {
        let total = self.silence.unwrap_or_default().max(Duration::from_secs(120));
        Limits { total, max_body: 16 << 20, ..self.measuring() }
    }

    fn control(&self, endpoint: &Endpoint, secrets: &Secrets, limits: Limits) -> Result<Control, WireError> {
        Control::with_trust(endpoint.clone(), secrets.clone(), limits, &self.trust)
    }

    /// As the record says it; `None` on the usual way.
    pub(crate) fn record(&self) -> Option<RouteRecord> {
        let route = RouteRecord {
            certificates: self.trust.name().to_owned(),
            proxy: self.proxy.as_ref().map(Proxy::to_string),
        };
        (route != RouteRecord::default()).then_some(route)
    }
}

impl Line {
    /// Binds a driver to an address. It starts on a fresh instance, so that nothing of an earlier
    /// server reaches this one, and without keys.
    ///
    /// # Errors
    /// When the address is none, or is not open to the driver.
    pub(crate) fn new(mut driver: Driver, identity: Identity, address: &str, reach: Reach) -> Result<Line, RunError> {
        let endpoint = Endpoint::parse(address)?.root();
        if !identity.permit.may_reach_named(address) {
            return Err(RunError::AddressClosed { plugin: identity.name, endpoint: endpoint.to_string() });
        }
        driver.restart();
        let secrets = Secrets::new(endpoint.clone());
        let control = reach.control(&endpoint, &secrets, reach.probing())?;
        let (required, keys, withheld) = Default::default();
        Ok(Line { driver, identity, endpoint, reach, secrets, required, control, keys, withheld, denied: false })
    }

    /// Like [`Line::new`], with the keys at hand that the server may get.
    ///
    /// # Errors
    /// As [`Line::new`], and when a key that the driver cannot do without is missing or not granted.
    pub(crate) fn with_keys(
        driver: Driver,
        identity: Identity,
        address: &str,
        reach: Reach,
        policy: &KeyPolicy,
    ) -> Result<Line, RunError> {
        let mut line = Line::new(driver, identity, address, reach)?;
        let target = KeyTarget { address, named: policy.named_server };
        line.keys = Keys::read(&line.driver.info().secrets, &line.identity, target, policy)?;
        Ok(line)
    }

    /// Asks what answers at the address: first without keys, then with them where the server has
    /// earned them. See [`crate::keys`].
    ///
    /// # Errors
    /// See [`Line::recognise`] and [`Keys::admit`].
    pub(crate) async fn meet(&mut self, policy: &KeyPolicy) -> Result<Option<Backend>, RunError> {
        // A hosted service at its own address is known by its certificate.
        let hosted = self.driver.info().locality == Locality::Hosted;
        let known = hosted && self.endpoint.is_tls() && self.identity.permit.may_reach(&self.endpoint.to_string());
        let backend = if known { None } else { self.recognise().await? };
        let named = policy.named_driver && (policy.named_server || self.denied);
        if !known && backend.is_none() && !named {
            return Ok(None);
        }
        self.unlock(policy).await?;
        let keyless = self.secrets.names().next().is_none();
        match backend {
            Some(backend) if keyless || !self.denied => Ok(Some(backend)),
            None if keyless && !known => Ok(None),
            _ => self.recognise().await,
        }
    }

    /// Takes the keys that the server may get.
    async fn unlock(&mut self, policy: &KeyPolicy) -> Result<(), RunError> {
        let keys = std::mem::take(&mut self.keys);
        (self.secrets, self.withheld) = keys.admit(&self.endpoint, policy).await?;
        let required = self.driver.info().secrets.iter().filter(|secret| secret.required);
        self.required = required.map(|secret| secret.name.clone()).collect();
        self.control = self.reach.control(&self.endpoint, &self.secrets, self.reach.probing())?;
        Ok(())
    }

    /// Keys that are set and do not go to this server.
    pub(crate) fn withheld_keys(&self) -> &[WithheldKey] {
        &self.withheld
    }

    /// Whether the server has answered a probe with 401 or 403.
    pub(crate) fn was_denied(&self) -> bool {
        self.denied
    }

    /// The driver, when the line is given up.
    pub(crate) fn into_driver(self) -> (Driver, Identity) {
        (self.driver, self.identity)
    }

    pub(crate) fn request(&self, request: HttpRequest) -> bench_wire::Request {
        let set: BTreeSet<&str> = self.secrets.names().collect();
        convert::request(request, |name| set.contains(name), |name| self.required.contains(name))
    }

    /// Sends an unmeasured request.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, WireError> {
        Ok(convert::response(self.control.send(self.request(request)).await?))
    }

    /// Asks what answers at the address. Nothing at all is the connection's error; something else is `None`.
    pub(crate) async fn recognise(&mut self) -> Result<Option<Backend>, RunError> {
        let mut answers = Vec::new();
        let mut heard = false;
        let mut silence = None;
        for probe in self.driver.probes()? {
            answers.push(match probe {
                Probe::Http(probe) => {
                    // A server that nobody has recognised yet must not be changed by a look at it.
                    if !matches!(probe.request.method.as_str(), "GET" | "HEAD") {
                        let (plugin, method) = (self.identity.name.clone(), probe.request.method);
                        return Err(RunError::BadProbe { plugin, method });
                    }
                    let response = match self.send(probe.request).await {
                        Ok(response) => {
                            heard = true;
                            self.denied |= matches!(response.status, 401 | 403);
                            Some(response)
                        }
                        Err(error) if is_absence(&error) && !heard => return Err(error.into()),
                        Err(error) => {
                            silence = silence.or(Some(error));
                            None
                        }
                    };
                    ProbeAnswer::Http(HttpAnswer { id: probe.id, response })
                }
                Probe::Binary(name) => {
                    let path = on_search_path(&name).filter(|_| self.identity.permit.may_launch(&name));
                    ProbeAnswer::Binary(BinaryAnswer { name, path })
                }
                Probe::Environment(name) => {
                    let set = self.identity.permit.may_see_variable(&name) && std::env::var_os(&name).is_some();
                    ProbeAnswer::Environment(EnvironmentAnswer { name, set })
                }
                Probe::Other(_) => continue,
            });
        }
        match (heard, silence) {
            (false, Some(error)) => Err(error.into()),
            _ => Ok(self.driver.recognise(&answers)?),
        }
    }

    /// What a backend says of itself, bounded and without the user's keys: a server can repeat what it was sent.
    pub(crate) fn shown(&self, backend: Backend) -> Backend {
        bound_backend(backend, |text| self.secrets.redact(text))
    }

    /// Settles on a model and makes the connections of a run. Requests name the model as the backend does; everything else
    /// has the name without keys.
    pub(crate) fn open(
        self,
        backend: Backend,
        wanted: Option<&str>,
        params: String,
        options: &RunOptions,
    ) -> Result<Engine, RunError> {
        let shown = self.shown(backend.clone());
        let not_served = |wanted: &str| RunError::ModelNotFound {
            wanted: wanted.to_owned(),
            served: shown.models.iter().map(|model| model.id.clone()).collect(),
        };
        // Who names driver and model knows them better than a list: services leave out aliases, deployments and fine-tuned models.
        let named = wanted.filter(|_| options.plugin.is_some() && options.endpoint.is_some() && !options.launch);
        let model = choose(&backend, wanted).or_else(|| named.map(unlisted)).ok_or_else(|| match wanted {
            Some(wanted) => not_served(wanted),
            None => RunError::NoModel { endpoint: self.endpoint.to_string() },
        })?;
        if let Some((unknown, _)) = options.mix.iter().find(|(name, _)| choose(&backend, Some(name)).is_none()) {
            return Err(not_served(unknown));
        }
        let (endpoint, secrets) = (self.endpoint.clone(), self.secrets.clone());
        let route = Route { trust: self.reach.trust.clone(), proxy: self.reach.proxy.clone() };
        let client = Client::through(endpoint, secrets, self.reach.measuring(), &route, options.stamps)?;
        let crew = options.workers.map_or_else(Crew::for_this_machine, Crew::new);
        let crew = crew.map_err(|error| RunError::Threads(error.to_string()))?;
        let lanes = Lanes::new(Arc::new(crew), &client, options.waiting);
        let control = self.reach.control(&self.endpoint, &self.secrets, self.reach.patient())?;
        let target = Target { model: model.id.clone(), version: backend.version, params };
        let model = bound_model(model, |text| self.secrets.redact(text));
        let counts = self.driver.info().capabilities.contains(&Capability::Tokenize);
        let backend = shown;
        let mut line = Line { control, ..self };
        let beside = Arc::new(beside(&mut line)?);
        let mix = options.mix.clone();
        Ok(Engine {
            line,
            backend,
            model,
            client,
            lanes,
            beside,
            measures: false,
            target,
            mix,
            counts,
            trouble: None,
            omit: Vec::new(),
            left_out: BTreeSet::new(),
        })
    }
}

/// What is asked of the backend while a window is open, if the driver knows what. Made ready beforehand: in a window no guest
/// can be asked.
fn beside(line: &mut Line) -> Result<Beside, RunError> {
    let measures = line.driver.info().capabilities.contains(&Capability::Telemetry);
    let requests = if measures { line.driver.telemetry()? } else { Vec::new() };
    let requests = requests.into_iter().map(|request| line.request(request)).collect();
    Ok(Beside { control: line.reach.control(&line.endpoint, &line.secrets, line.reach.probing())?, requests })
}

/// Does the error say that nothing is there, rather than that something is there and misbehaves?
pub(crate) fn is_absence(error: &WireError) -> bool {
    matches!(error.code(), "connect-refused" | "connect-failed" | "connect-timeout" | "dns" | "redirect" | "tls")
}

/// A model of which only the name is known.
fn unlisted(id: &str) -> Model {
    Model { id: id.to_owned(), context_length: None, quantization: None, digest: None, path: None, parameters: None }
}

/// The model to ask: the wanted one, or the first. A backend that lists nothing may still serve what the user knows it to.
fn choose(backend: &Backend, wanted: Option<&str>) -> Option<Model> {
    let served = &backend.models;
    match wanted {
        Some(wanted) if served.is_empty() => Some(unlisted(wanted)),
        Some(wanted) => served.iter().find(|model| model.id == wanted).cloned(),
        None => served.first().cloned(),
    }
}

fn on_search_path(name: &str) -> Option<String> {
    // A name with a separator would be looked up relative to the current folder, which is nobody's intention.
    if name.is_empty() || name.contains(['/', '\\']) {
        return None;
    }
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())?;
    Some(found.display().to_string())
}

/// A driver that can count in general and could not here is worth a note: prompt lengths are estimates from then on.
fn uncounted(fault: &Fault) -> Option<Problem> {
    let problem = fault.problem().filter(|problem| problem.code != "not-supported")?;
    Some(Problem {
        code: "prompt-not-counted".to_owned(),
        message: format!("the engine did not count a prompt, so prompt lengths are estimates: {}", problem.message),
        hint: problem.hint.clone(),
    })
}

/// An engine that was recognised, with the model that will be asked.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) line: Line,
    pub(crate) backend: Backend,
    pub(crate) model: Model,
    pub(crate) client: Client,
    pub(crate) lanes: Lanes,
    pub(crate) beside: Arc<Beside>,
    /// The backend answered when it was last asked for its counters.
    pub(crate) measures: bool,
    pub(crate) target: Target,
    /// Models to ask for, each with its share; empty for one model.
    mix: Vec<(String, f64)>,
    /// The backend counts tokens. Falls to `false` when it turns out that it does not.
    pub(crate) counts: bool,
    /// Why it turned out so, where the driver had promised otherwise.
    pub(crate) trouble: Option<Problem>,
    /// Fields of the body that the server refused.
    omit: Vec<String>,
    /// Wishes and fields that requests did not carry.
    left_out: BTreeSet<String>,
}

/// What is asked of a backend beside a window.
#[derive(Debug)]
pub(crate) struct Beside {
    pub(crate) control: Control,
    pub(crate) requests: Vec<bench_wire::Request>,
}

impl Engine {
    /// The model that a session asks for, where the load mixes several: drawn with the shares of the mix from a number that
    /// the session fixes.
    pub(crate) fn mixed_model(&self, nonce: u64, session: &SessionKey) -> Option<String> {
        let total: f64 = self.mix.iter().map(|(_, share)| share).sum();
        let digits = prompt::salt(nonce, &format!("mix/{}/{}/{}", session.phase, session.warmup, session.index));
        let drawn = u64::from_str_radix(&digits, 16).unwrap_or_default() as f64 / u64::MAX as f64 * total;
        let mut upto = 0.0;
        let mut chosen = None;
        for (model, share) in &self.mix {
            upto += share;
            chosen = Some(model);
            if drawn < upto {
                break;
            }
        }
        chosen.cloned()
    }

    /// The request for a generation, to `model` where that is not the engine's.
    pub(crate) fn encode(&mut self, generation: &Generation, model: Option<&str>) -> Result<Encoded, RunError> {
        let target = match model {
            Some(model) => Target { model: model.to_owned(), ..self.target.clone() },
            None => self.target.clone(),
        };
        self.encode_for(generation, &target)
    }

    /// The request for a generation without what the model does not take, which is noted.
    fn encode_for(&mut self, generation: &Generation, target: &Target) -> Result<Encoded, RunError> {
        let Adjusted { encoded, left_out } = self.line.driver.adjust(generation, target, &self.omit)?;
        let room = MOST_LEFT_OUT.saturating_sub(self.left_out.len());
        self.left_out.extend(left_out.into_iter().take(room).map(bench_text::cut_name));
        Ok(encoded)
    }

    /// Leaves out of later requests the fields that a refusal names. Answers whether it names any.
    pub(crate) fn learn_refusal(&mut self, response: &HttpResponse) -> Result<bool, Fault> {
        let refused = self.line.driver.refused_fields(response)?;
        let any = !refused.is_empty();
        for field in refused {
            if self.omit.len() < MOST_LEFT_OUT && !self.omit.contains(&field) {
                self.omit.push(field);
            }
        }
        Ok(any)
    }

    /// Wishes and fields that requests did not carry, in the order of their names.
    pub(crate) fn left_out(&self) -> Vec<String> {
        self.left_out.iter().cloned().collect()
    }

    /// The request for a generation with fields of the backend's own, for drivers that take some.
    pub(crate) fn encode_with(
        &mut self,
        generation: &Generation,
        fields: &Map<String, Value>,
    ) -> Result<Encoded, RunError> {
        if fields.is_empty() {
            return self.encode(generation, None);
        }
        let mut params: Map<String, Value> = serde_json::from_str(&self.target.params).unwrap_or_default();
        let extra = params.entry("extra").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(extra) = extra {
            extra.extend(fields.clone());
        }
        let target = Target { params: Value::Object(params).to_string(), ..self.target.clone() };
        self.encode_for(generation, &target)
    }

    /// Does the driver have this capability?
    pub(crate) fn can(&self, capability: Capability) -> bool {
        self.line.driver.info().capabilities.contains(&capability)
    }

    /// The tokens of a prompt as the backend sees it, or `None` where it cannot count.
    pub(crate) async fn count(&mut self, generation: &Generation) -> Result<Option<u64>, RunError> {
        if !self.counts {
            return Ok(None);
        }
        let mut count = self.line.driver.begin_count(generation, &self.target)?;
        let mut previous: Option<HttpResponse> = None;
        loop {
            match self.line.driver.step_count(&mut count, previous.as_ref()) {
                Ok(CountStep::Send(request)) => previous = Some(self.line.send(request).await?),
                Ok(CountStep::Done(tokens)) => return Ok(Some(tokens)),
                // The plugin answered in order, and the answer is that this backend does not count.
                Err(fault) if fault.problem().is_some() => {
                    self.counts = false;
                    self.trouble = self.trouble.take().or_else(|| uncounted(&fault));
                    return Ok(None);
                }
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// Is there still somebody at the address?
    pub(crate) async fn is_there(&mut self) -> Result<(), RunError> {
        let probes = self.line.driver.probes()?;
        let first = probes.into_iter().find_map(|probe| match probe {
            Probe::Http(probe) => Some(probe.request),
            _ => None,
        });
        if let Some(request) = first {
            self.line.send(request).await?;
        }
        Ok(())
    }

    /// The backend's counters now. A counter that cannot be had is absent.
    pub(crate) async fn counters(&mut self) -> Result<Vec<bench_plugin::driver_types::Counter>, RunError> {
        if !self.can(Capability::Telemetry) {
            return Ok(Vec::new());
        }
        let mut answers = Vec::new();
        for request in self.line.driver.telemetry()? {
            let answer = self.line.send(request).await.ok();
            answers.push(answer.filter(|response| response.status == 200));
        }
        self.measures = answers.iter().any(Option::is_some);
        if !self.measures {
            return Ok(Vec::new());
        }
        Ok(self.line.driver.counters(&answers)?)
    }

    /// A text without any secret in it.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.client.secrets().redact(text)
    }
}
