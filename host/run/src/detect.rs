//! Which servers are there.
//!
//! A search sends no key at first. A driver that the user installed is asked only for addresses of
//! this machine and for the address that the user named. See [`crate::keys`] for when a key goes out.

use bench_grants::KeyTarget;
use bench_plugin::driver_types::{Backend, Locality};
use bench_wire::Endpoint;
use serde::Serialize;

use crate::catalog::Catalog;
use crate::engine::{Line, Reach};
use crate::error::RunError;
use crate::keys::KeyPolicy;

/// A server that answers.
#[derive(Debug, Clone, Serialize)]
pub struct Detection {
    /// The driver that recognised it.
    pub driver: String,
    /// The driver's name for people.
    pub title: String,
    /// Where it answers.
    pub endpoint: String,
    /// What it is.
    pub backend: Backend,
    /// How the user names the driver.
    #[serde(skip)]
    pub(crate) reference: String,
    /// It refused some requests without a key.
    #[serde(skip)]
    denied: bool,
}

/// A hosted service whose key is set.
#[derive(Debug, Clone, Serialize)]
pub struct Reachable {
    /// The driver.
    pub driver: String,
    /// The driver's name for people.
    pub title: String,
    /// Its address.
    pub endpoint: String,
}

/// Everything that was found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Survey {
    /// Servers that answer, one per address, the most specific driver for each.
    pub engines: Vec<Detection>,
    /// Hosted services whose key is in the environment. They are not asked: that would send the key.
    pub hosted: Vec<Reachable>,
    /// Addresses where a server wants an API key and no driver recognises it without.
    pub denied: Vec<String>,
    /// Drivers that could not be used, with the reason.
    pub failed: Vec<(String, String)>,
}

/// Looks for servers with every driver at hand, at `address` or at each driver's usual addresses.
pub async fn survey(catalog: &Catalog, address: Option<&str>) -> Survey {
    survey_on(catalog, address, &Reach::searching(address.is_some())).await
}

/// As [`survey`], on a way of the user's.
pub(crate) async fn survey_on(catalog: &Catalog, address: Option<&str>, reach: &Reach) -> Survey {
    let mut survey = Survey::default();
    for name in catalog.driver_names() {
        if let Err(error) = ask_driver(catalog, name, address, reach, &mut survey).await {
            survey.failed.push((name.to_owned(), error.to_string()));
        }
    }
    survey.denied.retain(|endpoint| !survey.engines.iter().any(|engine| engine.endpoint == *endpoint));
    survey.denied.sort();
    survey.denied.dedup();
    // Only the driver that recognised a server, and best of all, may show it a key.
    let policy = KeyPolicy { named_server: address.is_some(), ..KeyPolicy::default() };
    for engine in survey.engines.iter_mut().filter(|engine| engine.denied) {
        if let Ok(Some(backend)) = ask_with_keys(catalog, engine, reach, &policy).await {
            engine.backend = backend;
        }
    }
    survey
        .engines
        .sort_by(|a, b| b.backend.confidence.cmp(&a.backend.confidence).then_with(|| a.driver.cmp(&b.driver)));
    survey
}

async fn ask_driver(
    catalog: &Catalog,
    name: &str,
    address: Option<&str>,
    reach: &Reach,
    survey: &mut Survey,
) -> Result<(), RunError> {
    let (mut driver, mut identity) = catalog.driver(name)?;
    let info = driver.info().clone();
    let permit = identity.permit.clone();
    if info.locality == Locality::Hosted {
        let Some(endpoint) = info.endpoints.first() else { return Ok(()) };
        let target = KeyTarget { address: endpoint, named: false };
        let key_set = info.secrets.iter().any(|secret| {
            permit.may_send_variable(&secret.environment, target) && std::env::var_os(&secret.environment).is_some()
        });
        if key_set && address.is_none() {
            survey.hosted.push(Reachable { driver: info.name, title: info.title, endpoint: endpoint.clone() });
        }
        return Ok(());
    }
    let candidates = match address {
        Some(address) => vec![address.to_owned()],
        None => info.endpoints.iter().filter(|address| permit.may_survey(address)).cloned().collect(),
    };
    for candidate in candidates {
        let mut line = Line::new(driver, identity, &candidate, reach.clone())?;
        let answer = line.recognise().await;
        let answer = answer.map(|backend| backend.map(|backend| line.shown(backend)));
        let endpoint = Endpoint::parse(&candidate)?.root().to_string();
        let denied = line.was_denied();
        (driver, identity) = line.into_driver();
        match answer {
            Ok(Some(backend)) => keep_surest(
                survey,
                Detection {
                    driver: info.name.clone(),
                    title: info.title.clone(),
                    endpoint,
                    backend,
                    reference: name.to_owned(),
                    denied,
                },
            ),
            Ok(None) if denied => survey.denied.push(endpoint),
            _ => {}
        }
    }
    Ok(())
}

/// Asks a server that was recognised without a key once more, with the keys that it may get.
async fn ask_with_keys(
    catalog: &Catalog,
    found: &Detection,
    reach: &Reach,
    policy: &KeyPolicy,
) -> Result<Option<Backend>, RunError> {
    let (driver, identity) = catalog.driver(&found.reference)?;
    let mut line = Line::with_keys(driver, identity, &found.endpoint, reach.clone(), policy)?;
    let backend = line.meet(policy).await?;
    Ok(backend.map(|backend| line.shown(backend)))
}

/// One server per address: the driver that is surest of it.
fn keep_surest(survey: &mut Survey, found: Detection) {
    match survey.engines.iter_mut().find(|known| known.endpoint == found.endpoint) {
        Some(known) if known.backend.confidence >= found.backend.confidence => {}
        Some(known) => *known = found,
        None => survey.engines.push(found),
    }
}
