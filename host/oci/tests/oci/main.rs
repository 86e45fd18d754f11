//! Pulling from and pushing to registries, honest and hostile, over real connections.
#![expect(clippy::unwrap_used, reason = "a failed test is a panic")]

mod honest;
mod hostile;
mod logins;
mod registry;

use bench_oci::{Access, Artifact, Client, Digest, Layer, Login, Logins, OciError, Reference, Settings};

/// What the tests push, and pull again.
pub const COMPONENT: &[u8] = b"\0asm, as far as anybody here can tell";

/// An artifact called `fast`.
pub fn artifact() -> Artifact {
    Artifact {
        component: bytes::Bytes::from_static(COMPONENT),
        name: "fast".to_owned(),
        version: "1.2.3".to_owned(),
        title: "A fast one".to_owned(),
        licence: "MIT".to_owned(),
        exports: vec!["bench:plugin/driver@0.1.0".to_owned()],
        imports: Vec::new(),
    }
}

/// Nobody's logins.
pub fn settings() -> Settings {
    Settings { logins: Some(Logins::none()), ..Settings::default() }
}

/// The login of `anna` for a host.
pub fn settings_of(host: &str) -> Settings {
    let login = Login { user: "anna".to_owned(), password: "hunter2".to_owned() };
    Settings { logins: Some(Logins::none().with(host, login)), ..settings() }
}

/// A reference of the repository `acme/fast` on a host.
pub fn reference(host: &str, rest: &str) -> Reference {
    format!("oci://{host}/acme/fast{rest}").parse().unwrap()
}

/// Runs a future to its end.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Pushes the artifact under `:1`.
pub fn push(host: &str, settings: &Settings) -> Result<Reference, OciError> {
    wait(bench_oci::push(&reference(host, ":1"), &artifact(), settings))
}

/// The component behind a digest of a manifest, checked as an installation checks it.
pub fn pull(host: &str, manifest: &Digest, settings: &Settings) -> Result<Vec<u8>, OciError> {
    let client = Client::new(&reference(host, ""), Access::Pull, settings)?;
    wait(async {
        let (_, layer) = client.manifest(manifest).await?;
        let mut bytes = Vec::new();
        let mut blob = client.blob(&layer, 0).await?;
        while let Some(chunk) = blob.chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    })
}

/// The layer that the artifact's component is.
pub fn layer() -> Layer {
    Layer { digest: Digest::of(COMPONENT), bytes: COMPONENT.len() as u64 }
}
