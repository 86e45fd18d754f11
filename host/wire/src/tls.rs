//! Whom to trust. The cryptography is ring's, named explicitly so that no process-wide default decides.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use sha2::{Digest as _, Sha256};

use crate::WireError;

/// Which certificate authorities to trust for `https` endpoints.
#[derive(Clone, Default)]
pub struct Trust {
    extra: Vec<CertificateDer<'static>>,
    exclusive: bool,
    /// Accept this certificate and no other.
    pin: Option<Fingerprint>,
    /// Accept any certificate.
    unverified: bool,
}

/// SHA-256 of a certificate in DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate.as_ref()).into())
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    /// Reads 64 hexadecimal digits, with or without `sha256:` before them and colons between them.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let is_named = text.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("sha256:"));
        let digits: Vec<u8> = text.bytes().skip(if is_named { 7 } else { 0 }).filter(|byte| *byte != b':').collect();
        let mut bytes = [0; 32];
        let (pairs, rest) = digits.as_chunks::<2>();
        let wrong = || "a fingerprint is the certificate's SHA-256 in 64 hexadecimal digits".to_owned();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(wrong());
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
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
        Ok(Self { extra: certificates(pem)?, ..Self::default() })
    }

    /// The certificates in this PEM text and nothing else.
    ///
    /// # Errors
    /// [`WireError::BadTrust`] when the text holds no readable certificate.
    pub fn only(pem: &[u8]) -> Result<Self, WireError> {
        Ok(Self { extra: certificates(pem)?, exclusive: true, ..Self::default() })
    }

    /// One certificate and nothing else, whoever issued it and whatever name it has.
    #[must_use]
    pub fn pinned(pin: Fingerprint) -> Self {
        Self { pin: Some(pin), ..Self::default() }
    }

    /// Any certificate: whoever is in between can read and change everything.
    #[must_use]
    pub fn unverified() -> Self {
        Self { unverified: true, ..Self::default() }
    }

    /// What is accepted, in one word: `platform`, `own-authority`, `pinned` or `unverified`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match (self.unverified, self.pin, self.extra.is_empty()) {
            (true, ..) => "unverified",
            (_, Some(_), _) => "pinned",
            (.., false) => "own-authority",
            _ => "platform",
        }
    }

    /// Whether any certificate is accepted.
    #[must_use]
    pub const fn is_unverified(&self) -> bool {
        self.unverified
    }

    /// The configuration of a client that trusts nobody, for endpoints without TLS.
    pub(crate) fn none() -> Result<ClientConfig, WireError> {
        Self { exclusive: true, ..Self::default() }.config()
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
        let platform = match (self.pin.is_some() || self.unverified, self.extra.is_empty()) {
            (true, _) => None,
            (false, true) => Some(Verifier::new(provider.clone()).map_err(bad)?),
            (false, false) => {
                Some(Verifier::new_with_extra_roots(self.extra.iter().cloned(), provider.clone()).map_err(bad)?)
            }
        };
        let verifier = Chosen {
            platform,
            extra: self.extra.clone(),
            pin: self.pin,
            algorithms: provider.signature_verification_algorithms,
        };
        // Without a choice of the user's the verifier is the platform's own; the builder calls every verifier but a plain root
        // store dangerous.
        Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
    }
}

/// Verifies by the platform, or by what the user said instead. The handshake's signatures are verified in each case.
#[derive(Debug)]
struct Chosen {
    platform: Option<Verifier>,
    /// The user's own certificates: an authority's, or the server's itself, which need not be fit to issue others.
    extra: Vec<CertificateDer<'static>>,
    pin: Option<Fingerprint>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Chosen {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found = Fingerprint::of(end_entity);
        match (&self.platform, self.pin) {
            (None, Some(pin)) if pin != found => {
                Err(rustls::Error::General(format!("the certificate is {found} and not the pinned one")))
            }
            (None, _) => Ok(ServerCertVerified::assertion()),
            (Some(_), _) if self.extra.iter().any(|own| own == end_entity) => Ok(ServerCertVerified::assertion()),
            (Some(platform), _) => {
                platform.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("extra", &self.extra.len())
            .field("exclusive", &self.exclusive)
            .field("pin", &self.pin)
            .field("unverified", &self.unverified)
            .finish()
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
    fn fingerprints_are_read_as_tools_print_them() {
        let plain = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        let read: Fingerprint = plain.parse().unwrap();
        assert_eq!(format!("sha256:{colons}").parse::<Fingerprint>().unwrap(), read);
        assert_eq!(read.to_string(), format!("sha256:{plain}"));
        for text in ["", "sha256:", "abc", &"zz".repeat(32), &"ab".repeat(31), &format!("{plain}a")] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }

    #[test]
    fn text_without_certificates_is_refused() {
        for pem in [&b""[..], b"hello", b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"] {
            assert_eq!(Trust::only(pem).unwrap_err().code(), "bad-trust");
            assert_eq!(Trust::platform_and(pem).unwrap_err().code(), "bad-trust");
        }
    }
}
