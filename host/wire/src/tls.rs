//! Whom to trust. The cryptography is ring's, named explicitly so that no process-wide default decides.

use std::fmt;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

use crate::WireError;

/// Which certificate authorities to trust for `https` endpoints.
#[derive(Clone, Default)]
pub struct Trust {
    extra: Vec<CertificateDer<'static>>,
    exclusive: bool,
}

impl Trust {
    /// What the operating system trusts.
    #[must_use]
    pub fn platform() -> Self {
        Self::default()
    }

    /// What the operating system trusts and the certificates in this PEM text.
    ///
    /// # Errors
    /// [`WireError::BadTrust`] when the text holds no readable certificate.
    pub fn platform_and(pem: &[u8]) -> Result<Self, WireError> {
        Ok(Self { extra: certificates(pem)?, exclusive: false })
    }

    /// The certificates in this PEM text and nothing else.
    ///
    /// # Errors
    /// [`WireError::BadTrust`] when the text holds no readable certificate.
    pub fn only(pem: &[u8]) -> Result<Self, WireError> {
        Ok(Self { extra: certificates(pem)?, exclusive: true })
    }

    /// The configuration of a client that trusts nobody, for endpoints without TLS.
    pub(crate) fn none() -> Result<ClientConfig, WireError> {
        Self { extra: Vec::new(), exclusive: true }.config()
    }

    /// The configuration of a client that trusts this.
    pub(crate) fn config(&self) -> Result<ClientConfig, WireError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().map_err(bad)?;
        if self.exclusive {
            let mut roots = RootCertStore::empty();
            for certificate in &self.extra {
                roots.add(certificate.clone()).map_err(bad)?;
            }
            return Ok(builder.with_root_certificates(roots).with_no_client_auth());
        }
        let verifier = if self.extra.is_empty() {
            Verifier::new(provider)
        } else {
            Verifier::new_with_extra_roots(self.extra.iter().cloned(), provider)
        }
        .map_err(bad)?;
        // The verifier is the platform's own; the builder calls every verifier but a plain root store dangerous.
        Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("extra", &self.extra.len()).field("exclusive", &self.exclusive).finish()
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, WireError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(bad("there is no certificate in the PEM text")),
        Err(error) => Err(bad(error)),
    }
}

fn bad(reason: impl fmt::Display) -> WireError {
    WireError::BadTrust { reason: reason.to_string() }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed test is a panic")]
mod tests {
    use super::*;

    #[test]
    fn text_without_certificates_is_refused() {
        for pem in [&b""[..], b"hello", b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"] {
            assert_eq!(Trust::only(pem).unwrap_err().code(), "bad-trust");
            assert_eq!(Trust::platform_and(pem).unwrap_err().code(), "bad-trust");
        }
    }
}
