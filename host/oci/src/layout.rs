//! How a component lies in an OCI registry: the layout that the Bytecode Alliance's tools read and write. A manifest names a
//! configuration, which says what is exported and imported, and one layer, which is the component.

use std::collections::BTreeMap;

use bench_text::{clean_name, clean_sentence};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::OciError;
use crate::reference::Digest;

/// Media type of a manifest.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media types of lists of manifests, which containers for several platforms have.
pub(crate) const LISTS: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
/// Media type of the configuration.
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// Media type of the layer.
const LAYER: &str = "application/wasm";
/// When a pushed component was made, as far as its configuration says: never, so that one component is one digest, whoever pushes it
/// and whenever.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// A component as a manifest names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    media_type: Option<String>,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
}

impl Descriptor {
    fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self { media_type: media_type.to_owned(), digest: Digest::of(bytes).to_string(), size: bytes.len() as u64 }
    }
}

impl Layer {
    /// The component that a manifest names. `what` and `host` are for messages.
    ///
    /// # Errors
    /// [`OciError::NoManifest`] when it is none, [`OciError::Layout`] when it is one of something else.
    pub fn of_manifest(bytes: &[u8], what: &str, host: &str) -> Result<Self, OciError> {
        let none = |problem: String| OciError::NoManifest { what: what.to_owned(), host: host.to_owned(), problem };
        let layout = |problem: String| OciError::Layout { what: what.to_owned(), problem };
        let manifest: Manifest =
            serde_json::from_slice(bytes).map_err(|error| none(clean_sentence(&error).to_string()))?;
        if manifest.schema_version != 2 {
            return Err(none(format!("it is of version {}, and this program reads 2", manifest.schema_version)));
        }
        if let Some(other) = manifest.media_type.filter(|it| it != MANIFEST) {
            return Err(layout(format!("it is of type {}", clean_name(&other))));
        }
        if manifest.config.media_type != CONFIG {
            return Err(layout(format!("its configuration is of type {}", clean_name(&manifest.config.media_type))));
        }
        let [layer] = manifest.layers.as_slice() else {
            return Err(layout(format!("it has {} layers", manifest.layers.len())));
        };
        if layer.media_type != LAYER {
            return Err(layout(format!("its layer is of type {}", clean_name(&layer.media_type))));
        }
        let digest = Digest::parse(&layer.digest).ok_or_else(|| layout("its layer has no SHA-256".to_owned()))?;
        Ok(Self { digest, bytes: layer.size })
    }
}

/// A component and what is said of it.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The component.
    pub component: Bytes,
    /// What it calls itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// A few words.
    pub title: String,
    /// SPDX expression, or empty.
    pub licence: String,
    /// The interfaces that it exports, with their versions.
    pub exports: Vec<String>,
    /// Those that it imports.
    pub imports: Vec<String>,
}

/// What is pushed for an artifact.
#[derive(Debug)]
pub(crate) struct Parts {
    pub config: Bytes,
    pub manifest: Bytes,
}

/// The configuration as it is written. Fields stand in this order, whatever else the program is built with.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    created: &'a str,
    author: Option<&'a str>,
    architecture: &'a str,
    os: &'a str,
    layer_digests: [String; 1],
    component: Component<'a>,
}

#[derive(Serialize)]
struct Component<'a> {
    exports: &'a [String],
    imports: &'a [String],
    target: Option<&'a str>,
}

/// The manifest as it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    schema_version: u32,
    media_type: &'a str,
    config: Descriptor,
    layers: [Descriptor; 1],
    annotations: BTreeMap<&'a str, &'a str>,
}

impl Artifact {
    pub(crate) fn parts(&self) -> Parts {
        let config = Config {
            created: CREATED,
            author: None,
            architecture: "wasm",
            os: "wasip2",
            layer_digests: [Digest::of(&self.component).to_string()],
            component: Component { exports: &self.exports, imports: &self.imports, target: None },
        };
        // Plain structs of strings and numbers always serialise.
        let config = serde_json::to_vec(&config).unwrap_or_default();
        let said = [
            ("org.opencontainers.image.title", self.name.as_str()),
            ("org.opencontainers.image.version", &self.version),
            ("org.opencontainers.image.description", &self.title),
            ("org.opencontainers.image.licenses", &self.licence),
        ];
        let manifest = Written {
            schema_version: 2,
            media_type: MANIFEST,
            config: Descriptor::of(CONFIG, &config),
            layers: [Descriptor::of(LAYER, &self.component)],
            annotations: said.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        };
        let manifest = serde_json::to_vec(&manifest).unwrap_or_default();
        Parts { config: config.into(), manifest: manifest.into() }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn artifact() -> Artifact {
        Artifact {
            component: Bytes::from_static(b"\0asm"),
            name: "fast".to_owned(),
            version: "1.0.0".to_owned(),
            title: String::new(),
            licence: "MIT".to_owned(),
            exports: vec!["bench:plugin/driver@0.1.0".to_owned()],
            imports: Vec::new(),
        }
    }

    fn read(text: &str) -> Result<Layer, &'static str> {
        Layer::of_manifest(text.as_bytes(), "oci://h.io/a", "h.io").map_err(|error| error.code())
    }

    #[test]
    fn what_is_written_is_read_again_and_the_same_each_time() {
        let (one, other) = (artifact().parts(), artifact().parts());
        assert_eq!((&one.config, &one.manifest), (&other.config, &other.manifest));
        let layer = Layer::of_manifest(&one.manifest, "", "").unwrap();
        assert_eq!(layer, Layer { digest: Digest::of(b"\0asm"), bytes: 4 });
        // A push of tomorrow's program is to have the same digest as one of today's.
        let expected = r#"{"created":"1970-01-01T00:00:00Z","author":null,"architecture":"wasm","os":"wasip2","layerDigests":["DIGEST"],"component":{"exports":["bench:plugin/driver@0.1.0"],"imports":[],"target":null}}"#;
        assert_eq!(one.config, expected.replace("DIGEST", &layer.digest.to_string()));
    }

    #[test]
    fn anything_but_one_component_is_refused() {
        let text = String::from_utf8(artifact().parts().manifest.to_vec()).unwrap();
        let layer = &text[text.find("\"layers\":[").unwrap() + 10..text.find("],").unwrap()];
        let digest = Digest::of(b"\0asm").to_string();
        for (from, to, code) in [
            (MANIFEST, LISTS[0], "oci-layout"),
            (CONFIG, "application/vnd.oci.image.config.v1+json", "oci-layout"),
            ("\"application/wasm\"", "\"application/vnd.oci.image.layer.v1.tar+gzip\"", "oci-layout"),
            (layer, &format!("{layer},{layer}"), "oci-layout"),
            (layer, "", "oci-layout"),
            (&digest, "sha512:00", "oci-layout"),
            (&digest, "../../x", "oci-layout"),
            ("\"schemaVersion\":2", "\"schemaVersion\":1", "oci-no-manifest"),
            ("\"size\":4", "\"size\":-4", "oci-no-manifest"),
            ("layers", "lawyers", "oci-no-manifest"),
            (&text, "<html></html>", "oci-no-manifest"),
            (&text, "", "oci-no-manifest"),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text, "{from}");
            assert_eq!(read(&changed), Err(code), "{from} to {to}");
        }
        // One that other tools wrote need not say its own type.
        assert!(read(&text.replace(&format!("\"mediaType\":\"{MANIFEST}\","), "")).is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Layer::of_manifest(&bytes, "", "");
        }
    }
}
