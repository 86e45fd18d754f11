//! Pushing: the configuration and the component first, the manifest that names them last, so that a push that is cut off leaves nothing
//! that anybody could pull.

use bench_text::clean_name;
use bench_wire::{Header, Request};
use bytes::Bytes;

use crate::client::{Access, Client, Settings, header};
use crate::error::OciError;
use crate::layout::{Artifact, MANIFEST};
use crate::place::Place;
use crate::reference::{Digest, Reference};

/// Pushes a component under the tag of `reference`, and answers with the same place by digest. What the registry has already is not sent.
///
/// # Errors
/// See [`OciError`]; [`OciError::NameMismatch`] when the repository has another name than the component, since nobody could install it.
pub async fn push(reference: &Reference, artifact: &Artifact, settings: &Settings) -> Result<Reference, OciError> {
    let target = |problem| OciError::NoTarget { reference: reference.to_string(), problem };
    if reference.digest().is_some() {
        return Err(target("it names a digest, and that follows from what is pushed"));
    }
    let tag = reference.tag().ok_or_else(|| target("it names no tag"))?;
    expect_name(reference, &artifact.name)?;
    let client = Client::new(reference, Access::Push, settings)?;
    let parts = artifact.parts();
    client.push_blob(&artifact.component).await?;
    client.push_blob(&parts.config).await?;
    let digest = client.push_manifest(tag, parts.manifest).await?;
    Ok(reference.pinned(digest))
}

/// A component calls itself as its repository is called: who asks for one thing does not get another.
///
/// # Errors
/// [`OciError::NameMismatch`].
pub fn expect_name(reference: &Reference, name: &str) -> Result<(), OciError> {
    if reference.name() == name {
        return Ok(());
    }
    Err(OciError::NameMismatch {
        reference: reference.to_string(),
        name: clean_name(name).to_string(),
        repository: reference.name().to_owned(),
    })
}

impl Client {
    async fn push_blob(&self, bytes: &Bytes) -> Result<(), OciError> {
        let digest = Digest::of(bytes);
        let what = format!("the blob {digest}");
        let known = self.ask(self.request("HEAD", &format!("blobs/{digest}"))).await?;
        match known.status {
            200 => return Ok(()),
            404 => {}
            _ => return Err(self.refusal(known, &what).await),
        }
        let begun = self.ask(self.request("POST", "blobs/uploads/")).await?;
        if begun.status != 202 {
            return Err(self.refusal(begun, &what).await);
        }
        let place = Place::read(&self.endpoint, &self.path("blobs/uploads/"), header(&begun, "location"));
        let place = place.ok_or_else(|| self.receipt(&what, "nothing of where to send it".to_owned()))?;
        // What is sent goes with the user's login, and that is for this registry alone.
        if !place.is_at(&self.endpoint) {
            return Err(self.not_followed(&what, &place, "and bytes are sent to the registry alone"));
        }
        let place = place.with(&[("digest", &digest.to_string())]);
        let request = Request {
            method: "PUT".to_owned(),
            path: place.target,
            headers: vec![Header::text("content-type", "application/octet-stream")],
            body: bytes.clone(),
        };
        let taken = self.ask(request).await?;
        if taken.status == 201 { Ok(()) } else { Err(self.refusal(taken, &what).await) }
    }

    async fn push_manifest(&self, tag: &str, bytes: Bytes) -> Result<Digest, OciError> {
        let digest = Digest::of(&bytes);
        let what = format!("the manifest {digest}");
        let request = Request {
            headers: vec![Header::text("content-type", MANIFEST)],
            body: bytes,
            ..self.request("PUT", &format!("manifests/{tag}"))
        };
        let taken = self.ask(request).await?;
        if taken.status != 201 {
            return Err(self.refusal(taken, &what).await);
        }
        let said = header(&taken, "docker-content-digest");
        if said.is_empty() || said == digest.to_string() {
            Ok(digest)
        } else {
            Err(self.receipt(&what, format!("that it is {}", clean_name(said))))
        }
    }

    fn receipt(&self, what: &str, problem: String) -> OciError {
        OciError::BadReceipt { what: what.to_owned(), host: self.reference.host().to_owned(), problem }
    }
}
