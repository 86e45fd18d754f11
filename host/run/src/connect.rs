//! Finding the engine to measure: the one that the user names, one that is started, one that is found, or the simulation.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use bench_machine::launch::{Engine as Process, LaunchSpec};
use bench_plugin::driver_types::LaunchOptions;
use bench_sim::{Sim, SimConfig, SimHandle};
use serde_json::{Map, Value};

use crate::catalog::Catalog;
use crate::detect::survey;
use crate::engine::{Engine, Line};
use crate::error::RunError;
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
        (Some(plugin), false) => named(catalog, plugin, options, params).await,
        (None, false) => detected(catalog, options, params, reporter).await,
    }
}

/// The driver that the user names, at the address that the user names or at the driver's usual ones.
async fn named(catalog: &Catalog, plugin: &str, options: &RunOptions, params: String) -> Result<Connected, RunError> {
    let (driver, identity) = catalog.driver(plugin)?;
    let candidates =
        options.endpoint.as_ref().map_or_else(|| driver.info().endpoints.clone(), |endpoint| vec![endpoint.clone()]);
    let name = driver.info().name.clone();
    let (mut driver, mut identity) = (driver, identity);
    let mut tried = Vec::new();
    for address in &candidates {
        let mut line = Line::new(driver, identity, address, options.api_key_env.as_deref())?;
        match line.recognise().await {
            Ok(Some(backend)) => {
                let engine = line.open(backend, options.model.as_deref(), params, options)?;
                return Ok(Connected { engine, process: None, sim: None });
            }
            Ok(None) if candidates.len() == 1 => {
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
        tried.push("it has no usual address".to_owned());
    }
    Err(RunError::NoEngine { driver: name, tried: tried.join("; ") })
}

/// The surest of all drivers, or the simulation when nothing answers at any usual address.
async fn detected(
    catalog: &Catalog,
    options: &RunOptions,
    params: String,
    reporter: &mut dyn Reporter,
) -> Result<Connected, RunError> {
    reporter.update(Update::Detecting);
    let survey = survey(catalog, options.endpoint.as_deref()).await;
    if let Some(best) = survey.engines.first() {
        let chosen = RunOptions { endpoint: Some(best.endpoint.clone()), ..options.clone() };
        return named(catalog, &best.driver, &chosen, params).await;
    }
    if options.endpoint.is_some() {
        // The generic driver says best what is wrong with an address that nobody recognises.
        return named(catalog, "openai", options, params).await;
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
    let connected = named(catalog, "openai", &chosen, params).await?;
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
    let spec = LaunchSpec {
        program: plan.program,
        arguments: plan.arguments,
        environment: plan.environment.into_iter().collect(),
        log_path: options.folders.logs.join(format!("{}-{port}.log", driver.info().name)),
    };
    let shown = spec.describe();
    reporter.update(Update::Launching { command: &format!("{} {}", shown.program, shown.arguments.join(" ")) });
    let mut process = Process::launch(&spec)?;
    let address = format!("http://127.0.0.1:{port}");
    let mut line = Line::new(driver, identity, &address, options.api_key_env.as_deref())?;
    let ready = || async { line.send(plan.ready.clone()).await.is_ok_and(|answer| answer.status == 200) };
    process.wait_ready(ready, Duration::from_millis(plan.ready_timeout_ms)).await?;
    let backend = line.recognise().await?.ok_or_else(|| RunError::NotRecognised {
        endpoint: line.endpoint.to_string(),
        title: line.driver.info().title.clone(),
    })?;
    // The engine names its model in its own way; only one that names none is asked for what it was launched with.
    let wanted = options.model.as_deref().filter(|_| backend.models.is_empty());
    let engine = line.open(backend, wanted, params, options)?;
    Ok(Connected { engine, process: Some(process), sim: None })
}
