//! Finding the engine to measure: the one that the user names, one that is started, one that is found, or the simulation.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use bench_machine::launch::{Engine as Process, LaunchSpec};
use bench_plugin::driver_types::{Backend, LaunchOptions, LaunchPlan};
use bench_registry::bad_program;
use bench_sim::{Sim, SimConfig, SimHandle};
use bench_text::spell_name;
use serde_json::{Map, Value};

use crate::catalog::{Catalog, Identity};
use crate::detect::survey_on;
use crate::engine::{Engine, Line, Reach, is_absence};
use crate::error::RunError;
use crate::keys::{KeyPolicy, grant_command};
use crate::options::RunOptions;
use crate::report::{Reporter, Update};

/// An engine together with what must live as long as it is used.
pub(crate) struct Connected {
    pub(crate) engine: Engine,
    /// A process that this run started.
    pub(crate) process: Option<Process>,
    /// The embedded simulation.
    pub(crate) sim: Option<SimHandle>,
}

/// How long a launched engine gets to end by itself.
const GRACE: Duration = Duration::from_secs(10);

impl Connected {
    /// Stops what this run started.
    pub(crate) async fn close(self) {
        if let Some(process) = self.process {
            process.stop(GRACE).await;
        }
        if let Some(sim) = self.sim {
            sim.shutdown().await;
        }
    }
}

/// Finds the engine that the options ask for.
pub(crate) async fn connect(
    catalog: &Catalog,
    options: &RunOptions,
    params: &Map<String, Value>,
    reporter: &mut dyn Reporter,
) -> Result<Connected, RunError> {
    let params = Value::Object(params.clone()).to_string();
    match (&options.plugin, options.launch) {
        (plugin, true) => launch(catalog, plugin.as_deref().unwrap_or("llama-cpp"), options, params, reporter).await,
        (Some(plugin), false) => named(catalog, plugin, true, options, params, reporter).await,
        (None, false) => detected(catalog, options, params, reporter).await,
    }
}

/// A driver at the address that the user names, or at the driver's usual addresses. `named_driver`
/// says whether the user named it.
async fn named(
    catalog: &Catalog,
    plugin: &str,
    named_driver: bool,
    options: &RunOptions,
    params: String,
    reporter: &mut dyn Reporter,
) -> Result<Connected, RunError> {
    let (driver, identity) = catalog.driver(plugin)?;
    let usual = || driver.info().endpoints.iter().filter(|address| identity.permit.may_reach(address));
    let candidates: Vec<String> =
        options.endpoint.as_ref().map_or_else(|| usual().cloned().collect(), |endpoint| vec![endpoint.clone()]);
    let name = driver.info().name.clone();
    let policy = KeyPolicy::from_options(options, named_driver);
    let (mut driver, mut identity) = (driver, identity);
    let mut tried = Vec::new();
    for address in &candidates {
        let mut line = Line::with_keys(driver, identity, address, Reach::from_options(options), &policy)?;
        let met = line.meet(&policy).await;
        // Driver, address and model are named: that is all there is to know, whatever the server says of itself.
        let is_enough = named_driver && options.endpoint.is_some() && options.model.is_some();
        let met = match met {
            Ok(None) if is_enough => {
                Ok(Some(unrecognised(&line, reporter, "it says nothing that the driver recognises")))
            }
            Err(RunError::Wire(error)) if is_enough && !is_absence(&error) => {
                Ok(Some(unrecognised(&line, reporter, &error.to_string())))
            }
            met => met,
        };
        match met {
            Ok(Some(backend)) => {
                note_withheld_keys(&line, reporter);
                let engine = line.open(backend, options.model.as_deref(), params, options)?;
                return Ok(Connected { engine, process: None, sim: None });
            }
            Ok(None) if candidates.len() == 1 => {
                note_withheld_keys(&line, reporter);
                if line.was_denied() && !named_driver {
                    return Err(RunError::KeyWanted { endpoint: line.endpoint.to_string() });
                }
                return Err(RunError::NotRecognised {
                    endpoint: line.endpoint.to_string(),
                    title: line.driver.info().title.clone(),
                });
            }
            Err(error) if candidates.len() == 1 => return Err(error),
            Ok(None) => tried.push(format!("{address} answers as something else")),
            Err(error) => tried.push(error.to_string()),
        }
        (driver, identity) = line.into_driver();
    }
    if tried.is_empty() {
        tried.push("it has no usual address that it may reach".to_owned());
    }
    Err(RunError::NoEngine { driver: name, tried: tried.join("; ") })
}

/// A server that is taken for what the user says it is.
fn unrecognised(line: &Line, reporter: &mut dyn Reporter, why: &str) -> Backend {
    let name = line.driver.info().name.clone();
    let text = format!("{} is taken for {name} because the driver and the model are named: {why}", line.endpoint);
    reporter.update(Update::Note { code: "not-recognised", text: &text });
    Backend { name, version: None, build: Vec::new(), models: Vec::new(), slots: None, confidence: 0, extra: None }
}

/// Tells the user about keys that are set and were not sent.
fn note_withheld_keys(line: &Line, reporter: &mut dyn Reporter) {
    for key in line.withheld_keys() {
        let text = format!("the key in {} was not sent: {}; {}", key.variable, key.reason, key.hint);
        reporter.update(Update::Note { code: "key-withheld", text: &text });
    }
}

/// The surest of all drivers, or the simulation when nothing answers at any usual address.
async fn detected(
    catalog: &Catalog,
    options: &RunOptions,
    params: String,
    reporter: &mut dyn Reporter,
) -> Result<Connected, RunError> {
    reporter.update(Update::Detecting);
    let survey = survey_on(catalog, options.endpoint.as_deref(), &Reach::from_options(options)).await;
    if let Some(best) = survey.engines.first() {
        let chosen = RunOptions { endpoint: Some(best.endpoint.clone()), ..options.clone() };
        return named(catalog, &best.reference, false, &chosen, params, reporter).await;
    }
    if options.endpoint.is_some() {
        // The generic driver says best what is wrong with an address that no driver recognises. The user did not name it, so
        // its key stays here unless the user named the key.
        return named(catalog, "openai", options.api_key_env.is_some(), options, params, reporter).await;
    }
    simulate(catalog, options, params, reporter).await
}

async fn simulate(
    catalog: &Catalog,
    options: &RunOptions,
    params: String,
    reporter: &mut dyn Reporter,
) -> Result<Connected, RunError> {
    let config = SimConfig { context_length: SIMULATED_CONTEXT, ..SimConfig::default() };
    let sim = Sim::start(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let endpoint = sim.url();
    reporter.update(Update::Simulating { endpoint: &endpoint });
    let chosen = RunOptions { endpoint: Some(endpoint), ..options.clone() };
    let connected = named(catalog, "openai", true, &chosen, params, reporter).await?;
    Ok(Connected { sim: Some(sim), ..connected })
}

/// Room for the longest prompt of the suites and its answer.
const SIMULATED_CONTEXT: u32 = 1 << 18;

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener.map_or(18_080, |address| address.port())
}

async fn launch(
    catalog: &Catalog,
    plugin: &str,
    options: &RunOptions,
    params: String,
    reporter: &mut dyn Reporter,
) -> Result<Connected, RunError> {
    let (mut driver, identity) = catalog.driver(plugin)?;
    let port = free_port();
    let wanted = LaunchOptions { port, context: None, slots: None, params: params.clone() };
    let plan = driver.launch(options.model.as_deref().unwrap_or_default(), &wanted)?;
    let name = driver.info().name.clone();
    check_launch(&plan, &identity, &params)?;
    let spec = LaunchSpec {
        program: plan.program,
        arguments: plan.arguments,
        environment: plan.environment.into_iter().collect(),
        trusted: identity.permit.carried,
        log_path: options.folders.logs.join(format!("{name}-{port}.log")),
    };
    let shown = spec.describe();
    reporter.update(Update::Launching { command: &format!("{} {}", shown.program, shown.arguments.join(" ")) });
    let mut process = Process::launch(&spec)?;
    let address = format!("http://127.0.0.1:{port}");
    // The user asked for this server, so the driver may have its key.
    let policy = KeyPolicy { named_server: true, ..KeyPolicy::from_options(options, true) };
    let reach = Reach::searching(true);
    let mut line = Line::with_keys(driver, identity, &address, reach, &policy)?;
    let ready = || async { line.send(plan.ready.clone()).await.is_ok_and(|answer| answer.status == 200) };
    process.wait_ready(ready, Duration::from_millis(plan.ready_timeout_ms)).await?;
    let backend = line.meet(&policy).await?.ok_or_else(|| RunError::NotRecognised {
        endpoint: line.endpoint.to_string(),
        title: line.driver.info().title.clone(),
    })?;
    // The engine names its model in its own way; only one that names none is asked for what it was launched with.
    let wanted = options.model.as_deref().filter(|_| backend.models.is_empty());
    let engine = line.open(backend, wanted, params, options)?;
    Ok(Connected { engine, process: Some(process), sim: None })
}

/// Whether the plan starts a program that the plugin may start. A carried driver may also start the
/// program that the user named in a parameter, such as the Python of an environment.
fn check_launch(plan: &LaunchPlan, identity: &Identity, params: &str) -> Result<(), RunError> {
    let program = plan.program.as_str();
    let from_user = || {
        let params: Map<String, Value> = serde_json::from_str(params).unwrap_or_default();
        params.values().any(|value| value.as_str() == Some(program))
    };
    let permit = &identity.permit;
    if permit.may_launch(program) || (permit.carried && from_user()) {
        return Ok(());
    }
    let forbidden = bad_program(program);
    let command = grant_command(identity);
    Err(RunError::LaunchNotGranted {
        plugin: identity.name.clone(),
        program: spell_name(program),
        reason: forbidden.unwrap_or("it was not granted").to_owned(),
        hint: Some(match forbidden {
            None => format!("if you trust it, grant it with `{command}`"),
            Some(_) => "start the server yourself and name it with --endpoint".to_owned(),
        }),
    })
}
