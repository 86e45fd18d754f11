//! Whose numbers these are, and of which weights.

use std::path::Path;

use bench_machine::attribution::{Address, Attribution, ListeningProcess, Locality, attribute, find_listener};
use bench_machine::model::{ModelDigest, ModelDigests, ModelError, Progress, ServedModel};
use bench_machine::{Found, Tree};
use bench_plugin::driver_types;
use bench_record::{Digest, Model};

use crate::engine::Engine;
use crate::options::Folders;
use crate::report::{Reporter, Silent, Update};

/// What is known of the place where the engine runs.
pub(crate) struct Whereabouts {
    pub(crate) attribution: Attribution,
    pub(crate) listener: Found<ListeningProcess>,
}

/// Finds the process behind the endpoint and decides whether the machine may be credited.
pub(crate) async fn whereabouts(engine: &Engine) -> Whereabouts {
    let endpoint = &engine.line.endpoint;
    let loopback = endpoint.is_loopback();
    let host = endpoint.host();
    let ip = host.trim_matches(['[', ']']).parse().ok();
    let listener = if loopback {
        find_listener(ip, endpoint.port()).await
    } else {
        Found::NotPresent { looked_for: "a listening process: the endpoint is not on this machine".to_owned() }
    };
    let locality = match engine.line.driver.info().locality {
        driver_types::Locality::SelfHosted => Locality::SelfHosted,
        driver_types::Locality::Hosted => Locality::Hosted,
    };
    let address = if loopback { Address::Loopback } else { Address::Network };
    Whereabouts { attribution: attribute(address, locality, &listener), listener }
}

/// The model as the record names it. Weights on this machine are hashed; elsewhere the backend's word is taken, and said to
/// be that.
pub(crate) async fn model(
    engine: &Engine,
    whereabouts: &Whereabouts,
    folders: &Folders,
    reporter: &mut dyn Reporter,
) -> Model {
    let known = &engine.model;
    let mut model = Model {
        id: public_name(&known.id),
        digests: Vec::new(),
        quantization: known.quantization.clone(),
        context_length: known.context_length,
        parameters: known.parameters,
        file: None,
    };
    if let Some((algorithm, hex)) = known.digest.as_deref().and_then(|digest| digest.split_once(':')) {
        model.digests.push(Digest {
            algorithm: algorithm.to_owned(),
            hex: hex.to_owned(),
            source: "backend".to_owned(),
        });
    }
    if whereabouts.attribution != Attribution::LocalMachine {
        return model;
    }
    let named = known.path.as_deref().or_else(|| known.id.starts_with('/').then_some(known.id.as_str()));
    let (Some(path), Found::Present { value: server }) = (named, &whereabouts.listener) else { return model };
    let Some(served) = find_served(server.pid, path).await else { return model };
    let digests = ModelDigests::new(folders.cache.join("models"));
    if let Some(digest) = hash(move |told| digests.digest_served(served, told), reporter).await {
        model.digests.push(Digest {
            algorithm: "sha256".to_owned(),
            hex: digest.sha256.clone(),
            source: "file".to_owned(),
        });
        if let Found::Present { value } = &digest.facts {
            model.quantization = model.quantization.take().or_else(|| value.quantization.clone());
            model.parameters = model.parameters.or(value.parameters);
        }
        model.file = Some(digest);
    }
    model
}

/// SHA-256 of the running program, kept in the same cache as those of weights: it is hashed once per build.
pub(crate) async fn program(folders: &Folders) -> Option<String> {
    let path = std::env::current_exe().ok()?;
    let digests = ModelDigests::new(folders.cache.join("models"));
    Some(hash(move |told| digests.digest(&path, told), &mut Silent).await?.sha256)
}

/// Engines that are started with a folder use its path as the model's name. The folders above it say more about the user
/// than about the model.
pub(crate) fn public_name(id: &str) -> String {
    match id.strip_prefix('/').and_then(|path| path.trim_end_matches('/').rsplit('/').next()) {
        Some(last) if !last.is_empty() => last.to_owned(),
        _ => id.to_owned(),
    }
}

/// The model files that the server has, when the path that it named means some.
async fn find_served(server: u32, path: &str) -> Option<ServedModel> {
    let path = Path::new(path).to_owned();
    let find = move || ServedModel::find(&Tree::default(), server, &path);
    tokio::task::spawn_blocking(find).await.ok()?
}

async fn hash<F>(digest: F, reporter: &mut dyn Reporter) -> Option<ModelDigest>
where
    F: FnOnce(&mut dyn FnMut(Progress)) -> Result<ModelDigest, ModelError> + Send + 'static,
{
    let (tell, mut told) = tokio::sync::watch::channel((0, 0));
    let mut work = tokio::task::spawn_blocking(move || {
        let mut progress = |progress: Progress| {
            tell.send_replace((progress.done_bytes, progress.total_bytes));
        };
        digest(&mut progress)
    });
    loop {
        tokio::select! {
            done = &mut work => return done.ok()?.ok(),
            changed = told.changed() => {
                if changed.is_ok() {
                    let (done, total) = *told.borrow_and_update();
                    reporter.update(Update::Hashing { done, total });
                } else {
                    // The work is over and its result is about to come.
                    return work.await.ok()?.ok();
                }
            }
        }
    }
}
