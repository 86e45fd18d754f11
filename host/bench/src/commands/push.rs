//! `bench plugin push`.

use bench_oci::Artifact;
use bench_plugin::{Host, HostOptions, Limits};
use bench_repository::{Wish, from_path};
use serde_json::json;

use super::runtime;
use crate::distribution::PushArgs;
use crate::downloads::oci_settings;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::{folders, output};

/// Checks a component as publishing does, and pushes it.
pub fn push(args: &PushArgs) -> Outcome {
    let host = Host::new(HostOptions { cache: Some(folders::folders().cache.join("compiled")) });
    let item = from_path(&host, &args.plugin, &Wish { licence: args.licence.clone(), ..Wish::default() })?;
    let contract = host.load(&item.bytes, Limits::DEFAULT)?.contract().clone();
    let (release, size) = (item.release, item.bytes.len());
    let artifact = Artifact {
        component: item.bytes.into(),
        name: release.name.to_string(),
        version: release.version.to_string(),
        title: release.title,
        licence: release.licence,
        exports: vec![contract.world()],
        imports: contract.imports,
    };
    let pinned = runtime()?.block_on(bench_oci::push(&args.place, &artifact, &oci_settings()?))?;
    if args.json {
        let digest = pinned.digest().map(ToString::to_string);
        output::json(&json!({
            "reference": pinned.to_string(), "digest": digest, "kind": release.kind, "name": artifact.name,
            "version": artifact.version, "sha256": bench_oci::Digest::of(&artifact.component).hex(), "bytes": size,
        }));
    } else {
        output::data(&pinned.to_string());
    }
    Ok(Exit::Success)
}
