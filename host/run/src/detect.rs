//! Which engines are there.

use bench_plugin::driver_types::{Backend, Locality};
use bench_wire::Endpoint;
use serde::Serialize;

use crate::catalog::Catalog;
use crate::engine::{Line, base_address};
use crate::error::RunError;

/// An engine that answers.
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
    /// Engines that answer, one per address, the most specific driver for each.
    pub engines: Vec<Detection>,
    /// Hosted services whose key is in the environment. They are not asked: that would send the key.
    pub hosted: Vec<Reachable>,
    /// Drivers that could not be used, with the reason.
    pub failed: Vec<(String, String)>,
}

/// Looks for engines with every driver at hand, at `address` or at each driver's usual addresses.
pub async fn survey(catalog: &Catalog, address: Option<&str>) -> Survey {
    let mut survey = Survey::default();
    for name in catalog.driver_names() {
        if let Err(error) = ask(catalog, name, address, &mut survey).await {
            survey.failed.push((name.to_owned(), error.to_string()));
        }
    }
    survey
        .engines
        .sort_by(|a, b| b.backend.confidence.cmp(&a.backend.confidence).then_with(|| a.driver.cmp(&b.driver)));
    survey
}

async fn ask(catalog: &Catalog, name: &str, address: Option<&str>, survey: &mut Survey) -> Result<(), RunError> {
    let (mut driver, mut identity) = catalog.driver(name)?;
    let info = driver.info().clone();
    if info.locality == Locality::Hosted {
        let key_set = info.secrets.iter().any(|secret| std::env::var_os(&secret.environment).is_some());
        if let (true, None, Some(endpoint)) = (key_set, address, info.endpoints.first()) {
            survey.hosted.push(Reachable { driver: info.name, title: info.title, endpoint: endpoint.clone() });
        }
        return Ok(());
    }
    let candidates = address.map_or_else(|| info.endpoints.clone(), |address| vec![address.to_owned()]);
    for candidate in candidates {
        let mut line = Line::new(driver, identity, &candidate, None)?;
        let answer = line.recognise().await;
        let answer = answer.map(|backend| backend.map(|backend| line.shown(backend)));
        let endpoint = Endpoint::parse(base_address(&candidate))?.to_string();
        (driver, identity) = line.into_driver();
        if let Ok(Some(backend)) = answer {
            keep(survey, Detection { driver: info.name.clone(), title: info.title.clone(), endpoint, backend });
        }
    }
    Ok(())
}

/// One engine per address: the driver that is surest of it.
fn keep(survey: &mut Survey, found: Detection) {
    match survey.engines.iter_mut().find(|known| known.endpoint == found.endpoint) {
        Some(known) if known.backend.confidence >= found.backend.confidence => {}
        Some(known) => *known = found,
        None => survey.engines.push(found),
    }
}
